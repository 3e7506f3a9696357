"""From bounds to words: the strongest statement that the evidence of one investigation carries, and no stronger one."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry.attribution.evalue import Verdict

LEAD_BOUND, STRONG_BOUND, TOP_BOUND = 0.05, 1e-3, 1e-6
# For the top tier: posterior at an outside prior of nine in ten, and that of the next copy.
TOP_POSTERIOR, RIVAL_POSTERIOR, TOP_OUTSIDE = 0.99, 0.01, 0.9
INDEPENDENT = 2


class Tier(StrEnum):
    """What may be said of a copy."""

    NONE = "none"
    LEAD = "lead"
    STRONG = "strong"
    ATTRIBUTED = "attributed copy"


@dataclass(frozen=True, slots=True)
class CopyBound:
    """One copy's standing.

    Attributes:
        copy: its name.
        weight: share of the allowed error that was given to it beforehand.
        verdict: what the forms say.
        bound: of a false flag: ``min(1, p / weight)``. Of all investigations in which no copy had a part, at most this
            share would flag any.
        agreeing_cards: cards of different subjects whose forms speak for it.
    """

    copy: str
    weight: float
    verdict: Verdict
    bound: float
    agreeing_cards: int = 0


def bound_of(verdict: Verdict, weight: float) -> float:
    """Return the false-flag bound of a verdict under a weight that was fixed before the draws were looked at."""
    return min(1.0, verdict.p / weight) if weight > 0.0 else 1.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What caps a statement, whatever the forms say.

    Attributes:
        uncapped: whether more than a lead may be stated: the ledger shows every copy, and the year's budget of false
            flags is not spent.
        posterior: of each copy at an outside prior of nine in ten.
        forgeable: copies that somebody could have written like who had no part in them; nothing stronger than a lead is
            stated of these.
    """

    uncapped: bool
    posterior: Mapping[str, float]
    forgeable: Container[str] = frozenset()

    def may_lead_further(self, *copies: str) -> bool:
        """Tell whether more than a lead may be stated of copies."""
        return self.uncapped and not any(copy in self.forgeable for copy in copies)


def tier_of(one: CopyBound, all_bounds: Sequence[CopyBound], circumstances: Circumstances) -> Tier:
    """Return the tier of one copy among all copies of an investigation."""
    if one.bound > LEAD_BOUND:
        return Tier.NONE
    if one.bound > STRONG_BOUND or not circumstances.may_lead_further(one.copy):
        return Tier.LEAD
    rivals = [circumstances.posterior.get(other.copy, 0.0) for other in all_bounds if other.copy != one.copy]
    is_top = (
        one.bound <= TOP_BOUND
        and circumstances.posterior.get(one.copy, 0.0) >= TOP_POSTERIOR
        and max(rivals, default=0.0) < RIVAL_POSTERIOR
        and one.agreeing_cards >= INDEPENDENT
    )
    return Tier.ATTRIBUTED if is_top else Tier.STRONG
