"""A whole ledger in memory with keys of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.audit.bodies import BodyKeys
from registry.audit.chains import Chains, ChainState
from registry.audit.check_run import check_chunk
from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.audit.log import AuditLog, LogKeys
from registry.audit.receipt import PendingReceipt, Receipt
from registry.audit.verify import LedgerVerifier, Verified
from registry.crypto.envelope import DataKey
from registry.crypto.sign import SigningKey, verify_signature
from registry.domain.clock import unix_ms
from registry.domain.errors import KeyUnavailable, ProofRejected
from registry.domain.ids import RecordId, SubjectId, new_id
from registry.transparency.fields import RecordLine
from registry.transparency.merkle import Edge
from registry.transparency.note import Verifier, key_id_of, sign_note, verifier_key
from tests.fakes.clock import TestClock
from tests.fakes.ledger import MemoryLedger

ORIGIN = "registry.example/audit/e1"
REGISTRY = "0" * 31 + "1"


class NoteKey:
    def __init__(self, seed: bytes) -> None:
        self.signing = SigningKey(seed)
        self.key_id = key_id_of(ORIGIN, self.signing.public_bytes)

    origin = next_origin = ORIGIN
    epoch = 1

    def origin_at(self, index: int) -> str:
        del index
        return self.origin

    def signed(self, text: str, size: int) -> str:
        del size
        return sign_note(text, ORIGIN, self.key_id, self.signing.sign)

    def signed_by_both(self, text: str) -> str:
        raise KeyUnavailable(text.partition("\n")[0])

    def caught_up(self, note: str) -> bool:
        return not note


def make_log(clock: TestClock, seed: bytes = b"\x07" * 32) -> tuple[AuditLog, Verifier]:
    note = NoteKey(seed)
    public = note.signing.public_bytes
    keys = LogKeys(
        note=note,
        bodies=BodyKeys(REGISTRY, {1: DataKey(b"\x01" * 32)}),
        chains=Chains(REGISTRY, b"\x03" * 32),
        codes=lambda _index: b"\x04" * 32,
    )

    def check(signature: bytes, message: bytes, /) -> bool:
        try:
            verify_signature(public, message, signature)
        except ProofRejected:
            return False
        return True

    return AuditLog(keys, clock), Verifier(verifier_key(ORIGIN, public), check)


@dataclass
class Ledger:
    """An empty ledger to append to."""

    clock: TestClock = field(default_factory=TestClock)
    store: MemoryLedger = field(default_factory=MemoryLedger)

    def __post_init__(self) -> None:
        self.log, self.verifier = make_log(self.clock)
        self.store.head_row = self.log.sign_head(1, Edge.empty(), unix_ms(self.clock.now()))

    def subject(self) -> SubjectId:
        subject = SubjectId(new_id())
        self.store.chains[subject] = self.log.chains.seal(subject, ChainState())
        return subject

    def append(self, *drafts: EntryDraft) -> tuple[PendingReceipt, ...]:
        pendings = self.log.append(self.store, drafts)
        self.store.commit()
        return pendings

    def receipts(self, *drafts: EntryDraft) -> tuple[Receipt, ...]:
        return self.log.mint(self.store, self.append(*drafts))

    def verify(self) -> Verified:
        head = self.store.head()
        rows = list(self.store.scan(0, head.size))
        found = LedgerVerifier(self.log, self.verifier).verify(head, [check_chunk(self.log, 0, rows)], lambda *_: None)
        LedgerVerifier(self.log, self.verifier).check_subjects(self.store, self.store.chains.items(), found)
        LedgerVerifier(self.log, self.verifier).check_tail(self.store, found)
        return found


def line(record: RecordId | None = None, version: int = 1, digest: bytes = b"\x0a" * 32) -> RecordLine:
    return RecordLine(record or RecordId(new_id()), "phone", version, digest, b"\x0b" * 32)


def disclosed(subject: SubjectId, *lines: RecordLine, **values: str) -> EntryDraft:
    return EntryDraft(Kind.DISCLOSE, values, (subject,), lines)
