"""What the ledger costs inside a lookup over HTTP: ``registry serve`` beside itself with the append left out.

``python -m benchmarks.ledger_cost HOME PORT`` is the second of them, for a measurement alone: its log gives out
receipts for entries that it never writes. All else is as it is served, the transaction and its other rows included.
Clients that ask again at once keep a server busy all the time, so there what it adds to a wait is what it takes of the
rate. Clients that ask at times of their own, fewer than can be answered, say what it adds to one lookup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.load import Answered, Load, generator, play
from benchmarks.registries import Registry, filled, lookup_target, postgresql, served
from benchmarks.serving import Plan, measure, medians, report
from benchmarks.table import markdown, milliseconds
from benchmarks.targets import Target, free_port, running
from registry.api.server import run
from registry.audit._mint import MINT
from registry.audit.entries import EntryDraft
from registry.audit.kinds import OPENS
from registry.audit.log import AuditLog
from registry.audit.ports import EntryReader, EntryStore
from registry.audit.receipt import Covered, PendingReceipt, Receipt, StoredEntry
from registry.bootstrap import opened
from registry.domain.ids import EntryIndex
from registry.settings import load_settings

CLIENTS = 64
# A second, of all clients together: about a quarter of what either answers at most here.
PACE = 120
_WITHOUT = ", its append left out"
# Of entries that do not exist: far from those that do.
_FIRST = 1 << 40


def ledger_cost(plan: Plan) -> str:
    """Measure lookups at 64 clients with the ledger and without, in turn."""
    told = []
    with TemporaryDirectory(prefix="registry-bench-") as name, ExitStack() as stack:
        server = stack.enter_context(postgresql())
        for database in (None, server) if server is not None else (None,):
            registry = filled(Path(name), plan.people, database)
            told.append(_compared(registry, Path(name), plan))
    head = f"{plan.people:,} people, {plan.rounds} rounds of {plan.seconds:.0f} s, medians; load by {generator()}"
    return "\n\n".join([f"{head}, 6 records each.", *told])


def _compared(registry: Registry, folder: Path, plan: Plan) -> str:
    with ExitStack() as stack:
        whole = stack.enter_context(served(registry, folder / f"{registry.engine}.log"))
        bare = stack.enter_context(_served_without(registry, folder / f"{registry.engine}-without.log"))
        found = measure([whole, bare], replace(plan, clients=(CLIENTS,)))
        with_it, without = (medians(found[name, CLIENTS]) for name in (whole.name, bare.name))
        paced, paced_without = _paced([whole, bare], plan)
    rows = [
        [name, milliseconds(mine), milliseconds(theirs), milliseconds(mine - theirs)]
        for name, mine, theirs in (
            ("p50, as many as are answered", with_it.p50, without.p50),
            ("p99, as many as are answered", with_it.p99, without.p99),
            (f"p50, {PACE} a second", paced[0], paced_without[0]),
            (f"p99, {PACE} a second", paced[1], paced_without[1]),
        )
    ]
    table = markdown([f"{registry.engine}, ms", "with", "without", "the ledger adds"], rows)
    return f"{report(found, bare.name)}\n\n{table}"


def _paced(targets: Sequence[Target], plan: Plan) -> list[tuple[float, float]]:
    """Ask both in turn at a steady pace; returns the medians over the rounds of p50 and p99, in seconds."""
    felt: list[list[Answered]] = [[] for _ in targets]
    for _ in range(plan.rounds):
        for target, answered in zip(targets, felt, strict=True):
            answered.append(play(Load(target.port, target.requests, CLIENTS, plan.seconds, PACE)))
    return [(median(one.p50 for one in rounds), median(one.p99 for one in rounds)) for rounds in felt]


@contextmanager
def _served_without(registry: Registry, log: Path) -> Iterator[Target]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.ledger_cost", str(registry.settings.home), str(port)]
    with running(command, port, log, registry.environment) as process:
        target = lookup_target(f"Registry, {registry.engine}{_WITHOUT}", registry, port, process.pid)
        yield replace(target, entries=None)


class _Unwritten:
    """Stands in for the two ends of a log: what is appended is kept for its receipt and goes no further."""

    def __init__(self) -> None:
        self._indexes = count(_FIRST)
        self._drafts: dict[int, EntryDraft] = {}

    def append(self, log: AuditLog, store: EntryStore, drafts: Sequence[EntryDraft]) -> tuple[PendingReceipt, ...]:
        """Promise a receipt for each."""
        del log, store
        made = []
        for draft in drafts:
            index = next(self._indexes)
            self._drafts[index] = draft
            made.append(PendingReceipt(EntryIndex(index), draft.event, index + 1))
        return tuple(made)

    def mint(self, log: AuditLog, reader: EntryReader, pendings: Sequence[PendingReceipt]) -> tuple[Receipt, ...]:
        """Give what was promised, without reading anything back."""
        del reader
        return tuple(self._receipt(log, one) for one in pendings)

    def _receipt(self, log: AuditLog, pending: PendingReceipt) -> Receipt:
        draft = self._drafts.pop(pending.index)
        lines = draft.records if draft.kind in OPENS else ()
        covered = frozenset(Covered(line.record, line.version, line.ciphertext_digest) for line in lines)
        stored = StoredEntry(log.origin, draft.kind.value, log.code_of(pending.index))
        return Receipt(MINT, pending, stored, covered)


def main() -> None:
    """Serve without a ledger. It exists here alone: no setting of the product leaves an entry out."""
    home, port = Path(sys.argv[1]), int(sys.argv[2])
    unwritten = _Unwritten()

    def append(log: AuditLog, store: EntryStore, drafts: Sequence[EntryDraft]) -> tuple[PendingReceipt, ...]:
        return unwritten.append(log, store, drafts)

    def mint(log: AuditLog, reader: EntryReader, pendings: Sequence[PendingReceipt]) -> tuple[Receipt, ...]:
        return unwritten.mint(log, reader, pendings)

    with opened(load_settings(home)) as application:
        AuditLog.append = append  # type: ignore[method-assign, assignment]  # in this process alone
        AuditLog.mint = mint  # type: ignore[method-assign, assignment]  # in this process alone
        run(application, "127.0.0.1", port)


if __name__ == "__main__":
    main()
