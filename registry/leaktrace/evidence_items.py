"""What a trace was asked about, where that is more than one text: items, each with its own first-seen time.

The items' texts stand one behind the other in the trace's text, so that places in it stay places. A value counts in
the first item that has it: the same value in another item is a copy of a copy, or may be one, and adds nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.domain.ids import EntryIndex

# Parts of documents that were not read and may hide text: kinds, and how many there are of each.
NotRead = tuple[tuple[str, int], ...]


def latest_first_seen(published_at: datetime | None, uncertainty_seconds: int) -> datetime | None:
    """Return the latest moment at which a text may first have been seen; None where no time was stated."""
    return None if published_at is None else published_at + timedelta(seconds=uncertainty_seconds)


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """The item that a found value counts in.

    Attributes:
        item: its number.
        published_at: when it was first seen in public, aware, or None when not stated.
        uncertainty_seconds: it may have been seen first so much earlier or later.
    """

    item: int
    published_at: datetime | None
    uncertainty_seconds: int = 0

    @property
    def latest_at(self) -> datetime | None:
        """The latest moment at which it may first have been seen: no copy served after it can be its source."""
        return latest_first_seen(self.published_at, self.uncertainty_seconds)


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One item of a trace.

    Attributes:
        number: from 1, by first-seen time; items that were added later count on in the order of adding.
        start: where its text begins in the trace's text, code points.
        text_length: code points; 0 for a page of which no text was given.
        text_sha256: 64 hexadecimal digits, over the trace's nonce and the text.
        file_sha256: the same over the file that the text is from; "" where there was none.
        published_at, uncertainty_seconds: as in ``FirstSeen``.
        source: where it was seen, as told; printed as text.
        url: its address, as told; never fetched.
        entry: the entry that commits to it.
        is_later: added to the case after the first judgement.
        not_read: parts of its document that were not read and may hide text.
    """

    number: int
    start: int
    text_length: int
    text_sha256: str
    file_sha256: str
    published_at: datetime | None
    uncertainty_seconds: int
    source: str
    url: str
    entry: EntryIndex | None
    is_later: bool = False
    not_read: NotRead = ()

    @property
    def seen(self) -> FirstSeen:
        """When it was first seen."""
        return FirstSeen(self.number, self.published_at, self.uncertainty_seconds)


@dataclass(frozen=True, slots=True)
class LaterSighting:
    """An item that was added to a case: what it is, and what followed.

    Attributes:
        at: when it was added.
        said: in a sentence, without values.
        again: values in it that earlier items have, too; they add nothing.
        fresh: values in it that no earlier item has.
        continued_by: the trace that judged everything anew because of them; "" where nothing was new.
    """

    at: datetime
    said: str
    again: int
    fresh: int
    continued_by: str = ""


def together(parts: Iterable[NotRead]) -> NotRead:
    """Add up what was not read of several items; kinds by name."""
    counts: Counter[str] = Counter()
    for one in parts:
        counts.update(dict(one))
    return tuple(sorted(counts.items()))


def item_of(items: Sequence[EvidenceItem], place: int) -> int:
    """Return the number of the item that a place of the trace's text is in."""
    return items[bisect_right([one.start for one in items], place) - 1].number


def items_with(items: Sequence[EvidenceItem], spans: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Return the numbers of the items that a value's places are in, each once."""
    return tuple(dict.fromkeys(item_of(items, start) for start, _ in spans)) if items else ()


def latest_of(items: Sequence[EvidenceItem]) -> datetime | None:
    """Return the latest moment at which any of the items may first have been seen; None where one has no time."""
    moments = [latest_first_seen(one.published_at, one.uncertainty_seconds) for one in items]
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None
