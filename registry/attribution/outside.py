"""The hypothesis that nobody inside had a part: how a text from outside is written, and what remains for copies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.attribution.channel import PUBLIC, PUBLIC_HABIT, RecordRead, SlotRead
from registry.attribution.evalue import USUAL, Model, e_value
from registry.attribution.weights import MOST_OVERLAP

# An outside source keeps one style: its forms are one draw from this, concentrated like one earlier reading.
_PUBLIC_OUTSIDE, _CONCENTRATION = 0.75, 1.0
PRIORS = (0.1, 0.5, 0.9, 0.99)
_LARGEST = 700.0  # exponents beyond are no numbers any more


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Posterior of each copy, and of the outside, at one prior of the outside."""

    prior: float
    outside: float
    copies: Mapping[str, float]


def log_outside(records: Sequence[RecordRead]) -> float:
    """Return the log-likelihood of the read forms under an outside source that keeps one style."""
    counts: dict[str, dict[int, int]] = {}
    total = 0.0
    for record in records:
        for slot in record.slots:
            if slot.read is None:
                continue
            seen = counts.setdefault(slot.name, {})
            known = _CONCENTRATION * _first(slot, slot.read) + seen.get(slot.read, 0)
            total += math.log(known / (_CONCENTRATION + sum(seen.values())))
            seen[slot.read] = seen.get(slot.read, 0) + 1
    return total


def log_inside(records: Sequence[RecordRead], copy: str, model: Model = USUAL) -> float:
    """Return the log-likelihood of the read forms if they derive from a copy, where it held the record."""
    logs = []
    for behaviour, weight in enumerate(model.behaviours):
        counts: dict[str, dict[int, float]] = {}
        total = math.log(weight) if weight else -math.inf
        for record in records:
            drawn = record.drawn.get(copy)
            for place, slot in enumerate(record.slots):
                if slot.read is None:
                    continue
                seen = counts.setdefault(slot.name, {})
                habit = (_own(slot, slot.read) + seen.get(slot.read, 0.0)) / (1.0 + sum(seen.values()))
                keep = slot.keeps(behaviour) if drawn is not None else 0.0
                free = (1.0 - keep) * habit
                likelihood = free + (keep if drawn is not None and drawn[place] == slot.read else 0.0)
                if likelihood <= 0.0:
                    total = -math.inf
                    break
                seen[slot.read] = seen.get(slot.read, 0.0) + free / likelihood
                total += math.log(likelihood)
        logs.append(total)
    top = max(logs)
    return top + math.log(sum(math.exp(one - top) for one in logs)) if top > -math.inf else -math.inf


def log_ratio(records: Sequence[RecordRead], copy: str) -> float:
    """Return how much likelier the read forms are from a copy than from outside; the natural logarithm.

    A copy never gains more over the outside than over a random draw: how outside sources write is assumed, and one that
    writes unlike the public forms must not be taken for a copy because of it.
    """
    return _log_ratio(records, copy, log_outside(records))


def curve(
    records: Sequence[RecordRead], beside: Mapping[str, float], priors: Sequence[float] = PRIORS
) -> tuple[CurvePoint, ...]:
    """Return posteriors over a range of priors, since nobody knows the right one.

    What is observed beside the forms shares the chance of a source inside out between the copies, and adds nothing to
    it: it is computed against a look that any account might have made, and only accounts that did look are here.

    Args:
        records: as read.
        beside: for each copy, overlap times what times and cases add; capped here.
        priors: of a source outside.
    """
    outside = log_outside(records)
    ratio = {copy: math.exp(min(_LARGEST, _log_ratio(records, copy, outside))) for copy in beside}
    capped = {copy: min(value, MOST_OVERLAP) for copy, value in beside.items()}
    all_beside = sum(capped.values())
    points = []
    for prior in priors:
        parts = {copy: (1.0 - prior) * value / all_beside * ratio[copy] for copy, value in capped.items()}
        whole = prior + sum(parts.values())
        points.append(CurvePoint(prior, prior / whole, {copy: part / whole for copy, part in parts.items()}))
    return tuple(points)


def _log_ratio(records: Sequence[RecordRead], copy: str, outside: float) -> float:
    e = _e(records, copy)
    return min(log_inside(records, copy) - outside, math.log(e) if e > 0.0 else -math.inf)


def _e(records: Sequence[RecordRead], copy: str) -> float:
    held = [record for record in records if copy in record.drawn]
    return e_value([record.slots for record in held], [record.drawn[copy] for record in held])


def _first(slot: SlotRead, form: int) -> float:
    if not slot.has_public:
        return 1.0 / slot.forms if form != PUBLIC else 1e-9
    return _PUBLIC_OUTSIDE if form == PUBLIC else (1.0 - _PUBLIC_OUTSIDE) / slot.forms


def _own(slot: SlotRead, form: int) -> float:
    if not slot.has_public:
        return 1.0 / slot.forms if form != PUBLIC else 1e-9
    return PUBLIC_HABIT if form == PUBLIC else (1.0 - PUBLIC_HABIT) / slot.forms
