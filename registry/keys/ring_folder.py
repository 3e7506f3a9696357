"""The folder of a keyring: one file a key, and a manifest that is written last.

The file ``keyring`` names every key of the ring: without it the ring is unfinished and was never used; with it, a
missing key is a lost key and is reported, never made anew. How a key is written into its file is the ring's own.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from registry.crypto.random import random_bytes
from registry.domain.clock import Clock
from registry.domain.errors import KeyUnavailable
from registry.keys.key_files import (
    FOLDER_MODE,
    KEY_BYTES,
    KeyMaterial,
    checked_lines,
    clear_unfinished,
    open_folder,
    read_file,
    with_checksum,
    write_file,
)
from registry.keys.ports import PURPOSES

MANIFEST = "keyring"
LOCAL_HEADER = "registry-keyring/v1"
SEALED_HEADER = "registry-sealed-keyring/v1"
# What the settings call the provider of each kind of ring.
FORMS = {LOCAL_HEADER: "local", SEALED_HEADER: "openbao"}


class RingForm(Protocol):
    """How a ring writes its keys into files."""

    @property
    def header(self) -> str:
        """First line of the manifest: what kind of ring it is, and the version of its form."""
        ...

    def render(self, material: KeyMaterial) -> bytes:
        """Return the text of a key's file."""
        ...

    def parse(self, content: bytes, purpose: str, name: str) -> KeyMaterial:
        """Read the text of a key's file.

        Raises:
            KeyUnavailable: damaged, for another purpose, or what the file rests on is not there.
        """
        ...


def create_ring(folder: Path, form: RingForm, clock: Clock) -> Mapping[str, KeyMaterial]:
    """Make a new ring, or complete one whose making was interrupted, and read it back.

    Args:
        folder: the key folder; made with mode 0700, its parent must exist.
        form: how keys are written.
        clock: tells the time written into the files.

    Raises:
        KeyUnavailable: a finished ring is there already, a file is damaged, or the disk refuses.
    """
    try:
        with _locked(folder) as descriptor:
            _refuse_finished(folder, descriptor)
            keys = _complete(folder, descriptor, form, clock)
            write_file(descriptor, MANIFEST, _render_manifest(form, keys))
            _sync_parent(folder)
    except OSError as error:
        raise KeyUnavailable(f"{folder} cannot be written: {error.strerror}") from None
    return load_ring(folder, form)


def load_ring(folder: Path, form: RingForm) -> Mapping[str, KeyMaterial]:
    """Read a finished ring.

    Raises:
        KeyUnavailable: a folder or file that is missing, damaged, a link, or of a wrong mode or owner.
    """
    descriptor = open_folder(folder)
    try:
        if not _exists(descriptor, MANIFEST):
            raise KeyUnavailable(f"{folder} holds no finished keyring; run: registry init")
        listed = _parse_manifest(read_file(folder, descriptor, MANIFEST), form, folder)
        keys = {purpose: _read_key(folder, descriptor, form, purpose) for purpose in PURPOSES}
    finally:
        os.close(descriptor)
    for purpose, material in keys.items():
        if listed.get(purpose) != material.key_id:
            raise KeyUnavailable(f"{folder / file_of(purpose)} is not the key that {MANIFEST} lists")
    return keys


def is_finished(folder: Path) -> bool:
    """Return whether the folder holds a finished ring of whatever kind."""
    return (folder / MANIFEST).exists()


def load_key(folder: Path, form: RingForm, purpose: str) -> KeyMaterial:
    """Read one key of a ring.

    Raises:
        KeyUnavailable: as ``load_ring``.
    """
    descriptor = open_folder(folder)
    try:
        return _read_key(folder, descriptor, form, purpose)
    finally:
        os.close(descriptor)


def file_of(purpose: str) -> str:
    """Return the name of a purpose's file."""
    return f"{purpose}.key"


def one_of(purpose: str, allowed: tuple[str, ...]) -> str:
    """Keep a secret's purpose from opening a provider and the other way round."""
    if purpose not in allowed:
        raise ValueError(f"a purpose here is one of {', '.join(allowed)}")
    return purpose


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
    if _exists(descriptor, MANIFEST):
        raise KeyUnavailable(f"{folder} holds a keyring already; it is never overwritten")


def _complete(folder: Path, descriptor: int, form: RingForm, clock: Clock) -> dict[str, KeyMaterial]:
    """Keep the keys that are there and make the missing ones."""
    for name in (*map(file_of, PURPOSES), MANIFEST):
        clear_unfinished(descriptor, name)
    keys = {}
    for purpose in PURPOSES:
        if not _exists(descriptor, file_of(purpose)):
            material = KeyMaterial.of(purpose, random_bytes(KEY_BYTES), clock.now())
            write_file(descriptor, file_of(purpose), form.render(material))
        keys[purpose] = _read_key(folder, descriptor, form, purpose)
    return keys


def _read_key(folder: Path, descriptor: int, form: RingForm, purpose: str) -> KeyMaterial:
    name = file_of(purpose)
    return form.parse(read_file(folder, descriptor, name), purpose, str(folder / name))


def _render_manifest(form: RingForm, keys: Mapping[str, KeyMaterial]) -> bytes:
    lines = (f"{material.purpose}: {material.key_id}\n" for material in keys.values())
    return with_checksum(f"{form.header}\n{''.join(lines)}")


def _parse_manifest(content: bytes, form: RingForm, folder: Path) -> dict[str, str]:
    found = content.partition(b"\n")[0].decode("ascii", "replace")
    if found in FORMS and found != form.header:
        raise KeyUnavailable(f"{folder} is the keyring of provider {FORMS[found]}; set it under [keys] in config.toml")
    lines = checked_lines(content, form.header, str(folder / MANIFEST))
    return dict(line.partition(": ")[::2] for line in lines)


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
