"""ML-DSA-44 signatures; tests/vectors has an answer of another implementation."""

from __future__ import annotations

import pickle

import pytest

from registry.crypto.sign_lattice import LatticeKey, verify_lattice_signature
from registry.domain.errors import ProofRejected

KEY = LatticeKey(bytes(range(32)))
SIGNATURE = KEY.sign(b"message")


def test_a_signature_verifies() -> None:
    verify_lattice_signature(KEY.public_bytes, b"message", SIGNATURE)
    assert (len(KEY.public_bytes), len(SIGNATURE)) == (1_312, 2_420)
    assert LatticeKey(bytes(range(32))).public_bytes == KEY.public_bytes


@pytest.mark.parametrize("at", [0, 31, 32, 1_000, 2_419])
def test_a_changed_signature_does_not(at: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[at] ^= 1
    with pytest.raises(ProofRejected, match="does not verify"):
        verify_lattice_signature(KEY.public_bytes, b"message", bytes(changed))


def test_nor_does_another_message_or_key() -> None:
    with pytest.raises(ProofRejected, match="does not verify"):
        verify_lattice_signature(KEY.public_bytes, b"massage", SIGNATURE)
    with pytest.raises(ProofRejected, match="does not verify"):
        verify_lattice_signature(LatticeKey(bytes(32)).public_bytes, b"message", SIGNATURE)


@pytest.mark.parametrize(("public", "signature"), [(1_311, 2_420), (1_313, 2_420), (1_312, 2_419), (1_312, 0)])
def test_lengths_are_fixed(public: int, signature: int) -> None:
    with pytest.raises(ProofRejected, match="wrong length"):
        verify_lattice_signature(bytes(public), b"message", bytes(signature))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        LatticeKey(bytes(length))


def test_the_key_is_neither_shown_nor_pickled() -> None:
    assert repr(KEY) == "LatticeKey(***)"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(KEY)
