"""Counted refusals: written a few at a time, one transaction after the other, each exactly once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from registry.domain.errors import AuditUnavailable
from registry.services.refusals import AT_ONCE, REST_SECONDS, Refusals
from registry.services.windows import WINDOW_SECONDS
from tests.functional.services.homes import Home

SOURCES = 2 * AT_ONCE + 3


@pytest.fixture
def refusals(home: Home) -> Refusals:
    return Refusals(home.app.kernel, lambda: 0.0)


def sizes_of(home: Home, monkeypatch: pytest.MonkeyPatch, fails_at: int = 0) -> list[int]:
    """Note how many entries are appended at once; the append of a number fails."""
    sizes: list[int] = []
    log = type(home.app.kernel.log)
    real = log.append

    def append(self: Any, ledger: Any, drafts: Any, *rest: Any) -> Any:
        sizes.append(len(drafts))
        if len(sizes) == fails_at:
            raise AuditUnavailable("disk_full")
        return real(self, ledger, drafts, *rest)

    monkeypatch.setattr(log, "append", append)
    return sizes


def counted(home: Home) -> list[str]:
    return [(entry.values or {})["network"] for entry in home.entries() if entry.kind == "auth"]


def test_no_transaction_takes_many(home: Home, refusals: Refusals, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(SOURCES):
        refusals.count(f"source {number}", "busy")
    sizes = sizes_of(home, monkeypatch)
    refusals.close()
    assert sizes == [AT_ONCE, AT_ONCE, 3]
    assert sorted(counted(home)) == sorted(f"source {number}" for number in range(SOURCES))


def test_lookups_come_between_two_transactions(
    home: Home,
) -> None:
    now, between = [0.0], []
    refusals = Refusals(home.app.kernel, lambda: now[0])
    for number in range(SOURCES):
        refusals.count(f"source {number}", "busy")
    now[0] = WINDOW_SECONDS
    refusals.flush(lambda: between.append(len(counted(home))))
    assert between == [AT_ONCE, 2 * AT_ONCE]


def test_what_could_not_be_written_is_written_later_and_once(
    home: Home, refusals: Refusals, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(SOURCES):
        refusals.count(f"source {number}", "busy")
    with monkeypatch.context() as broken:
        sizes_of(home, broken, fails_at=2)
        with pytest.raises(AuditUnavailable):
            refusals.close()
    assert len(counted(home)) == AT_ONCE
    refusals.close()
    assert sorted(counted(home)) == sorted(f"source {number}" for number in range(SOURCES))


def test_strangers_write_one_after_the_other(home: Home, refusals: Refusals, monkeypatch: pytest.MonkeyPatch) -> None:
    database, nobody_gives, at_once = type(home.app.kernel.database), threading.Semaphore(0), [0, 0]
    real = database.write

    def write(self: Any) -> Any:
        at_once[0] += 1
        at_once[1] = max(at_once)
        nobody_gives.acquire(timeout=0.02)  # time for others to come, if they may
        at_once[0] -= 1
        return real(self)

    monkeypatch.setattr(database, "write", write)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: refusals.record(f"source {number}", "expired"), range(8)))
    assert at_once[1] == 1
    assert len(counted(home)) == 8


def test_after_a_strangers_entry_lookups_have_a_moment(home: Home) -> None:
    rests: list[tuple[float, int]] = []
    refusals = Refusals(home.app.kernel, lambda: 0.0, lambda seconds: rests.append((seconds, len(counted(home)))))
    refusals.record("source 1", "expired")
    refusals.record("source 1", "expired")  # only counted
    refusals.record("source 2", "expired")
    assert rests == [(REST_SECONDS, 1), (REST_SECONDS, 2)]
