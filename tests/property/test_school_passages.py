"""In a table a school is compared in the few rows where it may count; that finds what a look through all rows does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.domain.categories import Category
from registry.leaktrace.decide_schools import _Child, _matches, school_sightings
from registry.leaktrace.dossier import Dossier, DossierRecord
from registry.leaktrace.reading import read_text
from registry.leaktrace.sightings import ReadText
from registry.text.names import name_words
from tests.unit.leaktrace.people import DANA, card_digest

SCHOOLS = ("Otter Creek Elementary", "Harrow Middle School", "North Harrow Middle School", "Otter Creek", "")
FIRST = ("Mia", "Will", "Dana", "Mia O'Neil", "")
ROWS = st.lists(st.tuples(st.sampled_from(FIRST), st.sampled_from(SCHOOLS), st.sampled_from(FIRST)), max_size=12)


def slowly(text: ReadText, dossier: Dossier, record: DossierRecord, anchors: frozenset[int]) -> list[tuple[int, bool]]:
    """Look through every passage."""
    child = _Child(text, dossier, next((one for one in dossier.members if one.ref == record.member), None))
    found = []
    for passage, windows in text.schools.items():
        scope = text.reading.passages[passage].scope
        for place, edits in _matches(text, name_words(record.value["name"]), windows):
            if scope in anchors or child.stands_beside(place):
                found.append((scope, edits == 0))
    return found


@given(ROWS, st.frozensets(st.integers(0, 13), max_size=4))
def test_the_fast_way_finds_what_the_slow_one_does_in_the_same_order(
    rows: list[tuple[str, str, str]], anchors: frozenset[int]
) -> None:
    lines = ["child,school,name", *(",".join(row) for row in rows)]
    text = ReadText(read_text("\n".join(lines)), card_digest)
    dossier = DANA.dossier()
    for record in dossier.records:
        if record.category is Category.SCHOOL:
            fast = [(seen.scope, seen.exact) for seen in school_sightings(text, dossier, record, anchors)]
            assert fast == slowly(text, dossier, record, anchors)


def test_such_tables_hold_schools_that_count() -> None:
    text = ReadText(read_text("child,school\nMia,Otter Creek Elementary\nWill,Harrow Middle School"), card_digest)
    dossier = DANA.dossier()
    schools = [record for record in dossier.records if record.category is Category.SCHOOL]
    assert [len(list(school_sightings(text, dossier, record, frozenset()))) for record in schools] == [1, 1]
