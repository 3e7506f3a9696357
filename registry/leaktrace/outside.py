"""How obtainable each kind of value is outside the registry: assumptions, labelled as such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class OutsideField:
    """The assumption for one kind.

    Attributes:
        kind: finding kind, or the part of it before the colon for all kinds of a category.
        obtainable: 0 (never) to 1 (always), an assumption.
        where: where such values are usually found.
    """

    kind: str
    obtainable: float
    where: str


OUTSIDE_DEFAULTS: Mapping[str, OutsideField] = MappingProxyType(
    {
        field.kind: field
        for field in (
            OutsideField("home_address", 0.95, "people-search sites, property and voter records, neighbours"),
            OutsideField("phone:home", 0.9, "directories, people-search sites"),
            OutsideField("phone:mobile", 0.7, "people-search sites, earlier breaches, contacts"),
            OutsideField("phone", 0.7, "people-search sites, earlier breaches, contacts"),
            OutsideField("email", 0.7, "earlier breaches, web pages, contacts"),
            OutsideField("date_of_birth", 0.85, "people-search sites, voter records, social media"),
            OutsideField("family_member", 0.8, "people-search sites, obituaries, social media"),
            OutsideField("ssn", 0.5, "earlier breaches of data brokers"),
            OutsideField("vehicle_plate", 0.3, "the street, parking and toll records"),
            OutsideField("school", 0.25, "social media, other parents, the street"),
            OutsideField("payment_card", 0.1, "breaches of merchants"),
            OutsideField("health", 0.05, "the circle of family and care"),
        )
    }
)
_UNLISTED = 1.0  # a kind nobody has judged is taken as obtainable: the assumption that accuses least


def outside_fields(
    kinds: Iterable[str], assumptions: Mapping[str, OutsideField] = OUTSIDE_DEFAULTS
) -> tuple[OutsideField, ...]:
    """Return one assumption per found kind, by kind."""
    return tuple(_assumed(kind, assumptions) for kind in sorted(set(kinds)))


def _assumed(kind: str, assumptions: Mapping[str, OutsideField]) -> OutsideField:
    field = assumptions.get(kind) or assumptions.get(kind.partition(":")[0])
    if field is None:
        return OutsideField(kind, _UNLISTED, "not judged; taken as obtainable")
    return OutsideField(kind, field.obtainable, field.where)
