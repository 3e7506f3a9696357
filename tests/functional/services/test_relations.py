"""How who asks stands to whom they ask about closes records, whoever declared it; and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from registry.domain.categories import Category
from registry.domain.errors import InvalidInput, LedgerCorrupt
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.disclose import Disclosed, Refused
from registry.services.import_people import Existing, Outcome
from registry.services.kernel import Caller
from registry.services.principals import Grant, Move
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes, read_enrollment
from tests.functional.services.homes import ISSUER, TODAY, Home, person

ASKER, SUBJECT = "T-0001", "T-0002"
EMERGENCY = Purpose(PurposeCode("emergency_contact"))
ELSEWHERE = {"line": "77 Quarry Rd, Fairhollow, MO 64999"}
HERE = {"line": "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"}


def living_at(number: str, value: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    records: list[dict[str, Any]] = [{"category": "phone", "value": {"kind": "mobile", "number": "816-555-0142"}}]
    if value is not None:
        records.append({"category": "home_address", "value": value})
    return person(number, family=[], records=records, **changes)


def family(number: str) -> dict[str, Any]:
    member = {"ref": "s1", "relation": "spouse", "given_name": "Robin", "family_name": "Brightwater"}
    return {"family": [{**member, "employee_number": number}]}


def related(kind: str, number: str) -> dict[str, Any]:
    return {"relations": [{"kind": kind, "employee_number": number}]}


def asker(home: Home) -> Caller:
    return home.caller("reader", Role.READER, number=ASKER)


def rules(home: Home, subject: SubjectId, purpose: Purpose = EMERGENCY) -> list[str]:
    """Ask for the phone, and return the conflict rules of the entry; none when it was given."""
    answer = home.disclose(asker(home), home.ask(subject, Category.PHONE, purpose=purpose))
    said = home.entries()[-1].values or {}
    if isinstance(answer, Disclosed):
        return []
    assert isinstance(answer, Refused)
    assert answer.reason == "conflict_of_interest"
    return [rule.removeprefix("conflict.") for rule in said["rules"].split() if rule.startswith("conflict.")]


DECLARED = [
    (family, "household"),
    (lambda number: related("household", number), "household"),
    (lambda number: related("kin", number), "kin"),
    (lambda number: related("former_partner", number), "former_partner"),
]


@pytest.mark.parametrize(("declare", "rule"), DECLARED)
@pytest.mark.parametrize("side", ["subject", "asker"])
def test_a_relation_counts_whoever_declared_it(home: Home, declare: Any, rule: str, side: str) -> None:
    mine, theirs = (declare(SUBJECT), {}) if side == "asker" else ({}, declare(ASKER))
    home.enroll(living_at(ASKER) | mine)
    subject = home.enroll(living_at(SUBJECT) | theirs).subject
    assert rules(home, subject) == [rule]
    assert rules(home, home.enroll(living_at("T-0003")).subject) == []


def test_a_relation_to_a_number_that_is_enrolled_later_counts_then(home: Home) -> None:
    subject = home.enroll(living_at(SUBJECT)).subject
    assert rules(home, subject) == []
    home.enroll(living_at(ASKER) | related("kin", SUBJECT))
    assert rules(home, subject) == ["kin"]


def test_whoever_is_not_enrolled_is_known_by_the_number_of_their_account(home: Home) -> None:
    assert rules(home, home.enroll(living_at(SUBJECT) | related("former_partner", ASKER)).subject) == ["former_partner"]


def test_the_same_home_address_closes_and_a_new_one_opens_again(home: Home) -> None:
    home.enroll(living_at(ASKER, HERE))
    subject = home.enroll(living_at(SUBJECT, {"line": "1207 LARKSPUR AVENUE #3, Fairhollow, MO 64999"})).subject
    assert rules(home, subject) == ["same_address"]
    record = next(row for row in home_records(home, subject) if row.category is Category.HOME_ADDRESS)
    change(home, subject, {"versions": [{"record": record.id, "value": ELSEWHERE}]})
    assert rules(home, subject) == []
    change(home, subject, {"add_records": [{"category": "home_address", "value": HERE}]})
    assert rules(home, subject) == ["same_address"]
    again = [row for row in home_records(home, subject) if row.category is Category.HOME_ADDRESS]
    change(home, subject, {"ends": [{"record": row.id} for row in again]})
    assert rules(home, subject) == []


def test_a_supervisor_and_a_subordinate_are_closed_but_for_an_emergency(home: Home) -> None:
    payroll = Purpose(PurposeCode("legal_service"), "CASE-1", "serving a letter")
    home.enroll(living_at(ASKER, supervisor="T-0003"))
    boss = home.enroll(living_at("T-0003")).subject
    subordinate = home.enroll(living_at(SUBJECT, supervisor=ASKER)).subject
    assert (rules(home, boss), rules(home, subordinate)) == ([], [])
    assert (rules(home, boss, payroll), rules(home, subordinate, payroll)) == (
        ["chain_of_command"],
        ["chain_of_command"],
    )
    change(home, subordinate, {"supervisor": ""})
    assert rules(home, subordinate, payroll) == []


def test_an_account_names_its_supervisor(home: Home) -> None:
    legal = Purpose(PurposeCode("legal_service"), "CASE-1", "serving a letter")
    boss = home.enroll(living_at("T-0003")).subject
    home.app.principals.ensure(
        Grant(ISSUER, "reader", frozenset({Role.READER}), supervisor="T-0003"), operator="local:test"
    )
    reader = home.caller("reader", Role.READER)
    answer = home.disclose(reader, home.ask(boss, Category.PHONE, purpose=legal))
    assert isinstance(answer, Refused)
    (row,) = [row for row in home.app.principals.listing() if row.sub == "reader"]
    home.app.principals.change(row.id, Move(supervisor=""), operator="local:test")
    assert isinstance(home.disclose(reader, home.ask(boss, Category.PHONE, purpose=legal)), Disclosed)


def test_a_change_keeps_what_it_does_not_name(home: Home) -> None:
    subject = home.enroll(living_at(SUBJECT, HERE) | related("kin", ASKER) | {"supervisor": ASKER}).subject
    change(home, subject, {"title": "Ranger II"})
    assert rules(home, subject) == ["kin"]
    change(home, subject, related("former_partner", ASKER))
    assert rules(home, subject) == ["former_partner"]
    change(home, subject, {"relations": []})
    assert rules(home, subject) == []


def test_whoever_left_a_household_is_no_stranger_to_it(home: Home) -> None:
    subject = home.enroll(living_at(SUBJECT) | family(ASKER)).subject
    members = [row for row in home_records(home, subject) if row.category is Category.FAMILY_MEMBER]
    change(home, subject, {"ends": [{"record": row.id} for row in members]})
    assert rules(home, subject) == ["household"]


def test_a_new_member_is_named_by_an_update(home: Home) -> None:
    subject = home.enroll(living_at(SUBJECT)).subject
    change(home, subject, {"add_family": family(ASKER)["family"]})
    assert rules(home, subject) == ["household"]


def test_an_import_of_the_same_content_is_unchanged_and_of_other_relations_an_update(home: Home) -> None:
    hr = home.caller("hr", Role.ENROLLER)
    plain = read_enrollment(living_at(SUBJECT, HERE), today=TODAY)
    declared = read_enrollment(living_at(SUBJECT, HERE) | related("kin", ASKER) | {"supervisor": ASKER}, today=TODAY)

    def imported(document: Any) -> tuple[Outcome, SubjectId]:
        (line,) = home.import_people(hr, [document], Existing.UPDATE).outcomes
        return line.outcome, line.subject

    assert imported(plain)[0] is Outcome.CREATED
    assert imported(plain)[0] is Outcome.UNCHANGED
    assert imported(declared)[0] is Outcome.UPDATED
    outcome, subject = imported(declared)
    assert outcome is Outcome.UNCHANGED
    assert rules(home, subject) == ["kin"]
    home.enroll(living_at(ASKER, HERE))
    assert rules(home, subject) == ["kin", "same_address"]  # the address was not in the change, and is kept
    assert imported(plain)[0] is Outcome.UPDATED
    assert rules(home, subject) == ["same_address"]
    home.app.row_check.check()


@pytest.mark.parametrize(
    "named",
    [
        {"supervisor": SUBJECT},
        {"relations": [{"kind": "kin", "employee_number": SUBJECT}]},
        {"relations": [{"kind": "cousin", "employee_number": ASKER}]},
        {"relations": [{"kind": "kin", "employee_number": ASKER}] * 2},
        {"relations": [{"kind": "kin"}]},
        {"relations": [{"kind": "kin", "employee_number": ASKER, "since": "2020"}]},
        {"relations": [{"kind": "kin", "employee_number": f"T-{number}"} for number in range(31)]},
        {"supervisor": "../x"},
        {"supervisor": None},
    ],
)
def test_a_relation_that_cannot_be_is_refused(named: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        read_enrollment(living_at(SUBJECT) | named, today=TODAY)


def test_a_stolen_database_shows_nobody_to_be_anybodys(home: Home) -> None:
    """Two of one household, one unit and one supervisor have nothing equal in their rows, and equally long ties."""
    first = home.enroll(living_at(ASKER, HERE, supervisor="T-0003") | family(SUBJECT)).subject
    second = home.enroll(living_at(SUBJECT, HERE, supervisor="T-0003") | family(ASKER)).subject
    stranger = home.enroll(living_at("T-0009")).subject
    rows = dict(home.sql().execute("SELECT id, ties FROM subjects").fetchall())
    assert len({len(ties) for ties in rows.values()}) == 1
    tags = [tag for (tag,) in home.sql().execute("SELECT number_tag FROM subjects").fetchall()]
    for subject in (first, second, stranger):
        assert not any(bytes(tag) in bytes(rows[subject]) for tag in tags)
    pieces = [{bytes(rows[one])[at : at + 8] for at in range(len(rows[one]) - 7)} for one in (first, second)]
    assert pieces[0] & pieces[1] == set()


def test_ties_that_were_taken_away_moved_or_put_back_are_found(home: Home) -> None:
    subject = home.enroll(living_at(SUBJECT)).subject
    other = home.enroll(living_at("T-0009")).subject
    (before, guard) = row(home, subject)
    change(home, subject, related("kin", ASKER))
    kept = row(home, subject)
    reader = asker(home)
    for statement, values in (
        ("UPDATE subjects SET ties = NULL WHERE id = ?", (subject,)),
        ("UPDATE subjects SET ties = (SELECT ties FROM subjects WHERE id = ?) WHERE id = ?", (other, subject)),
    ):
        home.sql().execute(statement, values)
        answer = home.disclose(reader, home.ask(subject, Category.PHONE, purpose=EMERGENCY))
        assert not isinstance(answer, Disclosed)
        home.sql().execute("UPDATE subjects SET ties = ?, guard = ? WHERE id = ?", (*kept, subject))
    home.app.row_check.check()
    home.sql().execute("UPDATE subjects SET ties = ?, guard = ? WHERE id = ?", (before, guard, subject))
    with pytest.raises(LedgerCorrupt, match="relations"):
        home.app.row_check.check()


def test_whoever_was_enrolled_before_there_were_ties_is_read_and_gets_them_with_the_next_change(home: Home) -> None:
    subject = home.enroll(living_at(SUBJECT)).subject
    with home.app.database.write() as work:
        old = work.subjects.by_ids([subject])[subject]
        work.subjects.update(replace(old, ties=None), 1)
        work.commit()
    assert rules(home, subject) == []
    change(home, subject, related("kin", ASKER))
    assert rules(home, subject) == ["kin"]


def home_records(home: Home, subject: SubjectId) -> list[Any]:
    with home.app.database.read() as work:
        return [each for each in work.records.of_subjects([subject]) if each.state == "active"]


def change(home: Home, subject: SubjectId, body: dict[str, Any]) -> None:
    hr = home.caller("hr", Role.ENROLLER)
    home.app.update.update(hr, UpdateAsk(subject, read_changes(body, today=TODAY), None, TODAY))


def row(home: Home, subject: SubjectId) -> tuple[bytes, bytes]:
    ties, guard = home.sql().execute("SELECT ties, guard FROM subjects WHERE id = ?", (subject,)).fetchone()
    return ties, guard
