"""Exchanging keys of a registry in use, on both engines: nothing stops opening, every change is an entry."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.bootstrap import Application, key_life
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, KeyUnavailable
from registry.domain.ids import SubjectId, TraceId
from registry.domain.principals import Role
from registry.keys.ports import PROVIDER_PURPOSES
from registry.services import key_life as service
from registry.services.contact import Contact
from registry.services.disclose import Disclosed
from registry.services.key_life import IN_USE, KeyLife
from registry.services.ports_keys import Shelf
from registry.services.trace import TraceAsk
from registry.storage.roles import APPLICATION, RETENTION
from tests.functional.services.homes import Home, person
from tests.functional.services.keepers import keeping
from tests.functional.services.test_petitions import dispute, own

KEEPER = "registry_rewrapper"
OPERATOR = "local:somebody"
SETTLED = 3 * 3600


@dataclass
class Kept:
    """A registry that serves, and another process that exchanges its keys."""

    home: Home
    keeper: Application

    @property
    def life(self) -> KeyLife:
        return key_life(self.keeper)

    def stored(self) -> dict[str, int]:
        """Return how many stored keys each key wrapped."""
        return {one.facts.key_id: one.stored for one in self.life.status() if one.stored is not None}

    def told(self) -> list[tuple[str, str]]:
        """Return request and result of every entry about keys."""
        entries = [entry for entry in self.home.entries() if entry.kind == Kind.KEYS]
        return [((entry.values or {})["request"], (entry.values or {})["result"]) for entry in entries]


@pytest.fixture
def kept(request: pytest.FixtureRequest, home: Home) -> Iterator[Kept]:
    with keeping(request, home, (KEEPER, f"{APPLICATION}, {RETENTION}"), both=False) as keeper:
        yield Kept(home, keeper)


def fill(home: Home) -> tuple[SubjectId, TraceId]:
    """Store something on every shelf."""
    subject = home.enroll(person()).subject
    home.enroll(person("T-0002"))
    reader = home.caller("reader", Role.READER)
    home.caller("self T-0001", Role.SUBJECT, number="T-0001")
    dispute(home, subject, reader)
    home.app.contacts.put(own(home), Contact("email", "dana@example.org"))
    traced = home.app.trace.trace(home.caller("investigator", Role.INVESTIGATOR), TraceAsk("call 816-555-0142"))
    return subject, traced.trace


def values(home: Home, subject: SubjectId) -> list[dict[str, str]]:
    answer = home.disclose(home.caller("reader", Role.READER), home.ask(subject, Category.PHONE))
    assert isinstance(answer, Disclosed)
    return [dict(field.expose()) for field in answer.fields]


def test_every_stored_key_is_wrapped_anew_and_everything_opens(kept: Kept) -> None:
    home = kept.home
    subject, trace = fill(home)
    shown, text = values(home, subject), home.app.trace.reveal(home.caller("investigator", Role.INVESTIGATOR), trace)
    before = {one.facts.key_id for one in kept.life.status() if one.stored is not None}
    fresh = {kept.life.rotate(purpose, operator=OPERATOR) for purpose in PROVIDER_PURPOSES}
    result = kept.life.rewrap(operator=OPERATOR)
    stored = kept.stored()
    assert (result.done, result.failed) == (sum(stored[key_id] for key_id in fresh), 0)
    assert {stored[key_id] for key_id in before} == {0}
    assert all(stored[key_id] > 0 for key_id in fresh)
    shelves = set(Shelf) - {Shelf.INDEX, Shelf.MARKS}  # which have keys once those were exchanged: tests of their own
    assert {request for request, _ in kept.told() if request.startswith("rewrap")} == {
        f"rewrap {one}" for one in shelves
    }
    assert values(home, subject) == shown
    assert home.app.trace.reveal(home.caller("investigator", Role.INVESTIGATOR), trace) == text
    verify_ledger(home.app, 1)


def test_a_key_that_is_in_use_for_too_long_says_so(kept: Kept) -> None:
    assert {one.next_step for one in kept.life.status()} == {""}
    kept.home.clock.step(kept.keeper.settings.keys_exchanged.total_seconds())
    due = {one.facts.purpose: one.next_step for one in kept.life.status()}
    for purpose in (*PROVIDER_PURPOSES, "ledger"):
        announce = " --announce" if purpose == "ledger" else ""
        assert due.pop(purpose) == (
            f"in use for 365 days, and keys are exchanged after 365; run: registry keys rotate {purpose}{announce}"
        )
    assert set(due.values()) == {""}, "index, marks and idempotency are not exchanged"


def test_an_unused_key_is_destroyed_and_the_rest_opens(kept: Kept) -> None:
    subject, _ = fill(kept.home)
    (former,) = [one.facts.key_id for one in kept.life.status() if one.facts.purpose == "data"]
    kept.life.rotate("data", operator=OPERATOR)
    kept.life.rewrap(operator=OPERATOR)
    kept.home.clock.step(SETTLED)
    kept.life.discard(former, operator=OPERATOR)
    assert former not in {one.facts.key_id for one in kept.life.status()}
    assert values(kept.home, subject)
    assert kept.told()[-2:] == [(f"destroy {former}", "begins"), (f"destroy {former}", f"done {former}")]


def test_a_key_that_is_needed_is_not_destroyed(kept: Kept) -> None:
    subject, _ = fill(kept.home)
    (former,) = [one.facts.key_id for one in kept.life.status() if one.facts.purpose == "data"]
    current = kept.life.rotate("data", operator=OPERATOR)
    kept.home.clock.step(SETTLED)
    with pytest.raises(KeyUnavailable, match="stored keys need") as caught:
        kept.life.discard(former, operator=OPERATOR)
    assert caught.value.code == IN_USE
    with pytest.raises(KeyUnavailable, match="no earlier key"):
        kept.life.discard(current, operator=OPERATOR)
    assert kept.told()[-1] == (f"destroy {former}", "failed key_in_use")
    assert values(kept.home, subject)


def test_a_key_just_exchanged_is_not_destroyed(kept: Kept) -> None:
    (former,) = [one.facts.key_id for one in kept.life.status() if one.facts.purpose == "cases"]
    kept.life.rotate("cases", operator=OPERATOR)
    kept.life.rewrap(operator=OPERATOR)
    kept.home.clock.step(service.SETTLING.total_seconds() - 1)
    with pytest.raises(KeyUnavailable, match="less than 10 minutes ago"):
        kept.life.discard(former, operator=OPERATOR)
    kept.home.clock.step(1)
    kept.life.discard(former, operator=OPERATOR)


def test_the_status_says_what_to_do_next(kept: Kept) -> None:
    fill(kept.home)
    assert [one.next_step for one in kept.life.status()] == [""] * 7
    (former,) = [one.facts.key_id for one in kept.life.status() if one.facts.purpose == "data"]
    current = kept.life.rotate("data", operator=OPERATOR)

    def steps() -> dict[str, str]:
        return {one.facts.key_id: one.next_step for one in kept.life.status() if one.next_step}

    assert set(steps()) == {former, current}
    assert all(step.endswith("run: registry keys rewrap") for step in steps().values())
    kept.life.rewrap(operator=OPERATOR)
    until = kept.home.clock.now() + kept.keeper.settings.backups_kept
    assert steps() == {former: steps()[former]}
    assert f"keep it until {until:%Y-%m-%d}" in steps()[former]
    kept.home.clock.time = until - timedelta(seconds=1)
    assert "keep it until" in steps()[former]
    kept.home.clock.time = until
    assert steps() == {former: f"no backup that is kept needs it; run: registry keys shred {former}"}


def test_rewrapping_that_was_stopped_goes_on_where_it_was(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 2)
    fill(kept.home)
    kept.life.rotate("data", operator=OPERATOR)

    def stop(done: int) -> None:
        if done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.life.rewrap(operator=OPERATOR, progress=stop)
    total = sum(one.outdated for one in kept.life.status())
    shown: list[int] = []
    assert kept.life.rewrap(operator=OPERATOR, progress=shown.append).done == total
    assert shown == sorted(shown)
    assert shown[-1] == total > 0
    assert kept.life.rewrap(operator=OPERATOR).done == 0


def test_a_stored_key_that_does_not_open_holds_nobody_up(kept: Kept) -> None:
    subject, _ = fill(kept.home)
    other = kept.home.sql().execute("SELECT person FROM subjects WHERE id <> ?", (subject,)).fetchall()[0][0]
    kept.home.sql().execute("UPDATE persons SET wrapped_key = ? WHERE id = ?", (b"\x01broken", other))
    (former,) = [one.facts.key_id for one in kept.life.status() if one.facts.purpose == "data"]
    kept.life.rotate("data", operator=OPERATOR)
    result = kept.life.rewrap(operator=OPERATOR)
    assert result.failed == 1
    assert kept.stored()[former] == 1
    kept.home.clock.step(SETTLED)
    with pytest.raises(KeyUnavailable, match="1 stored keys need"):
        kept.life.discard(former, operator=OPERATOR)
    assert values(kept.home, subject)


def test_a_key_changed_meanwhile_is_left_as_it_is(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is exchanged only where it still stands: somebody's key may be replaced at the same moment."""
    fill(kept.home)
    kept.life.rotate("data", operator=OPERATOR)
    life, sql = kept.life, kept.home.sql()
    real = KeyLife._wrapped_anew

    def meanwhile(self: KeyLife, *arguments: Any) -> Any:
        pairs = real(self, *arguments)
        sql.execute("UPDATE persons SET wrapped_key = ?", (b"\x01other",))
        return pairs

    monkeypatch.setattr(KeyLife, "_wrapped_anew", meanwhile)
    life.rewrap(operator=OPERATOR)
    held = {bytes(row[0]) for row in sql.execute("SELECT wrapped_key FROM persons").fetchall()}
    assert held == {b"\x01other"}


def test_without_an_entry_nothing_changes(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(kept.home)
    (former,) = [one.facts.key_id for one in kept.life.status() if one.facts.purpose == "data"]
    held = kept.stored()

    def refuse(*_: Any, **__: Any) -> Any:
        raise AuditUnavailable("disk_full")

    monkeypatch.setattr(type(kept.keeper.kernel.log), "append", refuse)
    life = kept.life
    with pytest.raises(AuditUnavailable):
        life.rotate("data", operator=OPERATOR)
    assert kept.stored() == held
    kept.keeper.keyring.rotate("data", kept.home.clock)
    with pytest.raises(AuditUnavailable):
        life.rewrap(operator=OPERATOR)
    assert kept.stored()[former] == held[former]


def test_lookups_go_on_while_keys_are_exchanged(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 3)
    home = kept.home
    subjects = [home.enroll(person(f"T-{number:04}")).subject for number in range(20)]
    reader = home.caller("reader", Role.READER)
    ended, failed, answers = threading.Event(), [], 0

    def look() -> None:
        nonlocal answers
        while not ended.is_set():
            for subject in subjects:
                answer = home.disclose(reader, home.ask(subject, Category.PHONE))
                answers += 1
                if not isinstance(answer, Disclosed):
                    failed.append(answer)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(3):
            kept.life.rotate("data", operator=OPERATOR)
            assert kept.life.rewrap(operator=OPERATOR).failed == 0
            home.enroll(person(f"T-1{answers:06}"))
    finally:
        ended.set()
        thread.join()
    assert failed == []
    assert answers > 0
    assert sum(one.outdated for one in kept.life.status()) == 0
    verify_ledger(home.app, 1)
