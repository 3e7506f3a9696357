"""The entry is durable before the first byte of an answer leaves: seen from outside, answer by answer.

A proxy holds the first byte of each answer while another process opens the database read-only and looks for the
entry that the answer's receipt names.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import httpx2
import pytest

from registry.api.server import serving
from registry.bootstrap import initialise, open_application
from registry.domain.clock import SystemClock
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from registry.settings import DEVELOPMENT, load_settings
from tests.fakes.plain_http import plain_client
from tests.functional.services.homes import person

ANSWERS = 1_000
_RECEIPT = re.compile(rb"\r\naudit-receipt: \S+ (\d+) (\d+)\r\n", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


def look_for_entries(database: str, asked: Connection) -> None:
    """Answer, in a process of its own, whether an entry is committed."""
    asked.send(True)  # started: nothing that was sent waits for that
    while (index := asked.recv()) is not None:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        leaf = connection.execute("SELECT count(*) FROM ledger_leaf WHERE i = ?", (index,)).fetchone()[0]
        head = connection.execute("SELECT n FROM ledger_head").fetchone()[0]
        connection.close()
        asked.send(leaf == 1 and head > index)


class HoldingProxy:
    """Passes one connection on, holding each answer until its entry was found."""

    def __init__(self, upstream: tuple[str, int], asking: Connection) -> None:
        self._upstream = upstream
        self._asking = asking
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.held = 0
        self.missing: list[int] = []
        self.without_receipt = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        client, _ = self._listening.accept()
        self._listening.close()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, socket.create_connection(self._upstream) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            for answer in self._answers(server):
                self._hold(answer)
                client.sendall(answer)

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        while data := client.recv(65536):
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)

    def _answers(self, server: socket.socket) -> Iterator[bytes]:
        buffered = b""
        while data := server.recv(65536):
            buffered += data
            while (end := buffered.find(b"\r\n\r\n")) >= 0:
                length = _LENGTH.search(buffered[: end + 2])
                assert length is not None
                whole = end + 4 + int(length.group(1))
                if len(buffered) < whole:
                    break
                yield buffered[:whole]
                buffered = buffered[whole:]

    def _hold(self, answer: bytes) -> None:
        receipt = _RECEIPT.search(answer)
        if receipt is None:
            self.without_receipt += 1
            return
        index = int(receipt.group(1))
        self._asking.send(index)
        if not self._asking.recv():
            self.missing.append(index)
        self.held += 1


@contextmanager
def looking(database: Path) -> Iterator[Connection]:
    """Run the process that looks for entries."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=look_for_entries, args=(str(database), theirs))
    process.start()
    assert mine.recv()
    try:
        yield mine
    finally:
        mine.send(None)
        process.join(20)


@pytest.mark.timeout(240)
def test_no_answer_leaves_before_its_entry_is_durable(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "home", {})
    initialise(settings, DEVELOPMENT)
    application = open_application(settings)
    roles = [Role.READER, Role.ENROLLER]
    application.principals.ensure(Grant(DEVELOPMENT_ISSUER, "clerk", frozenset(roles)), operator="local:test")
    token = application.development_issuer().issue("clerk", roles, ttl_seconds=3600, now=SystemClock().now())
    with serving(application) as url, looking(settings.home / "registry.db") as asking:
        host, port = url.removeprefix("http://").split(":")
        proxy = HoldingProxy((host, int(port)), asking)
        with plain_client(proxy.url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
            created = client.post("/v1/subjects", json=person())
            assert created.status_code == 201
            statuses = [ask(client, number).status_code for number in range(ANSWERS - 1)]
    assert proxy.held == ANSWERS
    assert proxy.without_receipt == 0
    assert proxy.missing == []
    assert {200, 403} == set(statuses)


def ask(client: httpx2.Client, number: int) -> httpx2.Response:
    """Make a lookup, every fifth one refused, every seventh a search."""
    if number % 7 == 0:
        return client.post("/v1/subjects/search", json={"employee_number": "T-0001"})
    purpose = {"code": "payroll" if number % 5 == 0 else "emergency_contact"}
    body = {"employee_number": "T-0001", "categories": ["phone", "home_address"], "purpose": purpose}
    return client.post("/v1/disclosures", content=json.dumps(body), headers={"Content-Type": "application/json"})
