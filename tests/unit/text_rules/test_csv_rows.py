"""Import files: rows told apart, lines counted, pointers that name columns."""

import csv
import io
import json

import pytest

from registry.domain.errors import InvalidInput
from registry.text.csv_people import COLUMNS, split_name
from registry.text.csv_rows import MAX_LINE_BYTES, MAX_ROW_BYTES, read_csv, read_ndjson, read_row
from registry.text.intake import canonical_document, read_enrollment
from tests.unit.text_rules.people import TODAY, whole

ROW = {
    "employee_number": "000417",
    "given_name": "Dana",
    "family_name": "Sample",
    "department": "Parks",
    "home_address": "1234 Made Up Rd, Kansas City, MO 64118",
    "street": "1234 Made Up Rd",
    "unit": "",
    "city": "Kansas City",
    "state": "MO",
    "zip": "64118",
    "home_phone": "816-555-0123",
    "mobile_phone": "(816) 555-0124",
    "ssn": "736-45-6789",
    "date_of_birth": "1984-02-29",
    "card_1": "4111111111111111",
    "card_2": "5555 5555 5555 4444",
    "spouse_name": "Robin Sample",
    "child_1_name": "Mia Sample",
    "child_1_school": "Made Up Elementary",
    "child_2_name": "",
    "child_2_school": "",
    "child_3_name": "",
    "child_3_school": "",
    "children": '[{"name": "Mia Sample", "school": "Made Up Elementary"}]',
    "health_statement": "Allergy, seasonal",
}

DOCUMENT = {
    "employee_number": "000417",
    "given_name": "Dana",
    "family_name": "Sample",
    "department": "Parks",
    "family": [
        {"ref": "s1", "relation": "spouse", "given_name": "Robin", "family_name": "Sample"},
        {"ref": "c1", "relation": "child", "given_name": "Mia", "family_name": "Sample"},
    ],
    "records": [
        {"category": "home_address", "value": {"line": "1234 Made Up Rd, Kansas City, MO 64118"}},
        {"category": "phone", "value": {"kind": "home", "number": "816-555-0123"}},
        {"category": "phone", "value": {"kind": "mobile", "number": "(816) 555-0124"}},
        {"category": "ssn", "value": {"number": "736-45-6789"}},
        {"category": "date_of_birth", "value": {"date": "1984-02-29"}},
        {"category": "payment_card", "value": {"number": "4111111111111111"}},
        {"category": "payment_card", "value": {"number": "5555 5555 5555 4444"}},
        {"category": "school", "member": "c1", "value": {"name": "Made Up Elementary"}},
        {"category": "health", "value": {"statement": "Allergy, seasonal"}},
    ],
}


def csv_of(*rows: dict, encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def read(raw: bytes, reader=read_csv) -> list[tuple[int, object]]:
    """Return (line, employee number or list of problems) for every row."""
    results = []
    for row in reader(io.BytesIO(raw)):
        try:
            results.append((row.line, read_row(row, today=TODAY).employee_number))
        except InvalidInput as refusal:
            results.append((row.line, [(problem.pointer, problem.code) for problem in refusal.problems]))
    return results


def problems_of(**cells: str) -> list[tuple[str, str]]:
    ((_, outcome),) = read(csv_of(ROW | cells))
    return [] if isinstance(outcome, str) else outcome


def test_a_row_is_the_same_enrollment_as_its_ndjson_line():
    (of_csv,) = read_csv(io.BytesIO(csv_of(ROW)))
    (of_ndjson,) = read_ndjson(io.BytesIO(json.dumps(DOCUMENT).encode() + b"\n"))
    first, second = read_row(of_csv, today=TODAY), read_row(of_ndjson, today=TODAY)
    assert first == second == read_enrollment(DOCUMENT, today=TODAY)
    assert canonical_document(first) == canonical_document(second)
    assert (of_csv.line, of_ndjson.line) == (2, 1)
    assert "736" not in repr(of_csv)


def test_empty_cells_are_left_out():
    only = dict.fromkeys(ROW, "") | {key: ROW[key] for key in ("employee_number", "family_name", "department")}
    (row,) = read_csv(io.BytesIO(csv_of(only)))
    assert row.document == {
        "employee_number": "000417",
        "family_name": "Sample",
        "department": "Parks",
        "family": [],
        "records": [],
    }


def test_parts_stand_in_for_a_missing_line():
    (row,) = read_csv(io.BytesIO(csv_of(ROW | {"home_address": "", "unit": "Apt 5"})))
    assert row.document["records"][0]["value"] == {
        "street": "1234 Made Up Rd",
        "unit": "Apt 5",
        "city": "Kansas City",
        "state": "MO",
        "postal_code": "64118",
    }
    assert problems_of(home_address="", city="") == [("/city", "missing")]
    assert problems_of(home_address="", zip="x y z") == [("/zip", "postal_code_form")]


@pytest.mark.parametrize(
    ("cells", "problems"),
    [
        ({"employee_number": ""}, [("/employee_number", "missing")]),
        ({"given_name": "<"}, [("/given_name", "name_character")]),
        ({"given_name": " Dana"}, [("/given_name", "surrounding_space")]),
        ({"department": "x\ny"}, [("/department", "control_character")]),
        ({"home_address": "a\x1bb"}, [("/home_address", "control_character")]),
        ({"home_phone": "555"}, [("/home_phone", "phone_too_short")]),
        ({"mobile_phone": "none"}, [("/mobile_phone", "phone_form")]),
        ({"ssn": "000-45-6789"}, [("/ssn", "ssn_area")]),
        ({"date_of_birth": "2/29/1984"}, [("/date_of_birth", "not_a_date")]),
        ({"card_1": "", "card_2": "4111111111111112"}, [("/card_2", "luhn")]),
        ({"card_2": "4111111111111111"}, [("/card_2", "duplicate_record")]),
        ({"spouse_name": "Robin {{7*7}}"}, [("/spouse_name", "name_character")]),
        ({"spouse_name": "<Robin> <Sample>"}, [("/spouse_name", "name_character")]),
        ({"spouse_name": " Robin Sample"}, [("/spouse_name", "surrounding_space")]),
        ({"spouse_name": "Robin  Sample"}, [("/spouse_name", "surrounding_space")]),
        ({"health_statement": "x" * 4001}, [("/health_statement", "too_long")]),
        ({"ssn": "7\x00"}, [("/ssn", "control_character")]),
        ({"street": "\x00"}, [("/street", "control_character")]),
        ({"child_1_name": "", "children": ""}, [("/child_1_name", "missing")]),
        ({"child_1_school": "\u202e", "children": ""}, [("/child_1_school", "bidi_control")]),
        ({"child_1_name": "7", "children": ""}, [("/child_1_name", "no_letter")]),
        ({"children": "[]"}, [("/children", "columns_differ")]),
        ({"children": '[{"name": "Ash Sample"}]'}, [("/children", "columns_differ")]),
        ({"children": "Mia"}, [("/children", "not_json")]),
        ({"children": "{}"}, [("/children", "wrong_type")]),
        ({"children": "null"}, [("/children", "wrong_type")]),
        ({"children": '["Mia Sample"]'}, [("/children", "wrong_type")]),
        ({"children": '[{"name": 7}]'}, [("/children", "wrong_type")]),
        ({"children": '[{"name": "Mia Sample", "school": ["x"]}]'}, [("/children", "wrong_type")]),
        ({"children": '[{"name": "Mia Sample", "age": "7"}]'}, [("/children", "unknown_key")]),
        ({"children": '[{"name": "x", "name": "y"}]'}, [("/children", "duplicate_key")]),
        ({"children": '[{"name": "\\ud800"}]'}, [("/children", "lone_surrogate")]),
        ({"children": '[{"school": "x"}]', "child_1_name": "", "child_1_school": "x"}, [("/children", "missing")]),
    ],
)
def test_pointers_name_columns(cells, problems):
    assert problems_of(**cells) == problems


def test_children_beyond_the_columns_come_from_the_list():
    listed = [{"name": f"{name} Sample", "school": "Made Up Elementary"} for name in ("Mia", "Ash", "Lee", "Kim")]
    (row,) = read_csv(io.BytesIO(csv_of(ROW | {"children": json.dumps(listed)})))
    enrollment = read_row(row, today=TODAY)
    assert [member.given_name for member in enrollment.family] == ["Robin", "Mia", "Ash", "Lee", "Kim"]
    assert [record.member for record in enrollment.records if record.category == "school"] == ["c1", "c2", "c3", "c4"]


def test_children_from_columns_alone():
    cells = {"children": "", "child_2_name": "Ash", "child_3_name": "Lee Sample", "child_3_school": "Made Up High"}
    (row,) = read_csv(io.BytesIO(csv_of(ROW | cells)))
    enrollment = read_row(row, today=TODAY)
    assert [(member.ref, member.given_name) for member in enrollment.family[1:]] == [
        ("c1", "Mia"),
        ("c2", "Ash"),
        ("c3", "Lee"),
    ]
    assert [record.member for record in enrollment.records if record.category == "school"] == ["c1", "c3"]


@pytest.mark.parametrize(
    ("name", "household", "parts"),
    [
        ("Jordan Marlow", "Marlow", ("Jordan", "Marlow")),
        ("Jordan Marlow", "Sample", ("Jordan", "Marlow")),
        ("Mary Ann Marlow", "Marlow", ("Mary Ann", "Marlow")),
        ("Ana García López", "Sample", ("Ana", "García López")),
        ("Ana García López", "García López", ("Ana", "García López")),
        ("Ana de la Cruz", "de la Cruz", ("Ana", "de la Cruz")),
        ("Ana de la Cruz", "Cruz", ("Ana", "de la Cruz")),
        ("Jordan van Marlow", "Sample", ("Jordan", "van Marlow")),
        ("Jordan", "Sample", ("Jordan", None)),
        ("Marlow", "Marlow", ("Marlow", None)),
        ("McMarlow", "Marlow", ("McMarlow", None)),
        ("王 小明", "", ("王", "小明")),
    ],
)
def test_full_names_are_split(name, household, parts):
    split = split_name(name, household)
    assert (split.get("given_name"), split.get("family_name")) == parts
    assert " ".join(split.values()) == name


def test_lines_are_counted_through_quotes_blank_lines_and_line_ends():
    header, row = csv_of(ROW | {"health_statement": "one\ntwo\r\nthree"}).decode().split("\r\n", 1)
    lines = read(f"{header}\r\n{row}\n\r\n{row}1,2\n".encode())
    assert lines == [(2, "000417"), (7, "000417"), (10, [("", "ragged_row")])]


def test_byte_order_mark_of_spreadsheets():
    assert read(csv_of(ROW, encoding="utf-8-sig")) == [(2, "000417")]


HEADER = b"employee_number,family_name,department"


@pytest.mark.parametrize(
    ("raw", "problems"),
    [
        (b"", [("", "missing_header")]),
        (b"\n\n", [("", "missing_header")]),
        (b"employee_number,given_name,family_name\nK1,Rowan\n", [("/department", "missing_column")]),
        (b"given_name,family_name\n", [("/employee_number", "missing_column"), ("/department", "missing_column")]),
        (HEADER + b",Zq7Marker\n", [("", "unknown_column")]),
        (HEADER + b",\n", [("", "unknown_column")]),
        (HEADER.upper() + b"\n", [("", "unknown_column")]),
        (HEADER.replace(b",", b", ") + b"\n", [("", "unknown_column")]),
        (HEADER.replace(b",", b";") + b"\n", [("", "unknown_column")]),
        (HEADER + b",department\n", [("/department", "repeated_column")]),
        (b"K1,Rowan,Parks\n", [("", "unknown_column")]),
        (b"\xff\xfe" + HEADER.decode().encode("utf-16-le"), [("", "unknown_column")]),
        (b'"' + HEADER + b"\n", [("", "csv_form")]),
    ],
)
def test_headers_refused(raw, problems):
    ((_, outcome),) = read(raw)
    assert outcome == problems


def test_a_bad_row_does_not_harm_the_others():
    raw = b"\n".join(
        [
            HEADER,
            b"1,Sample,Parks",
            b"2,Sample",
            b"3,Sample,Parks,x",
            b'4,"Sample"x,Parks',
            b"5,Sam\xe9ple,Parks",
            b"6,Sam\x00ple,Parks",
            b"7,Sample,Parks\r",
            b"8,Sam\rple,Parks",
            b"9,Samp\xc3\xa9le,Parks",
            b"10,Sam\xed\xa0\x80ple,Parks",
            b'11,"Sample,Parks',
        ]
    )
    assert read(raw) == [
        (2, "1"),
        (3, [("", "ragged_row")]),
        (4, [("", "ragged_row")]),
        (5, [("", "csv_form")]),
        (6, [("/family_name", "not_utf8")]),
        (7, [("/family_name", "control_character")]),
        (8, "7"),
        (9, [("", "csv_form")]),
        (10, "9"),
        (11, [("/family_name", "not_utf8")]),
        (12, [("", "csv_form")]),
    ]


def test_cells_inside_an_unclosed_quote_never_become_rows():
    raw = HEADER + b'\n1,"Sample,Parks\n666,Injected,Parks\n2,"Sample",Parks\n3,Sample,Parks\n'
    assert read(raw) == [(2, [("", "csv_form")]), (5, "3")]


def test_a_row_is_bounded():
    endless = b'1,"' + b"x\n" * MAX_ROW_BYTES
    results = read(HEADER + b"\n" + endless)
    assert results[0] == (2, [("", "too_large")])
    assert all(outcome == [("", "ragged_row")] for _, outcome in results[1:])
    long_line = b"1," + b"x" * (3 * MAX_ROW_BYTES) + b",Parks"
    assert read(HEADER + b"\n" + long_line + b"\n2,Sample,Parks") == [(2, [("", "too_large")]), (3, "2")]


class Counting(io.RawIOBase):
    """A stream that never ends a line and says how much of it was asked for at once."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.most = 0

    def readline(self, size: int = -1) -> bytes:
        self.most = max(self.most, size if size >= 0 else self.left)
        part = b"x" * min(size if size >= 0 else self.left, self.left)
        self.left -= len(part)
        return part


@pytest.mark.parametrize("reader", [read_csv, read_ndjson])
def test_endless_lines_are_not_held_in_memory(reader):
    stream = Counting(40 * MAX_LINE_BYTES)
    (row,) = reader(stream)
    assert [(problem.pointer, problem.code) for problem in row.problems] == [("", "too_large")]
    assert stream.left == 0
    assert stream.most <= MAX_LINE_BYTES + 1


def test_ndjson_lines():
    good = json.dumps(DOCUMENT).encode()
    raw = b"\n".join(
        [
            good,
            b"",
            b"  \t\r",
            good + b"\r",
            b"{",
            b"[]",
            b"\xff",
            b'{"a":1,"a":2}',
            good + good,
            b"\xef\xbb\xbf" + good,
            good,
        ]
    )
    assert read(raw, read_ndjson) == [
        (1, "000417"),
        (4, "000417"),
        (5, [("", "not_json")]),
        (6, [("", "wrong_type")]),
        (7, [("", "not_utf8")]),
        (8, [("", "duplicate_key")]),
        (9, [("", "not_json")]),
        (10, [("", "not_json")]),
        (11, "000417"),
    ]


def test_ndjson_pointers_are_those_of_the_document():
    document = whole()
    document["records"][2]["value"]["number"] = "1"
    assert read(json.dumps(document).encode(), read_ndjson) == [(1, [("/records/2/value/number", "ssn_form")])]


def test_ndjson_line_limit():
    fits = b'{"x":"' + b"y" * (MAX_LINE_BYTES - 8) + b'"}'
    assert len(fits) == MAX_LINE_BYTES
    assert read(fits, read_ndjson)[0][1][0] == ("", "unknown_key")
    assert read(b" " + fits + b"\n{}", read_ndjson)[0] == (1, [("", "too_large")])
    assert read(b" " + fits + b"\n{", read_ndjson)[1] == (2, [("", "not_json")])


def test_rows_are_read_one_by_one():
    class Sudden(io.BytesIO):
        def readline(self, size: int = -1) -> bytes:
            line = super().readline(size)
            if b"BOOM" in line:
                raise OSError("gone")
            return line

    rows = read_ndjson(Sudden(b"{}\n{}\nBOOM\n"))
    assert [next(rows).line, next(rows).line] == [1, 2]
    with pytest.raises(OSError, match="gone"):
        next(rows)


def read_one(**cells):
    (row,) = read_csv(io.BytesIO(csv_of({**ROW, **cells})))
    return read_row(row, today=TODAY)


def test_relations_to_other_employees_have_columns():
    person = read_one(
        supervisor="000044", spouse_employee_number="000977", kin="000215; 000216", former_partners="000108"
    )
    assert person.supervisor == "000044"
    assert person.family[0].employee_number == "000977"
    declared = [(relation.kind.value, relation.employee_number) for relation in person.relations]
    assert declared == [("kin", "000215"), ("kin", "000216"), ("former_partner", "000108")]


def test_a_spouse_without_a_name_here_is_of_the_household_all_the_same():
    person = read_one(spouse_name="", spouse_employee_number="000977")
    assert [(relation.kind.value, relation.employee_number) for relation in person.relations] == [
        ("household", "000977")
    ]


@pytest.mark.parametrize("column", ["supervisor", "spouse_employee_number", "kin", "former_partners"])
def test_a_number_that_is_none_is_told_by_its_column(column):
    with pytest.raises(InvalidInput) as refused:
        read_one(**{column: "../x"})
    assert {problem.pointer for problem in refused.value.problems} == {f"/{column}"}


def test_a_document_without_relations_is_the_content_it_always_was():
    person = read_enrollment(DOCUMENT, today=TODAY)
    assert read_enrollment({**DOCUMENT, "relations": []}, today=TODAY) == person
    for more in (
        {"supervisor": "000044"},
        {"relations": [{"kind": "kin", "employee_number": "000044"}]},
        {"relations": [{"kind": "former_partner", "employee_number": "000044"}]},
        {"family": [{**DOCUMENT["family"][0], "employee_number": "000044"}, DOCUMENT["family"][1]]},
    ):
        assert canonical_document(read_enrollment({**DOCUMENT, **more}, today=TODAY)) != canonical_document(person)


def test_known_columns():
    assert COLUMNS.issuperset(ROW)
    assert "person_id" not in COLUMNS
