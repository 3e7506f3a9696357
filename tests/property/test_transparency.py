"""Laws of the tree, its proofs and the formats, against the definitions of RFC 9162 written down naively."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.domain.categories import Category
from registry.domain.errors import LedgerCorrupt, ProofRejected
from registry.domain.ids import RecordId
from registry.transparency.checkpoint import checkpoint_text, open_checkpoint, parse_checkpoint
from registry.transparency.fields import RecordLine, variant_commitment
from registry.transparency.leaf import commit, encode_joined, join_commitments, leaf_hash, parse_leaf, salt_of
from registry.transparency.merkle import EMPTY_ROOT, Edge, root_of
from registry.transparency.note import open_note, split_note
from registry.transparency.proofs import Tree, verify_consistency, verify_inclusion
from registry.transparency.tlog_proof import TlogProof, format_tlog_proof, parse_tlog_proof
from tests.unit.transparency.support import LEDGER, ORIGIN

LARGEST = 65_542
LEAVES = [sha256(b"\x00%d" % i).digest() for i in range(LARGEST)]
TREE = Tree(LEAVES)
SIZES = [*range(33), 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 511, 512, 513, 599, 600]
BORDER = [1023, 1024, 1025, 4095, 4096, 4097, *range(65_530, LARGEST + 1)]


# --- RFC 9162 sections 2.1.1, 2.1.3.1 and 2.1.4.1, word for word


def k_of(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


@cache
def mth(begin: int, end: int) -> bytes:
    if begin == end:
        return sha256(b"").digest()
    if end - begin == 1:
        return LEAVES[begin]
    middle = begin + k_of(end - begin)
    return sha256(b"\x01" + mth(begin, middle) + mth(middle, end)).digest()


def path(m: int, begin: int, end: int) -> list[bytes]:
    n = end - begin
    if n == 1:
        return []
    k = k_of(n)
    if m < k:
        return [*path(m, begin, begin + k), mth(begin + k, end)]
    return [*path(m - k, begin + k, end), mth(begin, begin + k)]


def subproof(m: int, begin: int, end: int, *, complete: bool) -> list[bytes]:
    n = end - begin
    if m == n:
        return [] if complete else [mth(begin, end)]
    k = k_of(n)
    if m <= k:
        return [*subproof(m, begin, begin + k, complete=complete), mth(begin + k, end)]
    return [*subproof(m - k, begin + k, end, complete=False), mth(begin, begin + k)]


def some_of(size: int) -> list[int]:
    """All indexes of a small tree; of a larger one the ends, the borders of its halves and a spread."""
    if size <= 33:
        return list(range(size))
    k = k_of(size)
    return sorted({0, 1, k - 1, k, min(k + 1, size - 1), size - 2, size - 1, *range(7, size, size // 5)})


# --- the tree


def test_roots_of_every_size_to_600() -> None:
    edge = Edge.empty()
    for size in range(601):
        assert edge.root() == TREE.root(size) == mth(0, size)
        assert Edge.from_bytes(size, edge.to_bytes()) == edge
        edge = edge.append(LEAVES[size])


@pytest.mark.parametrize("size", BORDER)
def test_roots_around_powers_of_two(size: int) -> None:
    assert root_of(LEAVES[:size]) == TREE.root(size) == mth(0, size)


@pytest.mark.parametrize("size", SIZES + BORDER)
def test_inclusion_proofs_are_those_of_the_definition_and_verify(size: int) -> None:
    for index in some_of(size):
        proof = TREE.inclusion_proof(index, size)
        assert list(proof) == path(index, 0, size)
        verify_inclusion(index=index, size=size, leaf_hash=LEAVES[index], proof=proof, root=mth(0, size))


@pytest.mark.parametrize("size", SIZES + BORDER)
def test_consistency_proofs_are_those_of_the_definition_and_verify(size: int) -> None:
    for old in [*some_of(size), size]:
        proof = TREE.consistency_proof(old, size)
        assert list(proof) == (subproof(old, 0, size, complete=True) if old else [])
        verify_consistency(old_size=old, new_size=size, old_root=mth(0, old), new_root=mth(0, size), proof=proof)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70), st.data())
def test_where_the_leaves_are_cut_makes_no_difference(hashes: list[bytes], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(hashes)))
    assert Edge.empty().extend(hashes[:cut]).extend(hashes[cut:]).root() == root_of(hashes) == Tree(hashes).root()


def flipped(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


places = st.integers(1, 600).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))


@given(places, st.data())
def test_a_flipped_bit_anywhere_breaks_an_inclusion_proof(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    parts = [LEAVES[index], mth(0, size), *TREE.inclusion_proof(index, size)]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    with pytest.raises(ProofRejected):
        verify_inclusion(index=index, size=size, leaf_hash=parts[0], proof=parts[2:], root=parts[1])


@given(places, st.data())
def test_a_flipped_bit_anywhere_breaks_a_consistency_proof(place: tuple[int, int], data: st.DataObject) -> None:
    old, size = place[0] + 1, place[1]
    parts = [mth(0, old), mth(0, size), *TREE.consistency_proof(old, size)]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    with pytest.raises(ProofRejected):
        verify_consistency(old_size=old, new_size=size, old_root=parts[0], new_root=parts[1], proof=parts[2:])


@given(places, st.data())
def test_no_other_leaf_has_the_proof(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    other = data.draw(st.integers(0, size - 1))
    assume(other != index)
    proof, root = TREE.inclusion_proof(index, size), mth(0, size)
    with pytest.raises(ProofRejected):
        verify_inclusion(index=index, size=size, leaf_hash=LEAVES[other], proof=proof, root=root)
    with pytest.raises(ProofRejected):
        verify_inclusion(index=other, size=size, leaf_hash=LEAVES[index], proof=proof, root=root)


@given(places, st.data())
def test_proofs_have_no_hash_too_many_or_too_few(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    proof = list(TREE.inclusion_proof(index, size))
    at = data.draw(st.integers(0, len(proof)))
    extra = data.draw(st.sampled_from([LEAVES[index], mth(0, size), *proof]))
    longer = [*proof[:at], extra, *proof[at:]]
    with pytest.raises(ProofRejected):
        verify_inclusion(index=index, size=size, leaf_hash=LEAVES[index], proof=longer, root=mth(0, size))
    if proof:
        del proof[data.draw(st.integers(0, len(proof) - 1))]
        with pytest.raises(ProofRejected):
            verify_inclusion(index=index, size=size, leaf_hash=LEAVES[index], proof=proof, root=mth(0, size))


@given(
    index=st.integers(-1, 2**64),
    size=st.integers(-1, 2**64),
    proof=st.lists(st.binary(max_size=33) | st.binary(min_size=32, max_size=32), max_size=70),
    root=st.binary(min_size=32, max_size=32),
)
def test_nothing_but_a_refusal_comes_out_of_nonsense(index: int, size: int, proof: list[bytes], root: bytes) -> None:
    with pytest.raises(ProofRejected):
        verify_inclusion(index=index, size=size, leaf_hash=LEAVES[0], proof=proof, root=root)
    with pytest.raises(ProofRejected):
        verify_consistency(old_size=index, new_size=size, old_root=LEAVES[1], new_root=root, proof=proof)


# --- the formats

kinds = st.from_regex(r"[a-z][a-z-]{0,31}", fullmatch=True)
digests = st.binary(min_size=32, max_size=32)
names = st.text(min_size=1, max_size=60).filter(lambda name: 0 < len(name.encode("utf-8", "replace")) < 256)
plain_names = names.filter(lambda name: not any("\ud800" <= c <= "\udfff" for c in name))
joined = st.lists(digests, min_size=1, max_size=40).map(b"".join)
leaves = st.builds(encode_joined, st.integers(0, 2**63 - 1), kinds, joined)


@given(st.integers(0, 2**63 - 1), kinds, st.lists(digests, min_size=1, max_size=40))
def test_leaves_are_read_back(unix_ms: int, kind: str, commitments: list[bytes]) -> None:
    leaf = parse_leaf(encode_joined(unix_ms, kind, b"".join(commitments)))
    assert (leaf.unix_ms, leaf.kind, leaf.commitments) == (unix_ms, kind, tuple(commitments))


@given(leaves, st.data())
def test_a_leaf_has_no_second_spelling(leaf: bytes, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(leaf)))
    end = data.draw(st.integers(begin, min(len(leaf), begin + 3)))
    changed = (
        leaf[:begin]
        + data.draw(st.binary(max_size=3) | st.text("0123456789\n\r =-", max_size=3).map(str.encode))
        + leaf[end:]
    )
    try:
        parsed = parse_leaf(changed)
    except LedgerCorrupt:
        return
    assert encode_joined(parsed.unix_ms, parsed.kind, b"".join(parsed.commitments)) == changed
    assert (parsed == parse_leaf(leaf)) == (changed == leaf)


@given(digests, st.lists(st.tuples(plain_names, st.binary(max_size=200)), max_size=8))
def test_both_ways_to_commit_agree(seed: bytes, fields: list[tuple[str, bytes]]) -> None:
    each = [commit(salt_of(seed, name), name, value) for name, value in fields]
    assert join_commitments(seed, tuple(name for name, _ in fields), [value for _, value in fields]) == b"".join(each)


@given(digests, plain_names, st.binary(max_size=40), plain_names, st.binary(max_size=40))
def test_commitments_differ_where_name_or_value_does(
    salt: bytes, name: str, value: bytes, other_name: str, other_value: bytes
) -> None:
    same = (name, value) == (other_name, other_value)
    assert (commit(salt, name, value) == commit(salt, other_name, other_value)) == same


@given(
    st.builds(
        RecordLine,
        digests.map(lambda raw: RecordId(raw[:16].hex())),
        st.sampled_from([*Category, "directory"]).map(str),
        st.integers(1, 2**63 - 1),
        digests,
        digests,
    )
)
def test_record_lines_are_read_back(line: RecordLine) -> None:
    assert RecordLine.parse(line.encode()) == line


u32 = st.integers(0, 2**32 - 1)
variants = st.tuples(st.binary(max_size=12), u32, u32, digests)


@given(variants, variants)
def test_variant_commitments_differ_where_anything_does(
    first: tuple[bytes, int, int, bytes], second: tuple[bytes, int, int, bytes]
) -> None:
    assert (variant_commitment(*first) == variant_commitment(*second)) == (first == second)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n")).map(lambda text: text + "\n")


@given(texts)
def test_any_text_without_control_characters_is_signed_and_opened(text: str) -> None:
    assert open_note(LEDGER.sign(text), (LEDGER.verifier,)).text == text


@given(st.integers(1, 2**63 - 1), digests)
def test_checkpoints_are_read_back(size: int, root: bytes) -> None:
    checkpoint = open_checkpoint(LEDGER.sign(checkpoint_text(ORIGIN, size, root)), LEDGER.verifier, ORIGIN)
    assert (checkpoint.size, checkpoint.root) == (size, root)


def test_a_flipped_bit_anywhere_breaks_a_note() -> None:
    note = LEDGER.sign(checkpoint_text(ORIGIN, 600, mth(0, 600))).encode()
    for bit in range(8 * len(note)):
        with pytest.raises(ProofRejected):
            open_checkpoint(flipped(note, bit), LEDGER.verifier, ORIGIN)


@given(st.data())
def test_a_checkpoint_text_has_no_second_spelling(data: st.DataObject) -> None:
    text = checkpoint_text(ORIGIN, data.draw(st.integers(1, 10**6)), mth(0, 7))
    begin = data.draw(st.integers(len(ORIGIN), len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 2)))
    changed = text[:begin] + data.draw(st.text("0123456789\n\r =-+AQ\u0085\u0660", max_size=2)) + text[end:]
    try:
        parsed = parse_checkpoint(changed, ORIGIN)
    except ProofRejected:
        return
    assert checkpoint_text(ORIGIN, parsed.size, parsed.root) == changed


@given(st.text() | st.binary())
def test_nonsense_is_no_note(noise: str | bytes) -> None:
    with pytest.raises(ProofRejected):
        open_note(noise, (LEDGER.verifier,))


@given(st.integers(0, 2**63 - 1), st.lists(digests, max_size=63), st.none() | st.binary(max_size=60))
def test_offline_proofs_are_read_back(index: int, hashes: list[bytes], extra: bytes | None) -> None:
    proof = TlogProof(index, tuple(hashes), LEDGER.sign(checkpoint_text(ORIGIN, 0, EMPTY_ROOT)), extra)
    assert parse_tlog_proof(format_tlog_proof(proof)) == proof


@given(st.text(st.sampled_from("— \nabc+/=AQ"), max_size=200))
def test_splitting_a_note_loses_nothing(noise: str) -> None:
    try:
        text, lines = split_note(noise)
    except ProofRejected:
        return
    assert noise.startswith(text + "\n—")
    assert len(lines) == noise[len(text) + 1 :].count("\n")


def test_a_leaf_hash_is_no_node_hash() -> None:
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != mth(0, 2)
