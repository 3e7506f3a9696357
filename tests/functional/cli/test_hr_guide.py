"""The commands and the mapping of the guide for HR systems, as they stand there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from registry.identity.issuers import DEVELOPMENT_ISSUER
from tests.functional.cli.conftest import Line

GUIDE = (Path(__file__).parents[3] / "docs" / "hr-integration.md").read_text("utf-8")


def test_the_guides_table_of_columns_reads_a_file_of_theirs(line: Line, tmp_path: Path) -> None:
    (mapping,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "mapping.toml").write_text(mapping)
    rows = ("Badge,Emp No,Employee,Spouse,Born", '7,KC-004211,"Bright, Dana","Bright, Robin",2/29/1984')
    (tmp_path / "people.csv").write_text("\n".join(rows) + "\n")
    command = re.search(r"`registry (import people\.csv --mapping mapping\.toml)`", GUIDE)
    assert command is not None
    words = [str(tmp_path / word) if (tmp_path / word).exists() else word for word in shlex.split(command[1])]
    told = json.loads(line(*words, "--dry-run", "--json").stdout)
    assert (told["lines"], told["rejected"]) == (1, 0)
    told = json.loads(line(*words, "--json").stdout)
    assert (told["created"], told["rejected"]) == (1, 0)


def test_the_grant_of_the_guide_is_made(line: Line) -> None:
    (command,) = re.findall(r"^registry (principal grant .*)$", GUIDE, re.MULTILINE)
    words = shlex.split(command)
    words[words.index("--issuer") + 1] = DEVELOPMENT_ISSUER  # this registry trusts no other one
    line(*words)
    assert "hr-system" in line("principal", "list").stdout
