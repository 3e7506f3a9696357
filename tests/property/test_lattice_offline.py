"""The stand-alone verifier's ML-DSA-44 against the library's: what is good, and what a changed bit makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.crypto.sign_lattice import LatticeKey, verify_lattice_signature
from registry.domain.errors import ProofRejected
from registry.transparency.offline.verify_bundle import _hints, ml_dsa_44_verifies

PUBLIC_BYTES, SIGNATURE_BYTES = 1_312, 2_420
seeds = st.binary(min_size=32, max_size=32)
KEY = LatticeKey(bytes(range(32)))
MESSAGE = b"one message"
GOOD = KEY.sign(MESSAGE)


def library_verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        verify_lattice_signature(public_key, message, signature)
    except ProofRejected:
        return False
    return True


@settings(max_examples=20)
@given(seeds, st.binary(max_size=200))
def test_good_signatures_verify(seed: bytes, message: bytes) -> None:
    key = LatticeKey(seed)
    assert ml_dsa_44_verifies(key.public_bytes, key.sign(message), message)


@settings(max_examples=40)
@given(st.integers(0, 2), st.data())
def test_a_flipped_bit_in_key_signature_or_message_is_found(which: int, data: st.DataObject) -> None:
    parts = [KEY.public_bytes, GOOD, MESSAGE]
    changed = bytearray(parts[which])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[which] = bytes(changed)
    assert not ml_dsa_44_verifies(*parts)
    assert not library_verifies(*parts)


@settings(max_examples=60)
@given(st.integers(2_336, SIGNATURE_BYTES - 1), st.integers(0, 255))
def test_both_read_hints_alike(position: int, value: int) -> None:
    """Hints have one spelling: ascending in each row, nothing after the last, ends that do not go back."""
    changed = bytearray(GOOD)
    changed[position] = value
    assert ml_dsa_44_verifies(KEY.public_bytes, bytes(changed), MESSAGE) is (bytes(changed) == GOOD)
    assert library_verifies(KEY.public_bytes, bytes(changed), MESSAGE) is (bytes(changed) == GOOD)


def respelled() -> dict[str, bytes]:
    """Write the same hints in other bytes: two places swapped, one twice, all in another row's order."""
    hints = GOOD[2_336:]
    ends = list(hints[80:])
    assert ends[0] >= 2, "the first row of this signature has two hints at least"
    swapped = bytes([hints[1], hints[0], *hints[2:]])
    twice = bytes([hints[0], *hints[:79], *(end + 1 for end in ends)])
    return {"swapped": GOOD[:2_336] + swapped, "twice": GOOD[:2_336] + twice}


@pytest.mark.parametrize("how", ["swapped", "twice"])
def test_the_same_hints_in_other_bytes_are_no_signature(how: str) -> None:
    """Whoever could respell a signature would have a second one of the same checkpoint."""
    changed = respelled()[how]
    assert changed != GOOD
    assert not ml_dsa_44_verifies(KEY.public_bytes, changed, MESSAGE)
    assert not library_verifies(KEY.public_bytes, changed, MESSAGE)


@pytest.mark.parametrize("ends", [(81, 81, 81, 81), (84, 84, 84, 84), (3, 2, 3, 3), (3, 3, 3, 0)])
def test_hints_that_end_beyond_their_room_or_go_back_are_none(ends: tuple[int, ...]) -> None:
    places = bytes(range(1, 4)) if max(ends) <= 80 else bytes(range(80))
    assert _hints(places.ljust(80, b"\0") + bytes(ends)) is None
    assert _hints(bytes(range(1, 4)).ljust(80, b"\0") + bytes([1, 2, 3, 3])) == [{1}, {2}, {3}, set()]


@pytest.mark.parametrize("length", [0, 32, SIGNATURE_BYTES - 1, SIGNATURE_BYTES + 1])
def test_keys_and_signatures_have_one_length(length: int) -> None:
    assert not ml_dsa_44_verifies(KEY.public_bytes, (GOOD + GOOD)[:length], MESSAGE)
    assert not ml_dsa_44_verifies((KEY.public_bytes * 2)[:length], GOOD, MESSAGE)
    assert len(KEY.public_bytes) == PUBLIC_BYTES


def test_coefficients_of_z_that_are_too_large_are_refused() -> None:
    """18 zero bits are the largest coefficient, beyond the bound that a signer keeps."""
    assert not ml_dsa_44_verifies(KEY.public_bytes, GOOD[:32] + bytes(2_304) + GOOD[2_336:], MESSAGE)
