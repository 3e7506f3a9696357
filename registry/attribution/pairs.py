"""Two copies put together: whether a text derives from two accounts' copies, mixed place by place or card by card.

Whoever puts two copies side by side sees where they differ and can choose there; where they agree, the form stays. Or
each of two gives some cards to one text. After joint decoding with side information (Meerwald and Furon, 2012).

The statement is that **both** had a part. It is wrong as soon as one of them had none, so each is scored with the
other's draw taken as given, and the smaller score counts: whichever of the two had no part, the mean of its own score
over its draw is one, whatever the other did. So P(score >= 1/a) <= a for every pair that is not wholly responsible.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from registry.attribution.channel import BEHAVIOURS, PUBLIC, RecordRead, SlotRead, first_habit
from registry.attribution.decision import LEAD_BOUND, STRONG_BOUND, Tier

# Pairs have an allowance of their own: a tenth of that of single copies, so that all together flag at most 1.1 times a.
PAIR_SHARE = 0.1
# Of two who put copies together: how often they choose place by place; else a card comes from one of the two.
BY_PLACE = 0.5
# How often a card that only one of two was served comes from elsewhere all the same.
NOT_FROM_HERE = 0.25
# A text is looked at for pairs where it says at least so much against every single copy.
LEAST_AGAINST = 2
# Places compared, over all pairs and both directions, at most: what bounds the time of a dump.
MOST_COMPARED = 100_000
MOST_ACCOUNTS = 24
_LARGEST = 700.0


@dataclass(frozen=True, slots=True)
class PairBound:
    """One pair's standing.

    Attributes:
        first, second: names of the copies, in order of name.
        weight: share of the allowed error that was given to the pair beforehand.
        e: the smaller of the two e-values.
        bound: of a false flag, ``min(1, 1 / (e weight))``.
        both, first_alone, second_alone, neither: read places that agree with both copies, with one, with none of them.
    """

    first: str
    second: str
    weight: float
    e: float
    bound: float
    both: int
    first_alone: int
    second_alone: int
    neither: int


def judge_pairs(
    records: Sequence[RecordRead], e: Mapping[str, float], weights: Mapping[str, float]
) -> tuple[PairBound, ...]:
    """Look for two copies that explain together what none explains alone.

    Which pairs are scored may depend on anything: leaving pairs out flags fewer. What each of them is allowed does not:
    it follows from weights that were fixed before the draws were looked at, over all pairs, scored or not.

    Args:
        records: as read, with what was drawn.
        e: e-value of each copy alone.
        weights: share of the allowed error of each account; those of accounts without a copy count too.

    Returns:
        Every pair that was scored, the smallest bound first; none where a single copy explains the text.
    """
    if not is_contradicted(records, list(e)):
        return ()
    chosen = _chosen(records, e)
    pairs = list(combinations(chosen, 2))
    bounds = [pair_bound(records, pair, pair_weight(pair, weights)) for pair in pairs]
    return tuple(sorted(bounds, key=lambda one: (one.bound, one.first, one.second)))


def model_of_pairs() -> dict[str, float]:
    """Return everything that steers how pairs are chosen and scored, beside what single copies are scored by."""
    return {
        "share": PAIR_SHARE,
        "by_place": BY_PLACE,
        "not_from_here": NOT_FROM_HERE,
        "least_against": LEAST_AGAINST,
        "most_compared": MOST_COMPARED,
        "most_accounts": MOST_ACCOUNTS,
    }


def pair_tier(one: PairBound, *, uncapped: bool) -> Tier:
    """Return what may be said of a pair: never more than ``strong``.

    Args:
        one: the pair.
        uncapped: whether more than a lead may be stated.
    """
    if one.bound > LEAD_BOUND:
        return Tier.NONE
    return Tier.STRONG if uncapped and one.bound <= STRONG_BOUND else Tier.LEAD


def is_contradicted(records: Sequence[RecordRead], copies: Sequence[str]) -> bool:
    """Tell whether the writing speaks against every single copy: in places that are read otherwise, or not its own.

    Public forms speak against nobody.
    """
    return len(copies) > 1 and all(_against(records, copy) >= LEAST_AGAINST for copy in copies)


def pair_weight(pair: tuple[str, str], weights: Mapping[str, float]) -> float:
    """Return what part of the allowance of pairs is a pair's; over all pairs it adds up to ``PAIR_SHARE``."""
    rest = 1.0 - sum(share * share for share in weights.values())
    first, second = pair
    return PAIR_SHARE * 2.0 * weights[first] * weights[second] / rest if rest > 0.0 else 0.0


def pair_bound(records: Sequence[RecordRead], pair: tuple[str, str], weight: float) -> PairBound:
    """Score one pair."""
    first, second = sorted(pair)
    e = min(pair_e_value(records, first, second), pair_e_value(records, second, first))
    bound = min(1.0, 1.0 / (e * weight)) if e > 0.0 and weight > 0.0 else 1.0
    return PairBound(first, second, weight, e, bound, *_places(records, first, second))


def pair_e_value(records: Sequence[RecordRead], copy: str, partner: str) -> float:
    """Return how much likelier the read forms are if a copy was put together with this partner's than a random one.

    Given the partner's forms, the mean over the forms that the copy could have been drawn is one. So this is an e-value
    for the statement that the copy had no part, whoever else had. Records that the copy did not hold say nothing about
    it; habits are not learnt, which leaves validity alone.
    """
    held = [record for record in records if copy in record.drawn]
    total = BEHAVIOURS[-1]  # keeps no form, so that it speaks for nobody and against nobody
    for behaviour, weight in enumerate(BEHAVIOURS[:-1]):
        log = 0.0
        for record in held:
            factor = _factor(record, copy, partner, behaviour)
            log += math.log(factor) if factor > 0.0 else -math.inf
        total += weight * math.exp(min(_LARGEST, log))
    return total


def _factor(record: RecordRead, copy: str, partner: str, behaviour: int) -> float:
    own, other = record.drawn[copy], record.drawn.get(partner)
    alone = alone_mean = beside = mixed = mixed_mean = 1.0
    for place, slot in enumerate(record.slots):
        if slot.read is None:
            continue
        keep = slot.keeps(behaviour)
        free = (1.0 - keep) * first_habit(slot, slot.read)
        mine = free + (keep if slot.read == own[place] else 0.0)
        mine_mean = free + (keep / slot.forms if slot.read != PUBLIC else 0.0)
        if mine_mean <= 0.0:  # read what no draw and no habit gives: says nothing
            continue
        theirs = free + (keep if other is not None and slot.read == other[place] else 0.0)
        alone, alone_mean, beside = alone * mine, alone_mean * mine_mean, beside * theirs
        mixed, mixed_mean = mixed * (mine + theirs) / 2.0, mixed_mean * (mine_mean + theirs) / 2.0
    if other is None:
        return (1.0 - NOT_FROM_HERE) * alone / alone_mean + NOT_FROM_HERE
    part = (1.0 - BY_PLACE) / 2.0
    return (BY_PLACE * mixed + part * (alone + beside)) / (BY_PLACE * mixed_mean + part * (alone_mean + beside))


def _chosen(records: Sequence[RecordRead], e: Mapping[str, float]) -> list[str]:
    """Return the accounts whose copies speak loudest alone, as many as there is time for; at least two."""
    places = max(1, sum(_is_read(slot) for record in records for slot in record.slots))
    most = next(
        (count for count in range(MOST_ACCOUNTS, 2, -1) if count * (count - 1) * places <= MOST_COMPARED),
        2,
    )
    return sorted(e, key=lambda name: (-e[name], name))[:most]


def _against(records: Sequence[RecordRead], copy: str) -> int:
    count = 0
    for record in records:
        own = record.drawn.get(copy)
        for place, slot in enumerate(record.slots):
            if _is_read(slot) and slot.read != PUBLIC and (own is None or own[place] != slot.read):
                count += 1
    return count


def _places(records: Sequence[RecordRead], first: str, second: str) -> tuple[int, int, int, int]:
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for record in records:
        one, two = record.drawn.get(first), record.drawn.get(second)
        for place, slot in enumerate(record.slots):
            if _is_read(slot):
                agreeing = tuple(forms is not None and forms[place] == slot.read for forms in (one, two))
                counts[agreeing[0], agreeing[1]] += 1
    return counts[True, True], counts[True, False], counts[False, True], counts[False, False]


def _is_read(slot: SlotRead) -> bool:
    return slot.read is not None
