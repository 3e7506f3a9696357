"""The vault opens a value at its own place, under a receipt that covers it, once; anything else is refused."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import replace

import pytest

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.audit.receipt import Receipt
from registry.crypto.envelope import ciphertext_digest
from registry.domain.errors import EnvelopeRejected, KeyUnavailable, ReceiptRefused
from registry.domain.ids import PersonId, PrincipalId, RecordId, RegistryId, SubjectId, TraceId, new_id
from registry.keys.data_keys import DataKeys
from registry.transparency.fields import RecordLine
from registry.vault.cases import REPORT, TEXT, CaseVault
from registry.vault.sealed import SealedField
from registry.vault.vault import STOCK_SECONDS, Place, Vault
from tests.fakes.keys import MemoryProvider
from tests.unit.audit.ledgers import REGISTRY, Ledger

VALUE = {"number": "741-12-3456"}


class Room:
    """A vault, a ledger, and one sealed SSN."""

    def __init__(self) -> None:
        self.provider = MemoryProvider()
        self.keys = DataKeys(self.provider, RegistryId(REGISTRY))
        self.vault = Vault(REGISTRY, self.keys)
        self.ledger = Ledger()
        self.subject = self.ledger.subject()
        self.owner = self.vault.new_person()
        self.field = self.seal()

    def seal(self, record: str | None = None, version: int = 1, category: str = "ssn") -> SealedField:
        place = Place(self.subject, self.owner.id, RecordId(record or new_id()), category, version)
        return self.vault.seal(self.owner, place, VALUE, member="c1")

    def receipt(self, *fields: SealedField) -> Receipt:
        lines = tuple(RecordLine(f.record, f.category, f.version, f.digest, bytes(32)) for f in fields)
        return self.ledger.receipts(EntryDraft(Kind.DISCLOSE, {}, (self.subject,), lines))[0]


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_covered_value_opens_once(room: Room) -> None:
    receipt = room.receipt(room.field)
    revealed = room.vault.open(room.field, receipt)
    assert (dict(revealed.expose()), revealed.member, revealed.category) == (VALUE, "c1", "ssn")
    with pytest.raises(ReceiptRefused):
        room.vault.open(room.field, receipt)


def test_no_receipt_for_it_no_plaintext(room: Room) -> None:
    other = room.receipt(room.seal())
    calls = len(room.provider.calls)
    with pytest.raises(ReceiptRefused):
        room.vault.open(room.field, other)
    assert len(room.provider.calls) == calls


MOVES: dict[str, Callable[[SealedField], SealedField]] = {
    "subject": lambda f: f._replace(subject=SubjectId(new_id())),
    "person": lambda f: f._replace(person=PersonId(new_id())),
    "record": lambda f: f._replace(record=RecordId(new_id())),
    "category": lambda f: f._replace(category="phone"),
    "version": lambda f: f._replace(version=2),
}


@pytest.mark.parametrize("part", MOVES)
def test_a_moved_or_rolled_back_ciphertext_does_not_open(room: Room, part: str) -> None:
    moved = MOVES[part](room.field)
    with pytest.raises(EnvelopeRejected):
        room.vault.open(moved, room.receipt(moved))


def test_another_registry_cannot_open_it(room: Room) -> None:
    foreign = Vault("f" * 32, room.keys)
    with pytest.raises(EnvelopeRejected):
        foreign.open(room.field, room.receipt(room.field))


def test_bytes_exchanged_behind_the_digest_do_not_open(room: Room) -> None:
    """The receipt covers a digest; bytes that no longer have it are refused before any key is used."""
    newer = room.seal(room.field.record)
    swapped = room.field._replace(sealed=newer.sealed)
    with pytest.raises(EnvelopeRejected, match="digest"):
        room.vault.open(swapped, room.receipt(room.field))


def test_a_key_service_that_does_not_answer_opens_nothing(room: Room) -> None:
    room.keys.forget_all()
    room.provider.fail_next()
    with pytest.raises(KeyUnavailable):
        room.vault.open(room.field, room.receipt(room.field))


def test_a_revealed_value_does_not_show_itself(room: Room) -> None:
    revealed = room.vault.open(room.field, room.receipt(room.field))
    for shown in (repr(revealed), str(revealed), f"{revealed}", f"{revealed:>40}"):
        assert "741-12" not in shown
    for attempt in (json.dumps, pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(revealed)
    assert "741-12" not in repr(room.field)


def test_equal_values_are_unlike_at_rest(room: Room) -> None:
    sealed = {room.seal().sealed for _ in range(50)}
    assert len(sealed) == 50
    assert len({len(one) for one in sealed}) == 1


def test_a_case_opens_part_by_part_under_its_own_entry(room: Room) -> None:
    cases = CaseVault(REGISTRY, room.keys)
    trace = TraceId(new_id())
    case = cases.seal(cases.new_case(trace), PrincipalId(new_id()), "what was pasted \ud800", b'{"report": 1}')

    def receipt(part: int, sealed: bytes) -> Receipt:
        line = RecordLine(RecordId(trace), "case", part, ciphertext_digest(sealed), bytes(32))
        return room.ledger.receipts(EntryDraft(Kind.AUDIT_READ, {}, (), (line,)))[0]

    assert cases.open_text(case, receipt(TEXT, case.text)) == "what was pasted \ud800"
    assert cases.open_report(case, receipt(REPORT, case.report)) == b'{"report": 1}'
    with pytest.raises(ReceiptRefused):
        cases.open_text(case, receipt(REPORT, case.report))
    with pytest.raises(ReceiptRefused):
        cases.open_report(case, receipt(TEXT, case.text))
    exchanged = replace(case, text=case.report, report=case.text)
    with pytest.raises(EnvelopeRejected):
        cases.open_text(exchanged, receipt(TEXT, exchanged.text))
    handed_on = replace(case, principal=PrincipalId(new_id()))
    with pytest.raises(EnvelopeRejected):
        cases.open_text(handed_on, receipt(TEXT, case.text))


def test_a_value_is_bound_to_its_person_apart_from_the_persons_key(room: Room) -> None:
    place = Place(SubjectId(new_id()), PersonId(new_id()), RecordId(new_id()), "phone", 1)
    other = replace(place, person=PersonId(new_id()))
    assert room.vault._binding(place) != room.vault._binding(other)


def test_stocked_people_are_handed_out_once_and_not_for_long(room: Room) -> None:
    now = 1_000.0
    vault = Vault(REGISTRY, room.keys, monotonic=lambda: now)
    room.provider.calls.clear()
    vault.stock(3)
    vault.stock(2)
    people = {vault.new_person().id for _ in range(3)}
    assert len(people) == 3
    assert room.provider.calls == ["wrap_many"]
    vault.stock(2)
    now += STOCK_SECONDS
    # Else a person could be enrolled under a version of the key that was withdrawn meanwhile.
    vault.new_person()
    assert room.provider.calls == ["wrap_many", "wrap_many", "wrap"]
    vault.stock(1)
    assert room.provider.calls[-1] == "wrap_many"
