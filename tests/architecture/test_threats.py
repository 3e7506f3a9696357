"""Each attacker of the threat model has a test that is there, or the page says what is missing."""

from __future__ import annotations

import ast
import re

from tests.architecture.source import ROOT

ATTACKERS = {
    *("curious clerk", "screenshot leaker", "session thief", "colluding approver", "bulk scraper", "database thief"),
    *("DBA", "key holder", "server intruder", "token issuer", "malicious auditor", "malicious investigator"),
    *("HR enroller", "outsider probing membership", "records officer by mistake", "abuser in the household"),
    "false accuser",
}


def rows() -> dict[str, list[str]]:
    page = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    table = page.partition("## Attackers, and the test that stands against each\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {row[0]: row for row in cells[2:]}


def test_every_attacker_has_a_row_and_every_named_test_is_there() -> None:
    found = rows()
    assert found.keys() == ATTACKERS
    for attacker, (_, _, tests, missing) in found.items():
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", tests)
        assert named or missing, attacker
        for path, name in named:
            tree = ast.parse((ROOT / path).read_text("utf-8"))
            assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, (attacker, name)
