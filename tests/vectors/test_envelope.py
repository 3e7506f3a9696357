"""Known answers, computed by another implementation (envelope_v1.mjs) or printed in a standard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.crypto import envelope, wrap
from registry.crypto.derive import derive
from registry.crypto.envelope import Binding, DataKey, ciphertext_digest, unseal
from registry.crypto.postings import PostingKey
from registry.crypto.sign import SigningKey, verify_signature
from registry.crypto.tags import HmacKey, keyed_tag
from registry.crypto.wrap import unwrap_key

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_name("envelope_v1.json").read_text())


def binding_of(vector: dict[str, Any]) -> Binding:
    return Binding(**{**vector["place"], "version": int(vector["place"]["version"])})


@pytest.mark.parametrize("vector", VECTORS["envelope"], ids=lambda vector: str(len(vector["plaintext"]) // 2))
def test_envelope(vector: dict[str, Any]) -> None:
    place, key = binding_of(vector), DataKey(bytes.fromhex(vector["key"]))
    plaintext, sealed = bytes.fromhex(vector["plaintext"]), bytes.fromhex(vector["sealed"])
    assert place.to_bytes().hex() == vector["binding"]
    assert envelope._seal(key, plaintext, place, bytes.fromhex(vector["nonce"])) == sealed
    assert unseal(key, sealed, place) == plaintext
    assert ciphertext_digest(sealed).hex() == vector["digest"]


@pytest.mark.parametrize("vector", VECTORS["wraps"], ids=lambda vector: str(len(vector["key"]) // 2))
def test_wrap(vector: dict[str, Any]) -> None:
    kek, salt, context, key = (bytes.fromhex(vector[name]) for name in ("kek", "salt", "context", "key"))
    wrapped = bytes.fromhex(vector["wrapped"])
    assert wrap._wrap(kek, key, context, salt) == wrapped
    assert unwrap_key(kek, wrapped, context) == key


@pytest.mark.parametrize("vector", VECTORS["postings"], ids=lambda vector: vector["counter"])
def test_postings(vector: dict[str, Any]) -> None:
    postings = PostingKey(bytes.fromhex(vector["index_key"])).list_of(bytes.fromhex(vector["term"]))
    counter, payload = int(vector["counter"]), bytes.fromhex(vector["payload"])
    assert postings.label(counter).hex() == vector["label"]
    assert postings.seal(counter, payload).hex() == vector["value"]
    assert postings.open(counter, bytes.fromhex(vector["value"])) == payload


def test_the_vectors_reach_every_kind_of_step() -> None:
    assert {len(bytes.fromhex(vector["sealed"])) - 61 for vector in VECTORS["envelope"]} == {64, 128, 512, 1024, 1536}
    assert len(VECTORS["envelope"]) == 8
    assert len(VECTORS["wraps"]) == 3
    assert len(VECTORS["postings"]) == 4


def test_derivation_is_rfc_5869() -> None:
    """Test case 3 has no salt and no label, which ``derive`` refuses; so T(1) of its pseudo-random key by hand."""
    pseudo_random_key = bytes.fromhex("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04")
    assert derive(b"\x0b" * 22, "label") == HmacKey(pseudo_random_key).digest(b"label\x01")


@pytest.mark.parametrize(
    ("key", "message", "answer"),
    [
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    ],
)
def test_hmac_is_rfc_4231(key: bytes, message: bytes, answer: str) -> None:
    assert HmacKey(key).digest(message).hex() == answer


def test_a_tag_is_hmac_of_the_length_prefixed_domain() -> None:
    key = bytes(range(32))
    assert keyed_tag(key, "domain", b"data", length=32) == HmacKey(key).digest(b"\x00\x06domaindata")


@pytest.mark.parametrize(
    ("seed", "public", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            (
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                "d25bf5f0595bbe24655141438e7a100b"
            ),
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            (
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
                "387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ),
    ],
)
def test_signatures_are_rfc_8032(seed: str, public: str, message: str, signature: str) -> None:
    key = SigningKey(bytes.fromhex(seed))
    assert key.public_bytes.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    verify_signature(key.public_bytes, bytes.fromhex(message), bytes.fromhex(signature))
