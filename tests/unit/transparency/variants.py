"""Many changed forms of one bundle, verified in one process: what they share is computed once.

The stand-alone verifier itself decides over every form, with nothing left out of it. Only what is a pure function of
its arguments is remembered here (signatures, lines of notes, the parts that two signatures of one key share), and the
zip is not written and read back for each form: that every byte of the container counts is test_container.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Any

import pytest

from registry.transparency.offline import verify_bundle as offline
from registry.transparency.offline.verify_bundle import Trust, Verdict
from tests.unit.transparency.bundles import Members

# Of the verifier, whose arguments can be keys of a table and whose results nobody changes.
_PURE = (
    *("ed25519_verifies", "ml_dsa_44_verifies", "signature_lines", "parse_key", "parse_leaf"),
    *("_decoded_point", "_unpacked", "_uniform"),
)


def remember(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the verifier remember until the test's end what it has computed already, and take members for a zip."""
    for name in _PURE:
        monkeypatch.setattr(offline, name, lru_cache(4_096)(getattr(offline, name)))
    monkeypatch.setattr(offline, "_ntt", _by_row(offline._ntt))
    monkeypatch.setattr(offline, "read_zip", lambda members: members)


def _by_row(function: Callable[[list[int]], list[int]]) -> Callable[[Iterable[int]], list[int]]:
    known = lru_cache(4_096)(lambda row: function(list(row)))
    return lambda row: known(tuple(row))


def verdict_of(members: Members, trust: Trust) -> Verdict:
    """Verify members, of which only the manifest need not fit, after ``remember``."""
    others = {name: data for name, data in members.items() if name != "manifest.sha256"}
    lines = [f"{sha256(others[name]).hexdigest()}  {name}\n" for name in sorted(others)]
    taken: Any = {**others, "manifest.sha256": "".join(lines).encode()}
    return offline.verify(taken, trust)


def flipped(raw: bytes, position: int) -> bytes:
    """Return bytes with one bit of one of them changed."""
    changed = bytearray(raw)
    changed[position] ^= 1 << position % 8
    return bytes(changed)
