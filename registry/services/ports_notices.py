"""What services need of a database for notices: rows as frozen values, and the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.domain.ids import EventId, HoldId, PrincipalId

# Notices in the outbox: still to be sent, held back for a time, or given up until somebody looks.
WAITING = "waiting"
HELD = "held"
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
        state: ``waiting``, ``held`` or ``dead``.
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
    """A claimed notice that was not sent: when it is due again, its state, and since when it counts as tried."""

    row: OutboxRow
    due_ms: int
    state: str
    queued_ms: int


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

    def release_held(self, now_ms: int) -> None:
        """Let what is held back be looked at again now."""
        ...

    def revive(self, now_ms: int) -> int: ...
    def counts(self) -> Mapping[tuple[str, str], int]:
        """Return how many rows there are by channel and state."""
        ...

    def waiting_since(self) -> int | None: ...
    def listing(self, most: int) -> Sequence[OutboxRow]: ...


@dataclass(frozen=True, slots=True)
class MarkRow:
    """How far something that is done again and again has come.

    Attributes:
        name: what is done.
        day: counted from 1970 (UTC); of the last time.
        through: everything before it is done: an index of the ledger, or milliseconds.
    """

    name: str
    day: int
    through: int


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold on notices to a subject. Whom it is about and why is in its entry alone.

    Attributes:
        id, principal: the hold, and who placed it.
        entry: index of its entry.
        state: ``pending``, ``confirmed``, ``refused`` or ``ended``.
        created_at, until: milliseconds; it ends by itself.
        settled_by, settled_at: who changed its state last, and when.
        confirmed_by, confirmed_at: on whose word it was in force, and since when; None when it never was.
    """

    id: HoldId
    principal: PrincipalId
    entry: int
    state: str
    created_at: int
    until: int
    settled_by: PrincipalId | None = None
    settled_at: int | None = None
    confirmed_by: PrincipalId | None = None
    confirmed_at: int | None = None


class NoticeMarks(Protocol):
    def get(self, name: str) -> MarkRow | None: ...
    def put(self, row: MarkRow) -> None: ...


class Holds(Protocol):
    def get(self, hold: HoldId) -> HoldRow | None: ...
    def lock(self, hold: HoldId) -> HoldRow | None:
        """Hold a row until the end of the transaction, and return it as it is now."""
        ...

    def newest(self, limit: int, principal: PrincipalId | None = None) -> Sequence[HoldRow]:
        """Return the newest, of everybody or of who placed them, newest first."""
        ...

    def in_force(self, now_ms: int) -> Sequence[HoldRow]:
        """Return those that are confirmed and not over; one that somebody else wrote or changed is none."""
        ...

    def in_force_since(self, time_ms: int) -> Sequence[HoldRow]:
        """Return those that were in force at a time or later, or are."""
        ...

    def listing(self) -> Sequence[HoldRow]:
        """Return every hold."""
        ...

    def insert(self, row: HoldRow) -> None: ...
    def settle(self, row: HoldRow) -> None: ...
