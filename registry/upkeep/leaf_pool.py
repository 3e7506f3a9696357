"""Processes that check runs of leaves beside this one.

Such a process gets the database's address and the places of runs, and gives back a subtree and times for each. It opens
no key and imports little, so that it starts in the time of some 100,000 leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection

from registry.audit.check_run import ChunkChecked, check_leaves
from registry.crypto.hardening import harden_process
from registry.domain.errors import RegistryError
from registry.services.other_process import OtherProcess, interrupts_ignored
from registry.storage.engine import open_read_only
from registry.storage.failures import named_failures
from registry.storage.ledger import SqlEntryReader

_AHEAD = 3  # runs for each process: one at work, others waiting while this one is at work itself

Span = tuple[int, int]
_Runs = Iterator[tuple[int, Span]]


def checked_together(
    here: Callable[[Span], ChunkChecked], address: str, spans: Iterable[Span], others: int
) -> Generator[ChunkChecked]:
    """Check runs of leaves here and in other processes, and give them back in their order.

    What waits for its turn is small: a full run is one hash.

    Args:
        here: checks a run in this process; also those whose process was ended, or met an error, which is met here then.
        address: of the database.
        spans: first index of each run, and the first after it.
        others: how many processes beside this one.
    """
    left, done, told = enumerate(spans), dict[int, ChunkChecked](), 0
    with interrupts_ignored():
        hands = [_Hand(address) for _ in range(others)]
    try:
        while True:
            for hand in hands:
                hand.give(left)
            own = next(left, None)
            if own is not None:
                done[own[0]] = here(own[1])
            for hand in hands:
                done |= hand.taken(here, wait=own is None)
            while told in done:
                yield done.pop(told)
                told += 1
            if own is None and not any(hand.at_work for hand in hands):
                return
    finally:
        for hand in hands:
            hand.end()
            hand.close()


class _Hand(OtherProcess[ChunkChecked]):
    """One process that checks leaves, and what it was given."""

    def __init__(self, address: str) -> None:
        super().__init__(_work, address)
        self.at_work: list[tuple[int, Span]] = []
        self._is_there = True

    def give(self, runs: _Runs) -> None:
        """Give it runs until enough are waiting."""
        for number, span in islice(runs, _AHEAD - len(self.at_work) if self._is_there else 0):
            self.at_work.append((number, span))
            self._is_there = self.send(span) and self._is_there

    def taken(self, here: Callable[[Span], ChunkChecked], *, wait: bool) -> dict[int, ChunkChecked]:
        """Return what it has checked; with ``wait`` one run at least, if it has one."""
        taken: dict[int, ChunkChecked] = {}
        while self.at_work and (self.has_answered() or (wait and not taken)):
            number, span = self.at_work.pop(0)
            checked = self.heard()
            self._is_there = self._is_there and checked is not None
            taken[number] = here(span) if checked is None else checked
        return taken


def _work(pipe: Connection, address: str) -> None:
    """Check what comes until nothing more can come: the parent has closed the pipe, or is gone."""
    harden_process()
    engine = open_read_only(address, pool_size=1)
    # Errors do not travel: the parent checks the run itself, and meets the error there.
    with suppress(EOFError, OSError, RegistryError):
        while True:
            span = pipe.recv()
            with named_failures(), engine.connect() as connection:
                checked = check_leaves(span[0], SqlEntryReader(connection).leaves(*span))
            pipe.send(checked)
