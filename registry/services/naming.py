"""Naming the account behind a label of a trace report: from strong on, by two people, and the named one is told.

A report knows labels alone. What stands in an entry of a served copy says whose account it was; giving it out is an
entry on the chain of the person whose account it is, where somebody enrolled has it, so that they find it in their
accounting and can answer it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.approvals import Action
from registry.domain.clock import from_unix_ms, iso
from registry.domain.errors import Conflict, NotFound
from registry.domain.ids import EntryIndex, PrincipalId, SubjectId
from registry.domain.principals import Principal
from registry.leaktrace.naming import entry_of_copy
from registry.leaktrace.report_shapes import TraceReport
from registry.services.dual_control import Act, demand_approved
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.match import INVESTIGATORS
from registry.services.notices import Notice, NoticeKind, ToPrincipal, queue
from registry.services.ports import Work
from registry.services.rerun import rerun_once

BELOW_STRONG = "below_strong"


@dataclass(frozen=True, slots=True)
class NameAsk:
    """Which account of a report is to be named, and why."""

    label: str
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Named:
    """One account that was named.

    Attributes:
        label: in the report.
        account, name: its id and its name, as entries have them.
        reply_until: milliseconds; nothing is to follow from the report before.
    """

    label: str
    account: PrincipalId
    name: str = field(repr=False)
    reply_until: int
    receipt: ReceiptView = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Holder:
    """Whose account it is: its id and name, the person's tag in hexadecimal, and the person, where enrolled."""

    account: PrincipalId
    name: str
    persons: tuple[str, ...]
    subjects: tuple[SubjectId, ...]


@dataclass(frozen=True, slots=True)
class Naming:
    """Names accounts of reports."""

    kernel: Kernel

    @rerun_once
    def name(self, caller: Caller, report: TraceReport, ask: NameAsk) -> Named:
        """Name one account of the caller's own report, and tell who has it.

        Raises:
            AccessDenied: the caller is no investigator; the refusal is an entry.
            Conflict: ``below_strong``: the report does not call this label strong or more; an entry, too.
            ApprovalNeeded: nobody else has approved exactly this; always needed, whatever the settings say.
        """
        trace = report.question.trace
        with self.kernel.database.write() as work:
            principal = self.kernel.principal(work, caller)
            if not principal.roles & INVESTIGATORS:
                self.kernel.deny(work, principal, "name account")
            entry = entry_of_copy(report, ask.label)
            if entry is None:
                values = {"request": trace, "result": f"refused {BELOW_STRONG}", "note": ask.reason}
                self.kernel.note_refusal(work, principal, EntryDraft(Kind.AUDIT_READ, values))
                raise Conflict(BELOW_STRONG)
            holder = self._holder(work, entry)
            work.subjects.lock(holder.subjects)
            demand_approved(self.kernel, work, principal, _act(report, ask, holder))
            until = self.kernel.now_ms() + self.kernel.rules.reply_ms
            draft = _draft(principal, report, ask, (holder, entry, until))
            (pending,) = self.kernel.log.append(work.ledger, [draft])
            told = Notice(NoticeKind.NAMED, ToPrincipal(holder.account), None, draft.event)
            queue(work, self.kernel, [told])
            work.commit()
        return Named(ask.label, holder.account, holder.name, until, view_of(self.kernel.mint_one(pending)))

    def _holder(self, work: Work, entry: EntryIndex) -> _Holder:
        with self.kernel.database.reader() as reader:
            (row,) = reader.entries([entry])
        said = self.kernel.log.opening(row)
        if said is None:
            raise NotFound  # what the entry said is kept no longer
        account, _, name = said.values["principal"].partition(" ")
        held = work.principals.by_ids([PrincipalId(account)]).get(PrincipalId(account))
        if held is None or held.employee is None:
            return _Holder(PrincipalId(account), name, (account,), ())
        tag = self.kernel.links.open(held.id, held.employee)
        subjects = tuple(sorted(subject.id for subject in work.subjects.by_number_tags([tag]).values()))
        return _Holder(held.id, name, (account, tag.hex()), subjects)


def _act(report: TraceReport, ask: NameAsk, holder: _Holder) -> Act:
    trace = report.question.trace
    told = f"the name of {ask.label} of trace {trace}, called {report.tier.label}: {ask.reason}"
    return Act(Action.NAMES, (trace, ask.label), told, holder.subjects, holder.persons)


def _draft(
    principal: Principal, report: TraceReport, ask: NameAsk, named: tuple[_Holder, EntryIndex, int]
) -> EntryDraft:
    holder, entry, until = named
    values = said_by(principal) | {
        "request": report.question.trace,
        "result": f"named entry {entry}",
        "note": ask.reason,
        "detail": f"name {ask.label}; reply until {iso(from_unix_ms(until))}",
    }
    return EntryDraft(Kind.AUDIT_READ, values, holder.subjects)
