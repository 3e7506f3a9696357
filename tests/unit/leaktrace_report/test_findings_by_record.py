"""A copy is compared with the findings of its own records, and the outcome is as if it were compared with all."""

from __future__ import annotations

from random import Random

from registry.domain.categories import Category
from registry.domain.ids import EntryIndex, PrincipalId, RecordId, SubjectId
from registry.leaktrace.copies import FindingsByRecord, FoundValue, ServedCopy, held_findings, label_findings
from tests.unit.leaktrace_report.evidence import NOON, found, served

_CATEGORIES = (Category.HOME_ADDRESS, Category.PHONE, Category.SSN)


def _id(person: int, place: int) -> RecordId:
    return RecordId(f"{person * 10 + place + 1:032x}")


def _subject(person: int) -> SubjectId:
    return SubjectId(f"{person + 1:032d}")


def _finding(chance: Random, people: int) -> FoundValue:
    person, place = chance.randrange(people), chance.randrange(len(_CATEGORIES))
    record = None if chance.random() < 0.3 else _id(person, place)
    return found(
        record,
        subject=_subject(person),
        employee_number=f"KC-{person:06}",
        category=_CATEGORIES[place],
        kind=_CATEGORIES[place].value,
        versions=() if chance.random() < 0.5 else (chance.randrange(1, 4),),
        is_tail=chance.random() < 0.5,
    )


def _copy(chance: Random, people: int, entry: int) -> ServedCopy:
    person = chance.randrange(people)
    places = chance.sample(range(len(_CATEGORIES)), chance.randrange(1, len(_CATEGORIES) + 1))
    return served(
        PrincipalId("a" * 32),
        entry,
        subject=_subject(person),
        records=tuple((_id(person, place), chance.randrange(1, 4), _CATEGORIES[place]) for place in places),
        form=chance.choice(("marked", "masked", "as_entered")),
        served_at=NOON,
    )


def test_what_is_near_decides_as_all_findings_do() -> None:
    chance, fitting = Random(20261128), 0
    for _ in range(200):
        findings = label_findings(_finding(chance, 4) for _ in range(chance.randrange(12)))
        by_record = FindingsByRecord(findings)
        for entry in range(6):
            copy = _copy(chance, 4, EntryIndex(entry))
            held = held_findings(copy, findings)
            assert held_findings(copy, by_record.near(copy)) == held
            fitting += bool(held)
    assert fitting > 100


def test_a_copy_is_compared_with_nobody_elses_findings() -> None:
    findings = label_findings(found(_id(person, 0), subject=_subject(person)) for person in range(1_000))
    copy = served(PrincipalId("a" * 32), 1, subject=_subject(7), records=((_id(7, 0), 1, Category.HOME_ADDRESS),))
    assert [item.found.record for item in FindingsByRecord(findings).near(copy)] == [_id(7, 0)]
