"""What marks say of served copies, as a report shows it: numbers of copies under neutral labels, never of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from registry.domain.ids import PrincipalId
from registry.leaktrace.canaries import CanaryEvidence

TIERS = ("none", "lead", "strong", "attributed copy")


@dataclass(frozen=True, slots=True)
class CopyEvidence:
    """What the writing of the text says of one account's copies.

    Attributes:
        account: whose copies.
        e: e-value: how much likelier the read forms are if they derive from these copies than from a random draw.
        p: chance of such an e-value by the draw alone, at most; by the randomisation test where ``draws`` is not 0.
        weight: share of the allowed error, fixed before the draws were compared.
        bound: false-flag bound, ``min(1, p / weight)``.
        draws: of the randomisation test; 0 when it was not run.
        slots, agreeing: slots read of values that the copies held; those that agree with them.
        tier: one of ``TIERS``.
        is_forgeable: whether one of the copies was drawn by a secret that somebody saw, so that who had no part in them
            could write like it; the tier is a lead at most then.
    """

    account: PrincipalId
    e: float
    p: float
    weight: float
    bound: float
    draws: int
    slots: int
    agreeing: int
    tier: str
    is_forgeable: bool = False


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """What the writing of the text says of two accounts' copies put together; of neither of them alone.

    Attributes:
        accounts: whose copies.
        e: the smaller of the two e-values, each with the other's draw taken as given.
        weight: share of the allowed error, fixed before the draws were compared.
        bound: false-flag bound, ``min(1, 1 / (e weight))``.
        both, alone, neither: read places that agree with both, with one of the two (in their order), with none.
        tier: one of ``TIERS``, never the last.
    """

    accounts: tuple[PrincipalId, PrincipalId]
    e: float
    weight: float
    bound: float
    both: int
    alone: tuple[int, int]
    neither: int
    tier: str


@dataclass(frozen=True, slots=True)
class CurveLine:
    """What remains for the outside and for each account at one prior of an outside source."""

    prior: float
    outside: float
    accounts: Mapping[PrincipalId, float]


@dataclass(frozen=True, slots=True)
class MarksEvidence:
    """All that marks say in one trace.

    Attributes:
        reading: SHA-256 of the reading, hexadecimal.
        entry: index of the entry that fixed it.
        values, slots: found values that were read; slots of them in which something was recognised.
        seed: of the randomisation tests.
        copies: one line for each account that was served a marked copy.
        curve: posteriors over a range of priors.
        pairs: those that carry a lead or more.
        pairs_compared: so many were scored; 0 where a single copy explains the writing.
        canaries: what the digits of canaries say; counted in the lines of copies, too.
    """

    reading: str
    entry: int
    values: int
    slots: int
    seed: int
    copies: tuple[CopyEvidence, ...]
    curve: tuple[CurveLine, ...]
    pairs: tuple[PairEvidence, ...] = ()
    pairs_compared: int = 0
    canaries: tuple[CanaryEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelledEvidence:
    """One line of ``MarksEvidence.copies`` under the account's neutral label."""

    label: str
    evidence: CopyEvidence


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """One line of ``MarksEvidence.pairs`` under the accounts' neutral labels, in the order of its accounts."""

    labels: tuple[str, str]
    evidence: PairEvidence
