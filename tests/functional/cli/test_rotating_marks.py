"""``registry keys rotate marks`` at the command line: what it prints, and what it refuses."""

from __future__ import annotations

import pytest

from tests.functional.cli.conftest import Line


def test_both_ways_of_the_runbook(used: Line) -> None:
    first = used.json("keys", "rotate", "marks")
    assert (first["generation"], first["redraws"]) == (1, False)
    told = used("keys", "rotate", "marks", "--redraw").stdout
    assert told.startswith("generation 2: all copies and receipt codes after entry ")
    assert "Whoever had the former one can write like any copy that was served before entry" in told
    assert "verified" in used("audit", "verify").stdout


@pytest.mark.parametrize("words", [("data", "--redraw"), ("marks", "--announce"), ("idempotency",)])
def test_what_it_refuses(used: Line, words: tuple[str, ...]) -> None:
    before = used.json("audit", "verify")["size"]
    used("keys", "rotate", *words, exits=2)
    assert used.json("audit", "verify")["size"] == before
