"""Names that are good once: kept as long as they could pass, without saying what they are, and never too many."""

from __future__ import annotations

import pytest

from registry.domain.errors import AuditUnavailable, Busy
from registry.services import use_once
from registry.services.use_once import APART_MS, UseOnce
from registry.storage.used_names import SqlUsedNames
from tests.functional.services.homes import Home

MINUTE = 60


def once(home: Home) -> UseOnce:
    return UseOnce(home.app.kernel)


def now(home: Home) -> float:
    return home.clock.now().timestamp()


def rows(home: Home) -> int:
    return int(home.sql().execute("SELECT count(*) FROM used_names").fetchone()[0])


def test_a_name_is_good_once_by_sort_in_whichever_process(home: Home) -> None:
    until = now(home) + MINUTE
    here, there = once(home), once(home)
    assert here.use("token", "issuer\na", until, "holder")
    assert not here.use("token", "issuer\na", until, "holder")
    assert not there.use("token", "issuer\na", until, "holder")
    assert there.use("token", "issuer\nb", until, "holder")
    assert there.use("proof", "issuer\na", until, "holder")
    assert rows(home) == 3


def test_what_is_kept_tells_no_name(home: Home) -> None:
    once(home).use("token", "https://sign-in.example\nname-of-it", now(home) + MINUTE, "holder")
    (row,) = home.sql().execute("SELECT * FROM used_names").fetchall()
    assert len(row[0]) == 16
    assert b"name-of-it" not in row[0]


def test_it_is_forgotten_only_when_a_clock_that_is_behind_would_refuse_it_too(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_once, "EVERY", 1)
    until = now(home) + MINUTE
    memory = once(home)
    memory.use("token", "a", until, "holder")
    home.clock.step(MINUTE + APART_MS / 1000)
    assert not memory.use("token", "a", until, "holder")
    home.clock.step(1)
    memory.use("token", "b", now(home) + MINUTE, "holder")
    assert rows(home) == 1


def test_what_has_not_ended_by_the_clock_of_the_database_is_kept_whatever_ours_says(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_once, "EVERY", 1)
    memory = once(home)
    memory.use("token", "a", now(home) + 100 * 365 * 86_400, "holder")
    home.clock.step(101 * 365 * 86_400)
    assert memory.use("token", "b", now(home) + MINUTE, "holder")
    assert rows(home) == 2


def test_when_it_is_full_nothing_passes_until_something_has_ended(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_once, "EVERY", 1)
    monkeypatch.setattr(use_once, "MOST", 2)
    memory, until = once(home), now(home) + MINUTE
    assert [memory.use("token", name, until, "holder") for name in "ab"] == [True, True]
    for name in "cda":
        with pytest.raises(Busy):
            memory.use("token", name, until, "holder")
    assert rows(home) == 2
    home.clock.step(MINUTE + APART_MS / 1000 + 1)
    assert memory.use("token", "c", now(home) + MINUTE, "holder")


def test_where_it_cannot_be_written_nothing_passes(home: Home) -> None:
    memory = once(home)
    home.sql().execute("ALTER TABLE used_names RENAME TO another")
    with pytest.raises(AuditUnavailable, match="not_migrated"):
        memory.use("token", "a", now(home) + MINUTE, "holder")
    home.sql().execute("ALTER TABLE another RENAME TO used_names")
    assert memory.use("token", "a", now(home) + MINUTE, "holder")


def test_one_holder_fills_no_room_of_others(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that gets a token a request, or proofs of many keys, would otherwise stop all that are good once."""
    monkeypatch.setattr(use_once, "MOST_OF_ONE", 3)
    memory, until = once(home), now(home) + MINUTE
    assert all(memory.use("token", name, until, "greedy") for name in "abc")
    assert not memory.use("token", "a", until, "another")  # used is used, by whomever
    with pytest.raises(Busy):
        memory.use("token", "d", until, "greedy")
    assert memory.use("token", "e", until, "another")
    assert rows(home) == 4
    home.clock.step(MINUTE + 2 * APART_MS / 1000)
    assert memory.use("token", "d", now(home) + MINUTE, "greedy")


def test_what_is_used_again_takes_no_room_of_its_holder(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_once, "MOST_OF_ONE", 2)
    memory, until = once(home), now(home) + MINUTE
    assert [memory.use("token", "a", until, "holder") for _ in range(4)] == [True, False, False, False]
    assert memory.use("token", "b", until, "holder")


def test_while_it_is_full_refusals_do_not_count_everything_each_time(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would hold the one writer of the database while it counts half a million rows."""
    monkeypatch.setattr(use_once, "MOST", 2)
    seconds = [0.0]
    memory, until = UseOnce(home.app.kernel, lambda: seconds[0]), now(home) + MINUTE
    monkeypatch.setattr(memory, "_uses", use_once.EVERY - 2)
    assert [memory.use("token", name, until, "holder") for name in "ab"] == [True, True]
    calls: list[int] = []
    count = SqlUsedNames.count
    monkeypatch.setattr(SqlUsedNames, "count", lambda names: calls.append(1) or count(names))
    for name in "cdefg":
        with pytest.raises(Busy):
            memory.use("token", name, until, "holder")
    assert len(calls) == 1
    seconds[0] += use_once.RECHECK_SECONDS
    home.clock.step(MINUTE + APART_MS / 1000 + 1)
    assert memory.use("token", "h", now(home) + MINUTE, "holder")
