"""Laws of sealing, wrapping and postings that hold for every input."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.crypto.envelope import Binding, DataKey, padded_length, seal, unseal
from registry.crypto.postings import PostingKey, is_tombstone, pack_payload, unpack_payload
from registry.crypto.tags import keyed_tag
from registry.crypto.wrap import unwrap_key, wrap_key
from registry.domain.errors import EnvelopeRejected

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_NUMBER = st.integers(0, 2**64 - 1)
_BINDING = st.builds(Binding, _TEXT, _TEXT, _TEXT, _TEXT, _NUMBER)
_KEY = st.binary(min_size=32, max_size=32)
_PLAINTEXT = st.binary(max_size=1600)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


@given(_KEY, _PLAINTEXT, _BINDING)
def test_unsealing_undoes_sealing(key: bytes, plaintext: bytes, place: Binding) -> None:
    sealed = seal(DataKey(key), plaintext, place)
    assert unseal(DataKey(key), sealed, place) == plaintext
    assert len(sealed) == 61 + padded_length(len(plaintext))


@given(_KEY, _PLAINTEXT, _BINDING, st.integers(0, 2**16))
def test_one_flipped_bit_is_refused(key: bytes, plaintext: bytes, place: Binding, bit: int) -> None:
    sealed = seal(DataKey(key), plaintext, place)
    with pytest.raises(EnvelopeRejected):
        unseal(DataKey(key), flipped(sealed, bit), place)


@given(_KEY, _PLAINTEXT, _BINDING, _BINDING)
def test_another_place_is_refused(key: bytes, plaintext: bytes, place: Binding, elsewhere: Binding) -> None:
    assume(place != elsewhere)
    with pytest.raises(EnvelopeRejected):
        unseal(DataKey(key), seal(DataKey(key), plaintext, place), elsewhere)


@given(_KEY, _KEY, _PLAINTEXT, _BINDING)
def test_another_key_is_refused(key: bytes, other: bytes, plaintext: bytes, place: Binding) -> None:
    assume(key != other)
    with pytest.raises(EnvelopeRejected):
        unseal(DataKey(other), seal(DataKey(key), plaintext, place), place)


@given(_KEY, st.binary(max_size=300), _BINDING)
def test_no_bytes_at_all_open_by_chance(key: bytes, anything: bytes, place: Binding) -> None:
    for sealed in (anything, b"\x01" + anything, b"\x01" + bytes(44) + anything):
        with pytest.raises(EnvelopeRejected):
            unseal(DataKey(key), sealed, place)


@given(_BINDING, _BINDING, st.integers(0, 40), st.integers(0, 40))
def test_bindings_encode_injectively(one: Binding, other: Binding, first: int, second: int) -> None:
    """Also for bindings made alike on purpose, by moving the borders between their texts."""
    joined = one.registry + one.person + one.record + one.category
    low, high = sorted((first, second))
    moved = Binding(joined[:low], joined[low:high], joined[high:], "", one.version)
    for left, right in ((one, other), (one, moved)):
        assert (left == right) == (left.to_bytes() == right.to_bytes())


@given(st.lists(st.text(st.characters(max_codepoint=300), max_size=140), min_size=4, max_size=4), _NUMBER)
def test_a_binding_is_each_text_behind_its_length(texts: list[str], version: int) -> None:
    """However it is written faster for ids: length in four bytes, text, and the version's number behind all."""
    parts = [len(text.encode()).to_bytes(4, "big") + text.encode() for text in texts]
    assert Binding(*texts, version).to_bytes() == b"\x01" + b"".join(parts) + version.to_bytes(8, "big")


@given(st.integers(0, 10**6))
def test_padding_is_a_step_and_less_than_one_step_too_long(length: int) -> None:
    padded = padded_length(length)
    step = 64 if length + 4 <= 512 else 512
    assert padded % step == 0
    assert 0 <= padded - (length + 4) < step
    assert padded_length(length + 1) >= padded


@given(_KEY, st.binary(min_size=16, max_size=100), st.binary(max_size=60), st.integers(0, 2**16))
def test_unwrapping_undoes_wrapping_and_nothing_else_opens(kek: bytes, key: bytes, context: bytes, bit: int) -> None:
    wrapped = wrap_key(kek, key, context)
    assert unwrap_key(kek, wrapped, context) == key
    for other_kek, blob, other_context in (
        (flipped(kek, bit), wrapped, context),
        (kek, flipped(wrapped, bit), context),
        (kek, wrapped, context + b"\0"),
        (kek, wrapped, flipped(context, bit) if context else b"x"),
    ):
        with pytest.raises(EnvelopeRejected):
            unwrap_key(other_kek, blob, other_context)


@given(_KEY, st.binary(max_size=60), _NUMBER, st.binary(min_size=20, max_size=20), st.integers(0, 2**16))
def test_a_posting_opens_where_it_was_put_and_nowhere_else(
    index_key: bytes, term: bytes, counter: int, payload: bytes, bit: int
) -> None:
    postings = PostingKey(index_key).list_of(term)
    value = postings.seal(counter, payload)
    assert postings.open(counter, value) == payload
    for opener, number, posting in (
        (postings, counter, flipped(value, bit)),
        (postings, counter ^ 1 << bit % 64, value),
        (PostingKey(index_key).list_of(term + b"\0"), counter, value),
        (PostingKey(flipped(index_key, bit)).list_of(term), counter, value),
    ):
        with pytest.raises(EnvelopeRejected):
            opener.open(number, posting)


@given(st.binary(min_size=16, max_size=16).filter(any), st.integers(0, 2**32 - 1))
def test_payloads_pack_and_unpack(record: bytes, version: int) -> None:
    payload = pack_payload(record.hex(), version)
    assert unpack_payload(payload) == (record.hex(), version)
    assert not is_tombstone(payload)


@given(_KEY, _TEXT.filter(bool), _TEXT.filter(bool), st.binary(max_size=20), st.binary(max_size=20))
def test_tags_agree_only_for_the_same_domain_and_data(
    key: bytes, domain: str, other_domain: str, data: bytes, other: bytes
) -> None:
    same = (domain, data) == (other_domain, other)
    assert (keyed_tag(key, domain, data) == keyed_tag(key, other_domain, other)) == same
    moved = other_domain.encode() + data  # the border between domain and data, moved
    assert keyed_tag(key, domain + other_domain, data) != keyed_tag(key, domain, moved)
