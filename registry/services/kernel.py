"""What every service is built from, and the few things that all of them do alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.log import AuditLog
from registry.audit.receipt import PendingReceipt, Receipt
from registry.crypto.tags import equal
from registry.domain.approvals import ApprovalRules
from registry.domain.clock import Clock, unix_ms
from registry.domain.errors import AccessDenied, TokenTakenBack
from registry.domain.ids import PrincipalId, RecordId, RegistryId, SubjectId
from registry.domain.marks import Tier
from registry.domain.principals import Claims, Principal, Role
from registry.marks.canaries import NO_CANARIES, Canaries
from registry.marks.draw import Drawn
from registry.marks.slots import TABLE_VERSION
from registry.policy.decide import NOT_PERMITTED
from registry.policy.engine import Policy
from registry.services.mark_secrets import MarkSecrets
from registry.services.outlets import Outlets
from registry.services.ports import ACTIVE, Database, Packer, PrincipalRow, RecordRow, SubjectRow, Work
from registry.services.ports_revocations import RevocationRow
from registry.services.rerun import rerun_once
from registry.services.ties import number_tag
from registry.transparency.fields import NONCE_BYTES, RecordLine, variant_commitment
from registry.vault.blind_index import BlindIndex, IndexTerm, Posting
from registry.vault.links import EmployeeLinks
from registry.vault.sealed import SealedField
from registry.vault.ties import SubjectTies
from registry.vault.vault import Vault

# An id that no row has: names a verified token whose principal is not in the table.
UNKNOWN_PRINCIPAL = PrincipalId("0" * 32)
# Slot table 0 has no slots: the copy is served as entered, and its commitment commits to that.
UNMARKED_TABLE = 0
UNMARKED_EPOCH = 0
# In entries, of who shows a token that was taken back.
TAKEN_BACK = "token_taken_back"
_NO_NONCE = bytes(NONCE_BYTES)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: verified claims and, where known, the network address they came from."""

    claims: Claims
    network: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt as an answer shows it; opens nothing."""

    origin: str
    index: int
    size: int
    code: str

    @property
    def header(self) -> str:
        """Value of the ``Audit-Receipt`` header."""
        return f"{self.origin} {self.index} {self.size}"


@dataclass(frozen=True, slots=True)
class UnmarkedCopies:
    """Who may be served copies exactly as enrolled, without marks: machines that compare, print labels or pay.

    Attributes:
        clients: clients of tokens that may ask for it.
        for_all: whether everybody may, as where things are tried out.
    """

    clients: frozenset[str] = frozenset()
    for_all: bool = False

    def may(self, principal: Principal) -> bool:
        """Tell whether somebody may."""
        return self.for_all or principal.client in self.clients


@dataclass(frozen=True, slots=True)
class Denied:
    """Why something about a person is refused: a public reason, the rule's name for the entry, and what was tried."""

    reason: str
    rule: str
    action: str


def view_of(receipt: Receipt) -> ReceiptView:
    """Return what may be shown of a receipt."""
    return ReceiptView(receipt.origin, receipt.index, receipt.size, receipt.code)


@dataclass(frozen=True, slots=True)
class Kernel:
    """The parts of one running registry."""

    registry: RegistryId
    database: Database
    log: AuditLog
    vault: Vault
    index: BlindIndex
    links: EmployeeLinks
    ties: SubjectTies
    packer: Packer
    policy: Policy
    rules: ApprovalRules
    clock: Clock
    outlets: Outlets
    marks: MarkSecrets
    unmarked: UnmarkedCopies
    canaries: Canaries = NO_CANARIES

    def now_ms(self) -> int:
        """Return the time in milliseconds."""
        return unix_ms(self.clock.now())

    def number_tag(self, employee_number: str) -> bytes:
        """Return the keyed tag of an employee number."""
        return number_tag(self.index, employee_number)

    def contact_label(self, subject: SubjectId) -> bytes:
        """Return the keyed label that a subject's contact is kept under."""
        return self.index.tag("contact", subject.encode())

    def mint(self, pendings: Sequence[PendingReceipt]) -> tuple[Receipt, ...]:
        """Turn pending receipts of a committed transaction into receipts."""
        with self.database.reader() as reader:
            return self.log.mint(reader, pendings)

    def mint_one(self, pending: PendingReceipt) -> Receipt:
        """Turn one pending receipt into a receipt."""
        return self.mint((pending,))[0]

    def add_postings(self, work: Work, postings: Sequence[tuple[IndexTerm, Posting]]) -> None:
        """Index terms, after every other row of the transaction has been written.

        The ledger's head is held from here on, or two writers would find the same place of a list free.
        """
        self.add_ready_postings(work, self.index.ready(postings))

    def add_ready_postings(self, work: Work, ready: bytes) -> None:
        """Index what ``index.ready`` made of terms; as ``add_postings``."""
        if ready:
            work.ledger.lock_head()
            self.index.add_ready(work.postings, ready)

    def view(self, index: int, size: int) -> ReceiptView:
        """Return the receipt of an entry that was committed earlier."""
        return ReceiptView(self.log.origin, index, size, self.log.code_of(index))

    def principal(self, work: Work, caller: Caller) -> Principal:
        """Return who acts, as the principals table says now; without roles when unknown or not active."""
        row = work.principals.by_name(caller.claims.issuer, caller.claims.subject)
        return self.principals_from(work, [(row, caller)])[0]

    def principals_from(self, work: Work, pairs: Sequence[tuple[PrincipalRow | None, Caller]]) -> tuple[Principal, ...]:
        """Return who acts, without roles where a token was taken back; see ``principal_from``."""
        labels = {label for row, caller in pairs for label in _labels(self, row, caller.claims)}
        taken_back = work.revocations.among(labels) if labels else {}
        return tuple(
            self.principal_from(row, caller, is_taken_back=self._is_taken_back(taken_back, row, caller.claims))
            for row, caller in pairs
        )

    def _is_taken_back(
        self, revocations: Mapping[bytes, RevocationRow], row: PrincipalRow | None, claims: Claims
    ) -> bool:
        found = (revocations.get(label) for label in _labels(self, row, claims))
        return any(one is not None and claims.issued_at <= one.before for one in found)

    def principal_from(self, row: PrincipalRow | None, caller: Caller, *, is_taken_back: bool = False) -> Principal:
        """Join table row and token: a token's roles can only narrow those of the table."""
        claims = caller.claims
        roles: frozenset[Role] = frozenset()
        if row is not None and row.state == ACTIVE and not is_taken_back:
            roles = row.roles if claims.roles is None else row.roles & claims.roles
        return Principal(
            id=UNKNOWN_PRINCIPAL if row is None else row.id,
            name=f"{claims.issuer}#{claims.subject}",
            roles=roles,
            employee_tag=None if row is None or row.employee is None else self.links.open(row.id, row.employee),
            unit="" if row is None else row.unit,
            token_id=claims.token_id,
            client=claims.client,
            network=caller.network,
            step_up_until=claims.step_up_until,
            supervisor_tag=self.links.open_supervisor(row.id, row.supervisor)
            if row is not None and row.supervisor
            else None,
            since_ms=0 if row is None else row.created_at,
            is_taken_back=is_taken_back,
            is_key_bound=bool(claims.key_thumbprint),
            one_sealed_until=claims.one_sealed_until,
        )

    def is_same_person(self, principal: Principal, row: PrincipalRow) -> bool:
        """Tell whether two accounts are one person's: one account, or one employee number behind both."""
        if row.id == principal.id:
            return True
        if row.employee is None or principal.employee_tag is None:
            return False
        return equal(self.links.open(row.id, row.employee), principal.employee_tag)

    @rerun_once
    def admit(self, caller: Caller, roles: frozenset[Role], action: str) -> Principal:
        """Check that the caller has one of these roles, before anything of the request is read.

        Raises:
            AccessDenied: none of them; the refusal is an entry already.
            TokenTakenBack: the token was taken back; likewise.
        """
        with self.database.read() as work:
            principal = self.principal(work, caller)
        if principal.roles & roles:
            return principal
        with self.database.write() as work:
            principal = self.principal(work, caller)
            if not principal.roles & roles:
                self.deny(work, principal, action)
            return principal

    @rerun_once
    def recognize(self, caller: Caller, action: str) -> Principal:
        """Return who calls, whatever their roles.

        Raises:
            TokenTakenBack: the token was taken back; an entry.
        """
        with self.database.read() as work:
            principal = self.principal(work, caller)
        if not principal.is_taken_back:
            return principal
        with self.database.write() as work:
            principal = self.principal(work, caller)
            if principal.is_taken_back:
                self.deny(work, principal, action)
            return principal

    @rerun_once
    def note_read(self, caller: Caller, roles: frozenset[Role], what: str) -> Principal:
        """Check the role and write an entry that something without values was read: a list, a setting.

        Raises:
            AccessDenied: none of the roles; the refusal is the entry.
        """
        with self.database.write() as work:
            principal = self.principal(work, caller)
            if not principal.roles & roles:
                self.deny(work, principal, what)
            draft = EntryDraft(Kind.AUDIT_READ, said_by(principal) | {"detail": what})
            (pending,) = self.log.append(work.ledger, [draft])
            work.commit()
        self.mint_one(pending)
        return principal

    def note_refusal(self, work: Work, principal: Principal, draft: EntryDraft) -> None:
        """Write the entry of a refusal that is not for want of a role, and commit; the caller raises afterwards."""
        said = EntryDraft(draft.kind, said_by(principal) | dict(draft.values), draft.subjects)
        self.log.append(work.ledger, [said])
        work.commit()

    def deny(self, work: Work, principal: Principal, action: str) -> NoReturn:
        """Refuse in the caller's transaction: write the entry, commit, raise.

        Raises:
            AccessDenied: always, unless
            TokenTakenBack: the principal's token was taken back.
        """
        (pending,) = self.log.append(work.ledger, [denial(self, principal, action)])
        work.commit()
        raise refusal_of(principal, NOT_PERMITTED, self.mint_one(pending).index)

    def deny_about(self, work: Work, principal: Principal, subjects: tuple[SubjectId, ...], denied: Denied) -> NoReturn:
        """Refuse something about people in the caller's transaction; the entry is in their accounting.

        Raises:
            AccessDenied, TokenTakenBack: as ``deny``.
        """
        values = said_by(principal) | {
            "result": result_of(principal, denied.reason),
            "rules": self.policy.rules(denied.rule),
            "detail": denied.action,
        }
        (pending,) = self.log.append(work.ledger, [EntryDraft(Kind.DENY, values, subjects)])
        work.commit()
        raise refusal_of(principal, denied.reason, self.mint_one(pending).index)

    def is_signed_in_strongly(self, principal: Principal) -> bool:
        """Tell whether somebody signed in strongly, and lately enough."""
        until = principal.step_up_until  # 0 for most, who need no look at the clock
        return bool(until) and self.now_ms() < until * 1000


def refusal_of(principal: Principal, reason: str, entry: int) -> AccessDenied | TokenTakenBack:
    """Return the error of a refusal that is an entry already: for that reason, or because the token was taken back."""
    if principal.is_taken_back:
        return TokenTakenBack(entry, is_of_proof=principal.is_key_bound)
    return AccessDenied(reason, entry)


def result_of(principal: Principal, reason: str) -> str:
    """Return the result that the entry of a refusal has."""
    return f"denied {TAKEN_BACK if principal.is_taken_back else reason}"


def token_label(kernel: Kernel, issuer: str, token_id: str) -> bytes:
    """Return the keyed label that a token is taken back under."""
    return kernel.index.tag("revoked-token", f"{issuer}\n{token_id}".encode())


def account_label(kernel: Kernel, principal: PrincipalId) -> bytes:
    """Return the keyed label that all tokens of an account are taken back under."""
    return kernel.index.tag("revoked-account", principal.encode())


def _labels(kernel: Kernel, row: PrincipalRow | None, claims: Claims) -> tuple[bytes, ...]:
    """Return under what a caller's token may have been taken back; nothing where no token says who calls."""
    if not claims.issued_at:
        return ()
    own = (token_label(kernel, claims.issuer, claims.token_id),) if claims.token_id else ()
    return own if row is None else (*own, account_label(kernel, row.id))


def is_own(principal: Principal, subject: SubjectRow) -> bool:
    """Tell whether a subject is who acts."""
    return principal.employee_tag is not None and equal(principal.employee_tag, subject.number_tag)


def tiers_of(rows: Iterable[RecordRow]) -> str:
    """Say in an entry which records have another tier than the one that an omitted mark means."""
    told = " ".join(f"{row.id}={row.tier.value}" for row in rows if row.tier is not Tier.CONFIDENTIAL)
    return f"; tiers {told}" if told else ""


def denial(kernel: Kernel, principal: Principal, action: str) -> EntryDraft:
    """Draft the entry of a refusal for want of a role."""
    values = said_by(principal) | {
        "result": result_of(principal, NOT_PERMITTED),
        "rules": kernel.policy.rules("role"),
        "detail": action,
    }
    return EntryDraft(Kind.DENY, values)


def record_lines(
    fields: Iterable[SealedField], nonce: bytes = _NO_NONCE, drawn: Mapping[RecordId, Drawn] | None = None
) -> tuple[RecordLine, ...]:
    """Write sealed values as an entry names them, with the commitment of the copy that is served.

    Args:
        fields: the values as stored.
        nonce: 32 bytes, fresh for an entry that releases copies, kept in the entry's detail so that the commitment can
            be opened; none for an entry that stores or opens values without serving a copy.
        drawn: what was drawn for each record of a marked copy; None for an unmarked one.
    """
    if drawn is None:
        told = variant_commitment(b"", UNMARKED_TABLE, UNMARKED_EPOCH, nonce)
        return tuple([RecordLine(one.record, one.category, one.version, one.digest, told) for one in fields])
    lines = []
    for one in fields:
        vector, epoch = drawn[one.record]
        told = variant_commitment(vector, TABLE_VERSION, epoch, nonce)
        lines.append(RecordLine(one.record, one.category, one.version, one.digest, told))
    return tuple(lines)
