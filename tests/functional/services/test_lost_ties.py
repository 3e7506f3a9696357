"""Taking away what keeps somebody from looking a subject up takes a second person; adding to it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from registry.bootstrap import open_application
from registry.domain.approvals import Action, State, Verdict
from registry.domain.enrollment import DeclaredRelation, MarkChange, SubjectChanges
from registry.domain.errors import AccessDenied, ApprovalNeeded
from registry.domain.ids import ProvisionId, RequestId, SubjectId
from registry.domain.marks import Mark, Tier
from registry.domain.principals import Role
from registry.domain.relations import Declared
from registry.services.approvals import Word
from registry.services.enroll import Enrolled
from registry.services.import_people import Existing, Outcome
from registry.services.kernel import Caller
from registry.services.provision import Provided, ProvidedNames, ProvisionChange
from registry.services.ties import unit_tag
from registry.services.update import UpdateAsk
from registry.text.intake import read_enrollment
from registry.vault.ties import TieKind
from tests.functional.services.homes import TODAY, Home, person

BOSS, KIN, FORMER, CLERK = "T-0901", "T-0902", "T-0903", "T-0904"
DAY = date(2026, 3, 2)
TIED: dict[str, Any] = {
    "supervisor": BOSS,
    "relations": [
        {"kind": "kin", "employee_number": KIN},
        {"kind": "former_partner", "employee_number": FORMER},
    ],
}
ALL_RELATIONS = (DeclaredRelation(Declared.KIN, KIN), DeclaredRelation(Declared.FORMER_PARTNER, FORMER))


def opened(home: Home, **approvals: Any) -> Home:
    home.app.close()
    home.app = open_application(replace(home.app.settings, approvals=approvals), home.clock)
    return home


@pytest.fixture
def controlled(home: Home) -> Home:
    """The same registry, opened with everything under dual control."""
    return opened(home, dual_control=frozenset(Action))


@pytest.fixture
def trusting(home: Home) -> Home:
    """The same, and the client of the tests' tokens is an HR system's."""
    return opened(home, dual_control=frozenset(Action), hr_clients=frozenset({"test-client"}))


def enrolled(home: Home, number: str = "T-0001", **changes: Any) -> Enrolled:
    return home.enroll(person(number, **(TIED | changes)))


def clerk(home: Home) -> Caller:
    return home.caller("hr", Role.ENROLLER)


def update(home: Home, subject: SubjectId, **changes: Any) -> Enrolled:
    return home.app.update.update(clerk(home), UpdateAsk(subject, SubjectChanges(**changes), None, DAY))


def needed(home: Home, subject: SubjectId, **changes: Any) -> RequestId:
    before = kinds_of(home, subject)
    with pytest.raises(ApprovalNeeded) as waiting:
        update(home, subject, **changes)
    assert kinds_of(home, subject) == before  # nothing of it is done yet
    return waiting.value.request


def approve(home: Home, request: RequestId, number: str | None = None) -> State:
    approver = home.caller(f"approver {number}", Role.APPROVER, number=number)
    return State(home.app.approvals.decide(approver, Word(request, Verdict.APPROVE, "seen"))[0].state)


def kinds_of(home: Home, subject: SubjectId) -> list[tuple[str, str]]:
    """Return the ties that rules go by, addresses left out: kind, and whose it is where the test knows."""
    names = {home.app.kernel.number_tag(number): number for number in (BOSS, KIN, FORMER, CLERK, "T-0905")}
    names |= {unit_tag(home.app.kernel.index, unit): unit for unit in ("Parks", "Water")}
    with home.app.database.read() as work:
        row = work.subjects.by_ids([subject])[subject]
    ties = home.app.kernel.ties.open(subject, row.ties)
    return sorted((tie.kind.name, names.get(tie.tag, "")) for tie in ties if tie.kind is not TieKind.ADDRESS)


LOST = [
    ({"supervisor": ""}, "supervisor"),
    ({"supervisor": "T-0905"}, "supervisor"),
    ({"relations": ()}, "former partner, kin"),
    ({"relations": ALL_RELATIONS[:1]}, "former partner"),
    ({"relations": (DeclaredRelation(Declared.KIN, FORMER), *ALL_RELATIONS[:1])}, "former partner"),
    ({"department": "Water"}, "unit"),
    ({"department": "Water", "supervisor": "", "relations": ()}, "former partner, kin, supervisor, unit"),
]


@pytest.mark.parametrize(("changes", "told"), LOST)
def test_what_takes_a_tie_away_waits_for_another_person(controlled: Home, changes: Any, told: str) -> None:
    home, subject = controlled, enrolled(controlled).subject
    request = needed(home, subject, **changes)
    detail = home.app.approvals.get(home.caller("approver None", Role.APPROVER), request)
    assert (detail.view.action, detail.subject) == (Action.RELATIONS, subject)
    assert detail.told == f"of subject {subject}: takes away {told}"
    assert approve(home, request) is State.APPROVED
    before = kinds_of(home, subject)
    update(home, subject, **changes)
    assert kinds_of(home, subject) != before
    (used,) = home.app.approvals.listing(clerk(home))
    assert used.state is State.USED
    home.app.row_check.check()


ADDED = [
    {"relations": (*ALL_RELATIONS, DeclaredRelation(Declared.HOUSEHOLD, CLERK))},
    {"relations": ALL_RELATIONS},
    {"supervisor": BOSS},
    {"department": "parks "},  # the same one
    {"title": "Warden"},
]


@pytest.mark.parametrize("changes", ADDED)
def test_what_adds_or_says_the_same_does_not_wait(controlled: Home, changes: Any) -> None:
    subject = enrolled(controlled).subject
    before = kinds_of(controlled, subject)
    update(controlled, subject, **changes)
    assert set(before) <= set(kinds_of(controlled, subject))


def test_one_approval_is_for_this_change_alone(controlled: Home) -> None:
    home, subject = controlled, enrolled(controlled).subject
    other = enrolled(home, "T-0002").subject
    approve(home, needed(home, subject, supervisor=""))
    needed(home, subject, relations=())
    needed(home, subject, supervisor="", relations=())
    needed(home, other, supervisor="")
    update(home, subject, supervisor="")


@pytest.mark.parametrize("number", [BOSS, "T-0001"])
def test_who_is_tied_does_not_approve_it(controlled: Home, number: str) -> None:
    subject = enrolled(controlled).subject
    request = needed(controlled, subject, supervisor="")
    with pytest.raises(AccessDenied):
        approve(controlled, request, number)
    assert approve(controlled, request, "T-0905") is State.APPROVED


def test_whoever_is_close_approves_nothing_of_it(controlled: Home) -> None:
    request = needed(controlled, enrolled(controlled).subject, supervisor="")
    with pytest.raises(AccessDenied):
        approve(controlled, request, KIN)


def test_marks_and_ties_of_one_change_are_one_request(controlled: Home) -> None:
    """Two would have to be used up together, and the second one's refusal would commit the first one's use."""
    home, people = controlled, enrolled(controlled)
    marks = (MarkChange(people.records[0].record, Mark(Tier.NONE)),)
    request = needed(home, people.subject, marks=marks, supervisor="")
    detail = home.app.approvals.get(home.caller("approver None", Role.APPROVER), request)
    assert detail.view.action is Action.UNMARK
    assert detail.told.endswith("confidential to none, takes away supervisor")
    approve(home, request)
    update(home, people.subject, marks=marks, supervisor="")
    assert ("SUPERVISOR", BOSS) not in kinds_of(home, people.subject)


def test_without_dual_control_a_tie_goes_at_once(home: Home) -> None:
    subject = enrolled(home).subject
    update(home, subject, supervisor="", relations=())
    assert [kind for kind, _ in kinds_of(home, subject)] == ["UNIT"]


def imported(home: Home, caller: Caller, **changes: Any) -> Outcome:
    document = read_enrollment(person(**changes), today=TODAY)
    return home.import_people(caller, [document], Existing.UPDATE).outcomes[0].outcome


GUESSES: list[dict[str, Any]] = [
    {},
    {"supervisor": BOSS},
    {"supervisor": "T-0905"},
    {"relations": [{"kind": "kin", "employee_number": FORMER}], "department": "Water"},
]


@pytest.mark.parametrize("guess", GUESSES)
def test_an_import_takes_no_tie_away_and_tells_nothing_of_those_there_are(controlled: Home, guess: Any) -> None:
    home, subject = controlled, enrolled(controlled).subject
    before = kinds_of(home, subject)
    assert imported(home, clerk(home), title="Warden", **guess) is Outcome.UPDATED
    assert set(before) <= set(kinds_of(home, subject))
    assert imported(home, clerk(home), title="Keeper") is Outcome.UPDATED
    assert set(before) <= set(kinds_of(home, subject))


def test_an_import_leaves_who_was_of_the_household_no_stranger(home: Home) -> None:
    member = {"ref": "s1", "relation": "spouse", "given_name": "Robin", "family_name": "Brightwater"}
    subject = home.enroll(person(family=[{**member, "employee_number": KIN}], records=[])).subject
    assert imported(home, clerk(home), family=[], records=[]) is Outcome.UPDATED
    assert ("MEMBER", KIN) in kinds_of(home, subject)


def provisioned(home: Home, caller: Caller) -> ProvisionId:
    document = read_enrollment(person(**TIED), today=TODAY)
    made = home.app.provision.create(caller, Provided(ProvidedNames("dana"), document, is_employed=True, today=DAY))
    return made.row.id


MOVED = SubjectChanges(department="Water", supervisor="T-0905")


@pytest.mark.parametrize("is_named", [False, True])
def test_an_hr_system_takes_no_tie_away_unless_its_client_is_named(home: Home, is_named: bool) -> None:
    clients = frozenset({"test-client"} if is_named else ())
    home = opened(home, dual_control=frozenset(Action), hr_clients=clients)
    machine = clerk(home)
    provision = provisioned(home, machine)
    moved = ProvisionChange(provision, MOVED, None, None, None, None, DAY)
    kinds = kinds_of(home, home.app.provision.change(machine, moved).row.subject)
    assert {("SUPERVISOR", "T-0905"), ("UNIT", "Water"), ("KIN", KIN)} <= set(kinds)
    assert (("SUPERVISOR", BOSS) in kinds) is not is_named
    assert (("UNIT", "Parks") in kinds) is not is_named


def test_a_named_client_takes_away_no_kin(trusting: Home) -> None:
    home, subject = trusting, enrolled(trusting).subject
    update(home, subject, supervisor="", department="Water")
    needed(home, subject, relations=())
    caller = clerk(home)
    ask = UpdateAsk(subject, SubjectChanges(department="Parks"), None, DAY)
    with pytest.raises(ApprovalNeeded):
        home.app.update.update(replace(caller, claims=replace(caller.claims, client="another")), ask)
