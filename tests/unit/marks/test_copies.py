"""Marked copies: the same meaning in other letters, read back blindly, and never altered where meaning could change."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.categories import Category
from registry.marks.copies import is_altered, order_of, read_area_code, read_copy, read_order, write_copy
from registry.marks.slots import AREA_CODE, ORDER, TABLE, added_slots, forms_of, older, slots_of
from registry.text.addresses import parse_address
from registry.text.phones import canonical_phone
from registry.text.schools import levels, school_key
from registry.text.ssn import canonical_ssn

NUMBERS = st.integers(1, 99_999)
DIRECTIONS = st.sampled_from(["", "N ", "S ", "North ", "E. ", "NE "])
NAMES = st.sampled_from(["Oak", "Larkspur", "5th", "Third", "Spring Grove", "St Charles", "O'Neil", "42nd", "Juniper"])
TYPES = st.sampled_from(["St", "Ave", "Rd", "Drive", "Blvd.", "Court", "Lane", "Loop", "Pkwy"])
UNITS = st.sampled_from(["", " Apt 5", " Apartment B", ", Apt. 12", " Unit 3", " # 4", " Ste 200"])
CITIES = st.sampled_from(
    ["Kansas City", "Saint Paul", "Fort Worth", "St. Louis", "New York", "Mount Vernon", "Fairhollow"]
)
STATES = st.sampled_from(["MO", "MN", "Texas", "NY", "Wash.", "Missouri", "KS", "West Virginia", "Mo."])
ADDRESSES = st.builds(
    lambda number, before, name, kind, unit, *rest: {
        "line": f"{number} {before}{name} {kind}{unit}, {rest[0]}, {rest[1]} 64118"
    },
    NUMBERS, DIRECTIONS, NAMES, TYPES, UNITS, CITIES, STATES,
)  # fmt: skip


def vectors(category: Category) -> st.SearchStrategy[bytes]:
    return st.tuples(*(st.integers(1, slot.forms) for slot in slots_of(category))).map(bytes)


def read(category: Category, value: Mapping[str, str], text: str) -> dict[str, int | None]:
    return {one.slot: one.read for one in read_copy(category, value, text)}


def drawn(category: Category, vector: bytes) -> dict[str, int]:
    return {slot.name: form for slot, form in zip(slots_of(category), vector, strict=True)}


@given(ADDRESSES, vectors(Category.HOME_ADDRESS))
def test_a_marked_address_comes_apart_into_the_same_parts(value: dict[str, str], vector: bytes) -> None:
    written = write_copy(Category.HOME_ADDRESS, value, vector)
    before, after = (replace(parse_address(one), street=(), state="") for one in (value, written))
    assert after == before
    assert written["line"].split()[0] == value["line"].split()[0]
    assert [char for char in written["line"] if char.isdigit()][-5:] == list("64118")


@pytest.mark.parametrize("before", ["", "N "])
@pytest.mark.parametrize("vector", [(1, 1, 1, 1, form, kind, 1, 1, 1, 1, 1) for form in (1, 2) for kind in (1, 2)])
def test_a_name_with_a_word_like_a_type_is_read(before: str, vector: tuple[int, ...]) -> None:
    value = {"line": f"1 {before}St Charles St, Kansas City, MO 64118"}
    written = write_copy(Category.HOME_ADDRESS, value, bytes(vector))["line"]
    forms = drawn(Category.HOME_ADDRESS, bytes(vector))
    found = read(Category.HOME_ADDRESS, value, f"{written} and more.")
    assert found.items() <= forms.items()
    assert "street-type" in found


@given(ADDRESSES, vectors(Category.HOME_ADDRESS))
def test_what_was_written_is_read(value: dict[str, str], vector: bytes) -> None:
    written = write_copy(Category.HOME_ADDRESS, value, vector)["line"]
    forms = drawn(Category.HOME_ADDRESS, vector)
    for slot, form in read(Category.HOME_ADDRESS, value, f"{written} and more.").items():
        assert form == forms[slot], (slot, written)


@pytest.mark.parametrize(
    "line",
    [
        "PO Box 12, Salem, MA 01970",
        "9 Avenue D, New York, NY 10009",
        "RR 2 Box 15, Fairhollow, MO 64999",
        "W150N5928 Main St, Menomonee Falls, WI 53051",
        "12 1/2 Oak St, Fairhollow, MO 64999",
        "Urb Las Flores 12 Calle A, Ponce, PR 00730",
        "PSC 3 Box 9, APO, AE 09021",
        "Court House",
        "1 Oak St",
    ],
)
def test_an_address_of_another_kind_is_served_as_enrolled(line: str) -> None:
    value = {"line": line}
    for vector in (bytes([1] * 11), bytes([6, 3, 2, 2, 2, 2, 2, 5, 2, 2, 4])):
        assert write_copy(Category.HOME_ADDRESS, value, vector) == value
    assert not is_altered(Category.HOME_ADDRESS, value)


def test_an_address_in_pieces_keeps_its_pieces() -> None:
    value = {"street": "1234 N Oak Ave", "unit": "Apt 5", "city": "Kansas City", "state": "MO", "postal_code": "64118"}
    written = write_copy(Category.HOME_ADDRESS, value, bytes([1, 2, 1, 1, 2, 2, 1]))
    assert written == {**value, "street": "1234 North Oak Avenue", "unit": "Apartment 5", "state": "Missouri"}


def test_public_forms_are_read_as_such() -> None:
    value = {"line": "1234 N Oak Ave Apt 5, Saint Paul, MN 55101"}
    text = "1234 N OAK AVE APT 5, ST PAUL MN 55101"
    assert set(read(Category.HOME_ADDRESS, value, text).values()) == {0}


def test_the_state_is_that_of_this_address_and_not_of_the_next_one() -> None:
    value = {"line": "1 Oak St, Saint Paul, MN 55101"}
    text = "1 Oak Street, St. Paul, Minnesota 55101\n2 Oak St., Saint Paul, Minn. 55102"
    assert read(Category.HOME_ADDRESS, value, text)["state"] == 1


def test_a_type_in_the_name_is_not_the_type() -> None:
    value = {"line": "1 N St Charles St, Fairhollow, MO 64999"}
    assert read(Category.HOME_ADDRESS, value, "1 N. St Charles St., Fairhollow")["street-type"] == 1
    assert read(Category.HOME_ADDRESS, value, "1 St Charles Street, Fairhollow")["street-type"] == 2


def test_a_stop_at_the_end_of_all_is_the_sentences() -> None:
    value = {"line": "1234 Oak Ave, Fairhollow, MO 64999"}
    assert read(Category.HOME_ADDRESS, value, "1234 Oak Ave.")["street-type"] is None
    assert read(Category.HOME_ADDRESS, value, "1234 Oak Ave., Fairhollow")["street-type"] == 1


PHONES = st.builds("816{:03}{:04}".format, st.integers(200, 910), st.integers(0, 9_999))


@given(PHONES, st.integers(1, 5))
def test_a_marked_number_dials_the_same(digits: str, form: int) -> None:
    value = {"number": f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", "kind": "mobile"}
    written = write_copy(Category.PHONE, value, bytes([form]))
    assert canonical_phone(written["number"]) == digits
    parsed = phonenumbers.parse(written["number"], "US")
    assert (parsed.country_code, parsed.national_number) == (1, int(digits))
    assert written["kind"] == "mobile"
    assert written["number"] != value["number"]  # nobody is served what directories print
    assert read(Category.PHONE, value, f"call {written['number']} now") == {"grouping": form}


@pytest.mark.parametrize("number", ["+44 20 7946 0958", "816-555-0123 x12", "+49 30 123456"])
def test_other_numbers_stay(number: str) -> None:
    value = {"number": number, "kind": "work"}
    assert write_copy(Category.PHONE, value, b"\x03") == value
    assert read_copy(Category.PHONE, value, number) == ()


@given(st.dates(date(1930, 1, 1), date(2007, 1, 1)), st.integers(1, 4))
def test_a_marked_day_is_the_same_day(day: date, form: int) -> None:
    value = {"date": day.isoformat()}
    written = write_copy(Category.DATE_OF_BIRTH, value, bytes([form]))["date"]
    ways = ("%Y-%m-%d", "%B %d, %Y", "%b %d, %Y", "%d %b %Y")
    assert datetime.strptime(written, ways[form - 1]).date() == day  # noqa: DTZ007 - a day has no zone
    is_may = day.month == 5 and form in (2, 3)
    assert read(Category.DATE_OF_BIRTH, value, f"born {written}.") == {"writing": None if is_may else form}


@given(
    st.sampled_from(["Lincoln", "Larch Hill", "St. Mary", "O'Neil"]),
    st.sampled_from(["Elementary School", "Middle School", "High School"]),
    st.integers(1, 3),
)
def test_a_marked_school_is_the_same_school(stem: str, level: str, form: int) -> None:
    value = {"name": f"{stem} {level}", "city": "Kansas City"}
    written = write_copy(Category.SCHOOL, value, bytes([form]))["name"]
    words, before = (name.lower().replace(".", "").split() for name in (written, value["name"]))
    assert (school_key(words), levels(words)) == (school_key(before), levels(before))
    assert read(Category.SCHOOL, value, f"goes to {written}, daily") == {"level": form}
    assert read(Category.SCHOOL, value, f"goes to {stem} {level}, daily") == {"level": 0}


@given(st.integers(1, 2))
def test_a_marked_social_security_number_has_the_same_digits(form: int) -> None:
    value = {"number": "741-12-3456"}
    written = write_copy(Category.SSN, value, bytes([form]))["number"]
    assert canonical_ssn(written) == "741123456"
    assert read(Category.SSN, value, f"ssn {written}") == {"grouping": form}


@pytest.mark.parametrize("category", [one for one in Category if one not in TABLE])
def test_the_rest_is_never_altered(category: Category) -> None:
    value = {"statement": "Seasonal vestibular migraine", "given_name": "Dana", "number": "4111 1111 1111 1111"}
    assert write_copy(category, value, b"") == value
    assert read_copy(category, value, "anything") == ()


def test_the_order_of_a_card_is_read_by_what_is_there() -> None:
    present = (Category.HOME_ADDRESS, Category.PHONE, Category.EMAIL)
    for form in range(1, 7):
        order = order_of(bytes([form, 1, 1, 1, 1, 1, 1]))
        places = {category: place for place, category in enumerate(order)}
        whole = read_order(places)
        assert whole is not None
        assert (whole.slot, whole.forms, whole.classes[form - 1]) == (ORDER, 6, whole.read)
        two = read_order({one: places[one] for one in present[:2]})
        assert two is not None
        assert (two.forms, two.classes[form - 1]) == (2, two.read)
        assert sorted(two.classes) == [1, 1, 1, 2, 2, 2]
    assert read_order({Category.PHONE: 4}) is None
    assert read_order({Category.SSN: 1, Category.PHONE: 2}) is None


def test_no_copy_has_a_public_form() -> None:
    value = {"line": "1234 N Oak Ave Apt 5, Saint Paul, MN 55101"}
    not_written = {ORDER, AREA_CODE}
    slots = slots_of(Category.HOME_ADDRESS)
    ways = ([1] if one.name in not_written else range(1, one.forms + 1) for one in slots)
    for vector in itertools.product(*ways):
        written = write_copy(Category.HOME_ADDRESS, value, bytes(vector))["line"]
        assert 0 not in read(Category.HOME_ADDRESS, value, written).values()


def test_a_day_in_no_known_writing_is_read_as_nothing() -> None:
    assert read(Category.DATE_OF_BIRTH, {"date": "1984-02-29"}, "on leap day of '84") == {"writing": None}


DIGITS = st.tuples(st.integers(200, 999), st.integers(200, 999), st.integers(0, 9999)).map(
    lambda parts: f"{parts[0]}-{parts[1]}-{parts[2]:04}"
)


def with_address(form: int) -> bytes:
    return bytes([form if one.name == AREA_CODE else 1 for one in slots_of(Category.HOME_ADDRESS)])


@given(DIGITS, st.integers(1, 5), st.integers(1, 4))
def test_an_area_code_is_read_as_the_address_of_the_card_was_drawn(number: str, grouping: int, form: int) -> None:
    value = {"kind": "home", "number": number}
    written = write_copy(Category.PHONE, value, bytes([grouping]), card=with_address(form))["number"]
    assert canonical_phone(written) == canonical_phone(number)
    text = f"call {written} now"
    assert read(Category.PHONE, value, text) == {"grouping": grouping}
    found = read_area_code(value, text)
    assert found is not None
    assert found.read == found.classes[form - 1]
    # As many ways as can be told apart, each as likely as the others.
    assert Counter(found.classes) == dict.fromkeys(range(1, found.forms + 1), 4 // found.forms)
    assert found.forms == (2 if grouping == 4 else 4)


def test_the_area_code_of_a_directory_is_nobodys() -> None:
    value = {"kind": "home", "number": "816-555-0123"}
    for text, expected in (
        ("(816) 555-0123", 0),
        ("816-555-0124", None),
        ("816-555-01234", None),
        ("2816-555-0123", None),
    ):
        found = read_area_code(value, text)
        assert found is not None
        assert found.read == expected
    assert read_area_code({"kind": "home", "number": "+44 20 7946 0018"}, "+44 20 7946 0018") is None


@pytest.mark.parametrize(
    ("text", "commas", "street", "city"),
    [
        ("12 Oak Ave., Saint Paul Minn. 55101", 1, 1, 1),
        ("12 OAK AVE. Saint Paul, Minn. 55101", 2, 2, 1),
        ("12 Oak Ave., SAINT PAUL, Minn., 55101", 3, 1, 2),
        ("12 Oak Ave., St. Paul MN, 55101", 4, 1, 1),
        ("12 Oak Ave. St. Paul, MN, 55101", 5, 1, 1),
        ("12 Oak Ave., Saint Paul, MN 55101", 0, 1, 1),
        ("12 Oak Ave.\nSaint Paul, MN 55101", None, 1, 1),
        ("12 OAK AVE ST PAUL MN 55101", 0, 0, 0),
        ("12 OAK AVE, SAINT PAUL, Minn. 55101", 0, 2, 2),
        ("12 oak ave, saint paul, mn 55101", 0, None, None),
        ("12 Oak Ave., Saint Paul, Wis. 55101", None, None, None),
        ("12 Oak Ave., Saint Paul, Minn.", None, None, None),
    ],
)
def test_commas_and_capitals_of_an_address_are_read(
    text: str, commas: int | None, street: int | None, city: int | None
) -> None:
    found = read(Category.HOME_ADDRESS, {"line": "12 Oak Ave, Saint Paul, MN 55101"}, text)
    assert (found["commas"], found["street-letters"], found["city-letters"]) == (commas, street, city)


@pytest.mark.parametrize(
    ("text", "commas"),
    [
        ("12 Oak Ave., Apt. 5, Saint Paul Minn. 55101", 1),
        ("12 Oak Ave., # 5, Saint Paul, Minn. 55101", 2),
        ("12 Oak Ave. Apt. 5, Saint Paul, Minn., 55101", 5),
        ("12 Oak Ave. Apt. 5, Saint Paul, Minn. 55101", 0),
        ("12 OAK AVE APT 5 ST PAUL MN 55101", 0),
        ("12 Oak Ave. Apt. 5 Saint Paul, Minn. 55101", None),
        ("12 Oak Ave.\nApt. 5, Saint Paul, Minn., 55101", None),
    ],
)
def test_the_commas_of_an_address_with_an_apartment_are_read(text: str, commas: int | None) -> None:
    value = {"line": "12 Oak Ave Apt 5, Saint Paul, MN 55101"}
    assert read(Category.HOME_ADDRESS, value, text)["commas"] == commas


def test_commas_stay_where_another_place_could_be_read() -> None:
    """A direction or a type of streets at the beginning of a city's name would be taken for the street's."""
    for line in (
        "12 Oak Ave N, Saint Paul, MN 55101",
        "12 Oak Ave, Saint Paul, MN",
        "12 5th St, West Plains, MO 65775",
        "12 Oak St, St. Louis, MO 63101",
        "12 Oak St, Park City, MO 64118",
    ):
        assert "commas" not in read(Category.HOME_ADDRESS, {"line": line}, line)
    in_pieces = {"street": "12 Oak Ave", "city": "Saint Paul", "state": "MN", "postal_code": "55101"}
    assert "commas" not in read(Category.HOME_ADDRESS, in_pieces, "12 Oak Ave, Saint Paul MN 55101")


@pytest.mark.parametrize(
    "line",
    [
        "100 E St Charles Blvd, Ridge, TX 64118",
        "12 east st charles dr, Lane, NM 64118",
        "1234 S Court Pl, Northmoor, TX 64118",
    ],
)
def test_no_comma_is_left_out_where_another_writing_of_the_direction_moves_the_city(line: str) -> None:
    value = {"line": line}
    slots = slots_of(Category.HOME_ADDRESS)
    for ways in itertools.product(
        *([1] if one.name in {ORDER, AREA_CODE} else range(1, one.forms + 1) for one in slots)
    ):
        written = write_copy(Category.HOME_ADDRESS, value, bytes(ways))
        assert replace(parse_address(written), street=()) == replace(parse_address(value), street=())


def test_a_street_in_capitals_whose_type_stays_has_no_other_letters() -> None:
    """Else both forms would be read as capitals, and half of all copies would speak against themselves."""
    for street, has_room in (
        ("12 OAK WAY", False),
        ("12 N OAK LOOP", False),
        ("12 OAK AVE", True),
        ("12 Oak Way", True),
    ):
        room = read(Category.HOME_ADDRESS, {"line": f"{street}, Ely, MN 55731"}, "")
        assert ("street-letters" in room) is has_room


def test_letters_are_told_by_whole_words() -> None:
    for street, form in (("5th St.", 1), ("5TH ST.", 2), ("5th ST.", 2)):
        found = read(Category.HOME_ADDRESS, {"line": "12 5th St, Ely, MN 55731"}, f"12 {street}, Ely, Minn. 55731")
        assert found["street-letters"] == form


def test_a_city_that_was_enrolled_in_capitals_has_no_other_letters() -> None:
    assert "city-letters" not in read(Category.HOME_ADDRESS, {"line": "12 Oak St, ELY, MN 55731"}, "")


def test_an_older_copy_has_none_of_the_slots_that_were_added() -> None:
    vector = with_address(4)
    names = set(forms_of(Category.HOME_ADDRESS, older(Category.HOME_ADDRESS, vector)))
    added = added_slots(Category.HOME_ADDRESS)
    assert names | added == set(forms_of(Category.HOME_ADDRESS, vector))
    assert not names & added
    value = {"line": "12 Oak Ave, Saint Paul, MN 55101"}
    before = write_copy(Category.HOME_ADDRESS, value, older(Category.HOME_ADDRESS, vector))
    assert before == {"line": "12 Oak Ave., Saint Paul, Minnesota 55101"}
    phone = {"kind": "home", "number": "816-555-0123"}
    assert write_copy(Category.PHONE, phone, bytes([1]), card=older(Category.HOME_ADDRESS, vector)) == phone


def test_a_street_in_capitals_stands_with_a_state_in_small_letters_alone() -> None:
    """Where the state has no writing of its own, street and city in capitals would be the postal one of everybody."""
    line = "12 Oak St, West, VA 64118"
    assert not {"state", "street-letters"} & set(read(Category.HOME_ADDRESS, {"line": line}, line))
