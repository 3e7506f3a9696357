"""What services need of a database for notices: rows as frozen values, and the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.domain.ids import EventId

# Notices in the outbox: still to be sent, or given up until somebody looks.
WAITING = "waiting"
DEAD = "dead"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A notice that is to be sent by one channel, sealed.

    Attributes:
        id, event: the notice, and the entry that it speaks of.
        channel: the way out.
        sealed: what it says and to whom.
        queued_at: milliseconds; since when it is tried.
        due_at: milliseconds; not before.
        attempts: how often it was claimed.
        state: ``waiting`` or ``dead``.
        index: of its entry, known when it is read.
    """

    id: str
    event: EventId
    channel: str
    sealed: bytes
    queued_at: int
    due_at: int
    attempts: int
    state: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class PutOff:
    """A claimed notice that was not sent: when it is due again, and its state from now on."""

    row: OutboxRow
    due_ms: int
    state: str


class Outbox(Protocol):
    def put(self, rows: Sequence[OutboxRow]) -> None: ...
    def claim(self, channel: str, now_ms: int, until_ms: int, most: int) -> Sequence[OutboxRow]:
        """Take rows that are due; until a time nobody else takes them. They are returned as they were before."""
        ...

    def is_due(self, channel: str, now_ms: int) -> bool: ...
    def remove(self, identifiers: Sequence[str]) -> None: ...
    def put_off(self, rows: Sequence[PutOff]) -> None:
        """Give claimed rows back, unless somebody else has claimed them since."""
        ...

    def forget_before(self, channel: str, due_ms: int) -> None:
        """Delete what was given up before a time."""
        ...

    def revive(self, now_ms: int) -> int: ...
    def counts(self) -> Mapping[tuple[str, str], int]:
        """Return how many rows there are by channel and state."""
        ...

    def waiting_since(self) -> int | None: ...
    def listing(self, most: int) -> Sequence[OutboxRow]: ...
