"""Mappings of foreign CSV files: what they may say, and what becomes of cells."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest

from registry.domain.errors import InvalidInput
from registry.text.csv_mapping import MAX_MAPPING_BYTES, read_mapping
from registry.text.csv_rows import read_csv, read_row

TODAY = date(2026, 3, 2)
MAPPING = """
ignore = ["Badge"]
[columns]
"Emp No" = "employee_number"
"Employee" = { to = "name", order = "last, first" }
"Born" = { to = "date_of_birth", date = "%m/%d/%Y" }
"Cell/Phone~2" = "mobile_phone"
"Spouse" = { to = "spouse_name", order = "last, first" }
[constants]
department = "Parks"
"""
HEADER = "Badge,Emp No,Employee,Born,Cell/Phone~2,Spouse\n"


def documents(rows: str, mapping: str = MAPPING, header: str = HEADER) -> list[Any]:
    """Return documents of good rows, and (line, pointer, code) of bad ones."""
    found: list[Any] = []
    for row in read_csv(io.BytesIO((header + rows).encode()), read_mapping(mapping.encode())):
        try:
            read_row(row, today=TODAY)
        except InvalidInput as refusal:
            found += [(row.line, problem.pointer, problem.code) for problem in refusal.problems]
        else:
            found.append(row.document)
    return found


def refused(mapping: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        read_mapping(mapping.encode())
    return [(problem.pointer, problem.code) for problem in refusal.value.problems]


def rule(text: str) -> str:
    return f'[columns]\n"E" = "employee_number"\n"Their" = {text}\n[constants]\ndepartment = "Parks"\n'


def test_a_row_becomes_a_document() -> None:
    (document,) = documents('77,T-1,"Brightwater, Dana M.",2/29/1984,816-555-0142,"Brightwater, Robin"\n')
    assert document["employee_number"] == "T-1"
    assert (document["given_name"], document["family_name"], document["department"]) == (
        "Dana M.",
        "Brightwater",
        "Parks",
    )
    values = {record["category"]: record["value"] for record in document["records"]}
    assert values["date_of_birth"] == {"date": "1984-02-29"}
    assert values["phone"] == {"kind": "mobile", "number": "816-555-0142"}
    assert document["family"][0]["given_name"] == "Robin"
    assert "77" not in str(document)


def test_empty_cells_are_left_out() -> None:
    (document,) = documents(',T-1,"Brightwater, Dana",,,\n')
    assert (document["records"], document["family"]) == ([], [])


def test_problems_name_the_columns_of_the_file() -> None:
    rows = 'x,T-1,Dana,2/30/1984,12,\n,T-2,"Lee, Kim",1/2/2984,12,\n,T-3,"A, B, C",13/1/1984,,"Lee"\n,T-4\n'
    assert documents(rows) == [
        (2, "/Employee", "name_form"),
        (2, "/Born", "date_form"),
        (3, "/Cell~1Phone~02", "phone_too_short"),
        (3, "/Born", "in_the_future"),
        (4, "/Employee", "name_form"),
        (4, "/Born", "date_form"),
        (4, "/Spouse", "name_form"),
        (5, "", "ragged_row"),
    ]


def test_a_bad_directory_field_names_its_column() -> None:
    assert documents(',T 1,"L@e, Kim",,,\n') == [
        (2, "/Emp No", "employee_number_form"),
        (2, "/Employee", "name_character"),
    ]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Emp No,Employee,Born,Cell/Phone~2,Spouse,Salary\n", [(1, "", "unknown_column")]),
        ("Emp No,Employee,Born,Cell/Phone~2\n", [(1, "/Spouse", "missing_column")]),
        ("Emp No,Employee,Born,Born,Cell/Phone~2,Spouse\n", [(1, "/Born", "repeated_column")]),
        ("employee_number,department\n", [(1, "", "unknown_column")]),
    ],
)
def test_a_header_that_does_not_fit_is_refused(header: str, told: list[Any]) -> None:
    assert documents("", header=header) == told


def test_an_ignored_column_need_not_be_there() -> None:
    assert len(documents('T-1,"Lee, Kim",,,\n', header=HEADER.removeprefix("Badge,"))) == 1


@pytest.mark.parametrize(
    ("pattern", "cell", "iso"),
    [
        ("%Y-%m-%d", "1984-02-29", "1984-02-29"),
        ("%d.%m.%Y", " 3.4.1984 ", "1984-04-03"),
        ("%d %B %Y", "3 march 1984", "1984-03-03"),
        ("%d-%b-%Y", "03-DEC-1984", "1984-12-03"),
        ("%b %d, %Y", "Sep 9, 1984", "1984-09-09"),
        ("%Y%%%m%%%d", "1984%02%09", "1984-02-09"),
        ("%Y%m%d", "19840209", "1984-02-09"),
    ],
)
def test_dates_are_read_by_their_pattern(pattern: str, cell: str, iso: str) -> None:
    mapping = rule(f'{{ to = "date_of_birth", date = "{pattern}" }}') + 'given_name = "Kim"\n'
    (document,) = documents(f'T-1,"{cell}"\n', mapping, "E,Their\n")
    assert document["records"][0]["value"] == {"date": iso}


@pytest.mark.parametrize(
    "pattern", ["%m/%d/%y", "%m/%d", "%Y", "%x", "%Y-%m-%d %H", "%Y-%m-%d %", "%d/%m/%m/%Y", "%Y-%b-%m-%d", "", "%Y %j"]
)
def test_a_pattern_that_does_not_fix_a_day_is_refused(pattern: str) -> None:
    assert refused(rule(f'{{ to = "date_of_birth", date = "{pattern}" }}')) == [("/columns/Their", "date_pattern")]


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ("[columns", [("", "not_toml")]),
        ("\x00", [("", "not_toml")]),
        ("#" * (MAX_MAPPING_BYTES + 1), [("", "not_toml")]),
        (rule('"salary"'), [("/columns/Their", "unknown_target")]),
        (rule('"name"'), [("/columns/Their", "not_one_of")]),
        (rule('{ to = "name", order = "first last" }'), [("/columns/Their", "not_one_of")]),
        (rule('{ to = "ssn", order = "last, first" }'), [("/columns/Their", "unknown_key")]),
        (rule('{ to = "ssn", date = "%Y-%m-%d" }'), [("/columns/Their", "unknown_key")]),
        (rule('{ to = "ssn", attic = "x" }'), [("/columns/Their", "unknown_key")]),
        (rule('{ date = "%Y-%m-%d" }'), [("/columns/Their", "wrong_type")]),
        (rule("3"), [("/columns/Their", "wrong_type")]),
        (rule('"department"'), [("/department", "repeated_target")]),
        (
            rule('"ssn"') + "ssn = 3\nattic = 'x'\n",
            [("/constants/attic", "unknown_target"), ("/constants/ssn", "wrong_type")],
        ),
        ("attic = 1\nignore = 'x'\ncolumns = 3\n", None),
        ("", [("/department", "missing_target"), ("/employee_number", "missing_target")]),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(mapping: str, told: list[tuple[str, str]] | None) -> None:
    found = refused(mapping)
    if told is not None:
        assert found == told
        return
    assert {("/attic", "unknown_key"), ("/ignore", "wrong_type"), ("/columns", "wrong_type")} <= set(found)


def test_the_repr_shows_no_constant() -> None:
    assert "Parks" not in repr(read_mapping(MAPPING.encode()))
