"""What investigators paste is protected too: sealed under its trace's own key, opened under a receipt like a value."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.audit.receipt import Covered, Receipt
from registry.crypto.envelope import MAX_PLAINTEXT_BYTES, Binding, DataKey, ciphertext_digest, seal, unseal
from registry.domain.ids import PersonId, PrincipalId, RecordId, TraceId
from registry.keys.data_keys import DataKeys
from registry.keys.ports import WrappedKey

# What is kept of a trace, as versions of one sealed thing.
TEXT = 1
REPORT = 2
CATEGORY = "case"
MOST_BYTES = MAX_PLAINTEXT_BYTES  # of the text or the report
# Parts that were added later count on from here.
FIRST_ADDED = 3


@dataclass(frozen=True, slots=True)
class SealedCase:
    """A trace's pasted text and report, sealed to the trace and to who ran it."""

    trace: TraceId
    principal: PrincipalId
    key: WrappedKey
    text: bytes = field(repr=False)
    report: bytes = field(repr=False)

    @property
    def covered(self) -> tuple[Covered, Covered]:
        """What a receipt must cover to open text and report."""
        record = RecordId(self.trace)
        return (
            Covered(record, TEXT, ciphertext_digest(self.text)),
            Covered(record, REPORT, ciphertext_digest(self.report)),
        )


@dataclass(frozen=True, slots=True)
class NewCase:
    """A trace whose key was just made, in the clear for sealing now and wrapped for storage."""

    trace: TraceId
    key: DataKey
    wrapped: WrappedKey


def part_digest(sealed: bytes) -> bytes:
    """Return the 32 bytes by which an entry and a receipt name a sealed part."""
    return ciphertext_digest(sealed)


class CaseVault:
    """Seals and opens what is kept of traces."""

    def __init__(self, registry: str, keys: DataKeys) -> None:
        self._registry = registry
        self._keys = keys

    def new_case(self, trace: TraceId) -> NewCase:
        """Make the key of a new trace, before a transaction holds what others wait for."""
        return NewCase(trace, *self._keys.new_key(PersonId(trace)))

    def seal(self, case: NewCase, principal: PrincipalId, text: str, report: bytes) -> SealedCase:
        """Seal the text and report of a trace that a principal ran."""
        trace, key = case.trace, case.key
        return SealedCase(
            trace,
            principal,
            case.wrapped,
            seal(key, text.encode("utf-8", "surrogatepass"), self._binding(trace, principal, TEXT)),
            seal(key, report, self._binding(trace, principal, REPORT)),
        )

    def seal_part(self, case: SealedCase, part: int, content: bytes) -> bytes:
        """Seal what is added to a case later, as its part of this number."""
        key = self._keys.open_key(PersonId(case.trace), case.key)
        return seal(key, content, self._binding(case.trace, case.principal, part))

    def open_part(self, case: SealedCase, part: int, sealed: bytes, receipt: Receipt) -> bytes:
        """Open what was added to a case.

        Raises:
            ReceiptRefused: the entry does not name it.
            EnvelopeRejected: the stored bytes were changed or moved.
        """
        receipt.redeem(Covered(RecordId(case.trace), part, ciphertext_digest(sealed)))
        key = self._keys.open_key(PersonId(case.trace), case.key)
        return unseal(key, sealed, self._binding(case.trace, case.principal, part))

    def open_text(self, case: SealedCase, receipt: Receipt) -> str:
        """Open the pasted text.

        Raises:
            ReceiptRefused: the entry does not name it.
            EnvelopeRejected: the stored bytes were changed or moved.
        """
        receipt.redeem(case.covered[0])
        key = self._keys.open_key(PersonId(case.trace), case.key)
        return unseal(key, case.text, self._binding(case.trace, case.principal, TEXT)).decode("utf-8", "surrogatepass")

    def open_report(self, case: SealedCase, receipt: Receipt) -> bytes:
        """Open the report.

        Raises:
            ReceiptRefused: the entry does not name it.
            EnvelopeRejected: the stored bytes were changed or moved.
        """
        receipt.redeem(case.covered[1])
        key = self._keys.open_key(PersonId(case.trace), case.key)
        return unseal(key, case.report, self._binding(case.trace, case.principal, REPORT))

    def _binding(self, trace: TraceId, principal: PrincipalId, what: int) -> Binding:
        return Binding(self._registry, principal, trace, CATEGORY, what)
