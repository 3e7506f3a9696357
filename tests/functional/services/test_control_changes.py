"""Settings that restrain people and change between two starts: one entry that says from what to what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from registry.bootstrap import open_application
from registry.cli.auditing import verify_ledger
from registry.domain.approvals import Action
from registry.domain.errors import AuditUnavailable, LedgerCorrupt
from registry.services.controls import Changed
from registry.storage.unit_of_work import SqlWork
from tests.functional.services.homes import Home
from tests.functional.services.test_at_once import at_once

DUAL: dict[str, Any] = {"approvals": {"dual_control": frozenset({Action.TRACE, Action.UNMARK})}}
LOOSER = [
    ({"approvals": {"decide_hours": 700}}, Changed("approvals.decide_hours", "168", "700")),
    ({"approvals": {"emergency_minutes": 240}}, Changed("approvals.emergency_minutes", "60", "240")),
    ({"approvals": {"unreviewed": 100}}, Changed("approvals.unreviewed", "10", "100")),
    ({"approvals": {"hold_approver_days": 365}}, Changed("approvals.hold_approver_days", "90", "365")),
    ({"approvals": {"hold_days": 365}}, Changed("approvals.hold_days", "180", "365")),
    ({"brakes": {"candidates": 0}}, Changed("brakes.candidates", "3", "0")),
    ({"brakes": {"hours": (0, 24)}}, Changed("brakes.hours", "6 20", "0 24")),
    ({"openings_kept": timedelta(days=2_192)}, Changed("retention.openings_kept_days", "2557", "2192")),
]


@contextmanager
def started(home: Home, **settings: Any) -> Iterator[Home]:
    """Start another process, as it were, with other settings."""
    app = open_application(replace(home.app.settings, **settings), home.clock)
    try:
        yield Home(app, home.clock)
    finally:
        app.close()


def changes(home: Home) -> list[dict[str, str]]:
    return [dict(entry.values or {}) for entry in home.entries() if entry.kind == "policy"]


def test_dual_control_given_up_is_an_entry_that_says_from_what_to_what(home: Home) -> None:
    with started(home, **DUAL):
        pass
    with started(home, **DUAL):
        assert len(changes(home)) == 1
    with started(home) as last:
        given_up, taken, first = last.app.policy_changes.controls_listing()
        assert given_up.changed == (Changed("approvals.dual_control", "trace unmark", "none"),)
        assert taken.changed == (Changed("approvals.dual_control", "none", "trace unmark"),)
        assert (first.index, {one.before for one in first.changed}) == (0, {""})
        assert given_up.operator.startswith("local:")
        verify_ledger(last.app, 1)
        last.app.row_check.check()
        assert [one.index for one in last.app.policy_changes.listing()] == [0]
    assert [one["request"] for one in changes(home)] == ["controls", "controls"]


@pytest.mark.parametrize(("settings", "changed"), LOOSER)
def test_every_table_that_restrains_people_is_compared(home: Home, settings: dict[str, Any], changed: Changed) -> None:
    with started(home, **settings) as other:
        assert other.app.policy_changes.controls_listing()[0].changed == (changed,)


def test_when_service_stops_without_witnesses_is_compared(home: Home) -> None:
    looser = replace(home.app.settings.witness, stop_hours=720)
    with started(home, witness=looser) as other:
        (changed,) = other.app.policy_changes.controls_listing()[0].changed
    assert (changed.setting, changed.after) == ("witness.stop_hours", "720")


def test_of_several_processes_that_start_at_once_one_writes_the_entry(home: Home) -> None:
    def start() -> bool:
        with started(home, **DUAL) as other:
            return other.app.policy_changes.controls_noted()

    acts: list[Callable[[], bool]] = [start] * 4
    assert set(at_once(acts)) == {True}
    assert len(changes(home)) == 1


def test_nobody_goes_by_settings_that_the_ledger_does_not_know(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_work: SqlWork) -> None:
        raise AuditUnavailable("disk_full")

    with monkeypatch.context() as broken:
        broken.setattr(SqlWork, "commit", full)
        with pytest.raises(AuditUnavailable), started(home, **DUAL):
            pass
    assert changes(home) == []


@pytest.mark.parametrize(
    "edit",
    ["UPDATE policy_in_force SET version = ? WHERE k = 2", "DELETE FROM policy_in_force WHERE k = 2 AND ? <> ''"],
)
def test_a_change_is_not_hidden_by_editing_the_row(home: Home, edit: str) -> None:
    home.sql().execute(edit, (replace(home.app.settings, **DUAL).controls("development").version,))
    with pytest.raises(LedgerCorrupt, match="the settings of control"):
        home.app.row_check.check()


def test_an_earlier_row_put_back_is_found(home: Home) -> None:
    sql = home.sql()
    before = sql.execute("SELECT version, entry, guard FROM policy_in_force WHERE k = 2").fetchone()
    with started(home, **DUAL):
        pass
    sql.execute("UPDATE policy_in_force SET version = ?, entry = ?, guard = ? WHERE k = 2", before)
    with pytest.raises(LedgerCorrupt, match="the settings of control"):
        verify_ledger(home.app, 1)


def test_settings_written_into_the_row_beforehand_do_not_hide_their_entry(home: Home) -> None:
    forged = replace(home.app.settings, **DUAL).controls("development").version
    home.sql().execute("UPDATE policy_in_force SET version = ? WHERE k = 2", (forged,))
    with started(home, **DUAL) as other:
        (said,) = changes(home)
        assert (said["request"], said["result"]) == ("controls", forged)
        other.app.row_check.check()


def test_a_registry_of_before_is_noted_when_it_is_opened(home: Home) -> None:
    home.sql().execute("DELETE FROM policy_in_force WHERE k = 2")
    with started(home) as now:
        (said,) = changes(home)
        assert said["detail"].startswith("before nothing; approvals.decide_hours=168; ")
        now.app.row_check.check()
