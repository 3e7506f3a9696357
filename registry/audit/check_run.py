"""Checking a run of entries, in a process of its own where there are several: what each is for itself.

The verification of the whole (``verify``) puts the runs together. What is checked here are its points (1) and (2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import nlargest
from itertools import chain, compress, count
from operator import gt, ne, sub

from registry.audit.kinds import TELLING, says_how_it_stands
from registry.audit.log import AuditLog
from registry.audit.ports import EntryRow
from registry.audit.removals import Removal, removal_of
from registry.domain.errors import LedgerCorrupt, ProofRejected
from registry.transparency.leaf import claims_of, leaf_hash, time_of
from registry.transparency.merkle import Edge, edge_of

MOST_SILENCES = 10
MISSING = "it is missing"
BACK = "its time is before that of the entry in front of it"
# (subject, counter, previous, index, whether rows are compared with it)
Place = tuple[str, int, str, int, bool]


@dataclass(frozen=True, slots=True)
class ChunkChecked:
    """What checking a run of entries gave.

    Attributes:
        start: the index that the first entry has.
        tree: over the entries of the run, up to the first bad one.
        first_ms, last_ms: times of the first and last entry.
        places: of every entry about a subject.
        standing: indexes of the entries that say how accounts, requests and policies stand.
        gone: indexes of the entries without an opening.
        removals: what entries say of openings that were removed.
        telling: indexes of the entries that rows are compared with.
        fault: the first fault as (entry, what), or None.
        silences: the longest times between two entries, as (milliseconds, the later entry), longest first.
    """

    start: int
    tree: Edge
    first_ms: int
    last_ms: int
    places: tuple[Place, ...]
    standing: tuple[int, ...]
    gone: tuple[int, ...]
    removals: tuple[Removal, ...]
    telling: tuple[int, ...]
    fault: tuple[int, str] | None
    silences: tuple[tuple[int, int], ...] = ()


def check_chunk(log: AuditLog, start: int, rows: Sequence[EntryRow]) -> ChunkChecked:
    """Check entries one by one: (1) and (2).

    Args:
        log: opens what entries say.
        start: the index that the first row must have.
        rows: stored rows in index order.
    """
    hashes: list[bytes] = []
    places: list[Place] = []
    times: list[int] = []
    standing: list[int] = []
    gone: list[int] = []
    removals: list[Removal] = []
    telling: list[int] = []
    fault: tuple[int, str] | None = None
    for expected, row in enumerate(rows, start=start):
        try:
            claimed, hashed = claims_of(row.leaf), leaf_hash(row.leaf)
            _check_place(expected, row.index, claimed[0], times)
            values, kind = said_in(log, row, claimed, hashed), claimed[1]
            removal = None if values is None else removal_of(expected, kind, values)
        except (LedgerCorrupt, ProofRejected) as exc:
            fault = (expected, exc.what if isinstance(exc, LedgerCorrupt) else str(exc))
            break
        hashes.append(hashed)
        if values is None:
            gone.append(expected)
        elif values["subject"]:
            places += places_of(values, expected, kind in TELLING)
        if kind in TELLING:
            telling.append(expected)
        if removal is not None:
            removals.append(removal)
        if says_how_it_stands(kind, "" if values is None else values["result"]):
            standing.append(expected)
    first, last = (times[0], times[-1]) if times else (0, 0)
    said = (tuple(places), tuple(standing), tuple(gone), tuple(removals), tuple(telling))
    return ChunkChecked(start, edge_of(hashes), first, last, *said, fault, _silences(start, times))


def longest(silences: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the longest silences, longest first."""
    return tuple(nlargest(MOST_SILENCES, silences))


def check_leaves(start: int, leaves: Sequence[tuple[int, bytes]]) -> ChunkChecked:
    """Check leaves alone: (1). What they commit to stays unread, so no place, standing or removal is found.

    Args:
        start: the index that the first one must have.
        leaves: index and leaf in index order.
    """
    times, fault = _times_of(leaf for _, leaf in leaves)
    places = [index for index, _ in leaves]
    faults = (
        None if fault is None else (len(times), fault),
        _first_that(map(ne, places, count(start)), MISSING),
        _first_that(chain((False,), map(gt, times, times[1:])), BACK),
    )
    sound, what = min((fault for fault in faults if fault is not None), default=(len(times), ""))
    tree = edge_of([sha256(b"\x00" + leaf).digest() for _, leaf in leaves[:sound]])  # ``leaf_hash``, without a call
    del times[sound:]
    first, last = (times[0], times[-1]) if times else (0, 0)
    named = (start + sound, what) if what else None
    return ChunkChecked(start, tree, first, last, (), (), (), (), (), named, _silences(start, times))


def _times_of(leaves: Iterable[bytes]) -> tuple[list[int], str | None]:
    """Return the times of leaves up to the first that has not the right form, and what is wrong with it."""
    times: list[int] = []
    try:
        times.extend(map(time_of, leaves))  # those before the fault stay
    except LedgerCorrupt as exc:
        return times, exc.what
    return times, None


def _first_that(is_wrong: Iterable[bool], what: str) -> tuple[int, str] | None:
    at = next(compress(count(), is_wrong), None)
    return None if at is None else (at, what)


def _silences(start: int, times: Sequence[int]) -> tuple[tuple[int, int], ...]:
    between = list(map(sub, times[1:], times))
    least = min(nlargest(MOST_SILENCES, between), default=0)  # so that few of them are told apart by their entries
    return longest((lasted, start + i) for i, lasted in enumerate(between, 1) if lasted >= least)


def _check_place(expected: int, index: int, unix_ms: int, times: list[int]) -> None:
    if index != expected:
        raise LedgerCorrupt(MISSING)
    if times and unix_ms < times[-1]:
        raise LedgerCorrupt(BACK)
    times.append(unix_ms)


def said_in(log: AuditLog, row: EntryRow, claimed: tuple[int, str], hashed: bytes) -> Mapping[str, str] | None:
    """Return the fields of an entry, checked; None where its opening is gone.

    Args:
        log: opens what entries say.
        row: the entry.
        claimed: the time and kind that its leaf claims.
        hashed: its leaf's hash.

    Raises:
        LedgerCorrupt: its leaf, opening and event do not fit each other.
    """
    if not row.event:
        raise LedgerCorrupt("its opening's row is missing")
    opening = log.opening_of(row, claimed, hashed)
    if opening is None:
        return None
    if opening.values["event"] != row.event:
        raise LedgerCorrupt("its event id differs from its opening")
    return opening.values


def places_of(values: Mapping[str, str], index: int, tells: bool) -> list[Place]:  # noqa: FBT001  # a fact of the entry
    """Return the places that an entry has in the chains of its subjects, at least one."""
    subject, counter, previous = values["subject"], values["counter"], values["previous"]
    if " " not in subject:
        return [(subject, int(counter), previous, index, tells)]
    named = zip(subject.split(" "), counter.split(" "), previous.split(" "), strict=True)
    return [(one, int(count), before, index, tells) for one, count, before in named]
