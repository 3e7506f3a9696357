"""What became of released cards: told together, afterwards, and of nothing that was not handed over."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from registry.api.app import _tell_outcomes
from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.audit.log import AuditLog
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, KeyUnavailable, LedgerCorrupt
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.services import outcomes as service
from registry.services.disclose import Disclosed
from registry.services.erase_scope import ErasureAsk
from registry.services.outcomes import Outcomes, Released, Told, released_by, releases
from tests.functional.services.homes import Home

ANSWER = b'{"value":{"number":"816-555-0142"}}'


def looked_up(home: Home, times: int, answer: bytes = ANSWER) -> list[Released]:
    subject, reader = home.enroll().subject, home.caller("reader", Role.READER)
    scope: dict[str, object] = {}
    assert released_by(scope) == ()
    for _ in range(times):
        card = home.disclose(reader, home.ask(subject, Category.PHONE))
        assert isinstance(card, Disclosed)
        releases(scope, card, answer)
    return list(released_by(scope))


def told(home: Home, outcomes: Outcomes, one: Released) -> Told | None:
    with home.app.database.reader() as reader:
        return outcomes.told_of(reader, one.entry)


def lines(home: Home) -> list[str]:
    return [(entry.values or {})["result"] for entry in home.entries() if entry.kind == Kind.OUTCOME]


def test_what_was_handed_over_is_told_together(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_TOLD", 2)
    outcomes = Outcomes(home.app.kernel, is_told=True)
    released = looked_up(home, 6)
    before = len(home.entries())
    outcomes.handed_over(released[:5])
    assert len(home.entries()) == before  # whoever hands over does not wait for the ledger
    outcomes.flush()
    outcomes.flush()
    assert lines(home) == ["handed over 2", "handed over 2", "handed over 1"]
    for one in released[:5]:
        found = told(home, outcomes, one)
        assert found is not None
        assert (found.entry >= before, found.size) == (True, 64)
        assert outcomes.is_answer(found, one)
    assert told(home, outcomes, released[5]) is None  # permitted, and never left
    verify_ledger(home.app, 1)


def go_on(home: Home, entries: int) -> None:
    with home.app.database.write() as work:
        home.app.kernel.log.append(work.ledger, [EntryDraft(Kind.HEARTBEAT, {}) for _ in range(entries)])
        work.commit()


def test_what_became_of_a_lookup_is_found_behind_however_many_other_entries(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_AT_A_TIME", 4)
    outcomes = Outcomes(home.app.kernel, is_told=True)
    early, never = looked_up(home, 2)
    go_on(home, 20)
    outcomes.handed_over([early])
    home.clock.step(23 * 3_600)
    outcomes.flush()
    found = told(home, outcomes, early)
    assert found is not None
    assert outcomes.is_answer(found, early)
    home.clock.step(2 * 3_600)  # so much later nobody looks any more
    go_on(home, 4)
    outcomes.handed_over([never])
    outcomes.flush()
    assert told(home, outcomes, never) is None


def test_another_answer_is_not_taken_for_it(home: Home) -> None:
    outcomes = Outcomes(home.app.kernel, is_told=True)
    one, other = looked_up(home, 2)
    outcomes.handed_over([one, other])
    outcomes.flush()
    found = told(home, outcomes, one)
    assert found is not None
    assert outcomes.is_answer(found, one)
    assert not outcomes.is_answer(found, replace(one, answer=ANSWER.replace(b"0142", b"0143")))
    assert not outcomes.is_answer(found, other)  # the same bytes, of another lookup


def test_a_tag_is_over_bytes_that_the_entry_of_the_lookup_alone_has(home: Home) -> None:
    outcomes = Outcomes(home.app.kernel, is_told=True)
    (one,) = looked_up(home, 1)
    outcomes.handed_over([one])
    outcomes.flush()
    found = told(home, outcomes, one)
    assert found is not None
    saying = [entry.index for entry in home.entries() if one.salt.hex() in str(entry.values)]
    assert (len(one.salt), saying) == (32, [one.entry])
    assert not outcomes.is_answer(found, replace(one, salt=bytes(32)))
    assert one.salt.hex() not in repr(one)


def test_after_an_erasure_nobody_can_try_out_what_an_answer_said(sqlite_home: Home) -> None:
    home = sqlite_home
    outcomes = Outcomes(home.app.kernel, is_told=True)
    (one,) = looked_up(home, 1)
    outcomes.handed_over([one])
    outcomes.flush()
    before = outcomes.ask(one.entry, ANSWER, operator="local:test")
    subject = SubjectId((home.entries()[one.entry].values or {})["subject"])
    home.app.erase.erase(home.caller("hr", Role.ENROLLER), ErasureAsk(subject, None, "Left", "Schedule 4"))
    after = outcomes.ask(one.entry, ANSWER, operator="local:test")
    assert (before.is_answer, after.is_answer) == (True, None)
    assert after.told == before.told  # that something was handed over stays said
    assert not any(one.salt.hex() in str(entry.values) for entry in home.entries())


def test_what_cannot_be_written_is_told_later_and_in_order(home: Home) -> None:
    outcomes = Outcomes(home.app.kernel, is_told=True)
    released = looked_up(home, 3)
    outcomes.handed_over(released[:2])
    home.app.kernel.log.stop("forked")
    for _ in range(2):
        with pytest.raises(AuditUnavailable, match="forked"):
            outcomes.flush()
    home.app.kernel.log.stop(None)
    outcomes.handed_over(released[2:])
    outcomes.flush()
    (entry,) = [entry for entry in home.entries() if entry.kind == Kind.OUTCOME]
    detail = (entry.values or {})["detail"]
    assert [int(line.split(" ")[0]) for line in detail.split("; ")] == [one.entry for one in released]


def test_what_cannot_be_told_at_the_end_keeps_nothing_else_from_being_done(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = replace(home.app, outcomes=Outcomes(home.app.kernel, is_told=True))
    app.outcomes.handed_over(looked_up(home, 1))
    done: list[str] = []
    for part in (app.refusals, app.tiles, app.database, app.keyring):
        monkeypatch.setattr(type(part), "close", lambda closed: done.append(type(closed).__name__))
    app.kernel.log.stop("forked")
    with pytest.raises(AuditUnavailable, match="forked"):
        app.close()
    assert len(done) == 4


@pytest.mark.parametrize(
    "error", [LedgerCorrupt("the head is not as written"), KeyUnavailable("a key", "key_file"), RuntimeError()]
)
def test_whatever_keeps_it_from_being_written_it_is_told_later(
    sqlite_home: Home, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    home, outcomes = sqlite_home, Outcomes(sqlite_home.app.kernel, is_told=True)

    def fails(*_: object) -> None:
        raise error

    outcomes.handed_over(looked_up(home, 1))
    with monkeypatch.context() as patch:
        patch.setattr(AuditLog, "append", fails)
        with pytest.raises(type(error)):
            outcomes.flush()
    outcomes.flush()
    assert lines(home) == ["handed over 1"]


def test_what_waits_is_bounded(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_KEPT", 2)
    outcomes = Outcomes(home.app.kernel, is_told=True)
    outcomes.handed_over(looked_up(home, 3))
    outcomes.flush()
    assert lines(home) == ["handed over 2"]


def test_a_server_tells_each_second_goes_on_after_a_failure_and_at_its_end(home: Home) -> None:
    app = replace(home.app, outcomes=Outcomes(home.app.kernel, is_told=True))
    released = looked_up(home, 4)
    waited: list[float] = []

    class Ended(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0)
            app.outcomes.handed_over([released[len(waited) - 1]])
            app.kernel.log.stop("disk_full" if len(waited) == 1 else None)
            return len(waited) > 2

    _tell_outcomes(app, Ended())
    assert (waited, lines(home)) == ([1.0] * 3, ["handed over 2"])
    app.outcomes.handed_over(released[3:])
    app.outcomes.flush()  # as ``close`` does
    assert lines(home) == ["handed over 2", "handed over 2"]


def test_in_development_nothing_is_told(home: Home) -> None:
    assert not home.app.outcomes.is_told
    home.app.outcomes.handed_over(looked_up(home, 1))
    home.app.outcomes.flush()
    assert lines(home) == []
