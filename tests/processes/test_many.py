"""Eight processes with sixteen clients each extend one ledger: no gap, no fork, nothing twice, no answer unrecorded."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.fakes.postgres import PostgresServer
from tests.processes.checks import check_all
from tests.processes.conftest import City, city_on_postgresql
from tests.processes.servers import Server

PROCESSES = 8
CLIENTS = 16
SECONDS = [2, pytest.param(60, marks=pytest.mark.slow)]


def ask_for(city: City, servers: list[Server], seconds: float) -> None:
    """Ask all servers at once, taking a checkpoint again and again; stop them, and check everything."""
    clients = city.clients(PROCESSES * CLIENTS, *servers)
    checkpoints, shares = [], [0.0]
    with clients.asking():
        clients.wait_until_in_flight(100)
        until = time.monotonic() + seconds
        while time.monotonic() < until or min(shares) == 0:
            clients.wait_for_more(20)
            checkpoints += [city.checkpoint(server) for server in servers]
            shares = [looked_up(url) for server in servers for url in server.ready["metrics"]]
            assert time.monotonic() < until + 60, f"a process has nothing to do: {shares}"
    assert [server.stop() for server in servers] == [0] * len(servers)
    assert set(clients.refused) <= {"too_many_requests"}  # those who came first may all be one process's
    assert clients.lost == 0
    assert check_all(servers[0].settings, clients, checkpoints) == 0
    assert len(shares) == PROCESSES
    command = [sys.executable, "-m", "registry", "--home", servers[0].home, "audit", "verify"]
    environment = {"REGISTRY_DATABASE_URL": servers[0].database}
    verified = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert verified.returncode == 0, verified.stderr


def looked_up(metrics: str) -> float:
    """Return how many lookups the lane of one process answered."""
    found = re.search(r"^registry_lane_batch_size_sum (\S+)$", httpx2.get(metrics).text, re.MULTILINE)
    assert found is not None
    return float(found[1])


@pytest.mark.parametrize("seconds", SECONDS)
def test_eight_processes_extend_one_ledger(city: City, seconds: float) -> None:
    server = city.server(PROCESSES)
    server.start("--metrics-port", "0")
    ask_for(city, [server], seconds)


@pytest.mark.parametrize("seconds", SECONDS)
def test_four_machines_extend_one_ledger(own_postgres: PostgresServer, tmp_path: Path, seconds: float) -> None:
    """Each with a home folder of its own, as four machines have it: keys and settings alike, the mark its own."""
    city = city_on_postgresql(tmp_path / "home-0", own_postgres)
    homes = [city.home, *(tmp_path / f"home-{number}" for number in range(1, 4))]
    try:
        for home in homes[1:]:
            shutil.copytree(city.home, home)
        servers = [city.server(PROCESSES // len(homes), home) for home in homes]
        for server in servers:
            server.start("--metrics-port", "0")
        ask_for(city, servers, seconds)
    finally:
        city.end()
