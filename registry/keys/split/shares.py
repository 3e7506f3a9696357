"""Share files: each holds one share of an unseal key, sealed under its holder's passphrase.

A share file, one fact a line::

    registry-share/v1
    unseal-key: unseal-9f1c2a3b4c5d6e7f
    share: 2 of 5
    needed: 3
    made: 2026-03-02T09:00:00.000Z
    kdf: argon2id memory 262144 passes 3 lanes 4
    salt: <16 bytes as base64>
    sealed: <the share, wrapped, as base64>
    checksum: <SHA-256 of the lines above, hexadecimal>

The passphrase goes through Argon2id (RFC 9106, a quarter of a gibibyte). Everything above ``sealed`` is bound to the
share: a file that says something else does not open. The checksum tells damage from a wrong passphrase.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from registry.crypto.random import random_bytes
from registry.crypto.shamir import join_shares, split_secret
from registry.crypto.stretch import SALT_BYTES, Cost, stretch
from registry.crypto.wrap import unwrap_key, wrap_key
from registry.domain.clock import Clock, iso
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.key_files import KEY_BYTES, checked_lines, key_id_of, with_checksum

UNSEAL = "unseal"
LEAST_PASSPHRASE = 12
COST = Cost()
_HEADER = "registry-share/v1"
_CONTEXT = b"registry/share/v1\0"
_KDF = re.compile(r"argon2id memory ([1-9][0-9]{0,6}) passes ([1-9]) lanes ([1-9])")
_FIELDS = ("unseal-key", "share", "needed", "made", "kdf", "salt", "sealed")
_SHARE = re.compile(r"([1-9][0-9]{0,2}) of ([1-9][0-9]{0,2})")
_NEEDED = re.compile(r"[1-9][0-9]{0,2}")


@dataclass(frozen=True, slots=True)
class UnsealKey:
    """What a split keyring's files are sealed under. Never shown, never pickled."""

    key_id: str
    secret: bytes = field(repr=False)

    @classmethod
    def make(cls) -> UnsealKey:
        """Make a new one."""
        return cls.of(random_bytes(KEY_BYTES))

    @classmethod
    def of(cls, secret: bytes) -> UnsealKey:
        """Name a key."""
        return cls(key_id_of(UNSEAL, secret), secret)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


@dataclass(frozen=True, slots=True)
class OpenShare:
    """One share, opened by its holder.

    Attributes:
        key_id: of the unseal key it is of.
        place: which share it is, from 1.
        needed: how many give the key.
        secret: the share.
    """

    key_id: str
    place: int
    needed: int
    secret: bytes = field(repr=False)


def write_shares(
    key: UnsealKey, needed: int, passphrases: Sequence[str], clock: Clock, cost: Cost = COST
) -> tuple[bytes, ...]:
    """Split an unseal key into share files, one for each passphrase, and try them before they are handed out.

    Args:
        key: to be split.
        needed: how many shares give it back, from 2.
        passphrases: of the holders, in the order of the shares.
        clock: tells when.
        cost: of trying one passphrase.

    Returns:
        The files.

    Raises:
        ValueError: numbers that do not fit, a passphrase that is too short or another holder's too.
        KeyUnavailable: what was written does not give the key back.
    """
    if min(map(len, passphrases), default=0) < LEAST_PASSPHRASE or len(set(passphrases)) != len(passphrases):
        raise ValueError(f"each holder has a passphrase of their own, of {LEAST_PASSPHRASE} characters at least")
    shares = split_secret(key.secret, needed, len(passphrases))
    made = iso(clock.now())
    files = tuple(
        _sealed((key.key_id, f"{place} of {len(shares)}", str(needed), made, _told(cost)), share, words, cost)
        for (place, share), words in zip(shares.items(), passphrases, strict=True)
    )
    opened = [open_share(file, words, "a share just made") for file, words in zip(files, passphrases, strict=True)]
    for first in range(len(opened) - needed + 1):
        join(opened[first : first + needed])
    return files


def open_share(content: bytes, passphrase: str, name: str) -> OpenShare:
    """Open a share file.

    Args:
        content: of the file.
        passphrase: its holder's.
        name: of the file, for the error.

    Raises:
        KeyUnavailable: damaged, of an unknown version, or not opened by this passphrase.
    """
    values = dict(_lines(content, name))
    share, needed = _SHARE.fullmatch(values["share"]), _NEEDED.fullmatch(values["needed"])
    cost = _KDF.fullmatch(values["kdf"])
    if share is None or needed is None or cost is None:
        raise KeyUnavailable(f"{name} is not a share file that this version reads")
    told = tuple(values[name] for name in _FIELDS[:5])
    try:
        salt, sealed = (base64.b64decode(values[one], validate=True) for one in ("salt", "sealed"))
        secret = unwrap_key(stretch(passphrase, salt, Cost(*map(int, cost.groups()))), sealed, _context(told))
    except (ValueError, EnvelopeRejected):
        raise KeyUnavailable(f"{name} does not open with this passphrase, or was changed") from None
    return OpenShare(values["unseal-key"], int(share[1]), int(needed[0]), secret)


def join(shares: Sequence[OpenShare]) -> UnsealKey:
    """Return the unseal key whose shares these are.

    Raises:
        KeyUnavailable: too few, two of one place, of different keys, or one that is not of this key.
    """
    if len({(one.key_id, one.needed) for one in shares}) != 1:
        raise KeyUnavailable("these shares are not of one unseal key; bring shares of the same ceremony")
    places = {one.place: one.secret for one in shares}
    missing = shares[0].needed - len(places)
    if missing > 0:
        raise KeyUnavailable(f"{missing} more of the shares are needed; the same share counts once")
    try:
        key = UnsealKey.of(join_shares(dict(list(places.items())[: shares[0].needed])))
    except ValueError:
        key = None
    if key is None or key.key_id != shares[0].key_id:
        raise KeyUnavailable("these shares do not give their key: one of them was made by somebody else")
    return key


def _sealed(told: tuple[str, ...], share: bytes, passphrase: str, cost: Cost) -> bytes:
    salt = random_bytes(SALT_BYTES)
    sealed = wrap_key(stretch(passphrase, salt, cost), share, _context(told))
    values = (*told, base64.b64encode(salt).decode(), base64.b64encode(sealed).decode())
    lines = "".join(f"{name}: {value}\n" for name, value in zip(_FIELDS, values, strict=True))
    return with_checksum(f"{_HEADER}\n{lines}")


def _lines(content: bytes, name: str) -> list[tuple[str, str]]:
    lines = [line.partition(": ")[::2] for line in checked_lines(content, _HEADER, name)]
    if tuple(field for field, _ in lines) != _FIELDS:
        raise KeyUnavailable(f"{name} is not a complete share file")
    return lines


def _context(told: tuple[str, ...]) -> bytes:
    return _CONTEXT + "\n".join(told).encode()


def _told(cost: Cost) -> str:
    return f"argon2id memory {cost.memory} passes {cost.passes} lanes {cost.lanes}"
