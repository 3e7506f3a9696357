"""What services need of a database for emergencies: rows as frozen values, and their repository."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.domain.ids import BreakGlassId, PrincipalId


@dataclass(frozen=True, slots=True)
class BreakGlassRow:
    """A card opened in an emergency.

    Attributes:
        id, principal: the emergency, and whose it is.
        subject_tag: keyed over the id and whom it is about.
        categories: what it opens.
        entry: index of its entry.
        created_at: milliseconds.
        until: milliseconds; the card is open before.
        review_by: milliseconds; to be reviewed before.
        finding: what the review found; empty until then.
        reviewer, reviewed_at: who reviewed it, and when.
    """

    id: BreakGlassId
    principal: PrincipalId
    subject_tag: bytes
    categories: frozenset[str]
    entry: int
    created_at: int
    until: int
    review_by: int
    finding: str = ""
    reviewer: PrincipalId | None = None
    reviewed_at: int | None = None


class BreakGlasses(Protocol):
    def get(self, identifier: BreakGlassId) -> BreakGlassRow | None: ...
    def lock(self, identifier: BreakGlassId) -> BreakGlassRow | None:
        """Hold a row until the end of the transaction, and return it as it is now."""
        ...

    def open_of(self, principal: PrincipalId, now_ms: int) -> Sequence[BreakGlassRow]: ...
    def unreviewed(self) -> Sequence[BreakGlassRow]:
        """Return all that wait for their review."""
        ...

    def newest(self, limit: int) -> Sequence[BreakGlassRow]:
        """Return those that are not reviewed, the most urgent first, then the others, newest first."""
        ...

    def listing(self) -> Iterable[BreakGlassRow]:
        """Return every emergency."""
        ...

    def insert(self, row: BreakGlassRow) -> None: ...
    def settle(self, row: BreakGlassRow) -> None:
        """Store what a review found."""
        ...
