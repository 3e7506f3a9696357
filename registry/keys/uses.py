"""What a key service counted: unwraps that it did, as its own log tells of them. See ``services/reconcile.py``."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from registry.domain.errors import MisconfiguredHome

LONGEST_FILE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key that the service unwrapped.

    Attributes:
        at_ms: when, by the service's clock; milliseconds since 1970 UTC.
        key: what the service calls the key that opened it.
        mark: what stands in the log for whom it is bound to; see ``UseMarks``.
        who: as whom, and from where, it was asked, as the service says it.
    """

    at_ms: int
    key: str
    mark: str
    who: str


@dataclass(frozen=True, slots=True)
class KeyLog:
    """What a log of a key service tells of a registry's keys.

    Attributes:
        uses: unwraps, oldest first.
        taken: acts that took a key itself out of the service, or moved what it wrapped elsewhere.
        first_ms, last_ms: times of the first and last line, of whatever it tells; 0 for an empty log.
    """

    uses: tuple[KeyUse, ...]
    taken: tuple[KeyUse, ...] = ()
    first_ms: int = 0
    last_ms: int = 0


def in_order(uses: Iterable[KeyUse]) -> tuple[KeyUse, ...]:
    """Return uses, oldest first."""
    return tuple(sorted(uses, key=lambda one: one.at_ms))


class UseMarks(Protocol):
    """How a service's log shows what a wrapped key is bound to, without saying it."""

    @property
    def probes(self) -> Sequence[bytes]:
        """Contexts under which only throw-away keys are wrapped."""
        ...

    @property
    def files(self) -> Sequence[bytes]:
        """Contexts of the key folder's own files."""
        ...

    def of(self, context: bytes) -> str:
        """Return what stands in the log for a context.

        Raises:
            KeyUnavailable: the service has to be asked, and cannot be.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogText:
    """One file of a log, opened and read; ``is_whole`` says whether its last line has an end."""

    name: str
    lines: Sequence[bytes] = field(repr=False)
    is_whole: bool = True


def texts_of(paths: Sequence[Path]) -> Iterator[LogText]:
    """Read log files, and every file in folders, in the order of their names; ``.gz`` is unpacked.

    Raises:
        MisconfiguredHome: a file cannot be read, or is longer than 1 GiB.
    """
    for path in paths:
        for one in sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else (path,):
            try:
                raw = _unpacked(one)
            except (OSError, EOFError, zlib.error):
                raise MisconfiguredHome(f"{one.name} cannot be read as a log") from None
            if len(raw) > LONGEST_FILE_BYTES:
                raise MisconfiguredHome(f"{one.name} is longer than a log may be; cut it")
            yield LogText(one.name, raw.splitlines(), raw.endswith(b"\n"))


def _unpacked(path: Path) -> bytes:
    if path.suffix != ".gz":
        return path.read_bytes() if path.stat().st_size <= LONGEST_FILE_BYTES else b"\0" * (LONGEST_FILE_BYTES + 1)
    with gzip.open(path) as file:
        return file.read(LONGEST_FILE_BYTES + 1)
