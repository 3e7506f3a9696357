"""Values as links, scanners, forums and transcripts write them: each way is read, and what is like it stays alone."""

from __future__ import annotations

import json

import pytest

from registry.domain.categories import Category
from registry.leaktrace.dossier import Member
from tests.unit.leaktrace.people import DANA, INDEX, Index, Person, kinds

BOX = Person(
    "000511",
    "Ada",
    "St. Clair",
    (Member("s1", "spouse", "Jean-Paul", "de la Cruz"), Member("c1", "child", "Otis", "St. Clair")),
    (
        (Category.HOME_ADDRESS, {"line": "PO Box 9545, Sault Ste. Marie, MI 49765"}, None),
        (Category.SCHOOL, {"name": "P.S. 167"}, "c1"),
        (Category.SSN, {"number": "742-11-8018"}, None),
        (Category.PHONE, {"kind": "mobile", "number": "913-555-8018"}, None),
        (Category.DATE_OF_BIRTH, {"date": "1981-06-05"}, None),
        (Category.HEALTH, {"statement": "Type 2 diabetes with retinopathy"}, None),
    ),
)
SAINT = Person(
    "000512", "Noemi", "Lowe", (), ((Category.HOME_ADDRESS, {"line": "60 Saint John Rd, Gary, IN 46402"}, None),)
)
ROAD = Person(
    "000513", "Ezra", "Tran", (), ((Category.HOME_ADDRESS, {"line": "35910 County Road 78, Taos, NM 87571"}, None),)
)
PEOPLE = Index((DANA, BOX, SAINT, ROAD))


def found(text: str, person: Person) -> set[str]:
    return {one.kind for one in PEOPLE.match(text).findings if one.subject == person.subject}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://maps.example.com/?q=1234+N+Thornbury+Ave%2C+Kansas+City%2C+MO+64118", "home_address"),
        ("addr=1234%20N%20Thornbury%20Ave,%20Kansas%20City", "home_address"),
        ("12 34 N Thornbury Ave, Kansas City, MO 64118", "home_address"),
        ("1234 ThornburyAve, Kansas City", "home_address"),
        ("at 1234 N Thornbury Ave in Kansas City. Ref 20311.", "home_address"),
        ("1234 N Thorn-\nbury Ave, Kansas City, MO", "home_address"),
        ("1234 N Thornbury Ave, Kansas City, MO - 70255 50114", "home_address"),
        ("la casa es 1234 Thornbury Ave, la niña va a pie", "home_address"),
        ("1*2*3*4 T*h*o*r*n*b*u*r*y A*v*e, K*a*n*s*a*s C*i*t*y", "home_address"),
        ("1234 Th0rnbur¥ Ave, K@n$a$ City", "home_address"),
        ("8|6-555-0123", "phone:mobile"),
        ("816 ' 555 ' 0123", "phone:mobile"),
        ("eight hundred sixteen, five fifty-five, oh one twenty-three", "phone:mobile"),
        ("ocho uno seis cinco cinco cinco cero uno dos tres", "phone:mobile"),
        ("8one6-five55-zero123", "phone:mobile"),
        ("(816, 'dana.oneil@example.org', 3)", "email"),
        ("dana_dot_oneil_at_example_dot_org", "email"),
        ("dana.oneil (a) example.org", "email"),
        ("EightOneSix-FiveFiveFive-ZeroOne-TwoThree", "phone:mobile"),
        ("Dana O'Neil, social security number ending in 6789", "ssn"),
        ("number for Dana O'Neil ends w/ 0123", "phone:mobile"),
        ("dana-dot-oneil-at-example-dot-org", "email"),
        ("dana,oneil@example,org", "email"),
        ("dana.oneil@exarnp1e.org", "email"),
        ("XYZ*789", "vehicle_plate"),
        ("plate X Y Z 7 8 9", "vehicle_plate"),
        ("#DanaOneil, born IV/27/1961, no: 4/27/1961", "date_of_birth"),
        ("O'Neil Dana, born 04/27/19 61", "date_of_birth"),
        ("Dana Lee O'Neil was born 4/27/61", "date_of_birth"),
    ],
)
def test_a_value_of_dana(text: str, kind: str) -> None:
    assert kind in kinds(f"So. {text}\nEnd.")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Sault Ste. Marie, MI 49765: P.O. Box 9545", "home_address"),
        ("PO Box 9S45, 49765", "home_address"),
        ("Otis goes to P.S. 167, third grade", "school"),
        ("Otis goes to PS 167", "school"),
        ("Otis goes to PS #167", "school"),
        ("Otis is in Public School No. 167", "school"),
        ("Otis goes to P.S. I67", "school"),
        ("Ada St. Clair is married to Jean-Paul de la Cruz", "family_member:spouse"),
        ("St. Clair, Ada. Born II/5/1990. Born 6/5/1981.", "date_of_birth"),
        ("Ada St. Clair has type 2 diab etes with retinopathy", "health"),
        ("Ada St. Clair (SSN ...8018)", "ssn"),
        ("SS# ending 8018 belongs to Ada St. Clair", "ssn"),
    ],
)
def test_a_value_of_ada(text: str, kind: str) -> None:
    assert kind in found(f"{text}.\nEnd.", BOX)


def test_a_known_word_that_was_misread_and_a_number_in_a_road() -> None:
    assert found("60 Salnt John Rd, Gary", SAINT) == {"home_address"}
    assert found("60 S41n7 J0hn Rd, Gary", SAINT) == {"home_address"}
    assert found("60 S a i n t J o h n Rd, Gary, IN", SAINT) == {"home_address"}
    assert found("35910 C0un7y R04d 7B, Taos, NM", ROAD) == {"home_address"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The total is 8,165,550,123.00 dollars", "phone:mobile"),
        ("invoice 736,456,789", "ssn"),
        ("In 12 34 Thornbury Ave came up", "home_address"),
        ("dana.oneil@exarnple.com", "email"),
        ("at 5 X Y Z 7 of 8", "vehicle_plate"),
        ("Dana Castellan was born 4/27/1961", "date_of_birth"),
    ],
)
def test_what_is_only_like_a_value_of_dana(text: str, kind: str) -> None:
    assert kind not in kinds(f"So. {text}\nEnd.")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SS# ending 8018 belongs to Ada St. Clair", "phone:mobile"),
        ("Otis goes to P.S. 176", "school"),
        ("Otis: p s 167", "school"),
        ("Mia goes to P.S. 167", "school"),
        ("PO Box 9545, Detroit, MI 48201", "home_address"),
        ("P.O. Box 9545", "home_address"),
    ],
)
def test_what_is_only_like_a_value_of_ada(text: str, kind: str) -> None:
    assert kind not in found(f"{text}.\nEnd.", BOX)


def test_records_of_the_same_few_lines_are_rows() -> None:
    others = [f"Mo {letter}x\nJo {letter}x\n19{number}-03-12" for number, letter in enumerate("ABCDEF", 61)]
    blocks = [*others, "Dana O'Neil\nRobin Castellan\n1960-01-01", "Pat Roe\nKim Roe\n1961-04-27"]
    assert "date_of_birth" not in kinds("\n\n".join(blocks))
    assert "family_member:spouse" in kinds("\n\n".join(blocks))
    letter = ["Dana O'Neil\nA\nB", "hello", "One\ntwo", "a\nb\nc\nd", "born 4/27/1961", "x\ny", "z", "Yours\nQ\nR"]
    assert "date_of_birth" in kinds("\n\n".join(letter))


def test_rows_of_arrays_and_of_named_cells_anchor_their_own_cells() -> None:
    rows = [["Mo Ax", "1961-04-27", "x"], ["Dana O'Neil", "1960-01-01", "y"], ["Jo Bx", "1950-03-12", "z"]]
    assert "date_of_birth" not in kinds(json.dumps(rows))
    rows[1][1] = "1961-04-27"
    assert "date_of_birth" in kinds(json.dumps(rows))
    names = ["Mo Ax", "Jo Bx", "Pat Roe", "Dana O'Neil"]
    lines = [f"{number}. name: {name}; spouse: Robin Castellan; born: 1950-01-02" for number, name in enumerate(names)]
    (found,) = INDEX.match("\n".join(lines)).findings
    assert (found.kind, found.member) == ("family_member:spouse", "s1")
    assert len(found.spans) == 1


LETTERS = Person(
    "000514",
    "Ione",
    "Marsh",
    (),
    (
        (Category.HOME_ADDRESS, {"line": "1241 S. Oakum St, Gary, IN 46402"}, None),
        (Category.VEHICLE_PLATE, {"plate": "KB 4128", "state": "IN"}, None),
        (Category.PHONE, {"kind": "mobile", "number": "513-555-0146"}, None),
    ),
)
ELEVENTH = Person(
    "000515", "Abel", "Kroll", (), ((Category.HOME_ADDRESS, {"line": "908 W 11th St, Gary, IN 46402"}, None),)
)
EIGHTH = Person("000516", "Cora", "Lind", (), ((Category.HOME_ADDRESS, {"line": "77 8th Ave, Gary, IN 46402"}, None),))
MORE = Index((DANA, LETTERS, ELEVENTH, EIGHTH))


@pytest.mark.parametrize(
    ("text", "person", "kind"),
    [
        ("she is at 1241 (S)outh Oakum Street in Gary", LETTERS, "home_address"),
        ("1241 S|o|u|t|h O|a|k|u|m Street, Gary", LETTERS, "home_address"),
        ("1|2|4|1 S|o|u|t|h O|a|k|u|m S|t|r|e|e|t, Gary", LETTERS, "home_address"),
        ("1241 S/o/u/t/h O/a/k/u/m Street, Gary", LETTERS, "home_address"),
        ("twelve forty-one South Oakum Street, Gary", LETTERS, "home_address"),
        ("twelve forty one S. Oakum Street", LETTERS, "home_address"),
        ("plate K-B 4128 was seen", LETTERS, "vehicle_plate"),
        ("plate K-B-4-1-2-8 was seen", LETTERS, "vehicle_plate"),
        ("call $13-555-0146 or 513-$55-0146", LETTERS, "phone:mobile"),
        ("513.$55.0146", LETTERS, "phone:mobile"),
        ("908 W IIth St, Gary", ELEVENTH, "home_address"),
        ("908 W llth St, Gary", ELEVENTH, "home_address"),
        ("77 8tb Ave, Gary", EIGHTH, "home_address"),
        ("77 8lh Ave, Gary", EIGHTH, "home_address"),
    ],
)
def test_letters_apart_and_misread_ordinals_are_read(text: str, person: Person, kind: str) -> None:
    assert kind in {one.kind for one in MORE.match(text).findings if one.subject == person.subject}


@pytest.mark.parametrize(
    "text",
    [
        "it costs $13 555 0146 times",
        "he paid $55-0146 for it, area 513",
        "item 12 (S) outh 41 Oakum",
        "1241 N|o|r|t|h O|a|k|u|m Street, Gary",
        "plate K-B 4129 was seen",
        "77 8lb Ave, Gary",
        "908 W Lith St, Gary",
        "5.13555E+09",
    ],
)
def test_what_is_like_them_is_nobodys(text: str) -> None:
    assert not MORE.match(text).findings
