"""Holds as somebody with the database would have them, and with the keys to it too: only the ledger knows better."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.errors import Conflict, LedgerCorrupt
from registry.domain.holds import HoldState
from registry.domain.ids import HoldId, SubjectId
from registry.domain.principals import Role
from registry.services.holds import HoldWord
from registry.services.ports_notices import HoldRow
from registry.storage.guards import GUARDED, RowGuard, guard_key
from tests.functional.services.homes import Home, person
from tests.functional.services.test_digests import DAY
from tests.functional.services.test_erase import erase
from tests.functional.services.test_hold_renewals import approver, confirm, placed, renewed
from tests.functional.services.test_holds import investigator

PENDING, CONFIRMED, REFUSED, ENDED = HoldState.PENDING, HoldState.CONFIRMED, HoldState.REFUSED, HoldState.ENDED
COLUMNS = "id, principal, entry, state, created_at, until, settled_by, settled_at, guard, confirmed_by, confirmed_at"
HOUR_MS = 3_600_000


def said(home: Home, hold: HoldId, state: HoldState) -> None:
    caller = investigator(home) if state is ENDED else approver(home)
    home.app.holds.settle(caller, HoldWord(hold, state, "the hearing is over"))


def hold_in(home: Home, state: HoldState, subject: SubjectId | None = None) -> HoldId:
    """Return a hold that came to a state; one that has ended was in force before."""
    hold = placed(home, subject or home.enroll().subject, 30)
    if state in (CONFIRMED, ENDED):
        home.clock.step(3_600)
        confirm(home, hold)
    if state in (REFUSED, ENDED):
        home.clock.step(3_600)
        said(home, hold, state)
    return hold


def row_of(home: Home, hold: HoldId) -> HoldRow:
    with home.app.database.read() as work:
        row = work.holds.get(hold)
    assert row is not None
    return row


def with_keys(home: Home, hold: HoldId, row: HoldRow) -> None:
    """Put another row in the place of a hold's, guarded as the registry would."""
    home.sql().execute("DELETE FROM holds WHERE id = ?", (hold,))
    slipped_in(home, row)


def slipped_in(home: Home, row: HoldRow) -> None:
    with home.app.database.write() as work:
        work.holds.insert(row)
        work.commit()


def found(home: Home, what: str) -> int | None:
    with pytest.raises(LedgerCorrupt, match=what) as by_verify:
        verify_ledger(home.app, 1)
    with pytest.raises(LedgerCorrupt, match=what) as by_rows:
        home.app.row_check.check()
    assert by_verify.value.entry == by_rows.value.entry
    return by_verify.value.entry


def test_holds_as_their_entries_say_are_sound(home: Home) -> None:
    subject = home.enroll().subject
    for state in HoldState:
        if state is not HoldState.EXPIRED:
            hold_in(home, state, subject)
    said(home, placed(home, subject), ENDED)  # withdrawn before anybody confirmed it
    confirm(home, placed(home, subject, 366, is_legal=True))
    hold = renewed(home, subject, days=20)
    with pytest.raises(Conflict, match="decided"):
        confirm(home, hold)
    home.clock.step(30 * DAY)
    placed(home, subject)
    home.clock.step(30 * DAY)
    verify_ledger(home.app, 1)
    home.app.row_check.check()
    assert len(home.sql().execute("SELECT id FROM holds").fetchall()) == 8


@pytest.mark.parametrize("state", [PENDING, CONFIRMED, REFUSED, ENDED])
def test_a_hold_whose_row_is_gone_is_found(home: Home, state: HoldState) -> None:
    hold = hold_in(home, state)
    last = home.entries()[-1].index
    home.sql().execute("DELETE FROM holds WHERE id = ?", (hold,))
    assert found(home, "missing") == last


@pytest.mark.parametrize(("before", "after"), [(PENDING, CONFIRMED), (PENDING, REFUSED), (CONFIRMED, ENDED)])
def test_an_earlier_row_of_a_hold_that_is_put_back_is_found(home: Home, before: HoldState, after: HoldState) -> None:
    hold, sql = hold_in(home, before), home.sql()
    earlier = sql.execute(f"SELECT {COLUMNS} FROM holds").fetchall()[0]
    said(home, hold, after)
    home.app.row_check.check()
    last = home.entries()[-1].index
    sql.execute("DELETE FROM holds")
    sql.execute(f"INSERT INTO holds ({COLUMNS}) VALUES ({', '.join('?' * len(earlier))})", tuple(earlier))
    assert row_of(home, hold).state == before
    assert found(home, "does not stand as its entries left it") == last


def test_an_end_that_is_moved_without_the_keys_is_found(home: Home) -> None:
    hold_in(home, CONFIRMED)
    home.sql().execute("UPDATE holds SET until = until + ?", (HOUR_MS,))
    found(home, "a row of holds was changed by somebody else")


PLACED, STANDS, WORD = "not as it was placed", "does not stand", "not confirmed as its row says"


@pytest.mark.parametrize(
    ("state", "column", "what"),
    [
        (PENDING, "until", PLACED),
        (CONFIRMED, "until", PLACED),
        (CONFIRMED, "created_at", PLACED),
        (CONFIRMED, "entry", PLACED),
        (CONFIRMED, "principal", PLACED),
        (REFUSED, "settled_by", STANDS),
        (ENDED, "settled_at", STANDS),
        (ENDED, "settled_by", STANDS),
        (ENDED, "confirmed_at", WORD),
        (ENDED, "confirmed_by", WORD),
    ],
)
def test_whatever_whoever_has_the_keys_changes_of_a_hold_is_found(
    home: Home, state: HoldState, column: str, what: str
) -> None:
    hold = hold_in(home, state)
    row = row_of(home, hold)
    changed: Any = {
        "entry": row.entry + 1,
        "principal": row.confirmed_by,
        "settled_by": row.confirmed_by or row.principal,
        "confirmed_by": row.principal,
    }.get(column)
    if changed is None:
        changed = getattr(row, column) + HOUR_MS
    assert changed != getattr(row, column)
    with_keys(home, hold, replace(row, **{column: changed}))
    assert found(home, what) is not None


def test_a_refused_hold_that_is_made_to_stand_is_found(home: Home) -> None:
    hold = hold_in(home, REFUSED)
    row = row_of(home, hold)
    with_keys(home, hold, replace(row, state=CONFIRMED, confirmed_by=row.settled_by, confirmed_at=row.settled_at))
    found(home, STANDS)


def test_a_hold_that_was_withdrawn_was_not_in_force(home: Home) -> None:
    hold = placed(home, home.enroll().subject)
    said(home, hold, ENDED)
    row = row_of(home, hold)
    with_keys(home, hold, replace(row, confirmed_by=row.settled_by, confirmed_at=row.settled_at))
    found(home, WORD)


@pytest.mark.parametrize("of", ["a hold", "an enrollment", "nothing"])
def test_a_hold_that_no_entry_speaks_of_is_found(home: Home, of: str) -> None:
    row = row_of(home, hold_in(home, CONFIRMED))
    entry = {"a hold": row.entry, "an enrollment": _enrolled(home), "nothing": len(home.rows()) + 5}[of]
    slipped_in(home, replace(row, id=HoldId("f" * 32), entry=entry))
    found(home, "no entry speaks of")


def _enrolled(home: Home) -> int:
    return next(entry.index for entry in home.entries() if entry.kind == "enroll")


def erased_with(home: Home, state: HoldState) -> HoldId:
    """Return a hold on somebody who was erased since: of the entries about it, only those that settled it say more.

    On SQLite alone: on PostgreSQL only an account of its own may erase.
    """
    subject = home.enroll(person("T-0002")).subject
    hold = hold_in(home, state, subject)
    home.clock.step(40 * DAY)
    erase(home, subject)
    home.app.row_check.check()
    verify_ledger(home.app, 1)
    return hold


def test_a_hold_on_somebody_who_was_erased_still_stands_as_it_was_settled(sqlite_home: Home) -> None:
    hold = erased_with(sqlite_home, ENDED)
    row = row_of(sqlite_home, hold)
    with_keys(sqlite_home, hold, replace(row, state=CONFIRMED))
    found(sqlite_home, STANDS)
    with_keys(sqlite_home, hold, replace(row, created_at=row.created_at - HOUR_MS))
    found(sqlite_home, PLACED)
    sqlite_home.sql().execute("DELETE FROM holds")
    found(sqlite_home, "missing")


def test_nobody_settles_one_that_was_erased_while_it_waited(sqlite_home: Home) -> None:
    hold = erased_with(sqlite_home, PENDING)
    row = row_of(sqlite_home, hold)
    with_keys(sqlite_home, hold, replace(row, state=REFUSED, settled_by=row.principal, settled_at=row.created_at))
    found(sqlite_home, STANDS)


@pytest.mark.parametrize("state", [PENDING, ENDED])
def test_an_erasure_is_no_cover_for_holds_that_are_made_up(sqlite_home: Home, state: HoldState) -> None:
    row = row_of(sqlite_home, erased_with(sqlite_home, state))
    bare = next(one.index for one in sqlite_home.rows() if one.sealed is None and one.index != row.entry)
    made_up = replace(row, id=HoldId("f" * 32))
    slipped_in(sqlite_home, replace(made_up, entry=bare))  # what was erased there was no hold
    found(sqlite_home, "no entry speaks of")
    waiting = replace(made_up, state=PENDING, settled_by=None, settled_at=None, confirmed_by=None, confirmed_at=None)
    with_keys(sqlite_home, made_up.id, waiting)
    assert found(sqlite_home, "two holds name it") == row.entry


def test_a_hold_that_ended_before_it_was_kept_who_confirmed_it_is_sound(home: Home) -> None:
    hold_in(home, ENDED)
    guard, sql = RowGuard(guard_key(home.app.keyring.secret("index"))), home.sql()
    told_then = sql.execute(f"SELECT {', '.join(GUARDED['holds'])} FROM holds").fetchone()
    tag = guard.tag("holds", list(told_then))
    sql.execute("UPDATE holds SET confirmed_by = NULL, confirmed_at = NULL, guard = ?", (tag,))
    home.app.row_check.check()


def test_an_auditor_who_ends_one_is_who_its_row_names(home: Home) -> None:
    hold = hold_in(home, CONFIRMED)
    auditor = home.caller("auditor", Role.AUDITOR)
    home.app.holds.settle(auditor, HoldWord(hold, ENDED))
    home.app.row_check.check()
    row = row_of(home, hold)
    with_keys(home, hold, replace(row, settled_by=row.principal))
    found(home, STANDS)
