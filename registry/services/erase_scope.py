"""Who is taken out: a subject with the whole household, or one person of it; and who may ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.domain.approvals import Action
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import Conflict, InvalidInput, NotFound
from registry.domain.ids import PersonId, RecordId, SubjectId
from registry.domain.principals import Principal
from registry.policy.decide import CONFLICT_OF_INTEREST
from registry.services.dual_control import Act
from registry.services.enroll import ENROLLERS
from registry.services.facts_relations import is_close
from registry.services.holds_in_force import in_force
from registry.services.kernel import Denied, Kernel
from registry.services.ports import PersonRow, RecordRow, SubjectRow, Work
from registry.services.values import subject_tag

# Why nothing is destroyed while it is asked for elsewhere.
LEGAL_HOLD = "legal_hold"


@dataclass(frozen=True, slots=True)
class ErasureAsk:
    """Who is to be taken out, why, and by which law.

    Attributes:
        subject: whose household.
        member: ref of the one person of it, as enrolled; None for everybody.
        reason, basis: in words; both go into the entry.
    """

    subject: SubjectId
    member: str | None = field(repr=False)
    reason: str = field(repr=False)
    basis: str = field(repr=False)

    def act(self) -> Act:
        """Return what a second person approves."""
        whose = "subject" if self.member is None else "one member of the household of subject"
        told = f"erase {whose} {self.subject}; basis: {self.basis}; reason: {self.reason}"
        content = (self.subject, self.member or "", self.reason, self.basis)
        return Act(Action.ERASE, content, told, (self.subject,))


@dataclass(frozen=True, slots=True)
class Scope:
    """Who is taken out, as stored; the subject's row is held."""

    subject: SubjectRow
    persons: Sequence[PersonRow]
    records: Sequence[RecordRow]
    is_whole: bool

    @property
    def record_ids(self) -> list[RecordId]:
        """Every record of these persons."""
        return [row.id for row in self.records]

    @property
    def person_ids(self) -> list[PersonId]:
        """These persons."""
        return [row.id for row in self.persons]

    @property
    def targets(self) -> frozenset[str]:
        """What postings of the blind index name them by."""
        return frozenset([*self.record_ids, *([self.subject.id] if self.is_whole else [])])


def scope_of(kernel: Kernel, work: Work, principal: Principal, ask: ErasureAsk) -> Scope:
    """Hold the subject and tell who is taken out, or refuse: an entry, committed.

    Raises:
        AccessDenied: the caller is no enroller, or it is themselves or somebody close.
        NotFound: no such subject.
        Conflict: ``legal_hold``.
        InvalidInput: no such member of the household.
    """
    if not principal.roles & ENROLLERS:
        kernel.deny(work, principal, "erase")
    row = work.subjects.lock([ask.subject]).get(ask.subject)
    if row is None:
        kernel.note_refusal(work, principal, EntryDraft(Kind.ERASE, {"result": "refused not_found"}))
        raise NotFound
    if is_close(kernel, work, principal, [row]):
        kernel.deny_about(work, principal, (row.id,), Denied(CONFLICT_OF_INTEREST, "erase.own", "erase"))
    if in_force(kernel, work).keeps(row.id):
        # About nobody's chain: a hold is not to be learned of from the own accounting.
        values = {"request": f"subject {row.id}", "result": f"refused {LEGAL_HOLD}"}
        kernel.note_refusal(work, principal, EntryDraft(Kind.ERASE, values))
        raise Conflict(LEGAL_HOLD)
    persons, records = work.persons.of_subjects([row.id]), work.records.of_subjects([row.id])
    if ask.member is None:
        return Scope(row, persons, records, is_whole=True)
    tag = subject_tag(kernel.index, row.id, "ref", ask.member)
    named = [one for one in persons if one.ref_tag == tag and one.id != row.directory.person]
    if not named:
        values = {"result": "refused invalid", "detail": "erase"}
        kernel.note_refusal(work, principal, EntryDraft(Kind.ERASE, values, (row.id,)))
        raise InvalidInput([FieldProblem("/member", "unknown_member")])
    return Scope(row, named, [one for one in records if one.person == named[0].id], is_whole=False)


def named_in(scope: Scope) -> list[str]:
    """Return the ids that are on the list of who was erased once a scope is taken out."""
    return [*scope.person_ids, *([scope.subject.id] if scope.is_whole else [])]
