"""The local keyring: a folder of key files beside the database, never inside it.

Each purpose has a key of its own, so that who gets one learns nothing of the rest. The file ``keyring`` names every
key of the ring and is written last: without it the ring is unfinished and was never used; with it, a missing key is
a lost key and is reported, never made anew.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NoReturn, get_args

from registry.crypto.random import random_bytes
from registry.crypto.sign import SigningKey
from registry.crypto.wrap import unwrap_key, wrap_key
from registry.domain.clock import Clock, SystemClock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.key_files import (
    FOLDER_MODE,
    KEY_BYTES,
    KeyMaterial,
    checked_lines,
    clear_unfinished,
    open_folder,
    parse_key,
    read_file,
    render_key,
    with_checksum,
    write_file,
)
from registry.keys.ports import WrappedKey

ProviderPurpose = Literal["data", "bodies", "cases"]
SecretPurpose = Literal["index", "marks", "idempotency"]

PROVIDER_PURPOSES: tuple[str, ...] = get_args(ProviderPurpose)
SECRET_PURPOSES: tuple[str, ...] = get_args(SecretPurpose)
LEDGER_PURPOSE = "ledger"
PURPOSES = (*PROVIDER_PURPOSES, *SECRET_PURPOSES, LEDGER_PURPOSE)

_MANIFEST = "keyring"
_MANIFEST_HEADER = "registry-keyring/v1"


class LocalKeyProvider:
    """Wraps under one key of the local ring."""

    __slots__ = ("_material",)

    def __init__(self, material: KeyMaterial) -> None:
        self._material = material

    def wrap(self, context: bytes, key: bytes) -> WrappedKey:
        """Wrap a key; see ``KeyProvider``."""
        return WrappedKey(self._material.key_id, wrap_key(self._material.secret, key, context))

    def unwrap(self, context: bytes, wrapped: WrappedKey) -> bytes:
        """Give back a wrapped key; see ``KeyProvider``."""
        if wrapped.key_id != self._material.key_id:
            raise KeyUnavailable(f"this keyring holds {self._material.key_id}, not the key that was used to wrap")
        return unwrap_key(self._material.secret, wrapped.blob, context)

    def current_key_id(self) -> str:
        """Name the key; see ``KeyProvider``."""
        return self._material.key_id

    def health(self) -> None:
        """Wrap and unwrap a throw-away key; see ``KeyProvider``."""
        probe = random_bytes(KEY_BYTES)
        try:
            intact = self.unwrap(b"registry/health", self.wrap(b"registry/health", probe)) == probe
        except EnvelopeRejected:
            intact = False
        if not intact:
            raise KeyUnavailable(f"{self._material.key_id} does not unwrap what it wrapped")

    def __repr__(self) -> str:
        return f"LocalKeyProvider({self._material.key_id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


class LocalKeyring:
    """The keys of a registry, read from a folder. Never shown, never pickled."""

    __slots__ = ("_keys",)

    def __init__(self, keys: dict[str, KeyMaterial]) -> None:
        self._keys = keys

    @classmethod
    def create(cls, folder: Path, *, clock: Clock | None = None) -> LocalKeyring:
        """Make a new ring, or complete one whose making was interrupted.

        Args:
            folder: the key folder; made with mode 0700, its parent must exist.
            clock: tells the time written into the files.

        Raises:
            KeyUnavailable: a finished ring is there already, a file is damaged, or the disk refuses.
        """
        try:
            with _locked(folder) as descriptor:
                _refuse_finished(folder, descriptor)
                keys = _complete(folder, descriptor, clock or SystemClock())
                write_file(descriptor, _MANIFEST, _render_manifest(keys))
                _sync_parent(folder)
        except OSError as error:
            raise KeyUnavailable(f"{folder} cannot be written: {error.strerror}") from None
        return cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> LocalKeyring:
        """Read a finished ring.

        Raises:
            KeyUnavailable: a folder or file that is missing, damaged, a link, or of a wrong mode or owner.
        """
        descriptor = open_folder(folder)
        try:
            if not _exists(descriptor, _MANIFEST):
                raise KeyUnavailable(f"{folder} holds no finished keyring; run: registry init")
            listed = _parse_manifest(read_file(folder, descriptor, _MANIFEST), folder)
            keys = {purpose: _read_key(folder, descriptor, purpose) for purpose in PURPOSES}
        finally:
            os.close(descriptor)
        for purpose, material in keys.items():
            if listed.get(purpose) != material.key_id:
                raise KeyUnavailable(f"{folder / _file_of(purpose)} is not the key that {_MANIFEST} lists")
        return cls(keys)

    def provider(self, purpose: ProviderPurpose) -> LocalKeyProvider:
        """Return the provider that wraps under the key of a purpose."""
        return LocalKeyProvider(self._keys[_one_of(purpose, PROVIDER_PURPOSES)])

    def secret(self, purpose: SecretPurpose) -> bytes:
        """Return the 32 bytes of a secret that is used directly."""
        return self._keys[_one_of(purpose, SECRET_PURPOSES)].secret

    def signing_key(self) -> SigningKey:
        """Return the key that signs the ledger's checkpoints."""
        return SigningKey(self._keys[LEDGER_PURPOSE].secret)

    def key_ids(self) -> dict[str, str]:
        """Return the key id of every purpose; fit to be shown."""
        return {purpose: material.key_id for purpose, material in self._keys.items()}

    def __repr__(self) -> str:
        return f"LocalKeyring({', '.join(self.key_ids().values())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Make the folder if need be and hold it against a second maker."""
    with suppress(FileExistsError):
        folder.mkdir(mode=FOLDER_MODE)
    descriptor = open_folder(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_finished(folder: Path, descriptor: int) -> None:
    if _exists(descriptor, _MANIFEST):
        raise KeyUnavailable(f"{folder} holds a keyring already; it is never overwritten")


def _complete(folder: Path, descriptor: int, clock: Clock) -> dict[str, KeyMaterial]:
    """Keep the keys that are there and make the missing ones."""
    for name in (*map(_file_of, PURPOSES), _MANIFEST):
        clear_unfinished(descriptor, name)
    keys = {}
    for purpose in PURPOSES:
        if not _exists(descriptor, _file_of(purpose)):
            material = KeyMaterial.of(purpose, random_bytes(KEY_BYTES), clock.now())
            write_file(descriptor, _file_of(purpose), render_key(material))
        keys[purpose] = _read_key(folder, descriptor, purpose)
    return keys


def _read_key(folder: Path, descriptor: int, purpose: str) -> KeyMaterial:
    name = _file_of(purpose)
    return parse_key(read_file(folder, descriptor, name), purpose, str(folder / name))


def _render_manifest(keys: dict[str, KeyMaterial]) -> bytes:
    lines = (f"{material.purpose}: {material.key_id}\n" for material in keys.values())
    return with_checksum(f"{_MANIFEST_HEADER}\n{''.join(lines)}")


def _parse_manifest(content: bytes, folder: Path) -> dict[str, str]:
    lines = checked_lines(content, _MANIFEST_HEADER, str(folder / _MANIFEST))
    return dict(line.partition(": ")[::2] for line in lines)


def _file_of(purpose: str) -> str:
    return f"{purpose}.key"


def _exists(descriptor: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _sync_parent(folder: Path) -> None:
    """Make the folder's own name durable."""
    parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _one_of(purpose: str, allowed: tuple[str, ...]) -> str:
    """Keep a secret's purpose from opening a provider and the other way round."""
    if purpose not in allowed:
        raise ValueError(f"a purpose here is one of {', '.join(allowed)}")
    return purpose
