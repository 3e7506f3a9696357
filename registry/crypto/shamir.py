"""Secret sharing (Shamir 1979) over GF(2^8), byte by byte: some shares give the secret, fewer give nothing.

The field is that of AES: polynomials over GF(2) modulo x^8 + x^4 + x^3 + x + 1. Each byte of the secret is the value at
0 of a polynomial of its own with random coefficients; a share is the values at one other place. Arithmetic is without
tables and branches on secret bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from registry.crypto.random import random_bytes

MOST_SHARES = 255
_MODULUS = 0x1B


def split_secret(
    secret: bytes, threshold: int, shares: int, random: Callable[[int], bytes] = random_bytes
) -> dict[int, bytes]:
    """Split a secret.

    Args:
        secret: what is shared.
        threshold: how many shares give it back, from 2.
        shares: how many are made, at most 255.
        random: gives so many random bytes.

    Returns:
        The shares by their places, from 1; each as long as the secret.

    Raises:
        ValueError: numbers that do not fit together.
    """
    if not 2 <= threshold <= shares <= MOST_SHARES:
        raise ValueError(f"two shares at least are needed, and no more than there are; {MOST_SHARES} at most")
    higher = [random(len(secret)) for _ in range(threshold - 1)]
    return {
        place: bytes(_value((secret[i], *(one[i] for one in higher)), place) for i in range(len(secret)))
        for place in range(1, shares + 1)
    }


def join_shares(shares: Mapping[int, bytes]) -> bytes:
    """Return the secret whose shares these are.

    Whether they are enough, and of one secret, cannot be seen from them: too few, or changed ones, give other bytes.

    Raises:
        ValueError: no shares, of different lengths, or at a place that does not exist.
    """
    lengths = {len(share) for share in shares.values()}
    if len(lengths) != 1 or not all(1 <= place <= MOST_SHARES for place in shares):
        raise ValueError("shares of one secret have one length, and places from 1 to 255")
    secret = bytearray(lengths.pop())
    for place, share in shares.items():
        weight = 1
        for other in shares:
            if other != place:
                weight = _times(weight, _times(other, _inverse(other ^ place)))
        for i, byte in enumerate(share):
            secret[i] ^= _times(weight, byte)
    return bytes(secret)


def _value(coefficients: tuple[int, ...], place: int) -> int:
    """Return the value of a polynomial at a place (Horner)."""
    value = 0
    for coefficient in reversed(coefficients):
        value = _times(value, place) ^ coefficient
    return value


def _times(a: int, b: int) -> int:
    """Multiply in the field."""
    product = 0
    for _ in range(8):
        product ^= a & -(b & 1)
        a = ((a << 1) & 0xFF) ^ (_MODULUS & -(a >> 7))
        b >>= 1
    return product


def _inverse(a: int) -> int:
    """Return the inverse of a place's difference: a to the power of 254."""
    result, square = 1, a
    for _ in range(7):
        square = _times(square, square)
        result = _times(result, square)
    return result
