"""What is kept of a trace comes back as it was, however long it is, and from earlier versions, too."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from registry.domain.errors import InvalidInput
from registry.services import kept_trace
from registry.services.evidence import Snapshot
from registry.services.kept_trace import kept, records_found, stored_in
from registry.services.trace_shapes import StoredTrace
from tests.unit.leaktrace_report.evidence import ADDRESS, HEALTH, SCHOOL
from tests.unit.reports.samples import dump, ordinary


def stored(people: int = 0) -> StoredTrace:
    report = dump(people, 55) if people else ordinary()
    return StoredTrace(report, (), Snapshot(3, "checkpoint"), (1, 2), "ab" * 32)


def test_a_short_one_is_json_and_a_long_one_is_packed() -> None:
    assert json.loads(kept(stored()))["nonce"] == "ab" * 32
    assert stored_in(kept(stored())) == stored()
    long = stored(5_000)
    assert len(kept(long)) < kept_trace._PACKED_FROM
    assert stored_in(kept(long)) == long


def test_one_of_an_earlier_version_is_read() -> None:
    told = json.loads(kept(stored()))
    for account in told["report"]["accounts"]:
        account["not_held"] = ["F1"]  # reports held it before it was worked out from the rest
    assert stored_in(json.dumps(told).encode()) == stored()


def test_records_are_those_found_and_the_doubtful_ones() -> None:
    (doubtful,) = (item.found for item in stored().report.people[0].findings if item.found.record == SCHOOL)
    few = replace(stored().report, people=())
    assert records_found(kept(stored())) == {ADDRESS, HEALTH, SCHOOL}
    assert records_found(kept(replace(stored(), report=few, possible=(doubtful,)))) == {SCHOOL}


def test_more_than_a_case_can_hold_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_trace, "MOST_BYTES", 100)
    with pytest.raises(InvalidInput, match="/text: too_much_found"):
        kept(stored())
