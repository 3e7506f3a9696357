"""The program in docs/ledger-format.md, written from the description alone, makes the leaf that we make."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_s_program_makes_the_known_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/ledger-format.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(ROOT)
    made: dict[str, object] = {}
    exec(program, made)
    known = json.loads((ROOT / "tests/vectors/leaf_v1.json").read_text("utf-8"))
    assert made["leaf"] == known["leaf"].encode()
    assert made["leaf_hash"] == known["leaf_hash"]
