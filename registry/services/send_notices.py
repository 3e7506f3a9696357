"""Sending what waits in the outbox: each notice at least once, with the same id every time.

Each way out has a sender of its own, so that one that hangs holds up no other. A sender claims rows for a while, sends
them outside of any transaction and takes out what was taken. A process that is killed in between leaves them claimed;
when the claim is over, another one sends them again.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from registry.domain.errors import EnvelopeRejected
from registry.domain.ids import SubjectId
from registry.services.former_mailbox import contact_of
from registry.services.holds_in_force import in_force
from registry.services.kernel import Kernel
from registry.services.meters import Meters
from registry.services.notices import LookUps, NoticeKind
from registry.services.ports_notices import DEAD, HELD, WAITING, OutboxRow, PutOff
from registry.services.rerun import rerun_once
from registry.vault.petitions import SealedPetition

LEASE_MS = 300_000
# Nothing more is begun when less than this is left of a claim: what one attempt takes at most, and more.
_LEAST_LEFT_MS = 120_000
# So many are sent again, at most, after a kill.
_AT_ONCE = 32
_FIRST_WAIT_MS = 5_000
_LONGEST_WAIT_MS = 3_600_000
_LONGEST_REST_MS = 300_000
# Long enough for a weekend on which nobody looks.
GIVE_UP_MS = 3 * 86_400_000
# What tells a subject of other people's doings. The answer to what they asked for themselves is held back by nothing.
_HOLDABLE = frozenset({NoticeKind.DIGEST, NoticeKind.BREAK_GLASS})
# What a letter may say, and whom it may be for, as far as this version knows.
_MEMBERS = frozenset({"counts", "entries", "mailbox"})
_RECIPIENT = re.compile(r"(?:principal|subject):[0-9a-f]{32}|role:[a-z_]+")
# What was given up waits for somebody to look, not for ever.
KEEP_DEAD_MS = 90 * 86_400_000


class UndeliveredError(Exception):
    """Whoever was to take a notice did not; the text says why and holds nothing that was received."""


class NobodyError(UndeliveredError):
    """Whom it is for cannot be reached this way, now or later."""


class UnreachableError(UndeliveredError):
    """Nobody was there to take any notice: the others need not be tried now."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice as it is sent: ids, words and numbers only.

    ``index``: of its entry, the first of ``entries`` when it speaks of several; ``at_ms``: when it was queued;
    ``mailbox``: the former contact, sealed, where that one is told and not the one of now.
    """

    id: str
    kind: NoticeKind
    at_ms: int
    index: int
    to: str
    about: str
    counts: tuple[LookUps, ...] = ()
    entries: tuple[int, ...] = ()
    mailbox: SealedPetition | None = None


class Line(Protocol):
    """A way out while it is in use."""

    def send(self, letter: Letter) -> None:
        """Hand a letter over; returns when it was taken.

        Raises:
            UndeliveredError: it was not, as far as can be told.
            UnreachableError: nor would be any other.
            NobodyError: nor will it be.
        """
        ...


class Transport(Protocol):
    """One way out."""

    @property
    def name(self) -> str: ...
    def problem(self) -> str | None:
        """Return what is wrong with it as far as can be told without sending."""
        ...

    def opened(self) -> AbstractContextManager[Line]:
        """Use it for some letters; connects with the first one."""
        ...


@dataclass(frozen=True, slots=True)
class SentCount:
    """What became of some rounds."""

    sent: int = 0
    failed: int = 0

    def __add__(self, other: SentCount) -> SentCount:
        return SentCount(self.sent + other.sent, self.failed + other.failed)


@dataclass(slots=True)
class _Round:
    """What became of the rows of one claim."""

    sent: list[str] = field(default_factory=list)
    nobodys: list[str] = field(default_factory=list)
    failed: list[PutOff] = field(default_factory=list)
    untried: list[PutOff] = field(default_factory=list)


class Sender:
    """Sends by one way out. For one thread at a time."""

    def __init__(self, kernel: Kernel, transport: Transport, meters: Meters) -> None:
        self._kernel = kernel
        self._transport = transport
        self._meters = meters
        self._rest_ms = 0
        self._rests_until = 0

    @property
    def name(self) -> str:
        """Name of the way out."""
        return self._transport.name

    def problem(self) -> str | None:
        """Return what is wrong with the way out as far as can be told without sending."""
        return self._transport.problem()

    def send_due(self, is_ended: Callable[[], bool] = lambda: False) -> SentCount:
        """Send what is due, until nothing is, nobody is there to take it, or the caller says that it is to end.

        Raises:
            AuditUnavailable: the database does not take a change; what was sent is sent again later.
        """
        count = SentCount()
        while not is_ended() and self._kernel.now_ms() >= self._rests_until:
            until_ms = self._kernel.now_ms() + LEASE_MS
            rows = self._claim(until_ms)
            if not rows:
                break
            done = self._try(rows, until_ms - _LEAST_LEFT_MS, is_ended)
            self._settle(done)
            count += SentCount(len(done.sent), len(done.failed))
            self._meters.noticed(self.name, "sent", len(done.sent))
            self._meters.noticed(self.name, "failed", len(done.failed))
            self._meters.noticed(self.name, "nobody", len(done.nobodys))
        return count

    @rerun_once
    def _claim(self, until_ms: int) -> Sequence[OutboxRow]:
        now_ms = self._kernel.now_ms()
        # Looked at first without the turn of a writer: mostly there is nothing.
        with self._kernel.database.read() as work:
            if not work.outbox.is_due(self.name, now_ms):
                return ()
        with self._kernel.database.write() as work:
            rows = work.outbox.claim(self.name, now_ms, until_ms, _AT_ONCE)
            work.commit()
        return rows

    def _try(self, rows: Sequence[OutboxRow], until_ms: int, is_ended: Callable[[], bool]) -> _Round:
        done, is_down = _Round(), False
        letters = {row.id: letter_of(self._kernel, row) for row in rows}
        held = self._held(letters.values())
        with self._transport.opened() as line:
            for row in rows:
                now_ms, letter = self._kernel.now_ms(), letters[row.id]
                if is_down or is_ended() or now_ms > until_ms:
                    done.untried.append(PutOff(row, max(now_ms, self._rests_until), WAITING, row.queued_at))
                    continue
                if letter is None:  # somebody changed it, or a newer version of this program wrote it
                    done.failed.append(PutOff(row, now_ms, DEAD, row.queued_at))
                    continue
                if letter.id in held:
                    done.untried.append(PutOff(row, held[letter.id], HELD, held[letter.id]))
                    continue
                try:
                    line.send(letter)
                except NobodyError:
                    done.nobodys.append(row.id)
                except UndeliveredError as failure:
                    is_down = isinstance(failure, UnreachableError)
                    self._rest_ms = self._longer_rest() if is_down else 0
                    self._rests_until = self._kernel.now_ms() + self._rest_ms
                    done.failed.append(self._after(row))
                else:
                    self._rest_ms = 0
                    done.sent.append(row.id)
        return done

    def _held(self, letters: Iterable[Letter | None]) -> Mapping[str, int]:
        """Return which of some letters are held back, and until when: a hold may be younger than what it holds."""
        mine = [letter for letter in letters if letter is not None and letter.kind in _HOLDABLE and letter.about]
        if not mine:
            return {}
        with self._kernel.database.read() as work:
            holds = in_force(self._kernel, work)
        found = {one.id: holds.until(SubjectId(one.about), [told.purpose for told in one.counts]) for one in mine}
        return {identifier: until for identifier, until in found.items() if until}

    @rerun_once
    def _settle(self, done: _Round) -> None:
        with self._kernel.database.write() as work:
            work.outbox.remove([*done.sent, *done.nobodys])
            work.outbox.put_off([*done.failed, *done.untried])
            work.outbox.forget_before(self.name, self._kernel.now_ms() - KEEP_DEAD_MS)
            work.commit()

    def _longer_rest(self) -> int:
        # Nobody there: asked again after a while that grows, by this process; any answer ends that.
        return min(max(_FIRST_WAIT_MS, 2 * self._rest_ms), _LONGEST_REST_MS)

    def _after(self, row: OutboxRow) -> PutOff:
        now_ms = self._kernel.now_ms()
        state = DEAD if now_ms - row.queued_at >= GIVE_UP_MS else WAITING
        return PutOff(row, now_ms + wait_ms(row.attempts), state, row.queued_at)


class SendNotices:
    """Sends what is due by every way out, and tells what waits."""

    def __init__(self, kernel: Kernel, transports: Sequence[Transport], meters: Meters) -> None:
        self._kernel = kernel
        self.senders = tuple(Sender(kernel, transport, meters) for transport in transports)

    def send_due(self) -> SentCount:
        """Send what is due, one way out after the other. Raises as ``Sender.send_due``."""
        return sum((sender.send_due() for sender in self.senders), SentCount())

    def counts(self) -> Mapping[tuple[str, str], int]:
        """Return how many notices there are, by way out and state."""
        with self._kernel.database.read() as work:
            return work.outbox.counts()

    def oldest_ms(self) -> int:
        """Return for how many milliseconds the oldest notice waits; 0 when none does."""
        with self._kernel.database.read() as work:
            since = work.outbox.waiting_since()
        return 0 if since is None else max(0, self._kernel.now_ms() - since)

    def listing(self, most: int) -> Sequence[tuple[OutboxRow, Letter | None]]:
        """Return what is in the outbox, soonest first; None for a row that somebody else changed."""
        with self._kernel.database.read() as work:
            rows = work.outbox.listing(most)
        return [(row, letter_of(self._kernel, row)) for row in rows]

    @rerun_once
    def revive(self) -> int:
        """Let what was given up be tried again, as if it were new; returns how many."""
        with self._kernel.database.write() as work:
            revived = work.outbox.revive(self._kernel.now_ms())
            work.commit()
        return revived


def letter_of(kernel: Kernel, row: OutboxRow) -> Letter | None:
    """Return what a row says; None when it is not as this program wrote it, or of a kind that it does not know."""
    try:
        kind, at_ms, to, about, text = kernel.outlets.seal.open(row.id, row.event, row.sealed).decode().split(" ", 4)
        said = json.loads(text)
        told = said if isinstance(said, dict) else {"counts": said, "entries": ()}
        if not told.keys() <= _MEMBERS or not _RECIPIENT.fullmatch(to):
            return None  # a newer version says more of whom it is for than this one understands
        head = (row.id, NoticeKind(kind), int(at_ms), row.index, to, about)
        if "mailbox" in told:
            return Letter(*head, mailbox=contact_of(told["mailbox"]))
        return Letter(*head, tuple(LookUps(*one) for one in told["counts"]), tuple(told["entries"]))
    except (EnvelopeRejected, ValueError, TypeError, KeyError):
        return None


def wait_ms(attempts: int) -> int:
    """Return how long to wait after so many attempts before: twice as long each time, and not all at the same time."""
    longest = min(_FIRST_WAIT_MS << min(attempts, 20), _LONGEST_WAIT_MS)
    return longest // 2 + secrets.randbelow(longest // 2 + 1)
