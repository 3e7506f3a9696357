"""What a decision on a lookup is made of: facts in, a permit or a denial out. The rules are in the *.cedar files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from registry.domain.categories import Category
from registry.domain.ids import RecordId
from registry.domain.marks import Tier

NOT_PERMITTED = "not_permitted"
CONFLICT_OF_INTEREST = "conflict_of_interest"
PURPOSE_NOT_ALLOWED = "purpose_not_allowed"
CASE_NEEDED = "case_needed"
NOTE_NEEDED = "note_needed"
STEP_UP_REQUIRED = "step_up_required"
QUOTA_EXCEEDED = "quota_exceeded"
APPROVAL_REQUIRED = "approval_required"

# What a refusal may say to who is refused; none tells who is related to whom.
PUBLIC_REASONS = (
    NOT_PERMITTED,
    CONFLICT_OF_INTEREST,
    PURPOSE_NOT_ALLOWED,
    CASE_NEEDED,
    NOTE_NEEDED,
    STEP_UP_REQUIRED,
    QUOTA_EXCEEDED,
    APPROVAL_REQUIRED,
)


class Relation(StrEnum):
    """How the person whose card is asked for is related to who asks. Never shown to who asks."""

    HOUSEHOLD = "household"
    KIN = "kin"
    FORMER_PARTNER = "former_partner"
    SAME_ADDRESS = "same_address"
    SUPERVISOR = "supervisor"
    SUBORDINATE = "subordinate"
    SAME_UNIT = "same_unit"


class Form(StrEnum):
    """How a card is shown: in forms drawn for who is shown it, exactly as enrolled, or hardly at all."""

    MARKED = "marked"
    AS_ENTERED = "as_entered"
    MASKED = "masked"


class RecordFacts(NamedTuple):
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
        relations: of the subject to the principal.
        approvals: distinct approvers of a valid request for exactly this principal, subject, records and purpose.
        approvals_other_unit: of those, how many belong to another unit than the principal.
        break_glass: the principal has opened this subject's card in an emergency, and the time box has not ended.
        quota_exceeded: the principal's quota for the purpose is used up.
        cooling_exceeded: the lower limit of a new principal is used up.
        decoy: the subject is made up, to notice who touches it. No policy sees this: the answer must look like any.
        step_up: the principal signed in strongly and lately enough.
    """

    asked: frozenset[Category]
    records: tuple[RecordFacts, ...]
    is_own_record: bool = False
    relations: frozenset[Relation] = frozenset()
    approvals: int = 0
    approvals_other_unit: int = 0
    break_glass: bool = False
    quota_exceeded: bool = False
    cooling_exceeded: bool = False
    decoy: bool = False
    step_up: bool = False


@dataclass(frozen=True, slots=True)
class Permit:
    """The ask is granted for exactly these records, in this form."""

    records: tuple[RecordId, ...]
    rules: tuple[str, ...] = ()
    form: Form = Form.AS_ENTERED


@dataclass(frozen=True, slots=True)
class Denial:
    """The ask is refused.

    Attributes:
        reason: the public code; says nothing of who is related to whom.
        rules: ids of the rules that decided, the first of them first; they stay in the entry.
    """

    reason: str
    rules: tuple[str, ...]


Decision = Permit | Denial
