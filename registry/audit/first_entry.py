"""The first entry of a new subject, made before its transaction: everything but the place that it will have.

Its counter is 1 and nothing comes before it, so what it says and what its leaf commits to are known without a ledger.
Only time, index and what follows from them (leaf, sealed opening, tree) are left for the transaction.
"""

from __future__ import annotations

from typing import NamedTuple

from registry.audit.bodies import new_opening
from registry.audit.chains import ChainState
from registry.audit.entries import EntryDraft, values_of
from registry.crypto.random import random_bytes
from registry.domain.ids import EventId, SubjectId
from registry.transparency.leaf import SEED_BYTES


class FirstEntry(NamedTuple):
    """A first entry, as it may travel between processes. A tuple of plain values: shows nothing by ``repr``.

    Attributes:
        kind: the entry's kind.
        event: the id that makes it unique.
        subject: the one subject that it speaks of.
        commitments: of every field, one after the other, for the leaf.
        said: the opening that is sealed beside the leaf.
    """

    kind: str
    event: EventId
    subject: SubjectId
    commitments: bytes
    said: bytes

    def __repr__(self) -> str:
        """Show the event; the rest is what the entry says."""
        return f"FirstEntry(event={self.event!r})"


def first_entry(draft: EntryDraft) -> FirstEntry:
    """Make the first entry of the one subject of a draft.

    Raises:
        ValueError: the draft has another number of subjects.
    """
    (subject,) = draft.subjects
    opening = new_opening(random_bytes(SEED_BYTES), values_of(draft, {subject: ChainState()}))
    return FirstEntry(draft.kind.value, draft.event, subject, opening.commitments(), opening.encode())
