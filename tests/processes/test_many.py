"""Eight processes with sixteen clients each extend one ledger: no gap, no fork, nothing twice, no answer without entry."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import httpx2
import pytest

from registry.cli.main import main
from tests.processes.checks import check_all
from tests.processes.conftest import City, city_on_postgresql
from tests.fakes.postgres import PostgresServer

PROCESSES = 8
CLIENTS = 16


@pytest.mark.parametrize("seconds", [2, pytest.param(60, marks=pytest.mark.slow)])
def test_eight_processes_extend_one_ledger(city: City, seconds: float) -> None:
    server = city.server(PROCESSES)
    server.start("--metrics-port", "0")
    clients = city.clients(PROCESSES * CLIENTS, server)
    checkpoints = []
    with clients.asking():
        clients.wait_until_in_flight(PROCESSES * CLIENTS - 28)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            clients.wait_for_more(20)
            answer = httpx2.get(f"{server.ready['url']}/audit/checkpoint", headers={"Authorization": f"Bearer {city.auditor}"})
            checkpoints.append(answer.content)
        pages = [httpx2.get(url).text for url in server.ready["metrics"]]
    assert server.stop() == 0
    print(len(clients.shown)/seconds, clients.refused, sorted(clients.seconds)[len(clients.seconds)//2], max(clients.seconds), [p.partition('registry_lane_batch_size_sum ')[2].split()[0] for p in pages], len(checkpoints))
    check_all(server.settings, clients, checkpoints)
