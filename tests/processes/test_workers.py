"""A parent and its workers: who is replaced, who drains, and what is left when one of them is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from registry.audit.kinds import Kind
from registry.bootstrap import opened
from registry.storage.writer_turn import WriterTurn
from registry.transparency.leaf import parse_leaf
from tests.processes.conftest import City, city_on_sqlite
from tests.processes.servers import Server

ASKS = 24


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[City, Server]]:
    city = city_on_sqlite(tmp_path / "home")
    try:
        server = city.server(workers=2)
        server.start("--metrics-port", "0")
        yield city, server
    finally:
        city.end()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def look_up(city: City, server: Server) -> int:
    """Look somebody up over a connection of its own."""
    body = {"subject": city.subjects[0], "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    headers = {"Authorization": f"Bearer {city.reader}"}
    return httpx2.post(f"{server.ready['url']}/v1/disclosures", json=body, headers=headers, timeout=60).status_code


def look_up_in_vain(city: City, server: Server) -> None:
    with suppress(httpx2.HTTPError):
        look_up(city, server)


def ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_is_told_at_the_start(served: tuple[City, Server]) -> None:
    _, server = served
    assert server.ready["workers"] == len(server.worker_ids()) == 2
    assert server.ready["console"] is None  # sign-ins are kept in one process
    assert len(set(server.ready["metrics"])) == 2
    assert all("registry_lane_waiting" in httpx2.get(url).text for url in server.ready["metrics"])
    assert httpx2.get(f"{server.ready['url']}/console/sign-in").status_code == 404


def test_lookups_at_work_in_every_worker_are_answered_before_the_end(served: tuple[City, Server]) -> None:
    city, server = served
    given: list[int] = []
    threads = [threading.Thread(target=lambda: given.append(look_up(city, server))) for _ in range(ASKS)]
    turn = WriterTurn(server.settings.ledger / "writer.lock")
    with turn.taken():
        for thread in threads:
            thread.start()
        until(lambda: sum(waiting(url) for url in server.ready["metrics"]) > 0)
        time.sleep(1)  # what has been read by then is at work
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert given == []
        assert server.process.poll() is None
    turn.close()
    for thread in threads:
        thread.join()
    assert given == [200] * ASKS
    assert server.process.wait(30) == 0
    with opened(server.settings) as application, application.database.reader() as reader:
        kinds = [parse_leaf(row.leaf).kind for row in reader.scan(0, reader.head().size)]
    assert kinds.count(Kind.DISCLOSE) == ASKS
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{server.ready['url']}/healthz")


def waiting(metrics: str) -> int:
    """Return how many lookups wait in the lane of one worker."""
    return int(httpx2.get(metrics).text.partition("\nregistry_lane_waiting ")[2].split("\n")[0])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_ends_is_replaced_and_nobody_is_turned_away(
    served: tuple[City, Server], how: signal.Signals
) -> None:
    city, server = served
    before = server.worker_ids()
    os.kill(before[0], how)
    assert {look_up(city, server) for _ in range(4)} == {200}
    until(lambda: len(set(server.worker_ids()) - set(before)) == 1 and before[0] not in server.worker_ids())
    assert before[1] in server.worker_ids()
    assert server.stop() == 0


def test_workers_end_with_their_parent(served: tuple[City, Server]) -> None:
    city, server = served
    workers = server.worker_ids()
    assert look_up(city, server) == 200
    server.process.kill()
    server.process.wait()
    until(lambda: all(map(ended, workers)))
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", server.port))


def test_workers_that_cannot_open_are_tried_again_without_haste(served: tuple[City, Server]) -> None:
    city, server = served
    database = server.home / "registry.db"
    database.rename(server.home / "aside")
    for worker in server.worker_ids():
        # One may have ended by itself since it was told of: without its database it cannot go on.
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    time.sleep(2)
    assert server.process.poll() is None
    assert 2 <= server.output.read_text().count('"worker ended"') <= 2 + 2 * 3
    (server.home / "aside").rename(database)
    assert look_up(city, server) == 200
    assert server.stop() == 0


def test_ctrl_c_tells_the_whole_group_and_still_means_in_order(served: tuple[City, Server]) -> None:
    city, server = served
    given: list[int] = []
    turn = WriterTurn(server.settings.ledger / "writer.lock")
    with turn.taken():
        asking = threading.Thread(target=lambda: given.append(look_up(city, server)))
        asking.start()
        time.sleep(1)
        os.killpg(server.process.pid, signal.SIGINT)
        time.sleep(0.5)
    turn.close()
    asking.join()
    assert given == [200]
    assert server.process.wait(30) == 0


def test_told_once_the_workers_end_in_order_and_told_twice_at_once(served: tuple[City, Server]) -> None:
    _, server = served
    workers = server.worker_ids()
    turn = WriterTurn(server.settings.ledger / "writer.lock")
    with turn.taken():  # somebody is at work
        asking = threading.Thread(target=look_up_in_vain, args=served)
        asking.start()
        time.sleep(1)
        server.process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 128 + signal.SIGTERM
    turn.close()
    asking.join()
    assert all(map(ended, workers))


STUBBORN = """
import os, signal, time
from registry.api import workers

def work(number):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(1, b"at work %d\\n" % number)  # one write: the lines of two processes do not mix
    time.sleep(600)
    return 0

workers.Workers(2, work, end_seconds=0.3).run(
    started=lambda: os.write(1, b"started\\n"), stopping=lambda: print("stopping", flush=True)
)
print("ended", flush=True)
"""


def test_a_worker_that_does_not_end_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(STUBBORN)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = {process.stdout.readline().strip() for _ in range(3)}
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert first == {"started", "at work 0", "at work 1"}
    assert out.splitlines() == ["stopping", "ended"]
    assert process.returncode == 0


def test_what_is_wrong_is_said_before_anything_is_forked(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "registry", "--home", tmp_path / "none", "serve", "--workers", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 3
    assert "run: registry init" in ended.stderr
