"""Homes in the shapes of USPS Publication 28, values between bars, torn dates: found; what is like them is not."""

from __future__ import annotations

import pytest

from registry.domain.categories import Category
from registry.leaktrace.dossier import Member
from tests.unit.leaktrace.people import Index, Person

LINES = {
    "queens": "75-38 58th Ave, Jackson Heights, NY 11381",
    "estate": "Urb Villa Carolina, 6436 Calle C, Bayamón, PR 00981",
    "county": "N21221 County Road K, Menomonee Falls, WI 53045",
    "grid": "W233N11241 Chimney Rock Dr, Fond du Lac, WI 54932",
    "stops": "2178 SW Falcon Crest Highlands, Charles Town, WV 25438",
    "route": "HC 3 Box 2148, Grand Junction, CO 81573",
    "mount": "426 King George Blvd, Mt. Juliet, TN 37155",
    "spanish": "4191 Via Encantada, Walla Walla, WA 99319",
    "market": "4686 FM 47, Peachtree City, GA 30250",
    "plain": "1207 Larkspur Ave, Marfa, TX 79801",
}
HOMES = Index(
    tuple(
        Person(f"home-{name}", "Ada", f"Quill{name}", (), ((Category.HOME_ADDRESS, {"line": line}, None),))
        for name, line in LINES.items()
    )
)
ADA = Person(
    "000611",
    "Ada",
    "Birdsong",
    (Member("c1", "child", "Otis", "Birdsong"), Member("c2", "child", "Ezra", "Birdsong")),
    (
        (Category.DATE_OF_BIRTH, {"date": "1960-10-11"}, None),
        (Category.SSN, {"number": "736-79-0120"}, None),
        (Category.EMAIL, {"address": "abirdsong433@example.com"}, None),
        (Category.VEHICLE_PLATE, {"plate": "PXK0883", "state": "TX"}, None),
        (Category.PHONE, {"kind": "mobile", "number": "602-555-0143"}, None),
        (Category.SCHOOL, {"name": "Cesar Chavez Primary School"}, "c1"),
        (Category.SCHOOL, {"name": "Northfield K-8 School"}, "c2"),
    ),
)
PEOPLE = Index((ADA,))


def homes(text: str) -> set[str]:
    return {one.employee_number.removeprefix("home-") for one in HOMES.match(text).findings}


def kinds(text: str) -> set[str]:
    return {one.kind for one in PEOPLE.match(text).findings}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("queens", "they live at 75-38 58th Ave, Jackson Heights, NY 11381 now"),
        ("queens", "7538 58th Avenue"),
        ("queens", "75–38 58TH AVE\nJACKSON HEIGHTS NY 11381"),
        ("estate", "Urb Villa Carolina, 6436 Calle C, Bayamón, PR 00981"),
        ("estate", "6436 Calle C, Urb. Villa Carolina, Bayamón, PR 00981"),
        ("estate", "URB VILLA CAROLINA 6436 CALLE C"),
        ("county", "N21221 Co Rd K, Menomonee Falls"),
        ("county", "her house is n21221 county road k"),
        ("grid", "W233 N11241 Chimney Rock Drive, Fond du Lac, WI"),
        ("stops", "2178 S.W. Falcon Crest Highlands, I think"),
        ("route", "H.C. 3 Box 2148, Grand Junction, Colorado 81573"),
        ("route", "HC 3 B0x 2148, Grand Junct10n, CO 81573"),
        ("mount", "426 king george boulevard, mt. juliet, tn"),
        ("spanish", "it is 4191 via encantada"),
        ("plain", "1207 Larkspur Ave 79801"),
        ("plain", "1207_Larkspur_Ave,_Marfa,_TX_79801"),
        ("plain", "1207 Lark*spur Ave, Marfa"),
        ("market", "Package for 4686 Farm to Market Road 47 was left"),
    ],
)
def test_homes_of_every_shape(name: str, text: str) -> None:
    assert homes(text) == {name}


@pytest.mark.parametrize(
    "text",
    [
        "75-38 59th Ave, Jackson Heights, NY 11381",
        "75-39 58th Ave, Jackson Heights, NY 11381",
        "75-38 58th Ave, Brooklyn, NY 11201",
        "6436 Calle D, Urb. Villa Carolina, Bayamón, PR 00981",
        "N21221 County Road J, Menomonee Falls, WI 53045",
        "N21223 County Road K, Menomonee Falls, WI 53045",
        "W233 N11243 Chimney Rock Drive, Fond du Lac, WI",
        "2178 S.E. Falcon Crest Highlands, Charles Town, WV 25438",
        "HC 4 Box 2148, Grand Junction, CO 81573",
        "1207 Larkspur Ave 90210",  # another ZIP beside it, with no comma between
        "426 King George Blvd, Mt. Airy, TN 37030",
    ],
)
def test_another_number_street_or_place_is_another_home(text: str) -> None:
    assert homes(text) == set()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date_of_birth", "fullz Ada Birdsong|10/11/1960|736-79-0120|abirdsong433@example.com"),
        ("ssn", "Ada Birdsong|1960-10-11T00:00:00Z|736-79-0120|end"),
        ("email", "x|10/11/1960|4111111111111111|04|29|123|ABIRDSONG433@EXAMPLE.COM"),
        ("date_of_birth", "Ada Birdsong, DOB 10/11/196 0, SSN"),
        ("date_of_birth", "Ada Birdsong, born 1 0/11/1960"),
        ("date_of_birth", "Ada Birdsong, born 1960-10-1 1"),
        ("date_of_birth", "Ada Birdsong 401-555-2043 10/11/1960"),
        ("date_of_birth", "Ada Birdsong, 11-X-1960"),
        ("date_of_birth", "Ada Birdsong, 11 października 1960"),
        ("date_of_birth", "Ada (Addie) Birdsong, born 1960-10~11"),
        ("ssn", "7|3|6|7|9|0|1|2|0"),
        ("ssn", '"736"-"79"-"0120"'),
        ("ssn", "<b>7</b><b>3</b><b>6</b>-<b>7</b><b>9</b>-<b>0</b><b>1</b><b>2</b><b>0</b>"),
        ("email", "write to abirdsong433@NOSPAM.example.com"),
        ("email", "write to abirdsong4 33@example.com"),
        ("vehicle_plate", "plate PXK  0883, belongs to her"),
        ("vehicle_plate", "plate PXK0883 was seen"),
        ("phone:mobile", '<p title="602-555-0143">a person</p>'),
        ("phone:mobile", "<a href='tel:+16025550143'>call</a>"),
        ("school", "Otis goes to Cesar Chavez Primary, pickup at 3"),
        ("school", "Otis, 3rd grade, Cesar\nChavez PrimarySchool"),
        ("school", "- Ezra, 3rd grade, Northfield K-8"),
    ],
)
def test_values_as_lists_scanners_and_pages_hold_them(kind: str, text: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ada Birdsong|10/12/1960|736-79-0121|abirdsong434@example.com",
        "Ada Birdsong, DOB 10/11/196 1",
        "Ada Birdsong, 11-IX-1960",
        "Ada Birdsong 401-555-2043 10/12/1960",
        "7|3|6|7|9|0|1|2|1",
        "the primary vote in Otis, on Cesar Chavez Day",
        "<p class='x' id='602-555-0144'>Ada Birdsong</p>",
        "write to birdsong433@NOSPAM.example.com",
    ],
)
def test_what_is_like_them_stays_alone(text: str) -> None:
    assert kinds(text) == set()


def test_bars_are_still_ones_inside_a_number() -> None:
    assert "phone:mobile" in kinds("call 602-555-0|43")
    assert "ssn" in kinds("ssn 736-79-0|20")
