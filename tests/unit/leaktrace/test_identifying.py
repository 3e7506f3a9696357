"""Identifying values count wherever the whole value stands."""

from __future__ import annotations

import pytest

from registry.domain.categories import Category
from tests.unit.leaktrace.people import DANA, INDEX, PAVEL, Index, Person, kinds


@pytest.mark.parametrize(
    "address",
    [
        "1234 N. Thornbury Ave., Apt 5, Kansas City, MO 64118",
        "1234 NORTH THORNBURY AVENUE UNIT 5 KANSAS CITY MO 64118",
        "1234 n thornbury ave, kansas city, mo",
        "1234 Thornbury Ave, Kansas City",
        "1234 Thornbury",
        "1234 N Thornbury Avenue",
        "Kansas City, MO 64118: 1234 N Thornbury Ave",
        "1234 N. Thornbury Ave. #5\nKansas City, Missouri 64118-0001",
        "1234 N. Thornbury<br>Kansas City,&nbsp;MO",
        "1234 N Thornbury Ave,\n> Kansas City",
        "１２３４ N Thornbury Ave",
        "1234 Th0rnbury 4v3",
        "1234 Tһornbսry Аve",
        "1 2 3 4  T h o r n b u r y  A v e",
        "one two three four Thornbury Ave",
        "1234 N Thornbruy Ave, Kansas City, MO 64118",
        "1234 N Thornnbury Aevnue, Kansas City",
        "1234 Noth Thornbury Ave, Kansas City",
        "l234 N Thombury Ave, Kansas City, MO 64ll8",
        "1234 Thornbury Avenue, Kannsas City",
        "1234 N Thornbury Ave Apt S, Kansas City, MO 64118",
    ],
)
def test_an_address_in_any_writing(address: str) -> None:
    assert "home_address" in kinds(f"He said {address}. Nothing else.")


@pytest.mark.parametrize(
    "address",
    [
        "1234 N. Thornbury Ave., Springfield, MO 65806",
        "1234 N. Thornbury Ave., Kansas City, KS 66101",
        "1234 Thornbury Ave, Dallas, TX",
        "1234 Thornbury Ave Dallas Texas 75201",
        "It is 1234 Thornbury Ave., Springfield.",
        "Springfield, MO 65806: 1234 N Thornbury Ave",
        "1234 N Thornbury Ave, Kansas City, KS",
        "1234 N Thornbury Ave, Kansas City, Kansas",
        "1235 N. Thornbury Ave., Kansas City, MO 64118",
        "1243 N. Thornbury Ave., Kansas City, MO 64118",
        "1234 N. Thornbury St., Kansas City, MO 64118",
        "1234 S. Thornbury Ave., Kansas City, MO 64118",
        "1234 N. Thornbury Ave., Apt 6, Kansas City, MO 64118",
        "1234 N. Hawthorn Ave., Kansas City, MO 64118",
        "Thornbury Ave., Kansas City, MO 64118",
        "1234 people in Kansas City, MO 64118",
    ],
)
def test_another_address_is_none(address: str) -> None:
    assert "home_address" not in kinds(f"See: {address}\nNothing else.")


def test_another_unit_or_type_is_only_possible() -> None:
    matching = INDEX.match("1234 N. Thornbury Ave., Apt 6, Kansas City, MO 64118")
    assert [finding.kind for finding in matching.possible] == ["home_address"]
    assert matching.findings == ()


def test_ordinals_saints_and_directions() -> None:
    for address in ("77 5TH STREET SOUTHWEST, ST. PAUL MN", "77 Fifth St. SW, Saint Paul", "77 5th St, St Paul 55101"):
        assert kinds(address, PAVEL) == {"home_address"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("call 816.555.0123 now", "phone:mobile"),
        ("call +1 (816) 555-0123 ext. 44", "phone:mobile"),
        ("eight one six, five five five, zero one two three", "phone:mobile"),
        ("9l3-5SS-O177", "phone:home"),
        ("ssn 736456789", "ssn"),
        ("736 dash 45 dash 6789", "ssn"),
        ("four-one-one-one one one one one one one one one one one one one", "payment_card"),
        ("4111-1111-1111-1111", "payment_card"),
        ("dana dot oneil at example dot org", "email"),
        ("plate xyz-789", "vehicle_plate"),
    ],
)
def test_numbers_and_mail(text: str, kind: str) -> None:
    assert kinds(text) == {kind}


@pytest.mark.parametrize(
    "text",
    ["816.555.0132", "816-555-0124", "736-45-6798", "4111 1111 1111 1112", "dana.oneill@example.org", "plate xyz 798"],
)
def test_another_digit_is_another_value(text: str) -> None:
    assert kinds(f"It is {text} today") == set()


def test_spans_are_exact_code_points_of_the_raw_text() -> None:
    text = "😀 Tel. (816) 555-0123! “736-45-6789” +1 913 555-0177 ext. 12. Kansas City, MO: 1234 Thornbury Ave!"
    found = {finding.kind: [text[start:end] for start, end in finding.spans] for finding in INDEX.match(text).findings}
    assert found == {
        "phone:mobile": ["(816) 555-0123"],
        "phone:home": ["+1 913 555-0177 ext. 12"],
        "ssn": ["736-45-6789"],
        "home_address": ["Kansas City, MO: 1234 Thornbury Ave"],
    }


def test_one_finding_with_all_its_places() -> None:
    text = "816-555-0123 or 8165550123"
    (finding,) = INDEX.match(text).findings
    assert finding.spans == ((0, 12), (16, 26))
    assert (finding.employee_number, finding.member, finding.confidence) == ("004211", None, 0.99)


def test_nothing_personal_is_shown_by_repr_or_reason() -> None:
    matching = INDEX.match("Dana O'Neil, 1234 Thornbury Ave, 736-45-6789, born 1961-04-27, Otter Creek Elem.")
    shown = (
        repr(matching)
        + repr(DANA.dossier())
        + repr(DANA.dossier().records)
        + repr(DANA.dossier().members)
        + repr(sorted(DANA.terms(), key=lambda term: term.kind))
    )
    for secret in ("Dana", "Neil", "oneil", "1234", "thornbury", "736", "1961", "otter", "004211"):
        assert secret.lower() not in shown.lower()


@pytest.mark.parametrize("between", ["\nSSN is ", " ssn ", ", social: ", " "])
def test_nine_bare_digits_after_an_address_are_no_foreign_zip(between: str) -> None:
    assert kinds(f"1234 N Thornbury Ave, Kansas City{between}736456789") >= {"home_address", "ssn"}


def stands(line: str, text: str) -> bool:
    """Tell whether an enrolled address is found in a text."""
    person = Person("000417", "Ada", "Quill", (), ((Category.HOME_ADDRESS, {"line": line}, None),))
    return bool(Index((person,)).match(text).findings)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("W150N5928 Fox Run Ave, Troy, MI 48084", "w150n5928 Fox Run Avenue"),
        ("891 1/2 Monroe Ct, Troy, MI 48084", "at 891 1/2 MONROE CT, TROY, MI 48084"),
        ("891 1/2 Monroe Ct, Troy, MI 48084", "at 891½ Monroe Court in Troy"),
        ("144 US Highway 27 S, Ocala, FL 34470", "144 US Hwy 27 South, Ocala"),
        ("144 US Highway 27 S, Ocala, FL 34470", "144 US-27 S, Ocala, FL"),
        ("368 Highway 61, Duluth, MN 55802", "the place at 368 Highway 61 has a red door"),
        ("990 State Route 44, Troy, MI 48084", "990 SR 44, Troy"),
        ("990 County Rd 318, Troy, MI 48084", "990 CR 318, Troy"),
        ("84 W Martin Luther King Jr Blvd, Troy, MI 48084", "84 W Dr. MLK Blvd, Troy"),
        (
            "1396 W Avenue of the Americas Bldg 4 Unit 12B, Troy, MI",
            "1396 WEST AVENUE OF THE AMERICAS BLDG 4 UNIT 12B, TROY",
        ),
        ("81 Fort King Ave, Rear, Troy, MI 48084", "81 Ft. King Ave Rear, Troy, MI"),
        ("755 N 155th St, Troy, MI 48084", "755 N 155 St, Troy"),
        ("350 S 400 E, Provo, UT 84601", "350 South 400 East, Provo"),
        ("84-15 Lefferts Blvd, Jamaica, NY 11415", "84-15 Lefferts Boulevard, Jamaica"),
        ("P.O. Box 3772, Ft. Myers, FL 33901", "mail to PO Box 3772, Fort Myers, FL"),
        ("RR 7 Box 149, Troy, MI 48084", "R.R. 7 Box 149, Troy"),
        ("HC 2 Box 22, Saint Cloud, MN 56301", "HC 2 Box 22, St. Cloud"),
        ("14293 The Esplanade, Troy, MI 48084", "14293 The Esplanade, Troy"),
        ("81 St. Mary's Dr, Troy, MI 48084", "81 Saint Mary's Drive, Troy"),
    ],
)
def test_rare_kinds_of_addresses(line: str, text: str) -> None:
    assert stands(line, text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("44 W Avenue D, Troy, MI 48084", "44 W Avenue K, Troy, MI 48084"),
        ("891 1/2 Monroe Ct, Troy, MI 48084", "891 Monroe Ct, Troy, MI 48084"),
        ("891 Monroe Ct, Troy, MI 48084", "891 1/2 Monroe Ct, Troy, MI 48084"),
        ("990 State Route 44, Troy, MI 48084", "990 County Route 44, Troy"),
        ("990 State Route 44, Troy, MI 48084", "990 State Route 45, Troy"),
        ("755 N 155th St, Troy, MI 48084", "755 N 156 St, Troy"),
        ("RR 7 Box 149, Troy, MI 48084", "RR 7 Box 149, Flint, MI 48501"),
        ("1396 Main St Bldg 4 Unit 12B, Troy, MI", "1396 Main St Bldg 4 Unit 11B, Troy, MI"),
        ("144 US Highway 27, Ocala, FL 34470", "gave 144 us dollars to Ocala"),
    ],
)
def test_rare_kinds_of_other_addresses(line: str, text: str) -> None:
    assert not stands(line, text)


@pytest.mark.parametrize(
    "text",
    [
        "816|555|0123",
        "eight1six555oh123",
        "eight one six then 555 then 0123",
        "8l6-555-Ol23",
    ],
)
def test_a_phone_in_rarer_disguises(text: str) -> None:
    assert "phone:mobile" in kinds(f"call {text} now")


@pytest.mark.parametrize(
    "text",
    [
        "one thousand two hundred thirty-four Thornbury Ave",
        "one thousand two hundred and thirty four N Thornbury Ave",
        "twelve thirty-four Thornbury Ave",
        "1.2.3.4 Thornbury Ave",
        "1 2 3 4 Thornbury Ave",
        "1234, N Thornbury Ave, Kansas City",
    ],
)
def test_a_house_number_in_rarer_disguises(text: str) -> None:
    assert "home_address" in kinds(f"lives at {text}.")


@pytest.mark.parametrize(
    "text",
    [
        "1234 Thornbury Ave in Coeur d'Alene",
        "1234 Thornbury Ave, Truth or Consequences",
        "home of Duluth, MN 55802, 1234 Thornbury Ave",
        "1234 N Thornbury Ave | Duluth | MN | 55802",
        "in 1234, Thornbury Ave was laid out",
        "one thousand two hundred thirty-five Thornbury Ave",
    ],
)
def test_other_cities_and_numbers(text: str) -> None:
    assert "home_address" not in kinds(text)


def test_a_city_first_behind_another_address() -> None:
    assert "home_address" in kinds("from 7 Elm St, Duluth, MN 55802, 1234 Thornbury Ave is far")


@pytest.mark.parametrize(
    "text",
    [
        "1234 Thornbury Ave, Kansas City yesterday, permit 48213 is open",
        "1234 Thornbury Ave Permit #48213 is open",
        "I passed 1234 Thornbury Ave and order 65806 came",
    ],
)
def test_a_later_number_is_no_zip(text: str) -> None:
    assert "home_address" in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "The council meets at 6:30. Mark spoke.",
        "The council meets at 6:30. Park spoke.",
        "All 30. Park spoke.",
        "30 Mark",
    ],
)
def test_a_time_and_the_next_sentence_are_no_address(text: str) -> None:
    assert not stands("30 Park Ave, Troy, MI 48084", text)


@pytest.mark.parametrize("text", ["1234 Thornbury Ave; Duluth; MN", "8.1234 Thornbury Ave", "99-1234 Thornbury Ave"])
def test_other_cities_behind_semicolons_and_ends_of_other_numbers(text: str) -> None:
    assert "home_address" not in kinds(text)
