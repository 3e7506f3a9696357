"""Verifying the whole ledger from its rows, trusting none of its caches, and naming the first bad entry.

(1) Every index from 0 to the head's size has one leaf of the right form, times never go back.
(2) Every entry has its opening, and it opens, at its own place, to what its leaf commits to; an opening is missing
    exactly where an entry of an erasure says so.
(3) The tree over the stored leaves has the head's root, and the cached edge is that tree's edge.
(4) The checkpoint is signed, and is over that origin, size and root.
(5) Every subject's counters are 1, 2 ... n, each entry pointing to the one before, and n is what the sealed state says;
    every subject that an entry names is there, and its postings find exactly its entries. Where an opening was removed,
    the chain goes on behind it; who was taken out as a whole is not there.
(6) No row stands beyond the head.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

from registry.audit.chains import ChainState
from registry.audit.check_run import BACK, MISSING, ChunkChecked, Place, longest, places_of, said_in
from registry.audit.log import AuditLog
from registry.audit.ports import EntryReader, HeadRow
from registry.crypto.random import random_bytes
from registry.domain.errors import LedgerCorrupt, ProofRejected
from registry.domain.ids import SubjectId
from registry.transparency.checkpoint import open_own
from registry.transparency.leaf import claims_of, leaf_hash
from registry.transparency.merkle import Edge
from registry.transparency.note import LedgerKeys

CHUNK = 2_048  # a power of two: each run is a subtree
SUBJECTS = 500
_PRIME = 2**61 - 1
_POINT_BYTES = 16

Progress = Callable[[int, int], None]
_Fault = tuple[int, str]  # an entry, and what is wrong with it


class Trail(NamedTuple):
    """Which entries a subject has, as the entries say it.

    Attributes:
        mark: of all their indexes in order, see ``_marked``; None where an entry between them says nothing any more.
        telling: the indexes of those that rows are compared with.
    """

    mark: int | None
    telling: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A ledger that verified.

    Attributes:
        origin, size, root: the tree.
        chains: for every subject that an entry names, the counter and the index of its last entry.
        standing: indexes of the entries that say how accounts, requests and policies stand.
        telling: indexes of the entries that rows are compared with.
        silences: the longest times between two entries, as (milliseconds, the later entry), longest first.
        trails: of the same subjects, which entries they have.
        point: at which the marks of the trails were made: drawn anew each time, so that nobody can choose indexes of
            another list with the same mark.
    """

    origin: str
    size: int
    root: bytes
    chains: Mapping[str, tuple[int, int]]
    standing: tuple[int, ...] = ()
    silences: tuple[tuple[int, int], ...] = ()
    telling: Sequence[int] = ()
    trails: Mapping[str, Trail] = field(default_factory=dict, repr=False, compare=False)
    point: int = field(default=0, repr=False, compare=False)

    @property
    def subjects(self) -> int:
        """How many subjects' chains were checked."""
        return len(self.chains)

    def of(self, subjects: Iterable[str]) -> Verified:
        """Return the same with the chains and trails of some subjects alone, to be checked elsewhere."""
        chains = {subject: self.chains[subject] for subject in subjects}
        return replace(
            self, chains=chains, trails={subject: self.trails[subject] for subject in chains}, standing=(), telling=()
        )

    def entries_of(self, subject: SubjectId, indexes: Sequence[int]) -> Sequence[int]:
        """Return the entries that a subject's rows are compared with.

        Args:
            subject: whose.
            indexes: of all its entries, as ``check_subjects`` gave them: where an entry says nothing any more, and
                those that came since, have to be looked at.
        """
        trail, (counter, _) = self.trails[subject], self.chains[subject]
        return indexes if trail.mark is None else (*trail.telling, *indexes[counter:])


class LedgerVerifier:
    """Verifies one ledger."""

    def __init__(self, log: AuditLog, verifier: LedgerKeys) -> None:
        self._log = log
        self._verifier = verifier

    def verify(self, head: HeadRow, checked: Iterable[ChunkChecked], progress: Progress) -> Verified:
        """Verify tree, times and checkpoint over checked chunks.

        Args:
            head: the head row.
            checked: results of ``check_chunk`` or ``check_leaves`` in order, covering every entry in runs of one power
                of two.
            progress: told entries done and entries in all.

        Raises:
            LedgerCorrupt: with the first bad entry where the fault is in one.
        """
        edge, last_ms, point = Edge.empty(), 0, int.from_bytes(random_bytes(_POINT_BYTES), "big") % _PRIME
        chains, gone = _Chains(point), _Gone()
        standing: list[int] = []
        telling = array("q")
        silences: tuple[tuple[int, int], ...] = ()
        for chunk in checked:
            if chunk.start != edge.size:  # the run before it is shorter than it has to be
                raise _named((edge.size, MISSING), chains, gone)
            if chunk.tree.size and chunk.first_ms < last_ms:
                raise LedgerCorrupt(BACK, edge.size)
            for place in chunk.places:
                chains.follow(place)
            standing += chunk.standing
            telling.extend(chunk.telling)
            gone.take(chunk)
            between = [(chunk.first_ms - last_ms, edge.size)] if chunk.tree.size and edge.size else []
            silences = longest((*silences, *chunk.silences, *between))
            edge = edge.joined(chunk.tree)
            if chunk.fault is not None:
                raise _named(chunk.fault, chains, gone)
            last_ms = chunk.last_ms if chunk.tree.size else last_ms
            progress(edge.size, head.size)
        if (found := _first(chains.fault(gone.said), gone.fault())) is not None:
            raise found
        self._check_head(head, edge, last_ms)
        ends, trails = chains.found(gone.subjects)
        return Verified(
            self._log.origin, edge.size, edge.root(), ends, tuple(standing), silences, telling, trails, point
        )

    def check_subjects(
        self, reader: EntryReader, states: Iterable[tuple[SubjectId, bytes]], found: Verified
    ) -> Mapping[SubjectId, Sequence[int]]:
        """Check that every subject's sealed state and postings agree with the entries: (5).

        Args:
            reader: committed rows, of the moment that ``found`` speaks of or of a later one.
            states: every subject with its sealed chain state, as that reader has it.
            found: what ``verify`` gave; the chains of these subjects only, when they are checked in parts.

        Returns:
            The indexes of each one's entries, oldest first, those included that came since.

        Raises:
            LedgerCorrupt: with the entry that is not accounted for, where there is one.
        """
        unseen, now = dict(found.chains), reader.head().size
        indexes: dict[SubjectId, Sequence[int]] = {}
        for part in _parts(states):
            opened = {subject: self._log.chains.open(subject, sealed) for subject, sealed in part}
            for subject, state in opened.items():
                end = unseen.pop(subject, None)
                if _has_grown(state, end, range(found.size, now)) or self._is_pruned(reader, subject, state, end):
                    continue
                _check_state(state, end)
            indexes |= self._check_postings(reader, opened, found)
        if unseen:
            raise LedgerCorrupt("the row of its subject is missing", min(index for _, index in unseen.values()))
        return indexes

    def check_tail(self, reader: EntryReader, found: Verified) -> None:
        """Check that nothing stands behind the last entry: (6).

        Raises:
            LedgerCorrupt: a row does.
        """
        for row in reader.scan(found.size, found.size + CHUNK):
            raise LedgerCorrupt("it stands beyond the head, which does not count it", row.index)

    def _is_pruned(
        self, reader: EntryReader, subject: SubjectId, state: ChainState, end: tuple[int, int] | None
    ) -> bool:
        """Tell whether all of a subject's entries after the last one that says something have no opening any more.

        That entries say so of each of them was checked with the ledger.
        """
        counted = 0 if end is None else end[0]
        if state.counter <= counted:
            return False
        try:
            later = list(self._log.chains.indexes(reader, subject, state.counter))[counted : state.counter]
        except LedgerCorrupt:
            return False
        rows = reader.entries(later)
        return bool(rows) and len(rows) == state.counter - counted and all(row.sealed is None for row in rows)

    def _check_postings(
        self, reader: EntryReader, states: Mapping[SubjectId, ChainState], found: Verified
    ) -> Mapping[SubjectId, Sequence[int]]:
        indexes: Mapping[SubjectId, Sequence[int]] = {}
        try:
            indexes = self._log.chains.indexes_of(reader, {subject: state.counter for subject, state in states.items()})
            is_sound = all(len(indexes[subject]) == state.counter for subject, state in states.items())
        except LedgerCorrupt:
            is_sound = False
        for subject, state in states.items() if not is_sound else ():
            self._check_postings_of(reader, subject, state, found.size)  # one by one, to say which
        for subject, group in indexes.items():
            trail, (counter, last) = found.trails.get(subject, _NO_TRAIL), found.chains.get(subject, (0, 0))
            if trail.mark is not None and _marked(found.point, 0, group[:counter]) != trail.mark:
                raise LedgerCorrupt("its subject's postings name other entries than are there", last)
        return indexes

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
            values = said_in(self._log, row, claims_of(row.leaf), leaf_hash(row.leaf))
            places = [] if values is None or not values["subject"] else places_of(values, row.index, tells=False)
            if any(place[:2] == (subject, counter) for place in places):
                return row.index
        return None

    def _check_head(self, head: HeadRow, edge: Edge, last_ms: int) -> None:
        if edge.size != head.size:
            raise LedgerCorrupt(MISSING, edge.size)
        if edge.root() != head.root:
            raise LedgerCorrupt("the tree over the stored leaves does not have the head's root")
        if edge.to_bytes() != head.edge:
            raise LedgerCorrupt("the head's edge is not the edge of the stored leaves")
        if last_ms > head.last_ms:
            raise LedgerCorrupt("the head's time is before the newest entry's")
        try:
            checkpoint = open_own(head.checkpoint, self._verifier)
        except ProofRejected as exc:
            raise LedgerCorrupt(f"the head's checkpoint does not verify: {exc}") from exc
        if (checkpoint.size, checkpoint.root) != (edge.size, edge.root()):
            raise LedgerCorrupt("the head's checkpoint is over another tree")


def _named(fault: _Fault, chains: _Chains, gone: _Gone) -> LedgerCorrupt:
    """Return the first fault, where one ends the reading: that one, or one of the chains before it."""
    # Who says that openings before it were removed may come after it, and is not read any more.
    earlier = chains.fault(gone.without_openings().__contains__)
    index, what = min(one for one in (fault, earlier) if one is not None)
    return LedgerCorrupt(what, index)


class _Walked:
    """How far a subject's entries were followed."""

    __slots__ = ("counter", "last", "mark", "telling")

    def __init__(self) -> None:
        self.counter = 0
        self.last = -1
        self.mark: int | None = 0
        self.telling: list[int] = []


class _Chains:
    """Each subject's last counter and index, and the places that follow an entry whose opening is not there."""

    def __init__(self, point: int) -> None:
        self._point = point
        self._walked: dict[str, _Walked] = {}
        self._leaps: list[tuple[int, int]] = []  # an entry, and the one that it names as the one before

    def follow(self, place: Place) -> None:
        """Add the next place of a subject."""
        subject, counter, previous, index, tells = place
        walked = self._walked.get(subject)
        if walked is None:
            walked = self._walked[subject] = _Walked()
        counted, last = walked.counter, walked.last
        walked.counter, walked.last = counter, index
        if tells:
            walked.telling.append(index)
        if counter == counted + 1 and previous == ("-" if last < 0 else str(last)):
            if walked.mark is not None:
                walked.mark = (walked.mark * self._point + index + 1) % _PRIME
            return
        walked.mark = None
        before = int(previous) if previous.isdecimal() else -1
        # An entry of that subject stands between the two: removed, or somebody hid it.
        is_leap = counter > counted + 1 and last < before < index
        self._leaps.append((index, before if is_leap else -1))

    def found(self, without: Container[str]) -> tuple[dict[str, tuple[int, int]], dict[str, Trail]]:
        """Return the ends and trails of all subjects but some."""
        present = {subject: walked for subject, walked in self._walked.items() if subject not in without}
        ends = {subject: (walked.counter, walked.last) for subject, walked in present.items()}
        return ends, {subject: Trail(walked.mark, tuple(walked.telling)) for subject, walked in present.items()}

    def fault(self, removed: Callable[[int], bool]) -> _Fault | None:
        """Return the first that does not follow the one before although that one's opening was not removed."""
        broken = (index for index, before in self._leaps if before < 0 or not removed(before))
        first = next(broken, None)
        return None if first is None else (first, "it does not follow the previous entry of its subject")


def _marked(point: int, mark: int, indexes: Iterable[int]) -> int:
    """Add indexes to the mark of those before: a polynomial over the field of ``_PRIME``, at a point drawn by lot.

    Two different lists of n indexes have one mark for at most n of the points, whoever made them.
    """
    for index in indexes:
        mark = (mark * point + index + 1) % _PRIME
    return mark


class _Gone:
    """Which openings are not there, and which entries say so."""

    def __init__(self) -> None:
        self._gone: list[int] = []
        self._said: dict[int, int] = {}  # an entry without opening -> the one that says so
        self.subjects: set[str] = set()

    def take(self, chunk: ChunkChecked) -> None:
        """Add a run of entries."""
        self._gone += chunk.gone
        for removal in chunk.removals:
            self._said.update(dict.fromkeys(removal.indexes(), removal.entry))
            self.subjects |= {removal.subject} - {""}

    def said(self, index: int) -> bool:
        """Tell whether an entry says that an opening was removed."""
        return index in self._said

    def without_openings(self) -> frozenset[int]:
        """Return the entries whose openings are not there, whoever says so."""
        return frozenset(self._gone)

    def fault(self) -> _Fault | None:
        """Return the first that is missing and no entry says so, or is there although one does."""
        # Only an erasure may remove one: this is somebody hiding what an entry says.
        hidden = next((index for index in self._gone if index not in self._said), None)
        back = min(self._said.keys() - set(self._gone), default=None)
        faults = [] if hidden is None else [(hidden, "its opening was removed, and no entry says so")]
        if back is not None:
            faults.append((back, f"its opening is there, but entry {self._said[back]} says that it was removed"))
        return min(faults, default=None)


def _first(*faults: _Fault | None) -> LedgerCorrupt | None:
    found = min((fault for fault in faults if fault is not None), default=None)
    return None if found is None else LedgerCorrupt(found[1], found[0])


_NO_TRAIL = Trail(None, ())


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
