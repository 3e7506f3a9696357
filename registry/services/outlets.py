"""Where notices go. Without a transport in the settings there is none, and nothing is queued."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from registry.domain.ids import PrincipalId
from registry.vault.links import NoticeSeal

LimitKey = tuple[PrincipalId, str]


@dataclass(frozen=True, slots=True)
class Channel:
    """One way out.

    Attributes:
        name: of it.
        reaches: whether it can reach a recipient (as text).
        by_contact: whether it also reaches subjects who have set a contact.
    """

    name: str
    reaches: Callable[[str], bool]
    by_contact: bool = False


class LimitsTold:
    """Whose limit of a day somebody was told of already: one notice a day and process, not one for every refusal."""

    def __init__(self) -> None:
        self._day = 0
        self._told: set[LimitKey] = set()

    def is_told(self, day: int, key: LimitKey) -> bool:
        """Tell whether it was noted for this day."""
        return day == self._day and key in self._told

    def note(self, day: int, keys: Iterable[LimitKey]) -> None:
        """Note what was committed; another day's are forgotten."""
        if day != self._day:
            self._day, self._told = day, set()
        self._told.update(keys)


@dataclass(frozen=True, slots=True)
class Outlets:
    """The ways out, what seals notices until they are sent, and which limits were told of."""

    seal: NoticeSeal
    channels: tuple[Channel, ...] = ()
    limits: LimitsTold = field(default_factory=LimitsTold)
