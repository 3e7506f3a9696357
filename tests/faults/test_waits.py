"""Every wait has an end, and the end has a name: 503 with the cause, and service again once nothing is in the way."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import psycopg
import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.services.disclose import Disclosed
from registry.storage import engine
from registry.storage.high_water import HighWaterFile
from registry.storage.writer_turn import WriterTurn
from registry.vault.vault import Vault
from tests.fakes.asgi import Answer, answer_of
from tests.fakes.cutting_proxy import Cut, CuttingProxy
from tests.fakes.postgres import PostgresServer
from tests.faults.asks import DISCLOSURE, ENROLLMENT, PLAIN, Desk, Question, readiness
from tests.faults.conftest import opened_desk
from tests.functional.services.homes import make_template, open_copy


@contextmanager
def another_process(run: Callable[..., None], *arguments: Any) -> Iterator[int]:
    """Run a function in a process of its own that says when it is where it should be; gives its id."""
    context = multiprocessing.get_context("spawn")
    there = context.Event()
    process = context.Process(target=run, args=(*arguments, there))
    process.start()
    try:
        assert there.wait(60)
        yield process.pid or 0
    finally:
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()


def hold_the_turn(path: Path, there: Event) -> None:
    with WriterTurn(path).taken():
        there.set()
        time.sleep(600)


def lock_of(desk: Desk) -> Path:
    return desk.home.app.settings.ledger / "writer.lock"


@pytest.mark.parametrize("question", [DISCLOSURE, ENROLLMENT], ids=lambda question: question.name)
def test_a_stopped_process_that_holds_the_turn_stops_nobody_for_ever(
    sqlite_desk: Desk, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.storage.writer_turn.WAIT_SECONDS", 0.3)
    with another_process(hold_the_turn, lock_of(sqlite_desk)) as holder:
        os.kill(holder, signal.SIGSTOP)
        for _ in range(2):
            before = time.monotonic()
            answer = question.ask(sqlite_desk)
            assert (answer.status, answer.json()["cause"]) == (503, "locked")
            assert 0.3 <= time.monotonic() - before < 15
    assert question.ask(sqlite_desk).status == question.good


def test_a_turn_that_comes_when_nobody_waits_any_more_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.storage.writer_turn.WAIT_SECONDS", 0.1)
    holder, ours, third = (WriterTurn(tmp_path / "lock") for _ in range(3))
    with holder.taken(), pytest.raises(AuditUnavailable, match="locked"), ours.taken():
        pytest.fail("two at once")
    monkeypatch.setattr("registry.storage.writer_turn.WAIT_SECONDS", 5.0)
    for turn in (third, ours, third, ours):
        with turn.taken():
            pass
    for turn in (holder, ours, third):
        turn.close()


def test_a_turn_given_up_and_asked_for_again_is_held_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place that was given up is taken over: it must not let go of the turn while somebody works."""
    monkeypatch.setattr("registry.storage.writer_turn.WAIT_SECONDS", 0.1)
    holder, ours, third = (WriterTurn(tmp_path / "lock") for _ in range(3))
    with holder.taken(), pytest.raises(AuditUnavailable), ours.taken():
        pytest.fail("two at once")
    with holder.taken(), pytest.raises(AuditUnavailable), ours.taken():
        pytest.fail("two at once")
    with ours.taken():
        time.sleep(0.05)
        with pytest.raises(AuditUnavailable, match="locked"), third.taken():
            pytest.fail("two at once")
    with third.taken():
        pass
    for turn in (holder, ours, third):
        turn.close()


def hold_the_folder(path: Path, there: Event) -> None:
    with HighWaterFile(path).turn():
        there.set()
        time.sleep(600)


def test_a_stopped_process_that_holds_the_mark_neither_stops_service_nor_the_end(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.storage.high_water.WAIT_SECONDS", 0.2)
    keeper = sqlite_desk.home.app.high_water
    assert keeper is not None
    with another_process(hold_the_folder, sqlite_desk.home.app.settings.ledger) as holder:
        os.kill(holder, signal.SIGSTOP)
        assert DISCLOSURE.ask(sqlite_desk).status == 200
        keeper.keep()
        assert keeper.is_behind
        before = time.monotonic()
        keeper.close()
        assert time.monotonic() - before < 10
    keeper.keep()
    assert not keeper.is_behind


def hold_the_head(url: str, there: Event) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SELECT n FROM ledger_head FOR UPDATE")
        there.set()
        time.sleep(600)


def test_a_client_that_holds_the_head_is_waited_for_no_longer_than_the_limit(
    postgres_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engine._SET_ON_POSTGRESQL, "lock_timeout", "200ms")
    fresh(postgres_desk)
    with another_process(hold_the_head, postgres_desk.home.app.settings.database_url):
        answer = DISCLOSURE.ask(postgres_desk)
        assert (answer.status, answer.json()["cause"]) == (503, "locked")
    assert DISCLOSURE.ask(postgres_desk).status == 200


def fresh(desk: Desk) -> None:
    """Let connections be opened anew, with the limits as they are now."""
    database = desk.home.app.database
    database._engine.dispose()
    database._read_only.dispose()


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[CuttingProxy]:
    with CuttingProxy(postgres.folder) as opened:
        yield opened


@pytest.fixture
def far_desk(postgres: PostgresServer, proxy: CuttingProxy, tmp_path: Path) -> Iterator[Desk]:
    """A registry whose database is behind the proxy."""
    name = postgres.create_database()
    made = make_template(tmp_path, postgres.url(name))
    home = open_copy(made, tmp_path / "home", f"postgresql+psycopg://registry@/{name}?host={proxy.folder}")
    assert home.app.high_water is not None
    home.app.high_water.close()  # its messages are not those of a request
    with opened_desk(home) as opened:
        yield opened
    home.close()
    postgres.drop_database(name)


@pytest.mark.parametrize(
    "question", [DISCLOSURE, pytest.param(ENROLLMENT, marks=pytest.mark.slow)], ids=lambda question: question.name
)
def test_a_server_that_falls_silent_at_any_message_is_let_go(
    far_desk: Desk, proxy: CuttingProxy, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.services.admissions.SECONDS", 0.0)
    monkeypatch.setattr("registry.storage.overdue.LIMIT_SECONDS", 0.2)
    assert question.ask(far_desk).status == question.good
    for message in range(100):
        cuts = proxy.cuts
        proxy.cut_at(message, Cut.SILENCE)
        before = time.monotonic()
        answer = question.ask(far_desk)
        assert time.monotonic() - before < 15
        if proxy.cuts == cuts:
            break
        if answer.status != question.good:  # a connection that is found silent before it is used is replaced
            assert (answer.status, answer.json()["cause"]) == (503, "timed_out")
        assert comes_back(far_desk, question)
    proxy.cut_next(Cut.NOT)
    assert message > 10
    verify_ledger(far_desk.home.app, 1)


def comes_back(desk: Desk, question: Question) -> bool:
    """Ask until the server has noticed that the silent connection is gone, and lets go of what it held."""
    until = time.monotonic() + 10
    while question.ask(desk).status != question.good:
        assert time.monotonic() < until
    return True


def test_a_server_that_is_stopped_is_let_go_and_found_again(
    own_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.storage.overdue.LIMIT_SECONDS", 0.5)
    monkeypatch.setitem(engine._NETWORK, "connect_timeout", 2)
    url = own_server.url(own_server.create_database())
    home = open_copy(make_template(tmp_path, url), tmp_path / "home", url)
    with opened_desk(home) as desk:
        for question in (DISCLOSURE, ENROLLMENT):
            with own_server.stopped():
                before = time.monotonic()
                answer = question.ask(desk)
                assert answer.status == 503
                assert answer.json()["cause"] in ("timed_out", "connection_lost")
                assert time.monotonic() - before < 10
                assert readiness(desk)["cause"] in ("timed_out", "connection_lost")
            assert question.ask(desk).status == question.good
        assert readiness(desk)["status"] == "ready"
        verify_ledger(home.app, 1)
    home.close()


def test_every_lookup_that_waits_in_the_lane_gets_its_answer(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those behind a batch that hung do not hang once more, one batch after the other."""
    monkeypatch.setattr("registry.storage.writer_turn.WAIT_SECONDS", 0.5)
    monkeypatch.setattr("registry.services.lane.OVERDUE_SECONDS", 0.2)
    desk, lane = sqlite_desk, sqlite_desk.home.app.lane
    reader = desk.home.caller("reader", Role.READER)
    ask = desk.home.ask(SubjectId(desk.subject), Category.PHONE)
    with WriterTurn(lock_of(desk)).taken():
        first = lane.submit(reader, ask)
        time.sleep(0.05)
        waiting = [lane.submit(reader, ask) for _ in range(1500)]
        before = time.monotonic()
        causes = {cause_of(future) for future in waiting}
        assert time.monotonic() - before < 2.5  # six batches, half a second each, would be three
    assert cause_of(first) == "locked"
    assert "timed_out" in causes <= {"timed_out", "locked"}
    assert isinstance(lane.submit(reader, ask).result(10), Disclosed)


def cause_of(future: Future[Any]) -> str:
    with pytest.raises(AuditUnavailable) as refused:
        future.result(30)
    return refused.value.cause


def test_a_request_that_nothing_else_ends_is_answered_at_the_limit(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a disk that does not return: the thread hangs on, its place at work stays taken, the client knows."""
    desk, returned = sqlite_desk, threading.Event()
    monkeypatch.setattr("registry.api.late.ANSWER_SECONDS", 0.3)
    real = Vault.open

    def hang(*arguments: Any) -> Any:
        returned.wait(20)
        return real(*arguments)

    monkeypatch.setattr(Vault, "open", hang)
    answer, rest = hung(desk, returned)
    assert (answer.status, answer.json()["cause"]) == (503, "timed_out")
    assert not [text for text in PLAIN if text in answer.text]
    assert rest == 0


def hung(desk: Desk, returned: threading.Event) -> tuple[Answer, int]:
    """Ask, take the answer that comes while the work hangs, then let it go on; also gives how much came after."""
    sent: list[Any] = []

    async def run() -> int:
        headers = desk.as_(Role.SUBJECT)
        task = asyncio.ensure_future(desk.client.asked("POST", "/v1/me/disclosures", {}, headers, sent))
        await asyncio.sleep(1.0)
        before = len(sent)
        returned.set()
        await task
        return len(sent) - before

    rest = desk.client.run(run())
    return answer_of(sent), rest
