"""The hypothesis that nobody inside had a part: how a text from outside is written, and what remains for copies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from registry.attribution.channel import PUBLIC, PUBLIC_HABIT, RecordRead, SlotRead
from registry.attribution.evalue import USUAL, Model, e_value
from registry.attribution.weights import MOST_OVERLAP

# An outside source keeps one style: its forms are one draw from this, concentrated like one earlier reading.
_PUBLIC_OUTSIDE, _CONCENTRATION = 0.75, 1.0
PRIORS = (0.1, 0.5, 0.9, 0.99)
_LARGEST = 700.0  # exponents beyond are no numbers any more
_SMALLEST = 1e-200  # a factor more, however small, still is a number


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
    return _log_inside(_by_name(records), [record.drawn.get(copy) for record in records], model)


@dataclass(frozen=True, slots=True)
class _Place:
    """One form that was read: of which record, at which of its slots, and how likely before any habit is known."""

    record: int
    place: int
    slot: SlotRead
    form: int
    own: float


def _by_name(records: Sequence[RecordRead]) -> Sequence[Sequence[_Place]]:
    """Part what was read by the names of slots, in order: a habit at one says nothing of another."""
    names: dict[str, list[_Place]] = {}
    for number, record in enumerate(records):
        for place, slot in enumerate(record.slots):
            if slot.read is not None:
                one = _Place(number, place, slot, slot.read, _own(slot, slot.read))
                names.setdefault(slot.name, []).append(one)
    return list(names.values())


def _log_inside(names: Sequence[Sequence[_Place]], drawn: Sequence[tuple[int, ...] | None], model: Model) -> float:
    logs = [
        math.log(weight) + sum(_log_of_name(places, drawn, behaviour) for places in names)
        for behaviour, weight in enumerate(model.behaviours)
        if weight
    ]
    top = max(logs)
    return top + math.log(sum(math.exp(one - top) for one in logs)) if top > -math.inf else -math.inf


def _log_of_name(places: Sequence[_Place], drawn: Sequence[tuple[int, ...] | None], behaviour: int) -> float:
    """Return the log-likelihood of what was read at the slots of one name, under one behaviour."""
    seen: dict[int, float] = {}
    # Of one reading of their own, and of those that count as habit.
    total, product, logs = 1.0, 1.0, 0.0
    for one in places:
        known, forms, weight = one.own + seen.get(one.form, 0.0), drawn[one.record], 1.0
        likelihood = known / total
        if forms is not None:
            keep = one.slot.keeps(behaviour)
            free = (1.0 - keep) * likelihood
            likelihood = free + keep if forms[one.place] == one.form else free
            if likelihood <= 0.0:
                return -math.inf
            weight = free / likelihood
        seen[one.form] = seen.get(one.form, 0.0) + weight
        total += weight
        product *= likelihood
        # Logarithms are dear in a dump of thousands of records: one for as many factors as stay within numbers.
        if product < _SMALLEST:
            logs, product = logs + math.log(product), 1.0
    return logs + math.log(product)


def log_ratio(records: Sequence[RecordRead], copy: str) -> float:
    """Return how much likelier the read forms are from a copy than from outside; the natural logarithm.

    A copy never gains more over the outside than over a random draw: how outside sources write is assumed, and one that
    writes unlike the public forms must not be taken for a copy because of it.
    """
    return _Ratios(records, {}).log_of(copy)


def curve(
    records: Sequence[RecordRead],
    beside: Mapping[str, float],
    priors: Sequence[float] = PRIORS,
    e_values: Mapping[str, float] = MappingProxyType({}),
) -> tuple[CurvePoint, ...]:
    """Return posteriors over a range of priors, since nobody knows the right one.

    What is observed beside the forms shares the chance of a source inside out between the copies, and adds nothing to
    it: it is computed against a look that any account might have made, and only accounts that did look are here.

    Args:
        records: as read.
        beside: for each copy, overlap times what times and cases add; capped here.
        priors: of a source outside.
        e_values: of copies, where they are known already: a dump's are dear.
    """
    ratios = _Ratios(records, e_values)
    ratio = {copy: math.exp(min(_LARGEST, ratios.log_of(copy))) for copy in beside}
    capped = {copy: min(value, MOST_OVERLAP) for copy, value in beside.items()}
    all_beside = sum(capped.values())
    points = []
    for prior in priors:
        parts = {copy: (1.0 - prior) * value / all_beside * ratio[copy] for copy, value in capped.items()}
        whole = prior + sum(parts.values())
        points.append(CurvePoint(prior, prior / whole, {copy: part / whole for copy, part in parts.items()}))
    return tuple(points)


class _Ratios:
    """How much likelier the same readings are from each copy than from outside."""

    def __init__(self, records: Sequence[RecordRead], e_values: Mapping[str, float]) -> None:
        self._records = records
        self._e_values = e_values
        self._names = _by_name(records)
        self._outside = log_outside(records)

    def log_of(self, copy: str) -> float:
        known = self._e_values.get(copy)
        e = _e(self._records, copy) if known is None else known
        inside = _log_inside(self._names, [record.drawn.get(copy) for record in self._records], USUAL)
        return min(inside - self._outside, math.log(e) if e > 0.0 else -math.inf)


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
