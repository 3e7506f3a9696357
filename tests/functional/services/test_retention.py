"""What entries say is kept for a time: then it goes, an entry says so, and the ledger verifies as before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.audit.ports import HeadRow
from registry.audit.verify import LedgerVerifier, Verified
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, LedgerCorrupt
from registry.domain.holds import HoldState, Statement
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.services import retention as service
from registry.services.disclose import Disclosed
from registry.services.holds import HoldAsk, HoldWord
from registry.services.outcomes import Outcomes, Released
from registry.services.retention import Pruned
from registry.services.trace import TraceAsk
from registry.storage.roles import APPLICATION, RETENTION
from tests.fakes.postgres import PostgresServer
from tests.functional.services.homes import Home, open_copy, person

KEPT = timedelta(days=7 * 365 + 2).total_seconds()
OPERATOR = "local:test"


@pytest.fixture
def postgres_home(postgres: PostgresServer, postgres_template: tuple[Path, str], tmp_path: Path) -> Iterator[Home]:
    """Opened by an account that keeps order: a member of both roles."""
    template, made = postgres_template
    postgres.create_login("registry_keeper_too", f"{APPLICATION}, {RETENTION}")
    name = postgres.create_database(made)
    opened = open_copy(template, tmp_path / "home", postgres.url(name, "registry_keeper_too"))
    yield opened
    opened.close()
    postgres.drop_database(name)


def look(home: Home, subject: SubjectId) -> int:
    answer = home.disclose(home.caller("reader", Role.READER), home.ask(subject, Category.PHONE))
    assert isinstance(answer, Disclosed)
    return answer.receipt.index


def prune(home: Home) -> Pruned:
    return home.app.retention.prune(operator=OPERATOR)


def said(home: Home, index: int) -> bool:
    return home.entries()[index].values is not None


def held(home: Home, subject: SubjectId) -> None:
    ask = HoldAsk(subject, None, frozenset(), 30, Statement.WRITTEN, "County prosecutor", "Subpoena 12 of the court")
    view, _ = home.app.holds.place(home.caller("inspector", Role.INVESTIGATOR), ask)
    home.app.holds.settle(home.caller("boss", Role.APPROVER), HoldWord(view.row.id, HoldState.CONFIRMED))


def test_old_openings_go_with_an_entry_and_the_tree_stays(home: Home) -> None:
    subject, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    old = [look(home, subject), look(home, other), look(home, subject)]
    home.app.trace.trace(home.caller("inspector", Role.INVESTIGATOR), TraceAsk("Call 816-555-0142"))
    assert home.app.retention.plan().going == ()
    home.clock.step(KEPT + 1)
    young = look(home, other)
    before = len(home.entries())
    plan = home.app.retention.plan()
    assert (plan.below, set(old) <= set(plan.going), young in plan.going) == (young, True, False)
    assert len(home.entries()) == before  # to plan changes nothing
    done = prune(home)
    assert (done.count, done.below, len(done.entries)) == (len(plan.going), young, 1)
    assert not any(said(home, index) for index in old)
    entry = home.entries()[done.entries[0]]
    assert (entry.kind, (entry.values or {})["request"]) == (Kind.PRUNE, f"below {young}")
    assert (entry.values or {})["result"] == f"pruned {done.count} from {plan.going[0]} to {plan.going[-1]}"
    verify_ledger(home.app, 1)
    look(home, subject)
    verify_ledger(home.app, 1)
    assert prune(home).count == 0


def test_who_has_only_pruned_entries_after_their_enrollment_verifies(home: Home) -> None:
    subject = home.enroll().subject
    look(home, subject)
    home.clock.step(KEPT + 1)
    prune(home)
    assert verify_ledger(home.app, 1).subjects == 1
    mine = home.app.audit.accounting(home.caller("dana", Role.SUBJECT, number="T-0001"))
    assert [entry.values is None for entry in mine.entries if entry.kind == Kind.DISCLOSE] == [True]


@pytest.mark.parametrize("is_hidden", [False, True])
def test_what_goes_while_the_ledger_is_verified_is_no_fault_and_does_not_hide_one(
    home: Home, monkeypatch: pytest.MonkeyPatch, *, is_hidden: bool
) -> None:
    subject = home.enroll().subject
    old = look(home, subject)
    home.clock.step(KEPT + 1)
    young = look(home, subject)
    real, began = LedgerVerifier.verify, list[int]()

    def verify(self: LedgerVerifier, head: HeadRow, *given: Any) -> Verified:
        began.append(head.size)
        if len(began) == 1:
            assert prune(home).count
        return real(self, head, *given)

    monkeypatch.setattr(LedgerVerifier, "verify", verify)
    if is_hidden:
        home.sql().execute("UPDATE ledger_body SET sealed = NULL, erased_at = 1 WHERE i = ?", (young,))
        with pytest.raises(LedgerCorrupt) as caught:
            verify_ledger(home.app, 1)
        assert caught.value.entry == young
    else:
        assert verify_ledger(home.app, 1).size == began[1] > began[0]
        assert not said(home, old)


def test_a_hold_keeps_what_it_names(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 2)
    subject, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    kept, gone = look(home, subject), look(home, other)
    home.clock.step(KEPT + 1)
    held(home, subject)
    done = prune(home)
    assert (said(home, kept), said(home, gone), done.held > 0) == (True, False, True)
    home.clock.step(timedelta(days=31).total_seconds())
    prune(home)
    assert not said(home, kept)
    verify_ledger(home.app, 1)


def test_a_hold_keeps_what_tells_that_a_held_persons_answers_were_handed_over(home: Home) -> None:
    subject, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    outcomes = Outcomes(home.app.kernel, is_told=True)
    entries = {}
    for number, one in enumerate((subject, other)):
        outcomes.handed_over([Released(index := look(home, one), bytes(32), b"{}")])
        outcomes.flush()
        entries[number] = (index, index + 1)
    home.clock.step(KEPT + 1)
    held(home, subject)
    prune(home)
    assert [said(home, index) for pair in entries.values() for index in pair] == [True, True, False, False]
    with home.app.database.reader() as reader:
        assert outcomes.told_of(reader, entries[0][0]) is not None


def test_a_hold_that_is_confirmed_while_it_runs_keeps_what_it_names(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the plan and a batch somebody confirms a hold: what it names is planned to go, and stays."""
    subject, other = home.enroll().subject, home.enroll(person("T-0002")).subject
    kept, gone = look(home, subject), look(home, other)
    home.clock.step(KEPT + 1)
    plan = home.app.retention.plan()
    held(home, subject)
    assert {kept, gone} <= set(plan.going)
    monkeypatch.setattr(service.Retention, "plan", lambda _: plan)
    prune(home)
    assert (said(home, kept), said(home, gone)) == (True, False)
    verify_ledger(home.app, 1)


def test_a_pruned_entry_that_is_left_out_otherwise_is_found(home: Home) -> None:
    subject = home.enroll().subject
    look(home, subject)
    hidden = look(home, subject)
    home.sql().execute("UPDATE ledger_body SET sealed = NULL, erased_at = 1 WHERE i = ?", (hidden,))
    with pytest.raises(LedgerCorrupt, match="no entry says so"):
        verify_ledger(home.app, 1)


def test_an_account_that_serves_alone_prunes_nothing(
    postgres: PostgresServer, postgres_template: tuple[Path, str], tmp_path: Path
) -> None:
    template, made = postgres_template
    name = postgres.create_database(made)
    home = open_copy(template, tmp_path / "home", postgres.url(name, "registry_server"))
    kept = look(home, home.enroll().subject)
    home.clock.step(KEPT + 1)
    with pytest.raises(AuditUnavailable, match="not_granted"):
        prune(home)
    assert said(home, kept)
    home.close()
    postgres.drop_database(name)
