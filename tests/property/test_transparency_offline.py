"""The stand-alone verifier against hostile bytes, and its Ed25519 against the library's."""

from __future__ import annotations

import base64
import json
import random
from hashlib import sha256, sha512

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.errors import ProofRejected
from registry.transparency.bundle import read_bundle
from registry.transparency.note import parse_vkey
from registry.transparency.offline.verify_bundle import (
    BadKey,
    ed25519_verifies,
    open_checkpoint,
    parse_key,
    read_zip,
    verify,
)
from registry.transparency.offline.verify_bundle import Rejected as OfflineRejected
from tests.unit.transparency.bundles import bundle_with
from tests.unit.transparency.support import LEDGER, example_bundle

L = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19
EXAMPLE = example_bundle()
MEMBERS = read_zip(EXAMPLE)
PROVEN = [name for name in MEMBERS if name.startswith("entries/") or name == "checkpoint"]
seeds = st.binary(min_size=32, max_size=32)


def library_verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@given(seeds, st.binary(max_size=200))
def test_good_signatures_verify(seed: bytes, message: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    assert ed25519_verifies(private.public_key().public_bytes_raw(), private.sign(message), message)


@given(seeds, st.binary(min_size=1, max_size=60), st.data())
def test_a_flipped_bit_in_key_signature_or_message_is_found(seed: bytes, message: bytes, data: st.DataObject) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    parts = [private.public_key().public_bytes_raw(), private.sign(message), message]
    which = data.draw(st.integers(0, 2))
    changed = bytearray(parts[which])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[which] = bytes(changed)
    assert not ed25519_verifies(*parts)
    assert not library_verifies(*parts)


@given(seeds, st.binary(max_size=60), st.integers(1, 15))
def test_a_signature_has_one_spelling(seed: bytes, message: bytes, times: int) -> None:
    """S + n L verifies in the equation and so must be refused by its size (RFC 8032 section 5.1.7)."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, good = private.public_key().public_bytes_raw(), private.sign(message)
    larger = int.from_bytes(good[32:], "little") + times * L
    if larger < 2**256:
        assert not ed25519_verifies(public, good[:32] + larger.to_bytes(32, "little"), message)


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_signature_has_64_bytes(length: int) -> None:
    good = LEDGER.private.sign(b"")
    assert not ed25519_verifies(LEDGER.key.public_key, (good + good)[:length], b"")


ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
OTHER_ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
SMALL_Y = [0, 1, P - 1, P, P + 1, *(int.from_bytes(bytes.fromhex(y), "little") for y in (ORDER_8, OTHER_ORDER_8))]
SMALL_POINTS = [(y | sign << 255).to_bytes(32, "little") for y in SMALL_Y for sign in (0, 1)]


@pytest.mark.parametrize("public_key", SMALL_POINTS, ids=bytes.hex)
def test_nobody_signs_for_a_key_of_small_order(public_key: bytes) -> None:
    """For such keys R = any small point and S = 0 verify in the equation for one message in eight or all."""
    for number in range(16):
        for point in SMALL_POINTS:
            assert not ed25519_verifies(public_key, point + bytes(32), b"%d" % number)


def test_a_key_has_32_bytes() -> None:
    """A signer who hashes a longer spelling of the own key must not be believed."""
    secret = int.from_bytes(sha512(bytes(range(32))).digest()[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    r, longer = (1).to_bytes(32, "little"), LEDGER.key.public_key + b"\0"
    k = int.from_bytes(sha512(r + longer + b"m").digest(), "little") % L
    assert not ed25519_verifies(longer, r + (k * secret % L).to_bytes(32, "little"), b"m")


def test_the_point_r_has_one_spelling() -> None:
    """A signer may choose R = the neutral point; its second encoding (y + p) must not verify."""
    secret = int.from_bytes(sha512(bytes(range(32))).digest()[:32], "little")
    secret = secret & ((1 << 254) - 8) | (1 << 254)
    for y, expected in ((1, True), (1 + P, False), (1 | 1 << 255, False)):
        r = y.to_bytes(32, "little")
        k = int.from_bytes(sha512(r + LEDGER.key.public_key + b"m").digest(), "little") % L
        signature = r + (k * secret % L).to_bytes(32, "little")
        assert ed25519_verifies(LEDGER.key.public_key, signature, b"m") is expected
        assert library_verifies(LEDGER.key.public_key, signature, b"m") is expected


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_random_bytes_are_no_signature(public_key: bytes, signature: bytes) -> None:
    assert not ed25519_verifies(public_key, signature, b"message")


@given(st.integers(0, len(LEDGER.vkey) - 1), st.characters(exclude_categories=["Cs"]))
def test_both_readers_of_keys_agree(position: int, character: str) -> None:
    vkey = LEDGER.vkey[:position] + character + LEDGER.vkey[position + 1 :]
    try:
        expected = parse_vkey(vkey)
    except ProofRejected:
        if vkey == vkey.strip():  # the command line forgives spaces around a pasted key
            with pytest.raises(BadKey):
                parse_key(vkey)
        return
    assert parse_key(vkey) == (expected.name, expected.key_id, 1, expected.public_key)


@given(st.binary(min_size=32, max_size=32) | st.sampled_from(SMALL_POINTS))
def test_both_readers_agree_on_what_is_a_point(public_key: bytes) -> None:
    raw = b"\x01" + public_key
    key_id = sha256(b"ledger.example\n" + raw).hexdigest()[:8]
    vkey = f"ledger.example+{key_id}+{base64.b64encode(raw).decode()}"
    try:
        expected = parse_vkey(vkey)
    except ProofRejected:
        with pytest.raises(BadKey):
            parse_key(vkey)
        return
    assert parse_key(vkey).public_key == expected.public_key == public_key


def test_a_flipped_bit_anywhere_breaks_the_checkpoint() -> None:
    note, keys = MEMBERS["checkpoint"], [parse_key(LEDGER.vkey)]
    open_checkpoint(note, keys)
    for bit in range(8 * len(note)):
        changed = bytearray(note)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(OfflineRejected):
            open_checkpoint(bytes(changed), keys)


def _flipped(rng: random.Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    changed[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def test_a_flipped_bit_anywhere_breaks_a_bundle(rng: random.Random) -> None:
    for _ in range(300):
        assert not verify(_flipped(rng, EXAMPLE), LEDGER.vkey).verified


@pytest.mark.parametrize("name", PROVEN)
def test_a_flipped_bit_breaks_a_bundle_even_with_a_new_manifest(name: str, rng: random.Random) -> None:
    for _ in range(60):
        changed = _flipped(rng, MEMBERS[name])
        verdict = verify(bundle_with({name: changed}), LEDGER.vkey)
        assert not verdict.verified


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_every_byte_of_a_bundle_counts() -> None:
    for position in range(len(EXAMPLE)):
        changed = bytearray(EXAMPLE)
        changed[position] ^= 1 << position % 8
        assert not verify(bytes(changed), LEDGER.vkey).verified


@given(st.binary(max_size=300), st.booleans())
def test_noise_is_refused_in_good_order(noise: bytes, with_magic: bool) -> None:
    raw = b"PK\x03\x04" + noise if with_magic else noise
    assert not verify(raw, LEDGER.vkey).verified
    with pytest.raises(ProofRejected):
        read_bundle(raw)


@given(st.sampled_from(PROVEN), st.binary(max_size=80))
def test_noise_in_any_member_is_refused_in_good_order(name: str, noise: bytes) -> None:
    raw = bundle_with({name: noise})
    assert not verify(raw, LEDGER.vkey).verified


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["index", "leaf_sha256", "fields", "salt", "value", "hex", "more"]), json_values)
def test_any_json_in_an_opening_is_refused_in_good_order(where: str, value: object) -> None:
    document = json.loads(MEMBERS["entries/0.open.json"])
    if where in {"salt", "value", "hex"}:
        document["fields"]["purpose"][where] = value
    else:
        document[where] = value
    changed = json.dumps(document).encode()
    verdict = verify(bundle_with({"entries/0.open.json": changed}), LEDGER.vkey)
    assert not verdict.verified or where == "fields" or value in (0, "payroll")


def test_the_example_is_the_one_of_the_unit_tests() -> None:
    assert sha256(EXAMPLE).digest() == sha256(example_bundle()).digest()
    assert verify(EXAMPLE, LEDGER.vkey).verified
