"""Appending and minting: contiguous, chained, durable before it counts, and failing closed."""

from __future__ import annotations

import copy
import pickle

import pytest

from registry.audit.entries import EntryDraft
from registry.audit.first_entry import first_entry
from registry.audit.kinds import Kind
from registry.audit.receipt import Covered, PendingReceipt, Receipt, StoredEntry
from registry.domain.errors import AuditUnavailable, LedgerCorrupt, NotDurable, ReceiptRefused
from registry.domain.ids import EntryIndex, RecordId, new_id
from registry.transparency.leaf import parse_leaf
from tests.unit.audit.ledgers import Ledger, disclosed, line


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_entries_get_contiguous_indexes_and_a_verified_tree(ledger: Ledger) -> None:
    subject, other = ledger.subject(), ledger.subject()
    ledger.append(disclosed(subject, line()), disclosed(other), EntryDraft(Kind.SEARCH))
    ledger.append(disclosed(subject, line(), line()))
    verified = ledger.verify()
    assert verified.size == 4
    assert verified.subjects == 2
    assert sorted(ledger.store.rows) == [0, 1, 2, 3]


def test_each_subject_is_counted_and_linked(ledger: Ledger) -> None:
    subject, other = ledger.subject(), ledger.subject()
    ledger.append(disclosed(subject), EntryDraft(Kind.OPEN, {}, tuple(sorted((subject, other)))), disclosed(subject))
    values = [ledger.log.opening(row).values for row in ledger.store.rows.values()]  # type: ignore[union-attr]  # none was removed
    assert (values[0]["counter"], values[0]["previous"]) == ("1", "-")
    assert (values[2]["counter"], values[2]["previous"]) == ("3", "1")
    both = dict(zip(values[1]["subject"].split(), values[1]["counter"].split(), strict=True))
    assert both == {subject: "2", other: "1"}
    assert list(ledger.log.chains.indexes(ledger.store, subject)) == [0, 1, 2]
    assert list(ledger.log.chains.indexes(ledger.store, other)) == [1]


def test_an_entry_behind_the_first_one_of_its_subject_follows_it(ledger: Ledger) -> None:
    subject = ledger.subject()
    first = first_entry(EntryDraft(Kind.ENROLL, {"result": "created"}, (subject,), (line(),)))
    ledger.log.append(ledger.store, [first, disclosed(subject), disclosed(subject)])
    ledger.store.commit()
    assert ledger.verify().chains[subject] == (3, 2)


def test_subject_rows_are_taken_before_the_head_and_in_order(ledger: Ledger) -> None:
    subjects = [ledger.subject() for _ in range(5)]
    ledger.log.append(ledger.store, [disclosed(subject) for subject in subjects])
    assert ledger.store.locks == [*sorted(subjects), "head"]


def test_a_leaf_shows_neither_values_nor_subject(ledger: Ledger) -> None:
    subject = ledger.subject()
    ledger.append(disclosed(subject, line(), purpose="payroll", case="CASE-77", note="pay day"))
    row = ledger.store.rows[0]
    for secret in (subject.encode(), b"payroll", b"CASE-77", b"pay day"):
        assert secret not in row.leaf
        assert row.sealed is not None
        assert secret not in row.sealed


def test_equal_entries_have_nothing_in_common_at_rest(ledger: Ledger) -> None:
    subject = ledger.subject()
    same = line()
    states = []
    for _ in range(20):
        ledger.append(disclosed(subject, same, purpose="payroll"))
        states.append(ledger.store.chains[subject])
    commitments = [c for row in ledger.store.rows.values() for c in parse_leaf(row.leaf).commitments]
    assert len(set(commitments)) == len(commitments)
    assert len(set(states)) == 20
    assert len(set(ledger.store.links.values())) == 20


def test_time_never_goes_back_and_a_broken_clock_stops_everything(ledger: Ledger) -> None:
    ledger.append(EntryDraft(Kind.SEARCH))
    ledger.clock.step(-3)
    ledger.append(EntryDraft(Kind.SEARCH))
    times = [parse_leaf(row.leaf).unix_ms for row in ledger.store.rows.values()]
    assert times[0] == times[1]
    ledger.clock.step(-10)
    with pytest.raises(AuditUnavailable) as refused:
        ledger.append(EntryDraft(Kind.SEARCH))
    assert refused.value.cause == "clock_behind"
    assert ledger.verify().size == 2


def test_an_unknown_field_is_a_fault_of_ours(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no such entry fields"):
        ledger.append(EntryDraft(Kind.SEARCH, {"colour": "blue"}))


def test_a_receipt_covers_what_its_entry_names_once(ledger: Ledger) -> None:
    record = RecordId(new_id())
    (receipt,) = ledger.receipts(disclosed(ledger.subject(), line(record, 3)))
    receipt.redeem(Covered(record, 3, b"\x0a" * 32))
    with pytest.raises(ReceiptRefused, match="used"):
        receipt.redeem(Covered(record, 3, b"\x0a" * 32))


@pytest.mark.parametrize(("version", "digest"), [(2, b"\x0a" * 32), (3, b"\x0c" * 32)])
def test_a_receipt_covers_no_other_version_or_bytes(ledger: Ledger, version: int, digest: bytes) -> None:
    record = RecordId(new_id())
    (receipt,) = ledger.receipts(disclosed(ledger.subject(), line(record, 3)))
    with pytest.raises(ReceiptRefused, match="cover"):
        receipt.redeem(Covered(record, version, digest))
    with pytest.raises(ReceiptRefused, match="cover"):
        receipt.redeem(Covered(RecordId(new_id()), 3, b"\x0a" * 32))


def test_nothing_is_minted_before_the_commit(ledger: Ledger) -> None:
    pendings = ledger.log.append(ledger.store, [disclosed(ledger.subject(), line())])
    with pytest.raises(NotDurable):
        ledger.log.mint(ledger.store, pendings)
    ledger.store.roll_back()
    with pytest.raises(NotDurable):
        ledger.log.mint(ledger.store, pendings)


def test_the_scope_comes_from_the_stored_row(ledger: Ledger) -> None:
    """A pending receipt of one's own making gets another entry's scope, never its own wish."""
    ledger.append(EntryDraft(Kind.SEARCH))
    forged = PendingReceipt(EntryIndex(0), new_id(), 1)
    with pytest.raises(NotDurable):
        ledger.log.mint(ledger.store, [forged])


@pytest.mark.parametrize("column", ["leaf", "sealed"])
def test_no_receipt_for_a_row_that_is_not_as_written(ledger: Ledger, column: str) -> None:
    pendings = ledger.append(disclosed(ledger.subject(), line()), disclosed(ledger.subject(), line()))
    ledger.store.tamper(0, **{column: getattr(ledger.store.rows[1], column)})
    with pytest.raises(NotDurable):
        ledger.log.mint(ledger.store, pendings)


def test_a_receipt_cannot_be_made_kept_or_copied(ledger: Ledger) -> None:
    (receipt,) = ledger.receipts(EntryDraft(Kind.SEARCH))
    stored = StoredEntry(ledger.log.origin, "disclose", "0000-0000")
    with pytest.raises(ReceiptRefused):
        Receipt(object(), PendingReceipt(EntryIndex(0), new_id(), 1), stored, frozenset())  # type: ignore[arg-type]  # the forgery
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(receipt)


def test_a_receipt_says_origin_index_and_size_and_a_readable_code(ledger: Ledger) -> None:
    first, second = ledger.receipts(EntryDraft(Kind.SEARCH), EntryDraft(Kind.SEARCH))
    assert first.header == f"{ledger.log.origin} 0 2"
    assert first.code != second.code
    assert len(first.code) == 9
    assert first.code == ledger.log.code_of(0)


def test_an_opening_belongs_to_its_entry_alone(ledger: Ledger) -> None:
    ledger.append(disclosed(ledger.subject(), purpose="payroll"), disclosed(ledger.subject(), purpose="benefits"))
    ledger.store.tamper(0, sealed=ledger.store.rows[1].sealed)
    with pytest.raises(LedgerCorrupt, match="entry 0"):
        ledger.log.opening(ledger.store.rows[0])
