"""PostgreSQL killed under load, and many processes at once: what was answered stands, once, and the ledger verifies."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.bootstrap import Application, open_application
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable
from registry.domain.principals import Role
from registry.services.disclose import Disclosed
from registry.settings import Settings
from tests.fakes.postgres import PostgresServer
from tests.functional.services.homes import Home, make_template, open_copy, person

NAMED = {"connection_lost", "locked", "timed_out", "connections_exhausted"}
WRITERS = 6


@pytest.fixture
def home(own_server: PostgresServer, tmp_path: Path) -> Iterator[Home]:
    url = own_server.url(own_server.create_database())
    opened = open_copy(make_template(tmp_path, url), tmp_path / "home", url)
    yield opened
    opened.close()


@dataclass
class Load:
    """Callers that enroll and look up without pause, and note what they were answered."""

    home: Home
    enrolled: list[tuple[str, int]] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    unexpected: list[BaseException] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self, disturb: Callable[[], None]) -> None:
        self.home.enroll(person("T-0"))
        self.home.caller("reader", Role.READER)
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            disturb()
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def answered(self) -> int:
        return len(self.enrolled) + len(self.shown)

    def wait_for_more(self, count: int) -> None:
        wanted, deadline = self.answered() + count, time.monotonic() + 60
        while self.answered() < wanted:
            assert time.monotonic() < deadline, f"no answers any more; refused: {self.refused}"
            time.sleep(0.005)

    def _work(self, writer: int) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            try:
                self._ask(f"T-{writer}-{number}")
            except AuditUnavailable as exc:
                self.refused[exc.cause] += 1
            except BaseException as exc:  # noqa: BLE001 - the test judges every error
                self.unexpected.append(exc)
                return

    def _ask(self, number: str) -> None:
        enrolled = self.home.enroll(person(number))
        self.enrolled.append((number, enrolled.receipt.index))
        reader = self.home.caller("reader", Role.READER)
        answer = self.home.disclose(reader, self.home.ask(enrolled.subject, Category.PHONE))
        assert isinstance(answer, Disclosed)
        self.shown.append(answer.receipt.index)

    def check(self) -> None:
        """What was answered is in the ledger, in its place; every person stands once; everything verifies."""
        assert self.unexpected == []
        assert set(self.refused) <= NAMED
        kinds = {entry.index: entry.kind for entry in self.home.entries()}
        assert {kinds[index] for _, index in self.enrolled} == {Kind.ENROLL}
        assert {kinds[index] for index in self.shown} == {Kind.DISCLOSE}
        assert len({index for _, index in self.enrolled}) == len(self.enrolled)
        tags = [self.home.app.kernel.number_tag(number) for number, _ in self.enrolled]
        with self.home.app.database.read() as work:
            assert len(work.subjects.by_number_tags(tags)) == len(tags)
        verify_ledger(self.home.app, 1)


def test_a_killed_backend_costs_nothing_that_was_answered(
    home: Home, own_server: PostgresServer, rng: random.Random
) -> None:
    """Killing one makes the server end all the others and recover from its log, as after a crash."""
    database = home.app.settings.database_url.partition("@/")[2].partition("?")[0]
    load = Load(home)

    def disturb() -> None:
        for _ in range(3):
            load.wait_for_more(10)
            time.sleep(rng.random() / 20)
            backends = own_server.backends(database)
            os.kill(rng.choice(backends), signal.SIGKILL)
            own_server.wait()
        load.wait_for_more(10)

    load.run(disturb)
    assert load.refused["connection_lost"] > 0
    load.check()


def test_a_killed_server_costs_nothing_that_was_answered(home: Home, own_server: PostgresServer) -> None:
    load = Load(home)

    def disturb() -> None:
        for _ in range(2):
            load.wait_for_more(10)
            own_server.stop(signal.SIGQUIT)
            time.sleep(0.1)
            own_server.start()
        load.wait_for_more(10)

    load.run(disturb)
    assert load.refused["connection_lost"] > 0
    load.check()


def append_many(settings: Settings, count: int) -> None:
    application = open_application(settings)
    for _ in range(count):
        append(application)
    application.close()


def append(application: Application) -> None:
    with application.database.write() as work:
        pendings = application.kernel.log.append(work.ledger, [EntryDraft(Kind.SEARCH)])
        work.commit()
    (receipt,) = application.kernel.mint(pendings)
    assert receipt.index == pendings[0].index


def test_threads_and_processes_extend_one_ledger_without_gap_or_fork(home: Home) -> None:
    before = len(home.entries())
    settings = home.app.settings
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_many, args=(settings, 40)) for _ in range(3)]
    threads = [threading.Thread(target=append_many, args=(settings, 20)) for _ in range(4)]
    for worker in [*workers, *threads]:
        worker.start()
    for worker in [*workers, *threads]:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert [entry.index for entry in home.entries()] == list(range(before + 200))
    verify_ledger(home.app, 1)


def test_a_process_that_dies_holding_the_head_lets_go_of_it(home: Home) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=hold_the_head, args=(home.app.settings, ready))
    holder.start()
    ready.wait(60)
    os.kill(holder.pid or 0, signal.SIGKILL)
    holder.join()
    append(home.app)
    verify_ledger(home.app, 1)


def hold_the_head(settings: Settings, ready: threading.Event) -> None:
    application = open_application(settings)
    with application.database.write() as work:
        application.kernel.log.append(work.ledger, [EntryDraft(Kind.SEARCH)])
        ready.set()
        time.sleep(600)
