"""import: outcomes line by line, formats, updates, what is rejected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.cli.demo.people import make_people, people_csv
from registry.services.import_file import BATCH_LINES
from tests.functional.cli.conftest import Line

NOTHING = {"lines": 0, "created": 0, "updated": 0, "unchanged": 0, "rejected": 0, "errors": []}


def body(number: str, phone: str = "816-555-0142") -> dict[str, object]:
    records = [{"category": "phone", "value": {"kind": "mobile", "number": phone}}]
    return {"employee_number": number, "given_name": "Dana", "department": "Parks", "records": records}


def ndjson(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def test_created_then_unchanged(line: Line, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(people_csv(make_people(30)), "utf-8")
    assert line.json("import", path) == NOTHING | {"lines": 30, "created": 30}
    size = line.json("audit", "verify")["size"]
    assert line.json("import", path) == NOTHING | {"lines": 30, "unchanged": 30}
    assert line.json("audit", "verify")["size"] == size + 1  # who learns that it is all unchanged is on record
    assert "lines 30  created 0  updated 0  unchanged 30  rejected 0" in line("import", path).stdout


def test_other_content_is_rejected_unless_asked_for(line: Line) -> None:
    line("import", "-", "--format", "ndjson", stdin=ndjson(body("T-1"), body("T-2")))
    changed = ndjson(body("T-1", "816-555-0143"), body("T-2"), body("T-3"))
    refused = line.json("import", "-", "--format", "ndjson", stdin=changed, exits=1)
    exists = [{"line": 1, "pointer": "/employee_number", "code": "exists"}]
    assert refused == NOTHING | {"lines": 3, "created": 1, "unchanged": 1, "rejected": 1, "errors": exists}
    updated = line.json("import", "-", "--format", "ndjson", "--update", stdin=changed)
    assert updated == NOTHING | {"lines": 3, "updated": 1, "unchanged": 2}


def test_bad_lines_cost_nobody_else_theirs(line: Line) -> None:
    text = ndjson(body("T-1")) + b"{\n\n" + ndjson(body("T-2") | {"shoe_size": "44"}) + b"\xff\n" + ndjson(body("T-3"))
    told = line.json("import", "-", "--format", "ndjson", stdin=text, exits=1)
    assert (told["lines"], told["created"], told["rejected"]) == (5, 2, 3)
    assert told["errors"] == [
        {"line": 2, "pointer": "", "code": "not_json"},
        {"line": 4, "pointer": "", "code": "unknown_key"},
        {"line": 5, "pointer": "", "code": "not_utf8"},
    ]


@pytest.mark.parametrize("text", ["", "Emp No,Name\n1,Dana\n", "given_name\nDana\n"])
def test_a_file_with_other_columns_is_told_where_ours_are_listed(line: Line, text: str) -> None:
    refused = line("import", "-", "--format", "csv", stdin=text, exits=1)
    assert "hr-integration.md" in refused.stderr
    assert "--mapping" in refused.stderr


def test_a_csv_names_its_columns_and_no_value(line: Line) -> None:
    text = "employee_number,given_name,department,ssn,home_phone\n"
    text += "T-1,Dana,Parks,000-12-3456,816-555-01\nT-2,Kim,Parks,,\n"
    refused = line("import", "-", "--format", "csv", stdin=text, exits=1)
    assert "lines 2  created 1" in refused.stdout
    assert "line 2: /ssn ssn_area" in refused.stderr
    assert "line 2: /home_phone" in refused.stderr
    assert "000-12-3456" not in refused.output


def test_the_same_number_twice_in_a_file(line: Line) -> None:
    text = ndjson(body("T-1"), body("T-1"), body("T-1", "816-555-0143"))
    told = line.json("import", "-", "--format", "ndjson", stdin=text, exits=1)
    assert (told["created"], told["unchanged"], told["rejected"]) == (1, 1, 1)
    assert told["errors"] == [{"line": 3, "pointer": "/employee_number", "code": "exists"}]


def test_lines_keep_their_numbers_over_batches(line: Line) -> None:
    documents = [body(f"T-{number}") for number in range(BATCH_LINES + 5)]
    documents[BATCH_LINES + 2] = {"attic": 1}
    told = line.json("import", "-", "--format", "ndjson", stdin=ndjson(*documents), exits=1)
    assert told["lines"] == BATCH_LINES + 5
    assert told["created"] == BATCH_LINES + 4
    assert {error["line"] for error in told["errors"]} == {BATCH_LINES + 3}


def test_many_problems_are_cut_short_on_the_terminal_only(line: Line) -> None:
    text = ndjson(*[{"attic": 1}] * 40)
    refused = line("import", "-", "--format", "ndjson", stdin=text, exits=1)
    assert "more problems; --json lists them all" in refused.stderr
    assert refused.stderr.count("\n") == 21
    assert len(line.json("import", "-", "--format", "ndjson", stdin=text, exits=1)["errors"]) > 40


def test_nothing_in_the_file(line: Line) -> None:
    assert line.json("import", "-", "--format", "ndjson") == NOTHING
    told = line.json("import", "-", "--format", "csv", exits=1)
    assert told["errors"] == [{"line": 1, "pointer": "", "code": "missing_header"}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import", "nowhere.csv"), "cannot be read: No such file"),
        (("import", "/"), "--format"),
        (("import", "/", "--format", "csv"), "cannot be read: Is a directory"),
        (("import", "people.xlsx"), "say --format ndjson or --format csv"),
        (("import", "-"), "say --format ndjson or --format csv"),
        (("import", "-", "--format", "xml"), "--format"),
        (("import",), "FILE"),
    ],
)
def test_wrong_use(line: Line, arguments: tuple[str, ...], told: str) -> None:
    assert told in line(*arguments, exits=2).stderr
