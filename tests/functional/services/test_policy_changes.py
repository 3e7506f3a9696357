"""Policies that change between two starts: one entry, whoever starts first, and nobody can hide that they did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from registry.bootstrap import open_application
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, LedgerCorrupt
from registry.domain.principals import Role
from registry.policy.settings import PolicySettings
from registry.services.disclose import Disclosed
from registry.storage.unit_of_work import SqlWork
from tests.functional.services.homes import Home
from tests.functional.services.test_at_once import at_once

STRICTER = PolicySettings(same_unit=True)


@contextmanager
def started(home: Home, policy: PolicySettings) -> Iterator[Home]:
    """Start another process, as it were, with other policies."""
    app = open_application(replace(home.app.settings, policy=policy), home.clock)
    try:
        yield Home(app, home.clock)
    finally:
        app.close()


def changes(home: Home) -> list[dict[str, str]]:
    return [dict(entry.values or {}) for entry in home.entries() if entry.kind == "policy"]


def test_the_first_entry_says_by_which_policies_a_registry_begins(home: Home) -> None:
    said = home.entries()[0].values or {}
    assert said["rules"] == home.app.kernel.policy.version
    assert changes(home) == []
    (first,) = home.app.policy_changes.listing()
    assert (first.index, first.before, first.after) == (0, "", said["rules"])


def test_other_policies_are_an_entry_once(home: Home) -> None:
    before = home.app.kernel.policy.version
    with started(home, STRICTER) as other:
        after = other.app.kernel.policy.version
        (said,) = changes(home)
        assert (said["result"], said["rules"], said["detail"]) == (after, after, f"before {before} entry 0")
        assert said["principal"].partition(" ")[2].startswith("local:")
        verify_ledger(other.app, 1)
        other.app.row_check.check()
    with started(home, STRICTER):
        assert len(changes(home)) == 1
    with started(home, PolicySettings()) as again:
        assert [one["result"] for one in changes(home)] == [after, before]
        listed = again.app.policy_changes.listing()
    assert [(one.before, one.after) for one in listed] == [(after, before), (before, after), ("", before)]
    assert all(one.unix_ms for one in listed)


def test_of_several_processes_that_start_at_once_one_writes_the_entry(home: Home) -> None:
    def start() -> str:
        with started(home, STRICTER) as other:
            return other.app.kernel.policy.version

    acts: list[Callable[[], str]] = [start] * 6
    assert len(set(map(str, at_once(acts)))) == 1
    assert len(changes(home)) == 1
    home.app.row_check.check()


def test_nobody_decides_by_policies_that_the_ledger_does_not_know(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_work: SqlWork) -> None:
        raise AuditUnavailable("disk_full")

    with monkeypatch.context() as broken:
        broken.setattr(SqlWork, "commit", full)
        with pytest.raises(AuditUnavailable), started(home, STRICTER):
            pass
        with started(home, PolicySettings()):  # the same as before: nothing is to be written
            pass
    assert changes(home) == []


@pytest.mark.parametrize(
    "edit",
    ["UPDATE policy_in_force SET version = ? WHERE k = 1", "DELETE FROM policy_in_force WHERE k = 1 AND version <> ?"],
)
def test_a_change_is_not_hidden_by_editing_the_row(home: Home, edit: str) -> None:
    with started(home, STRICTER) as other:
        after = other.app.kernel.policy.version
    with started(home, PolicySettings()):
        pass
    home.sql().execute(edit, (after,))
    with pytest.raises(LedgerCorrupt, match="the policies in force"):
        home.app.row_check.check()
    with started(home, STRICTER) as other:
        said = changes(home)[-1]
        assert (len(changes(home)), said["result"], said["detail"]) == (3, after, "before nothing")
        other.app.row_check.check()


def test_an_earlier_row_put_back_is_found(home: Home) -> None:
    sql = home.sql()
    before = sql.execute("SELECT version, entry, guard FROM policy_in_force").fetchone()
    with started(home, STRICTER):
        pass
    home.app.row_check.check()
    sql.execute("UPDATE policy_in_force SET version = ?, entry = ?, guard = ?", before)
    with pytest.raises(LedgerCorrupt, match="the policies in force"):
        verify_ledger(home.app, 1)


def test_a_registry_of_before_is_noted_when_it_is_opened(home: Home) -> None:
    home.sql().execute("DELETE FROM policy_in_force WHERE k = 1")
    subject = home.enroll().subject
    with started(home, PolicySettings()) as now:
        assert [one["detail"] for one in changes(home)] == ["before nothing"]
        reader = now.caller("reader", Role.READER)
        assert isinstance(now.disclose(reader, now.ask(subject, Category.PHONE)), Disclosed)
        now.app.row_check.check()
