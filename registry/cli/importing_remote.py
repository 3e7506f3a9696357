"""Importing into a registry somewhere else: rows are read here and sent in parts, each an import of its own.

Line numbers and columns in the report are those of the file, whatever was sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from registry.cli.remote import Remote
from registry.domain.errors import Busy
from registry.services.import_file import Tally
from registry.services.import_people import Existing, Outcome
from registry.text.csv_rows import RowResult, UnreadRow, column_of

PART_LINES = 2_000
PART_BYTES = 8 << 20
_PATH = "/v1/subjects/import"
_TRIES_WHEN_BUSY = 10
_BUSY_SECONDS = 5.0


@dataclass(slots=True)
class _Part:
    """Rows that are sent together."""

    rows: list[RowResult] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list, repr=False)
    size: int = 0

    def add(self, row: RowResult) -> None:
        document = orjson.dumps(row.document)
        self.rows.append(row)
        self.documents.append(document)
        self.size += len(document)

    @property
    def is_full(self) -> bool:
        return len(self.rows) >= PART_LINES or self.size >= PART_BYTES


@dataclass(frozen=True, slots=True)
class RemoteImport:
    """Imports through the API."""

    remote: Remote
    existing: Existing
    told: Callable[[Tally], None] = lambda _: None
    wait: Callable[[float], None] = time.sleep

    def run(self, rows: Iterator[UnreadRow], tally: Tally) -> None:
        """Import all rows; the parts that were answered are in the tally, whatever comes after them.

        Raises:
            RegistryError: a part was refused as a whole, or not answered.
        """
        part = _Part()
        for row in (unread.read() for unread in rows):
            if row.problems:
                tally.lines += 1
                tally.reject(row.line, [(problem.pointer, problem.code) for problem in row.problems])
                continue
            part.add(row)
            if part.is_full:
                self._send(part, tally)
                part = _Part()
        if part.rows:
            self._send(part, tally)

    def _send(self, part: _Part, tally: Tally) -> None:
        query = "?update=true" if self.existing is Existing.UPDATE else ""
        answer = self._patiently(_PATH + query, b"\n".join(part.documents) + b"\n")
        tally.lines += len(part.rows)
        for outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED):
            tally.counts[outcome] += int(answer[outcome.value])
        problems: dict[int, list[tuple[str, str]]] = {}
        for error in answer["errors"]:
            row = part.rows[int(error["line"]) - 1]
            problems.setdefault(row.line, []).append((column_of(error["pointer"], row.columns), error["code"]))
        for line, found in problems.items():
            tally.reject(line, list(dict.fromkeys(found)))
        # Rejected lines whose problems were too many to be listed.
        tally.rejected += int(answer["rejected"]) - len(problems)
        tally.errors_left_out += int(answer["errors_left_out"])
        self.told(tally)

    def _patiently(self, path: str, content: bytes) -> Mapping[str, Any]:
        for _ in range(_TRIES_WHEN_BUSY):
            try:
                return self.remote.post(path, content, "application/x-ndjson")
            except Busy:
                self.wait(_BUSY_SECONDS)
        return self.remote.post(path, content, "application/x-ndjson")
