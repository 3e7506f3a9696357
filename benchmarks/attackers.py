"""Hostile clients, bounded in time: each sends as fast as it is let, and counts what came back.

They run as processes of their own at the lowest priority, so that the machine's share of legitimate clients is not what
is measured. Loopback has many addresses: a source address of 127.x.y.z stands for a machine of its own.
"""

from __future__ import annotations

import base64
import itertools
import json
import multiprocessing
import os
import secrets
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from benchmarks.people import number_of

_LOOKUP = json.dumps(
    {"employee_number": number_of(1), "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
).encode()


@dataclass(frozen=True)
class Target:
    """Where to, and what the attacker has got hold of.

    Attributes:
        port: on 127.0.0.1.
        genuine: a good token, whose head lends its shape to false ones; insiders use it as it is.
    """

    port: int
    genuine: str = field(repr=False)


@dataclass(frozen=True)
class Attack:
    """One way of attacking: how many connections, from which addresses, and what each sends.

    Attributes:
        name: for the table.
        connections: how many at a time.
        sources: how many addresses.
        request: makes the next request's bytes.
        keeps: whether a connection is used again after an answer.
        drip: seconds between single bytes, 0 for all at once.
        looks_up: whether an answer 200 is a lookup, which is an entry.
    """

    name: str
    request: Callable[[Target], Iterator[bytes]]
    connections: int = 64
    sources: int = 1
    keeps: bool = True
    drip: float = 0.0
    looks_up: bool = True


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _request(token: str | None, body: bytes = _LOOKUP, *more: str, path: str = "/v1/disclosures") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: registry", "Content-Type: application/json", *more]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in more):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def wrong_signatures(target: Target) -> Iterator[bytes]:
    """Tokens of the right shape and key name, each different, none signed by the issuer."""
    head, payload, _ = target.genuine.split(".")
    while True:
        yield _request(f"{head}.{payload}.{_b64(secrets.token_bytes(64))}")


def unknown_keys(target: Target) -> Iterator[bytes]:
    """Tokens that name keys which nobody has."""
    head, payload, _ = target.genuine.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    while True:
        named = _b64(json.dumps(header | {"kid": secrets.token_hex(8)}).encode())
        yield _request(f"{named}.{payload}.{_b64(secrets.token_bytes(64))}")


def one_bad_token(target: Target) -> Iterator[bytes]:
    """One bad token over and over."""
    return itertools.repeat(next(wrong_signatures(target)))


def no_token(_target: Target) -> Iterator[bytes]:
    """Requests without any token."""
    return itertools.repeat(_request(None))


def unknown_paths(_target: Target) -> Iterator[bytes]:
    """Paths that do not exist."""
    return itertools.repeat(b"GET /nowhere HTTP/1.1\r\nHost: registry\r\n\r\n")


def health(_target: Target) -> Iterator[bytes]:
    """The routes that need no token."""
    return itertools.cycle(
        [b"GET /readyz HTTP/1.1\r\nHost: registry\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: registry\r\n\r\n"]
    )


def garbage(_target: Target) -> Iterator[bytes]:
    """No HTTP at all."""
    while True:
        yield secrets.token_bytes(256) + b"\r\n\r\n"


def anonymous_mountains(_target: Target) -> Iterator[bytes]:
    """Bodies of 100 MB without a token: a declared length, and everything sent."""
    part = b" " * (1 << 20)
    while True:
        yield _request(None, b"", f"Content-Length: {100 << 20}")
        for _ in range(100):
            yield part


def insider_mountains(target: Target) -> Iterator[bytes]:
    """Bodies of 100 MB with a good token, chunked, so that no length warns."""
    part = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    while True:
        yield _request(target.genuine, b"", "Transfer-Encoding: chunked")
        for _ in range(100):
            yield part


def deep_json(target: Target) -> Iterator[bytes]:
    """A hundred thousand containers inside one another, with a good token."""
    return itertools.repeat(_request(target.genuine, b'{"purpose":' + b"[" * 100_000 + b"]" * 100_000 + b"}"))


def greedy(target: Target) -> Iterator[bytes]:
    """Good lookups with a good token, without a pause."""
    return itertools.repeat(_request(target.genuine))


def slow_head(target: Target) -> Iterator[bytes]:
    """Heads that take forever."""
    return itertools.repeat(_request(target.genuine).replace(b"Host: registry", b"X-Slow: " + b"a" * 4_000))


def slow_body(target: Target) -> Iterator[bytes]:
    """Bodies that take forever, with a good token: the head comes at once."""
    return itertools.repeat(_request(target.genuine, b" " * 4_000))


ATTACKS: tuple[Attack, ...] = (
    Attack("wrong signatures, one address", wrong_signatures),
    Attack("wrong signatures, new connections", wrong_signatures, keeps=False),
    Attack("wrong signatures, 500 addresses", wrong_signatures, connections=256, sources=500, keeps=False),
    Attack("unknown keys, 500 addresses", unknown_keys, connections=256, sources=500, keeps=False),
    Attack("one bad token", one_bad_token),
    Attack("no token", no_token),
    Attack("unknown paths", unknown_paths),
    Attack("health checks", health, looks_up=False),
    Attack("garbage", garbage, keeps=False),
    Attack("slow heads", slow_head, connections=600, sources=20, drip=0.5),
    Attack("slow bodies, good token", slow_body, connections=300, drip=0.5),
    Attack("100 MB bodies, no token", anonymous_mountains, connections=16),
    Attack("100 MB bodies, good token", insider_mountains, connections=16),
    Attack("100,000-deep JSON, good token", deep_json, connections=16),
    Attack("one reader's 200 connections", greedy, connections=200),
)


class _Client:
    """One hostile connection."""

    def __init__(self, attack: Attack, target: Target, number: int) -> None:
        self.attack = attack
        self.target = target
        self.requests: Iterator[bytes] = iter(())
        share = number % attack.sources
        self.address = f"127.{9 + share // 200}.{number % 7}.{1 + share % 200}" if attack.sources > 1 else "127.9.9.9"
        self.connection: socket.socket | None = None
        self.pending = memoryview(b"")
        self.head_sent = False
        self.wait_until = 0.0

    def open(self, port: int) -> None:
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind((self.address, 0))
        connection.connect_ex(("127.0.0.1", port))
        self.connection = connection
        self.requests = self.attack.request(self.target)
        self.pending = memoryview(next(self.requests))
        self.head_sent = False

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class _Attacker:
    """All connections of one attack, in one thread."""

    def __init__(self, attack: Attack, target: Target) -> None:
        self._attack = attack
        self._target = target
        self._selector = selectors.DefaultSelector()
        self._seen: Counter[str] = Counter()
        self._clients = [_Client(attack, target, number) for number in range(attack.connections)]

    def run(self, seconds: float) -> Counter[str]:
        until = time.monotonic() + seconds
        for client in self._clients:
            self._open(client)
        while (now := time.monotonic()) < until:
            for key, events in self._selector.select(0.05):
                ready: _Client = key.data
                if events & selectors.EVENT_READ:
                    self._read(ready)
                elif events & selectors.EVENT_WRITE:
                    self._write(ready, now)
            self._wake(now)
        for client in self._clients:
            client.close()
        return self._seen

    def _wake(self, now: float) -> None:
        for client in self._clients:
            if client.wait_until and now >= client.wait_until:
                client.wait_until = 0.0
                if client.connection is None:
                    self._open(client)
                else:
                    self._watch(client, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def _open(self, client: _Client) -> None:
        try:
            client.open(self._target.port)
        except OSError:
            self._seen["cannot connect"] += 1
            client.close()
            client.wait_until = time.monotonic() + 0.1
            return
        self._seen["connections"] += 1
        assert client.connection is not None
        self._selector.register(client.connection, selectors.EVENT_READ | selectors.EVENT_WRITE, client)

    def _watch(self, client: _Client, events: int) -> None:
        assert client.connection is not None
        self._selector.modify(client.connection, events, client)

    def _drop(self, client: _Client) -> None:
        assert client.connection is not None
        self._selector.unregister(client.connection)
        client.close()
        self._open(client)

    def _write(self, client: _Client, now: float) -> None:
        assert client.connection is not None
        portion = client.pending
        if self._attack.drip:
            is_body = self._attack.request is slow_body and not client.head_sent
            portion = portion[: len(portion) - 4_000] if is_body else portion[:1]
        try:
            sent = client.connection.send(portion)
        except BlockingIOError:
            return
        except OSError:
            self._seen["cut"] += 1
            self._drop(client)
            return
        client.head_sent = True
        client.pending = client.pending[sent:]
        if self._attack.drip:
            self._watch(client, selectors.EVENT_READ)
            client.wait_until = now + self._attack.drip
        elif not client.pending:
            if self._attack.request in (anonymous_mountains, insider_mountains):
                client.pending = memoryview(next(client.requests))
            else:
                self._watch(client, selectors.EVENT_READ)

    def _read(self, client: _Client) -> None:
        assert client.connection is not None
        try:
            answer = client.connection.recv(65_536)
        except OSError:
            answer = b""
        if not answer:
            self._seen["cut"] += 1
            self._drop(client)
            return
        if answer.startswith(b"HTTP/1.1 "):
            self._seen[answer[9:12].decode()] += 1
            if not self._attack.keeps:
                self._drop(client)
            elif not client.pending or self._attack.drip:
                client.pending = memoryview(next(client.requests))
                client.head_sent = False
                self._watch(client, selectors.EVENT_READ | selectors.EVENT_WRITE)


def _process(attack: Attack, target: Target, seconds: float, answer: Connection) -> None:
    os.nice(19)
    answer.send(_Attacker(attack, target).run(seconds))


@contextmanager
def under(attack: Attack, target: Target, seconds: float) -> Iterator[Counter[str]]:
    """Attack from a process of its own while the block runs; the counter is filled when the block has ended."""
    context = multiprocessing.get_context("spawn")
    read, write = context.Pipe(duplex=False)
    process = context.Process(target=_process, args=(attack, target, seconds, write), daemon=True)
    process.start()
    seen: Counter[str] = Counter()
    try:
        yield seen
        if read.poll(seconds + 20):
            seen.update(read.recv())
    finally:
        process.kill()
        process.join(10)
