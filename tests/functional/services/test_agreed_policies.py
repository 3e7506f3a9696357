"""Policies and settings under dual control: nothing else comes into force than what two people agreed to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from registry.bootstrap import open_application
from registry.cli.auditing import verify_ledger
from registry.domain.approvals import Action, Verdict
from registry.domain.errors import AccessDenied, ApprovalNeeded, LedgerCorrupt, MisconfiguredHome
from registry.domain.principals import Role
from registry.policy.engine import load_policy
from registry.policy.settings import PolicySettings
from registry.services.approvals import Word
from registry.services.kernel import Caller
from registry.services.ports_policy import PolicyRow
from tests.functional.services.homes import Home
from tests.functional.services.test_at_once import at_once

REASON = "agreed in the meeting of the board"
STRICTER = PolicySettings(same_unit=True)
UNDER: dict[str, Any] = {"approvals": {"dual_control": frozenset({Action.POLICY})}}
FREED: dict[str, Any] = {"approvals": {"dual_control": frozenset()}}
NEXT = load_policy(STRICTER).version


@pytest.fixture
def home(home: Home) -> Home:
    """The same registry, with policies under dual control."""
    home.app.close()
    home.app = open_application(replace(home.app.settings, **UNDER), home.clock)
    return home


@contextmanager
def started(home: Home, **settings: Any) -> Iterator[Home]:
    app = open_application(replace(home.app.settings, **settings), home.clock)
    try:
        yield Home(app, home.clock)
    finally:
        app.close()


def agree(home: Home, version: str, *, by: Caller | None = None) -> None:
    """Name a version, have it approved by another person, and name it once more."""
    admin = by or home.caller("admin", Role.SECURITY_ADMIN)
    with pytest.raises(ApprovalNeeded) as waiting:
        home.app.policy_changes.agree(admin, version, REASON)
    approver = home.caller("approver", Role.APPROVER)
    home.app.approvals.decide(approver, Word(waiting.value.request, Verdict.APPROVE, "read them"))
    home.app.policy_changes.agree(admin, version, REASON)


def controls_version(home: Home, approvals: dict[str, Any]) -> str:
    return replace(home.app.settings, approvals=approvals).controls(home.app.profile).version


def test_other_policies_do_not_start_before_a_second_person_agreed(home: Home) -> None:
    with (
        pytest.raises(MisconfiguredHome, match=f"{NEXT} is not in force, and nobody agreed"),
        started(home, policy=STRICTER),
    ):
        pass
    agree(home, NEXT)
    with started(home, policy=STRICTER) as other:
        assert other.app.policy_changes.listing()[0].after == NEXT
        verify_ledger(other.app, 1)
        other.app.row_check.check()
    said = [dict(entry.values or {}) for entry in home.entries() if entry.kind == "policy"]
    assert [one["request"] for one in said] == ["controls", "agreed", "policies"]
    assert (said[1]["result"], said[1]["note"]) == (NEXT, REASON)


def test_going_back_takes_an_agreement_of_its_own(home: Home) -> None:
    first = home.app.kernel.policy.version
    agree(home, NEXT)
    with started(home, policy=STRICTER) as other:
        with pytest.raises(MisconfiguredHome, match=first), started(home, policy=PolicySettings()):
            pass
        agree(other, first)
    with started(home, policy=PolicySettings()):
        pass


def test_whoever_may_write_the_file_does_not_free_themselves(home: Home) -> None:
    """Dual control is what the ledger says it is; taking it out of the settings is itself under it."""
    for settings in (FREED, FREED | {"policy": STRICTER}, {"brakes": {"candidates": 0}} | UNDER):
        with pytest.raises(MisconfiguredHome, match="nobody agreed"), started(home, **settings):
            pass
    agree(home, controls_version(home, FREED["approvals"]))
    with started(home, **FREED):
        pass
    with started(home, **FREED, policy=STRICTER):
        pass


def test_an_agreement_is_for_one_version(home: Home) -> None:
    agree(home, "cedar:" + "0" * 64)
    with pytest.raises(MisconfiguredHome), started(home, policy=STRICTER):
        pass


def test_nobody_agrees_alone_nor_under_another_role(home: Home) -> None:
    for role in set(Role) - {Role.SECURITY_ADMIN}:
        with pytest.raises(AccessDenied):
            home.app.policy_changes.agree(home.caller(f"the {role}", role), NEXT, REASON)
    admin = home.caller("admin", Role.SECURITY_ADMIN, number="T-0090")
    with pytest.raises(ApprovalNeeded) as waiting:
        home.app.policy_changes.agree(admin, NEXT, REASON)
    twin = home.caller("second account", Role.APPROVER, number="T-0090")
    with pytest.raises(AccessDenied):
        home.app.approvals.decide(twin, Word(waiting.value.request, Verdict.APPROVE, "it is fine"))
    with pytest.raises(ApprovalNeeded):
        home.app.policy_changes.agree(admin, NEXT, REASON)
    with pytest.raises(MisconfiguredHome), started(home, policy=STRICTER):
        pass


def test_an_agreement_that_nobody_made_is_found(home: Home) -> None:
    agree(home, NEXT)
    with home.app.database.write() as work:
        work.ledger.lock_head()
        work.policies.put_agreed(PolicyRow("cedar:" + "1" * 64, 3))
        work.commit()
    with pytest.raises(LedgerCorrupt, match="agreed"):
        home.app.row_check.check()


def test_several_that_start_at_once_after_an_agreement_write_one_entry(home: Home) -> None:
    agree(home, NEXT)

    def start() -> str:
        with started(home, policy=STRICTER) as other:
            return other.app.kernel.policy.version

    assert at_once([start] * 5) == [NEXT] * 5
    said = [dict(entry.values or {}) for entry in home.entries() if entry.kind == "policy"]
    assert [one["request"] for one in said].count("policies") == 1


def test_without_dual_control_it_is_an_entry_alone(home: Home) -> None:
    agree(home, controls_version(home, FREED["approvals"]))
    with started(home, **FREED) as freed:
        freed.app.policy_changes.agree(freed.caller("admin", Role.SECURITY_ADMIN), NEXT, REASON)
        freed.app.row_check.check()
