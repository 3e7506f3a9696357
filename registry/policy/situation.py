"""What policies see of one ask, and how Cedar is told. It holds no identifier: equal situations are decided alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from registry.domain.categories import Category
from registry.domain.marks import Tier
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy.decide import Facts, Relation

# More approvers than any policy will ask for: counts stay few, and situations with them.
MOST_APPROVALS = 16

_USER = {"type": "User", "id": "asker"}
_CARD = {"type": "Card", "id": "asked"}


class Situation(NamedTuple):
    """All that a decision depends on. ``purpose`` is None for a subject's view of their own card."""

    roles: frozenset[Role]
    step_up: bool
    quota_exceeded: bool
    cooling_exceeded: bool
    categories: frozenset[Category]
    tiers: frozenset[Tier]
    own: bool
    relations: frozenset[Relation]
    approvals: int
    approvals_other_unit: int
    break_glass: bool
    purpose: PurposeCode | None
    has_case: bool
    has_note: bool


def situation_of(principal: Principal, purpose: Purpose | None, facts: Facts) -> Situation:
    """Leave out of facts all that no policy may depend on: identifiers, names, texts."""
    return Situation(
        principal.roles,
        facts.step_up,
        facts.quota_exceeded,
        facts.cooling_exceeded,
        facts.asked.union([record.category for record in facts.records]),
        frozenset([record.tier for record in facts.records]),
        facts.is_own_record,
        facts.relations,
        min(facts.approvals, MOST_APPROVALS),
        min(facts.approvals_other_unit, MOST_APPROVALS),
        facts.break_glass,
        None if purpose is None else purpose.code,
        purpose is not None and bool(purpose.case),
        purpose is not None and bool(purpose.note),
    )


def request_of(action: str, situation: Situation, *, same_unit_conflicts: bool) -> dict[str, Any]:
    """Write a situation as a request to Cedar."""
    return {
        "principal": _USER,
        "action": {"type": "Action", "id": action},
        "resource": _CARD,
        "context": _context(situation, same_unit_conflicts=same_unit_conflicts),
    }


def entities_of(situation: Situation) -> list[dict[str, Any]]:
    """Write who asks and what is asked for as Cedar's entities."""
    user = {
        "roles": _named("Role", situation.roles),
        "step_up": situation.step_up,
        "quota_exceeded": situation.quota_exceeded,
        "cooling_exceeded": situation.cooling_exceeded,
    }
    card = {
        "categories": _named("Category", situation.categories),
        "tiers": _named("Tier", situation.tiers),
        "own": situation.own,
        "relations": _named("Relation", situation.relations),
        "approvals": situation.approvals,
        "approvals_other_unit": situation.approvals_other_unit,
        "break_glass": situation.break_glass,
    }
    return [{"uid": _USER, "attrs": user, "parents": []}, {"uid": _CARD, "attrs": card, "parents": []}]


def _context(situation: Situation, *, same_unit_conflicts: bool) -> dict[str, Any]:
    if situation.purpose is None:
        return {}
    (purpose,) = _named("Purpose", [situation.purpose])
    return {
        "purpose": purpose,
        "has_case": situation.has_case,
        "has_note": situation.has_note,
        "same_unit_conflicts": same_unit_conflicts,
    }


def _named(kind: str, members: Iterable[str]) -> list[dict[str, dict[str, str]]]:
    return [{"__entity": {"type": kind, "id": str(member)}} for member in sorted(members)]
