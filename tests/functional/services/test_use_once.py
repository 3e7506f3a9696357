"""Names that are good once: kept as long as they could pass, without saying what they are, and never too many."""

from __future__ import annotations

import pytest

from registry.domain.errors import AuditUnavailable, Busy
from registry.services import use_once
from registry.services.use_once import APART_MS, UseOnce
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
    assert here.use("token", "issuer\na", until)
    assert not here.use("token", "issuer\na", until)
    assert not there.use("token", "issuer\na", until)
    assert there.use("token", "issuer\nb", until)
    assert there.use("proof", "issuer\na", until)
    assert rows(home) == 3


def test_what_is_kept_tells_no_name(home: Home) -> None:
    once(home).use("token", "https://sign-in.example\nname-of-it", now(home) + MINUTE)
    (row,) = home.sql().execute("SELECT * FROM used_names").fetchall()
    assert len(row[0]) == 16
    assert b"name-of-it" not in row[0]


def test_it_is_forgotten_only_when_a_clock_that_is_behind_would_refuse_it_too(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_once, "EVERY", 1)
    until = now(home) + MINUTE
    memory = once(home)
    memory.use("token", "a", until)
    home.clock.step(MINUTE + APART_MS / 1000)
    assert not memory.use("token", "a", until)
    home.clock.step(1)
    memory.use("token", "b", now(home) + MINUTE)
    assert rows(home) == 1


def test_when_it_is_full_nothing_passes_until_something_has_ended(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_once, "EVERY", 1)
    monkeypatch.setattr(use_once, "MOST", 2)
    memory, until = once(home), now(home) + MINUTE
    assert [memory.use("token", name, until) for name in "ab"] == [True, True]
    for name in "cda":
        with pytest.raises(Busy):
            memory.use("token", name, until)
    assert rows(home) == 2
    home.clock.step(MINUTE + APART_MS / 1000 + 1)
    assert memory.use("token", "c", now(home) + MINUTE)


def test_where_it_cannot_be_written_nothing_passes(home: Home) -> None:
    memory = once(home)
    home.sql().execute("ALTER TABLE used_names RENAME TO another")
    with pytest.raises(AuditUnavailable, match="not_migrated"):
        memory.use("token", "a", now(home) + MINUTE)
    home.sql().execute("ALTER TABLE another RENAME TO used_names")
    assert memory.use("token", "a", now(home) + MINUTE)
