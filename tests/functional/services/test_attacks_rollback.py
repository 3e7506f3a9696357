"""Genuine earlier rows put back: every guard and digest fits, only the ledger knows better."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from registry.cli.auditing import verify_ledger
from registry.domain.approvals import State, Verdict
from registry.domain.categories import Category
from registry.domain.errors import Conflict, LedgerCorrupt
from registry.domain.principals import Role
from registry.services.approvals import Word
from registry.services.disclose import Disclosed, Refused, Waiting
from registry.services.enroll import Enrolled
from registry.services.import_people import Existing
from registry.services.principals import Grant
from registry.services.update import UpdateAsk
from registry.storage.guards import GUARDED, RowGuard, guard_key
from registry.text.intake import read_changes, read_enrollment
from tests.functional.services.homes import ISSUER, TODAY, Home, person


def update(home: Home, enrolled: Enrolled, **body: Any) -> None:
    ask = UpdateAsk(enrolled.subject, read_changes(body, today=TODAY), None, TODAY)
    home.app.update.update(home.caller("hr", Role.ENROLLER), ask)


def phone_of(enrolled: Enrolled) -> str:
    return next(line.record for line in enrolled.records if line.category is Category.PHONE)


def put_back(sql: Any, table: str, rows: list[tuple[object, ...]]) -> None:
    sql.executemany(f"DELETE FROM {table} WHERE id = ?", [row[:1] for row in rows])
    sql.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


@pytest.fixture
def enrolled(home: Home) -> Enrolled:
    return home.enroll()


def test_a_lived_in_registry_is_sound(home: Home, enrolled: Enrolled) -> None:
    phone = phone_of(enrolled)
    home.enroll(person("T-0002", records=[{**record, "confidentiality": "none"} for record in person()["records"]]))
    update(
        home,
        enrolled,
        title="Warden",
        versions=[{"record": phone, "value": {"kind": "home", "number": "816-555-0143"}}],
        marks=[{"record": phone, "confidentiality": "sealed"}],
        add_family=[{"ref": "c2", "relation": "child", "given_name": "Noor", "family_name": "Brightwater"}],
        add_records=[{"category": "school", "member": "c2", "value": {"name": "Alder Grove Middle School"}}],
    )
    update(home, enrolled, ends=[{"record": phone}])
    changed = person("T-0002", given_name="Lee", records=person()["records"][2:])
    hr = home.caller("hr", Role.ENROLLER)
    home.import_people(hr, [read_enrollment(changed, today=TODAY)], Existing.UPDATE)
    home.disclose(home.caller("reader", Role.READER), home.ask(enrolled.subject, Category.SSN))
    home.app.principals.ensure(Grant(ISSUER, "nobody", frozenset()), operator="local:test")
    assert home.app.row_check.check() > 20


Act = Callable[[Home, Enrolled], None]


@pytest.mark.parametrize(
    ("table", "act"),
    [
        ("records", lambda h, e: update(h, e, marks=[{"record": phone_of(e), "confidentiality": "sealed"}])),
        ("records", lambda h, e: update(h, e, ends=[{"record": phone_of(e)}])),
        (
            "records",
            lambda h, e: update(
                h, e, versions=[{"record": phone_of(e), "value": {"kind": "mobile", "number": "816-555-0143"}}]
            ),
        ),
        ("subjects", lambda h, e: update(h, e, title="Warden")),
    ],
)
def test_an_older_row_is_found(home: Home, enrolled: Enrolled, table: str, act: Act) -> None:
    sql = home.sql()
    before = sql.execute(f"SELECT * FROM {table}").fetchall()
    act(home, enrolled)
    home.app.row_check.check()
    put_back(sql, table, before)
    with pytest.raises(LedgerCorrupt) as found:
        home.app.row_check.check()
    assert found.value.entry is not None
    with pytest.raises(LedgerCorrupt) as again:
        verify_ledger(home.app, 1)
    assert again.value.entry is not None


def test_roles_put_back_after_they_were_taken_are_found(home: Home) -> None:
    home.caller("clerk", Role.READER)
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    sql = home.sql()
    before = sql.execute("SELECT * FROM principals").fetchall()
    home.app.principals.grant(admin, Grant(ISSUER, "clerk", frozenset()))
    home.app.row_check.check()
    put_back(sql, "principals", before)
    with pytest.raises(LedgerCorrupt, match="not as they were granted"):
        home.app.row_check.check()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM record_versions WHERE record = ?",
        "DELETE FROM records WHERE id = ?",
        "UPDATE record_versions SET sealed = zeroblob(125) WHERE record = ?",
        "UPDATE record_versions SET digest = zeroblob(32) WHERE record = ?",
        "UPDATE record_versions SET version = 9 WHERE record = ?",
        "UPDATE records SET tier = 'none' WHERE id = ?",
        "UPDATE records SET subject = 'nobody' WHERE id = ?",
    ],
)
def test_a_lost_or_changed_record_is_found(home: Home, enrolled: Enrolled, statement: str) -> None:
    verify_ledger(home.app, 1)
    home.sql().execute(statement, (phone_of(enrolled),))
    for check in (home.app.row_check.check, partial(verify_ledger, home.app, 1)):
        with pytest.raises(LedgerCorrupt):
            check()


def test_an_older_version_that_was_lost_is_found(home: Home, enrolled: Enrolled) -> None:
    """Else a leaked earlier value would not be recognised any more."""
    phone = phone_of(enrolled)
    update(home, enrolled, versions=[{"record": phone, "value": {"kind": "mobile", "number": "816-555-0143"}}])
    home.sql().execute("DELETE FROM record_versions WHERE record = ? AND version = 1", (phone,))
    for check in (home.app.row_check.check, partial(verify_ledger, home.app, 1)):
        with pytest.raises(LedgerCorrupt, match="version"):
            check()


def test_a_principal_that_was_deleted_or_slipped_in_is_found(home: Home, enrolled: Enrolled) -> None:
    home.caller("clerk", Role.READER)
    sql = home.sql()
    sql.execute(
        "INSERT INTO principals SELECT substr(id, 2) || 'x', issuer, 'new', roles, employee, unit, state,"
        " created_at, guard, supervisor, person_tag FROM principals WHERE sub = 'clerk'"
    )
    with pytest.raises(LedgerCorrupt):
        home.app.row_check.check()
    sql.execute("DELETE FROM principals WHERE sub = 'new'")
    home.app.row_check.check()
    sql.execute("DELETE FROM principals WHERE sub = 'clerk'")
    with pytest.raises(LedgerCorrupt, match="missing"):
        home.app.row_check.check()


EARLIER = 1_000 * 86_400_000


def as_before(home: Home, name: str) -> None:
    """Store an account as it was before guards covered when it was made."""
    sql = home.sql()
    columns = ("id", "issuer", "sub", "roles", "employee", "unit", "state", "supervisor")
    told = sql.execute(f"SELECT {', '.join(columns)} FROM principals WHERE sub = ?", (name,)).fetchone()
    guard = RowGuard(guard_key(home.app.keyring.secret("index")))
    covered = told if told[-1] is not None else told[:-1]
    sql.execute("UPDATE principals SET guard = ? WHERE sub = ?", (guard.tag("principals", covered), name))


def test_nobody_is_made_older_than_they_are(home: Home, enrolled: Enrolled) -> None:
    """Else a new account would see as much as an old one."""
    reader = home.caller("reader", Role.READER)
    home.sql().execute("UPDATE principals SET created_at = ? WHERE sub = 'reader'", (EARLIER,))
    answer = home.disclose(reader, home.ask(enrolled.subject, Category.PHONE))
    assert isinstance(answer, Refused)
    with pytest.raises(LedgerCorrupt, match="principal"):
        home.app.row_check.check()


@pytest.mark.parametrize("supervisor", [None, "T-0777"])
def test_an_account_of_before_works_and_what_it_says_of_its_age_is_compared(
    home: Home, enrolled: Enrolled, supervisor: str | None
) -> None:
    grant = Grant(ISSUER, "reader", frozenset({Role.READER}), supervisor=supervisor)
    home.app.principals.ensure(grant, operator="local:test")
    reader = home.caller("reader", Role.READER)
    as_before(home, "reader")
    assert isinstance(home.disclose(reader, home.ask(enrolled.subject, Category.SSN)), Disclosed)
    home.app.row_check.check()
    home.sql().execute("UPDATE principals SET created_at = ? WHERE sub = 'reader'", (EARLIER,))
    with pytest.raises(LedgerCorrupt, match="not as old"):
        home.app.row_check.check()


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ("earlier", "does not stand as its approvers left it"),
        ("DELETE FROM requests", "missing"),
        ("DELETE FROM request_decisions", "does not stand as its approvers left it"),
    ],
)
def test_a_request_is_as_its_entries_say(home: Home, edit: str, what: str) -> None:
    """Else a refusal is taken back, and the same people are asked until somebody says yes."""
    body = person()
    body["records"][1]["confidentiality"] = "restricted"
    subject = home.enroll(body).subject
    reader, approver = home.caller("reader", Role.READER), home.caller("approver", Role.APPROVER)
    waiting = home.disclose(reader, home.ask(subject, Category.PHONE))
    assert isinstance(waiting, Waiting)
    sql = home.sql()
    before = sql.execute("SELECT * FROM requests").fetchall()
    home.app.row_check.check()
    home.app.approvals.decide(approver, Word(waiting.request.id, Verdict.REFUSE))
    with pytest.raises(Conflict):  # a word that is not taken changes nothing
        home.app.approvals.decide(home.caller("other", Role.APPROVER), Word(waiting.request.id, Verdict.APPROVE))
    home.app.row_check.check()
    if edit == "earlier":
        put_back(sql, "requests", before)
        assert home.app.approvals.listing(approver)[0].state is State.PENDING
    else:
        sql.execute(edit)
    with pytest.raises(LedgerCorrupt, match=what):
        home.app.row_check.check()


def test_a_request_of_somebody_else_or_of_no_entry_is_found(home: Home) -> None:
    body = person()
    body["records"][1]["confidentiality"] = "restricted"
    subject = home.enroll(body).subject
    home.disclose(home.caller("reader", Role.READER), home.ask(subject, Category.PHONE))
    guard, sql = RowGuard(guard_key(home.app.keyring.secret("index"))), home.sql()
    columns = GUARDED["requests"]
    row = dict(zip(columns, sql.execute(f"SELECT {', '.join(columns)} FROM requests").fetchone(), strict=True))
    for changed in ({"created_at": EARLIER}, {"entry": 1}):
        parts = list((row | changed).values())
        values = (changed.get("created_at", row["created_at"]), changed.get("entry", row["entry"]))
        sql.execute("UPDATE requests SET created_at = ?, entry = ?, guard = ?", (*values, guard.tag("requests", parts)))
        with pytest.raises(LedgerCorrupt, match="not as it was asked"):
            home.app.row_check.check()
