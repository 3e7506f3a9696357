"""Who may see what: one readable function, pure, that answers with a permit or a denial and never raises."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.domain.categories import Category
from registry.domain.ids import RecordId
from registry.domain.marks import Tier
from registry.domain.principals import Principal, Role
from registry.domain.purposes import PURPOSES, Purpose

POLICY_VERSION = "plain/1"

NOT_PERMITTED = "not_permitted"
PURPOSE_NOT_ALLOWED = "purpose_not_allowed"
CASE_NEEDED = "case_needed"
CONFLICT_OF_INTEREST = "conflict_of_interest"
APPROVAL_REQUIRED = "approval_required"
QUOTA_EXCEEDED = "quota_exceeded"


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What policy may know of one record: never its value."""

    record: RecordId
    category: Category
    tier: Tier


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true at the moment of decision, read in the transaction that records it.

    Attributes:
        asked: the categories asked for, whether or not the subject has any record of them: a refusal must not tell.
        records: the active records that the ask names (by id or by category).
        is_own_record: the subject is the principal.
        quota_exceeded: the principal has seen as many different subjects today for this purpose as it may.
        cooling_exceeded: the same, by the lower limit of one that is new.
        decoy: the subject is a decoy; the answer must look like any other.
    """

    asked: frozenset[Category]
    records: tuple[RecordFacts, ...]
    is_own_record: bool = False
    quota_exceeded: bool = False
    cooling_exceeded: bool = False
    decoy: bool = False


@dataclass(frozen=True, slots=True)
class Permit:
    """The ask is granted for exactly these records."""

    records: tuple[RecordId, ...]
    rules: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Denial:
    """The ask is refused.

    Attributes:
        reason: the public code; says nothing of who is related to whom.
        rules: ids of the rules that decided; they stay in the entry.
    """

    reason: str
    rules: tuple[str, ...]


Decision = Permit | Denial


def decide(principal: Principal, purpose: Purpose, facts: Facts) -> Decision:
    """Decide one ask by an authorized staff member.

    Args:
        principal: who asks, with roles as the principals table says now.
        purpose: the stated purpose; its form has been checked.
        facts: the subject's records named by the ask, and relations.

    Returns:
        A permit for the named records, or the first denial in the order written here.
    """
    if Role.READER not in principal.roles:
        return Denial(NOT_PERMITTED, ("role.reader",))
    if facts.is_own_record:
        return Denial(CONFLICT_OF_INTEREST, ("conflict.own_record",))
    rule = PURPOSES[purpose.code]
    if rule.needs_case and not purpose.case:
        return Denial(CASE_NEEDED, ("purpose.case_missing",))
    if not facts.asked | {record.category for record in facts.records} <= rule.opens:
        return Denial(PURPOSE_NOT_ALLOWED, ("purpose.category",))
    return _braked(facts) or Permit(
        tuple(record.record for record in facts.records), ("permit.reader", f"purpose.{purpose.code.value}")
    )


def _braked(facts: Facts) -> Denial | None:
    if facts.quota_exceeded or facts.cooling_exceeded:
        return Denial(QUOTA_EXCEEDED, ("brakes.quota" if facts.quota_exceeded else "brakes.cooling",))
    # A restricted or sealed record needs somebody else's approval; there is no way to give one yet, so it stays shut.
    if any(record.tier in (Tier.RESTRICTED, Tier.SEALED) for record in facts.records):
        return Denial(APPROVAL_REQUIRED, ("tier.approval",))
    return None


def decide_own(principal: Principal, facts: Facts) -> Decision:
    """Decide a subject's ask for their own card."""
    if Role.SUBJECT not in principal.roles or not facts.is_own_record:
        return Denial(NOT_PERMITTED, ("role.subject",))
    return Permit(tuple(record.record for record in facts.records), ("permit.own_record",))
