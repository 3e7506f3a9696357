"""Verifying the whole ledger from its rows, trusting none of its caches, and naming the first bad entry.

(1) Every index from 0 to the head's size has one leaf of the right form, times never go back.
(2) Every entry has its opening, and it opens, at its own place, to what its leaf commits to.
(3) The tree over the stored leaves has the head's root, and the cached edge is that tree's edge.
(4) The checkpoint is signed, and is over that origin, size and root.
(5) Every subject's counters are 1, 2 ... n, each entry pointing to the one before, and n is what the sealed state says;
    every subject that an entry names is there, and its postings find exactly its entries.
(6) No row stands beyond the head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from registry.audit.chains import ChainState
from registry.audit.kinds import STANDING
from registry.audit.log import AuditLog
from registry.audit.ports import EntryReader, EntryRow, HeadRow
from registry.domain.errors import LedgerCorrupt, ProofRejected
from registry.domain.ids import SubjectId
from registry.transparency.checkpoint import open_checkpoint
from registry.transparency.leaf import Leaf, leaf_hash, parse_leaf
from registry.transparency.merkle import Edge
from registry.transparency.note import LedgerKeys

CHUNK = 2_000
SUBJECTS = 500

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ChunkChecked:
    """What checking a run of entries gave.

    Attributes:
        hashes: leaf hashes in order.
        first_ms, last_ms: times of the first and last entry.
        places: (subject, counter, previous, index) of every entry about a subject.
        standing: indexes of the entries that say how accounts, requests and policies stand.
        fault: the first fault as (entry, what), or None.
    """

    hashes: tuple[bytes, ...]
    first_ms: int
    last_ms: int
    places: tuple[tuple[str, int, str, int], ...]
    standing: tuple[int, ...]
    fault: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Verified:
    """A ledger that verified.

    Attributes:
        origin, size, root: the tree.
        chains: for every subject that an entry names, the counter and the index of its last entry.
        standing: indexes of the entries that say how accounts, requests and policies stand.
    """

    origin: str
    size: int
    root: bytes
    chains: Mapping[str, tuple[int, int]]
    standing: tuple[int, ...] = ()

    @property
    def subjects(self) -> int:
        """How many subjects' chains were checked."""
        return len(self.chains)


def check_chunk(log: AuditLog, start: int, rows: Sequence[EntryRow]) -> ChunkChecked:
    """Check entries one by one: (1) and (2).

    Args:
        log: opens what entries say.
        start: the index that the first row must have.
        rows: stored rows in index order.
    """
    hashes: list[bytes] = []
    places: list[tuple[str, int, str, int]] = []
    times: list[int] = []
    standing: list[int] = []
    fault: tuple[int, str] | None = None
    for expected, row in enumerate(rows, start=start):
        try:
            leaf, hashed = _check_row(expected, row, times), leaf_hash(row.leaf)
            values = _values(log, row, leaf, hashed)
        except (LedgerCorrupt, ProofRejected) as exc:
            fault = (expected, exc.what if isinstance(exc, LedgerCorrupt) else str(exc))
            break
        hashes.append(hashed)
        places += _places(values, row.index)
        standing += [row.index] * (leaf.kind in STANDING)
    first, last = (times[0], times[-1]) if times else (0, 0)
    return ChunkChecked(tuple(hashes), first, last, tuple(places), tuple(standing), fault)


def _check_row(expected: int, row: EntryRow, times: list[int]) -> Leaf:
    if row.index != expected:
        raise LedgerCorrupt("it is missing")
    leaf = parse_leaf(row.leaf)
    if times and leaf.unix_ms < times[-1]:
        raise LedgerCorrupt("its time is before that of the entry in front of it")
    times.append(leaf.unix_ms)
    return leaf


def _values(log: AuditLog, row: EntryRow, leaf: Leaf, hashed: bytes) -> Mapping[str, str]:
    if not row.event:
        raise LedgerCorrupt("its opening's row is missing")
    opening = log.opening_of(row, leaf, hashed)
    if opening is None:
        # Only an erasure may do this, and no kind of entry speaks of one: it is somebody hiding what an entry says.
        raise LedgerCorrupt("its opening was removed, and no entry says so")
    if opening.values["event"] != row.event:
        raise LedgerCorrupt("its event id differs from its opening")
    return opening.values


def _places(values: Mapping[str, str], index: int) -> Iterator[tuple[str, int, str, int]]:
    if not values["subject"]:
        return
    named = zip(values["subject"].split(" "), values["counter"].split(" "), values["previous"].split(" "), strict=True)
    for subject, counter, previous in named:
        yield subject, int(counter), previous, index


class LedgerVerifier:
    """Verifies one ledger."""

    def __init__(self, log: AuditLog, verifier: LedgerKeys) -> None:
        self._log = log
        self._verifier = verifier

    def verify(self, head: HeadRow, checked: Iterable[ChunkChecked], progress: Progress) -> Verified:
        """Verify tree, times and checkpoint over checked chunks.

        Args:
            head: the head row.
            checked: results of ``check_chunk`` in order, covering every entry.
            progress: told entries done and entries in all.

        Raises:
            LedgerCorrupt: with the first bad entry where the fault is in one.
        """
        edge, last_ms = Edge.empty(), 0
        chains: dict[str, tuple[int, int]] = {}  # each subject's last counter and index
        standing: list[int] = []
        for chunk in checked:
            if chunk.hashes and chunk.first_ms < last_ms:
                raise LedgerCorrupt("its time is before that of the entry in front of it", edge.size)
            for place in chunk.places:
                _follow(chains, place)
            standing += chunk.standing
            edge = edge.extend(chunk.hashes)
            if chunk.fault is not None:
                raise LedgerCorrupt(chunk.fault[1], chunk.fault[0])
            last_ms = chunk.last_ms if chunk.hashes else last_ms
            progress(edge.size, head.size)
        self._check_head(head, edge, last_ms)
        return Verified(self._log.origin, edge.size, edge.root(), chains, tuple(standing))

    def check_subjects(self, reader: EntryReader, states: Iterable[tuple[SubjectId, bytes]], found: Verified) -> None:
        """Check that every subject's sealed state and postings agree with the entries: (5).

        Args:
            reader: committed rows, of the moment that ``found`` speaks of or of a later one.
            states: every subject with its sealed chain state, as that reader has it.
            found: what ``verify`` gave; the chains of these subjects only, when they are checked in parts.

        Raises:
            LedgerCorrupt: with the entry that is not accounted for, where there is one.
        """
        unseen, now = dict(found.chains), reader.head().size
        for part in _parts(states):
            opened = {subject: self._log.chains.open(subject, sealed) for subject, sealed in part}
            for subject, state in opened.items():
                end = unseen.pop(subject, None)
                if not _has_grown(state, end, range(found.size, now)):
                    _check_state(state, end)
            self._check_postings(reader, opened, found.size)
        if unseen:
            raise LedgerCorrupt("the row of its subject is missing", min(index for _, index in unseen.values()))

    def check_tail(self, reader: EntryReader, found: Verified) -> None:
        """Check that nothing stands behind the last entry: (6).

        Raises:
            LedgerCorrupt: a row does.
        """
        for row in reader.scan(found.size, found.size + CHUNK):
            raise LedgerCorrupt("it stands beyond the head, which does not count it", row.index)

    def _check_postings(self, reader: EntryReader, states: Mapping[SubjectId, ChainState], size: int) -> None:
        try:
            indexes = self._log.chains.indexes_of(reader, {subject: state.counter for subject, state in states.items()})
            is_sound = all(len(indexes[subject]) == state.counter for subject, state in states.items())
        except LedgerCorrupt:
            is_sound = False
        for subject, state in states.items() if not is_sound else ():
            self._check_postings_of(reader, subject, state, size)  # one by one, to say which

    def _check_postings_of(self, reader: EntryReader, subject: SubjectId, state: ChainState, size: int) -> None:
        what, counted = "its subject's posting is missing: those found are not as many as were counted", 0
        try:
            for _index in self._log.chains.indexes(reader, subject, state.counter):
                counted += 1
        except LedgerCorrupt:
            what = "its subject's posting was changed"
        if counted > state.counter:
            raise LedgerCorrupt("more postings than its subject's sealed state counts", state.last)
        if counted < state.counter:
            raise LedgerCorrupt(what, self._entry_at(reader, size, subject, counted + 1))

    def _entry_at(self, reader: EntryReader, size: int, subject: SubjectId, counter: int) -> int | None:
        """Find a subject's entry by its counter, going through the ledger; only after a fault was found."""
        for row in reader.scan(0, size):
            places = _places(_values(self._log, row, parse_leaf(row.leaf), leaf_hash(row.leaf)), row.index)
            if any(place[:2] == (subject, counter) for place in places):
                return row.index
        return None

    def _check_head(self, head: HeadRow, edge: Edge, last_ms: int) -> None:
        if edge.size != head.size:
            raise LedgerCorrupt("it is missing", edge.size)
        if edge.root() != head.root:
            raise LedgerCorrupt("the tree over the stored leaves does not have the head's root")
        if edge.to_bytes() != head.edge:
            raise LedgerCorrupt("the head's edge is not the edge of the stored leaves")
        if last_ms > head.last_ms:
            raise LedgerCorrupt("the head's time is before the newest entry's")
        try:
            checkpoint = open_checkpoint(head.checkpoint, self._verifier, self._log.origin)
        except ProofRejected as exc:
            raise LedgerCorrupt(f"the head's checkpoint does not verify: {exc}") from exc
        if (checkpoint.size, checkpoint.root) != (edge.size, edge.root()):
            raise LedgerCorrupt("the head's checkpoint is over another tree")


def _follow(chains: dict[str, tuple[int, int]], place: tuple[str, int, str, int]) -> None:
    subject, counter, previous, index = place
    before = chains.get(subject)
    chains[subject] = (counter, index)
    expected = (1, "-") if before is None else (before[0] + 1, str(before[1]))
    if (counter, previous) != expected:
        raise LedgerCorrupt("it does not follow the previous entry of its subject", index)


def _has_grown(state: ChainState, end: tuple[int, int] | None, since: range) -> bool:
    """Tell whether a subject has further entries since the ledger was verified, as a ledger in use has."""
    return state.last in since and state.counter > (0 if end is None else end[0])


def _parts(states: Iterable[tuple[SubjectId, bytes]]) -> Iterator[list[tuple[SubjectId, bytes]]]:
    left = iter(states)
    while part := list(islice(left, SUBJECTS)):
        yield part


def _check_state(state: ChainState, end: tuple[int, int] | None) -> None:
    if (state.counter, state.last) == ((0, None) if end is None else end):
        return
    last = state.last if end is None else end[1]
    raise LedgerCorrupt("the entries of its subject are not as many as the sealed state counts", last)


def spans(size: int) -> list[tuple[int, int]]:
    """Part all indexes into runs for workers."""
    return [(start, min(start + CHUNK, size)) for start in range(0, size, CHUNK)]
