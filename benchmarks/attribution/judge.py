"""One investigation, judged by the product's own functions: weights first, then the forms, then the bound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.attribution.figures import guilt
from benchmarks.attribution.world import World
from registry.attribution.channel import RecordRead, SlotRead
from registry.attribution.decision import bound_of
from registry.attribution.evalue import Verdict, verdict
from registry.attribution.outside import curve, log_inside, log_outside, log_ratio
from registry.attribution.weights import Holding, overlap, weights
from registry.marks.slots import ORDER

Read = tuple[int | None, ...]


@dataclass(frozen=True)
class Judged:
    """What came of an investigation, by account."""

    records: list[RecordRead]
    found: list[str]
    holdings: Mapping[str, Holding]
    famous: Mapping[str, float]
    weights: Mapping[str, float]
    verdicts: Mapping[str, Verdict]
    bounds: Mapping[str, float]

    def sharpened(self, account: str, seed: int, draws: int) -> float:
        """Return the bound of one account by the randomisation test."""
        return bound_of(verdict(self.records, account, seed=seed, draws=draws), self.weights[account])

    def by_overlap(self) -> dict[str, float]:
        """Return the scores of the overlap alone."""
        return {name: overlap(one, self.found, self.famous) for name, one in self.holdings.items()}

    def by_guilt(self, viewers: Mapping[str, int]) -> dict[str, float]:
        """Return the scores of the published formula, with the true half of all leaks from elsewhere."""
        leaked = set(self.found)
        return {name: guilt(one.held, leaked, viewers, 0.5) for name, one in self.holdings.items()}

    def by_forms(self) -> dict[str, float]:
        """Return the scores of the forms alone."""
        return {name: math.log(one.e) for name, one in self.verdicts.items()}

    def by_all(self) -> dict[str, float]:
        """Return the scores of forms and weights."""
        return {name: math.log(one.e * self.weights[name]) for name, one in self.verdicts.items()}

    def posteriors(self, prior: float) -> Mapping[str, float]:
        """Return the posterior of each account at a prior of the outside."""
        (point,) = curve(self.records, self.by_overlap(), [prior])
        return point.copies

    def log10_ratio(self, account: str) -> float:
        """Return how much likelier the forms are from this copy than from outside."""
        return log_ratio(self.records, account) / math.log(10)

    def log10_ratio_as_modelled(self, account: str) -> float:
        """Return the same without its bound, so that all that is assumed of outside sources counts."""
        return (log_inside(self.records, account) - log_outside(self.records)) / math.log(10)


def judge(world: World, found: Sequence[int], read: Sequence[Read], day: float, leaker: int | None = None) -> Judged:
    """Judge a text about these people, read so."""
    holdings, famous = world.holdings(found, day, leaker), world.famous(found)
    names = [str(person) for person in found]
    given = weights(holdings, names, famous, 365.0)
    records = []
    for person, forms in zip(found, read, strict=True):
        slots = tuple(
            SlotRead(one.name, one.forms, one.kept, form, has_public=one.name != ORDER)
            for one, form in zip(world.slots(person), forms, strict=True)
        )
        records.append(
            RecordRead(slots, {str(account): world.drawn(account, person) for account in world.viewers.get(person, {})})
        )
    verdicts = {name: verdict(records, name, seed=0, draws=0) for name in holdings}
    bounds = {name: bound_of(one, given[name]) for name, one in verdicts.items()}
    return Judged(records, names, holdings, famous, given, verdicts, bounds)
