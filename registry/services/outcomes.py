"""What became of released cards: that an answer was handed over, how long it was, and a keyed tag of its bytes.

The entry of a lookup is written before anything is opened, so it cannot say what was sent. What was is told afterwards,
of all that a process handed over together, in one transaction a second at most. A lookup that no such entry follows
was permitted and may never have left: the process ended, or whoever asked went away.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.ports import EntryReader
from registry.domain.errors import NotFound
from registry.services.disclose import Disclosed
from registry.services.kernel import Kernel
from registry.services.principals import at_keyboard
from registry.services.rerun import rerun_once
from registry.transparency.leaf import claims_of

# Answers that one entry tells of, and entries of one transaction: others wait for it a moment.
MOST_TOLD, AT_ONCE = 500, 4
# Answers that wait to be told of while the ledger takes nothing; then lookups are not answered either.
MOST_KEPT = 20_000
# In these steps a length is told: to the byte it would say how long the values are.
STEP = 64
# So long behind a lookup what became of it is looked for, so many entries at a time: a process that the ledger takes
# nothing from tells much later, and others may have entered any number meanwhile.
_LATEST_MS = 86_400_000
_AT_A_TIME = 20_000
HANDED_OVER = "handed over"
_RELEASED = "registry.released"


@dataclass(frozen=True, slots=True)
class Released:
    """An answer with values: the entry of its lookup, what that entry alone knows, and the bytes."""

    entry: int
    salt: bytes = field(repr=False)
    answer: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry says became of a lookup: its index, the answer's length in whole steps, and its tag."""

    entry: int
    size: int
    tag: str


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a lookup.

    Attributes:
        told: what an entry says of it; None where none does.
        is_answer: whether the bytes shown are the answer; None where none were shown, or nothing tells any more.
    """

    told: Told | None
    is_answer: bool | None


def releases(scope: MutableMapping[str, Any], card: Disclosed, answer: bytes) -> None:
    """Note on a request that its answer has values, for whoever hands it over."""
    scope.setdefault(_RELEASED, []).append(Released(card.receipt.index, card.salt, answer))


def released_by(scope: MutableMapping[str, Any]) -> Sequence[Released]:
    """Return what ``releases`` noted."""
    found: Sequence[Released] = scope.get(_RELEASED, ())
    return found


class Outcomes:
    """Tells the ledger what a process handed over. Safe to use from any thread."""

    def __init__(self, kernel: Kernel, *, is_told: bool) -> None:
        """Take whether it is told: in production."""
        self._kernel = kernel
        self.is_told = is_told
        self._waiting: deque[str] = deque(maxlen=MOST_KEPT)
        self._turn = threading.Lock()

    def handed_over(self, released: Sequence[Released]) -> None:
        """Take note of answers that were handed over. Does not wait."""
        if self.is_told:
            self._waiting.extend(self._line(one.entry, one.salt, one.answer) for one in released)

    def flush(self) -> None:
        """Enter what was handed over since; called once a second.

        Raises:
            AuditUnavailable, KeyUnavailable, LedgerCorrupt: the ledger takes no entry; ``MOST_KEPT`` answers wait on.
        """
        with self._turn:
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOLD * AT_ONCE))]
                try:
                    self._write([_draft(part) for part in _parted(taken)])
                except BaseException:  # whatever it was, they may be told of later
                    self._waiting.extendleft(reversed(taken))
                    raise

    def told_of(self, reader: EntryReader, entry: int) -> Told | None:
        """Return what an entry says became of a lookup; None where none does."""
        size, latest_ms = reader.head().size, 0
        for start in range(entry, size, _AT_A_TIME):
            told_ms = _told_at(reader, start)
            latest_ms = latest_ms or told_ms + _LATEST_MS
            if told_ms > latest_ms:
                break
            tells = [index for index, _ in reader.leaves_of(Kind.OUTCOME, start, min(start + _AT_A_TIME, size))]
            openings = ((row.index, self._kernel.log.opening(row)) for row in reader.entries(tells))
            told = (_told_in(index, one.values, entry) for index, one in openings if one is not None)
            if (found := next(filter(None, told), None)) is not None:
                return found
        return None

    def is_answer(self, told: Told, released: Released) -> bool:
        """Tell whether these bytes are the answer that was handed over."""
        return f"{released.entry} {told.size} {told.tag}" == self._line(released.entry, released.salt, released.answer)

    def ask(self, entry: int, answer: bytes | None, *, operator: str) -> Became:
        """Tell what became of a lookup, for the machine's own command line; the question is an entry first.

        Args:
            entry: index of the lookup's entry.
            answer: what somebody says was answered; None to ask only whether anything was.
            operator: who asks.

        Raises:
            NotFound: the ledger is not as long.
        """
        self._say(entry, operator)
        with self._kernel.database.reader() as reader:
            told = self.told_of(reader, entry)
            rows = reader.entries([entry])
            if not rows:
                raise NotFound
            opening = self._kernel.log.opening(rows[0])
        if told is None or answer is None or opening is None:
            return Became(told, None)
        salt = bytes.fromhex(opening.values["detail"].rpartition(" ")[2])
        return Became(told, self.is_answer(told, Released(entry, salt, answer)))

    @rerun_once
    def _say(self, entry: int, operator: str) -> None:
        said = said_by(at_keyboard(operator)) | {"request": f"entry {entry}", "detail": "what became of a lookup"}
        with self._kernel.database.write() as work:
            self._kernel.log.append(work.ledger, [EntryDraft(Kind.AUDIT_READ, said)])
            work.commit()

    def _line(self, entry: int, salt: bytes, answer: bytes) -> str:
        tag = self._kernel.log.answer_tag(entry, salt + answer)
        return f"{entry} {-(-len(answer) // STEP) * STEP} {tag}"

    @rerun_once
    def _write(self, drafts: list[EntryDraft]) -> None:
        with self._kernel.database.write() as work:
            self._kernel.log.append(work.ledger, drafts)
            work.commit()


def _told_at(reader: EntryReader, entry: int) -> int:
    rows = reader.entries([entry])
    return claims_of(rows[0].leaf)[0] if rows else 0


def entries_told_of(values: Mapping[str, str]) -> frozenset[int]:
    """Return the lookups of which an outcome says that their answers were handed over; none for any other outcome."""
    return frozenset(int(about) for about, _, _ in _lines_of(values))


def _lines_of(values: Mapping[str, str]) -> Iterator[list[str]]:
    if values["result"].startswith(HANDED_OVER):
        yield from (line.split(" ") for line in values["detail"].split("; "))


def _told_in(index: int, values: Mapping[str, str], entry: int) -> Told | None:
    """Return what one entry says became of a lookup; None where it does not speak of it."""
    return next((Told(index, int(size), tag) for about, size, tag in _lines_of(values) if int(about) == entry), None)


def _parted(lines: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(lines)
    while part := list(islice(rest, MOST_TOLD)):
        yield part


def _draft(lines: Sequence[str]) -> EntryDraft:
    return EntryDraft(Kind.OUTCOME, {"result": f"{HANDED_OVER} {len(lines)}", "detail": "; ".join(lines)})
