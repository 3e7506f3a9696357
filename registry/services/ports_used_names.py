"""What services need of a database for names that are good once."""

from __future__ import annotations

from typing import Protocol


class UsedNames(Protocol):
    def use(self, label: bytes, until: int) -> bool:
        """Use a name up, of all processes one; False when it was used before.

        Args:
            label: keyed; tells no name.
            until: milliseconds; by then nothing of that name is taken any more.
        """
        ...

    def count(self) -> int: ...
    def forget_before(self, until: int) -> None:
        """Take away what has ended before a moment in milliseconds."""
        ...
