"""What becomes of a trace after it ran: notes, replies of those whose copies it speaks of, and how its case stands.

Each is sealed under the trace's own key and is an entry, which commits to the sealed bytes. Nothing is changed later:
how a case stands follows from its parts, and the trace's report stays what it was, with the replies beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt, Receipt
from registry.domain.case_states import NEXT, CaseState, PartKind, ReplyBy, state_after
from registry.domain.clock import from_unix_ms
from registry.domain.errors import Conflict, EnvelopeRejected, NotFound
from registry.domain.ids import RecordId, TraceId
from registry.domain.principals import Principal
from registry.leaktrace.evidence_items import LaterSighting
from registry.leaktrace.report_shapes import Reply
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.match import INVESTIGATORS
from registry.services.ports import Work
from registry.services.ports_cases import CasePartRow, TraceRow
from registry.services.rerun import rerun_once
from registry.transparency.fields import RecordLine
from registry.transparency.leaf import COMMITMENT_BYTES
from registry.vault.cases import CATEGORY, FIRST_ADDED, CaseVault, SealedCase, part_digest

MOST_PARTS = 500
_SEEN_LATER = frozenset({PartKind.SIGHTING, PartKind.CONTINUED})
_WHILE_OPEN = frozenset({PartKind.NOTE, *_SEEN_LATER})


@dataclass(frozen=True, slots=True)
class CasePart:
    """One part of a case, opened.

    Attributes:
        part: its number; they count on from 3.
        kind: note, reply, or the state that was set.
        at: milliseconds.
        account: label of the account whose holder replied; "" otherwise.
        by: who replied; None of what is no reply.
        text: the note, the reply in their words, why the state was set, or what followed from a later sighting.
        sighting: what was seen later, where it is that.
        content: its text.
    """

    part: int
    kind: PartKind
    at: int
    account: str
    text: str = field(repr=False)
    sighting: LaterSighting | None = None
    content: str = field(default="", repr=False)
    by: ReplyBy | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What was added to a case, and how it stands from then on."""

    part: int
    state: CaseState
    receipt: ReceiptView = field(repr=False)


@dataclass(frozen=True, slots=True)
class AddedPart:
    """What was added to a case in a transaction that has not ended yet."""

    part: int
    state: CaseState
    pending: PendingReceipt = field(repr=False)


@dataclass(frozen=True, slots=True)
class Onward:
    """That a case goes on in another trace: which case, what was seen, and the text of it."""

    trace: TraceId
    seen: LaterSighting
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _New:
    kind: PartKind
    text: str = field(repr=False)
    account: str = ""
    more: Mapping[str, str | int] = field(default_factory=dict, repr=False)


class CaseFile:
    """Adds to cases, and opens what was added."""

    def __init__(self, kernel: Kernel, cases: CaseVault) -> None:
        self._kernel = kernel
        self._cases = cases

    def note(self, caller: Caller, trace: TraceId, text: str) -> Added:
        """Add a note to the caller's own trace.

        Raises:
            AccessDenied: the caller is no investigator; the refusal is an entry.
            NotFound: unknown, or somebody else's.
            Conflict: ``closed``: the case is; ``too_many``: it has as many parts as a case may have.
        """
        return self._add(caller, trace, _New(PartKind.NOTE, text))

    def reply(
        self, caller: Caller, trace: TraceId, account: str, text: str, by: ReplyBy = ReplyBy.ACCOUNT_HOLDER
    ) -> Added:
        """Record what somebody said of the report; it is printed there, whatever the state is.

        Raises:
            As ``note``, but for ``closed``.
        """
        return self._add(caller, trace, _New(PartKind.REPLY, text, account, more={"by": by.value}))

    def set_state(self, caller: Caller, trace: TraceId, state: CaseState, reason: str) -> Added:
        """Say how the case stands from now on, and why.

        Raises:
            As ``note``; ``closed`` or ``exists`` where this state does not follow from the present one.
        """
        return self._add(caller, trace, _New(PartKind(state), reason))

    def sighting(self, caller: Caller, trace: TraceId, seen: LaterSighting, content: str) -> Added:
        """Record what was seen later, where nothing followed from it.

        Raises:
            As ``note``.
        """
        return self._add(caller, trace, _seen(PartKind.SIGHTING, seen, content))

    def go_on(self, work: Work, principal: Principal, onward: Onward) -> AddedPart:
        """Record in the transaction that stores the other trace that a case goes on there: of two at once, one does.

        Raises:
            As ``note``; the transaction has ended then, with the refusal as its only entry.
        """
        return self._added(work, principal, onward.trace, _seen(PartKind.CONTINUED, onward.seen, onward.content))

    @rerun_once
    def _add(self, caller: Caller, trace: TraceId, new: _New) -> Added:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & INVESTIGATORS:
                self._kernel.deny(work, principal, _told(new))
            added = self._added(work, principal, trace, new)
            work.commit()
        return self.mint(added)

    def mint(self, added: AddedPart) -> Added:
        """Return what was added, once its transaction was committed."""
        return Added(added.part, added.state, view_of(self._kernel.mint_one(added.pending)))

    def _added(self, work: Work, principal: Principal, trace: TraceId, new: _New) -> AddedPart:
        row = work.traces.get(trace)
        is_own = row is not None and row.principal == principal.id
        parts = work.traces.parts_of([trace]) if is_own else ()
        why = refused(new.kind, parts) if is_own else "not_found"
        values = said_by(principal) | {"request": trace if is_own else ""}
        if row is None or why:
            draft = EntryDraft(Kind.AUDIT_READ, values | {"result": f"refused {why}", "detail": _told(new)})
            self._kernel.note_refusal(work, principal, draft)
            raise NotFound if why == "not_found" else Conflict(why)
        part, pending = self._insert(work, row, parts, (new, values))
        return AddedPart(part, state_after([*(one.kind for one in parts), new.kind]), pending)

    def _insert(
        self, work: Work, row: TraceRow, parts: Sequence[CasePartRow], what: tuple[_New, dict[str, str]]
    ) -> tuple[int, PendingReceipt]:
        new, values = what
        part, at = FIRST_ADDED + len(parts), self._kernel.now_ms()
        # Kind and time are sealed too: a row whose other columns were changed does not agree with what it holds.
        content = orjson.dumps({"kind": new.kind, "at": at, "account": new.account, "text": new.text, **new.more})
        sealed = self._cases.seal_part(row.case, part, content)
        told = {"result": f"{new.kind} part {part}", "detail": f"sealed {part_digest(sealed).hex()}"}
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.TRACE, values | told)])
        work.traces.insert_part(CasePartRow(row.id, part, new.kind, at, sealed, pending.index))
        return part, pending

    def opened(self, case: SealedCase, rows: Sequence[CasePartRow], receipt: Receipt) -> tuple[CasePart, ...]:
        """Open all parts of a case, in order, under a receipt that names them.

        Raises:
            EnvelopeRejected: a row was changed or moved, or one before the last is missing.
        """
        if [row.part for row in rows] != list(range(FIRST_ADDED, FIRST_ADDED + len(rows))):
            raise EnvelopeRejected("a part of a case is missing")
        return tuple(self._opened(case, row, receipt) for row in rows)

    def _opened(self, case: SealedCase, row: CasePartRow, receipt: Receipt) -> CasePart:
        told = orjson.loads(self._cases.open_part(case, row.part, row.sealed, receipt))
        if (told["kind"], told["at"]) != (row.kind, row.created_at):
            raise EnvelopeRejected("a part of a case is not what its row says")
        kind, at, text = PartKind(told["kind"]), told["at"], told["text"]
        if kind not in _SEEN_LATER:
            # Of replies that were recorded before it was asked who replies, all are an account's.
            by = ReplyBy(told.get("by", ReplyBy.ACCOUNT_HOLDER)) if kind is PartKind.REPLY else None
            return CasePart(row.part, kind, at, told["account"], text, by=by)
        seen = LaterSighting(from_unix_ms(at), text, told["again"], told["fresh"], told["continued_by"])
        return CasePart(row.part, kind, at, "", text, seen, told["content"])


def _told(new: _New) -> str:
    return f"case {new.kind}"


def _seen(kind: PartKind, seen: LaterSighting, content: str) -> _New:
    more: dict[str, str | int] = {"again": seen.again, "fresh": seen.fresh, "continued_by": seen.continued_by}
    return _New(kind, seen.said, more=more | {"content": content})


def part_lines(rows: Iterable[CasePartRow]) -> tuple[RecordLine, ...]:
    """Write parts as an entry names them."""
    return tuple(
        RecordLine(RecordId(row.trace), CATEGORY, row.part, part_digest(row.sealed), bytes(COMMITMENT_BYTES))
        for row in rows
    )


def replies_of(parts: Iterable[CasePart]) -> tuple[Reply, ...]:
    """Return replies as a report prints them."""
    return tuple(Reply(one.account, from_unix_ms(one.at), one.text, one.by) for one in parts if one.by is not None)


def sightings_of(parts: Iterable[CasePart]) -> tuple[LaterSighting, ...]:
    """Return what was seen later as a report prints it."""
    return tuple(one.sighting for one in parts if one.sighting is not None)


def refused(kind: PartKind, parts: Sequence[CasePartRow | CasePart]) -> str:
    """Return why a part of a kind cannot be added behind these, a code of ``Conflict``; "" when it can."""
    state = state_after(one.kind for one in parts)
    if len(parts) >= MOST_PARTS:
        return "too_many"
    if kind is PartKind.REPLY:
        return ""
    if kind in _SEEN_LATER and PartKind.CONTINUED in {one.kind for one in parts}:
        return "closed"  # for good: what is added to a case goes where it went on
    if kind in _WHILE_OPEN:
        return "closed" if state is CaseState.CLOSED else ""
    if CaseState(kind) is state:
        return "exists"
    return "" if CaseState(kind) in NEXT[state] else "closed"
