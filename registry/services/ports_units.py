"""What services need of a database for units that an HR system keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from registry.domain.ids import UnitId


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit. Who is in it is no column: the directory data of people say so, sealed.

    Attributes:
        id: what the HR system calls the unit by here.
        name_tag: keyed tag of its name, however written; None once removed, so that the name is free again.
        outside_tag: keyed tag of the HR system's own id for it; None when it has none, or once removed.
        version: from 1; of the row, not of its members.
        created_at, updated_at: milliseconds.
        names: both names, sealed to id and version.
    """

    id: UnitId
    name_tag: bytes | None = field(repr=False)
    outside_tag: bytes | None = field(repr=False)
    version: int
    created_at: int
    updated_at: int
    names: bytes = field(repr=False)


class Units(Protocol):
    def by_id(self, identifier: UnitId) -> UnitRow | None:
        """Return a unit that is not removed."""
        ...

    def by_name_tag(self, tag: bytes) -> UnitRow | None: ...
    def by_outside_tag(self, tag: bytes, limit: int) -> Sequence[UnitRow]: ...
    def page(self, start: int, limit: int) -> Sequence[UnitRow]:
        """Return those that are not removed, oldest first, from place ``start`` (0 for the first)."""
        ...

    def listing(self) -> Sequence[UnitRow]:
        """Return all, removed ones too."""
        ...

    def count(self) -> int:
        """Return how many are not removed."""
        ...

    def insert(self, row: UnitRow) -> None: ...
    def replace(self, row: UnitRow) -> bool:
        """Put a row in place of the version before it; False: that is not the one that stands."""
        ...
