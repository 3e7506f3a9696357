"""One entry of the ledger as it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.transparency.fields import RecordLine


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """One entry as read.

    Attributes:
        index, unix_ms, kind: public parts of the leaf.
        values: what it says; None once the opening was removed.
        records: its record lines.
    """

    index: int
    unix_ms: int
    kind: str
    values: Mapping[str, str] | None = field(repr=False)
    records: tuple[RecordLine, ...]
