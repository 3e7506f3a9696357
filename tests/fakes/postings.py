"""Postings of the blind index in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class MemoryPostings:
    """Keeps labels and values; counts the rounds it was asked."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.rounds = 0

    def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        self.rounds += 1
        return {label: self.rows[label] for label in labels if label in self.rows}

    def add(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        for label, value in rows:
            assert label not in self.rows
            self.rows[label] = value
