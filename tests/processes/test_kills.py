"""``kill -9`` at random moments under load: no answered lookup without its entry, no acknowledged enrollment lost.

Most rounds kill every worker at once, which takes all there is of the program but the parent that holds the socket and
opens nothing: so fifty rounds take seconds. Every tenth kills one of them while the other goes on; every
twenty-fifth the parent too, and the server is started anew. On PostgreSQL some rounds kill a process of the database
instead, or the whole of it without a checkpoint.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.postgres import PostgresServer
from tests.processes.checks import check_all
from tests.processes.clients import Clients
from tests.processes.conftest import City, city_on_postgresql
from tests.processes.servers import Server

ROUNDS = [
    pytest.param(50, marks=pytest.mark.timeout(600)),
    pytest.param(1_000, marks=[pytest.mark.slow, pytest.mark.timeout(5_400)]),
]
CLIENTS = 120
IN_FLIGHT = 100
_MAY_BE_REFUSED = {"too_many_requests", "locked"}


@dataclass
class Rounds:
    """Kills, and how many asks had gone without an answer before each: what comes until the next one is its doing."""

    city: City
    server: Server
    clients: Clients
    rng: random.Random
    without_before: list[int] = field(default_factory=list)
    checkpoints: list[bytes] = field(default_factory=list)

    def kill(self, strike: Callable[[], None]) -> None:
        """Wait until answers come, and for load; strike at a random moment."""
        self.clients.wait_for_more(self.rng.randrange(1, 30))
        self.clients.wait_until_in_flight(IN_FLIGHT)
        time.sleep(self.rng.random() / 50)
        self.without_before.append(self.clients.without_answer())
        strike()

    def workers(self) -> None:
        self._kill(self.server.worker_ids())

    def one_worker(self) -> None:
        self._kill([self.rng.choice(self.server.worker_ids())])

    def _kill(self, processes: Sequence[int]) -> None:
        for process in processes:
            os.kill(process, signal.SIGKILL)
        while set(processes) & set(self.server.worker_ids()):
            time.sleep(0.001)  # its parent has not seen it yet

    def everything(self) -> None:
        self.server.kill()
        self.server.start()

    def note_checkpoint(self) -> None:
        self.checkpoints.append(self.city.checkpoint(self.server))

    def check(self, refused: Collection[str] = ()) -> None:
        """End the server in good order, and check everything."""
        assert self.server.stop() == 0
        assert set(refused) <= set(self.clients.refused) <= {*refused, *_MAY_BE_REFUSED}
        unanswered = check_all(self.server.settings, self.clients, self.checkpoints)
        without = [*self.without_before, self.clients.without_answer()]
        lost = [after - before for before, after in pairwise(without)]
        hit = sum(number > 0 for number in lost)
        sys.stdout.write(  # shown by pytest -rP
            f"{len(lost)} kills, {hit} of them hit {sum(lost)} unanswered asks ({unanswered} had an entry); answered:"
            f" {len(self.clients.shown)} lookups, {len(self.clients.enrolled)} enrollments\n"
        )
        assert hit * 2 >= len(lost)


@pytest.fixture
def rounds(city: City, rng: random.Random) -> Rounds:
    server = city.server(workers=2)
    server.start()
    return Rounds(city, server, city.clients(CLIENTS, server), rng)


@pytest.mark.parametrize("count", ROUNDS)
def test_nothing_answered_is_lost_when_the_program_is_killed(rounds: Rounds, count: int) -> None:
    with rounds.clients.asking():
        for number in range(1, count + 1):
            if number % 25 == 0:
                rounds.kill(rounds.everything)
                rounds.note_checkpoint()
            else:
                rounds.kill(rounds.one_worker if number % 10 == 0 else rounds.workers)
    rounds.check()


@pytest.mark.parametrize("count", [6, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(1_800)])])
def test_nothing_answered_is_lost_when_the_database_is_killed(
    own_postgres: PostgresServer, tmp_path: Path, rng: random.Random, count: int
) -> None:
    """Killing one of its processes makes PostgreSQL end the others and recover from its log, as after a crash."""
    city = city_on_postgresql(tmp_path / "home", own_postgres)
    server = city.server(workers=2)
    server.start()
    rounds = Rounds(city, server, city.clients(CLIENTS, server), rng)
    name = city.database.partition("@/")[2].partition("?")[0]

    def kill_a_backend() -> None:
        os.kill(rng.choice(own_postgres.backends(name)), signal.SIGKILL)
        own_postgres.wait()

    def stop_at_once() -> None:
        own_postgres.stop(signal.SIGQUIT)
        own_postgres.start()

    try:
        with rounds.clients.asking():
            for number in range(count):
                rounds.kill(stop_at_once if number % 3 == 2 else kill_a_backend)
                rounds.note_checkpoint()
        rounds.check(refused={"connection_lost"})
    finally:
        city.end()
