"""Make an AES-GCM ciphertext that opens under two keys: what the key commitment is there against.

GCM's tag is a polynomial in the key's hash point H. One free ciphertext block makes the tags of two keys equal:
``c1 + X * H1^e = c2 + X * H2^e``.  Source: Dodis, Grubbs, Ristenpart, Woodage, "Fast Message Franking", 2018.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_R = 0xE1 << 120


def multiply(left: int, right: int) -> int:
    """Multiply in GCM's field, most significant bit first (NIST SP 800-38D, 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = (right >> 1) ^ (_R if right & 1 else 0)
    return product


def power(base: int, exponent: int) -> int:
    result = 1 << 127  # the field's one
    while exponent:
        if exponent & 1:
            result = multiply(result, base)
        base = multiply(base, base)
        exponent >>= 1
    return result


def blocks(data: bytes) -> list[int]:
    padded = data + bytes(-len(data) % 16)
    return [int.from_bytes(padded[at : at + 16], "big") for at in range(0, len(padded), 16)]


class Gcm:
    """AES-GCM of one key and nonce, taken apart."""

    def __init__(self, key: bytes, nonce: bytes) -> None:
        self._block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # single blocks only
        self._nonce = nonce
        self.point = int.from_bytes(self._block.update(bytes(16)), "big")
        self.mask = int.from_bytes(self.counter_block(1), "big")

    def counter_block(self, count: int) -> bytes:
        return self._block.update(self._nonce + count.to_bytes(4, "big"))

    def keystream(self, length: int) -> bytes:
        return b"".join(self.counter_block(2 + at) for at in range(-(-length // 16)))[:length]

    def tag(self, hashed: list[int]) -> int:
        total = 0
        for block in hashed:
            total = multiply(total ^ block, self.point)
        return total ^ self.mask


def two_key_body(first: Gcm, second: Gcm, ciphertext: bytes, associated: bytes, free: int) -> bytes:
    """Return ciphertext and tag that both keys accept, by choosing ciphertext block number ``free`` (from 0)."""
    lengths = (len(associated) * 8 << 64) | len(ciphertext) * 8
    body = blocks(ciphertext)
    body[free] = 0
    hashed = [*blocks(associated), *body, lengths]
    exponent = len(body) - free + 1
    denominator = power(first.point, exponent) ^ power(second.point, exponent)
    solved = multiply(first.tag(hashed) ^ second.tag(hashed), power(denominator, 2**128 - 2))
    body[free] = solved
    tag = first.tag([*blocks(associated), *body, lengths])
    return b"".join(block.to_bytes(16, "big") for block in [*body, tag])
