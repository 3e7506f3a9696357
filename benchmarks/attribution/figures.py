"""Baselines that others publish, and measures of calibration. For comparison: no verdict rests on these."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

_BINS = 10
_OUTSIDE_EACH, _HALVINGS = 0.025, 60


def guilt(held: AbstractSet[str], leaked: AbstractSet[str], viewers: Mapping[str, int], elsewhere: float) -> float:
    """Return the guilt of an agent after Papadimitriou and Garcia-Molina.

    Args:
        held: objects that the agent was given.
        leaked: objects that were found.
        viewers: how many agents were given each object.
        elsewhere: chance that the target got an object elsewhere.
    """
    return 1.0 - math.prod(1.0 - (1.0 - elsewhere) / viewers[one] for one in leaked & held)


def guilt_gap(given: Sequence[AbstractSet[str]], elsewhere: float) -> list[float]:
    """Return, for each ordered pair, how much guiltier the first is than the second if all that the first has leaks."""
    viewers = {one: sum(one in held for held in given) for held in given for one in held}
    return [
        guilt(first, first, viewers, elsewhere) - guilt(second, first, viewers, elsewhere)
        for place, first in enumerate(given)
        for other, second in enumerate(given)
        if place != other
    ]


def boneh_shaw(users: int, bound: float) -> float:
    """Return the length of the code of Boneh and Shaw that is secure against all users together."""
    return 2 * users**2 * math.log(2 * users / bound) * (users - 1)


def boneh_shaw_short(users: int, colluders: int, bound: float) -> int:
    """Return the length of their code whose length grows with the logarithm of the users."""
    length, alphabet = math.ceil(2 * colluders * math.log(2 * users / bound)), 2 * colluders
    copies = math.ceil(2 * alphabet**2 * math.log(4 * alphabet * length / bound))
    return length * copies * (alphabet - 1)


# Lengths of the form constant x colluders^2 x ln(users / bound).
QUADRATIC = {
    "Tardos 2003": 100.0,
    "symmetric (Skoric et al. 2008)": math.pi**2,
    "Laarhoven and de Weger 2012": math.pi**2 / 2,
    "capacity": 2.0,
}


def quadratic(constant: float, users: int, colluders: int, bound: float) -> float:
    """Return the length of a code of the family of Tardos."""
    return constant * colluders**2 * math.log(users / bound)


def cllr(guilty: Sequence[float], innocent: Sequence[float]) -> float:
    """Return the cost of likelihood ratios: 0 is perfect, 1 says nothing, more misleads. Ratios as log10."""
    with_part = sum(_log2_one_plus(-one) for one in guilty) / len(guilty)
    without = sum(_log2_one_plus(one) for one in innocent) / len(innocent)
    return (with_part + without) / 2


def _log2_one_plus(log10: float) -> float:
    return math.log2(1 + 10**log10) if log10 < 300 else log10 / math.log10(2)


def calibration_error(said: Sequence[tuple[float, bool]]) -> float:
    """Return the mean distance between what was said and what was true, over ten bins of equal width."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for chance, true in said:
        bins[min(_BINS - 1, int(chance * _BINS))].append((chance, true))
    return sum(abs(sum(chance for chance, _ in one) - sum(true for _, true in one)) for one in bins) / len(said)


def posterior(ratio: float, inside: float, accounts: int) -> float:
    """Return the chance of one of so many accounts, by a ratio for it and none for the others."""
    share = inside / accounts
    return share * ratio / (share * ratio + 1.0 - inside)


def interval(hits: int, of: int) -> tuple[float, float]:
    """Return the exact interval of 95 % for a share, after Clopper and Pearson: it covers at least as often as it says.

    Counts of nought or a few are what these tables are about, where approximate intervals are too narrow.
    """
    if not of:
        return 0.0, 1.0
    if 2 * hits > of:
        low, high = interval(of - hits, of)
        return 1.0 - high, 1.0 - low
    low = _share_with(hits - 1, of, 1.0 - _OUTSIDE_EACH) if hits else 0.0
    return low, _share_with(hits, of, _OUTSIDE_EACH)


def _share_with(most: int, of: int, chance: float) -> float:
    """Return the share under which so many hits or fewer have this chance; by halves, since the chance only falls."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(most, of, middle) > chance else (low, middle)
    return (low + high) / 2


def _at_most(most: int, of: int, share: float) -> float:
    yes, no = math.log(share), math.log1p(-share)
    ways = (math.lgamma(of + 1) - math.lgamma(one + 1) - math.lgamma(of - one + 1) for one in range(most + 1))
    return math.fsum(math.exp(way + one * yes + (of - one) * no) for one, way in enumerate(ways))


def share(hits: int, of: int) -> str:
    """Write a share with its interval."""
    low, high = interval(hits, of)
    return f"{hits / of:.4g} ({low:.4g} to {high:.4g})" if of else "-"
