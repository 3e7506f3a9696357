"""What somebody with the database, but without keys, does to the ledger; each test failed before its mend."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from registry.audit import log
from registry.audit.chains import ChainState
from registry.audit.entries import EntryDraft
from registry.audit.kinds import OPENS, Kind
from registry.audit.receipt import Covered
from registry.domain.errors import AuditUnavailable, LedgerCorrupt, NotDurable, ReceiptRefused
from registry.domain.ids import RecordId, new_id
from registry.transparency.leaf import leaf_hash
from registry.transparency.merkle import Edge
from tests.unit.audit.ledgers import Ledger, disclosed, line


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    for _ in range(5):
        made.append(disclosed(made.subject(), line()))
    return made


@pytest.mark.parametrize("kind", sorted(set(Kind) - OPENS))
def test_an_entry_that_opens_nothing_gives_a_receipt_that_opens_nothing(ledger: Ledger, kind: Kind) -> None:
    """A refusal names the records that it refused; its receipt must not open them."""
    record = RecordId(new_id())
    (receipt,) = ledger.receipts(EntryDraft(kind, {}, (ledger.subject(),), (line(record),)))
    with pytest.raises(ReceiptRefused):
        receipt.redeem(Covered(record, 1, b"\x0a" * 32))


@pytest.mark.parametrize("kind", sorted(OPENS))
def test_the_kinds_that_open(ledger: Ledger, kind: Kind) -> None:
    record = RecordId(new_id())
    (receipt,) = ledger.receipts(EntryDraft(kind, {}, (ledger.subject(),), (line(record),)))
    receipt.redeem(Covered(record, 1, b"\x0a" * 32))
    assert receipt.kind == kind


def test_no_checkpoint_is_signed_over_a_tree_that_somebody_else_put_there(ledger: Ledger) -> None:
    """Whoever edits the head would else have the next entry sign their tree with our key."""
    head = ledger.store.head()
    false = Edge.empty().extend([b"\x66" * 32] * 5)
    ledger.store.head_row = replace(head, edge=false.to_bytes(), root=false.root())
    with pytest.raises(AuditUnavailable) as refused:
        ledger.append(EntryDraft(Kind.SEARCH))
    assert refused.value.cause == "head_mismatch"
    ledger.store.head_row = head
    ledger.append(EntryDraft(Kind.SEARCH))
    assert ledger.verify().size == 6


def test_a_shortened_head_is_not_extended(ledger: Ledger) -> None:
    head = ledger.store.head()
    edge = Edge.empty().extend(leaf_hash(ledger.store.rows[index].leaf) for index in range(4))
    del ledger.store.rows[4]
    ledger.store.head_row = replace(head, size=4, edge=edge.to_bytes(), root=edge.root())
    with pytest.raises(AuditUnavailable):
        ledger.append(EntryDraft(Kind.SEARCH))


@pytest.mark.parametrize("change", [{"size": 6}, {"edge": b"\x00" * 31}, {"checkpoint": "nothing"}, {"size": -1}])
def test_a_head_that_does_not_hold_together_stops_everything(ledger: Ledger, change: dict[str, object]) -> None:
    ledger.store.head_row = replace(ledger.store.head(), **change)  # type: ignore[arg-type]  # any column
    with pytest.raises(AuditUnavailable) as refused:
        ledger.append(EntryDraft(Kind.SEARCH))
    assert refused.value.cause == "head_mismatch"


def test_an_earlier_head_with_its_own_signature_is_noticed_while_we_run(ledger: Ledger) -> None:
    """A head restored from a backup is signed by us; this process remembers that the ledger was longer."""
    early = ledger.store.head()
    ledger.receipts(disclosed(ledger.subject(), line()))
    del ledger.store.rows[5]
    ledger.store.head_row = early
    with pytest.raises(AuditUnavailable) as refused:
        ledger.append(EntryDraft(Kind.SEARCH))
    assert refused.value.cause == "rolled_back"


def test_a_failed_commit_is_no_rollback(ledger: Ledger) -> None:
    ledger.store.fail_next(persisted=False)
    with pytest.raises(AuditUnavailable):
        ledger.append(EntryDraft(Kind.SEARCH))
    ledger.append(EntryDraft(Kind.SEARCH))
    assert ledger.verify().size == 6


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_bit_that_flips_while_it_is_hashed_is_not_signed(
    ledger: Ledger, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the four hashes that two entries take any may be wrong: nothing is written, and the next append is sound."""
    calls = count(1)

    def flipping(leaf: bytes) -> bytes:
        hashed = leaf_hash(leaf)
        return hashed if next(calls) != at else bytes([hashed[0] ^ 1]) + hashed[1:]

    before = ledger.store.head()
    drafts = [disclosed(ledger.subject(), line()) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(log, "leaf_hash", flipping)
        with pytest.raises(AuditUnavailable) as refused:
            ledger.append(*drafts)
    assert refused.value.cause == "hash_mismatch"
    assert (ledger.store.head(), len(ledger.store.rows)) == (before, 5)
    ledger.append(*drafts)
    assert ledger.verify().size == 7


def test_an_opening_that_nobody_was_told_of_is_not_removed_unseen(ledger: Ledger) -> None:
    """The trigger lets an opening be removed; who hides a look-up that way must not pass."""
    ledger.append(EntryDraft(Kind.SEARCH))  # about nobody, so that no chain tells
    ledger.store.tamper(5, sealed=None)
    with pytest.raises(LedgerCorrupt, match="opening was removed") as found:
        ledger.verify()
    assert found.value.entry == 5


def test_a_rolled_back_chain_with_its_postings_cut_is_found(ledger: Ledger) -> None:
    subject = ledger.subject()
    ledger.append(disclosed(subject, line()))
    early, links = ledger.store.chains[subject], dict(ledger.store.links)
    ledger.append(disclosed(subject, line()))
    ledger.store.chains[subject], ledger.store.links = early, links
    with pytest.raises(LedgerCorrupt) as found:
        ledger.verify()
    assert found.value.entry == 6
    assert ledger.log.chains.open(subject, early) == ChainState(1, 5)


def test_a_fork_of_a_subjects_chain_is_found(ledger: Ledger) -> None:
    """Put back, cut, and appended to after a restart: state and postings agree, two entries claim one place."""
    subject = ledger.subject()
    ledger.append(disclosed(subject, line()))
    early, links = ledger.store.chains[subject], dict(ledger.store.links)
    ledger.append(disclosed(subject, line()))
    ledger.store.chains[subject], ledger.store.links = early, links
    ledger.append(disclosed(subject, line()))
    with pytest.raises(LedgerCorrupt, match="does not follow") as found:
        ledger.verify()
    assert found.value.entry == 7


def test_a_subject_whose_row_is_gone_is_found(ledger: Ledger) -> None:
    del ledger.store.chains[next(iter(ledger.store.chains))]
    with pytest.raises(LedgerCorrupt, match="row of its subject is missing"):
        ledger.verify()


def test_no_receipt_while_the_head_does_not_count_the_entry(ledger: Ledger) -> None:
    head = ledger.store.head()
    pendings = ledger.append(disclosed(ledger.subject(), line()))
    ledger.store.head_row = head
    with pytest.raises(NotDurable):
        ledger.log.mint(ledger.store, pendings)
