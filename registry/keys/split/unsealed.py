"""Unseal keys while they are open: files of a folder in memory, gone when the machine stops.

A key that several people brought together stays until ``registry keys lock`` or the next start of the machine, so that
workers, upkeep and a restart of the service need nobody. The folder must lie on a memory file system: what was on a
disk once cannot be taken back.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from registry.domain.clock import Clock
from registry.domain.errors import KeyUnavailable
from registry.keys.key_files import (
    FOLDER_MODE,
    KeyMaterial,
    clear_unfinished,
    open_folder,
    parse_key,
    read_file,
    render_key,
    write_file,
)
from registry.keys.split.shares import UNSEAL, UnsealKey

MEMORY = frozenset({"tmpfs", "ramfs"})
_MOUNTS = Path("/proc/self/mountinfo")
_FILE = f"{UNSEAL}-????????????????.key"


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """Where unseal keys are while they are open (``unseal_folder`` under ``[keys]``)."""

    unseal_folder: Path


def unseal(folder: Path, key: UnsealKey, clock: Clock) -> None:
    """Open an unseal key to this user's processes.

    Raises:
        KeyUnavailable: the folder is not on a memory file system, or cannot be written.
    """
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyUnavailable(f"{folder} cannot be made: {error.strerror}") from None
    kind = file_system_of(folder)
    if kind not in MEMORY:
        raise KeyUnavailable(f"{folder} is on {kind}, not in memory; name a folder on tmpfs as unseal_folder")
    descriptor = open_folder(folder)
    name = f"{key.key_id}.key"
    try:
        clear_unfinished(descriptor, name)
        with suppress(FileExistsError):  # it is open already
            write_file(descriptor, name, render_key(KeyMaterial.of(UNSEAL, key.secret, clock.now())))
    except OSError as error:
        raise KeyUnavailable(f"{folder} cannot be written: {error.strerror}") from None
    finally:
        os.close(descriptor)


def lock(folder: Path) -> int:
    """Close all open unseal keys; processes that run keep what they opened. Returns how many there were."""
    found = list(folder.glob(_FILE))
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def open_keys(folder: Path) -> dict[str, UnsealKey]:
    """Return the unseal keys that are open, by their ids.

    Raises:
        KeyUnavailable: none, or a file that is damaged or of a wrong owner or mode.
    """
    names = sorted(path.name for path in folder.glob(_FILE))
    if not names:
        raise KeyUnavailable(f"the keyring is locked; run: registry keys unseal (no key in {folder})")
    descriptor = open_folder(folder)
    try:
        read = [parse_key(read_file(folder, descriptor, name), UNSEAL, str(folder / name)) for name in names]
    finally:
        os.close(descriptor)
    return {one.key_id: UnsealKey(one.key_id, one.secret) for one in read}


def file_system_of(folder: Path) -> str:
    """Return the kind of file system that a folder is on; ``unknown`` where the system does not tell."""
    place, best, kind = os.path.realpath(folder), "", "unknown"
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return kind
    for line in lines:
        told, _, more = line.partition(" - ")
        mounted = told.split(" ")[4].encode().decode("unicode_escape")
        is_above = place == mounted or place.startswith(mounted.rstrip("/") + "/")
        if is_above and len(mounted) >= len(best):
            best, kind = mounted, more.split(" ")[0]
    return kind
