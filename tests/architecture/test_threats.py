"""The threat model says of each part what it surrenders, and names a test that is there against each attacker."""

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


PARTS = {
    *("The application server", "The database, and its administrator", "The token issuer", "The ledger's signing key"),
    *("The key holder: OpenBao, or the key folder", "Witnesses, and whoever keeps receipts and checkpoints"),
    *("The HR system, and who enrolls", "The investigator's desk", "The approver's desk", "The auditor's desk"),
    *("Backups", "The operator's laptop", "Ways out of notices: mail servers, webhooks"),
    "A browser, and whoever holds its session",
}
PAGE = ROOT / "docs" / "threat-model.md"


def test_every_part_says_what_it_can_and_cannot_surrender() -> None:
    _, _, rest = PAGE.read_text("utf-8").partition("## What a compromise of each part can and cannot surrender\n")
    parts = rest.partition("\n## ")[0].split("\n### ")[1:]
    assert {part.partition("\n")[0] for part in parts} == PARTS
    for part in parts:
        can, _, cannot = part.partition("**Can**")[2].partition("**Cannot**")
        assert min(len(can), len(cannot)) > 40, part


def rows() -> dict[str, list[str]]:
    page = PAGE.read_text("utf-8")
    table = page.partition("## Attackers, and the test that stands against each\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {row[0]: row for row in cells[2:]}


def test_every_attacker_has_a_row_and_every_named_test_is_there() -> None:
    found = rows()
    assert found.keys() == ATTACKERS
    for attacker, (_, stands, tests, remains) in found.items():
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", tests)
        assert named, attacker
        assert stands, attacker
        assert remains, attacker  # a page that says that nothing remains is not to be believed
        for path, name in named:
            tree = ast.parse((ROOT / path).read_text("utf-8"))
            assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, (attacker, name)
