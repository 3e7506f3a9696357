"""What every format gives: a text, where each stretch of it stands in the file, and what could not be read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

from registry.documents.limits import MAX_TEXT_CHARACTERS
from registry.domain.errors import UnreadableDocument

# What stands where a value was.
MARK = "[redacted]"

Span = tuple[int, int]
# Where something stands, from the outside in: (("sheet", 2), ("cell", "B7")). Numbers count from 1; no name that its
# author chose is in it, since it may be a value.
Place = tuple[tuple[str, int | str], ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of a document that was not read.

    Attributes:
        what: ``image``, ``embedded_object``, ``macros``, ``undecodable_text``, ``encrypted_part`` ...
        place: where.
        may_hide: whether text may stand in it that a reader of the document sees, so that nobody can say there is none.
    """

    what: str
    place: Place
    may_hide: bool


class Cut(NamedTuple):
    """A stretch of a part's own characters that is to go; ``is_first`` of the span that it belongs to."""

    part: int
    start: int
    end: int
    is_first: bool


class Document(Protocol):
    """A document that was read."""

    @property
    def text(self) -> str:
        """Everything that was read, with a line end between what does not belong together."""
        ...

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What was not read."""
        ...

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Return where each of these ranges of the text begins in the file."""
        ...

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Return the file without these ranges of the text.

        Raises:
            UnreadableDocument: it cannot be surely done.
        """
        ...


class _Chunk(NamedTuple):
    start: int
    end: int
    part: int
    raw_start: int
    raw_end: int
    is_plain: bool  # one character of the text for one of the part, in order


class Canvas:
    """A text that is put together from parts of a file, with the way back to them."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._chunks: list[_Chunk] = []
        self._marks: list[tuple[int, Place]] = []

    def __len__(self) -> int:
        return self._length

    @property
    def ends_line(self) -> bool:
        """Whether nothing stands on the last line yet."""
        return not self._pieces or self._pieces[-1].endswith("\n")

    def at(self, place: Place) -> None:
        """Say where what follows stands."""
        self._marks.append((self._length, place))

    def gap(self, text: str) -> None:
        """Add what stands between parts and in none of them."""
        self._add(text)

    def plain(self, text: str, part: int, raw_start: int) -> None:
        """Add characters that stand just so in a part."""
        if not text:
            return
        last = self._chunks[-1] if self._chunks else None
        start = self._length
        self._add(text)
        if last is not None and last.is_plain and (last.end, last.part, last.raw_end) == (start, part, raw_start):
            self._chunks[-1] = last._replace(end=self._length, raw_end=raw_start + len(text))
        else:
            self._chunks.append(_Chunk(start, self._length, part, raw_start, raw_start + len(text), is_plain=True))

    def whole(self, text: str, part: int, raw_start: int, raw_end: int) -> None:
        """Add characters that stand for a stretch of a part and can only go together: an entity, a number."""
        if text:
            start = self._length
            self._add(text)
            self._chunks.append(_Chunk(start, self._length, part, raw_start, raw_end, is_plain=False))

    def join(self, other: Canvas) -> None:
        """Add all of another canvas."""
        base = self._length
        for piece in other._pieces:
            self._add(piece)
        self._chunks += [chunk._replace(start=chunk.start + base, end=chunk.end + base) for chunk in other._chunks]
        self._marks += [(base + offset, place) for offset, place in other._marks]

    def text(self) -> str:
        """Return the text."""
        return "".join(self._pieces)

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Return the place that was in force where each span begins."""
        starts = [offset for offset, _ in self._marks]
        return [self._marks[max(0, bisect_right(starts, start) - 1)][1] if starts else () for start, _ in spans]

    def cuts(self, spans: Sequence[Span]) -> Iterator[Cut]:
        """Turn ranges of the text into stretches of the parts."""
        starts = [chunk.start for chunk in self._chunks]
        for start, end in merged(spans):
            is_first = True
            index = max(0, bisect_right(starts, start) - 1)
            while index < len(self._chunks) and self._chunks[index].start < end:
                chunk = self._chunks[index]
                index += 1
                first, last = max(start, chunk.start), min(end, chunk.end)
                if first >= last:
                    continue
                if chunk.is_plain:
                    base = chunk.raw_start - chunk.start
                    yield Cut(chunk.part, base + first, base + last, is_first)
                else:
                    yield Cut(chunk.part, chunk.raw_start, chunk.raw_end, is_first)
                is_first = False

    def _add(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_TEXT_CHARACTERS:
            raise UnreadableDocument("too_large")
        self._pieces.append(text)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Join ranges that overlap; in order."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return joined


def replaced(raw: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """Replace stretches of a text; of two that overlap the first one's words stand for both."""
    kept: list[tuple[int, int, str]] = []
    for start, end, words in sorted(edits, key=lambda edit: (edit[0], edit[1])):
        if kept and start < kept[-1][1]:
            first = kept[-1]
            kept[-1] = (first[0], max(first[1], end), first[2] or words)
        else:
            kept.append((start, end, words))
    edges = [(0, 0, ""), *kept, (len(raw), len(raw), "")]
    return "".join(one[2] + raw[one[1] : two[0]] for one, two in pairwise(edges))
