from __future__ import annotations

import pytest

from registry.domain.categories import Category
from registry.domain.ids import SubjectId
from registry.leaktrace.dossier import Member
from registry.leaktrace.reading import read_text
from registry.leaktrace.select import WEIGHTS, select_subjects
from registry.leaktrace.terms import (
    PersonNames,
    TermKind,
    directory_terms,
    family_name_term,
    record_terms,
    search_terms,
)
from tests.unit.leaktrace.people import DANA, INDEX, PAVEL, Index, Person

NOBODY = PersonNames("", "")


def chosen(text: str, *, limit: int = 50) -> tuple[SubjectId, ...]:
    reading = read_text(text)
    return select_subjects(reading, INDEX.hits(reading.terms), limit=limit)


@pytest.mark.parametrize(
    "text",
    ["Dana O'Neil", "DANA O'NEIL, Dana O'Neil", "1961-04-27", "Otter Creek Elem.", "SSN ending in 6789",
     "Robin Castellan", "Mia O'Neil", "neuropathy and shoulder", "", "Dana O'Neil waits in Kansas City, MO 64118"],
)  # fmt: skip
def test_one_weak_field_opens_nobody(text: str) -> None:
    assert chosen(text) == ()


@pytest.mark.parametrize(
    "text",
    ["816-555-0123", "736-45-6789", "4111111111111111", "1234 Thornbury", "dana.oneil@example.org",
     "Dana O'Neil, born 1961-04-27", "Dana O'Neil, SSN ending in 6789", "Dana O'Neil: neuropathy",
     "Mia at Otter Creek Elem.",
     "Dana O'Neil at Otter Creek Elem.", "Dana O'Neil and Robin Castellan"],
)  # fmt: skip
def test_a_strong_term_or_two_fields_open(text: str) -> None:
    assert DANA.subject in chosen(text)


def test_two_fields_in_two_rows_do_not_stand_together() -> None:
    rows = [f"Sam Poe {number};19{number}-01-01" for number in range(50, 62)]
    assert chosen("\n".join(["Dana O'Neil;1950-01-01", "Ann Elm;1961-04-27", *rows])) == ()
    assert chosen("\n".join(["Dana O'Neil;1961-04-27", *rows])) == (DANA.subject,)


def test_the_surest_first_and_not_more_than_asked() -> None:
    text = "651-555-0144; 736-45-6789, 816-555-0123"
    assert chosen(text) == (DANA.subject, PAVEL.subject)
    assert chosen(text, limit=1) == (DANA.subject,)
    assert chosen(text, limit=0) == ()


def test_postings_of_unknown_use_are_passed_over() -> None:
    term = family_name_term("O'Neil")
    assert term.kind not in WEIGHTS
    assert select_subjects(read_text("O'Neil"), {term: {SubjectId("s")}}, limit=5) == ()


def test_a_child_of_the_same_initials_is_no_second_field() -> None:
    dan = Person("100002", "Dan", "O'Neil", (Member("c1", "child", "Daisy", "O'Neil"),), DANA.records)
    index = Index((dan,))
    for text, opened in (("Dan O'Neil spoke", ()), ("Dan O'Neil and Daisy O'Neil", (dan.subject,))):
        reading = read_text(text)
        assert select_subjects(reading, index.hits(reading.terms), limit=5) == opened


def test_names_are_capped_below_what_opens() -> None:
    assert max(WEIGHTS[kind].bits for kind in TermKind if kind in WEIGHTS and WEIGHTS[kind].field == "name") == 8
    assert not any(
        WEIGHTS[kind].opens for kind in WEIGHTS if WEIGHTS[kind].field in {"name", "member", "school", "health"}
    )


def test_search_terms_stand_for_the_whole_value() -> None:
    by_number = search_terms(Category.PHONE, {"kind": "home", "number": "1 (816) 555-0123"})
    assert by_number < record_terms(Category.PHONE, {"kind": "mobile", "number": "8165550123"}, owner=NOBODY)
    assert {term.kind for term in by_number} == {TermKind.PHONE}
    assert {term.kind for term in search_terms(Category.HOME_ADDRESS, {"line": "12 Oak St, Troy, MI 48083"})} == {
        TermKind.STREET
    }
    assert {term.kind for term in search_terms(Category.HOME_ADDRESS, {"line": "PO Box 12, Troy, MI 48083"})} == {
        TermKind.NUMBER_ZIP
    }
    assert search_terms(Category.DATE_OF_BIRTH, {"date": "1961-04-27"}) == frozenset()
    assert search_terms(Category.HEALTH, {"statement": "Chronic neuropathy"}) == frozenset()


def test_directory_terms_find_a_full_and_a_family_name() -> None:
    terms = directory_terms("Renée", "O’Neil")
    assert terms == directory_terms("RENEE", "O'NEIL")
    assert family_name_term("oneil") in terms
    assert directory_terms("", "O'Neil") == frozenset()


def test_terms_show_no_text() -> None:
    assert "736456789" not in repr(DANA.terms())
