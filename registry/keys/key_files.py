"""Key files as text, and the strict reading and writing of them.

A key file, one fact a line::

    registry-key/v1
    purpose: data
    key-id: data-9f1c2a3b4c5d6e7f
    created: 2026-03-02T09:00:00.000Z
    key: <32 bytes as base64>
    checksum: <SHA-256 of the lines above, hexadecimal>

The key id is computed from the key, so a file whose key was exchanged for another is noticed.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from registry.crypto.tags import keyed_tag
from registry.domain.clock import iso
from registry.domain.errors import KeyUnavailable

KEY_BYTES = 32
FOLDER_MODE = 0o700
FILE_MODE = 0o600
MAX_FILE_BYTES = 4096

_HEADER = "registry-key/v1"
_FIELDS = ("purpose", "key-id", "created", "key", "checksum")
_ID_DOMAIN = "registry/key-id/v1"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """One key of the ring.

    Attributes:
        purpose: what it is for.
        key_id: the purpose and 64 bits of a keyed hash of the key.
        created: when it was made, as written in the file.
        secret: the 32 bytes.
    """

    purpose: str
    key_id: str
    created: str
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, purpose: str, secret: bytes, created_at: datetime) -> KeyMaterial:
        """Name a new key."""
        return cls(purpose, key_id_of(purpose, secret), iso(created_at), secret)


def key_id_of(purpose: str, secret: bytes) -> str:
    """Return the id of a key: the purpose and 16 hexadecimal digits that only this key gives."""
    return f"{purpose}-{keyed_tag(secret, _ID_DOMAIN, purpose.encode(), length=8).hex()}"


def render_key(material: KeyMaterial) -> bytes:
    """Return the text of a key file."""
    lines = (
        _HEADER,
        f"purpose: {material.purpose}",
        f"key-id: {material.key_id}",
        f"created: {material.created}",
        f"key: {base64.b64encode(material.secret).decode()}",
    )
    return with_checksum("".join(f"{line}\n" for line in lines))


def is_key_file(content: bytes) -> bool:
    """Return whether this is the text of a key file with the key in the clear."""
    return content.startswith(f"{_HEADER}\n".encode())


def parse_key(content: bytes, purpose: str, name: str) -> KeyMaterial:
    """Read the text of a key file.

    Args:
        content: the file's bytes.
        purpose: what the key must be for.
        name: the file's name, for the error.

    Raises:
        KeyUnavailable: damaged, of an unknown version, or for another purpose.
    """
    lines = checked_lines(content, _HEADER, name)
    names, values = zip(*(line.partition(": ")[::2] for line in lines), strict=True) if lines else ((), ())
    if names != _FIELDS[:-1]:
        raise KeyUnavailable(f"{name} is not a complete key file; restore it from a backup")
    try:
        secret = base64.b64decode(values[3], validate=True)
    except ValueError:
        secret = b""
    if values[0] != purpose or len(secret) != KEY_BYTES or values[1] != key_id_of(purpose, secret):
        raise KeyUnavailable(f"{name} does not hold the {purpose} key it should; restore it from a backup")
    return KeyMaterial(values[0], values[1], values[2], secret)


def with_checksum(text: str) -> bytes:
    """Return a text with its checksum line."""
    return f"{text}checksum: {hashlib.sha256(text.encode()).hexdigest()}\n".encode()


def checked_lines(content: bytes, header: str, name: str) -> list[str]:
    """Return the lines between header and checksum.

    Raises:
        KeyUnavailable: an unknown version, or a checksum that does not fit.
    """
    if not content.startswith(f"{header}\n".encode()):
        raise KeyUnavailable(f"{name} is damaged or of an unknown version (expected {header})")
    body, _, _ = content.rpartition(b"checksum: ")
    if with_checksum(body.decode("utf-8", "replace")) != content:
        raise KeyUnavailable(f"{name} is damaged: its checksum does not fit; restore it from a backup")
    return body.decode().splitlines()[1:]


def open_folder(folder: Path) -> int:
    """Open the key folder and return its descriptor.

    Raises:
        KeyUnavailable: missing, a symbolic link, of another owner, or open to group or others.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyUnavailable(f"{folder} does not exist; run: registry init") from None
    except OSError as error:
        why = _reason(error)
        raise KeyUnavailable(f"{folder} cannot be opened as a folder (symbolic links are refused): {why}") from None
    try:
        _check_access(os.fstat(descriptor), folder, FOLDER_MODE)
    except KeyUnavailable:
        os.close(descriptor)
        raise
    return descriptor


def read_file(folder: Path, descriptor: int, name: str, most: int = MAX_FILE_BYTES) -> bytes:
    """Read a small file of the key folder, of so many bytes at most.

    Raises:
        KeyUnavailable: missing, not a regular file, of another owner, open to group or others, or too long.
    """
    path = folder / name
    try:
        file = os.open(name, _READ, dir_fd=descriptor)
    except FileNotFoundError:
        raise KeyUnavailable(f"{path} is missing; restore it from a backup") from None
    except OSError as error:
        raise KeyUnavailable(f"{path} cannot be opened (symbolic links are refused): {_reason(error)}") from None
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            raise KeyUnavailable(f"{path} is not a regular file")
        _check_access(facts, path, FILE_MODE)
        content = os.read(file, most + 1)  # a short read fails the checksum
    except OSError as error:
        raise KeyUnavailable(f"{path} cannot be read: {_reason(error)}") from None
    finally:
        os.close(file)
    if len(content) > most:
        raise KeyUnavailable(f"{path} is too long for a key file")
    return content


def write_file(descriptor: int, name: str, content: bytes) -> None:
    """Write a new file of the key folder; whole or not at all, and never over an existing one.

    The content is made durable under a temporary name first and then linked to its own, so that a crash leaves no
    half-written key.

    Raises:
        OSError: the disk, or ``FileExistsError``.
    """
    unfinished = _unfinished(name)
    file = os.open(unfinished, _CREATE, FILE_MODE, dir_fd=descriptor)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(file)
    os.link(unfinished, name, src_dir_fd=descriptor, dst_dir_fd=descriptor, follow_symlinks=False)
    os.unlink(unfinished, dir_fd=descriptor)
    os.fsync(descriptor)


def replace_file(descriptor: int, name: str, content: bytes) -> None:
    """Write a file of the key folder in the place of the one that has its name: a crash leaves the one or the other.

    Raises:
        OSError: the disk.
    """
    unfinished = _unfinished(name)
    clear_unfinished(descriptor, name)
    file = os.open(unfinished, _CREATE, FILE_MODE, dir_fd=descriptor)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(file)
    os.replace(unfinished, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    os.fsync(descriptor)


def clear_unfinished(descriptor: int, name: str) -> None:
    """Remove what an interrupted ``write_file`` left; it was never in use under its temporary name."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_unfinished(name), dir_fd=descriptor)


def _unfinished(name: str) -> str:
    return f".{name}.unfinished"


def _reason(error: OSError) -> str:
    """Return the system's own words, without the path that ``str(error)`` would repeat."""
    return error.strerror or "unknown reason"


def _check_access(facts: os.stat_result, path: Path, mode: int) -> None:
    """Refuse a wrong owner or mode, in words that say how to mend it."""
    if facts.st_uid != os.geteuid():
        raise KeyUnavailable(f"{path} belongs to user id {facts.st_uid}, not to this process; chown it to the owner")
    if stat.S_IMODE(facts.st_mode) & ~mode:
        raise KeyUnavailable(f"{path} is open to others; run: chmod {mode:o} {path}")
