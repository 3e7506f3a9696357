"""Holds: notices to a subject are kept back for a time, because an agency asked for it.

Placed by one person, confirmed by another before anything is kept back, ended by its time or before. Each step is an
entry, about nobody's chain: the subject's own accounting must not tell them that something is kept from them. A hold
may follow another one, within bounds that are told to whoever confirms it (``hold_history``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.errors import AccessDenied, Conflict, LedgerCorrupt, NotFound
from registry.domain.holds import REVIEW_MS, HoldState, Span, Statement, until_ms
from registry.domain.ids import HoldId, SubjectId, new_id
from registry.domain.principals import Principal, Role
from registry.domain.purposes import PurposeCode
from registry.policy.decide import CONFLICT_OF_INTEREST
from registry.services.facts_relations import is_close
from registry.services.hold_history import RENEWS, Renewal, earlier_holds, on_the_word_of, renewal_of, too_long
from registry.services.holds_in_force import LEGAL, Held, said_of
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.notices import Notice, NoticeKind, ToRole, queue
from registry.services.ports import ACTIVE, PrincipalRow, SubjectRow, Work
from registry.services.ports_notices import HoldRow
from registry.services.rerun import rerun_once
from registry.transparency.leaf import parse_leaf

PLACERS = frozenset({Role.INVESTIGATOR})
REVIEWERS = frozenset({Role.APPROVER})
WATCHERS = frozenset({Role.APPROVER, Role.AUDITOR})
ENDERS = PLACERS | WATCHERS
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class HoldAsk:
    """What is to be held back, for how long and why.

    Attributes:
        subject, number_tag: whose notices; the tag of the employee number when no subject is named.
        purposes: of lookups that are not told; none means all.
        days: how long, from now on.
        statement, asked_by: how and by whom it was asked for.
        reason, case: why, and a reference.
        is_legal: nothing is held back; only nothing of the subject is erased or pruned.
    """

    subject: SubjectId | None
    number_tag: bytes | None
    purposes: frozenset[PurposeCode]
    days: int
    statement: Statement
    asked_by: str = field(repr=False)
    reason: str = field(repr=False)
    case: str = field(default="", repr=False)
    is_legal: bool = False


@dataclass(frozen=True, slots=True)
class HoldView:
    """One hold as it is listed: by whom and until when, nothing of whom it is about."""

    row: HoldRow
    state: HoldState
    placed_by: str


@dataclass(frozen=True, slots=True)
class HoldDetail:
    """One hold with what its entry says.

    ``renewal``: the holds before it, for whoever reviews or audits; None when there is none, and for who placed it.
    """

    view: HoldView
    held: Held
    renewal: Renewal | None
    statement: str
    asked_by: str = field(repr=False)
    reason: str = field(repr=False)
    case: str = field(repr=False)
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class HoldWord:
    """What somebody says of a hold: ``confirmed``, ``refused`` or ``ended``."""

    hold: HoldId
    state: HoldState
    note: str = field(default="", repr=False)


class Holds:
    """Places, shows and settles holds."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @rerun_once
    def place(self, caller: Caller, ask: HoldAsk) -> tuple[HoldView, ReceiptView]:
        """Ask that notices be held back; nothing is before somebody else has confirmed it.

        Raises:
            AccessDenied: the caller is no investigator, or it is about themselves or somebody close.
            NotFound: there is no such subject.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & PLACERS:
                self._kernel.deny(work, principal, "hold")
            subject = _subject(work, ask)
            if subject is None:
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.HOLD, {"result": "refused not_found"}))
                raise NotFound
            if is_close(self._kernel, work, principal, [subject]):
                self._refuse_own(work, principal, "hold")
            now = self._kernel.now_ms()
            identifier, until = HoldId(new_id()), until_ms(now, ask.days)
            values = said_by(principal) | {
                "request": subject.id,
                "purpose": " ".join(sorted(ask.purposes)),
                "case": ask.case,
                "note": ask.reason,
                "result": HoldState.PENDING.value,
                "form": LEGAL if ask.is_legal else "",
                "detail": f"hold {identifier} until {until} {ask.statement.value} {ask.asked_by}",
            }
            draft = EntryDraft(Kind.HOLD, values)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            row = HoldRow(identifier, principal.id, pending.index, HoldState.PENDING.value, now, until)
            work.holds.insert(row)
            asked = Notice(NoticeKind.HOLD_WANTED, ToRole(Role.APPROVER), None, draft.event)
            queue(work, self._kernel, [asked])
            work.commit()
        return HoldView(row, HoldState.PENDING, principal.name), view_of(self._kernel.mint_one(pending))

    def listing(self, caller: Caller) -> Sequence[HoldView]:
        """List the newest holds: everybody's to who reviews and audits, their own to who places them.

        Raises:
            AccessDenied: the caller does none of that.
        """
        principal = self._kernel.note_read(caller, ENDERS, "holds")
        of = None if principal.roles & WATCHERS else principal.id
        with self._kernel.database.read() as work:
            return self._views(work, work.holds.newest(MOST_LISTED, of))

    @rerun_once
    def get(self, caller: Caller, hold: HoldId) -> HoldDetail:
        """Show whom a hold is about and why.

        Raises:
            AccessDenied: the caller may not list it either.
            NotFound: there is none, it is somebody else's, or it is about the caller or somebody close.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ENDERS:
                self._kernel.deny(work, principal, "hold")
            draft = EntryDraft(Kind.AUDIT_READ, said_by(principal) | {"detail": f"hold {hold}"})
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        receipt = view_of(self._kernel.mint_one(pending))
        with self._kernel.database.read() as work:
            row = work.holds.get(hold)
            if row is None or not (principal.roles & WATCHERS or row.principal == principal.id):
                raise NotFound
            held, values = self._said(work, row)
            if is_close(self._kernel, work, principal, work.subjects.by_ids([held.subject]).values()):
                raise NotFound
            (view,) = self._views(work, [row])
            renewal = self._renewal(work, row, held) if principal.roles & WATCHERS else None
        statement, _, asked_by = values["detail"].split(" ", 4)[4].partition(" ")
        return HoldDetail(view, held, renewal, statement, asked_by, values["note"], values["case"], receipt)

    @rerun_once
    def settle(self, caller: Caller, word: HoldWord) -> tuple[HoldView, ReceiptView]:
        """Confirm, refuse or end a hold; what was held back goes out when it ends.

        Raises:
            AccessDenied: the caller may not; or they review their own, or it is about themselves or somebody close.
            NotFound: there is none, or it is somebody else's.
            Conflict: ``decided``: it is settled; ``expired``: its time, or that of its review, is over; ``renewal``: it
                renews others, so that the note says why; ``held_too_long``: this subject's notices were kept back long
                enough; ``another_approver``: long enough on the word of who confirms it.
        """
        roles = ENDERS if word.state is HoldState.ENDED else REVIEWERS
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & roles:
                self._kernel.deny(work, principal, f"hold {word.state.value}")
            row = work.holds.get(word.hold)
            if row is None or not (principal.roles & WATCHERS or row.principal == principal.id):
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.HOLD, {"result": "refused not_found"}))
                raise NotFound
            row, held = self._locked(work, row)
            self._demand_other(work, principal, row, word)
            is_withholding = word.state is HoldState.CONFIRMED and not held.is_legal
            renewal = self._renewal(work, row, held) if is_withholding else None
            why = _over(row, word, self._kernel.now_ms())
            if why := why or (self._withheld(principal, row, word, renewal) if is_withholding else ""):
                values = {"result": f"refused {why}", "detail": f"{word.state.value} hold {row.id}"}
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.HOLD, values))
                raise Conflict(why)
            row = self._settled(principal, row, word)
            work.holds.settle(row)
            values = said_by(principal) | {
                "result": word.state.value,
                "note": word.note,
                "detail": f"hold {row.id} of entry {row.entry}" + ("" if renewal is None else renewal.said),
            }
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.HOLD, values)])
            if word.state is HoldState.ENDED:
                work.outbox.release_held(self._kernel.now_ms())
            work.commit()
        receipt = view_of(self._kernel.mint_one(pending))
        with self._kernel.database.read() as work:
            (view,) = self._views(work, [row])
        return view, receipt

    def _locked(self, work: Work, row: HoldRow) -> tuple[HoldRow, Held]:
        """Hold a hold's row after its subject's: no two holds on one subject come into force without a look at both."""
        held, _ = self._said(work, row)
        work.subjects.lock([held.subject])
        return work.holds.lock(row.id) or row, held

    def _settled(self, principal: Principal, row: HoldRow, word: HoldWord) -> HoldRow:
        now = self._kernel.now_ms()
        row = replace(row, state=word.state.value, settled_by=principal.id, settled_at=now)
        return replace(row, confirmed_by=principal.id, confirmed_at=now) if word.state is HoldState.CONFIRMED else row

    def _renewal(self, work: Work, row: HoldRow, held: Held) -> Renewal | None:
        """Return the holds before one; a legal hold keeps nothing from anybody, and so renews nothing."""
        if held.is_legal:
            return None
        return renewal_of(earlier_holds(self._kernel, work, row, held.subject), row, self._kernel.now_ms())

    def _withheld(self, principal: Principal, row: HoldRow, word: HoldWord, renewal: Renewal | None) -> str:
        """Return why a hold does not come into force after those before it; nothing when it does."""
        earlier = () if renewal is None else renewal.earlier
        own = on_the_word_of(self._kernel, principal, earlier)
        why = too_long(self._kernel.rules, earlier, own, Span(self._kernel.now_ms(), row.until))
        return why or ("" if word.note or renewal is None else RENEWS)

    def _demand_other(self, work: Work, principal: Principal, row: HoldRow, word: HoldWord) -> None:
        """Refuse who reviews their own, under whatever account, and who is close to whom it is about."""
        placer = work.principals.by_ids([row.principal])[row.principal]
        held, _ = self._said(work, row)
        is_own_review = word.state is not HoldState.ENDED and self._kernel.is_same_person(principal, placer)
        if is_own_review or is_close(self._kernel, work, principal, work.subjects.by_ids([held.subject]).values()):
            self._refuse_own(work, principal, f"hold {row.id}")

    def _refuse_own(self, work: Work, principal: Principal, what: str) -> None:
        values = said_by(principal) | {
            "result": f"denied {CONFLICT_OF_INTEREST}",
            "rules": self._kernel.policy.rules("hold.own"),
            "detail": what,
        }
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.DENY, values)])
        work.commit()
        raise AccessDenied(CONFLICT_OF_INTEREST, self._kernel.mint_one(pending).index)

    def _said(self, work: Work, row: HoldRow) -> tuple[Held, dict[str, str]]:
        entries = work.entries.entries([row.entry])
        opening = self._kernel.log.opening(entries[0]) if entries else None
        if entries and opening is None:
            raise NotFound  # whom it was about was erased
        held = None if opening is None else said_of(opening.values, row.id, row.until)
        if held is None or opening is None or parse_leaf(entries[0].leaf).kind != Kind.HOLD:
            raise LedgerCorrupt("a hold's entry is not the one that it names", row.entry)
        return held, dict(opening.values)

    def _views(self, work: Work, rows: Sequence[HoldRow]) -> list[HoldView]:
        placers, now = work.principals.by_ids({row.principal for row in rows}), self._kernel.now_ms()
        return [_view(row, placers[row.principal], now) for row in rows]


def _over(row: HoldRow, word: HoldWord, now: int) -> str:
    """Return why a word comes too late; nothing when it does not."""
    if row.state in (HoldState.REFUSED, HoldState.ENDED) or (
        row.state == HoldState.CONFIRMED and word.state is not HoldState.ENDED
    ):
        return "decided"
    return "expired" if _state(row, now) is HoldState.EXPIRED else ""


def _state(row: HoldRow, now: int) -> HoldState:
    state = HoldState(row.state)
    is_late = state is HoldState.PENDING and row.created_at + REVIEW_MS <= now
    if state in (HoldState.PENDING, HoldState.CONFIRMED) and (row.until <= now or is_late):
        return HoldState.EXPIRED
    return state


def _view(row: HoldRow, placer: PrincipalRow, now: int) -> HoldView:
    return HoldView(row, _state(row, now), f"{placer.issuer}#{placer.sub}")


def _subject(work: Work, ask: HoldAsk) -> SubjectRow | None:
    if ask.subject is not None:
        row = work.subjects.by_ids([ask.subject]).get(ask.subject)
    else:
        row = None if ask.number_tag is None else work.subjects.by_number_tags([ask.number_tag]).get(ask.number_tag)
    return row if row is not None and row.state == ACTIVE else None
