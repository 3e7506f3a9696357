"""The local keyring with its files sealed under an unseal key, which several people bring together.

A key file, one fact a line::

    registry-split-key/v1
    purpose: data
    key-id: data-9f1c2a3b4c5d6e7f
    created: 2026-03-02T09:00:00.000Z
    unseal-key: unseal-9f1c2a3b4c5d6e7f
    sealed: <the 32 bytes, wrapped, as base64>
    checksum: <SHA-256 of the lines above, hexadecimal>

While a local ring is being sealed some of its files are still in the clear; they are read as they are.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from registry.crypto.wrap import unwrap_key, wrap_key
from registry.domain.clock import Clock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.key_files import (
    KEY_BYTES,
    KeyMaterial,
    checked_lines,
    is_key_file,
    key_id_of,
    parse_key,
    with_checksum,
)
from registry.keys.local import LocalForm, LocalKeyring
from registry.keys.ring_folder import SPLIT_HEADER, create_ring, load_ring
from registry.keys.ring_forms import change_form, is_of, write_again
from registry.keys.split.shares import UnsealKey
from registry.keys.split.unsealed import SplitSettings, open_keys

_HEADER = "registry-split-key/v1"
_FIELDS = ("purpose", "key-id", "created", "unseal-key", "sealed")
_CONTEXT = b"registry/split-key/v1\0"


class SplitForm:
    """Keys wrapped under an unseal key: read under whichever of the open ones a file names, written under one."""

    header = SPLIT_HEADER

    def __init__(self, keys: Mapping[str, UnsealKey], key_id: str | None = None) -> None:
        """Take the open unseal keys.

        Args:
            keys: by their ids; not empty.
            key_id: which one to write under; None for the one that the files are read under, or the only one.
        """
        self._keys = keys
        self._chosen = key_id
        self._seen: str | None = None

    def render(self, material: KeyMaterial) -> bytes:
        """Return the text of a key's file, sealed; see ``RingForm``."""
        key = self._to_write()
        sealed = wrap_key(key.secret, material.secret, _context(material.purpose, material.created))
        values = (material.purpose, material.key_id, material.created, key.key_id, base64.b64encode(sealed).decode())
        lines = "".join(f"{field}: {value}\n" for field, value in zip(_FIELDS, values, strict=True))
        return with_checksum(f"{_HEADER}\n{lines}")

    def parse(self, content: bytes, purpose: str, name: str) -> KeyMaterial:
        """Read the text of a key's file, sealed or not; see ``RingForm``."""
        if is_key_file(content):
            return parse_key(content, purpose, name)
        lines = [line.partition(": ")[::2] for line in checked_lines(content, _HEADER, name)]
        values = dict(lines)
        if tuple(field for field, _ in lines) != _FIELDS or values["purpose"] != purpose:
            raise KeyUnavailable(f"{name} is not a complete key file; restore it from a backup")
        secret = self._opened(values, name)
        if len(secret) != KEY_BYTES or values["key-id"] != key_id_of(purpose, secret):
            raise KeyUnavailable(f"{name} does not hold the {purpose} key it should; restore it from a backup")
        self._seen = values["unseal-key"]
        return KeyMaterial(purpose, values["key-id"], values["created"], secret)

    def _to_write(self) -> UnsealKey:
        named = self._chosen or self._seen
        if named is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        if named is None or named not in self._keys:
            raise KeyUnavailable("several unseal keys are open; say which one seals, or lock and unseal with one")
        return self._keys[named]

    def _opened(self, values: Mapping[str, str], name: str) -> bytes:
        key = self._keys.get(values["unseal-key"])
        if key is None:
            raise KeyUnavailable(f"{name} is sealed under {values['unseal-key']}; unseal with the shares of that key")
        try:
            blob = base64.b64decode(values["sealed"], validate=True)
            return unwrap_key(key.secret, blob, _context(values["purpose"], values["created"]))
        except (ValueError, EnvelopeRejected):
            raise KeyUnavailable(f"{name} was changed; restore it from a backup") from None


class SplitKeyring(LocalKeyring):
    """The keys of a registry whose files several people open together. Never shown, never pickled."""

    __slots__ = ()

    @classmethod
    def made(cls, folder: Path, settings: SplitSettings, clock: Clock) -> SplitKeyring:
        """Make a new ring, or complete one whose making was interrupted; see ``create_ring``."""
        form = SplitForm(open_keys(settings.unseal_folder))
        return cls(folder, form, create_ring(folder, form, clock))

    @classmethod
    def opened(cls, folder: Path, settings: SplitSettings) -> SplitKeyring:
        """Read a finished ring; see ``load_ring``."""
        form = SplitForm(open_keys(settings.unseal_folder))
        return cls(folder, form, load_ring(folder, form))


def seal_ring(folder: Path, settings: SplitSettings, key_id: str | None = None) -> str:
    """Seal the files of a local ring, or seal those of a split one under another unseal key. May be run again.

    The manifest changes first, and one file after the other: a crash leaves a ring that opens, and running this again
    finishes it.

    Args:
        folder: the key folder.
        settings: where the unseal keys are open.
        key_id: which of them seals; None where only one is open.

    Returns:
        The id of the unseal key that seals now.

    Raises:
        KeyUnavailable: locked, no such key, the ring cannot be read, or the disk refuses.
    """
    keys = open_keys(settings.unseal_folder)
    if key_id is None and len(keys) > 1:
        raise KeyUnavailable(f"several unseal keys are open; say which one seals: {', '.join(keys)}")
    chosen = next(iter(keys)) if key_id is None else key_id
    form = SplitForm(keys, chosen)
    if chosen not in keys:
        raise KeyUnavailable(f"{chosen} is not open; run: registry keys unseal")
    if is_of(folder, LocalForm.header):
        change_form(folder, LocalForm(), form)
    write_again(folder, form)
    return chosen


def in_the_clear(folder: Path) -> list[str]:
    """Return the names of key files that are not sealed, as a crash within ``seal_ring`` leaves them."""
    return sorted(path.name for path in folder.glob("*.key") if is_key_file(path.read_bytes()))


def _context(purpose: str, created: str) -> bytes:
    return _CONTEXT + f"{purpose}\0{created}".encode()
