"""What a backup takes along from beside the database: evidence that cannot be asked for again.

Time-stamps, cosigned checkpoints, what contradicted a witness, and what was set aside after a loss. Of these no key is
needed and nothing personal is in them. Tiles are made anew from the leaves, and the high-water mark stays where it is:
a mark that came back with an older database would say nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from registry.storage.side_folder import sync_folder

FOLDER = "ledger"
_ASIDE = r"(?:\.before-entry-[0-9]{1,19})?"
_NAME = re.compile(
    rf"{FOLDER}/(?:anchors{_ASIDE}/[1-9][0-9]{{0,18}}\.(?:checkpoint|[a-z0-9-]{{1,32}}\.tsr)"
    rf"|witness{_ASIDE}/(?:cosigned|alarm|[1-9][0-9]{{0,18}}\.seen|evidence-[0-9]{{1,19}}-[0-9]{{1,9}})"
    r"|high-water\.before-entry-[0-9]{1,19})"
)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def is_evidence(name: str) -> bool:
    """Tell whether a name in a manifest is that of such a file."""
    return _NAME.fullmatch(name) is not None


def copy_evidence(ledger: Path, folder: Path) -> tuple[str, ...]:
    """Copy all such files into a backup, durably, and return their names there.

    Args:
        ledger: the home's folder of the ledger; may be missing.
        folder: the backup.

    Raises:
        OSError: one cannot be read, or the disk.
    """
    copied: list[str] = []
    for name in sorted(_names(ledger)):
        with suppress(FileNotFoundError):  # an alarm that ended meanwhile
            _copy(ledger / _below(name), folder / name)
            copied.append(name)
    return tuple(copied)


def put_back(folder: Path, ledger: Path, names: Iterable[str]) -> int:
    """Put such files of a backup where they were, unless a file is there: that one stays. Return how many were put.

    Raises:
        OSError: one cannot be read, or the disk.
    """
    put = 0
    for name in names:
        target = ledger / _below(name)
        if not target.exists():
            _copy(folder / name, target)
            put += 1
    return put


def _names(ledger: Path) -> Iterator[str]:
    for path in (*ledger.glob("*"), *ledger.glob("*/*")):
        name = f"{FOLDER}/{path.relative_to(ledger).as_posix()}"
        if is_evidence(name) and path.is_file() and not path.is_symlink():
            yield name


def _below(name: str) -> PurePosixPath:
    return PurePosixPath(name).relative_to(FOLDER)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all; both are small."""
    content = source.read_bytes()
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(0o700, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, _NEW, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(target)
    sync_folder(target.parent)
