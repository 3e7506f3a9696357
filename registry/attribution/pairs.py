"""Two copies mixed: whether a text derives from two accounts' copies together.

Whoever puts two copies side by side sees where they differ and can choose there; where they agree, the form stays. A
copy is scored against every partner, so that a mixture speaks for both. After joint decoding with side information
(Meerwald and Furon, 2012).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from registry.attribution.channel import BEHAVIOURS, PUBLIC, RecordRead, SlotRead, first_habit


def pair_e_value(records: Sequence[RecordRead], copy: str, partner: str) -> float:
    """Return how much likelier the read forms are if a copy was mixed with this partner's than if with a random one.

    Given the partner's forms, the mean over the forms that the copy could have been drawn is one. So this is an e-value
    for the statement that the copy had no part, whoever else had. Records that not both held say nothing; habits are
    not learnt, which leaves validity alone.
    """
    held = [record for record in records if copy in record.drawn and partner in record.drawn]
    total = 0.0
    for behaviour, weight in enumerate(BEHAVIOURS):
        log = 0.0
        for record in held:
            for slot, own, other in zip(record.slots, record.drawn[copy], record.drawn[partner], strict=True):
                log += _log_factor(slot, own, other, behaviour)
        total += weight * math.exp(min(700.0, log))
    return total


def mixed_e_values(
    records: Sequence[RecordRead], copies: Sequence[str], weights: Mapping[str, float]
) -> dict[str, float]:
    """Return for each copy the mean of its pair e-values over all partners, each by the partner's weight.

    Args:
        records: as read, with what was drawn.
        copies: which to score, at least two; an e-value is one where no partner has weight.
        weights: of the partners, fixed before the draws were looked at.
    """
    values = {}
    for copy in copies:
        partners = [one for one in copies if one != copy]
        whole = sum(weights.get(one, 0.0) for one in partners)
        mixed = sum(weights.get(one, 0.0) * pair_e_value(records, copy, one) for one in partners)
        values[copy] = mixed / whole if whole > 0.0 else 1.0
    return values


def _log_factor(slot: SlotRead, own: int, other: int, behaviour: int) -> float:
    if slot.read is None:
        return 0.0
    keep = slot.keeps(behaviour)
    free = (1.0 - keep) * first_habit(slot, slot.read)
    shown = (float(slot.read == own) + float(slot.read == other)) / 2
    by_chance = (1.0 / slot.forms + float(slot.read == other)) / 2 if slot.read != PUBLIC else 0.0
    mean = free + keep * by_chance
    likelihood = free + keep * shown
    if mean <= 0.0:
        return 0.0
    return math.log(likelihood / mean) if likelihood > 0.0 else -math.inf
