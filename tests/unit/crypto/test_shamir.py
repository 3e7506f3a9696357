"""Sharing a secret: enough shares give it, in any choice; fewer are as likely for every other secret."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, strategies

from registry.crypto.shamir import MOST_SHARES, _inverse, _times, join_shares, split_secret

SECRET = bytes(range(32))


@given(strategies.binary(min_size=1, max_size=40), strategies.integers(2, 6), strategies.integers(0, 4))
def test_any_choice_of_enough_shares_gives_the_secret(secret: bytes, needed: int, more: int) -> None:
    shares = split_secret(secret, needed, needed + more)
    for places in combinations(shares, needed):
        assert join_shares({place: shares[place] for place in places}) == secret
    assert join_shares(shares) == secret


def test_fewer_shares_say_nothing() -> None:
    """Exactly: over all coefficients, the share of one place takes each value once, whatever the secret is."""
    for secret in (0, 1, 0x53, 0xFF):
        for place in (1, 2, MOST_SHARES):
            seen = Counter(
                split_secret(bytes([secret]), 2, MOST_SHARES, lambda _n, c=c: bytes([c]))[place] for c in range(256)
            )
            assert set(seen.values()) == {1}
            assert len(seen) == 256


def test_two_shares_of_three_say_nothing() -> None:
    """Of three needed, a pair of shares takes each pair of values once: tried over a sixteenth of all coefficients."""
    pairs: dict[int, set[tuple[int, int]]] = {}
    for secret in (0, 0xA7):
        found = set()
        for a in range(0, 256, 4):
            for b in range(0, 256, 4):
                given_bytes = iter((bytes([a]), bytes([b])))
                shares = split_secret(bytes([secret]), 3, 3, lambda _n, given_bytes=given_bytes: next(given_bytes))
                found.add((shares[1][0] ^ secret, shares[2][0] ^ secret))
        pairs[secret] = found
        assert len(found) == 64 * 64  # no two choices of coefficients give one pair
    assert pairs[0] == pairs[0xA7]


def test_too_few_or_changed_shares_give_something_else() -> None:
    shares = split_secret(SECRET, 3, 5)
    assert join_shares({1: shares[1], 2: shares[2]}) != SECRET
    changed = bytes([shares[1][0] ^ 1]) + shares[1][1:]
    assert join_shares({1: changed, 2: shares[2], 3: shares[3]}) != SECRET
    assert join_shares({4: shares[1], 2: shares[2], 3: shares[3]}) != SECRET


def test_known_answer() -> None:
    """By hand: 0x53 + 0xCA x at 1, 2 and 3; 0x53 times 0xCA is 1 in the field of AES (FIPS 197, 4.2)."""
    shares = split_secret(b"\x53", 2, 3, lambda _n: b"\xca")
    assert shares == {1: b"\x99", 2: bytes([0x53 ^ 0x8F]), 3: bytes([0x53 ^ 0x8F ^ 0xCA])}
    assert (_times(0x53, 0xCA), _times(0xCA, 2), _times(0x57, 0x83)) == (1, 0x8F, 0xC1)
    assert all(_times(a, _inverse(a)) == 1 for a in range(1, 256))


@pytest.mark.parametrize(("needed", "shares"), [(1, 3), (4, 3), (2, 256), (0, 0)])
def test_numbers_that_do_not_fit(needed: int, shares: int) -> None:
    with pytest.raises(ValueError, match="shares"):
        split_secret(SECRET, needed, shares)


@pytest.mark.parametrize("shares", [{}, {0: b"a"}, {256: b"a"}, {1: b"a", 2: b"ab"}])
def test_what_are_no_shares(shares: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="shares of one secret"):
        join_shares(shares)
