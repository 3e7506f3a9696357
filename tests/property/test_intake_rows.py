"""Import files of any bytes: every row is accounted for, none disturbs its neighbours, nothing is told."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from registry.domain.errors import InvalidInput
from registry.text.csv_people import COLUMNS, split_name
from registry.text.csv_rows import read_csv, read_ndjson, read_row
from tests.unit.text_rules.people import outcome

TODAY = date(2026, 3, 1)
HEADER = ["employee_number", "family_name", "department", "spouse_name", "children", "ssn", "health_statement"]
MARKER = "Zq7Marker"

cells = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", MARKER, MARKER + '"', "1", "Sample", "[]", '[{"name":"Mia"}]', "\n", '"', ",", "\x00"]),
)


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda raw: ",".join(HEADER).encode() + b"\n" + raw))
def test_any_bytes_give_rows_in_order(raw):
    for reader in (read_csv, read_ndjson):
        lines = []
        for row in reader(io.BytesIO(raw)):
            lines.append(row.line)
            result = outcome(read_row, row, today=TODAY)
            assert not isinstance(result, InvalidInput) or result.problems
        assert lines == sorted(set(lines))
        assert all(1 <= line <= raw.count(b"\n") + 1 for line in lines)


@given(st.lists(st.lists(cells, min_size=len(HEADER), max_size=len(HEADER)), max_size=5))
def test_every_written_row_is_one_result(rows):
    """Cells with quotes, commas, line breaks and NUL never spill into other rows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(rows)
    results = list(read_csv(io.BytesIO(text.getvalue().encode("utf-8", "surrogatepass"))))
    assert len(results) == len(rows)
    for row, result in zip(rows, results, strict=True):
        enrollment = outcome(read_row, result, today=TODAY)
        if isinstance(enrollment, InvalidInput):
            assert MARKER not in str(enrollment)
            assert all(problem.pointer[1:] in COLUMNS | {""} for problem in enrollment.problems)
        else:
            assert [enrollment.employee_number, enrollment.family_name, enrollment.department] == row[:3]


@given(st.lists(st.one_of(st.none(), st.integers(-9, 9), st.just({"a": MARKER})), max_size=8))
def test_ndjson_counts_every_line(documents):
    raw = b"\n".join(b"" if document is None else json.dumps(document).encode() for document in documents)
    rows = list(read_ndjson(io.BytesIO(raw)))
    assert [(row.line, row.document) for row in rows] == [
        (line, document) for line, document in enumerate(documents, start=1) if document is not None
    ]


@given(st.text("ab AB-'", min_size=1, max_size=12), st.text("ab AB-'", max_size=6))
def test_a_split_name_joins_to_itself(name, household):
    assert " ".join(split_name(name, household).values()) == name
