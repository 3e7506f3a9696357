"""The ledger alone, without HTTP: how many durable receipts a second, and how long verifying takes."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
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
from benchmarks.table import markdown, number, ratio
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
    """Measure durable receipts a second: 64 entries of a released card a commit, read back and minted."""
    rows = []
    with TemporaryDirectory(prefix="registry-bench-") as name, ExitStack() as stack:
        server = stack.enter_context(postgresql())
        for database in (None, server) if server is not None else (None,):
            registry = filled(Path(name), min(plan.people, 400), database)
            rates = [_rate(registry, processes, plan.seconds) for processes in _PROCESSES]
            rows.append([registry.engine, *map(number, rates)])
    columns = ["receipts/s", *(f"{count} process{'es' if count > 1 else ''}" for count in _PROCESSES)]
    told = f"{_BATCH} entries a commit, each of a card of 6 records of another person; {plan.seconds:.0f} s each."
    return f"{told}\n\n{markdown(columns, rows)}"


def _rate(registry: Registry, processes: int, seconds: float) -> float:
    before = registry.entries()
    start = time.time() + _HEAD_START
    places = [(str(registry.settings.home), dict(registry.environment), start, seconds, at) for at in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        minted = sum(pool.starmap(_append, places))
    if registry.entries() - before != minted:
        raise RuntimeError("receipts were minted that are not in the ledger, or the other way round")
    return minted / seconds


def _append(home: str, environment: Mapping[str, str], start: float, seconds: float, place: int) -> int:
    with opened(load_settings(Path(home), environment)) as application:
        drafts = _drafts(application, place)
        time.sleep(max(0.0, start - time.time()))
        count, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            count += _one_commit(application, [_again(draft) for draft in drafts])
    return count


def _one_commit(application: Application, drafts: Sequence[EntryDraft]) -> int:
    kernel = application.kernel
    with kernel.database.write() as work:
        work.subjects.lock(subject for draft in drafts for subject in draft.subjects)
        pendings = kernel.log.append(work.ledger, drafts)
        work.commit()
    return len(kernel.mint(pendings))


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
