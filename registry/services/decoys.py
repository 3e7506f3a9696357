"""Decoys: subjects that are nobody. Whoever asks for one looks where there is nothing to look for.

The database keeps keyed labels only. A card of a decoy is served like any other; in the same transaction an alarm is
written and the account that asked is locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.errors import Conflict, NotFound
from registry.domain.ids import RecordId, SubjectId
from registry.domain.principals import Principal
from registry.leaktrace.terms import TermKind
from registry.marks.canaries import numbers_of
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import ACTIVE, LOCKED, PrincipalRow, SubjectRow, Work
from registry.services.principals import ADMINS
from registry.services.rerun import rerun_once
from registry.vault.blind_index import IndexTerm

IN_USE = "canary_number_in_use"
# People of one number that are looked at: several live together.
_MOST_OF_A_NUMBER = 512
ERASED_DECOY = "decoy erased"


class Decoys:
    """Sets decoys and takes them back."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def add(self, caller: Caller, employee_numbers: Sequence[str]) -> ReceiptView:
        """Make subjects decoys; those that are already stay so.

        Raises:
            AccessDenied: the caller is no security administrator.
            Conflict: ``canary_number_in_use``: somebody who is no decoy has a number of the canaries' ranges, which
                copies may be given; nothing was changed.
            NotFound: somebody of them is not enrolled; nothing was changed.
        """
        return self._change(caller, employee_numbers, "set")

    def remove(self, caller: Caller, employee_numbers: Sequence[str]) -> ReceiptView:
        """Make subjects decoys no more. Raises as ``add``, but never ``Conflict``."""
        return self._change(caller, employee_numbers, "taken back")

    @rerun_once
    def _change(self, caller: Caller, employee_numbers: Sequence[str], what: str) -> ReceiptView:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ADMINS:
                self._kernel.deny(work, principal, "decoys")
            found = self._subjects(work, employee_numbers)
            labels = sorted(_label(self._kernel, row.id) for row in found)
            is_whole = len(found) == len(set(employee_numbers))
            is_free = what != "set" or self._are_numbers_free(work, {row.id for row in found})
            if not is_free:
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.DECOY, {"result": f"refused {IN_USE}"}))
                raise Conflict(IN_USE)
            if is_whole and what == "set":
                work.brakes.add_decoys(labels)
            elif is_whole:
                work.brakes.remove_decoys(labels)
            # About nobody's chain: an accounting must not tell, nor a subject's row that changes with it.
            values = said_by(principal) | {
                "request": " ".join(label.hex() for label in labels),
                "result": what if is_whole else "not_found",
            }
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.DECOY, values)])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if not is_whole:
            raise NotFound
        return view_of(receipt)

    def _are_numbers_free(self, work: Work, added: AbstractSet[SubjectId]) -> bool:
        """Tell whether nobody but decoys is enrolled with a number of the canaries' ranges.

        Copies are given any number of them: none may be a real person's.
        """
        ranges = self._kernel.canaries.ranges
        terms = [IndexTerm(TermKind.PHONE._value_, number) for within in ranges for number in numbers_of(within)]
        if not terms:
            return True
        found = self._kernel.index.look_up(work.postings, terms, cap=_MOST_OF_A_NUMBER)
        records = {RecordId(posting.target) for group in found.values() for posting in group}
        others = set(work.records.subjects_of(records).values()) - added
        return others == decoys_of(self._kernel, work, others)

    def _subjects(self, work: Work, employee_numbers: Iterable[str]) -> list[SubjectRow]:
        tags = [self._kernel.number_tag(number) for number in employee_numbers]
        return [row for row in work.subjects.by_number_tags(tags).values() if row.state == ACTIVE]


def decoys_of(kernel: Kernel, work: Work, subjects: Iterable[SubjectId]) -> frozenset[SubjectId]:
    """Return which of some subjects are decoys: one statement."""
    labels: Mapping[bytes, SubjectId] = {_label(kernel, subject): subject for subject in subjects}
    return frozenset(labels[label] for label in work.brakes.decoys_among(labels))


def forget_decoy(kernel: Kernel, work: Work, subject: SubjectId) -> None:
    """Take a subject's label away, if it has one."""
    work.brakes.remove_decoys([_label(kernel, subject)])


def alarm_of_erased(kernel: Kernel, work: Work, principal: Principal, subject: SubjectId) -> tuple[EntryDraft, ...]:
    """Draft the alarm where it is a decoy that somebody erases; to be asked before its label is taken away.

    Whoever wants a decoy out of the way has it erased like anybody else, and nobody would miss it. Nothing is refused
    and nobody locked: an office that erases people does so in good faith, and a refusal would tell what they were.
    """
    label = _label(kernel, subject)
    if not work.brakes.decoys_among([label]):
        return ()
    # About nobody's chain: whom it was about is erased with the same entry.
    values = said_by(principal) | {"request": f"decoy {label.hex()}", "result": ERASED_DECOY}
    return (EntryDraft(Kind.ALARM, values),)


def alarm_and_lock(work: Work, touched: Sequence[tuple[Principal, SubjectId]]) -> tuple[EntryDraft, ...]:
    """Lock the principals that touched decoys, and draft the alarms.

    Args:
        work: the transaction that records the touch.
        touched: who asked for which decoy.
    """
    drafts = []
    rows: dict[str, PrincipalRow] = {}
    for principal, subject in touched:
        row = rows.get(principal.id) or _locked(work, principal)
        if row is None:
            continue
        rows[principal.id] = row
        values = said_by(principal) | {
            "request": "decoy",
            "result": row.state,
            "detail": f"{row.id} roles {' '.join(sorted(row.roles))}",
        }
        drafts.append(EntryDraft(Kind.ALARM, values, (subject,)))
    return tuple(drafts)


def _locked(work: Work, principal: Principal) -> PrincipalRow | None:
    named = work.principals.by_ids([principal.id]).get(principal.id)
    row = None if named is None else work.principals.lock(named.issuer, named.sub)
    if row is None or row.state not in (ACTIVE, LOCKED):
        return None  # ended or changed meanwhile: it has no roles anyway
    locked = replace(row, state=LOCKED)
    work.principals.update(locked)
    return locked


def _label(kernel: Kernel, subject: SubjectId) -> bytes:
    return kernel.index.tag("decoy", subject.encode())
