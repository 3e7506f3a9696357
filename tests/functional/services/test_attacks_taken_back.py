"""Tokens taken back and units, as somebody with the database would have them: only the ledger knows better."""

from __future__ import annotations

import pytest

from registry.domain.errors import InvalidInput, LedgerCorrupt
from registry.domain.ids import UnitId
from registry.domain.principals import Role
from registry.services.kernel import Caller
from registry.services.ports_revocations import RevocationRow
from registry.services.ports_units import UnitRow
from registry.services.revoke import ALWAYS, KEPT_MS, TokenName
from registry.services.units import MemberChange, UnitChange, UnitName
from tests.functional.services.homes import ISSUER, TODAY, Home

STOLEN = TokenName(ISSUER, "stolen#1")


def admin(home: Home) -> Caller:
    return home.caller("admin", Role.SECURITY_ADMIN)


def take_back(home: Home) -> None:
    """Take back one token by its name, and all of one account."""
    clerk = home.caller("clerk", Role.READER)
    home.app.revoke.token(admin(home), STOLEN)
    with home.app.database.read() as work:
        row = work.principals.by_name(ISSUER, clerk.claims.subject)
    assert row is not None
    home.app.revoke.account(admin(home), row.id)


@pytest.mark.parametrize("later", [0, 3_600])
@pytest.mark.parametrize("number", [0, 1])
def test_a_token_taken_back_whose_row_is_gone_is_found(home: Home, number: int, later: int) -> None:
    take_back(home)
    home.clock.step(later)
    home.app.revoke.token(admin(home), TokenName(ISSUER, "another"))
    home.app.row_check.check()
    sql = home.sql()
    label = sql.execute("SELECT label FROM revocations ORDER BY until, before").fetchall()[number][0]
    sql.execute("DELETE FROM revocations WHERE label = ?", (label,))
    with pytest.raises(LedgerCorrupt, match="taken again") as found:
        home.app.row_check.check()
    assert found.value.entry is not None


def test_an_earlier_row_of_an_account_that_is_put_back_is_found(home: Home) -> None:
    take_back(home)
    sql = home.sql()
    rows = sql.execute("SELECT label, before, until, guard FROM revocations").fetchall()
    home.clock.step(60)
    take_back(home)
    home.app.row_check.check()
    for label, before, until, guard in rows:
        told = (before, until, guard, label)
        sql.execute("UPDATE revocations SET before = ?, until = ?, guard = ? WHERE label = ?", told)
    with pytest.raises(LedgerCorrupt, match="not taken back as it says"):
        home.app.row_check.check()


def test_a_clock_that_is_behind_gives_no_token_back(home: Home) -> None:
    of_accounts = f"SELECT before, until FROM revocations WHERE before < {ALWAYS}"
    take_back(home)
    known = home.sql().execute(of_accounts).fetchall()
    home.clock.step(-2)
    take_back(home)
    assert home.sql().execute(of_accounts).fetchall() == known != []
    home.app.row_check.check()


def test_a_row_that_no_entry_speaks_of_is_found(home: Home) -> None:
    take_back(home)
    with home.app.database.write() as work:
        work.revocations.put(RevocationRow(b"\x01" * 16, 1, home.app.kernel.now_ms() + KEPT_MS))
        work.commit()
    with pytest.raises(LedgerCorrupt, match="no entry speaks of"):
        home.app.row_check.check()


def test_what_was_forgotten_because_it_had_ended_is_not_missed(home: Home) -> None:
    take_back(home)
    home.clock.step(KEPT_MS / 1_000 + 1_000)
    home.app.revoke.token(admin(home), TokenName(ISSUER, "another"))
    home.app.row_check.check()
    assert len(home.sql().execute("SELECT label FROM revocations").fetchall()) == 1


def test_an_issuer_with_a_fragment_is_refused_because_entries_could_not_tell_whose_token_it_is(home: Home) -> None:
    with pytest.raises(InvalidInput, match="issuer"):
        home.app.revoke.token(admin(home), TokenName(f"{ISSUER}#x", "1"))
    assert home.entries()[-1].kind == "grant"
    home.app.row_check.check()


def make_unit(home: Home, name: str = "Water") -> UnitId:
    hr = home.caller("hr", Role.ENROLLER)
    home.app.units.create(hr, UnitName(name), frozenset(), TODAY)
    return UnitId(home.sql().execute("SELECT id FROM units ORDER BY created_at DESC").fetchall()[0][0])


def rename(home: Home, unit: UnitId, name: str) -> None:
    change = UnitChange(unit, name, None, MemberChange(), None, TODAY)
    home.app.units.change(home.caller("hr", Role.ENROLLER), change)


def test_units_as_their_entries_say_are_sound(home: Home) -> None:
    unit = make_unit(home)
    rename(home, unit, "Sewers")
    home.app.units.remove(home.caller("hr", Role.ENROLLER), unit, None)
    make_unit(home)
    home.app.row_check.check()


@pytest.mark.parametrize("is_removed", [False, True])
def test_an_older_row_of_a_unit_that_is_put_back_is_found(home: Home, *, is_removed: bool) -> None:
    unit = make_unit(home)
    sql = home.sql()
    columns = "id, name_tag, outside_tag, version, created_at, updated_at, names, guard"
    before = sql.execute(f"SELECT {columns} FROM units").fetchall()[0]
    if is_removed:
        home.app.units.remove(home.caller("hr", Role.ENROLLER), unit, None)
    else:
        rename(home, unit, "Sewers")
    home.app.row_check.check()
    sql.execute("DELETE FROM units")
    sql.execute(f"INSERT INTO units ({columns}) VALUES ({', '.join('?' * 8)})", before)
    with pytest.raises(LedgerCorrupt, match="not as it says"):
        home.app.row_check.check()


def test_a_unit_that_is_gone_or_slipped_in_is_found(home: Home) -> None:
    make_unit(home)
    home.app.row_check.check()
    with home.app.database.write() as work:
        now_ms = home.app.kernel.now_ms()
        work.units.insert(UnitRow(UnitId("f" * 32), b"\x01" * 16, None, 1, now_ms, now_ms, b""))
        work.commit()
    with pytest.raises(LedgerCorrupt, match="no entry speaks of"):
        home.app.row_check.check()
    home.sql().execute("DELETE FROM units")
    with pytest.raises(LedgerCorrupt, match="missing"):
        home.app.row_check.check()
