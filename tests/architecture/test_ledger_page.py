"""The ledger's page names for each act and each fault a test, and each test named there is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

PAGE = ROOT / "docs" / "ledger.md"
SERVICES = ROOT / "tests" / "functional" / "services"
TABLES = {"## Which act is found by what\n": 25, "## When it cannot be written\n": 10}


def rows(page: str, heading: str) -> list[list[str]]:
    table = page.partition(heading)[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines][2:]


def file_of(name: str, named: list[Path]) -> Path:
    """Find a file as the page names it: in full, among the services' tests, or as one that was named in full before."""
    if not name:
        return named[-1]
    if "/" in name:
        return ROOT / name
    beside = SERVICES / name
    return beside if beside.exists() else next((path for path in named if path.name == name), beside)


def missing_of(page: str, heading: str) -> list[str]:
    """Name every test that a table names and that is not there, and every row that names none."""
    missing: list[str] = []
    named: list[Path] = []
    for row in rows(page, heading):
        found = re.findall(r"`([\w/]*(?:\.py)?)(?:::(\w+))?`", row[-1])
        if not any(test for _, test in found) and "the same test" not in row[-1]:
            missing.append(row[0])
        for name, test in found:
            named.append(file_of(name, named))
            if not named[-1].exists():
                missing.append(name)
            elif test:
                nodes = ast.walk(ast.parse(named[-1].read_text("utf-8")))
                if test not in {node.name for node in nodes if isinstance(node, ast.FunctionDef)}:
                    missing.append(test)
    return missing


@pytest.mark.parametrize("heading", TABLES)
def test_every_row_names_a_test_that_is_there(heading: str) -> None:
    page = PAGE.read_text("utf-8")
    assert len(rows(page, heading)) >= TABLES[heading]
    assert missing_of(page, heading) == []


def test_a_test_that_is_gone_and_a_row_without_one_are_found() -> None:
    heading = "## Which act is found by what\n"
    cells = ("`test_publish.py::test_gone`", "-", "`tests/none`", "`tests/unit/vault`")
    table = "".join(f"| {cell} |\n" for cell in ("act | test", "---|---", *(f"row {cell} | {cell}" for cell in cells)))
    assert missing_of(heading + table, heading) == [
        "test_gone",
        "row -",
        "row `tests/none`",
        "tests/none",
        "row `tests/unit/vault`",
    ]
