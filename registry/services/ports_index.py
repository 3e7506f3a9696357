"""What the blind index needs of a database; see ``ports``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from registry.domain.ids import SubjectId
from registry.keys.ports import WrappedKey
from registry.vault.blind_index import PostingWriter
from registry.vault.erased_postings import PostingEraser
from registry.vault.generations import Generation


class Postings(PostingWriter, PostingEraser, Protocol):
    """Postings of the blind index: added, and erased."""

    def of_generation(self, number: int, after: bytes, most: int) -> Sequence[tuple[bytes, bytes]]:
        """Return postings of a generation, label and value, in the order of labels from the one behind ``after``."""
        ...


class KeptTags(Protocol):
    """Tags that tell a value or a document from another one, sealed under a generation of the index."""

    def opened(self, tag: bytes, generation: int) -> bytes:
        """Return a stored tag as it was made; one that nothing equals where its generation's secret is gone.

        Raises:
            EnvelopeRejected: the generation's stored secret was changed.
            KeyUnavailable: its secret cannot be opened now.
            LedgerCorrupt: the state of the index was changed.
        """
        ...

    def seal_anew(self, ids: Iterable[SubjectId]) -> None:
        """Seal all tags of subjects that this transaction holds under the generation that is looked up in.

        Raises:
            EnvelopeRejected, KeyUnavailable, LedgerCorrupt: as ``opened``.
        """
        ...

    def oldest(self) -> int:
        """Return the generation that all tags stand under, or under a later one.

        Raises:
            LedgerCorrupt: what tells it was changed.
        """
        ...

    def note_oldest(self, number: int) -> None:
        """Note that all tags stand under a generation; later ones do anyway."""
        ...


class IndexState(Protocol):
    def standing(self) -> Sequence[Generation]:
        """Return the generations that stand now, the one to be looked up in first.

        Raises:
            LedgerCorrupt: their state was removed or changed.
        """
        ...

    def terms(self) -> Mapping[int, int]:
        """Return by generation the oldest version of terms that stands in it.

        Raises:
            LedgerCorrupt: it was changed.
        """
        ...

    def begin(self, number: int, key: WrappedKey, terms: int, *, is_made: bool = False) -> None:
        """Begin another generation, without any postings: a copy of this one, or made of the values."""
        ...

    def advance(self, number: int, cursor: str) -> None:
        """Note up to which subject the values were read for a generation."""
        ...

    def switch(self, number: int) -> None:
        """Let a generation be looked up in from this transaction on."""
        ...

    def settle(self) -> None:
        """Store how large the ledger is now beside the state, and what this transaction changed.

        Raises:
            LedgerCorrupt: the state was removed or changed.
        """
        ...

    def end(self, number: int) -> None:
        """Take away a generation that has no postings left, and its secret.

        Raises:
            LedgerCorrupt: what was removed is not what was there.
        """
        ...

    def demand_whole(self) -> int:
        """Check that no posting is missing, added or changed; returns the ledger's size when people were stored last.

        Raises:
            LedgerCorrupt: one is.
        """
        ...
