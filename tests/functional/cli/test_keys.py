"""``registry keys``: a year of a key's life at the command line, and what is refused on the way."""

from __future__ import annotations

from typing import Any

import pytest

from registry.services import key_life
from tests.functional.cli.conftest import Line


def of_purpose(line: Line, purpose: str) -> list[dict[str, Any]]:
    return [one for one in line.json("keys", "status") if one["purpose"] == purpose]


def test_a_key_is_exchanged_and_destroyed(used: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = of_purpose(used, "data")
    assert first["stored"] > 0
    assert "run: registry keys rewrap" not in used("keys", "status").stdout
    fresh = used.json("keys", "rotate", "data")["current"]
    assert fresh in used("keys", "status").stdout
    assert "run: registry keys rewrap" in used("keys", "status").stdout
    assert used.json("keys", "rewrap") == {"rewrapped": first["stored"], "failed": 0}
    assert "0 stored keys wrapped anew, 0 do not open" in used("keys", "rewrap").stdout
    current, former = of_purpose(used, "data")
    assert (current["key"], current["stored"], current["outdated"]) == (fresh, first["stored"], 0)
    assert (former["key"], former["stored"]) == (first["key"], 0)
    assert former["retired"] <= former["unused"] < former["destroy_from"]
    refused = used("keys", "shred", first["key"], "--yes", exits=3)
    assert "less than 10 minutes ago" in refused.stderr
    monkeypatch.setattr(key_life, "SETTLING", key_life.SETTLING * 0)
    assert first["key"] in used("keys", "shred", first["key"], stdin="n\n", exits=130).output
    assert used.json("keys", "shred", first["key"], "--yes") == {"destroyed": first["key"]}
    assert [one["key"] for one in of_purpose(used, "data")] == [fresh]
    assert "verified" in used("audit", "verify").stdout


def test_only_what_wraps_is_exchanged(line: Line) -> None:
    for purpose in ("index", "ledger", "everything"):
        assert "is not one of 'data', 'bodies', 'cases'" in line("keys", "rotate", purpose, exits=2).output
    (index,) = of_purpose(line, "index")
    assert index["stored"] is None
    assert "no earlier key" in line("keys", "shred", index["key"], "--yes", exits=3).stderr
