"""Each statement, commit, rollback and connection of each kind of request fails in every way: 503 with the cause."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.vault.vault import Vault
from tests.fakes.faulty import POSTGRESQL_FAULTS, SQLITE_FAULTS, STEPS, Died, Fault, Faults, engines, infect
from tests.faults.asks import DISCLOSURE, ENROLLMENT, PLAIN, QUESTIONS, Desk, Question
from tests.functional.services.homes import person

MAX_STEPS = 200


def is_sqlite(desk: Desk) -> bool:
    return desk.home.app.database.engine.dialect.name == "sqlite"


def faults_of(desk: Desk) -> tuple[Fault, ...]:
    return SQLITE_FAULTS if is_sqlite(desk) else POSTGRESQL_FAULTS


@pytest.fixture(autouse=True)
def unremembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is admitted from memory, so that each request makes all its steps."""
    monkeypatch.setattr("registry.services.admissions.SECONDS", 0.0)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    real = Vault.open

    def counted(self: Vault, *arguments: object) -> object:
        calls.append("opened")
        return real(self, *arguments)

    monkeypatch.setattr(Vault, "open", counted)
    return calls


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_each_step_fails_on_sqlite(sqlite_desk: Desk, question: Question, opened: list[str]) -> None:
    each_step_fails(sqlite_desk, question, opened)


@pytest.mark.parametrize("question", [DISCLOSURE, ENROLLMENT], ids=lambda question: question.name)
def test_each_step_fails_on_postgresql(postgres_desk: Desk, question: Question, opened: list[str]) -> None:
    each_step_fails(postgres_desk, question, opened)


def each_step_fails(desk: Desk, question: Question, opened: list[str]) -> None:
    """Each step once, the ways in turn; commits, and what happens beside statements, in each way of their own."""
    infected = infect(desk.home.app), opened
    every = [fault for fault in faults_of(desk) if fault.steps == STEPS]
    steps = sweep(desk, question, infected, [every[at % len(every)] for at in range(MAX_STEPS)])
    assert steps > 3, "a request whose steps are not seen"
    for fault in faults_of(desk):
        if fault.is_late or fault.is_cut or fault.steps != STEPS:
            only = replace(fault, steps=fault.steps - {"statement"})
            sweep(desk, question, infected, [only] * MAX_STEPS)
    assert verify_ledger(desk.home.app, 1).size == size(desk)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_each_step_fails_in_each_way(desk: Desk, question: Question, opened: list[str]) -> None:
    infected = infect(desk.home.app), opened
    for fault in faults_of(desk):
        sweep(desk, question, infected, [fault] * MAX_STEPS)
    assert verify_ledger(desk.home.app, 1).size == size(desk)


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("kind", ["disclosure", pytest.param("enrollment", marks=pytest.mark.slow)])
def test_a_death_at_any_step_leaves_nothing_held(desk: Desk, kind: str, is_late: bool) -> None:
    """As when a thread is ended from outside: no handler of errors sees it, and the next request is served."""
    reader = desk.home.caller("reader", Role.READER)
    ask = desk.home.ask(SubjectId(desk.subject), Category.PHONE)
    faults = infect(desk.home.app)
    died = Fault("died", "", Died, STEPS | {"rollback"}, is_late=is_late)

    def run() -> object:
        if kind == "disclosure":
            return desk.home.disclose(reader, ask)
        return desk.home.enroll(person(desk.next()))

    for at in range(MAX_STEPS):
        before = size(desk)
        faults.arm(died, at)
        with suppress(Died):
            run()
        faults.disarm()
        gc.collect(0)  # SQLite closes a connection when the last of its cursors is gone, and the traceback holds some
        assert (size(desk) > before) == (faults.commits > 0), (at, faults.fired)
        assert run()
        if faults.fired is None:
            break
    assert at > 5
    assert verify_ledger(desk.home.app, 1).size == size(desk)


def sweep(desk: Desk, question: Question, infected: tuple[Faults, list[str]], faults: Sequence[Fault]) -> int:
    """Ask with the first step failing, then the second, and so on to the end; returns how many there are."""
    for at, fault in enumerate(faults):
        if not fails_well(desk, question, infected, (fault, at)):
            return at
    pytest.fail("a request without end")


def fails_well(desk: Desk, question: Question, infected: tuple[Faults, list[str]], which: tuple[Fault, int]) -> bool:
    """Ask with one step failing, then without; False when the request has no such step."""
    (faults, opened), (fault, at) = infected, which
    if "connect" in fault.steps:
        for engine in engines(desk.home.app):
            engine.dispose()
    before = size(desk)
    opened.clear()
    faults.arm(fault, at)
    answer = question.ask(desk)
    faults.disarm()
    if faults.fired is None:
        assert answer.status == question.good, (fault.name, at, answer.text)
        return False
    told = (question.name, fault.name, at, faults.fired, answer.status, answer.text[:200])
    if answer.status != question.good:
        document = answer.json()
        assert (answer.status, document["code"], document["cause"]) == (503, "audit_unavailable", fault.cause), told
        assert int(answer.headers["retry-after"]) > 0
        assert not [text for text in PLAIN if text in answer.text], told
        assert (size(desk) > before) == (faults.commits > 0), told
        assert not opened or faults.commits, told
    else:
        assert faults.fired in fault.harmless, told
    again = question.ask(desk)
    assert again.status == question.good, (told, again.text)
    return True


def size(desk: Desk) -> int:
    with desk.home.app.database.reader() as reader:
        return reader.head().size
