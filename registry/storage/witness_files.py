"""What the registry keeps of its witnesses, ``ledger/witness/`` in the home folder: most of it can be asked for again.

cosigned   the newest checkpoint with cosignatures
state      sizes and times by witness, JSON
alarm      why no entry is taken, JSON; gone when the witness cosigns again
<n>.seen   a checkpoint of n entries that a quorum cosigned, the first one of an hour: it cannot be asked for again
evidence-* two checkpoints that cannot both be true
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from registry.domain.errors import AuditUnavailable
from registry.services.witnesses import Alarm, Remembered
from registry.storage.side_folder import SideFolder, named_storage

NAME = "witness"
_COSIGNED, _STATE, _ALARM, _EVIDENCE, _SEEN = "cosigned", "state", "alarm", "evidence", ".seen"
_MAX_BYTES = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class WitnessFiles:
    """The notebook of ``services.witnesses``, as files."""

    def __init__(self, folder: Path) -> None:
        """Keep where.

        Args:
            folder: of the ledger's side files; it exists.
        """
        self._path = folder / NAME
        self._folder = SideFolder(self._path)

    def cosigned(self) -> str | None:
        """Return the newest checkpoint with cosignatures."""
        raw = self._get(_COSIGNED)
        return None if raw is None else raw.decode("utf-8", "replace")

    def forget_cosigned(self) -> None:
        """Take the cosigned checkpoint away: the next round asks for it again."""
        with named_storage():
            (self._path / _COSIGNED).unlink(missing_ok=True)

    def remembered(self) -> Remembered:
        """Return sizes and times; those of a beginning when they cannot be read: the witnesses know better."""
        document = self._document(_STATE)
        try:
            sizes = {str(name): int(size) for name, size in document["sizes"].items()}
            failures = {str(name): str(what) for name, what in document["failures"].items()}
            return Remembered(int(document["since_ms"]), int(document["size"]), int(document["at_ms"]), sizes, failures)
        except (KeyError, TypeError, ValueError, AttributeError):
            return Remembered()

    def alarm(self) -> Alarm | None:
        """Return why no entry is taken."""
        document = self._document(_ALARM)
        try:
            return Alarm(str(document["cause"]), str(document["witness"]), int(document["at_ms"]))
        except (KeyError, TypeError, ValueError):
            return None

    def remember(self, state: Remembered, cosigned: str | None) -> None:
        """Keep sizes and times, and a cosigned checkpoint if there is a new one."""
        if cosigned is not None:
            self._folder.put(_COSIGNED, cosigned.encode())
        document = {
            "since_ms": state.since_ms,
            "size": state.size,
            "at_ms": state.at_ms,
            "sizes": dict(state.sizes),
            "failures": dict(state.failures),
        }
        self._folder.put(_STATE, json.dumps(document, indent=1).encode())

    def keep(self, size: int, note: str) -> None:
        """Keep a checkpoint that a quorum cosigned, for good.

        Raises:
            AuditUnavailable: ``storage_error``.
        """
        self._folder.put(f"{size}{_SEEN}", note.encode())

    def seen(self) -> Iterator[tuple[int, str]]:
        """Yield what was kept for good, as size and note, the longest first.

        Raises:
            AuditUnavailable: ``storage_error``.
        """
        with named_storage():
            named = [path.name.removesuffix(_SEEN) for path in self._path.glob(f"*{_SEEN}")]
        for size in sorted((int(name) for name in named if name.isdecimal()), reverse=True):
            raw = self._get(f"{size}{_SEEN}")
            if raw is not None:
                yield size, raw.decode("utf-8", "replace")

    def raise_alarm(self, alarm: Alarm, evidence: str) -> None:
        """Keep evidence, once a text, and the alarm. The evidence comes first."""
        known = [path.read_bytes() for path in self._path.glob(f"{_EVIDENCE}-*")] if self._path.exists() else []
        if evidence.encode() not in known:
            self._folder.put(f"{_EVIDENCE}-{alarm.at_ms}-{len(known) + 1}", evidence.encode())
        document = {"cause": alarm.cause, "witness": alarm.witness, "at_ms": alarm.at_ms}
        self._folder.put(_ALARM, json.dumps(document).encode())

    def end_alarm(self) -> None:
        """Take the alarm away; the evidence stays."""
        with named_storage():
            (self._path / _ALARM).unlink(missing_ok=True)

    def set_aside(self, suffix: str) -> None:
        """Keep all of it under another name, and know no witness: of a new origin they have seen nothing.

        Raises:
            AuditUnavailable: ``storage_error``.
        """
        self._folder.set_aside(suffix)

    def turn(self) -> AbstractContextManager[bool]:
        """Try to be the one process that asks; gives whether this one is."""
        return self._folder.turn()

    def _document(self, name: str) -> Mapping[str, Any]:
        raw = self._get(name)
        try:
            document = json.loads(raw or b"{}")
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    def _get(self, name: str) -> bytes | None:
        try:
            file = os.open(self._path / name, _READ)
        except FileNotFoundError:
            return None
        except OSError:
            raise AuditUnavailable("storage_error") from None
        with os.fdopen(file, "rb") as stream:
            return stream.read(_MAX_BYTES)
