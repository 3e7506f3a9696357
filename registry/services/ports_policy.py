"""What services need of a database for the policies in force and for reviews of lookups; see ``ports``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from registry.domain.ids import PrincipalId


@dataclass(frozen=True, slots=True)
class SampleReviewRow:
    """What a reviewer found of one lookup, named by the index of its entry."""

    entry: int
    finding: str
    reviewer: PrincipalId
    reviewed_at: int


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """Which policies, or settings of control, are in force, by their version, and the entry that said so."""

    version: str
    entry: int


class SampleReviews(Protocol):
    def of(self, entries: Iterable[int]) -> Mapping[int, SampleReviewRow]: ...
    def listing(self) -> Iterator[SampleReviewRow]:
        """Yield every review."""
        ...

    def put(self, row: SampleReviewRow) -> None:
        """Store what was found, holding the ledger's head."""
        ...


class Policies(Protocol):
    def in_force(self) -> PolicyRow | None:
        """Return what is in force; None when nothing is known, or when somebody else changed what was known."""
        ...

    def put(self, row: PolicyRow) -> None:
        """Store what is in force, holding the ledger's head."""
        ...

    def controls(self) -> PolicyRow | None:
        """Return which settings of control are in force; None as above."""
        ...

    def put_controls(self, row: PolicyRow) -> None:
        """Store which are, holding the ledger's head."""
        ...

    def agreed(self) -> PolicyRow | None:
        """Return what may come into force next, policies or settings; None as above."""
        ...

    def put_agreed(self, row: PolicyRow) -> None:
        """Store what may, holding the ledger's head."""
        ...
