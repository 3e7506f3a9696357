"""What is known beside the forms: who held how much of a text, how long before, and whether a case explains it.

Observation only. It ranks, and weighs the evidence of the forms; it never attributes a text to a copy by itself, and
what it may add to a posterior is capped. All of it is computed before the forms of any copy are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# Share of a text that an account need not have held.
ELSEWHERE = 0.05
# Mean days from the last look to a publication, and the least that time can weigh.
MEAN_DAYS, LEAST_TIMING = 17.0, 0.3
# Of lookups that a case explains, in general and among those that were misused.
EXPLAINED, EXPLAINED_MISUSED = 0.94, 0.3
# Bounds of what times and cases may add (natural logarithm); the part of all weights that is shared out evenly.
MOST_ADDED, SHARED = 3.0, 0.2
# What holding the values may add to a posterior at most: structure that nobody thought of defeats it beyond that.
MOST_OVERLAP = 100.0
_LARGEST = 700.0  # exponents beyond are no numbers any more


@dataclass(frozen=True, slots=True)
class Holding:
    """What one account had been shown.

    Attributes:
        held: which of the found records.
        size: how many records of all in all.
        days: for each held found record, from the last look to the publication; None where it is not known.
        explained: for each held found record, whether a case explains the look.
    """

    held: frozenset[str]
    size: int
    days: Mapping[str, float | None] = field(default_factory=dict)
    explained: Mapping[str, bool] = field(default_factory=dict)


def fame(viewers: Mapping[str, int], total: int) -> dict[str, float]:
    """Return how often each found record would be the one that a random look shows.

    Args:
        viewers: accounts that were shown each found record.
        total: sum over all records of the registry of the accounts that were shown it, plus one for each record.
    """
    return {record: (count + 1) / total for record, count in viewers.items()}


def log_overlap(holding: Holding, found: Sequence[str], famous: Mapping[str, float]) -> float:
    """Return how much likelier the found records are if they come from this account's looks than from random ones.

    Whoever looks up more holds more: the number of records held is in the denominator. The natural logarithm, since a
    dump of hundreds of records leaves the range of numbers on either side.
    """
    total = 0.0
    for record in found:
        drawn = (1.0 - ELSEWHERE) / (holding.size * famous[record]) if record in holding.held and holding.size else 0.0
        total += math.log(drawn + ELSEWHERE)
    return total


def overlap(holding: Holding, found: Sequence[str], famous: Mapping[str, float]) -> float:
    """Return ``log_overlap`` as a ratio; one that is too large for a number is cut off where no cap reaches it."""
    return math.exp(min(_LARGEST, log_overlap(holding, found, famous)))


def timing(days: float, window: float) -> float:
    """Return how much likelier a look so many days before is under the account's part in it than at any time.

    Args:
        days: from the last look to the publication.
        window: days that the ledger covers.
    """
    return LEAST_TIMING + (1.0 - LEAST_TIMING) * window * math.exp(-days / MEAN_DAYS) / MEAN_DAYS


def explanation(*, explained: bool) -> float:
    """Return how much likelier a look with, or without, a case is under misuse than in general."""
    if explained:
        return 0.5 + 0.5 * EXPLAINED_MISUSED / EXPLAINED
    return 0.5 + 0.5 * (1.0 - EXPLAINED_MISUSED) / (1.0 - EXPLAINED)


def weights(
    holdings: Mapping[str, Holding], found: Sequence[str], famous: Mapping[str, float], window: float
) -> dict[str, float]:
    """Return the weight of each account; they add up to one, and none is below its even share of a fifth.

    Args:
        holdings: of every account that was shown at least one of the found records.
        found: the found records.
        famous: as ``fame`` gives it.
        window: days that the ledger covers.
    """
    if not holdings:
        return {}
    logs = {name: log_overlap(one, found, famous) + _beside(one, window) for name, one in holdings.items()}
    top = max(logs.values())
    raised = {name: math.exp(value - top) for name, value in logs.items()}
    whole, even = sum(raised.values()), SHARED / len(holdings)
    return {name: (1.0 - SHARED) * value / whole + even for name, value in raised.items()}


def _beside(holding: Holding, window: float) -> float:
    logs = []
    for record in holding.held:
        days = holding.days.get(record)
        known = 0.0 if days is None else math.log(timing(days, window))
        logs.append(known + math.log(explanation(explained=holding.explained.get(record, False))))
    mean = sum(logs) / len(logs) if logs else 0.0
    return max(-MOST_ADDED, min(MOST_ADDED, mean))
