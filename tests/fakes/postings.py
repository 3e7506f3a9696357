"""Postings of the blind index in memory, in one generation or two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from registry.vault.generations import FIRST, Generation, Part


class MemoryPostings:
    """Keeps labels and values; counts the rounds it was asked."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.generation_of: dict[bytes, int] = {}
        self.generations: list[Generation] = [Generation(FIRST, Part.CURRENT, 0, None)]
        self.rounds = 0

    def standing(self) -> Sequence[Generation]:
        return self.generations

    def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        self.rounds += 1
        return {label: self.rows[label] for label in labels if label in self.rows}

    def add(self, rows: Sequence[tuple[bytes, bytes]], generation: int) -> None:
        for label, value in rows:
            assert label not in self.rows
            self.rows[label] = value
            self.generation_of[label] = generation

    def owned_until(self, targets: Iterable[str], cursor: str) -> frozenset[str]:
        return frozenset(one for one in targets if one <= cursor)

    def overwrite(
        self, before: Sequence[tuple[bytes, bytes]], after: Sequence[tuple[bytes, bytes]], generation: int
    ) -> None:
        for label, value in before:
            assert (self.rows.pop(label), self.generation_of[label]) == (value, generation)
        self.rows |= dict(after)
