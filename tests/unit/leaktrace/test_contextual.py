"""Contextual values need an anchor in the same prose or row; parts of values need the full name."""

from __future__ import annotations

import pytest

from registry.domain.categories import Category
from registry.leaktrace.dossier import Member
from tests.unit.leaktrace.people import DANA, INDEX, PAVEL, Index, Person, kinds

NAMES = [
    "Dana O'Neil",
    "DANA O’NEIL",
    "O'Neil, Dana",
    "Dana J. O'Neil",
    "dana o'neil",
    "D4n4 O'Ne1l",
    "Dаna\nO'Nеil",
    "Dana O'Neii",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_birth_date_with_the_name(name: str) -> None:
    assert kinds(f"Note on {name}: born April 27, 1961.") == {"date_of_birth"}


@pytest.mark.parametrize("anchor", ["816-555-0123", "736-45-6789", "1234 Thornbury Ave", "dana.oneil@example.org"])
def test_a_birth_date_with_an_identifying_value(anchor: str) -> None:
    assert "date_of_birth" in kinds(f"{anchor}, born 4/27/61")


@pytest.mark.parametrize("who", ["", "Dana", "Mr. O'Neil", "Dana Zyx", "Paul O'Neil", "Robin Castellan"])
def test_a_birth_date_with_nobody_named(who: str) -> None:
    assert kinds(f"{who} was born on 1961-04-27") == set()


@pytest.mark.parametrize(
    "statement",
    [
        "Chronic neuropathy of right shoulder, unspecified",
        "CHRONIC NEUROPATHY OF RIGHT SHOULDER UNSPECIFIED",
        "chronic neuropahty of right\nshouldder, unspecified",
        "right shoulder: unspecified chronic neuropathy",
        "Chr0nic neur0pathy of right sh0ulder, unspecified",
    ],
)
def test_a_health_statement_with_the_name(statement: str) -> None:
    assert kinds(f"Dana O'Neil has {statement} since May.") == {"health"}


@pytest.mark.parametrize(
    "statement",
    [
        "Chronic neuropathy of left shoulder, unspecified",
        "Chronic neuropathy of right shoulder, specified",
        "Acute neuropathy of right shoulder, unspecified",
        "unspecified right shoulder without chronic neuropathy",
        "neuropathy",
    ],
)
def test_another_statement_is_none(statement: str) -> None:
    assert kinds(f"Dana O'Neil has {statement}.") == set()


def test_a_statement_needs_an_anchor() -> None:
    assert kinds("She has chronic neuropathy of right shoulder, unspecified.") == set()


@pytest.mark.parametrize(
    "school",
    [
        "Otter Creek Elem.",
        "OTTER CREEK ELEMENTARY SCHOOL",
        "Otter Creek ES",
        "Oter Creek Elementray",
        "0tt3r Cr33k 3l3m.",
    ],
)
def test_a_school_with_its_child_or_the_name(school: str) -> None:
    assert kinds(f"They drop Mia at {school} daily") == {"school"}
    assert kinds(f"Dana O'Neil waits at {school} daily") == {"school"}


@pytest.mark.parametrize(
    "text",
    [
        "They go to Otter Creek Elem. daily",
        "They drop Will at Otter Creek Elem. daily",
        "Mia Zanderson goes to Otter Creek Elem.",
        "Mia goes to Otter Creek High",
        "Mia goes to North Otter Creek Elem.",
        "Mia goes to Otter Ridge Elem.",
        "mia in lower case at Otter Creek Elem.",
    ],
)
def test_a_school_alone_or_with_others_is_none(text: str) -> None:
    assert kinds(text) == set()


def test_the_right_one_of_two_children_at_one_school() -> None:
    text = "Ivo goes to Otter Creek Elem."
    assert kinds(text) == set()
    assert kinds(text, PAVEL) == {"school"}


def test_members_by_full_name() -> None:
    assert kinds("Dana O'Neil married Robin Castelan.") == {"family_member:spouse"}
    assert kinds("Robin Castellan came by.") == set()
    assert kinds("Mia O'Neil attends Otter Creek Elem.") == {"family_member:child", "school"}
    assert kinds("Mia O'Neil attends another school.") == set()


@pytest.mark.parametrize(
    "part",
    [
        "SSN ending in 6789", "ssn (last 4) 6789", "xxx-xx-6789", "***-**-6789", "last four of social: 6789",
        "###-##-6789",
        "•••••6789",
    ],
)  # fmt: skip
def test_last_four_with_the_full_name(part: str) -> None:
    assert kinds(f"Dana O'Neil, {part}") == {"ssn"}
    assert kinds(f"Somebody, {part}") == set()
    assert kinds(f"Dana, {part}") == set()


@pytest.mark.parametrize("part", ["xxx-xxx-0123", "cell ending in 0123", "555-0123", "(***) ***-0123"])
def test_last_four_of_a_phone(part: str) -> None:
    assert kinds(f"Dana O'Neil: {part}") == {"phone:mobile"}


@pytest.mark.parametrize("part", ["SSN ending in 6798", "card ending in 6789", "556-0123", "room 6789", "xxx-xxx-6789"])
def test_other_last_four_are_none(part: str) -> None:
    assert kinds(f"Dana O'Neil: {part}") == set()


def test_a_name_alone_is_nothing_and_opens_nobody() -> None:
    assert kinds("Dana O'Neil spoke at the meeting.") == set()


def test_weaker_matches_are_listed_as_possible() -> None:
    matching = INDEX.match("816-555-0123 and SSN ending in 6789")
    assert {finding.kind for finding in matching.possible} == {"ssn"}
    assert all(finding.confidence < 0.5 for finding in matching.possible)


def test_rows_anchor_only_themselves() -> None:
    rows = ["name,born", "Dana O'Neil,1962-01-01", "Sam Poe,1961-04-27", "Lee Ash,1970-01-01", "Kim Fir,1971-01-01",
            "Ann Elm,1972-01-01", "Bo Yew,1973-01-01", "Cy Bay,1974-01-01", "Di Oak,1975-01-01"]  # fmt: skip
    assert kinds("\n".join(rows)) == set()
    rows[1] = "Dana O'Neil,1961-04-27"
    assert kinds("\n".join(rows)) == {"date_of_birth"}
    rows[0], rows[1] = "given,family,born", "Dana,O'Neil,1961-04-27"
    rows[2:] = [row.replace(" ", ",") for row in rows[2:]]
    assert kinds("\n".join(rows)) == {"date_of_birth"}


def test_in_tables_parts_need_another_exact_value() -> None:
    filler = "\n".join(f"{number} Alder St;70{number}-555-0101" for number in range(10, 19))
    assert kinds(f"street;cell\n1234 Thornbury Ave;none\n{filler}") == set()
    assert kinds(f"street;cell\n1234 Thornbury Ave;816-555-0123\n{filler}") == {"home_address", "phone:mobile"}
    last = "\n".join(f"Sam Poe {number};xxx-xx-110{number}" for number in range(9))
    assert kinds(f"name;ssn\nDana O'Neil;xxx-xx-6789\n{last}") == set()


def test_city_and_zip_columns_complete_a_street() -> None:
    rows = [f"{number} Alder St\tTopeka\t6660{number % 10}" for number in range(10, 19)]
    assert kinds("\n".join(["1234 Thornbury Ave\tKansas City\t64118", *rows])) == {"home_address"}
    assert kinds("\n".join(["1234 Thornbury Ave\tSpringfield\t65806", *rows])) == set()


def test_labelled_columns_complete_or_contradict_wherever_they_stand() -> None:
    rows = [f"Topeka,{number} Alder St,Sam Poe,6660{number % 10}" for number in range(10, 19)]
    head = "town,street,who,zip"
    assert kinds("\n".join([head, "Kansas City,1234 Thornbury Ave,Sam Poe,64118", *rows])) == {"home_address"}
    assert kinds("\n".join([head, "Springfield,1234 Thornbury Ave,Dana O'Neil,65806", *rows])) == set()


def test_columns_before_the_street_contradict_it_too() -> None:
    rows = [f"Topeka,6660{number % 10},{number} Alder St,Sam Poe" for number in range(10, 19)]
    head = "town,zip,street,who"
    assert kinds("\n".join([head, "Kansas City,64118,1234 Thornbury Ave,Dana O'Neil", *rows])) == {"home_address"}
    assert kinds("\n".join([head, "Springfield,65806,1234 Thornbury Ave,Dana O'Neil", *rows])) == set()


def test_a_school_named_like_the_child_does_not_name_the_child() -> None:
    school = (Category.SCHOOL, {"name": "Ivo Elem."}, "c1")
    index = Index((Person("100003", "Nell", "Grant", PAVEL.members, (school, *PAVEL.records[:1])),))
    assert index.match("They wait at Ivo elementary daily").findings == ()
    assert [finding.kind for finding in index.match("Ivo goes to Ivo Elem.").findings] == ["school"]


def test_couples_are_both_found() -> None:
    robin = Person("100001", "Robin", "Castellan", (), (DANA.records[0],))
    found = Index((DANA, robin)).match("1234 Thornbury Ave, Kansas City").findings
    assert {finding.employee_number for finding in found} == {"004211", "100001"}


def test_about_twenty_terms_a_person() -> None:
    assert len(DANA.terms()) <= 40


@pytest.mark.parametrize(
    "written",
    [
        "27 de abril de 1961",
        "27. April 1961",
        "27 avril 1961",
        "1961年4月27日",
        "04271961",
    ],
)
def test_a_birth_date_of_other_writings(written: str) -> None:
    assert "date_of_birth" in kinds(f"Dana O'Neil, born {written}")


@pytest.mark.parametrize("name", ["Dana A. O'Neil", "dana o'neil"])
def test_members_and_initials(name: str) -> None:
    assert "family_member:spouse" in kinds(f"{name}, married to robin castellan")


def test_a_statement_of_one_short_word_must_be_right() -> None:
    records = ((Category.HEALTH, {"statement": "Gout"}, None), (Category.SSN, {"number": "736-45-6789"}, None))
    index = Index((Person("000417", "Ada", "Quill", (), records),))
    for text in ("736-45-6789 ran out of time", "Ada Quill, 736-45-6789, told us about out-of-line goats"):
        assert {finding.kind for finding in index.match(text).findings} == {"ssn"}
    assert {finding.kind for finding in index.match("736-45-6789 has GOUT").findings} == {"ssn", "health"}


@pytest.mark.parametrize("label", ["SSN_last4", "last4", "ssn4"])
def test_a_column_of_last_four_digits(label: str) -> None:
    rows = [("Dana O'Neil", "6789"), *((f"Some Body{number}", f"{number}321") for number in range(1, 9))]
    table = f"name,id,{label}\n" + "\n".join(f"{name},{number},{four}" for number, (name, four) in enumerate(rows))
    assert kinds(table) == {"ssn"}
    assert kinds(table.replace(label, "floor")) == set()


def test_a_school_right_behind_its_child() -> None:
    assert "school" in kinds("Please share with #Mia Otter Creek Elem today")


def test_a_school_without_a_school_word_in_its_column() -> None:
    person = Person("000417", "Ada", "Quill", (), ((Category.SCHOOL, {"name": "Children's House"}, None),))
    table = "name,school\n" + "\n".join(
        f"{name},Children's House" for name in ["Ada Quill", *(f"Mo {c}x" for c in "ABCDEFGH")]
    )
    assert len(Index((person,)).match(table).findings) == 1


def test_a_part_of_the_own_name_or_another_member_is_no_member() -> None:
    person = Person(
        "000417",
        "Ngoc Lan",
        "Dang",
        (
            Member("s1", "spouse", "June", "Dang"),
            Member("c1", "child", "Jun", "Dang"),
            Member("c2", "child", "Ian", "Dang"),
        ),
        ((Category.SSN, {"number": "736-45-6789"}, None),),
    )
    found = Index((person,)).match("Ngoc Lan Dang, 736-45-6789, with June Dang").findings
    assert {(finding.kind, finding.member) for finding in found} == {("ssn", None), ("family_member:spouse", "s1")}


def test_a_members_name_that_ends_a_sentence_is_no_part_of_the_next_name() -> None:
    text = "1234 N. Thornbury Ave., Kansas City, MO 64118: she was with Mia O'Neil. Dana has two more."
    assert "family_member:child" in kinds(text)
