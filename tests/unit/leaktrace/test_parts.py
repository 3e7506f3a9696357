"""A long table is read in parts; the same is found as when it is read whole."""

from __future__ import annotations

from registry.leaktrace.decide import decide
from registry.leaktrace.dossier import Matching, joined
from registry.leaktrace.reading import read_parts, read_text
from registry.leaktrace.select import select_subjects
from registry.leaktrace.sightings import ReadText
from tests.unit.leaktrace.people import DANA, INDEX, PAVEL, PEOPLE, card_digest

ROWS = [f"Pat Roe{chr(97 + n)},19{n + 20}-01-02,77{n:02}-555-0100,pat{n}@example.org" for n in range(20)]
ROWS[3] = "Dana O'Neil,1961-04-27,816-555-0123,d@example.net"
ROWS[9] = "Pat Roe,1985-11-03,913-555-0177,dana.oneil@example.org"
ROWS[17] = "Павел Лисица-Grant,1985-11-03,651-555-0144,p@example.net"
TEXT = "As asked, D. O'Neil's plate is XYZ 789.\n\nname,born,phone,email\n" + "\n".join(ROWS) + "\n\nAlso 736-45-6789."


def in_parts(rows_at_once: int) -> Matching:
    found = []
    for reading in read_parts(TEXT, rows_at_once=rows_at_once):
        chosen = select_subjects(reading, INDEX.hits(reading.terms), limit=50)
        dossiers = [person.dossier() for person in PEOPLE if person.subject in chosen]
        found.append(decide(ReadText(reading, card_digest), dossiers))
    return joined(found)


def told(matching: Matching) -> set[tuple[str, str, tuple[tuple[int, int], ...]]]:
    return {(one.employee_number, one.kind, one.spans) for one in matching.findings}


def test_parts_find_what_the_whole_finds() -> None:
    whole = INDEX.match(TEXT)
    assert {one.kind for one in whole.findings if one.subject == DANA.subject} == {
        "vehicle_plate", "ssn", "date_of_birth", "phone:mobile", "phone:home", "email",
    }  # fmt: skip
    assert {one.kind for one in whole.findings if one.subject == PAVEL.subject} == {"date_of_birth", "phone:mobile"}
    for size in (1, 3, 4, 9, 20, 21):
        assert told(in_parts(size)) == told(whole), size


def test_a_row_is_in_one_part_and_prose_in_the_first() -> None:
    parts = list(read_parts(TEXT, rows_at_once=8))
    assert [len(part.passages) - 1 for part in parts] == [8, 8, 4]
    assert [part.is_whole for part in parts] == [False] * 3
    assert [bool(part.passages[0].texts) for part in parts] == [True, False, False]
    assert {term for part in parts for term in part.terms} == read_text(TEXT).terms
    assert len(list(read_parts("no table"))) == 1
    assert read_text(TEXT).is_whole


def test_a_value_that_is_decided_in_one_part_is_not_possible_in_another() -> None:
    (first, *rest) = [INDEX.match(TEXT)]
    assert rest == []
    weak = Matching((), first.findings)
    assert joined([weak, first]) == joined([first, weak]) == Matching(first.findings, ())
