"""The stand-alone verifier's ML-DSA-44 against the library's: what is good, and what a changed bit makes of it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.crypto.sign_lattice import LatticeKey, verify_lattice_signature
from registry.domain.errors import ProofRejected
from registry.transparency.offline.verify_bundle import (
    _high,
    _hints,
    _ntt,
    _turned_back,
    _uniform,
    ml_dsa_44_verifies,
)

PUBLIC_BYTES, SIGNATURE_BYTES = 1_312, 2_420
Q, GAMMA2 = 8_380_417, 95_232
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
    assert _hints(bytes(range(80)) + bytes([80] * 4)) == [set(range(80)), set(), set(), set()]
    assert _hints(bytes([1, 3, 2]).ljust(80, b"\0") + bytes([3] * 4)) is None
    assert _hints(bytes([1, 3, 3]).ljust(80, b"\0") + bytes([3] * 4)) is None


@pytest.mark.parametrize("length", [0, 32, SIGNATURE_BYTES - 1, SIGNATURE_BYTES + 1])
def test_keys_and_signatures_have_one_length(length: int) -> None:
    assert not ml_dsa_44_verifies(KEY.public_bytes, (GOOD + GOOD)[:length], MESSAGE)
    assert not ml_dsa_44_verifies((KEY.public_bytes * 2)[:length], GOOD, MESSAGE)
    assert len(KEY.public_bytes) == PUBLIC_BYTES


def test_a_signature_does_not_go_on_as_if_there_were_a_fifth_row() -> None:
    """A further row that ends where the last one did would hold nothing and be read as well."""
    assert not ml_dsa_44_verifies(KEY.public_bytes, GOOD + GOOD[-1:], MESSAGE)


def made_up(seed: bytes, largest: int, *, more: bytes = b"") -> tuple[bytes, bytes]:
    """Return a public key and what a dishonest holder makes of it: a signature of one coefficient of that size.

    Its secret is nought, so that any z leads to some commitment; ``more`` is appended to the key.
    """
    public_key = seed + bytes(1_280) + more
    z = [[0] * 256 for _ in range(4)]
    z[3][7] = largest
    mu = hashlib.shake_256(hashlib.shake_256(public_key).digest(64) + b"\0\0" + MESSAGE).digest(64)
    encoded = b""
    for r in range(4):
        total = [0] * 256
        for s in range(4):
            row, turned = _uniform(seed + bytes([s, r])), _ntt(z[s])
            total = [total[i] + row[i] * turned[i] for i in range(256)]
        high = [_high(n % Q, False) for n in _turned_back(total)]
        encoded += sum(n << 6 * i for i, n in enumerate(high)).to_bytes(192, "little")
    packed = [sum((2**17 - n) << 18 * i for i, n in enumerate(row)).to_bytes(576, "little") for row in z]
    return public_key, hashlib.shake_256(mu + encoded).digest(32) + b"".join(packed) + bytes(84)


@pytest.mark.parametrize(
    ("largest", "is_good"),
    [(2**17 - 79, True), (79 - 2**17, True), (2**17 - 78, False), (78 - 2**17, False), (2**17, False)],
)
def test_coefficients_of_z_that_are_too_large_are_refused(largest: int, is_good: bool) -> None:
    public_key, signature = made_up(bytes(32), largest)
    assert ml_dsa_44_verifies(public_key, signature, MESSAGE) is is_good
    assert library_verifies(public_key, signature, MESSAGE) is is_good


def test_a_number_of_the_matrix_is_below_the_prime() -> None:
    """In what this seed gives, the prime itself comes up among the first 256: both leave it out."""
    public_key, signature = made_up((4_800).to_bytes(32, "little"), 5)
    assert ml_dsa_44_verifies(public_key, signature, MESSAGE)
    assert library_verifies(public_key, signature, MESSAGE)


def test_what_is_signed_under_a_longer_key_is_not_under_a_key() -> None:
    assert not ml_dsa_44_verifies(*made_up(bytes(32), 5, more=b"\0"), MESSAGE)


def decomposed(number: int, is_hinted: bool) -> int:
    """Algorithms 36 and 40 of FIPS 204 as they are written there."""
    low = number % (2 * GAMMA2)
    low = low - 2 * GAMMA2 if low > GAMMA2 else low
    high, low = (0, low - 1) if number - low == Q - 1 else ((number - low) // (2 * GAMMA2), low)
    return high if not is_hinted else (high + 1) % 44 if low > 0 else (high - 1) % 44


@pytest.mark.parametrize("is_hinted", [False, True])
def test_high_bits_at_every_border(is_hinted: bool) -> None:
    borders = [GAMMA2 * n + step for n in range(89) for step in (-1, 0, 1)]
    numbers = [number for number in borders if 0 <= number < Q]
    assert len(numbers) > 260
    assert [_high(n, is_hinted) for n in numbers] == [decomposed(n, is_hinted) for n in numbers]
    assert _high(GAMMA2, is_hinted) == is_hinted
    assert _high(Q - 1, is_hinted) == (43 if is_hinted else 0)
