"""Short forms, margins of lines, stamps and stripes: what is written so is read, what is like it stays alone."""

from __future__ import annotations

import pytest

from registry.domain.categories import Category
from registry.leaktrace.dossier import Member
from tests.unit.leaktrace.people import DANA, Index, Person, kinds

GRADES = Person(
    "000621",
    "Ines",
    "Quay",
    (Member("c1", "child", "Nell", "Quay"), Member("c2", "child", "Otto", "Quay")),
    (
        (Category.HOME_ADDRESS, {"line": "612 Martin Luther King Terrace Kalamazoo MI 49001"}, None),
        (Category.SCHOOL, {"name": "Pine Bluff Montessori School"}, "c1"),
        (Category.SCHOOL, {"name": "Cedar Ridge K-8"}, "c2"),
    ),
)
JUNIOR = Person(
    "000622",
    "Ruth",
    "Vale",
    (Member("c1", "child", "Maeve", "Vale"),),
    ((Category.SCHOOL, {"name": "Harbor Junior High"}, "c1"),),
)
PEOPLE = Index((DANA, GRADES, JUNIOR))


def found(text: str, person: Person) -> set[str]:
    return {one.kind for one in PEOPLE.match(text).findings if one.subject == person.subject}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("555-0123 (816)", "phone:mobile"),
        ("816 d0t 555 d0t 0123", "phone:mobile"),
        ("%B4111111111111111^DOE/J^29121010000?", "payment_card"),
        ("736-4$-6789", "ssn"),
        ("736-45-678g or 736-45-!789? no: 736-4S-6789", "ssn"),
        ("Dana O'Neil L4 SSN=6789", "ssn"),
        ("Dana O'Neil\nLast 4 SSN\n6789", "ssn"),
        ("Dana O'Neil SSN ..-..-6789", "ssn"),
        ("Dana O'Neil's number ends 0123", "phone:mobile"),
        ("s3v3n thr33 s1x f0ur f1v3 s1x s3v3n 31ght n1n3", "ssn"),
        ("736-45-67@9", "ssn"),
        ("736-45-67&9", "ssn"),
        ("7#3#6#4#5#6#7#8#9", "ssn"),
        ("736 -> 45 -> 6789", "ssn"),
        ("(DOB: 04 | 27 | 1961) Dana O'Neil", "date_of_birth"),
        ("1234 , Thornbury Ave, Kansas City, MO 64118", "home_address"),
        ("1234 * Thornbury Ave, Kansas City, MO 64118", "home_address"),
        ("street=1234+N+Thornbury+Ave&city=Kansas+City&state=MO", "home_address"),
        ("Dana O'Neil, last 4 digits of the social security number are 6789", "ssn"),
        ("Dana O'Neil SSN: ___-__-6789", "ssn"),
        ("Dana O'Neil, born 19610427000000Z", "date_of_birth"),
        ("Dana O'Neil, born 19610427T081500", "date_of_birth"),
        ("Dana O'Neil, born Month: 04 Day: 27 Year: 1961", "date_of_birth"),
        ("Dana O'Neil, born April27, 1961", "date_of_birth"),
        ("Dana O'Neil: chr neuropathy of rt shoulder, unsp.", "health"),
        ("#1234ThornburyAveKansasCity", "home_address"),
        ("> > > 1234\n> > > N Thornbury Ave, Kansas City", "home_address"),
        ("Mia is at #OtterCreekElementary", "school"),
        ("Mia is at Otter Creek Elementary's fair", "school"),
    ],
)
def test_a_value_of_dana(text: str, kind: str) -> None:
    assert kind in kinds(f"So. {text}\nEnd.")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("555-0123 (817)", "phone:mobile"),
        ("913-555-0123\t816-555-0199", "phone:mobile"),
        ("555-0123 (816) 555-0199", "phone:mobile"),
        ("913-555-0123 (816)", "phone:mobile"),
        ("5550123816", "phone:mobile"),
        ("816 do 555 do 0123", "phone:mobile"),
        ("%B4111111111111112^DOE/J^29121010000?", "payment_card"),
        ("$736-45-678", "ssn"),
        ("Dana O'Neil L4 6780", "ssn"),
        ("policy 736-45-6789-73", "ssn"),
        ("claim 12-736-45-6789", "ssn"),
        ("ISBN 978-7-3645-6789-2", "ssn"),
        ("Dana O'Neil\nLast 4 SSN\n6780", "ssn"),
        ("s3v3n thr33 s1x f0ur f1v3 s1x s3v3n 31ght 31ght", "ssn"),
        ("736-45-67@8", "ssn"),
        ("Dana O'Neil's number ends 0124", "phone:mobile"),
        ("street=1234+N+Thornbury+Ave&city=Troy&state=MI", "home_address"),
        ("Address: 1234 N Thornbury Ave City: Troy State: MI", "home_address"),
        ("Dana O'Neil SSN: ___-__-6780", "ssn"),
        ("Dana O'Neil, born 19610428000000Z", "date_of_birth"),
        ("Dana O'Neil, born Month: 04 Day: 28 Year: 1961", "date_of_birth"),
        ("Dana O'Neil: chr neuropathy of lt shoulder, unsp.", "health"),
        ("Dana O'Neil: chr neuropathy of rt hip, unsp.", "health"),
        ("#1234ThornburyAveTroy, MI", "home_address"),
        ("Mia is at #OtterCreekHighSchool", "school"),
    ],
)
def test_what_is_only_like_a_value_of_dana(text: str, kind: str) -> None:
    assert kind not in kinds(f"So. {text}\nEnd.")


@pytest.mark.parametrize(
    "text",
    [
        "Nell goes to Pine Bluff Montessori",
        "Nell goes to Pine Bluff Monterssori School",
        "Nell goes to Pine Bluff School",
        "Otto goes to Cedar Ridge K-8",
        "Otto is in Cedar Ridge K-8's band",
    ],
)
def test_a_school_whose_kind_is_misspelt_or_left_out(text: str) -> None:
    assert found(f"{text}.", GRADES) == {"school"}


@pytest.mark.parametrize(
    "text",
    [
        "Nell goes to Pine Bluff Academy",
        "Nell goes to Pine Bluff Charter School",
        "Nell goes to Pine Bluff Elementary",
        "Otto goes to Cedar Ridge High School",
        "Otto goes to Cedar Ridge Charter School",
    ],
)
def test_a_school_of_another_kind_is_another_school(text: str) -> None:
    assert found(f"{text}.", GRADES) == set()


@pytest.mark.parametrize("school", ["Harbor JuniorHigh", "Harbor Jinior High", "Harbor Junior Hihg", "Harbor Midclle"])
def test_a_school_word_that_is_misread_or_glued(school: str) -> None:
    assert found(f"Maeve goes to {school} School.", JUNIOR) == {"school"}


def test_a_home_enrolled_without_commas_that_a_parser_takes_for_one_street() -> None:
    assert found("612 Martin Luther King Ter, Kalamazoo", GRADES) == {"home_address"}
    assert found("612 martin luther king terrace", GRADES) == {"home_address"}
    assert found("612 Martin Luther King Terrace, Detroit, MI 48201", GRADES) == set()


def test_captions_and_numbered_lines_are_one_text() -> None:
    said = [
        "we begin with the first of them and go on",
        "Dana O'Neil lives at 1234",
        "Thornbury Ave, born on",
        "4/27/1961",
    ]
    said += [f"and that was the case of number {word} for all" for word in ("one", "two", "three", "four", "five")]
    captions = "\n\n".join(
        f"{place}\n00:00:0{place},000 --> 00:00:0{place},900\n{line}" for place, line in enumerate(said, 1)
    )
    numbered = "\n".join(f"{place:>3}    {line}" for place, line in enumerate(said, 1))
    for text in (captions, numbered):
        assert kinds(text) == {"home_address", "date_of_birth"}


def test_an_area_code_in_a_column_of_its_own() -> None:
    rows = [f"Pat Roe {letter},417,555010{place}" for place, letter in enumerate("ABCDE")]
    table = "\n".join(["name,area,phone", *rows, "Dana O'Neil,816,5550123"])
    assert kinds(table) == {"phone:mobile"}
    assert kinds(table.replace("816,", "817,")) == set()
    assert kinds(table.replace("area", "rank")) == set()
