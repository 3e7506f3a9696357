"""The ledger alone, without HTTP: how many durable receipts a second, and how long verifying takes."""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.people import number_of
from benchmarks.registries import CARD, Registry, filled, look_up_in_process, postgresql
from benchmarks.serving import Plan
from benchmarks.table import markdown, milliseconds, number, ratio
from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.audit.verify import CHUNK
from registry.bootstrap import Application, opened
from registry.cli.auditing import verify_ledger, verify_tree
from registry.services.kernel import record_lines
from registry.services.ports import ACTIVE
from registry.settings import load_settings
from registry.transparency.leaf import parse_leaf

_PROCESSES = (1, 2, 4)
_BATCH = 64  # as many as gather in a busy lane
_HEAD_START = 4.0
_SHORT_BYTES = 96  # about what is hashed for a salt or a commitment


def append(plan: Plan) -> str:
    """Measure durable receipts a second, read back and minted: entries of a released card, 1 and 64 a commit."""
    rates, commits = [], []
    with TemporaryDirectory(prefix="registry-bench-") as name, ExitStack() as stack:
        server = stack.enter_context(postgresql())
        for database in (None, server) if server is not None else (None,):
            registry = filled(Path(name), max(_PROCESSES) * _BATCH, database)  # everybody appends of others
            for processes in _PROCESSES:
                alone, together = (_appended(registry, processes, plan.seconds, batch) for batch in (1, _BATCH))
                place = [registry.engine, str(processes)]
                rates.append([*place, number(alone.rate), number(together.rate), ratio(together.rate / alone.rate)])
                commits += [
                    [*place, str(batch), number(len(one.commits)), *map(milliseconds, one.spread())]
                    for batch, one in ((1, alone), (_BATCH, together))
                ]
    columns = ["receipts/s", "processes", "1 a commit", f"{_BATCH} a commit", "over 1 a commit"]
    spread = ["commits", "processes", "entries each", "commits", "p50 ms", "p90 ms", "p99 ms", "longest ms"]
    told = f"Entries of a card of 6 records, each of another person; {plan.seconds:.0f} s each."
    return f"{told}\n\n{markdown(columns, rates)}\n\n{markdown(spread, commits)}"


@dataclass(frozen=True, slots=True)
class _Appended:
    """Receipts a second, and the seconds of each commit from its first entry to its last receipt."""

    rate: float
    commits: Sequence[float]

    def spread(self) -> tuple[float, float, float, float]:
        """Return median, 90th and 99th percentile and the longest."""
        cuts = statistics.quantiles(self.commits, n=100, method="inclusive")
        return cuts[49], cuts[89], cuts[98], max(self.commits)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What each process does: from a moment on, for so many seconds, so many entries a commit."""

    home: str
    environment: Mapping[str, str]
    start: float
    seconds: float
    batch: int


def _appended(registry: Registry, processes: int, seconds: float, batch: int) -> _Appended:
    before = registry.entries()
    environment = dict(registry.environment)
    turn = _Turn(str(registry.settings.home), environment, time.time() + _HEAD_START, seconds, batch)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        parts = pool.starmap(_append, [(turn, place) for place in range(processes)])
    commits = [one for part in parts for one in part]
    if registry.entries() - before != len(commits) * batch:
        raise RuntimeError("receipts were minted that are not in the ledger, or the other way round")
    return _Appended(len(commits) * batch / seconds, commits)


def _append(turn: _Turn, place: int) -> list[float]:
    """Append until the time is over; the seconds of each commit."""
    commits = []
    with opened(load_settings(Path(turn.home), turn.environment)) as application:
        drafts = _drafts(application, place)
        time.sleep(max(0.0, turn.start - time.time()))
        now = time.perf_counter()
        until = now + turn.seconds
        for first in itertools.cycle(range(0, _BATCH, turn.batch)):
            if now >= until:
                break
            _commit(application, [_again(draft) for draft in drafts[first : first + turn.batch]])
            before, now = now, time.perf_counter()
            commits.append(now - before)
    return commits


def _commit(application: Application, drafts: Sequence[EntryDraft]) -> None:
    kernel = application.kernel
    with kernel.database.write() as work:
        work.subjects.lock(subject for draft in drafts for subject in draft.subjects)
        pendings = kernel.log.append(work.ledger, drafts)
        work.commit()
    if len(kernel.mint(pendings)) != len(drafts):
        raise RuntimeError("not every entry has its receipt")


def _drafts(application: Application, place: int) -> list[EntryDraft]:
    """Write what releases of cards say, of other people in every process."""
    tags = [application.kernel.number_tag(number_of(place * _BATCH + step)) for step in range(_BATCH)]
    with application.database.read() as work:
        subjects = work.subjects.by_number_tags(tags)
        rows = work.records.of_subjects(row.id for row in subjects.values())
    drafts = []
    for subject in subjects.values():
        lines = record_lines(
            row.field
            for row in rows
            if row.subject == subject.id and row.state == ACTIVE and row.category.value in CARD
        )
        said = {
            "purpose": "safety",
            "case": "CASE-1",
            "note": "benchmark",
            "result": "permitted",
            "detail": "via single",
        }
        drafts.append(EntryDraft(Kind.DISCLOSE, said, (subject.id,), lines))
    return drafts


def _again(draft: EntryDraft) -> EntryDraft:
    """Return the same, as another event."""
    return EntryDraft(draft.kind, draft.values, draft.subjects, draft.records)


@dataclass(frozen=True, slots=True)
class _Bare:
    """Seconds of the processor, over the same rows as verifying.

    Attributes:
        reading: the rows.
        leaves: SHA-256 of each leaf.
        openings: SHA-256 of each sealed opening.
        commitments: as many calls of SHA-256 as the commitments of each entry take, three a field, of short messages.
    """

    reading: float
    leaves: float
    openings: float
    commitments: float


def verify(plan: Plan) -> str:
    """Measure ``audit verify`` against hashing the same bytes, on all cores, over a ledger of real lookups."""
    cores = os.cpu_count() or 1
    with TemporaryDirectory(prefix="registry-bench-") as name:
        registry = filled(Path(name), plan.people)
        with opened(registry.settings) as application:
            while registry.entries() < plan.entries:
                look_up_in_process(application, range(registry.people))
            entries = registry.entries()
            whole, tree = (_taken(check, application, cores) for check in (verify_ledger, verify_tree))
        bare = _hashed(registry, entries, cores)
    everything = bare.leaves + bare.openings
    rows = [
        _row("everything: audit verify", whole, entries, everything),
        _row("its rows read", (None, bare.reading), entries, everything),
        _row("calls of SHA-256 that its commitments take", (None, bare.commitments), entries, everything),
        _row("bare SHA-256 of leaves and openings", (None, everything), entries, everything),
        _row("tree: audit verify --tree", tree, entries, bare.leaves),
        _row("bare SHA-256 of leaves", (None, bare.leaves), entries, bare.leaves),
    ]
    columns = ["", "seconds", "processor us an entry", "over hashing the same bytes"]
    told = "Ratios are of processor time, the start of processes included."
    return f"{entries:,} entries, {registry.people:,} people, {cores} processes. {told}\n\n{markdown(columns, rows)}"


def _row(what: str, taken: tuple[float | None, float], entries: int, hashing: float) -> list[str]:
    elapsed, processor = taken
    return [
        what,
        "" if elapsed is None else number(elapsed),
        number(processor / entries * 1e6),
        ratio(processor / hashing),
    ]


def _taken(check: Callable[[Application, int], object], application: Application, cores: int) -> tuple[float, float]:
    """Return the seconds that a check takes, and the processor's of this process and those that it ends."""
    started, before = time.perf_counter(), os.times()
    check(application, cores)
    after = os.times()
    return time.perf_counter() - started, sum(after[:4]) - sum(before[:4])


def _hashed(registry: Registry, entries: int, cores: int) -> _Bare:
    """Return what reading all rows takes, and hashing, in as many processes."""
    places = [(str(registry.settings.home), start, min(start + CHUNK, entries)) for start in range(0, entries, CHUNK)]
    with ProcessPoolExecutor(cores, multiprocessing.get_context("spawn")) as executor:
        parts = list(executor.map(_hash, *zip(*places, strict=True)))
    return _Bare(*(sum(one) for one in zip(*map(astuple, parts), strict=True)))


def _hash(home: str, start: int, stop: int) -> _Bare:
    from registry.storage.unit_of_work import open_database  # noqa: PLC0415 - in a process of its own

    settings = load_settings(Path(home), {})
    database = open_database(settings.database_url, settings.ledger / "writer.lock")
    with database.reader() as reader:
        reader.head()
        began = time.process_time()
        rows = list(reader.scan(start, stop))
        reading = time.process_time() - began
    database.close()
    short = bytes(_SHORT_BYTES)
    calls = sum(3 * len(parse_leaf(row.leaf).commitments) for row in rows)
    began = time.process_time()
    for row in rows:
        hashlib.sha256(row.leaf).digest()
    leaves = time.process_time() - began
    began = time.process_time()
    for row in rows:
        hashlib.sha256(row.sealed or b"").digest()
    openings = time.process_time() - began
    began = time.process_time()
    for _ in range(calls):
        hashlib.sha256(short).digest()
    return _Bare(reading, leaves, openings, time.process_time() - began)
