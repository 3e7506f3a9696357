from __future__ import annotations

import pickle
from collections import Counter

import pytest

from registry.crypto.postings import (
    LABEL_BYTES,
    TOMBSTONE,
    VALUE_BYTES,
    PostingKey,
    PostingList,
    is_tombstone,
    pack_payload,
    unpack_payload,
)
from registry.domain.errors import EnvelopeRejected

INDEX_KEY = bytes(range(32))
RECORD = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def postings() -> PostingList:
    return PostingKey(INDEX_KEY).list_of(b"home_address|A2|1407 EXAMPLE|64101")


def test_a_payload_says_which_record_and_version() -> None:
    payload = pack_payload(RECORD, 7)
    assert len(payload) == 20
    assert unpack_payload(payload) == (RECORD, 7)
    assert not is_tombstone(payload)


def test_opens_what_was_sealed(postings: PostingList) -> None:
    for counter in (0, 1, 255, 256, 2**64 - 1):
        payload = pack_payload(RECORD, counter % 1000)
        assert postings.open(counter, postings.seal(counter, payload)) == payload


def test_the_table_shows_no_equality_and_no_frequency() -> None:
    """One term 1,000 times with the same payload against 1,000 terms once: nothing in the table tells them apart."""
    payload = pack_payload(RECORD, 1)
    often = PostingKey(INDEX_KEY).list_of(b"smith")
    rows = [(often.label(number), often.seal(number, payload)) for number in range(1000)]
    rows += [
        (each.label(0), each.seal(0, payload))
        for each in (PostingKey(INDEX_KEY).list_of(b"%d" % n) for n in range(1000))
    ]
    assert len({label for label, _ in rows}) == 2000
    assert len({value for _, value in rows}) == 2000
    assert {(len(label), len(value)) for label, value in rows} == {(LABEL_BYTES, VALUE_BYTES)}
    halves = [part for label, value in rows for part in (label[:8], label[8:], value[:8], value[12:20], value[24:])]
    assert Counter(halves).most_common(1)[0][1] == 1
    assert all(bytes.fromhex(RECORD)[:4] not in value for _, value in rows)


def test_a_tombstone_looks_like_any_other(postings: PostingList) -> None:
    live, erased = postings.seal(3, pack_payload(RECORD, 1)), postings.seal(3, TOMBSTONE)
    assert len(erased) == len(live) == VALUE_BYTES
    assert erased != live
    assert bytes(4) not in erased
    assert is_tombstone(postings.open(3, erased))


def test_overwriting_never_reuses_the_mask(postings: PostingList) -> None:
    """An old backup beside today's table must not show the erased id by a plain xor."""
    payload = pack_payload(RECORD, 1)
    before, after = postings.seal(3, payload), postings.seal(3, TOMBSTONE)
    difference = bytes(a ^ b for a, b in zip(before[12:], after[12:], strict=True))
    assert difference != payload
    assert sum(a == b for a, b in zip(difference, payload, strict=True)) < 6


def test_every_changed_bit_is_refused(postings: PostingList) -> None:
    value = postings.seal(0, pack_payload(RECORD, 1))
    for bit in range(VALUE_BYTES * 8):
        changed = bytearray(value)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeRejected):
            postings.open(0, bytes(changed))


def test_a_value_opens_only_at_its_number_term_and_key(postings: PostingList) -> None:
    value = postings.seal(0, pack_payload(RECORD, 1))
    with pytest.raises(EnvelopeRejected):
        postings.open(1, value)
    for other in (
        PostingKey(INDEX_KEY).list_of(b"other"),
        PostingKey(bytes(32)).list_of(b"home_address|A2|1407 EXAMPLE|64101"),
    ):
        with pytest.raises(EnvelopeRejected):
            other.open(0, value)
        assert other.label(0) != postings.label(0)


@pytest.mark.parametrize("size", [0, 12, 31, 33, 64])
def test_values_of_another_length_are_refused(postings: PostingList, size: int) -> None:
    with pytest.raises(EnvelopeRejected):
        postings.open(0, bytes(size))


def test_what_cannot_be_a_posting() -> None:
    for record, version in (("0" * 32, 1), (RECORD[:-2], 1), (RECORD + "00", 1), (RECORD, -1), (RECORD, 2**32)):
        with pytest.raises(ValueError):
            pack_payload(record, version)
    with pytest.raises(ValueError, match="20 bytes"):
        PostingKey(INDEX_KEY).list_of(b"t").seal(0, bytes(19))
    with pytest.raises(ValueError, match="32 to 128 bytes"):
        PostingKey(bytes(31)).list_of(b"t")
    with pytest.raises(OverflowError):
        PostingKey(INDEX_KEY).list_of(b"t").label(-1)


def test_a_list_is_never_shown_or_pickled(postings: PostingList) -> None:
    assert repr(postings) == "PostingList(***)"
    with pytest.raises(TypeError):
        pickle.dumps(postings)


def test_first_labels_in_bulk_are_those_of_the_lists() -> None:
    key = PostingKey(bytes(range(32)))
    terms = [b"", b"N1\0danaoneil", b"x" * 300]
    assert key.first_labels(terms) == [key.list_of(term).label(0) for term in terms]
