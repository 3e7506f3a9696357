"""What services need of a database for tokens that are no longer taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RevocationRow:
    """One revocation.

    Attributes:
        label: keyed, of a token's name or of an account; tells neither.
        before: Unix seconds: tokens that were issued at this second or before are not taken.
        until: milliseconds; by then every token that it is about has expired.
    """

    label: bytes = field(repr=False)
    before: int
    until: int


class Revocations(Protocol):
    def among(self, labels: Iterable[bytes]) -> Mapping[bytes, RevocationRow]: ...
    def put(self, row: RevocationRow) -> None:
        """Store one, in place of what stands under its label."""
        ...

    def listing(self) -> Iterable[RevocationRow]: ...
    def count_from(self, until: int) -> int:
        """Return how many have not ended by a moment in milliseconds."""
        ...

    def forget_before(self, until: int) -> None:
        """Take away what has ended before a moment in milliseconds."""
        ...
