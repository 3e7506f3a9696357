"""One entry of the ledger as it is read, and those that are about many people."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from registry.transparency.fields import RecordLine

_KEPT = 64

Places = Mapping[str, tuple[str, str]]


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


class SharedEntries:
    """Entries about several people, kept while the histories of many are read: each is opened once, not for each.

    Kept for as long as one trace reads, the last few: a dump of thousands of people who were imported or matched
    together meets the same large entries thousands of times.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[ReadEntry, Places]] = OrderedDict()

    def known(self, indexes: Iterable[int]) -> dict[int, ReadEntry]:
        """Return which of some entries are kept."""
        found = {index: self._kept[index][0] for index in indexes if index in self._kept}
        for index in found:
            self._kept.move_to_end(index)
        return found

    def keep(self, entry: ReadEntry) -> None:
        """Keep an entry if it is about several people."""
        places = places_in(entry)
        if len(places) > 1:
            self._kept[entry.index] = entry, places
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def places(self, entry: ReadEntry) -> Places:
        """Return what ``places_in`` does."""
        kept = self._kept.get(entry.index)
        return places_in(entry) if kept is None else kept[1]


def places_in(entry: ReadEntry) -> Places:
    """Return the counter and the previous index that an entry states for each of its subjects; nothing if not as many.

    Of a subject that is named twice the first place counts.
    """
    values = entry.values or {}
    named = values.get("subject", "").split(" ")
    if named == [""]:
        return {}
    counters, previous = (values.get(name, "").split(" ") for name in ("counter", "previous"))
    if not len(named) == len(counters) == len(previous):
        return {}
    # From behind, so that the first one stays.
    return dict(zip(reversed(named), zip(reversed(counters), reversed(previous), strict=True), strict=True))
