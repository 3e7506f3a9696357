"""Every action under dual control, one table: at once, by the same person twice, too late, and for something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from registry.bootstrap import key_life, open_application
from registry.cli.auditing import verify_ledger
from registry.domain.approvals import Action, State, Verdict
from registry.domain.categories import Category
from registry.domain.enrollment import MarkChange, SubjectChanges
from registry.domain.errors import AccessDenied, ApprovalNeeded, Busy, Conflict, KeyUnavailable, NotFound
from registry.domain.ids import RequestId
from registry.domain.marks import Mark, Tier
from registry.domain.principals import Role
from registry.keys.ports import ProviderPurpose
from registry.services.approvals import RequestView, Word
from registry.services.disclose import Disclosed, Waiting
from registry.services.erase_scope import ErasureAsk
from registry.services.kernel import Caller
from registry.services.naming import NameAsk
from registry.services.principals import Grant
from registry.services.trace import TraceAsk, Traced
from registry.services.update import UpdateAsk
from registry.storage.roles import APPLICATION, ERASURE, RETENTION
from tests.fakes.postgres import PostgresServer
from tests.functional.services.homes import Home, open_copy, person
from tests.functional.services.test_at_once import at_once
from tests.functional.services.test_naming import investigated, strong
from tests.functional.services.test_waivers import ask as release_ask
from tests.functional.services.test_waivers import waived

REASON = "ticket OPS-118, agreed with counsel"
OWN = "T-0990"  # the number behind both accounts of who asks
DAY = date(2026, 3, 2)
HOUR = 3_600
CALLERS = 4
EVERYTHING = "registry_everything"
OTHERS = "https://login.city.example/"

Doing = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Controlled:
    """One action.

    Attributes:
        asker, role: who does it.
        acts: two acts of it that are not the same.
        again: what those get who come later, or find all places taken.
        is_lasting: doing it again changes nothing and so takes no approval.
    """

    asker: str
    role: Role
    acts: Callable[[Home, Caller], Sequence[Doing]]
    again: frozenset[type[Exception]] = frozenset({ApprovalNeeded})
    is_lasting: bool = False


def _cases(home: Home, who: Caller) -> Sequence[Doing]:
    return [lambda text=text: home.app.trace.trace(who, TraceAsk(text)) for text in ("Dana Brightwater", "Kim Weller")]  # type: ignore[misc]  # bound now


def _two_traces(home: Home, who: Caller) -> Sequence[Traced]:
    """Trace one leaked text twice: two cases of one investigator."""
    _, _, first = investigated(home)
    text = home.app.trace.reveal(who, first.trace).text
    published = first.stored.report.question.published_at
    return first, home.app.trace.trace(who, TraceAsk(text, published))


def _bundles(home: Home, who: Caller) -> Sequence[Doing]:
    def bundle(traced: Traced) -> object:
        return home.app.trace.evidence(who, traced.trace, home.app.evidence, lambda _: {"report.txt": b"as told"})

    return [lambda one=one: bundle(one) for one in _two_traces(home, who)]  # type: ignore[misc]  # bound now


def _draws(home: Home, who: Caller) -> Sequence[Doing]:
    return [lambda one=one: home.app.trace.open_draws(who, one.trace, REASON) for one in _two_traces(home, who)]  # type: ignore[misc]  # bound now


def _names(home: Home, who: Caller) -> Sequence[Doing]:
    return [
        lambda one=one: home.app.trace.name(who, one.trace, NameAsk(strong(one), REASON))  # type: ignore[misc]  # bound now
        for one in _two_traces(home, who)
    ]


def _unmarkings(home: Home, who: Caller) -> Sequence[Doing]:
    enrolled = home.enroll()

    def unmark(place: int) -> object:
        changes = SubjectChanges(marks=(MarkChange(enrolled.records[place].record, Mark(Tier.NONE)),))
        return home.app.update.update(who, UpdateAsk(enrolled.subject, changes, None, DAY))

    return [lambda: unmark(0), lambda: unmark(1)]


def _erasures(home: Home, who: Caller) -> Sequence[Doing]:
    gone = [home.enroll(person(number)).subject for number in ("T-0001", "T-0002")]
    return [lambda one=one: home.app.erase.erase(who, ErasureAsk(one, None, REASON, "item 12")) for one in gone]  # type: ignore[misc]  # bound now


def _lost_ties(home: Home, who: Caller) -> Sequence[Doing]:
    subject = home.enroll(person(supervisor="T-0901")).subject

    def change(changes: SubjectChanges) -> object:
        return home.app.update.update(who, UpdateAsk(subject, changes, None, DAY))

    # Whoever comes in place of a supervisor is no second act: what is approved is what is taken away.
    return [lambda: change(SubjectChanges(supervisor="")), lambda: change(SubjectChanges(department="Water"))]


def _grants(home: Home, who: Caller) -> Sequence[Doing]:
    def grant(role: Role) -> object:
        return home.app.principals.grant(who, Grant(OTHERS, "desk-4", frozenset({role}), None, "Benefits"))

    return [lambda: grant(Role.READER), lambda: grant(Role.INVESTIGATOR)]


def _key_changes(home: Home, who: Caller) -> Sequence[Doing]:
    def rotate(purpose: ProviderPurpose) -> object:
        """Do it at the machine; where that takes approval, ask for it."""
        try:
            return key_life(home.app).rotate(purpose, operator="local:somebody")
        except KeyUnavailable as refused:
            if refused.code != "approval_required":
                raise
        return home.app.key_changes.ask(who, f"rotate {purpose}", REASON)

    return [lambda: rotate("data"), lambda: rotate("bodies")]


def _policies(home: Home, who: Caller) -> Sequence[Doing]:
    versions = ("cedar:" + "0" * 64, "cedar:" + "1" * 64)
    return [lambda one=one: home.app.policy_changes.agree(who, one, REASON) for one in versions]  # type: ignore[misc]  # bound now


def _waivers(home: Home, who: Caller) -> Sequence[Doing]:
    home.enroll()
    content = b"Dana Brightwater can be called at 816-555-0142, SSN 741-12-3456."
    asked = [release_ask(content, waived(home, content, kind)) for kind in ("phone:mobile", "ssn")]
    return [lambda one=one: home.app.release_check.check(who, one) for one in asked]  # type: ignore[misc]  # bound now


ACTS = {
    Action.TRACE: Controlled("investigator", Role.INVESTIGATOR, _cases),
    Action.EVIDENCE: Controlled("investigator", Role.INVESTIGATOR, _bundles),
    Action.DRAWS: Controlled("investigator", Role.INVESTIGATOR, _draws, frozenset({Conflict})),
    Action.NAMES: Controlled("investigator", Role.INVESTIGATOR, _names),
    Action.UNMARK: Controlled("hr", Role.ENROLLER, _unmarkings, frozenset({Conflict}), is_lasting=True),
    Action.ERASE: Controlled("hr", Role.ENROLLER, _erasures, frozenset({NotFound})),
    Action.RELATIONS: Controlled("hr", Role.ENROLLER, _lost_ties, frozenset({Conflict}), is_lasting=True),
    Action.PRINCIPALS: Controlled("admin", Role.SECURITY_ADMIN, _grants, is_lasting=True),
    Action.KEYS: Controlled("admin", Role.SECURITY_ADMIN, _key_changes),
    Action.POLICY: Controlled("admin", Role.SECURITY_ADMIN, _policies),
    Action.WAIVE: Controlled("officer", Role.RECORDS_OFFICER, _waivers, frozenset({ApprovalNeeded, Busy})),
}


@pytest.fixture
def postgres_home(postgres: PostgresServer, postgres_template: tuple[Path, str], tmp_path: Path) -> Iterator[Home]:
    """Served by an account that may erase and exchange keys, too."""
    template, made = postgres_template
    postgres.create_login(EVERYTHING, f"{APPLICATION}, {ERASURE}, {RETENTION}")
    name = postgres.create_database(made)
    opened = open_copy(template, tmp_path / "home", postgres.url(name, EVERYTHING))
    yield opened
    opened.close()
    postgres.drop_database(name)


@dataclass(frozen=True, slots=True)
class Table:
    """A registry with one action under dual control, and two acts of it by somebody who has a second account."""

    home: Home
    controlled: Controlled
    acts: Sequence[Doing]

    def needed(self, place: int = 0) -> RequestId:
        with pytest.raises(ApprovalNeeded) as waiting:
            self.acts[place]()
        return waiting.value.request

    def approver(self, name: str = "ada", number: str | None = "T-0991") -> Caller:
        return self.home.caller(name, Role.APPROVER, number=number)

    def approve(self, request: RequestId, by: Caller | None = None) -> RequestView:
        word = Word(request, Verdict.APPROVE, "seen")
        return self.home.app.approvals.decide(by or self.approver(), word)[0]

    def state(self, request: RequestId) -> State:
        listed = self.home.app.approvals.listing(self.home.caller("auditor", Role.AUDITOR))
        return next(view.state for view in listed if view.row.id == request)

    def count(self, kind: str) -> int:
        return sum(entry.kind == kind for entry in self.home.entries())

    def check(self) -> None:
        verify_ledger(self.home.app, 1)
        self.home.app.row_check.check()


@pytest.fixture(params=list(Action))
def table(request: pytest.FixtureRequest, home: Home) -> Table:
    action: Action = request.param
    controlled = ACTS[action]  # an action without a line here fails every test of it
    home.app.close()
    settings = replace(home.app.settings, approvals={"dual_control": frozenset({action})})
    home.app = open_application(settings, home.clock)
    who = home.caller(controlled.asker, controlled.role, number=OWN)
    return Table(home, controlled, controlled.acts(home, who))


def test_every_action_is_in_the_table() -> None:
    assert set(ACTS) == set(Action)


@pytest.mark.parametrize("numbers", [("T-0991", "T-0992"), ("T-0991", "T-0991")], ids=["two", "one under two accounts"])
def test_words_said_at_once_settle_a_request_once(table: Table, numbers: tuple[str, str]) -> None:
    request = table.needed()
    approvers = [table.approver(f"approver {place}", number) for place, number in enumerate(numbers)]
    given = at_once([lambda one=one: table.approve(request, one) for one in approvers * 2])  # type: ignore[misc]  # bound now
    assert Counter(type(one) for one in given) == {RequestView: 1, Conflict: 3}
    (settled,) = [one for one in given if isinstance(one, RequestView)]
    assert (settled.state, settled.approvals) == (State.APPROVED, 1)
    assert {str(one) for one in given if isinstance(one, Exception)} == {"decided"}
    with table.home.app.database.read() as work:
        assert len(work.requests.decisions_of([request])) == 1
    table.check()


def test_nobody_approves_their_own_under_whatever_account(table: Table) -> None:
    request = table.needed()
    own = table.home.caller(table.controlled.asker, Role.APPROVER)
    for account in (own, table.approver("second account", OWN)):
        with pytest.raises(AccessDenied, match="conflict_of_interest"):
            table.approve(request, account)
    assert table.needed() == request
    assert (table.state(request), table.count("use")) == (State.PENDING, 0)


def test_a_request_is_approved_in_time_or_not_at_all(table: Table) -> None:
    request = table.needed()
    table.home.clock.step(table.home.app.kernel.rules.decide_hours * HOUR)
    with pytest.raises(Conflict, match="expired"):
        table.approve(request)
    assert table.needed() != request
    assert table.count("use") == 0


def test_an_approval_is_used_in_time_or_not_at_all(table: Table) -> None:
    request = table.needed()
    table.approve(request)
    table.home.clock.step(table.home.app.kernel.rules.use_hours * HOUR)
    assert table.needed() != request
    assert (table.state(request), table.count("use")) == (State.EXPIRED, 0)


def test_one_approval_opens_once_to_many_at_once(table: Table) -> None:
    request = table.needed()
    table.approve(request)
    given = at_once([table.acts[0]] * CALLERS)
    refused = [one for one in given if isinstance(one, Exception)]
    assert {type(one) for one in refused} <= table.controlled.again, given
    opened = CALLERS - len(refused)
    assert opened >= 1 if table.controlled.is_lasting else opened == 1, given
    assert (table.state(request), table.count("use")) == (State.USED, 1)
    table.check()


def test_an_approval_of_one_act_opens_no_other_of_its_action(table: Table) -> None:
    first, second = table.needed(0), table.needed(1)
    assert first != second
    table.approve(first)
    assert table.needed(1) == second
    assert (table.state(first), table.state(second)) == (State.APPROVED, State.PENDING)
    table.acts[0]()
    assert table.state(first) is State.USED
    assert table.needed(1) == second


@pytest.mark.parametrize("numbers", [("T-0991", "T-0992"), ("T-0991", "T-0991")], ids=["two", "one under two accounts"])
def test_a_sealed_record_takes_two_people_also_at_once(home: Home, numbers: tuple[str, str]) -> None:
    """Lookups of guarded records take what their tier says; their approval stands for its hours."""
    body = person()
    body["records"][1]["confidentiality"] = "sealed"
    asked = home.ask(home.enroll(body).subject, Category.PHONE)

    def account(name: str, role: Role, number: str, unit: str) -> Caller:
        row = home.app.principals
        caller = home.caller(name, role, number=number)
        row.ensure(Grant(caller.claims.issuer, name, frozenset({role}), number, unit), operator="local:test")
        return caller

    reader = account("reader", Role.READER, OWN, "Dispatch")
    waiting = home.disclose(reader, asked)
    assert isinstance(waiting, Waiting)
    word = Word(waiting.request.id, Verdict.APPROVE, "seen")
    approvers = [account(f"approver {n}", Role.APPROVER, number, "Courts") for n, number in enumerate(numbers)]
    given = at_once([lambda one=one: home.app.approvals.decide(one, word)[0] for one in approvers * 2])  # type: ignore[misc]  # bound now
    people = len(set(numbers))
    counted = sorted(one.approvals for one in given if isinstance(one, RequestView))
    assert len(counted) == people
    assert {str(one) for one in given if isinstance(one, Exception)} == {"decided"}
    assert isinstance(home.disclose(reader, asked), Disclosed if people == 2 else Waiting)
    verify_ledger(home.app, 1)
