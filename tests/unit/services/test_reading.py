"""How found values are written: what was added stands by itself, and one draw is read once."""

from __future__ import annotations

from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId
from registry.leaktrace.dossier import Dossier, DossierRecord, Finding
from registry.marks.slots import AREA_CODE, COMMAS, ORDER, STATE
from registry.services.reading import WrittenValue, read_writing

SUBJECT = SubjectId("5" * 32)
LINES = {
    "a": (Category.HOME_ADDRESS, {"line": "1200 Larkspur Ave, Fairhollow, MO 64999"}),
    "b": (Category.HOME_ADDRESS, {"line": "77 Juniper Rd, Ellston, MO 64998"}),
    "c": (Category.PHONE, {"kind": "mobile", "number": "816-555-0123"}),
    "d": (Category.PHONE, {"kind": "home", "number": "816-555-0177"}),
}


def written(*parts: tuple[str, str], member: str | None = None) -> tuple[WrittenValue, ...]:
    """Read texts of records, which stand one below the other; ``member`` is whose the first is."""
    text, findings = "", []
    for number, (name, line) in enumerate(parts):
        category, span = LINES[name][0], (len(text), len(text) + len(line))
        owner = None if number else member
        findings.append(
            Finding(SUBJECT, RecordId(name * 32), "T-1", category, category.value, owner, 1.0, (span,), "whole")
        )
        text += f"{line}\n"
    opened = ((RecordId(name * 32), category, value) for name, (category, value) in LINES.items())
    records = tuple(DossierRecord(record, category, category.value, None, value) for record, category, value in opened)
    return read_writing(text, [Dossier(SUBJECT, "T-1", "Dana", "Birch", records=records)], findings)


def slots(values: tuple[WrittenValue, ...]) -> list[str]:
    return [slot.slot for value in values for slot in value.slots if slot.read is not None]


ADDRESS, OTHER = ("a", "1200 Larkspur Ave., Fairhollow Mo. 64999"), ("b", "77 Juniper Road Ellston, Mo. 64998")
MOBILE, FIXED = ("c", "(816)-555-0123"), ("d", "(816)-555-0177")


def test_what_was_added_is_a_value_of_its_own() -> None:
    values = written(ADDRESS)
    assert [{slot.slot for slot in value.slots} & {STATE, COMMAS} for value in values] == [{STATE}, {COMMAS}]
    assert {value.records for value in values} == {(RecordId("a" * 32),)}


def test_an_area_code_speaks_for_copies_of_the_address_and_the_number() -> None:
    (found,) = [value for value in written(ADDRESS, MOBILE) if value.slots[0].slot == AREA_CODE]
    assert found.records == (RecordId("a" * 32), RecordId("c" * 32))
    assert found.category is Category.HOME_ADDRESS
    assert found.slots[0].read == 2


def test_two_numbers_of_a_card_show_one_draw_and_count_once() -> None:
    """Counted twice, a chance agreement of one in four would count as one in sixteen."""
    values = written(ADDRESS, MOBILE, FIXED)
    assert slots(values).count(AREA_CODE) == 1
    assert slots(values).count(ORDER) <= 1


def test_of_two_addresses_none_is_taken_for_the_cards() -> None:
    assert AREA_CODE not in slots(written(ADDRESS, OTHER, MOBILE))


def test_an_address_of_the_household_says_nothing_of_the_subjects_card() -> None:
    assert AREA_CODE not in slots(written(ADDRESS, MOBILE, member="m1"))


def test_without_an_address_an_area_code_is_not_read() -> None:
    assert AREA_CODE not in slots(written(MOBILE))
