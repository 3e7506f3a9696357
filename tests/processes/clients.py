"""Many clients that ask without pause over kept-alive connections, and keep what they were answered."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.functional.services.homes import person

EVERY_NTH_ENROLLS = 12  # the others look up
ASKS_A_CONNECTION = 20  # so that no process keeps all the clients that came first
_LOST = (ConnectionError, asyncio.IncompleteReadError)


@dataclass(frozen=True)
class Shown:
    """An answered lookup."""

    disclosure: str
    subject: str
    index: int


@dataclass(frozen=True)
class Enrolled:
    """An acknowledged enrollment."""

    number: str
    subject: str
    index: int


@dataclass
class Clients:
    """So many clients of one or several servers, in a thread of their own.

    Each has one connection at a time, and one request under way at any time. A lookup that got no answer is not
    repeated; an enrollment is, with its Idempotency-Key, until it is acknowledged.
    """

    ports: Sequence[int]
    reader: str
    enroller: str
    subjects: Sequence[str]
    many: int
    prefix: str = "N"
    shown: list[Shown] = field(default_factory=list)
    enrolled: list[Enrolled] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    tried: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    in_flight: int = 0
    lost: int = 0
    unexpected: list[str] = field(default_factory=list)
    end_seconds: float = 120  # in which every enrollment that was begun is acknowledged
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self) -> Iterator[Clients]:
        """Ask inside the block; at its end wait until every enrollment that was begun is acknowledged.

        A failure of the block is told as it is, however the clients end. Else it fails if they do not end in time, or
        if any of them met something unexpected.
        """
        # A daemon: clients whose server hangs must not keep the test's process from ending.
        thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)
        thread.start()
        try:
            yield self
        except BaseException:
            self._end(thread)
            raise
        self._end(thread)
        assert not thread.is_alive(), f"clients do not end; {self.in_flight} wait; refused: {self.refused}"
        assert not self.unexpected, self.unexpected[:3]

    def _end(self, thread: threading.Thread) -> None:
        self._ended.set()
        thread.join(self.end_seconds)

    def answered(self) -> int:
        return len(self.shown) + len(self.enrolled)

    def without_answer(self) -> int:
        """Return how many asks were answered 503 or not at all."""
        return self.lost + self.refused.total()

    def wait_for_more(self, answers: int, seconds: float = 60) -> None:
        wanted, deadline = self.answered() + answers, time.monotonic() + seconds
        while self.answered() < wanted:
            assert not self.unexpected, self.unexpected[:3]
            assert time.monotonic() < deadline, f"no answers any more; {self.in_flight} wait; refused: {self.refused}"
            time.sleep(0.002)

    def wait_until_in_flight(self, asks: int) -> None:
        deadline = time.monotonic() + 60
        while self.in_flight < asks:
            assert time.monotonic() < deadline, f"only {self.in_flight} under way; refused: {self.refused}"
            time.sleep(0.001)

    async def _all(self) -> None:
        await asyncio.gather(*(self._client(place) for place in range(self.many)))

    async def _client(self, place: int) -> None:
        try:
            await _Client(self, place).ask_on()
        except Exception as exc:  # noqa: BLE001 - the test judges every error
            self.unexpected.append(repr(exc))


class _Client:
    def __init__(self, clients: Clients, place: int) -> None:
        self._all = clients
        self._place = place
        self._port = clients.ports[place % len(clients.ports)]
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._owed: str | None = None  # an employee number whose enrollment is not acknowledged yet

    async def ask_on(self) -> None:
        for turn in count(self._place):
            if self._all._ended.is_set() and self._owed is None:
                break
            if self._owed is None and self._place % EVERY_NTH_ENROLLS == 0:
                self._owed = f"{self._all.prefix}-{self._place}-{turn}"
                self._all.tried.add(self._owed)
            await (self._look_up(turn) if self._owed is None else self._enroll(self._owed))
            if turn % ASKS_A_CONNECTION == 0:
                self._hang_up()
        self._hang_up()

    async def _look_up(self, turn: int) -> None:
        subject = self._all.subjects[turn % len(self._all.subjects)]
        body = {"subject": subject, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
        answer = await self._post("/v1/disclosures", self._all.reader, body)
        if answer is None:
            return
        status, document = answer
        if status == 200:
            self._all.shown.append(Shown(document["disclosure"], subject, document["receipt"]["index"]))
        else:
            await self._not_done(status, document)

    async def _enroll(self, number: str) -> None:
        body = person(number)
        answer = await self._post("/v1/subjects", self._all.enroller, body, f"Idempotency-Key: {number}\r\n")
        if answer is None:
            return
        status, document = answer
        if status == 201:
            self._all.enrolled.append(Enrolled(number, document["subject"], document["receipt"]["index"]))
            self._owed = None
        else:
            await self._not_done(status, document)

    async def _not_done(self, status: int, document: dict[str, Any]) -> None:
        if status != 503:
            self._all.unexpected.append(f"{status} {document.get('code')}")
        self._all.refused[document.get("cause") or document["code"]] += 1
        await asyncio.sleep(0.05)

    async def _post(self, path: str, token: str, body: object, more: str = "") -> tuple[int, dict[str, Any]] | None:
        payload = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{more}"
        head += f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        try:
            reader, writer = await self._connected()
        except _LOST:
            await asyncio.sleep(0.005)
            return None
        started = time.perf_counter()
        self._all.in_flight += 1
        try:
            writer.write(head.encode() + payload)
            status, document, is_last = await _answer(reader)
        except _LOST:
            self._all.lost += 1
            self._hang_up()
            return None
        finally:
            self._all.in_flight -= 1
            self._all.seconds.append(time.perf_counter() - started)
        if is_last:
            self._hang_up()
        return status, document

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams

    def _hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any], bool]:
    """Return status, document, and whether the server closes the connection after it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    document: dict[str, Any] = json.loads(await reader.readexactly(length))
    return int(head.split(" ")[1]), document, "connection: close" in head
