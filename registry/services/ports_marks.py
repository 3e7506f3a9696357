"""What the secrets of marks need of a database; see ``ports``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from registry.domain.ids import EntryIndex
from registry.keys.ports import WrappedKey


@dataclass(frozen=True, slots=True)
class MarkGeneration:
    """One exchange of the secret of marks and receipt codes.

    Attributes:
        number: from 1; the first secret of all, generation 0, is the key folder's and has no such row.
        entry: index of the entry that made it; it is in force for what comes after that.
        redraws: whether it is in force for the record versions of before too.
        key: its wrapped secret.
    """

    number: int
    entry: EntryIndex
    redraws: bool
    key: WrappedKey = field(repr=False)


class MarkGenerations(Protocol):
    def known(self) -> Sequence[MarkGeneration]:
        """Return the exchanges that this transaction goes by, oldest first.

        Whoever appends an entry by an older state loses (``Contended``), and is run again with the present one.

        Raises:
            LedgerCorrupt: their rows were removed or changed.
        """
        ...

    def stored(self) -> Sequence[MarkGeneration]:
        """Return the exchanges as they are stored in this snapshot, oldest first.

        Raises:
            LedgerCorrupt: their rows were removed or changed.
        """
        ...

    def begin(self, generation: MarkGeneration) -> None:
        """Store an exchange, in the transaction of its entry and before that, with the index that it will have."""
        ...
