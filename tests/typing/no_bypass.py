"""Calls that must be type errors. Never run; read by mypy (``make types``).

Each line below is an attempt to reach plaintext, or to pass one thing off as another, without what it takes. The ignore
names the error that stops it: should the error vanish, mypy reports the ignore as unused and the check fails.
"""

from __future__ import annotations

import json

from registry.audit import log, receipt
from registry.audit.receipt import Covered, PendingReceipt, Receipt, StoredEntry
from registry.domain.ids import PersonId, RecordId, SubjectId
from registry.domain.personal import PersonalValue
from registry.vault.revealed import RevealedField
from registry.vault.sealed import SealedField
from registry.vault.vault import Place, Vault


def open_without_a_receipt(vault: Vault, sealed: SealedField) -> None:
    vault.open(sealed)  # type: ignore[call-arg]  # no receipt, no plaintext
    vault.open(sealed, None)  # type: ignore[arg-type]  # nothing is not a receipt
    vault.open(sealed, "entry 12")  # type: ignore[arg-type]  # nor is a text


def open_before_the_commit(vault: Vault, sealed: SealedField, pending: PendingReceipt) -> None:
    vault.open(sealed, pending)  # type: ignore[arg-type]  # appended is not durable


def open_when_there_may_be_one(vault: Vault, sealed: SealedField, maybe: Receipt | None) -> None:
    vault.open(sealed, maybe)  # type: ignore[arg-type]  # first make sure


def open_the_bytes(vault: Vault, sealed: SealedField, minted: Receipt) -> None:
    vault.open(sealed.sealed, minted)  # type: ignore[arg-type]  # bytes without their place


def mint_by_hand(pending: PendingReceipt, stored: StoredEntry, covered: frozenset[Covered]) -> None:
    Receipt(object(), pending, stored, covered)  # type: ignore[arg-type]  # only the ledger mints
    Receipt(pending, stored, covered)  # type: ignore[call-arg]  # and never without the mint


def borrow_the_mint() -> tuple[object, object]:
    return (
        log.MINT,  # type: ignore[attr-defined]  # the mint is not handed on by the ledger
        receipt.MINT,  # type: ignore[attr-defined]  # nor by the receipt's module
    )


class OwnReceipt(Receipt):  # type: ignore[misc]  # final: a receipt of another class would redeem anything
    def redeem(self, asked: Covered) -> None:
        """Agree to everything."""


class OwnField(RevealedField):  # type: ignore[misc]  # final: another class could show itself in a repr
    pass


def show_by_accident(revealed: RevealedField, submitted: PersonalValue) -> str:
    text: str = revealed  # type: ignore[assignment]  # plaintext comes out of expose() only
    text += submitted  # type: ignore[operator]  # so does what was submitted
    json.dumps({"value": revealed.value})  # type: ignore[attr-defined]  # there is no such attribute
    return revealed  # type: ignore[return-value]  # a field is not its text


def swap_identifiers(person: PersonId, subject: SubjectId, record: RecordId) -> tuple[Place, ...]:
    return (
        Place(person, person, record, "phone", 1),  # type: ignore[arg-type]  # a person is not a subject
        Place(subject, subject, record, "phone", 1),  # type: ignore[arg-type]  # nor the other way round
        Place(subject, person, subject, "phone", 1),  # type: ignore[arg-type]  # and neither is a record
        Place(subject, person, "00", "phone", 1),  # type: ignore[arg-type]  # nor is any text
    )


def change_what_is_sealed(sealed: SealedField) -> None:
    sealed.version = 2  # type: ignore[misc]  # frozen: a version is bound into the ciphertext
