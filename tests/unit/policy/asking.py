"""Asks written in words, for the table of cases."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, RecordId, new_id
from registry.domain.marks import Tier
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.policy.decide import Decision, Facts, RecordFacts, Relation
from registry.policy.engine import Policy, load_policy
from registry.policy.settings import PolicySettings

_FLAGS = {
    "own": "is_own_record",
    "quota": "quota_exceeded",
    "cooling": "cooling_exceeded",
    "break_glass": "break_glass",
    "decoy": "decoy",
    "step_up": "step_up",
}
_COUNTS = {"approvals": "approvals", "other_unit": "approvals_other_unit"}


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    who: str
    purpose: str
    asked: str
    so: str
    decision: str
    rule: str


@cache
def policy_of(same_unit: bool) -> Policy:
    return load_policy(PolicySettings(same_unit=same_unit))


def decided(case: Case) -> Decision:
    """Ask what one line says."""
    words = set(case.so.replace("-", "").split())
    roles = frozenset(Role(word) for word in case.who.split() if word != "nobody")
    principal = Principal(PrincipalId(new_id()), "issuer#asker", roles)
    facts = facts_of(case.asked.split(), words)
    policy = policy_of("same_unit" in words)
    if case.purpose == "own_card":
        return policy.decide_own(principal, facts)
    purpose = Purpose(PurposeCode(case.purpose), "C-1" if "case" in words else "", "A note" if "note" in words else "")
    return policy.decide(principal, purpose, facts)


def facts_of(asked: list[str], words: set[str]) -> Facts:
    """Make facts of words; without a mark, records are confidential."""
    categories = [Category(word) for word in asked]
    tiers = [tier for tier in Tier if tier.value in words] or [Tier.CONFIDENTIAL]
    pairs = [word.split(":") for word in words if ":" in word]
    known = {"same_unit", "case", "note", *_FLAGS, *(tier.value for tier in Tier)}
    assert words <= known | {word for word in words if ":" in word}, words
    return Facts(
        asked=frozenset(categories),
        records=tuple(RecordFacts(RecordId(new_id()), one, tier) for one in categories for tier in tiers),
        relations=frozenset(Relation(value) for name, value in pairs if name == "relation"),
        **{name: True for word, name in _FLAGS.items() if word in words},
        **{_COUNTS[name]: int(value) for name, value in pairs if name in _COUNTS},
    )
