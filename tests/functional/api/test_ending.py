"""A server that is told to stop: no lookup at work is lost, none is answered without an entry, and it does end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
import pytest

from registry.domain.clock import SystemClock
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from tests.fakes.plain_http import plain_client
from tests.functional.services.homes import Home, person

CLIENTS = 24
PEOPLE = 8
PURPOSE = {"code": "emergency_contact"}
PROGRAM = """
import sys
from pathlib import Path
from registry.api import draining
from registry.api.server import run
from registry.bootstrap import open_application
from registry.settings import load_settings
draining.DRAIN_SECONDS, draining.CLOSE_SECONDS = float(sys.argv[2]), float(sys.argv[3])
run(open_application(load_settings(Path(sys.argv[1]), {})), "127.0.0.1", 0, ready=lambda url: print(url, flush=True))
"""


@dataclass
class Served:
    """A server process, and the headers of a reader."""

    process: subprocess.Popen[str]
    url: str
    headers: dict[str, str]


@contextmanager
def served(home: Home, drain: float = 30.0, close: float = 10.0) -> Iterator[Served]:
    for number in range(PEOPLE):
        home.enroll(person(f"T-{number:04}"))
    home.app.principals.ensure(Grant(DEVELOPMENT_ISSUER, "reader", frozenset({Role.READER})), operator="local:test")
    token = home.app.development_issuer().issue("reader", [Role.READER], ttl_seconds=3600, now=SystemClock().now())
    command = [sys.executable, "-c", PROGRAM, str(home.app.settings.home), str(drain), str(close)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        reading = threading.Thread(target=process.stdout.read, daemon=True)  # a full pipe would stop the server
        reading.start()
        try:
            for _ in range(500):
                try:
                    httpx2.get(f"{url}/healthz")
                    break
                except httpx2.ConnectError:
                    time.sleep(0.02)
            yield Served(process, url, {"Authorization": f"Bearer {token}"})
        finally:
            process.kill()
            process.wait()
            reading.join()


def ended(process: subprocess.Popen[str], within: float) -> int:
    return process.wait(within)


def ask_until_refused(server: Served, number: str, answered: list[int]) -> list[tuple[float, httpx2.Response]]:
    """Look up again and again on one connection until the server says that it ends."""
    answers = []
    with plain_client(server.url, headers=server.headers) as client:
        while not answers or answers[-1][1].status_code == 200:
            body = {"employee_number": number, "categories": ["phone"], "purpose": PURPOSE}
            answer = client.post("/v1/disclosures", json=body)
            answers.append((time.monotonic(), answer))
            answered.append(answer.status_code)
    return answers


def not_ready_at(url: str) -> float:
    """Ask whether it is ready until it is not; return when that was."""
    with plain_client(url) as client:
        while client.get("/readyz").status_code == 200:
            time.sleep(0.01)
    return time.monotonic()


@pytest.mark.parametrize("notice", [0, 1])
def test_what_is_at_work_is_answered_and_what_is_new_is_refused(home: Home, notice: int) -> None:
    (home.app.settings.config).write_text(f"stop_notice_seconds = {notice}\n")
    with served(home) as server, ThreadPoolExecutor(CLIENTS + 1) as pool:
        answered: list[int] = []
        watching = pool.submit(not_ready_at, server.url)
        asking = [
            pool.submit(ask_until_refused, server, f"T-{number % PEOPLE:04}", answered) for number in range(CLIENTS)
        ]
        deadline = time.monotonic() + 30
        while len(answered) < 3 * CLIENTS and time.monotonic() < deadline:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        series = [one.result(40) for one in asking]
        seen = watching.result(40)
        assert ended(server.process, 20) == 0
        assert time.monotonic() - told < notice + 15
    shown = [answer.json()["receipt"]["index"] for answers in series for _, answer in answers[:-1]]
    refused = [answers[-1] for answers in series]
    for _, answer in refused:
        assert (answer.status_code, answer.json()["code"], answer.json()["cause"]) == (503, "ending", "ending")
        assert answer.headers["connection"] == "close"
        assert answer.headers["retry-after"] == "1"
    assert len(shown) >= 3 * CLIENTS - 1
    entries = {index for index, entry in enumerate(home.entries()) if entry.kind == "disclose"}
    assert len(set(shown)) == len(shown)
    assert set(shown) == entries, "every answer has its entry, and every entry its answer"
    if notice:
        first = min(at for at, _ in refused)
        assert seen < first, "whoever shares out requests knew before the first one was refused"
        late = [at for answers in series for at, answer in answers[:-1] if at > told + 0.3]
        assert late, "and until then everything was served"


@contextmanager
def hanging(server: Served) -> Iterator[None]:
    """Send a request's head and never its body."""
    address = urlsplit(server.url)
    head = ["POST /v1/disclosures HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 100"]
    head.append(f"Authorization: {server.headers['Authorization']}")
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as connection:
        connection.sendall("\r\n".join([*head, "", "{"]).encode())
        time.sleep(0.5)  # until it is at work
        yield


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_told_a_second_time_it_ends_at_once(home: Home, second: signal.Signals) -> None:
    with served(home) as server, hanging(server):
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert httpx2.get(f"{server.url}/healthz").status_code == 200, "it waits for the one at work"
        assert httpx2.get(f"{server.url}/readyz").json()["cause"] == "ending"
        server.process.send_signal(second)
        assert ended(server.process, 2) == 128 + second


def test_it_waits_for_a_bounded_time(home: Home) -> None:
    with served(home, drain=1.0) as server, hanging(server):
        server.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert ended(server.process, 15) == 0
        assert 0.9 < time.monotonic() - begun < 10


def test_an_end_that_hangs_is_a_crash(home: Home) -> None:
    with served(home, drain=1.0, close=-0.5) as server, hanging(server):
        server.process.send_signal(signal.SIGTERM)
        assert ended(server.process, 10) == 1
