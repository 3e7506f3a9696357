"""One look at a time, kept for a moment; what hangs is a cause."""

from __future__ import annotations

import asyncio
import threading

import pytest

from registry.api import readiness
from registry.api.readiness import FRESH_SECONDS, LIMIT_SECONDS, Causes, Readiness
from registry.domain.errors import AuditUnavailable, KeyUnavailable, MisconfiguredHome


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ask(known: Readiness, times: int = 1) -> list[Causes]:
    async def many() -> list[Causes]:
        return list(await asyncio.gather(*(known.causes() for _ in range(times))))

    return asyncio.run(many())


def test_a_look_is_shared_and_kept_for_half_a_second() -> None:
    seconds, looks = Seconds(), list[int]()
    known = Readiness({"database": lambda: looks.append(1)}, seconds)
    assert ask(known, 50) == [{"database": "ok"}] * 50
    seconds.now += FRESH_SECONDS - 0.01
    ask(known, 50)
    assert len(looks) == 1
    seconds.now += 0.02
    ask(known, 50)
    assert len(looks) == 2


def test_causes_are_words_of_ours() -> None:
    def fail(error: Exception) -> None:
        raise error

    known = Readiness(
        {
            "database": lambda: fail(AuditUnavailable("connection_lost")),
            "keyring": lambda: fail(KeyUnavailable("/home/keys/data.key at https://user:secret@vault.example")),
            "settings": lambda: fail(MisconfiguredHome("postgresql://user:secret@db.example")),
            "ledger": lambda: None,
        }
    )
    assert ask(known) == [
        {"database": "connection_lost", "keyring": "key_file", "settings": "misconfigured", "ledger": "ok"}
    ]


def test_what_hangs_is_a_cause_and_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.0)
    seconds, goes_on, looks = Seconds(), threading.Event(), list[int]()
    known = Readiness({"a": lambda: None, "b": lambda: (looks.append(1), goes_on.wait(20)), "c": lambda: None}, seconds)

    async def story() -> None:
        waiting = asyncio.create_task(known.causes())
        await asyncio.sleep(0)
        seconds.now += LIMIT_SECONDS
        for _ in range(3):
            assert await known.causes() == {"a": "ok", "b": "timed_out", "c": "not_checked"}
        assert len(looks) == 1
        goes_on.set()
        assert await waiting == {"a": "ok", "b": "ok", "c": "ok"}
        seconds.now += 1
        assert await known.causes() == {"a": "ok", "b": "ok", "c": "ok"}
        assert len(looks) == 2

    asyncio.run(story())


def test_a_fault_in_a_check_is_a_fault_and_the_next_look_is_a_new_one() -> None:
    faults = [ValueError("x")]

    def check() -> None:
        if faults:
            raise faults.pop()

    known = Readiness({"a": check})
    with pytest.raises(ValueError, match="x"):
        ask(known)
    assert ask(known) == [{"a": "ok"}]
