"""Colluding insiders: a trace handed on by editing its row; an administrator who would read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.domain.errors import AccessDenied, EnvelopeRejected, NotFound
from registry.domain.principals import Role
from registry.services.ports import ENDED
from registry.services.principals import Grant, Move
from registry.services.trace import TraceAsk
from tests.functional.services.homes import ISSUER, Home, person


@pytest.mark.parametrize("part", ["get", "reveal"])
def test_a_trace_handed_to_another_investigator_does_not_open(home: Home, part: str) -> None:
    home.enroll()
    one, other = home.caller("one", Role.INVESTIGATOR), home.caller("other", Role.INVESTIGATOR)
    trace = home.app.trace.trace(one, TraceAsk("call 816-555-0142")).trace
    home.sql().execute("UPDATE traces SET principal = (SELECT id FROM principals WHERE sub = 'other')")
    with pytest.raises(EnvelopeRejected):
        getattr(home.app.trace, part)(other, trace)


def test_an_administrator_grants_nothing_to_themselves(home: Home) -> None:
    admin = home.caller("admin", Role.SECURITY_ADMIN)
    size = len(home.entries())
    with pytest.raises(AccessDenied):
        home.app.principals.grant(admin, Grant(ISSUER, "admin", frozenset({Role.SECURITY_ADMIN, Role.READER})))
    assert len(home.entries()) == size + 1
    assert home.entries()[-1].kind == "deny"
    with pytest.raises(AccessDenied):
        home.app.kernel.admit(admin, frozenset({Role.READER}), "look")


@pytest.mark.parametrize("own", ["the account is theirs", "the number is theirs"])
def test_an_administrator_grants_nothing_to_a_second_account_of_their_own(home: Home, own: str) -> None:
    admin = home.caller("admin", Role.SECURITY_ADMIN, number="T-0009")
    number = None if own == "the account is theirs" else "T-0009"
    home.caller("second", Role.SUBJECT, number="T-0009" if number is None else "T-0008")
    with pytest.raises(AccessDenied):
        home.app.principals.grant(admin, Grant(ISSUER, "second", frozenset({Role.READER}), number))
    with home.app.database.read() as work:
        row = work.principals.by_name(ISSUER, "second")
    assert row is not None
    assert row.roles == {Role.SUBJECT}
    if number is None:
        with pytest.raises(AccessDenied):
            home.app.principals.move(admin, row.id, Move(roles=frozenset({Role.READER})))


@pytest.mark.parametrize("part", ["get", "reveal"])
def test_somebody_elses_trace_is_not_found_and_an_entry(home: Home, part: str) -> None:
    one, other = home.caller("one", Role.INVESTIGATOR), home.caller("other", Role.INVESTIGATOR)
    trace = home.app.trace.trace(one, TraceAsk("call 816-555-0142")).trace
    with pytest.raises(NotFound):
        getattr(home.app.trace, part)(other, trace)
    entry = home.entries()[-1]
    assert entry.values is not None
    assert (entry.kind, entry.values["result"], entry.values["request"]) == ("audit-read", "not_found", "")


def test_an_ended_principal_has_no_roles_whatever_its_row_still_says(home: Home) -> None:
    caller = home.caller("clerk", Role.READER)
    with home.app.database.read() as work:
        row = work.principals.by_name(ISSUER, "clerk")
    assert row is not None
    assert home.app.kernel.principal_from(row, caller).roles == {Role.READER}
    assert not home.app.kernel.principal_from(replace(row, state=ENDED), caller).roles


def test_equal_people_have_no_equal_byte_at_rest(home: Home) -> None:
    """Tags are keyed per subject: two people with the same values and the same family look unlike."""
    for number in ("T-0001", "T-0002"):
        home.enroll(person(number))
    sql = home.sql()
    for table, column in (
        ("record_versions", "value_tag"),
        ("record_versions", "digest"),
        ("record_versions", "sealed"),
        ("records", "slot_tag"),
        ("records", "guard"),
        ("persons", "ref_tag"),
        ("persons", "wrapped_key"),
        ("subjects", "content_tag"),
        ("subjects", "number_tag"),
        ("subjects", "guard"),
        ("subjects", "directory"),
        ("subjects", "chain"),
        ("postings", "label"),
        ("postings", "value"),
        ("ledger_postings", "value"),
    ):
        found = [bytes(row[0]) for row in sql.execute(f"SELECT {column} FROM {table}").fetchall()]
        assert len(found) > 1
        assert len(set(found)) == len(found), (table, column)
