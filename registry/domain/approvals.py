"""Approval by other people: how many a record's tier takes, and how long a request and an approval stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from registry.domain.marks import Tier

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS


class Action(StrEnum):
    """What an agency may put under dual control: it is done once another person has approved exactly this."""

    TRACE = "trace"  # an investigator opens a case
    EVIDENCE = "evidence"  # a bundle leaves the registry
    DRAWS = "draws"  # what was drawn for all copies of the found values is opened, for a defence
    NAMES = "names"  # the account behind a label of a trace report is named
    UNMARK = "unmark"  # a record's tier is lowered, or its protection ended
    ERASE = "erase"  # somebody is taken out of the registry for good
    RELATIONS = "relations"  # what keeps somebody from looking a subject up is taken away: kin, supervisor, unit
    PRINCIPALS = "principals"  # an account gets roles, or what conflict rules know of it changes
    KEYS = "keys"  # a key is exchanged or destroyed, or what stored keys are kept under
    POLICY = "policy"  # other policies, or other settings that restrain people, come into force
    WAIVE = "waive"  # a protected value stays in a document that is to be published


# What takes another person whatever an agency has said; no setting names it. Nobody is named on one person's word.
ALWAYS = frozenset({Action.NAMES, Action.WAIVE})


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """How long requests, approvals and emergencies stand.

    Attributes:
        decide_hours: a request that nobody decided by then is asked again, by somebody who still needs it.
        use_hours: an approval is for what is at hand, not for a habit.
        emergency_minutes: how long an emergency opens a card.
        review_hours: how long the review of an emergency may take; over a weekend somebody looks at it.
        unreviewed: so many emergencies of one person may wait for their review.
        reply_days: how long somebody whose account was named has to reply before anything follows.
        hold_approver_days: on so many days of any 365 one person's notices may be kept back on the word of one
            approver; beyond them another approver has to look at it.
        hold_days: on so many days of any 365 they may be kept back at all, whoever confirms it.
        dual_control: what takes an approved request beside guarded records and what always does.
        hr_clients: clients of tokens, of HR systems, whose word on who leads whom and in which unit needs no second
            person's.
    """

    decide_hours: int = 7 * 24
    use_hours: int = 24
    emergency_minutes: int = 60
    review_hours: int = 72
    unreviewed: int = 10
    reply_days: int = 14
    hold_approver_days: int = 90
    hold_days: int = 180
    dual_control: frozenset[Action] = frozenset()
    hr_clients: frozenset[str] = frozenset()

    def demands(self, action: Action) -> bool:
        """Tell whether an action takes another person."""
        return action in ALWAYS or action in self.dual_control

    @property
    def decide_ms(self) -> int:
        """``decide_hours`` in milliseconds."""
        return self.decide_hours * _HOUR_MS

    @property
    def use_ms(self) -> int:
        """``use_hours`` in milliseconds."""
        return self.use_hours * _HOUR_MS

    @property
    def emergency_ms(self) -> int:
        """``emergency_minutes`` in milliseconds."""
        return self.emergency_minutes * _MINUTE_MS

    @property
    def review_ms(self) -> int:
        """``review_hours`` in milliseconds."""
        return self.review_hours * _HOUR_MS

    @property
    def reply_ms(self) -> int:
        """``reply_days`` in milliseconds."""
        return self.reply_days * 24 * _HOUR_MS


class State(StrEnum):
    """What became of a request. One whose time is over says so by its time; no row changes for it."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"
    USED = "used"  # what it was for is done


class Verdict(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    REFUSE = "refuse"


class Needs(NamedTuple):
    """Who must approve: so many people, one of them of another unit than who asks."""

    approvals: int
    other_unit: bool


def needs_of(tiers: Iterable[Tier]) -> Needs:
    """Return what the strictest of some tiers takes."""
    held = frozenset(tiers)
    if Tier.SEALED in held:
        return Needs(2, other_unit=True)
    return Needs(int(Tier.RESTRICTED in held), other_unit=False)
