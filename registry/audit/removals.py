"""What entries say of openings that are no longer there: whoever removes one without an entry is found.

An ``erase`` entry names in its detail, in this order and as far as there are any::

    openings <spans>; records <ids>; petitions <ids>; ties <digest>; kept <counts>

Spans are indexes in ascending order, ``7`` or ``9-12``, between single spaces. Its request is ``subject <id>`` where a
whole subject was taken out, and ``member <id>`` where one person of a household was. A ``prune`` entry names openings
that were kept for a time only in the same way; its request is ``below <index>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from registry.audit.kinds import OF_REMOVALS
from registry.domain.errors import LedgerCorrupt

ERASED, PRUNED = "erased", "pruned"
_SUBJECT = "subject "
_OPENINGS = "openings"
_SPANS = re.compile(r"(0|[1-9][0-9]{0,15})(?:-([1-9][0-9]{0,15}))?")


@dataclass(frozen=True, slots=True)
class Removal:
    """What one entry says was removed.

    Attributes:
        entry: its index.
        subject: who was taken out as a whole; empty for anything less.
        spans: first and last index of runs of entries without openings, ascending.
    """

    entry: int
    subject: str
    spans: tuple[tuple[int, int], ...]

    def indexes(self) -> Iterator[int]:
        """Yield every index."""
        for first, last in self.spans:
            yield from range(first, last + 1)


def removal_of(index: int, kind: str, values: Mapping[str, str]) -> Removal | None:
    """Return what an entry says was removed; None when it speaks of nothing of the kind.

    Raises:
        LedgerCorrupt: it names entries that are not before it, or in no order.
    """
    if kind not in OF_REMOVALS or not values["result"].startswith((ERASED, PRUNED)):
        return None
    named = values["request"]
    subject = named.removeprefix(_SUBJECT) if named.startswith(_SUBJECT) else ""
    spans = tuple(_read(index, parts_of(values).get(_OPENINGS, "")))
    return Removal(index, subject, spans)


def parts_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return the parts of the detail of an erasure, by the word that each begins with."""
    parts = (part.partition(" ") for part in values["detail"].split("; ") if part)
    return {word: text for word, _, text in parts}


def told(**parts: Iterable[str]) -> str:
    """Write the detail of an erasure: the words and what follows each; those without anything are left out."""
    texts = {word: " ".join(items) for word, items in parts.items()}
    return "; ".join(f"{word} {text}" for word, text in texts.items() if text)


def spans_of(indexes: Iterable[int]) -> list[str]:
    """Write indexes as spans."""
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return [str(first) if first == last else f"{first}-{last}" for first, last in runs]


def _read(entry: int, text: str) -> Iterator[tuple[int, int]]:
    before = -1
    for part in text.split():
        found = _SPANS.fullmatch(part)
        if found is None:
            raise LedgerCorrupt("what it removed is not in canonical form", entry)
        first = int(found[1])
        last = int(found[2]) if found[2] else first
        if not before < first <= last < entry:
            raise LedgerCorrupt("what it removed is not in canonical form", entry)
        before = last
        yield first, last
