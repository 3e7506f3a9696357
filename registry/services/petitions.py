"""What subjects ask the agency for: that an entry about them is looked into, that a record of theirs is corrected.

Here is the subject's side, and what both sides share; ``petition_answers`` has those who answer. What a subject wrote
is opened under an entry only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import orjson

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt, Receipt
from registry.domain.enrollment import VersionDraft
from registry.domain.errors import Conflict, NotFound
from registry.domain.ids import EntryIndex, PetitionId, PrincipalId, RecordId, SubjectId, new_id
from registry.domain.principals import Principal, Role
from registry.services.enroll import ENROLLERS
from registry.services.idempotency import Idempotency, Remembered
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.notices import Notice, NoticeKind, ToRole, queue
from registry.services.ports import ACTIVE, RecordRow, SubjectRow, Work
from registry.services.ports_petitions import PetitionRow
from registry.services.read_audit import AUDITORS, SUBJECTS, ReadAudit
from registry.services.rerun import rerun_once
from registry.text.intake import settle_versions
from registry.transparency.fields import RecordLine
from registry.transparency.leaf import COMMITMENT_BYTES
from registry.vault.petitions import CATEGORY, NOTE, TEXT, VALUE, About, PetitionVault, SealedPetition

OPEN = "open"
ACCEPTED = "accepted"
REFUSED = "refused"
UPHELD = "upheld"
NOT_UPHELD = "not_upheld"
MOST_LISTED = 500
MOST_TEXT = 4_000
# Open ones of one account and sort: nobody buries what others asked for.
MOST_OPEN = 20


@dataclass(frozen=True, slots=True)
class Sort:
    """One of the two sorts of petition: its word in rows, the kinds of its entries and notices, and who answers it."""

    word: str
    kind: Kind
    notice: NoticeKind
    answerers: frozenset[Role]


DISPUTE = Sort("dispute", Kind.DISPUTE, NoticeKind.DISPUTE, AUDITORS)
CORRECTION = Sort("correction", Kind.CORRECT, NoticeKind.CORRECTION, ENROLLERS)


@dataclass(frozen=True, slots=True)
class Petition:
    """What may be told of a petition without opening it.

    Attributes:
        id, created_at, state: as stored; times in milliseconds.
        subject: whose it is.
        what: the entry's index, or the record's id.
        has_value: whether a new value is proposed.
    """

    id: PetitionId
    created_at: int
    state: str
    subject: SubjectId
    what: str
    has_value: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a petition: the subject's text, and the answer's note."""

    text: str = field(repr=False)
    note: str = field(repr=False)
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class Correction:
    """What is wrong about an own record: a text, and if wanted the right value."""

    record: RecordId
    text: str = field(repr=False)
    value: Mapping[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Petitioned:
    """What is to be filed: the sort, whose it is and what about (None: nothing of the caller's), and the parts."""

    sort: Sort
    about: About | None
    parts: Mapping[int, str] = field(repr=False)

    def document(self) -> bytes:
        """Return what makes two of them the same; kept as a keyed tag only."""
        about = None if self.about is None else [self.about.subject, self.about.what]
        return orjson.dumps([self.sort.word, about, sorted(self.parts.items())])


@dataclass(frozen=True, slots=True)
class Filed:
    """A petition that was filed, now or with the same key before."""

    petition: PetitionId
    receipt: ReceiptView
    is_replay: bool = False


class PetitionFiles:
    """What both sides do alike with petitions."""

    def __init__(self, kernel: Kernel, vault: PetitionVault, keys: Idempotency) -> None:
        self.kernel = kernel
        self.vault = vault
        self.keys = keys

    def listing(self, sort: Sort, principal: PrincipalId | None) -> Sequence[Petition]:
        """List petitions of everybody, or of one account; open ones first, then newest first."""
        with self.kernel.database.read() as work:
            rows = work.petitions.listing(sort.word, principal, MOST_LISTED)
        return [self._told(row) for row in rows]

    def opening(self, work: Work, principal: Principal, row: PetitionRow, parts: Sequence[int]) -> PendingReceipt:
        """Write the entry that parts of a petition are opened under, and commit."""
        lines = tuple(part_line(row.petition, part) for part in parts)
        values = said_by(principal) | {"request": row.id, "result": "read", "detail": f"open {row.kind}"}
        (pending,) = self.kernel.log.append(work.ledger, [EntryDraft(Kind.AUDIT_READ, values, (), lines)])
        work.commit()
        return pending

    def written(self, row: PetitionRow, receipt: Receipt) -> Written:
        """Open what was written under the entry of ``opening``."""
        text, *notes = [self.vault.open(row.petition, part, receipt) for part in written_parts(row)]
        return Written(text, notes[0] if notes else "", view_of(receipt))

    def refuse(self, work: Work, principal: Principal, sort: Sort, why: str) -> NoReturn:
        """Write the entry of a refusal and raise it.

        Raises:
            NotFound: why is ``not_found``.
            Conflict: with any other code.
        """
        self.kernel.note_refusal(work, principal, EntryDraft(sort.kind, {"result": f"refused {why}"}))
        raise NotFound if why == "not_found" else Conflict(why)

    def _told(self, row: PetitionRow) -> Petition:
        about = self.vault.about(row.petition)
        return Petition(row.id, row.created_at, row.state, about.subject, about.what, VALUE in row.petition.parts)


class Petitions:
    """The subject's side: files, lists and reads back own petitions."""

    def __init__(self, kernel: Kernel, files: PetitionFiles, audit: ReadAudit) -> None:
        self._kernel = kernel
        self._files = files
        self._audit = audit

    def dispute(self, caller: Caller, index: EntryIndex, text: str, *, key: str | None = None) -> Filed:
        """Dispute an entry about the caller; with a key, once.

        Raises:
            AccessDenied: the caller is no subject.
            NotFound: the entry is not about the caller, or there is none.
            Conflict: ``too_many_open``; ``key_reused``: the key came with another document before.
        """
        with self._kernel.database.read() as work:
            principal = self._kernel.principal(work, caller)
            subject = own_subject(work, principal)
            # A chain only grows, so that what is true here stays true. What a hold keeps back is not there to dispute.
            is_own = subject is not None and self._audit.is_shown(work, principal, subject.id, index)
        about = About(subject.id, str(index)) if subject is not None and is_own else None
        return self._file(caller, Petitioned(DISPUTE, about, {TEXT: text}), key)

    def correct(self, caller: Caller, wanted: Correction, *, key: str | None = None) -> Filed:
        """Ask for the correction of an own record, as it is now; with a key, once.

        Raises:
            AccessDenied: the caller is no subject.
            NotFound: no such own record.
            InvalidInput: the proposed value breaks its category's rule.
            Conflict: ``too_many_open``.
        """
        with self._kernel.database.read() as work:
            subject = own_subject(work, self._kernel.principal(work, caller))
            row = work.records.by_ids([wanted.record]).get(wanted.record)
        if subject is None or row is None or row.subject != subject.id or row.state != ACTIVE:
            return self._file(caller, Petitioned(CORRECTION, None, {TEXT: wanted.text}), key)
        parts = {TEXT: wanted.text}
        if wanted.value is not None:
            parts[VALUE] = self._settled(row, wanted.value)
        return self._file(caller, Petitioned(CORRECTION, About(subject.id, row.id, row.field.version), parts), key)

    def own(self, caller: Caller, sort: Sort) -> Sequence[Petition]:
        """List the caller's own petitions.

        Raises:
            AccessDenied: the caller is no subject.
        """
        principal = self._kernel.note_read(caller, SUBJECTS, f"own {sort.word} list")
        with self._kernel.database.read() as work:
            subject = own_subject(work, principal)
        # An account may have been another person's before.
        listed = () if subject is None else self._files.listing(sort, principal.id)
        return [one for one in listed if subject is not None and one.subject == subject.id]

    @rerun_once
    def reveal(self, caller: Caller, sort: Sort, petition: PetitionId) -> Written:
        """Open an own petition; an entry of its own.

        Raises:
            AccessDenied: the caller is no subject.
            NotFound: unknown, or somebody else's.
        """
        with self._kernel.database.write() as work:
            principal = self._demand_subject(work, caller, sort)
            subject = own_subject(work, principal)
            row = work.petitions.get(petition)
            is_own = row is not None and row.kind == sort.word and row.principal == principal.id
            if row is None or not is_own or subject is None or self._about(row).subject != subject.id:
                self._files.refuse(work, principal, sort, "not_found")
            pending = self._files.opening(work, principal, row, written_parts(row))
        return self._files.written(row, self._kernel.mint_one(pending))

    @rerun_once
    def _file(self, caller: Caller, wanted: Petitioned, key: str | None) -> Filed:
        sort, about, petition = wanted.sort, wanted.about, PetitionId(new_id())
        sealed = None if about is None else self._files.vault.seal(petition, about, wanted.parts)
        with self._kernel.database.write() as work:
            principal = self._demand_subject(work, caller, sort)
            subject = own_subject(work, principal)
            if sealed is None or about is None or subject is None or subject.id != about.subject:
                self._files.refuse(work, principal, sort, "not_found")
            work.subjects.lock([subject.id])
            if (seen := self._recall(work, principal, wanted, key)) is not None:
                return seen
            if work.petitions.open_of(sort.word, principal.id) >= MOST_OPEN:
                self._files.refuse(work, principal, sort, "too_many_open")
            values = said_by(principal) | {"request": f"{petition} {about.what}", "result": "filed"}
            work.petitions.insert(PetitionRow(sort.word, principal.id, self._kernel.now_ms(), OPEN, None, sealed))
            draft = EntryDraft(sort.kind, values, (subject.id,), part_lines(sealed))
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            queue(work, self._kernel, [Notice(sort.notice, ToRole(role), None, draft.event) for role in sort.answerers])
            outcome = {"petition": petition, "receipt": [pending.index, pending.size]}
            self._files.keys.remember(work, principal, key, Remembered(wanted.document(), outcome))
            work.commit()
        return Filed(petition, view_of(self._kernel.mint_one(pending)))

    def _recall(self, work: Work, principal: Principal, wanted: Petitioned, key: str | None) -> Filed | None:
        try:
            seen = self._files.keys.recall(work, principal, key, wanted.document())
        except Conflict as conflict:
            self._files.refuse(work, principal, wanted.sort, conflict.code)
        if seen is None:
            return None
        return Filed(PetitionId(seen["petition"]), self._kernel.view(*seen["receipt"]), is_replay=True)

    def _demand_subject(self, work: Work, caller: Caller, sort: Sort) -> Principal:
        principal = self._kernel.principal(work, caller)
        if not principal.roles & SUBJECTS:
            self._kernel.deny(work, principal, sort.word)
        return principal

    def _about(self, row: PetitionRow) -> About:
        return self._files.vault.about(row.petition)

    def _settled(self, row: RecordRow, value: Mapping[str, object]) -> str:
        draft = VersionDraft(row.id, value, "")
        (settled,) = settle_versions([draft], {row.id: row.category}, today=self._kernel.clock.now().date())
        return orjson.dumps(dict(settled.value)).decode()


def own_subject(work: Work, principal: Principal) -> SubjectRow | None:
    """Return the enrolled person behind an account, while protection lasts."""
    tag = principal.employee_tag
    found = None if tag is None else work.subjects.by_number_tags([tag]).get(tag)
    return found if found is not None and found.state == ACTIVE else None


def written_parts(row: PetitionRow) -> Sequence[int]:
    """Return which parts are read when a petition is: never the proposed value."""
    return [part for part in (TEXT, NOTE) if part in row.petition.parts]


def part_lines(petition: SealedPetition) -> tuple[RecordLine, ...]:
    """Write all parts as the entry names them that puts them there; its receipt opens none."""
    return tuple(part_line(petition, part) for part in sorted(petition.parts))


def part_line(petition: SealedPetition, part: int) -> RecordLine:
    """Write a part as an entry names it."""
    covered = petition.covered(part)
    return RecordLine(covered.record, CATEGORY, covered.version, covered.ciphertext_digest, bytes(COMMITMENT_BYTES))
