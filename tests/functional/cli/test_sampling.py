"""audit sample and audit review: here and over HTTP."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from registry.domain.clock import SystemClock
from registry.domain.weeks import week_before, week_of
from tests.fakes.clock import TestClock
from tests.functional.cli.conftest import far_line, line_for


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> TestClock:
    clock = TestClock()

    def now(_self: SystemClock) -> datetime:
        return clock.now()

    monkeypatch.setattr(SystemClock, "now", now)
    return clock


@pytest.mark.usefixtures("quiet")
def test_a_week_is_listed_and_reviewed(tmp_path: Path, later: TestClock) -> None:
    line = line_for(tmp_path / "home")
    line("init")
    phone = {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0142"}}
    person: dict[str, object] = {"employee_number": "KC-1", "given_name": "Dana", "family_name": "Moon"}
    person |= {"department": "Parks", "title": "Ranger", "records": [phone]}
    line("import", "-", "--format", "ndjson", stdin=json.dumps(person))
    look = ("disclose", "--employee-number", "KC-1", "--category", "phone", "--purpose", "emergency_contact")
    entries = [line.json(*look)["receipt"]["index"] for _ in range(2)]
    later.step(22 * 86_400)
    week = week_of(later.now())
    for _ in range(3):
        week = week_before(week)
    told = line.json("audit", "sample", "--week", week.name)
    # Whoever sits at the keyboard looked these up: for another auditor they are there.
    assert (told["lookups"], told["overdue"], told["of"] > 2) == ([], True, True)
    line("audit", "review", str(entries[0]), "--finding", "fits", exits=3)
    line("audit", "review", str(entries[0]), "--finding", "asked", exits=2)
    with far_line(line, tmp_path / "far", "auditor") as far:
        listed = far("audit", "sample", "--week", week.name).stdout.splitlines()
        assert [text.split()[1] for text in listed[1:]] == [str(one) for one in entries]
        done = far.json("audit", "review", str(entries[0]), "--finding", "asked", "--note", "Which emergency was it?")
        assert (done["entry"], done["finding"]) == (entries[0], "asked")
        assert "overdue: 2 of" in far("audit", "sample").stdout
    found = line.json("doctor", exits=1)["checks"]
    (check,) = [one for one in found if one["name"] == "reviews"]
    assert check["what"] == f"lookups drawn for review wait for it: 2 of {week.name}"


def test_a_week_that_is_none_is_refused(tmp_path: Path) -> None:
    line = line_for(tmp_path / "home")
    line("init")
    for named in ("2026-W99", "2100-W01"):
        assert line("audit", "sample", "--week", named, exits=None).exit_code in {2, 3}
