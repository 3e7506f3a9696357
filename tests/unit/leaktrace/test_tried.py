"""Which values count as tried for somebody, and which do not."""

from __future__ import annotations

from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId, new_id
from registry.leaktrace.decide import decide
from registry.leaktrace.dossier import Dossier, DossierRecord, Matching
from registry.leaktrace.reading import read_text
from registry.leaktrace.sightings import ReadText
from registry.leaktrace.terms import TermKind
from registry.leaktrace.tried import Named, Tried, values_tried

VALUES = {
    Category.HOME_ADDRESS: {"line": "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"},
    Category.PHONE: {"kind": "mobile", "number": "816-555-0142"},
    Category.SSN: {"number": "741-12-3456"},
    Category.DATE_OF_BIRTH: {"date": "1984-02-29"},
}


def dossier(given: str, family: str, **values: dict[str, str]) -> Dossier:
    held = {Category(name): value for name, value in values.items()} or VALUES
    records = tuple(
        DossierRecord(RecordId(new_id()), category, category.value, None, value) for category, value in held.items()
    )
    return Dossier(SubjectId(new_id()), "T-1", given, family, (), records)


DANA = dossier("Dana", "Brightwater")
KIM = dossier("Kim", "Sedgewick", phone={"kind": "mobile", "number": "816-555-0177"})


def tried(text: str, *people: Dossier) -> dict[tuple[SubjectId, Category], int]:
    held = people or (DANA,)
    read = ReadText(read_text(text), str)
    found: tuple[Tried, ...] = values_tried(read, Named((), held), decide(read, held))
    return {(one.subject, one.category): len(one.values) for one in found}


def test_each_different_wrong_value_beside_the_name_counts_once() -> None:
    text = "Dana Brightwater has 816-555-0101, 816-555-0102 or 816 555 0102, maybe (816) 555-0103."
    assert tried(text) == {(DANA.subject, Category.PHONE): 3}


def test_what_is_true_of_the_person_is_not_tried() -> None:
    text = "Dana Brightwater, 816-555-0142, 1207 Larkspur Ave Apt 3, Fairhollow, SSN 741-12-3456, born 1984-02-29."
    assert tried(text) == {}


def test_every_category_that_a_number_or_a_date_can_be_is_seen() -> None:
    text = (
        "Dana Brightwater lives at 12 Quarry Street, Fairhollow. Born 1983-01-02 or 1983-01-03. SSN 741-12-0001. "
        "Her card is 4111 1111 1111 1111, her mail d.b@example.org."
    )
    found = {category: count for (_, category), count in tried(text).items()}
    assert found == {
        Category.HOME_ADDRESS: 1,
        Category.DATE_OF_BIRTH: 2,
        Category.SSN: 1,
        Category.PAYMENT_CARD: 1,
        Category.EMAIL: 1,
    }


def test_a_number_a_year_and_a_recent_date_are_none_of_them() -> None:
    text = "On 2026-03-01 Dana Brightwater had 3 children, 12 complaints and 400 followers since 2019."
    assert tried(text) == {}


def test_a_value_counts_for_the_nearest_name_only() -> None:
    text = "Dana Brightwater 816-555-0142. Kim Sedgewick 816-555-0101, 816-555-0102."
    assert tried(text, DANA, KIM) == {(KIM.subject, Category.PHONE): 2}


def test_far_from_the_name_or_without_one_nothing_counts() -> None:
    far = "word " * 40
    assert tried(f"Dana Brightwater was there. {far} Call 816-555-0101 or 816-555-0102.") == {}
    assert tried("Call 816-555-0101 or 816-555-0102.") == {}


def test_in_a_table_a_value_counts_within_its_row() -> None:
    rows = "\n".join(f"Someone Else{number},816-555-01{number:02}" for number in range(20, 30))
    text = f"name,phone\nDana Brightwater,816-555-0142\n{rows}\n"
    assert tried(text) == {}
    text = f"name,phone\nDana Brightwater,816-555-0199\n{rows}\n"
    assert tried(text) == {(DANA.subject, Category.PHONE): 1}


def test_whom_the_index_knows_by_name_counts_unopened() -> None:
    reading = read_text("Dana Brightwater has 816-555-0101.")
    names = [(term, DANA.subject) for term in reading.places if term.kind is TermKind.NAME]
    (one,) = values_tried(ReadText(reading, str), Named(names, ()), Matching((), ()))
    assert (one.subject, one.category, len(one.values)) == (DANA.subject, Category.PHONE, 1)
