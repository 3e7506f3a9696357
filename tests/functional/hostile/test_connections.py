"""Connections that say nothing, say it slowly, say too much, or come too often; a good client beside them."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from registry.api import connections, door, dropping, lingering, turns
from registry.api.connections import Connections
from registry.api.draining import DRAIN_SECONDS
from registry.api.exchange import Exchange
from registry.api.server import serving
from registry.api.turns import LITTLE
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.identity.strangers import CUT_AFTER, STRANGER_BURST, UNREAD_BURST, Strangers
from registry.services.disclose import Disclose
from registry.services.principals import Grant
from tests.functional.services.homes import Home, open_copy

NOBODY = b'{"employee_number":"T-0404","categories":["phone"],"purpose":{"code":"emergency_contact"}}'
PATH = "/v1/disclosures"


class Served:
    """A registry of its own with one reader, and raw connections to it."""

    def __init__(self, home: Home, url: str) -> None:
        self.home = home
        address = urlsplit(url)
        self._address = (address.hostname or "", address.port or 0)
        self._tokens: dict[str, str] = {}
        self.token = self.another("reader")

    def another(self, name: str) -> str:
        """Make a reader, and give the token."""
        if name not in self._tokens:
            grant = Grant(DEVELOPMENT_ISSUER, name, frozenset({Role.READER}))
            self.home.app.principals.ensure(grant, operator="local:test")
            issuer, now = self.home.app.development_issuer(), self.home.clock.now()
            self._tokens[name] = issuer.issue(grant.sub, [Role.READER], ttl_seconds=3600, now=now)
        return self._tokens[name]

    def connect(self, source: str = "127.0.0.1", patience: float = 10) -> socket.socket:
        connection = socket.socket()
        connection.settimeout(patience)
        connection.bind((source, 0))
        try:
            connection.connect(self._address)
        except TimeoutError:
            connection.close()
            raise
        return connection

    def head(self, *more: str, path: str = PATH, token: str | None = None) -> bytes:
        lines = [f"POST {path} HTTP/1.1", "Host: registry", "Content-Type: application/json", *more]
        lines += [] if token is None else [f"Authorization: Bearer {token}"]
        return "\r\n".join([*lines, "", ""]).encode()

    def good(self, *more: str) -> bytes:
        return self.head(*more, token=self.token)

    def is_answered(self, connection: socket.socket) -> bool:
        """Ask with a good token."""
        connection.sendall(self.good(f"Content-Length: {len(NOBODY)}") + NOBODY)
        return status_of(connection) == 404


def status_of(connection: socket.socket) -> int:
    """Read one answer; gives its status."""
    with connection.makefile("rb") as file:
        status = int(file.readline().split()[1])
        length = 0
        while line := file.readline().strip():
            name, _, text = line.decode().lower().partition(":")
            length = int(text) if name == "content-length" else length
        file.read(length)
    return status


def is_closed(connection: socket.socket) -> bool:
    """Wait until the server ends a connection."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def served(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(connections, "_SWEEP_SECONDS", 0.05)
    home = open_copy(template, tmp_path / "home")
    with serving(home.app) as url:
        yield Served(home, url)


@pytest.fixture
def passed_on(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the size of every piece of a body that wakes a request."""
    sizes: list[int] = []
    real = Exchange.add

    def counted(self: Any, piece: bytes, *, is_last: bool) -> None:
        sizes.append(len(piece))
        real(self, piece, is_last=is_last)

    monkeypatch.setattr(Exchange, "add", counted)
    return sizes


def test_a_head_that_takes_too_long_ends_the_connection(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with served.connect() as silent, served.connect() as slow:
        slow.sendall(b"POST /v1/disclosures HTTP/1.1\r\nHost:")
        assert is_closed(silent)
        assert is_closed(slow)


def test_a_stranger_is_not_waited_for_and_a_reader_is(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with served.connect() as reader, served.connect() as stranger:
        assert served.is_answered(reader)  # the first time the token is new, and so is whoever shows it
        assert served.is_answered(reader)
        stranger.sendall(b"GET /healthz HTTP/1.1\r\nHost: registry\r\n\r\n")
        assert status_of(stranger) == 200
        monkeypatch.setattr(connections, "IDLE_SECONDS", 0.2)
        assert is_closed(stranger)
        assert served.is_answered(reader)


def test_a_reader_who_says_nothing_more_is_not_waited_for_either(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served.connect() as reader:
        assert all(served.is_answered(reader) for _ in range(2))
        monkeypatch.setattr(connections, "KEPT_SECONDS", 0.2)
        assert is_closed(reader)


def test_when_there_are_too_many_those_go_that_wait_longest(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_affordable", lambda: 8)
    monkeypatch.setattr(connections, "_CLOSED_AT_ONCE", 2)
    home = open_copy(template, tmp_path / "home")
    with serving(home.app) as url:
        served = Served(home, url)
        with served.connect() as reader:
            assert all(served.is_answered(reader) for _ in range(2))
            strangers = [served.connect() for _ in range(7)]
            time.sleep(0.1)  # all are taken
            with served.connect() as late:
                assert served.is_answered(late)
            assert is_closed(strangers[0])
            assert is_closed(strangers[1])
            assert served.is_answered(reader)
            strangers[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: registry\r\n\r\n")
            assert status_of(strangers[-1]) == 200
            for stranger in strangers:
                stranger.close()


@pytest.mark.parametrize("extra", ["X: " + "a" * (17 << 10), "\r\n".join(f"X-{n}: 1" for n in range(101))])
def test_heads_are_bounded(served: Served, extra: str) -> None:
    with served.connect() as connection:
        connection.sendall(served.good(extra))
        assert status_of(connection) == 431
        assert is_closed(connection)


def test_a_body_in_single_bytes_wakes_nobody_until_it_is_whole(served: Served, passed_on: list[int]) -> None:
    with served.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(served.good(f"Content-Length: {len(NOBODY)}"))
        for place in range(len(NOBODY)):
            time.sleep(0.001)
            connection.sendall(NOBODY[place : place + 1])
        assert status_of(connection) == 404
        assert passed_on == [len(NOBODY)]
        assert served.is_answered(connection)


def test_a_body_in_chunks_is_read_however_it_is_cut(served: Served, passed_on: list[int]) -> None:
    chunks = f"{len(NOBODY):x}\r\n".encode() + NOBODY + b"\r\n0\r\n\r\n"
    for size in (1, 7, len(chunks) - 1, len(chunks)):
        with served.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(served.good("Transfer-Encoding: chunked"))
            started = time.monotonic()
            for place in range(0, len(chunks), size):
                time.sleep(0.001)
                connection.sendall(chunks[place : place + size])
            assert status_of(connection) == 404
            assert time.monotonic() - started < 3.0
    assert len(passed_on) < 100  # of some 130 pieces


def test_nothing_behind_a_body_in_chunks_is_a_request(served: Served) -> None:
    chunks = f"{len(NOBODY):x}\r\n".encode() + NOBODY + b"\r\n0\r\n\r\n"
    with served.connect() as connection:
        connection.sendall(served.good("Transfer-Encoding: chunked") + chunks)
        assert status_of_next(connection) == 404
        connection.sendall(served.good("Transfer-Encoding: chunked") + chunks + served.good("Content-Length: 0"))
        assert status_of_next(connection) == 404
        assert is_closed(connection)


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /v1/disclosures HTTP/1.1\nHost: registry\n\n",
        b"\x16\x03\x01\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    ],
)
def test_what_is_no_http_is_told_so_and_counts_against_its_sender(
    served: Served, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []
    monkeypatch.setattr(Strangers, "may_ask", lambda _self, source: noted.append(source) or True)
    with served.connect() as connection:
        connection.sendall(raw)
        assert status_of(connection) == 400
        assert is_closed(connection)
    assert noted == ["127.0.0.1"]


def test_line_ends_before_a_request_are_passed_over(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"\r\n\r\n")
        time.sleep(0.02)
        assert served.is_answered(connection)


def test_two_requests_in_one_piece_are_two(served: Served) -> None:
    one = served.good(f"Content-Length: {len(NOBODY)}") + NOBODY
    with served.connect() as connection:
        connection.sendall(one[:-5])
        time.sleep(0.05)
        connection.sendall(one[-5:] + one)
        assert [status_of_next(connection), status_of_next(connection)] == [404, 404]


def status_of_next(connection: socket.socket) -> int:
    """Read one answer, and no byte of the next."""
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += connection.recv(1)
    length = int(answer.lower().partition(b"content-length:")[2].split()[0])
    while length:
        length -= len(connection.recv(length))
    return int(answer.split()[1])


def test_an_answer_before_the_end_of_a_body_arrives_all_the_same(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(served.head(f"Content-Length: {100 << 20}"))
        connection.sendall(b" " * (3 << 20))  # more than the buffers of both ends hold
        assert status_of(connection) == 401
        assert is_closed(connection)


@pytest.mark.parametrize("who", [Served.head, Served.good])
def test_answers_to_unread_bodies_come_slower_and_slower(
    served: Served, monkeypatch: pytest.MonkeyPatch, who: Callable[..., bytes]
) -> None:
    monkeypatch.setattr(door, "PAUSE_SECONDS", 0.3)
    with served.connect() as reader:
        assert served.is_answered(reader)  # and so the source has the credit of a place where people work
        times = [seconds_for_a_mountain(served, who) for _ in range(int(UNREAD_BURST) + 12)]
        assert sorted(times)[int(UNREAD_BURST) // 2] < 0.3
        assert max(times) >= 0.3  # one pause, and there is credit again
        started = time.monotonic()
        assert served.is_answered(reader)
        assert time.monotonic() - started < 0.3


def seconds_for_a_mountain(served: Served, who: Callable[..., bytes]) -> float:
    started = time.monotonic()
    with served.connect() as connection:
        connection.sendall(who(served, f"Content-Length: {100 << 20}") + b" " * 1_000)
        assert status_of(connection) in {401, 413}
    return time.monotonic() - started


def test_a_client_that_resets_is_no_fault(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        connection = served.connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(served.good("Transfer-Encoding: chunked") + b"100000\r\n" + b" " * (1 << 20))
        connection.close()
    with served.connect() as reader:
        assert served.is_answered(reader)
    assert "fault" not in capsys.readouterr().out


def cut_off(served: Served, source: str) -> None:
    for _ in range(int(STRANGER_BURST) + CUT_AFTER):
        served.home.app.strangers.may_ask(source)


@pytest.mark.usefixtures("without_filter")
def test_who_is_cut_off_is_not_even_taken(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = Connections.__call__

    def counted(self: Connections, *args: Any, **named: Any) -> Any:
        made.append("one")
        return real(self, *args, **named)

    cut_off(served, "127.0.0.9")
    with served.connect() as reader:
        assert served.is_answered(reader)
        monkeypatch.setattr(Connections, "__call__", counted)
        for _ in range(200):
            with served.connect("127.0.0.9") as connection:
                assert is_closed(connection)
        assert not made
        assert served.is_answered(reader)


@pytest.fixture
def without_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose kernel takes no filter."""
    monkeypatch.setattr(dropping.sys, "platform", "other")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of connections that this process took from its listening socket."""
    addresses: list[str] = []
    real = socket.socket.accept

    def accept(self: socket.socket) -> Any:
        connection, address = real(self)
        addresses.append(address[0])
        return connection, address

    monkeypatch.setattr(socket.socket, "accept", accept)
    return addresses


def test_who_is_cut_off_and_goes_on_wakes_nobody(
    taken: list[str], served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(served, "127.0.0.9")
    with served.connect() as reader:
        assert served.is_answered(reader)  # and others are heard all the while
        with served.connect("127.0.0.9") as first:
            assert is_closed(first)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                served.connect("127.0.0.9", patience=0.1)
        assert taken.count("127.0.0.9") == 1
        with served.connect("127.0.0.8") as other:
            other.sendall(served.head("Content-Length: 0"))
            assert status_of(other) == 401
        assert served.is_answered(reader)
    served.home.app.refusals.close()
    assert len(entries_that_say(served, "token refused cut_off")) == 1

    monkeypatch.setattr(Strangers, "is_cut_off", lambda *_: False)
    with served.connect("127.0.0.9") as again:  # its first attempts are lost; it comes in when it is tried again
        again.sendall(served.head("Content-Length: 0"))
        assert status_of(again) == 401


def entries_that_say(served: Served, result: str) -> list[Any]:
    with served.home.app.database.read() as work:
        rows = list(work.entries.scan(0, work.entries.head().size))
    opened = [served.home.app.kernel.log.opening(row) for row in rows]
    return [one for one in opened if one is not None and one.values["result"] == result]


@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_a_crowd_of_one_readers_lookups_makes_no_large_batches_for_another(
    served: Served, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    sizes: list[int] = []
    real = Disclose.disclose_many

    def slow(self: Disclose, asks: Any) -> Any:
        sizes.append(len(asks))
        time.sleep(0.05)
        return real(self, asks)

    monkeypatch.setattr(Disclose, "disclose_many", slow)
    with served.connect() as reader, ExitStack() as stack:
        request = served.head(f"Content-Length: {len(NOBODY)}", token=served.another("greedy")) + NOBODY
        crowd = [stack.enter_context(served.connect()) for _ in range(3 * LITTLE)]
        crowd[0].sendall(request)
        assert status_of(crowd[0]) == 404  # known from here on
        assert served.is_answered(reader)
        assert served.is_answered(reader)
        for one in crowd:
            one.sendall(request[: -len(NOBODY)] if pause else request)
        time.sleep(pause)  # then the bodies come after their heads, all together
        for one in crowd if pause else ():
            one.sendall(NOBODY)
        assert {status_of(one) for one in crowd} == {404}
    assert sum(sizes) == 3 + len(crowd)
    assert max(sizes) <= LITTLE


def test_the_end_waits_for_nobody_who_does_not_close(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 60.0)
    home = open_copy(template, tmp_path / "home")
    with ExitStack() as stack:
        with serving(home.app) as url:
            served = Served(home, url)
            for _ in range(8):
                connection = stack.enter_context(served.connect())
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n\r\n")
                assert status_of(connection) == 200
            began = time.monotonic()
        assert time.monotonic() - began < DRAIN_SECONDS / 2


def test_bodies_have_a_bounded_room(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BODY_ROOM", 1_000)
    big = json.dumps({"note": "a" * 2_000}).encode()
    with served.connect() as connection:
        connection.sendall(served.good(f"Content-Length: {len(big)}") + big)
        assert status_of(connection) == 503
    with served.connect() as connection:
        assert served.is_answered(connection)  # nothing is held any more


def test_a_stranger_without_credit_is_not_examined(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PAUSE_SECONDS", 0.01)
    statuses = []
    for _ in range(int(STRANGER_BURST) + CUT_AFTER // 2):
        with served.connect("127.0.0.8") as connection:
            connection.sendall(served.head("Content-Length: 0"))
            statuses.append(status_of(connection))
    assert statuses[: int(STRANGER_BURST)] == [401] * int(STRANGER_BURST)
    assert 503 in statuses[int(STRANGER_BURST) :]


def test_who_asks_and_does_not_read_takes_no_turn_of_others(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "STRANGERS_AT_WORK", 1)
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: registry\r\n\r\n"  # hundreds of kilobytes, without a token
    with served.connect() as silent, served.connect() as other:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        silent.sendall(ask * 20)
        time.sleep(0.5)
        other.sendall(ask)
        assert status_of(other) == 200
