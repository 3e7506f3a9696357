"""Colluding insiders: a trace handed on by editing its row; an administrator who would read."""

from __future__ import annotations

import pytest

from registry.domain.errors import AccessDenied, EnvelopeRejected
from registry.domain.principals import Role
from registry.services.principals import Grant
from registry.services.trace import TraceAsk
from tests.functional.services.homes import ISSUER, Home


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
