"""The body of an update, and new values settled against the categories of their records."""

import pytest

from registry.domain.categories import Category
from registry.domain.enrollment import NewVersion
from registry.domain.errors import InvalidInput
from registry.domain.marks import Mark, Tier
from registry.text.intake import read_changes, settle_versions
from tests.unit.text_rules.people import TODAY

ONE = "1" * 32
TWO = "2" * 32


def problems_of(document: object) -> list[tuple[str, str]]:
    try:
        read_changes(document, today=TODAY)
    except InvalidInput as refusal:
        return [(problem.pointer, problem.code) for problem in refusal.problems]
    return []


def test_a_whole_change():
    changes = read_changes(
        {
            "department": "Water",
            "title": "",
            "add_family": [{"ref": "c2", "relation": "child", "given_name": "Ash"}],
            "add_records": [
                {"category": "school", "member": "c2", "value": {"name": "Made Up High"}},
                {"category": "phone", "member": TWO, "value": {"kind": "home", "number": "816-555-0124"}},
            ],
            "versions": [{"record": ONE, "value": {"kind": "home", "number": "816-555-0125"}}],
            "marks": [{"record": ONE, "confidentiality": "sealed", "review_on": "2027-01-01"}],
            "ends": [{"record": TWO}],
        },
        today=TODAY,
    )
    assert (changes.given_name, changes.family_name, changes.department, changes.title) == (None, None, "Water", "")
    assert changes.add_family[0].ref == "c2"
    assert [entry.member for entry in changes.add_records] == ["c2", TWO]
    assert (changes.versions[0].record, changes.versions[0].pointer) == (ONE, "/versions/0")
    assert (changes.marks[0].record, changes.marks[0].mark.tier) == (ONE, Tier.SEALED)
    assert changes.ends == (TWO,)
    assert "816" not in repr(changes)
    assert "Water" not in repr(changes)


def test_what_is_left_out_stays():
    changes = read_changes({"family_name": "Sample"}, today=TODAY)
    assert (changes.given_name, changes.title, changes.versions, changes.ends) == (None, None, (), ())


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, ("", "wrong_type")),
        ([], ("", "wrong_type")),
        ({}, ("", "no_changes")),
        ({"employee_number": "1", "title": "x"}, ("", "unknown_key")),
        ({"given_name": ""}, ("/given_name", "empty")),
        ({"given_name": None}, ("/given_name", "wrong_type")),
        ({"title": None}, ("/title", "wrong_type")),
        ({"department": "\x1b"}, ("/department", "control_character")),
        ({"family_name": "<b>"}, ("/family_name", "name_character")),
        ({"versions": {}}, ("/versions", "wrong_type")),
        ({"versions": [{"record": "1", "value": {}}]}, ("/versions/0/record", "record_form")),
        ({"versions": [{"record": ONE + "\n", "value": {}}]}, ("/versions/0/record", "record_form")),
        ({"versions": [{"record": ONE.replace("1", "A"), "value": {}}]}, ("/versions/0/record", "record_form")),
        ({"versions": [{"record": ONE}]}, ("/versions/0/value", "missing")),
        ({"versions": [{"record": ONE, "value": "x"}]}, ("/versions/0/value", "wrong_type")),
        ({"versions": [{"record": ONE, "value": {}, "member": "x"}]}, ("/versions/0", "unknown_key")),
        ({"versions": [{"value": {}}]}, ("/versions/0/record", "missing")),
        ({"versions": [{"record": ONE, "value": {}}] * 2}, ("/versions/1/record", "repeated_record")),
        ({"versions": [{}] * 201}, ("/versions", "too_many")),
        ({"marks": [{"record": ONE, "basis": "x"}]}, ("/marks/0/confidentiality", "missing")),
        ({"marks": [{"record": ONE, "confidentiality": "top"}]}, ("/marks/0/confidentiality", "not_one_of")),
        ({"ends": [ONE]}, ("/ends/0", "wrong_type")),
        ({"ends": [{"record": ONE}, {"record": ONE}]}, ("/ends/1/record", "repeated_record")),
        (
            {"ends": [{"record": ONE}], "marks": [{"record": ONE, "confidentiality": "none"}]},
            ("/ends", "conflicting_change"),
        ),
        ({"ends": [{"record": ONE}], "versions": [{"record": ONE, "value": {}}]}, ("/ends", "conflicting_change")),
        (
            {"add_records": [{"category": "school", "member": "c9", "value": {"name": "Made Up High"}}]},
            ("/add_records/0/member", "unknown_member"),
        ),
        (
            {"add_records": [{"category": "school", "member": ONE + "\n", "value": {"name": "Made Up High"}}]},
            ("/add_records/0/member", "unknown_member"),
        ),
    ],
)
def test_changes_refused(document, problem):
    assert problems_of(document) == [problem]


def test_a_new_value_and_a_new_mark_of_one_record_go_together():
    value = {"number": "736-45-6789"}
    document = {
        "versions": [{"record": ONE, "value": value}],
        "marks": [{"record": ONE, "confidentiality": "none"}],
    }
    changes = read_changes(document, today=TODAY)
    assert changes.marks[0].mark == Mark(Tier.NONE)
    settled = settle_versions(changes.versions, {ONE: Category.SSN}, today=TODAY)
    assert settled == (NewVersion(ONE, Category.SSN, value),)


def test_values_are_settled_against_the_category():
    document = {
        "versions": [
            {"record": ONE, "value": {"number": "736-45-6789"}},
            {"record": TWO, "value": {"number": "000-45-6789"}},
            {"record": "3" * 32, "value": {"number": "816-555-0123"}},
            {"record": "4" * 32, "value": {"number": "736-45-6789", "Zq7Marker": "x"}},
            {"record": "5" * 32, "value": {"relation": "child"}},
        ]
    }
    categories = {ONE: Category.PHONE, TWO: Category.SSN, "4" * 32: Category.SSN, "5" * 32: Category.FAMILY_MEMBER}
    changes = read_changes(document, today=TODAY)
    with pytest.raises(InvalidInput) as refusal:
        settle_versions(changes.versions, categories, today=TODAY)
    assert [(problem.pointer, problem.code) for problem in refusal.value.problems] == [
        ("/versions/0/value/kind", "missing"),
        ("/versions/0/value/number", "phone_too_short"),
        ("/versions/1/value/number", "ssn_area"),
        ("/versions/2/record", "unknown_record"),
        ("/versions/3/value", "unknown_key"),
        ("/versions/4/value/family_name", "missing"),
    ]


def test_a_household_member_can_be_renamed():
    document = {"versions": [{"record": ONE, "value": {"relation": "child", "given_name": "Ash"}}]}
    changes = read_changes(document, today=TODAY)
    (settled,) = settle_versions(changes.versions, {ONE: Category.FAMILY_MEMBER}, today=TODAY)
    assert settled.value == {"relation": "child", "given_name": "Ash"}
