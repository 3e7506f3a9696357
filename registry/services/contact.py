"""Where a subject wants to be told what happens to their records, out of reach of whoever reads the post at home.

Never part of a card, a search or the index. Who sets it or reads it back has signed in strongly and just now: a session
that was left open at home is not enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.errors import NotFound
from registry.domain.ids import PetitionId, PrincipalId, SubjectId, new_id
from registry.domain.principals import Principal
from registry.policy.decide import STEP_UP_REQUIRED
from registry.services.former_mailbox import ToFormerMailbox
from registry.services.kernel import Caller, Denied, Kernel, ReceiptView, view_of
from registry.services.notices import Notice, NoticeKind, Recipient, ToPrincipal, queue
from registry.services.petitions import own_subject, part_line, part_lines
from registry.services.ports import SubjectRow, Work
from registry.services.ports_petitions import ContactRow
from registry.services.read_audit import SUBJECTS
from registry.services.rerun import rerun_once
from registry.services.send_notices import Letter
from registry.text.rules.email import email_problem
from registry.text.rules.phone import phone_problem
from registry.text.rules.reading import TextRule
from registry.text.rules.texts import one_line
from registry.vault.petitions import TEXT, About, PetitionVault, SealedPetition

EMAIL = "email"
CONTACT_KINDS = (EMAIL, "phone", "post")
_RULES: Mapping[str, TextRule] = {EMAIL: email_problem, "phone": phone_problem}
MOST_CONTACT = 300
_LINE = one_line(MOST_CONTACT)
_SUBJECT = "subject:"


def contact_rule(kind: str) -> TextRule:
    """Return the rule of a contact of a kind."""
    return _RULES.get(kind, _LINE)


@dataclass(frozen=True, slots=True)
class Contact:
    """Where to tell somebody: a kind (``email``, ``phone``, ``post``) and the address itself."""

    kind: str
    value: str = field(repr=False)


class Contacts:
    """Keeps contacts."""

    def __init__(self, kernel: Kernel, vault: PetitionVault) -> None:
        self._kernel = kernel
        self._vault = vault

    @rerun_once
    def put(self, caller: Caller, contact: Contact) -> ReceiptView:
        """Set or replace the caller's contact.

        Raises:
            AccessDenied: the caller is no subject, or signed in too weakly or too long ago.
            NotFound: the caller is not enrolled.
        """
        identifier = PetitionId(new_id())
        with self._kernel.database.read() as work:
            asking = self._kernel.principal(work, caller)
            known = own_subject(work, asking)
        about = About(SubjectId("") if known is None else known.id, contact.kind, account=asking.id)
        sealed = self._vault.seal(identifier, about, {TEXT: contact.value})
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            subject = self._demand_own(work, principal)
            if subject.id != about.subject:
                self._refuse(work, principal)
            work.subjects.lock([subject.id])
            label = self._kernel.contact_label(subject.id)
            before = work.petitions.contact(label)
            work.petitions.put_contact(ContactRow(label, 1 if before is None else before.version + 1, sealed))
            values = said_by(principal) | {"request": identifier, "result": "set", "detail": contact.kind}
            draft = EntryDraft(Kind.CONTACT, values, (subject.id,), part_lines(sealed))
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            queue(work, self._kernel, self._told(principal, subject.id, before, draft))
            work.commit()
        return view_of(self._kernel.mint_one(pending))

    @rerun_once
    def reveal(self, caller: Caller) -> tuple[Contact, ReceiptView]:
        """Give the caller's own contact back; an entry.

        Raises:
            AccessDenied: the caller is no subject, or signed in too weakly or too long ago.
            NotFound: the caller is not enrolled, or has set none with this account.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            subject = self._demand_own(work, principal)
            row = work.petitions.contact(self._kernel.contact_label(subject.id))
            about = None if row is None else self._vault.about(row.petition)
            # An account that somebody gave the same employee number sees no contact that it did not set.
            if row is None or about is None or about.subject != subject.id or about.account != principal.id:
                self._refuse(work, principal)
            line = part_line(row.petition, TEXT)
            values = said_by(principal) | {"result": "read", "detail": "own contact"}
            (pending,) = self._kernel.log.append(
                work.ledger, [EntryDraft(Kind.AUDIT_READ, values, (subject.id,), (line,))]
            )
            work.commit()
        receipt = self._kernel.mint_one(pending)
        return Contact(about.what, self._vault.open(row.petition, TEXT, receipt)), view_of(receipt)

    @rerun_once
    def mailbox_of(self, letter: Letter) -> str | None:
        """Open the contact of the subject that a letter is for: the former one where the letter carries it.

        An entry in the subject's accounting. None: it is no mailbox.

        Raises:
            AuditUnavailable: the ledger takes no entry; nothing was opened.
        """
        subject = SubjectId(letter.to.removeprefix(_SUBJECT))
        with self._kernel.database.write() as work:
            work.subjects.lock([subject])
            sealed = letter.mailbox or self._now(work, subject)
            if sealed is None or not self._is_mailbox_of(sealed, subject):
                return None
            line = part_line(sealed, TEXT)
            values = {"result": "opened", "detail": "contact for a notice"}
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.OPEN, values, (subject,), (line,))])
            work.commit()
        return self._vault.open(sealed, TEXT, self._kernel.mint_one(pending))

    def _now(self, work: Work, subject: SubjectId) -> SealedPetition | None:
        row = work.petitions.contact(self._kernel.contact_label(subject))
        return None if row is None else row.petition

    def _is_mailbox_of(self, sealed: SealedPetition, subject: SubjectId) -> bool:
        about = self._vault.about(sealed)
        return about.subject == subject and about.what == EMAIL

    def _told(
        self, principal: Principal, subject: SubjectId, before: ContactRow | None, draft: EntryDraft
    ) -> list[Notice]:
        """Return the notices of a change: to the account, to the one whose contact is replaced, and to that mailbox.

        Whoever took a session over reads what comes to the account, and what comes to the next mailbox.
        """
        accounts, to = {principal.id}, list[Recipient]()
        if before is not None:
            accounts |= {PrincipalId(self._vault.about(before.petition).account)}
            if self._is_mailbox_of(before.petition, subject):
                to.append(ToFormerMailbox(subject, before.petition))
        to.extend(map(ToPrincipal, sorted(accounts)))
        return [Notice(NoticeKind.CONTACT, one, None, draft.event) for one in to]

    def _demand_own(self, work: Work, principal: Principal) -> SubjectRow:
        if not principal.roles & SUBJECTS:
            self._kernel.deny(work, principal, "contact")
        subject = own_subject(work, principal)
        if subject is None:
            self._refuse(work, principal)
        if not self._kernel.is_signed_in_strongly(principal):
            denied = Denied(STEP_UP_REQUIRED, "step_up.contact", "contact")
            self._kernel.deny_about(work, principal, (subject.id,), denied)
        return subject

    def _refuse(self, work: Work, principal: Principal) -> NoReturn:
        self._kernel.note_refusal(work, principal, EntryDraft(Kind.CONTACT, {"result": "refused not_found"}))
        raise NotFound
