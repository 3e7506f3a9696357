from __future__ import annotations

import copy
import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registry.crypto.derive import derive
from registry.crypto.envelope import (
    HEADER_BYTES,
    MAX_PLAINTEXT_BYTES,
    NONCE_BYTES,
    Binding,
    DataKey,
    ciphertext_digest,
    padded_length,
    seal,
    unseal,
)
from registry.crypto.tags import HmacKey
from registry.domain.errors import EnvelopeRejected
from tests.unit.crypto.gcm_forgery import Gcm, two_key_body

RAW = bytes(range(32))
PLACE = Binding("registry-1", "person-1", "record-1", "home_address", 1)
TEXT = b"1407 Example Court, Apt 2, Kansas City"

# Two data keys whose AES keystreams under the zero nonce begin with the same four bytes, found by birthday search
# over small integers: a frame's length field then reads the same under both.
TWIN_KEYS = (43698, 60747)


@pytest.fixture
def key() -> DataKey:
    return DataKey(RAW)


@pytest.mark.parametrize("text", [b"", b"x", TEXT, bytes(60), bytes(61), bytes(10_000)])
def test_opens_what_was_sealed(key: DataKey, text: bytes) -> None:
    assert unseal(key, seal(key, text, PLACE), PLACE) == text


def test_every_changed_bit_is_refused(key: DataKey) -> None:
    sealed = seal(key, TEXT, PLACE)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeRejected):
            unseal(key, bytes(changed), PLACE)


def test_every_shortened_or_lengthened_value_is_refused(key: DataKey) -> None:
    sealed = seal(key, TEXT, PLACE)
    for wrong in (*(sealed[:length] for length in range(len(sealed))), sealed + b"\0", b"\0" + sealed):
        with pytest.raises(EnvelopeRejected):
            unseal(key, wrong, PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        PLACE._replace(registry="registry-2"),
        PLACE._replace(person="person-2"),
        PLACE._replace(record="record-2"),
        PLACE._replace(category="school"),
        PLACE._replace(version=2),
        PLACE._replace(person="person-1r", record="ecord-1"),
    ],
)
def test_does_not_open_in_another_place(key: DataKey, elsewhere: Binding) -> None:
    with pytest.raises(EnvelopeRejected):
        unseal(key, seal(key, TEXT, PLACE), elsewhere)


def test_gcm_itself_binds_the_place(key: DataKey) -> None:
    """The associated data must hold on its own: replace the commitment as one who knew its key could."""
    elsewhere = PLACE._replace(person="person-2")
    sealed = bytearray(seal(key, TEXT, PLACE))
    commitment_key = HmacKey(derive(RAW, "registry/envelope/v1", length=64)[32:])
    message = bytes(sealed[: 1 + NONCE_BYTES]) + elsewhere.to_bytes()
    sealed[1 + NONCE_BYTES : HEADER_BYTES] = commitment_key.digest(message)
    with pytest.raises(EnvelopeRejected):
        unseal(key, bytes(sealed), elsewhere)


def test_does_not_open_under_another_key(key: DataKey) -> None:
    with pytest.raises(EnvelopeRejected):
        unseal(DataKey(bytes(32)), seal(key, TEXT, PLACE), PLACE)


def test_a_ciphertext_that_gcm_opens_under_two_keys_is_refused() -> None:
    """Without the commitment one sealed value would say two things, each under its own key."""
    nonce, associated = bytes(NONCE_BYTES), b"\x01" + PLACE.to_bytes()
    raws = [number.to_bytes(32, "big") for number in TWIN_KEYS]
    expanded = [derive(raw, "registry/envelope/v1", length=64) for raw in raws]
    first, second = (Gcm(both[:32], nonce) for both in expanded)
    frame = (60).to_bytes(4, "big") + b"what the first reader is shown, and what the court sees...xx"
    ciphertext = bytes(a ^ b for a, b in zip(first.keystream(64), frame, strict=True))
    body = two_key_body(first, second, ciphertext, associated, free=3)

    for both in expanded:  # the attack is real: plain AES-GCM accepts it twice, with a well-formed frame
        opened = AESGCM(both[:32]).decrypt(nonce, body, associated)
        assert opened[:4] == (60).to_bytes(4, "big")

    commitment = HmacKey(expanded[0][32:]).digest(b"\x01" + nonce + PLACE.to_bytes())
    forged = b"\x01" + nonce + commitment + body
    assert unseal(DataKey(raws[0]), forged, PLACE)[:30] == b"what the first reader is shown"
    with pytest.raises(EnvelopeRejected):
        unseal(DataKey(raws[1]), forged, PLACE)


def test_nothing_is_decrypted_before_the_commitment_fits(key: DataKey) -> None:
    class Untouchable:
        def decrypt(self, *_: object) -> bytes:
            raise AssertionError("decrypted an uncommitted ciphertext")

    sealed = seal(key, TEXT, PLACE)
    other = DataKey(bytes(32))
    other._cipher = Untouchable()
    with pytest.raises(EnvelopeRejected):
        unseal(other, sealed, PLACE)


def test_all_refusals_read_the_same(key: DataKey) -> None:
    sealed = seal(key, TEXT, PLACE)
    flipped = [sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :] for place in (20, len(sealed) - 1)]
    wrong = [b"", sealed[:-1], b"\x02" + sealed[1:], *flipped, sealed * 2]
    words = set()
    for each in wrong:
        with pytest.raises(EnvelopeRejected) as caught:
            unseal(key, each, PLACE)
        words.add((str(caught.value), caught.value.__cause__))
    assert words == {("a sealed value does not open", None)}


@pytest.mark.parametrize("version", [0, 2, 0x7F, 0xFF])
def test_unknown_versions_are_refused_even_if_all_else_fits(key: DataKey, version: int) -> None:
    """Sealed by the right key for its own version byte: only the version check stands in the way."""
    byte, nonce, place = bytes([version]), bytes(NONCE_BYTES), PLACE.to_bytes()
    both = derive(RAW, "registry/envelope/v1", length=64)
    frame = (3).to_bytes(4, "big") + b"abc" + bytes(57)
    for header in (byte, b"\x01"):
        body = AESGCM(both[:32]).encrypt(nonce, frame, header + place)
        sealed = byte + nonce + HmacKey(both[32:]).digest(header + nonce + place) + body
        with pytest.raises(EnvelopeRejected):
            unseal(key, sealed, PLACE)


@pytest.mark.parametrize(
    "frame",
    [
        (3).to_bytes(4, "big") + b"abc" + bytes(56) + b"x",  # padding that hides something
        (61).to_bytes(4, "big") + bytes(60),  # longer than the frame
        (0xFFFF_FFFF).to_bytes(4, "big") + bytes(60),
        (3).to_bytes(4, "big") + b"abc" + bytes(57 + 64),  # a step too many
        bytes(48),
        b"",
    ],
)
def test_only_the_one_way_of_padding_is_accepted(key: DataKey, frame: bytes) -> None:
    nonce, place = bytes(NONCE_BYTES), PLACE.to_bytes()
    both = derive(RAW, "registry/envelope/v1", length=64)
    body = AESGCM(both[:32]).encrypt(nonce, frame, b"\x01" + place)
    with pytest.raises(EnvelopeRejected):
        unseal(key, b"\x01" + nonce + HmacKey(both[32:]).digest(b"\x01" + nonce + place) + body, PLACE)


def test_the_length_shows_only_the_step(key: DataKey) -> None:
    overhead = len(seal(key, b"", PLACE)) - 64
    seen = {len(seal(key, bytes(length), PLACE)) - overhead for length in range(2100)}
    assert seen == {*range(64, 513, 64), 1024, 1536, 2048, 2560}
    assert len(seal(key, b"555-0100", PLACE)) == len(seal(key, TEXT, PLACE)) == 125
    assert [padded_length(length) for length in (60, 61, 508, 509, 1020, 1021)] == [64, 128, 512, 1024, 1024, 1536]


def test_no_nonce_is_used_twice(key: DataKey) -> None:
    nonces = {seal(key, b"x", PLACE)[1 : 1 + NONCE_BYTES] for _ in range(100_000)}
    assert len(nonces) == 100_000


def test_equal_values_do_not_look_equal(key: DataKey) -> None:
    sealed = [seal(key, TEXT, PLACE) for _ in range(200)]
    for start, end in ((1, HEADER_BYTES - 32), (HEADER_BYTES - 32, HEADER_BYTES), (HEADER_BYTES, None)):
        assert len({each[start:end] for each in sealed}) == 200


def test_the_digest_is_sha_256_of_everything() -> None:
    assert ciphertext_digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_limits() -> None:
    key = DataKey(RAW)
    with pytest.raises(ValueError, match="64 MiB"):
        seal(key, bytes(MAX_PLAINTEXT_BYTES + 1), PLACE)
    for version in (-1, 2**64):
        with pytest.raises(ValueError, match="version number"):
            PLACE._replace(version=version).to_bytes()
    for length in (0, 16, 31, 33, 64):
        with pytest.raises(ValueError, match="32 bytes"):
            DataKey(bytes(length))
    with pytest.raises(ValueError):
        PLACE._replace(person="\ud800").to_bytes()


def test_a_key_is_never_shown_copied_or_pickled(key: DataKey) -> None:
    for text in (repr(key), str(key), f"{key}"):
        assert text == "DataKey(***)"
    for action in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            action(key)
    assert not hasattr(key, "__dict__")
    assert repr(key._commitment) == "HmacKey(***)"
