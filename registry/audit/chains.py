"""Per-subject chains: a sealed count of a subject's entries, and postings that find them again.

At rest nothing shows that two entries speak of the same subject: the state is sealed with a fresh nonce at every
append, and each posting has a label that only the index key can compute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from registry.audit.ports import EntryReader
from registry.crypto.derive import derive
from registry.crypto.envelope import Binding, DataKey, seal, unseal
from registry.crypto.postings import PostingKey, PostingList
from registry.domain.errors import EnvelopeRejected, LedgerCorrupt
from registry.domain.ids import SubjectId

NO_PREVIOUS = "-"
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class ChainState:
    """How many entries a subject has, and the index of the last one (None for no entry)."""

    counter: int = 0
    last: int | None = None

    @property
    def previous(self) -> str:
        """Text of the previous index for the next entry."""
        return NO_PREVIOUS if self.last is None else str(self.last)


class Chains:
    """Seals chain states and computes the labels of subject postings."""

    def __init__(self, registry: str, index_secret: bytes) -> None:
        """Derive both keys from the registry's index secret."""
        self._registry = registry
        self._state_key = DataKey(derive(index_secret, "registry/chain-states/v1"))
        self._index_key = PostingKey(derive(index_secret, "registry/ledger-postings/v1"))

    def seal(self, subject: SubjectId, state: ChainState) -> bytes:
        """Seal a subject's state."""
        last = NO_PREVIOUS if state.last is None else str(state.last)
        return seal(self._state_key, f"{state.counter} {last}".encode(), self._binding(subject))

    def open(self, subject: SubjectId, sealed: bytes) -> ChainState:
        """Open a subject's state.

        Raises:
            LedgerCorrupt: it was changed or belongs to another subject.
        """
        try:
            counter, last = unseal(self._state_key, sealed, self._binding(subject)).decode().split(" ")
        except EnvelopeRejected as exc:
            raise LedgerCorrupt("the chain state of a subject was changed") from exc
        return ChainState(int(counter), None if last == NO_PREVIOUS else int(last))

    def posting(self, subject: SubjectId, counter: int, index: int) -> tuple[bytes, bytes]:
        """Return label and value of the posting that says: this subject's ``counter``-th entry is ``index``."""
        postings = self._postings(subject)
        return postings.label(counter), postings.seal(counter, index.to_bytes(16, "big") + counter.to_bytes(4, "big"))

    def indexes(self, reader: EntryReader, subject: SubjectId, expected: int = _CHUNK) -> Iterator[int]:
        """Yield the indexes of a subject's entries, oldest first, until the first counter without a posting.

        Args:
            reader: committed rows.
            subject: whose.
            expected: how many there should be, when known; asked for at once.

        Raises:
            LedgerCorrupt: a posting was changed.
        """
        postings = self._postings(subject)
        counter = 1
        while True:
            labels = postings.labels(counter, min(expected + 1, _CHUNK))
            found = reader.postings(labels)
            for label in labels:
                value = found.get(label)
                if value is None:
                    return
                yield _index_of(postings, counter, value)
                counter += 1

    def indexes_of(self, reader: EntryReader, counters: Mapping[SubjectId, int]) -> dict[SubjectId, tuple[int, ...]]:
        """Return the indexes of many subjects' entries, oldest first, until the first counter without a posting.

        Args:
            reader: committed rows.
            counters: how many each subject should have; when they have as many, all are found by one select.

        Raises:
            LedgerCorrupt: a posting was changed.
        """
        lists = {subject: self._postings(subject) for subject in counters}
        labels = {subject: lists[subject].labels(1, expected + 1) for subject, expected in counters.items()}
        values = reader.postings([label for group in labels.values() for label in group])
        found: dict[SubjectId, tuple[int, ...]] = {}
        for subject, group in labels.items():
            present = [values[label] for label in takewhile(values.__contains__, group)]
            indexes = (_index_of(lists[subject], counter, value) for counter, value in enumerate(present, 1))
            found[subject] = tuple(indexes if len(present) < len(group) else self.indexes(reader, subject))
        return found

    def _postings(self, subject: SubjectId) -> PostingList:
        return self._index_key.list_of(b"ledger-subject\0" + subject.encode())

    def _binding(self, subject: SubjectId) -> Binding:
        return Binding(registry=self._registry, person=subject, record="chain", category="chain", version=1)


def _index_of(postings: PostingList, counter: int, value: bytes) -> int:
    try:
        return int.from_bytes(postings.open(counter, value)[:16], "big")
    except EnvelopeRejected as exc:
        raise LedgerCorrupt("a subject posting was changed") from exc
