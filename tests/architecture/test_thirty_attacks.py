"""The page on attribution has a row for each of thirty attacks; a row names tests that are there, or what remains."""

from __future__ import annotations

import ast
import re

from tests.architecture.source import ROOT

ATTACKS = 30


def rows() -> list[list[str]]:
    page = (ROOT / "docs" / "attribution.md").read_text("utf-8")
    table = page.partition("## Thirty attacks, and what stands against each\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"][2:]


def test_there_are_thirty_in_order() -> None:
    assert [row[0] for row in rows()] == [str(number) for number in range(1, ATTACKS + 1)]


def test_each_has_tests_that_are_there_or_says_what_remains() -> None:
    for number, attack, stands, tests, remains in rows():
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", tests)
        assert tests.count("`") == 2 * len(named), number
        assert attack, number
        assert stands, number
        assert named or remains != "-", number
        for path, name in named:
            tree = ast.parse((ROOT / path).read_text("utf-8"))
            assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, (number, name)
