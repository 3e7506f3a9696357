"""Derivation, tags, signatures and randomness."""

from __future__ import annotations

import hmac
import os
import pickle
import subprocess
import sys

import pytest

from registry.crypto.derive import derive
from registry.crypto.sign import SigningKey, new_seed, verify_signature
from registry.crypto.tags import HmacKey, equal, keyed_tag
from registry.domain.errors import ProofRejected

KEY = bytes(range(32))


def test_labels_separate_derived_keys() -> None:
    assert len({derive(KEY, label) for label in ("a", "b", "ab", "registry/marks/v1", "registry/marks/v2")}) == 5
    assert derive(KEY, "a", length=64)[:32] == derive(KEY, "a")
    assert derive(KEY, "a") != derive(bytes(32), "a")


def test_a_derivation_needs_a_key_and_a_label() -> None:
    with pytest.raises(ValueError, match="short"):
        derive(bytes(15), "label")
    with pytest.raises(ValueError, match="label"):
        derive(KEY, "")


def test_a_tag_depends_on_key_domain_and_data() -> None:
    tags = {
        keyed_tag(KEY, "a", b"bc"),
        keyed_tag(KEY, "ab", b"c"),
        keyed_tag(KEY, "abc", b""),
        keyed_tag(KEY, "b", b"bc"),
        keyed_tag(bytes(32), "a", b"bc"),
    }
    assert len(tags) == 5
    assert {len(tag) for tag in tags} == {16}


@pytest.mark.parametrize("length", [8, 16, 32])
def test_a_shorter_tag_is_the_beginning_of_a_longer(length: int) -> None:
    assert keyed_tag(KEY, "d", b"x", length=length) == keyed_tag(KEY, "d", b"x", length=32)[:length]


def test_limits_of_a_tag() -> None:
    for length in (0, 7, 33):
        with pytest.raises(ValueError, match="8 to 32"):
            keyed_tag(KEY, "d", b"x", length=length)
    for domain in ("", "d" * 65_536):
        with pytest.raises(ValueError, match="domain"):
            keyed_tag(KEY, domain, b"x")
    with pytest.raises(ValueError, match="short"):
        keyed_tag(bytes(15), "d", b"x")


@pytest.mark.parametrize("size", [0, 16, 32, 63, 64])
def test_the_reusable_hmac_is_hmac(size: int) -> None:
    key = os.urandom(size)
    reusable = HmacKey(key)
    for length in (0, 1, 55, 56, 64, 1000):
        message = os.urandom(length)
        assert reusable.digest(message) == hmac.digest(key, message, "sha256")


def test_the_reusable_hmac_keeps_to_one_block() -> None:
    with pytest.raises(ValueError, match="one block"):
        HmacKey(bytes(65))
    with pytest.raises(TypeError):
        pickle.dumps(HmacKey(KEY))


def test_comparison() -> None:
    assert equal(b"same", b"same")
    assert not equal(b"same", b"sane")
    assert not equal(b"same", b"same\0")


def test_a_signature_verifies_and_nothing_else_does() -> None:
    key = SigningKey(new_seed())
    signature = key.sign(b"message")
    verify_signature(key.public_bytes, b"message", signature)
    other = SigningKey(new_seed()).public_bytes
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    for public, message, proof in (
        (other, b"message", signature),
        (key.public_bytes, b"massage", signature),
        (key.public_bytes, b"message", flipped),
        (key.public_bytes, b"message", signature[:-1]),
        (key.public_bytes, b"message", signature + b"\0"),
        (key.public_bytes, b"message", b""),
        (key.public_bytes[:-1], b"message", signature),
        (b"\xff" * 32, b"message", signature),
    ):
        with pytest.raises(ProofRejected):
            verify_signature(public, message, proof)


def test_the_same_seed_is_the_same_key() -> None:
    seed = new_seed()
    assert SigningKey(seed).public_bytes == SigningKey(seed).public_bytes
    assert SigningKey(seed).sign(b"x") == SigningKey(seed).sign(b"x")
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(bytes(31))


def test_a_signing_key_is_never_shown_or_pickled() -> None:
    key = SigningKey(KEY)
    assert repr(key) == "SigningKey(***)"
    with pytest.raises(TypeError):
        pickle.dumps(key)


_FORK = """
import os
from registry.crypto.random import random_bytes
random_bytes(32)
child = os.fork()
os.write(1, random_bytes(32).hex().encode() + b"\\n")
if child:
    os.waitpid(child, 0)
"""


def test_randomness_differs_across_a_fork() -> None:
    done = subprocess.run([sys.executable, "-c", _FORK], capture_output=True, text=True, check=True)
    lines = done.stdout.split()
    assert [len(line) for line in lines] == [64, 64]
    assert lines[0] != lines[1]
