"""Processes that seal for an import, while this one stores: the part that costs most then has a core of its own.

A process gets rows of the file and gives back people made ready; only this process asks the database and appends to
the ledger. No key travels: each process reads the keyring itself, and keeps what ``SealingTools`` need.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import connection

from registry.audit.chains import Chains
from registry.crypto.hardening import harden_process
from registry.domain.errors import RegistryError
from registry.domain.ids import RegistryId
from registry.keys.data_keys import DataKeys
from registry.keys.opening import load_keyring
from registry.services.seal_lines import LineSealer, SealedLines, SealOrder
from registry.services.seal_people import Sealer, SealingTools
from registry.settings import Settings
from registry.storage.guards import RowGuard, guard_key
from registry.storage.new_rows import RowPacker
from registry.text.csv_rows import UnreadRow
from registry.vault.blind_index import BlindIndex
from registry.vault.vault import Vault

ALONE_BATCHES = 4  # so many are sealed here at least: starting a process costs about as much
_AHEAD = 2  # batches for each process: one at work, one waiting

Batch = Sequence[UnreadRow]
# The sealer of a worker process, set once when it starts.
_sealer: LineSealer


class SealingPool:
    """Seals batches with several processes, and in this one while those start and after one of them was ended."""

    def __init__(self, here: LineSealer, settings: Settings, registry: RegistryId, processes: int) -> None:
        """Take what seals here and what the processes open.

        Args:
            here: the sealer of this process.
            settings: of the registry.
            registry: its id.
            processes: how many, beside this one.
        """
        self._here = here
        self._given = (settings, registry)
        self._processes = processes

    def sealed(
        self, batches: Iterable[Batch], order: Callable[[], SealOrder]
    ) -> Iterator[tuple[Batch, SealOrder, SealedLines]]:
        """Seal batches and give them back in their order; see ``services.seal_lines.Hands``."""
        source = iter(batches)
        for number, batch in enumerate(source, 1):  # a short file needs no other process
            now = order()
            yield batch, now, self._here.seal(batch, now)
            if number == ALONE_BATCHES:
                break
        else:
            return
        with self._pool() as (pool, started):
            yield from self._together(pool, started, source, order)

    def _together(
        self,
        pool: ProcessPoolExecutor,
        started: Sequence[Future[None]],
        source: Iterator[Batch],
        order: Callable[[], SealOrder],
    ) -> Iterator[tuple[Batch, SealOrder, SealedLines]]:
        at_work: deque[tuple[Batch, SealOrder, Future[SealedLines | None]]] = deque()
        is_whole = True
        while True:
            # Until a process has started there is no use in giving it batches: this one seals them meanwhile.
            if is_whole and any(future.done() for future in started):
                is_whole = self._give(pool, at_work, source, order)
            if at_work:
                batch, now, future = at_work.popleft()
                lines = _result(future)
                yield batch, now, self._here.seal(batch, now) if lines is None else lines
            elif (batch_here := next(source, None)) is not None:
                now = order()
                yield batch_here, now, self._here.seal(batch_here, now)
            else:
                return

    def _give(
        self,
        pool: ProcessPoolExecutor,
        at_work: deque[tuple[Batch, SealOrder, Future[SealedLines | None]]],
        source: Iterator[Batch],
        order: Callable[[], SealOrder],
    ) -> bool:
        """Keep every process busy; False when one of them was ended."""
        while len(at_work) < _AHEAD * self._processes and (batch := next(source, None)) is not None:
            now = order()
            try:
                future = pool.submit(_seal, batch, now)
            except BrokenProcessPool:
                future = Future()
                future.set_result(None)
                at_work.append((batch, now, future))
                return False
            at_work.append((batch, now, future))
        return True

    @contextmanager
    def _pool(self) -> Iterator[tuple[ProcessPoolExecutor, list[Future[None]]]]:
        context = multiprocessing.get_context("spawn")
        with _interrupts_ignored():
            pool = ProcessPoolExecutor(self._processes, context, _start, self._given)
            started = [pool.submit(_is_open) for _ in range(self._processes)]  # starts a process each
        try:
            yield pool, started
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let processes that are started here ignore Ctrl-C, which a terminal sends to all: this one ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _result(future: Future[SealedLines | None]) -> SealedLines | None:
    with suppress(BrokenProcessPool):
        return future.result()
    return None  # somebody ended a process: nothing is lost, its batch is sealed here


def _start(settings: Settings, registry: RegistryId) -> None:
    global _sealer  # noqa: PLW0603 - one per process, set by its initializer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _sealer = open_sealer(settings, registry)
    settle_heap()


def open_sealer(settings: Settings, registry: RegistryId) -> LineSealer:
    """Open what a process needs that only makes people ready: no database, no key of the ledger, of cases or marks.

    Raises:
        KeyUnavailable: the keyring is missing, damaged or readable by others.
    """
    harden_process()
    ring = load_keyring(settings.keys, settings.key_service)
    secret = ring.secret("index")
    vault = Vault(registry, DataKeys(ring.provider("data"), registry))
    packer = RowPacker(RowGuard(guard_key(secret)))
    return LineSealer(Sealer(SealingTools(BlindIndex.of(secret), vault, Chains(registry, secret), packer)))


def settle_heap() -> None:
    """Take what start-up made out of the collector's rounds: a batch makes ten thousand objects and no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)


def _end_with_parent() -> None:
    """End when the parent was killed: nobody would ever take an answer."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _is_open() -> None:
    """Return once the process has started."""


def _seal(batch: Batch, order: SealOrder) -> SealedLines | None:
    try:
        return _sealer.seal(batch, order)
    except RegistryError:
        return None  # errors of ours do not travel: this batch is sealed by the parent, which meets its error there
