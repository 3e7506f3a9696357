"""Whole enrollment bodies: shapes, pointers, lists of problems, canonical bytes."""

import pytest

from registry.domain.categories import Category
from registry.domain.enrollment import Relation
from registry.domain.errors import InvalidInput
from registry.domain.marks import Mark, Tier
from registry.text.intake import canonical_document, read_enrollment
from registry.text.rules.reading import MAX_PROBLEMS
from registry.text.rules.values import VALUE_RULES
from tests.unit.text_rules.people import TODAY, problems_of, whole, with_record

LINE = {"line": "1234 Made Up Rd, Kansas City, MO 64118"}
PARTS = {"street": "1234 Made Up Rd", "city": "Kansas City", "state": "MO", "postal_code": "64118"}


def test_a_whole_enrollment_comes_back_as_given():
    enrollment = read_enrollment(whole(), today=TODAY)
    assert (enrollment.employee_number, enrollment.given_name, enrollment.family_name) == (
        "KC-004211",
        "Dana",
        "O'Neil",
    )
    assert (enrollment.department, enrollment.title) == ("Parks", "Gardener")
    spouse, child = enrollment.family
    assert (spouse.ref, spouse.relation, spouse.mark) == ("s1", Relation.SPOUSE, Mark(basis="HR policy 12"))
    assert (child.ref, child.relation, child.mark.tier) == ("c1", Relation.CHILD, Tier.SEALED)
    for entry, given in zip(enrollment.records, whole()["records"], strict=True):
        assert entry.category == given["category"]
        assert dict(entry.value) == given["value"]
        assert entry.member == given.get("member")
    assert enrollment.records[2].mark.tier is Tier.RESTRICTED
    assert enrollment.records[0].mark == Mark()
    assert str(enrollment.records[8].mark.starts_on) == "2026-01-01"


def test_family_and_records_may_be_left_out():
    document = {"employee_number": "1", "given_name": "Dana", "family_name": "Sample", "department": "Parks"}
    enrollment = read_enrollment(document, today=TODAY)
    assert (enrollment.title, enrollment.family, enrollment.records) == ("", (), ())


def test_every_category_has_a_rule():
    assert set(VALUE_RULES) == set(Category)


@pytest.mark.parametrize("document", [None, True, 1, 1.5, "x", [], [{}], [whole()]])
def test_the_body_is_an_object(document):
    assert problems_of(document) == [("", "wrong_type")]


def test_missing_members():
    assert problems_of({}) == [("/employee_number", "missing"), ("/family_name", "missing"), ("/department", "missing")]
    assert problems_of({"title": "Clerk"}) == problems_of({})


@pytest.mark.parametrize("key", ["employee_number", "given_name", "family_name", "department", "title"])
@pytest.mark.parametrize("value", [None, 0, 7, 1.5, True, [], ["x"], {}, {"x": "y"}])
def test_directory_texts_are_texts(key, value):
    document = whole()
    document[key] = value
    assert problems_of(document) == [(f"/{key}", "wrong_type")]


@pytest.mark.parametrize("key", ["employee_number", "given_name", "family_name", "department", "title"])
def test_directory_texts_are_not_empty(key):
    document = whole()
    document[key] = ""
    assert problems_of(document) == [(f"/{key}", "empty")]


@pytest.mark.parametrize("key", ["family", "records"])
@pytest.mark.parametrize("value", [None, "", "x", 3, {}, {"0": {}}])
def test_lists_are_lists(key, value):
    document = whole() | {"family": [], "records": [], key: value}
    assert problems_of(document) == [(f"/{key}", "wrong_type")]


@pytest.mark.parametrize("item", [None, "", 3, [], "c1"])
def test_list_items_are_objects(item):
    assert problems_of(whole() | {"records": [item]}) == [("/records/0", "wrong_type")]
    assert problems_of(whole() | {"family": [item], "records": []}) == [("/family/0", "wrong_type")]


@pytest.mark.parametrize("key", ["nickname", "Employee_number", "id", "736-45-6789", "", "a/b~c", "__proto__"])
def test_unknown_keys_are_refused_without_being_named(key):
    for holder, pointer in (
        (lambda document: document, ""),
        (lambda document: document["family"][1], "/family/1"),
        (lambda document: document["records"][4], "/records/4"),
        (lambda document: document["records"][4]["value"], "/records/4/value"),
    ):
        document = whole()
        holder(document)[key] = "x"
        assert problems_of(document) == [(pointer, "unknown_key")]


def test_every_value_wants_its_own_keys():
    for position, record in enumerate(whole()["records"]):
        for key in record["value"]:
            document = whole()
            del document["records"][position]["value"][key]
            expected = [] if key == "city" else [(f"/records/{position}/value/{key}", "missing")]
            if key == "line":
                expected = [(f"/records/{position}/value/{part}", "missing") for part in ("street", "city")]
            assert problems_of(document) == expected


@pytest.mark.parametrize("value", [None, 0, True, [], {}, ["x"]])
def test_every_text_of_a_value_is_a_text(value):
    for position, record in enumerate(whole()["records"]):
        for key in record["value"]:
            document = whole()
            document["records"][position]["value"][key] = value
            assert problems_of(document) == [(f"/records/{position}/value/{key}", "wrong_type")]


@pytest.mark.parametrize("value", [None, "736-45-6789", 1, [], [["number", "736-45-6789"]]])
def test_values_are_objects(value):
    assert problems_of(with_record("ssn", value)) == [("/records/0/value", "wrong_type")]


def test_a_record_needs_category_and_value():
    assert problems_of(whole() | {"records": [{}]}) == [
        ("/records/0/category", "missing"),
        ("/records/0/value", "missing"),
    ]


@pytest.mark.parametrize(
    ("category", "code"),
    [("SSN", "not_one_of"), ("passport", "not_one_of"), (None, "wrong_type"), ("", "empty"), ([], "wrong_type")],
)
def test_unknown_categories(category, code):
    assert problems_of(with_record(category, {"number": "736-45-6789"})) == [("/records/0/category", code)]


def test_household_members_are_no_records():
    document = with_record("family_member", {"relation": "child", "given_name": "Ash"})
    assert problems_of(document) == [("/records/0/category", "family_entry_needed")]


def test_refs():
    for ref, code in (
        ("", "empty"),
        (" ", "ref_form"),
        ("c 1", "ref_form"),
        ("c1\n", "ref_form"),
        ("/c1", "ref_form"),
        ("é", "ref_form"),
        ("0" * 32, "ref_form"),
        (1, "wrong_type"),
        (None, "wrong_type"),
    ):
        document = whole() | {"records": []}
        document["family"][0]["ref"] = ref
        assert problems_of(document) == [("/family/0/ref", code)]
    document = whole()
    document["family"][0]["ref"] = "c1"
    assert problems_of(document) == [("/family/1/ref", "duplicate_ref")]
    del document["family"][0]["ref"]
    assert problems_of(document) == [("/family/0/ref", "missing")]


def test_relations():
    document = whole()
    document["family"][0]["relation"] = "Spouse"
    document["family"][1]["relation"] = "dog"
    document["records"] = []
    assert problems_of(document) == [("/family/0/relation", "not_one_of"), ("/family/1/relation", "not_one_of")]


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("c2", "unknown_member"),
        ("C1", "unknown_member"),
        ("", "empty"),
        (None, "wrong_type"),
        ("0" * 32, "unknown_member"),
    ],
)
def test_members_are_in_the_family(member, code):
    document = with_record("school", {"name": "Made Up High"}, member=member)
    assert problems_of(document) == [("/records/0/member", code)]


def test_a_school_belongs_to_a_member():
    assert problems_of(with_record("school", {"name": "Made Up High"})) == [("/records/0/member", "member_needed")]
    assert problems_of(with_record("school", {"name": "Made Up High"}, member="c1")) == []


def test_other_categories_may_belong_to_a_member():
    assert problems_of(with_record("phone", {"kind": "mobile", "number": "816-555-0123"}, member="c1")) == []


def test_the_same_record_twice():
    document = whole()
    document["records"].append({"category": "phone", "value": {"number": "816-555-0123", "kind": "mobile"}})
    assert problems_of(document) == [("/records/9", "duplicate_record")]
    document["records"][9]["value"]["kind"] = "home"
    assert problems_of(document) == []
    document["records"][9] = document["records"][1] | {"member": "c1"}
    assert problems_of(document) == []


def test_one_birth_date_a_person():
    document = whole()
    document["records"].append({"category": "date_of_birth", "value": {"date": "1984-03-01"}})
    assert problems_of(document) == [("/records/9", "only_one")]
    document["records"][9]["member"] = "c1"
    assert problems_of(document) == []


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (LINE, []),
        (PARTS, []),
        (PARTS | {"unit": "Apt 5"}, []),
        ({"street": "RR 2 Box 152", "city": "Marshall"}, []),
        ({"line": "N6W23001 Made Up Rd, Waukesha, WI 53186"}, []),
        ({"line": "c/o Dana & Mia, 12½ Ste #5-B (rear)"}, []),
        ({"line": "東京都千代田区1-1"}, []),
        ({}, [("/street", "missing"), ("/city", "missing")]),
        ({"city": "Kansas City"}, [("/street", "missing")]),
        (PARTS | LINE, [("", "line_and_parts")]),
        (LINE | {"unit": "5"}, [("", "line_and_parts")]),
        ({"line": "1 Made Up Rd\nKansas City"}, [("/line", "control_character")]),
        ({"line": "1 Made Up Rd\x00"}, [("/line", "control_character")]),
        ({"line": "..., --"}, [("/line", "nothing_readable")]),
        ({"line": "1 <script>alert(1)</script> Rd"}, [("/line", "address_character")]),
        ({"line": "{{7*7}} Rd"}, [("/line", "address_character")]),
        ({"line": "1 Made Up Rd " + "x" * 300}, [("/line", "too_long")]),
        ({"line": "\u202e1 Made Up Rd"}, [("/line", "bidi_control")]),
        (PARTS | {"postal_code": "64118-1234"}, []),
        (PARTS | {"postal_code": "K1A 0B1"}, []),
        (PARTS | {"postal_code": "64118 or so"}, [("/postal_code", "postal_code_form")]),
        (PARTS | {"postal_code": "６4118"}, [("/postal_code", "postal_code_form")]),
        (PARTS | {"postal_code": 64118}, [("/postal_code", "wrong_type")]),
        (PARTS | {"unit": ""}, [("/unit", "empty")]),
        (PARTS | {"state": "M" * 61}, [("/state", "too_long")]),
    ],
)
def test_addresses(value, problems):
    assert problems_of(with_record("home_address", value)) == [(f"/records/0/value{at}", code) for at, code in problems]


@pytest.mark.parametrize(
    "text",
    [
        "+cmd|' /C notepad'!A1",
        '=HYPERLINK("http://example.com","click")',
        "<img src=x onerror=alert(1)>",
        "'; DROP TABLE people;--",
        "{{7*7}} ${7*7}",
        "None",
        "울란바토르",
        "x" * 4000,
    ],
)
def test_statements_are_kept_as_text_whatever_they_look_like(text):
    enrollment = read_enrollment(with_record("health", {"statement": text}), today=TODAY)
    assert enrollment.records[0].value == {"statement": text}


def test_long_texts():
    assert problems_of(with_record("health", {"statement": "x" * 4001})) == [("/records/0/value/statement", "too_long")]
    document = whole()
    document["department"] = document["title"] = "x" * 121
    document["records"][6]["value"] = {"name": "x" * 151, "city": "y" * 101}
    assert problems_of(document) == [
        ("/department", "too_long"),
        ("/title", "too_long"),
        ("/records/6/value/name", "too_long"),
        ("/records/6/value/city", "too_long"),
    ]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"confidentiality": "secret"}, ("confidentiality", "not_one_of")),
        ({"confidentiality": "Confidential"}, ("confidentiality", "not_one_of")),
        ({"confidentiality": None}, ("confidentiality", "wrong_type")),
        ({"confidentiality": ""}, ("confidentiality", "empty")),
        ({"basis": ""}, ("basis", "empty")),
        ({"basis": "x" * 201}, ("basis", "too_long")),
        ({"basis": "a\nb"}, ("basis", "control_character")),
        ({"starts_on": "2026-02-30"}, ("starts_on", "not_a_date")),
        ({"ends_on": 20260101}, ("ends_on", "wrong_type")),
        ({"review_on": "1066-10-14"}, ("review_on", "too_long_ago")),
        ({"starts_on": "2026-02-02", "ends_on": "2026-02-01"}, ("ends_on", "ends_before_start")),
    ],
)
def test_marks_refused(members, problem):
    document = with_record("ssn", {"number": "736-45-6789"}, **members)
    assert problems_of(document) == [(f"/records/0/{problem[0]}", problem[1])]


def test_marks_taken():
    days = {"starts_on": "2026-02-01", "ends_on": "2026-02-01", "review_on": "2031-01-01"}
    for tier in Tier:
        document = with_record(
            "ssn", {"number": "736-45-6789"}, confidentiality=tier.value, basis="HR policy 12", **days
        )
        mark = read_enrollment(document, today=TODAY).records[0].mark
        assert (mark.tier, mark.basis, mark.starts_on, mark.ends_on) == (
            tier,
            "HR policy 12",
            mark.ends_on,
            mark.starts_on,
        )


def test_family_marks_have_no_days():
    document = whole()
    document["family"][0]["starts_on"] = "2026-01-01"
    assert problems_of(document) == [("/family/0", "unknown_key")]


def test_all_problems_are_listed_in_the_order_of_the_document():
    document = whole()
    document["employee_number"] = "=1"
    document["family"][0]["given_name"] = "<"
    document["records"][2]["value"]["number"] = "000-00-0000"
    document["records"][4]["value"]["number"] = "4111111111111112"
    assert problems_of(document) == [
        ("/employee_number", "employee_number_form"),
        ("/family/0/given_name", "name_character"),
        ("/records/2/value/number", "ssn_area"),
        ("/records/4/value/number", "luhn"),
    ]


def test_the_list_of_problems_is_bounded():
    document = whole() | {"records": [{}] * 200}
    assert len(problems_of(document)) == MAX_PROBLEMS


def test_lists_are_bounded():
    assert problems_of(whole() | {"records": [{}] * 201}) == [("/records", "too_many")]
    assert problems_of(whole() | {"family": [{}] * 31, "records": []}) == [("/family", "too_many")]


def test_problems_beyond_the_limit_still_refuse():
    """Values read after the list is full are not taken for good ones."""
    document = whole() | {"records": [{}] * 100 + [{"category": "ssn", "value": {"number": "000-00-0000"}}]}
    with pytest.raises(InvalidInput):
        read_enrollment(document, today=TODAY)


def test_nothing_submitted_is_in_reprs_or_messages():
    enrollment = read_enrollment(whole(), today=TODAY)
    shown = repr(enrollment) + repr(enrollment.records) + "".join(map(repr, enrollment.records))
    for secret in ("O'Neil", "Dana", "736", "Made Up", "555", "allergy", "4111"):
        assert secret not in shown


def test_canonical_bytes_ignore_order_only():
    first = read_enrollment(whole(), today=TODAY)
    document = whole()
    document["records"].reverse()
    document["family"].reverse()
    for record in document["records"]:
        record["value"] = dict(reversed(record["value"].items()))
    assert canonical_document(read_enrollment(document, today=TODAY)) == canonical_document(first)
    document["records"][0]["confidentiality"] = "confidential"  # the default, said aloud
    assert canonical_document(read_enrollment(document, today=TODAY)) == canonical_document(first)


def _changes():
    yield lambda document: document.update(employee_number="KC-004212")
    yield lambda document: document.update(given_name="O'Neil", family_name="Dana")
    yield lambda document: document.update(department="Gardener", title="Parks")
    yield lambda document: document.pop("title")
    yield lambda document: document["family"].pop(0)
    yield lambda document: document["family"][0].update(basis="HR policy 13")
    yield lambda document: document["family"][0].update(relation="partner")
    yield lambda document: document["records"].pop()
    yield lambda document: document["records"][1].update(member="c1")
    yield lambda document: document["records"][1].update(review_on="2027-01-01")
    yield lambda document: document["records"][1].update(ends_on="2027-01-01")
    yield lambda document: document["records"][1].update(starts_on="2027-01-01")
    yield lambda document: document["records"][1].update(confidentiality="none")
    yield lambda document: document["records"][1]["value"].update(kind="home")
    yield lambda document: document["records"][1]["value"].update(number="8165550123")
    yield lambda document: document["records"][6]["value"].pop("city")


def test_canonical_bytes_tell_contents_apart():
    seen = {canonical_document(read_enrollment(whole(), today=TODAY))}
    for number, change in enumerate(_changes(), start=2):
        document = whole()
        change(document)
        seen.add(canonical_document(read_enrollment(document, today=TODAY)))
        assert len(seen) == number
