"""Processes that seal for an import, while this one stores: the part that costs most then has a core of its own.

A process gets rows of the file and gives back people made ready; only this process asks the database and appends to
the ledger. No key travels: each process reads the keyring itself, and keeps what ``SealingTools`` need.
"""

from __future__ import annotations

import gc
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue

from registry.audit.chains import Chains
from registry.crypto.hardening import harden_process
from registry.domain.errors import KeyUnavailable, RegistryError
from registry.domain.ids import RegistryId
from registry.keys.data_keys import DataKeys
from registry.keys.opening import load_keyring
from registry.services.other_process import OtherProcess, interrupts_ignored
from registry.services.seal_lines import LineSealer, SealedLines, SealOrder
from registry.services.seal_people import Sealer, SealingTools
from registry.settings import Settings
from registry.storage.guards import RowGuard, guard_key
from registry.storage.new_rows import RowPacker
from registry.text.csv_rows import UnreadRow
from registry.vault.blind_index import BlindIndex
from registry.vault.ties import SubjectTies
from registry.vault.vault import Vault

ALONE_BATCHES = 4  # so many are sealed here at least: starting a process costs about as much
_AHEAD = 2  # batches for each process: one at work, one waiting

Batch = Sequence[UnreadRow]


class SealingPool:
    """Seals batches with several processes, and in this one while those start and for those that were ended."""

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
        with interrupts_ignored():
            crew = Crew([Hand(*self._given) for _ in range(self._processes)])
        try:
            yield from self._together(crew, source, order)
        finally:
            crew.close()

    def _together(
        self, crew: Crew, source: Iterator[Batch], order: Callable[[], SealOrder]
    ) -> Iterator[tuple[Batch, SealOrder, SealedLines]]:
        at_work: deque[tuple[Batch, SealOrder, Future[SealedLines | None]]] = deque()
        while True:
            # Until a process has started there is no use in giving it batches: this one seals them meanwhile.
            while len(at_work) < _AHEAD * crew.ready and (batch := next(source, None)) is not None:
                now = order()
                at_work.append((batch, now, crew.submit(batch, now)))
            if at_work:
                batch, now, future = at_work.popleft()
                lines = future.result()
                yield batch, now, self._here.seal(batch, now) if lines is None else lines
            elif (batch_here := next(source, None)) is not None:
                now = order()
                yield batch_here, now, self._here.seal(batch_here, now)
            else:
                return


class Hand(OtherProcess["Sealed"]):
    """One process that seals."""

    def __init__(self, settings: Settings, registry: RegistryId) -> None:
        super().__init__(_work, settings, registry)

    def seal(self, batch: Batch, order: SealOrder) -> Sealed | None:
        """Have a batch sealed; None when the process was ended."""
        return self.ask((batch, order))


class Crew:
    """Several hands, each with a thread that waits for it. Every batch that is given is answered.

    The library's own pool of processes is not used: when one of its processes is killed while others start, it waits
    for those for ever (seen with Python 3.11).
    """

    def __init__(self, hands: Sequence[Hand]) -> None:
        self._hands = hands
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._left = len(hands)
        self._ready = 0
        self._threads = [threading.Thread(target=self._serve, args=(hand,), daemon=True) for hand in hands]
        for thread in self._threads:
            thread.start()

    @property
    def ready(self) -> int:
        """How many processes have started and were not ended."""
        return self._ready

    def submit(self, batch: Batch, order: SealOrder) -> Future[SealedLines | None]:
        """Give a batch to the next free process; the answer is None when it must be sealed here."""
        future: Future[SealedLines | None] = Future()
        with self._lock:
            if self._left:
                self._jobs.put((batch, order, future))
            else:
                future.set_result(None)
        return future

    def close(self) -> None:
        """End the processes; batches that are still waiting are answered with None."""
        for hand in self._hands:
            self._jobs.put(None)
            hand.end()
        for thread in self._threads:
            thread.join()
        for hand in self._hands:
            hand.close()

    def _serve(self, hand: Hand) -> None:
        has_started = hand.is_up()
        with self._lock:
            self._ready += has_started
        is_there = has_started
        while is_there and (job := self._jobs.get()) is not None:
            batch, order, future = job
            sealed = hand.seal(batch, order)
            is_there = sealed is not None
            future.set_result(None if sealed is None else sealed.lines)
        with self._lock:
            self._ready -= has_started
            self._left -= 1
            if not self._left:
                self._answer_all_that_wait()

    def _answer_all_that_wait(self) -> None:
        while not self._jobs.empty():
            job = self._jobs.get()
            if job is not None:
                job[2].set_result(None)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a process says: that it is ready, or what became of a batch; None when it could not seal it."""

    lines: SealedLines | None = None


_Job = tuple[Batch, SealOrder, "Future[SealedLines | None]"]


def _work(pipe: Connection, settings: Settings, registry: RegistryId) -> None:
    """Seal what comes until nothing more can come: the parent has closed the pipe, or is gone."""
    with suppress(EOFError, OSError, KeyUnavailable):  # without keys the parent seals, and meets the error there
        sealer = open_sealer(settings, registry)
        settle_heap()
        pipe.send(Sealed())
        while True:
            pipe.send(_seal(sealer, *pipe.recv()))


def open_sealer(settings: Settings, registry: RegistryId) -> LineSealer:
    """Open what a process needs that only makes people ready: no database, no key of the ledger, of cases or marks.

    Raises:
        KeyUnavailable: the keyring is missing, damaged or readable by others.
    """
    harden_process()
    ring = load_keyring(settings.keys, settings.custody)
    secret = ring.secret("index")
    vault = Vault(registry, DataKeys(ring.provider("data"), registry))
    packer = RowPacker(RowGuard(guard_key(secret)))
    index, ties = BlindIndex.of(secret), SubjectTies(registry, secret)
    return LineSealer(Sealer(SealingTools(index, vault, ties, Chains(registry, secret), packer)))


def settle_heap() -> None:
    """Take what start-up made out of the collector's rounds: a batch makes ten thousand objects and no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)


def _seal(sealer: LineSealer, batch: Batch, order: SealOrder) -> Sealed:
    try:
        return Sealed(sealer.seal(batch, order))
    except RegistryError:
        return Sealed()  # errors of ours do not travel: this batch is sealed by the parent, which meets its error there
