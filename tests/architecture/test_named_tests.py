"""Whatever a page or a room's README says is shown by a test: that test is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/*/README.md")])
# In code: a file, a test of a file, or a further test of the file that was named last.
_NAMED = re.compile(r"`((?:tests/)?[\w/]*test_\w+\.py)?(?:::(\w+)(?:\[[^]`]*\])?)?`")


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def missing_of(text: str) -> list[str]:
    """Name every test and every file of tests that a text names in code and that is not there."""
    missing, last = [], ""
    for file, test in _NAMED.findall(text):
        if not file and not test:
            continue
        last = file or last
        found = list(ROOT.glob(last) if "/" in last else (ROOT / "tests").rglob(last)) if last else []
        if not found or (test and not any(test in functions_of(path) for path in found)):
            missing.append(f"{last}::{test}" if test else last)
    return missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_is_named_is_there(page: Path) -> None:
    assert missing_of(page.read_text("utf-8")) == []


def test_names_of_nothing_are_found() -> None:
    text = (
        "`test_publish.py::test_gone`, `::test_a_changed_leaf_does_not_leave`, `::test_gone_too`; "
        "`tests/unit/test_none.py`, `test_none.py::test_one` and `tests/unit/audit/test_log.py`"
    )
    missing = ["test_publish.py::test_gone", "test_publish.py::test_gone_too", "tests/unit/test_none.py"]
    assert missing_of(text) == [*missing, "test_none.py::test_one"]
