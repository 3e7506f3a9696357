"""Verification names the first bad entry, whatever somebody with the database did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from registry.audit.bodies import BodyKeys, Opening
from registry.audit.chains import ChainState
from registry.audit.check_run import BACK, MISSING, check_chunk, check_leaves
from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.audit.verify import LedgerVerifier, Verified
from registry.crypto.envelope import DataKey
from registry.domain.errors import LedgerCorrupt
from registry.transparency.leaf import leaf_hash
from registry.transparency.merkle import Edge
from tests.unit.audit.ledgers import REGISTRY, Ledger, disclosed, line, make_log


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    subjects = [made.subject() for _ in range(3)]
    for number in range(12):
        made.append(disclosed(subjects[number % 3], line(), purpose="payroll"))
    assert made.verify().size == 12
    return made


def flip(data: bytes, place: int = -20) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def delete_middle(ledger: Ledger) -> None:
    del ledger.store.rows[5]


def renumber(ledger: Ledger) -> None:
    rows = ledger.store.rows
    for index in range(5, 11):
        rows[index] = rows[index + 1]._replace(index=index)
    del rows[11]


def swap(ledger: Ledger) -> None:
    rows = ledger.store.rows
    rows[5], rows[6] = rows[6]._replace(index=5), rows[5]._replace(index=6)


def edit_leaf(ledger: Ledger) -> None:
    ledger.store.tamper(5, leaf=flip(ledger.store.rows[5].leaf))


def edit_opening(ledger: Ledger) -> None:
    ledger.store.tamper(5, sealed=flip(ledger.store.rows[5].sealed or b""))


def exchange_event(ledger: Ledger) -> None:
    ledger.store.tamper(5, event="f" * 32)


@pytest.mark.parametrize("act", [delete_middle, renumber, swap, edit_leaf, edit_opening, exchange_event])
def test_the_first_bad_entry_is_named(ledger: Ledger, act: Callable[[Ledger], None]) -> None:
    act(ledger)
    with pytest.raises(LedgerCorrupt) as found:
        ledger.verify()
    assert found.value.entry == 5


def test_what_was_removed_with_a_later_entry_is_not_named_for_another_fault(ledger: Ledger) -> None:
    ledger.store.tamper(3, sealed=None)
    ledger.append(EntryDraft(Kind.PRUNE, {"result": "pruned 1", "request": "below 4", "detail": "openings 3"}))
    ledger.verify()  # entry 6 follows one that says nothing any more, and entry 12 says why
    ledger.store.tamper(8, sealed=flip(ledger.store.rows[8].sealed or b""))
    with pytest.raises(LedgerCorrupt) as caught:
        ledger.verify()
    assert caught.value.entry == 8


def test_a_cut_tail_is_missed(ledger: Ledger) -> None:
    del ledger.store.rows[11]
    with pytest.raises(LedgerCorrupt) as found:
        ledger.verify()
    assert found.value.entry == 11


def test_a_tail_cut_together_with_the_head_is_not_signed(ledger: Ledger) -> None:
    del ledger.store.rows[11]
    hashes = [leaf_hash(ledger.store.rows[index].leaf) for index in range(11)]
    edge = Edge.empty().extend(hashes)
    ledger.store.head_row = replace(ledger.store.head(), size=11, edge=edge.to_bytes(), root=edge.root())
    with pytest.raises(LedgerCorrupt, match="another tree"):
        ledger.verify()


def test_a_head_signed_by_another_key_does_not_verify(ledger: Ledger) -> None:
    head = ledger.store.head()
    forger, _ = make_log(ledger.clock, seed=b"\x66" * 32)
    edge = Edge.from_bytes(head.size, head.edge)
    ledger.store.head_row = forger.sign_head(1, edge, head.last_ms)
    with pytest.raises(LedgerCorrupt, match="checkpoint"):
        ledger.verify()


def test_a_false_edge_is_found(ledger: Ledger) -> None:
    head = ledger.store.head()
    ledger.store.head_row = replace(head, edge=flip(head.edge))
    with pytest.raises(LedgerCorrupt, match="edge"):
        ledger.verify()


def test_a_lost_posting_is_found(ledger: Ledger) -> None:
    ledger.store.links.pop(next(iter(ledger.store.links)))
    with pytest.raises(LedgerCorrupt, match="not as many"):
        ledger.verify()


def test_a_rolled_back_chain_state_is_found(ledger: Ledger) -> None:
    subject = next(iter(ledger.store.chains))
    ledger.store.chains[subject] = ledger.log.chains.seal(subject, ChainState(1, 0))
    with pytest.raises(LedgerCorrupt, match="not as many"):
        ledger.verify()


def test_a_chain_state_of_another_subject_does_not_open(ledger: Ledger) -> None:
    one, other, *_ = ledger.store.chains
    ledger.store.chains[one] = ledger.store.chains[other]
    with pytest.raises(LedgerCorrupt, match="chain state"):
        ledger.verify()


def test_people_are_checked_while_entries_go_on(ledger: Ledger) -> None:
    found = ledger.verify()
    subject = next(iter(ledger.store.chains))
    ledger.append(disclosed(subject, line()), disclosed(ledger.subject(), line()))
    LedgerVerifier(ledger.log, ledger.verifier).check_subjects(ledger.store, ledger.store.all_states(), found)


def test_a_state_that_counts_entries_behind_a_cut_head_is_found(ledger: Ledger) -> None:
    before = ledger.store.head_row
    ledger.append(disclosed(next(iter(ledger.store.chains)), line()))
    ledger.store.head_row = before
    with pytest.raises(LedgerCorrupt, match="not as many"):
        ledger.verify()


def test_a_posting_that_names_another_entry_is_found(ledger: Ledger) -> None:
    """One that this registry made itself, of entries that were lost since: every count and tag fits."""
    subject = next(iter(ledger.store.chains))
    label, value = ledger.log.chains.posting(subject, 1, 7)
    assert ledger.store.links[label] != value
    ledger.store.links[label] = value
    with pytest.raises(LedgerCorrupt, match="name other entries"):
        ledger.verify()


def test_an_exchange_of_two_postings_is_found(ledger: Ledger) -> None:
    subject = next(iter(ledger.store.chains))
    first, second, *_ = ledger.log.chains.indexes(ledger.store, subject)
    ledger.store.links |= dict(
        [ledger.log.chains.posting(subject, 1, second), ledger.log.chains.posting(subject, 2, first)]
    )
    with pytest.raises(LedgerCorrupt, match="name other entries"):
        ledger.verify()


def of_the_tree(ledger: Ledger) -> Verified:
    head = ledger.store.head()
    checked = [check_leaves(start, ledger.store.leaves(start, start + 4)) for start in range(0, head.size, 4)]
    return LedgerVerifier(ledger.log, ledger.verifier).verify(head, checked, lambda *_: None)


def test_the_tree_is_checked_without_what_entries_say(ledger: Ledger) -> None:
    whole, found = ledger.verify(), of_the_tree(ledger)
    assert (found.origin, found.size, found.root, found.silences) == (whole.origin, 12, whole.root, whole.silences)
    assert not found.chains
    edit_opening(ledger)
    assert of_the_tree(ledger) == found


@pytest.mark.parametrize("act", [delete_middle, renumber, swap, edit_leaf])
def test_a_leaf_that_is_not_the_signed_one_is_found_by_the_tree_alone(
    ledger: Ledger, act: Callable[[Ledger], None]
) -> None:
    act(ledger)
    with pytest.raises(LedgerCorrupt):
        of_the_tree(ledger)


@pytest.mark.parametrize("lost", [3, 4, 7, 10, 11])
def test_a_missing_leaf_is_named_wherever_its_run_ends(ledger: Ledger, lost: int) -> None:
    rows = ledger.store.rows
    del rows[lost]
    runs = [[row for index, row in rows.items() if start <= index < start + 4] for start in (0, 4, 8)]
    chunks = [check_chunk(ledger.log, 4 * number, run) for number, run in enumerate(runs)]
    verifier = LedgerVerifier(ledger.log, ledger.verifier)
    for check in (lambda: of_the_tree(ledger), lambda: verifier.verify(ledger.store.head(), chunks, lambda *_: None)):
        with pytest.raises(LedgerCorrupt, match="it is missing") as found:
            check()
        assert found.value.entry == lost


def test_the_first_of_several_bad_leaves_is_named(ledger: Ledger) -> None:
    early, form = ledger.store.rows[6].leaf, ledger.store.rows[7].leaf + b"\n"
    ledger.store.tamper(6, leaf=early.replace(early.split(b"\n")[1], b"17"))
    ledger.store.tamper(7, leaf=form)
    assert check_leaves(4, ledger.store.leaves(4, 8)).fault == (6, BACK)
    ledger.store.tamper(6, leaf=early)
    assert check_leaves(4, ledger.store.leaves(4, 8)).fault == (7, "the leaf is not in canonical form")
    del ledger.store.rows[5]
    checked = check_leaves(4, ledger.store.leaves(4, 8))
    assert (checked.fault, checked.tree.size) == ((5, MISSING), 1)


def test_a_time_before_that_of_the_run_in_front_is_named(ledger: Ledger) -> None:
    """Times are compared within a run where it is checked, and between runs where they are joined."""
    leaf = ledger.store.rows[8].leaf
    ledger.store.tamper(8, leaf=leaf.replace(leaf.split(b"\n")[1], b"17"))
    runs = [check_leaves(start, ledger.store.leaves(start, start + 4)) for start in (0, 4, 8)]
    assert [run.fault for run in runs] == [None] * 3
    with pytest.raises(LedgerCorrupt, match=BACK) as found:
        LedgerVerifier(ledger.log, ledger.verifier).verify(ledger.store.head(), runs, lambda *_: None)
    assert found.value.entry == 8


def test_a_leaf_of_another_form_is_named(ledger: Ledger) -> None:
    leaf = ledger.store.rows[5].leaf
    for changed in (
        leaf + b"\n",
        leaf.replace(b"alog/v1", b"alog/v2"),
        leaf.replace(b"\n", b"\n0", 1),
        leaf[:-2] + b"\n",
    ):
        ledger.store.tamper(5, leaf=changed)
        for check in (ledger.verify, lambda: of_the_tree(ledger)):
            with pytest.raises(LedgerCorrupt) as found:
                check()
            assert found.value.entry == 5


def test_a_time_before_that_of_the_entry_in_front_is_named(ledger: Ledger) -> None:
    leaf = ledger.store.rows[5].leaf
    ledger.store.tamper(5, leaf=leaf.replace(leaf.split(b"\n")[1], b"17"))
    with pytest.raises(LedgerCorrupt, match="its time is before") as found:
        of_the_tree(ledger)
    assert found.value.entry == 5


@pytest.mark.parametrize("other", [{"purpose": "safety"}, {"counter": "7"}, {"more": ""}])
def test_an_opening_that_its_leaf_does_not_commit_to_is_named(ledger: Ledger, other: dict[str, str]) -> None:
    """Sealed to its place with the ledger's own key: what only somebody with the key folder can do."""
    row = ledger.store.rows[5]
    opening = ledger.log.opening(row)
    assert opening is not None
    said = Opening(opening.seed, {**opening.values, **other}).encode()
    bodies = BodyKeys(REGISTRY, {1: DataKey(b"\x01" * 32)})
    ledger.store.tamper(5, sealed=bodies.seal(said, index=5, leaf_hash=leaf_hash(row.leaf)))
    with pytest.raises(LedgerCorrupt, match="not what the leaf commits to") as found:
        ledger.verify()
    assert found.value.entry == 5
