"""Reading a leaked text: every term that it may ask for, and where each of them stands."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import NamedTuple

from registry.leaktrace.reading_numbers import text_terms
from registry.leaktrace.reading_orders import other_orders
from registry.leaktrace.reading_rows import Rows, RowsRead, free_terms, read_rows
from registry.leaktrace.terms import Term, TermKind
from registry.text.columns import Kinds, Shape, kinds_of, shape_of
from registry.text.fold import Folded, fold_text
from registry.text.table_rows import Row, spans_of
from registry.text.tables import find_rows
from registry.text.words import Words, split_words


class Place(NamedTuple):
    """Where a term stands: words ``first`` to ``last`` (inclusive) of a passage."""

    passage: int
    first: int
    last: int

    def overlaps(self, other: Place) -> bool:
        """Tell whether two places share a word."""
        return self.passage == other.passage and self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read from one text. Nothing of the text is shown by ``repr``.

    Attributes:
        folded: the folded text, with its map to raw code points.
        passages: the prose (number 0, scope 0), then one passage a table row, then what is read in another order, each
            with offsets into a folded text of its own.
        labels: column names of each passage's cells; () for prose or when unknown.
        places: where each term stands.
        is_whole: it is not one of several parts of a long table.
    """

    folded: Folded = field(repr=False)
    passages: tuple[Words, ...] = field(repr=False)
    labels: tuple[tuple[str, ...], ...] = field(repr=False)
    places: dict[Term, list[Place]] = field(repr=False)
    is_whole: bool = True

    @property
    def terms(self) -> frozenset[Term]:
        """Return all terms to look up."""
        return frozenset([term for term in self.places if term[0] is not TermKind.SCHOOL])

    def scopes(self, term: Term) -> set[int]:
        """Return the scopes in which a term stands: 0 for prose, else the number of the table row."""
        passages = self.passages
        return {passages[number].scope for number, _, _ in self.places.get(term, ())}

    def places_in(self, term: Term, scope: int) -> list[Place]:
        """Return where a term stands within one scope."""
        return [place for place in self.places.get(term, ()) if self.passages[place.passage].scope == scope]

    def span(self, passage: int, first: int, last: int) -> tuple[int, int]:
        """Return the raw code-point range of words ``first`` to ``last`` of a passage."""
        words = self.passages[passage]
        return words.folded.raw_span(words.starts[first], words.ends[last])


# Rows of a table that are read, looked up and decided together: memory does not grow with a dump, and no part of one
# names more people than are opened at once.
ROWS_AT_ONCE = 500


def read_text(text: str) -> Reading:
    """Read a text as one.

    Args:
        text: the leaked text as pasted, any length.

    Returns:
        Its reading. Pure: the same text gives the same reading.
    """
    return next(read_parts(text, rows_at_once=len(text) + 1))


Reader = Callable[[Iterable[Rows]], Iterator[RowsRead]]


def read_here(rows: Iterable[Rows]) -> Iterator[RowsRead]:
    """Read rows in this process."""
    return map(read_rows, rows)


def read_parts(
    text: str, *, rows_at_once: int = ROWS_AT_ONCE, long: int = ROWS_AT_ONCE, reader: Reader = read_here
) -> Generator[Reading]:
    """Read a text in parts: its prose and first rows, then the next rows of a long table, and so on.

    No row speaks for another, so that nothing is lost between two parts. A text without a long table is one part.

    Args:
        text: the leaked text as pasted.
        rows_at_once: rows of a part.
        long: a table of more rows is read by its columns.
        reader: reads rows, in the order in which they are given; elsewhere, perhaps.
    """
    folded = fold_text(text)
    rows = find_rows(text)
    kinds = kinds_of(text, rows) if len(rows) > long else {}
    if kinds:
        yield from _by_columns(folded, rows, (kinds, rows_at_once, reader))
        return
    spans = list(_folded_spans(folded, spans_of(rows)))
    running = _running_terms(folded, spans, rows_at_once)
    for begin in range(0, max(1, len(rows)), rows_at_once):
        prose = split_words(folded, _between(folded, spans) if begin == 0 else [])
        chosen = rows[begin : begin + rows_at_once]
        passages = [prose, *(_row_words(folded, row, begin + place) for place, row in enumerate(chosen, 1))]
        labels = [(), *(row.labels for row in chosen)]
        places: dict[Term, list[Place]] = {}
        for number, words in enumerate(passages):
            for term, first, last in free_terms(words, labels[number]):
                places.setdefault(term, []).append(Place(number, first, last))
        _add_running(passages, running.pop(begin // rows_at_once, ()), places)
        if begin == 0:
            for words, names, found in other_orders(text, len(rows)):
                for term, first, last in found:
                    places.setdefault(term, []).append(Place(len(passages), first, last))
                passages.append(words)
                labels.append(names)
        yield Reading(folded, tuple(passages), tuple(labels), places, is_whole=len(rows) <= rows_at_once)


def _by_columns(
    folded: Folded, rows: Sequence[Row], how: tuple[Mapping[Shape, Kinds], int, Reader]
) -> Iterator[Reading]:
    """Read a text with a long table whose columns are known."""
    kinds, rows_at_once, reader = how
    prose: Words | None = split_words(folded, _between(folded, _folded_spans(folded, spans_of(rows))))
    waiting: deque[Sequence[Row]] = deque()  # parts that were given to the reader
    done = 0
    for read in reader(_given(folded, rows, (kinds, rows_at_once), waiting)):
        chosen = waiting.popleft()
        passages = [prose or split_words(folded, [])]
        passages += [Words(folded, *words, scope) for scope, words in enumerate(read.words, done + 1)]
        places = {
            _AS_TERM((_KINDS[kind], text)): list(map(_AS_PLACE, spots)) for (kind, text), spots in read.spots.items()
        }
        if prose is not None:
            _add_prose(folded, prose, places)
            prose = None
        labels = ((), *(row.labels for row in chosen))
        done += len(chosen)
        yield Reading(folded, tuple(passages), labels, places, is_whole=len(rows) <= rows_at_once)


_KINDS = {kind._value_: kind for kind in TermKind}
# What ``_make`` does, without a call in Python for each of a million.
_AS_TERM: Callable[[tuple[TermKind, str]], Term] = partial(tuple.__new__, Term)
_AS_PLACE: Callable[[tuple[int, int, int]], Place] = partial(tuple.__new__, Place)


def _given(
    folded: Folded, rows: Sequence[Row], how: tuple[Mapping[Shape, Kinds], int], waiting: deque[Sequence[Row]]
) -> Iterator[Rows]:
    """Yield the rows in parts, to be read; each is put down as waiting."""
    kinds, rows_at_once = how
    for begin in range(0, len(rows), rows_at_once):
        part = rows[begin : begin + rows_at_once]
        waiting.append(part)
        yield _asked(folded, part, begin, kinds)


def _asked(folded: Folded, rows: Sequence[Row], before: int, kinds: Mapping[Shape, Kinds]) -> Rows:
    """Cut rows out of a text, to be read apart from it."""
    at = folded.folded_start
    base = at(rows[0].start)
    if folded.is_identity:
        spans = tuple((row.start - base, row.end - base) for row in rows)
        cells = tuple(tuple([(start - base, end - base) for start, end in row.cells]) for row in rows)
    else:
        spans = tuple((at(row.start) - base, at(row.end) - base) for row in rows)
        cells = tuple(tuple([(at(start) - base, at(end) - base) for start, end in row.cells]) for row in rows)
    return Rows(
        folded.cut(base, at(rows[-1].end)),
        base,
        before + 1,
        spans,
        cells,
        tuple(row.labels for row in rows),
        tuple(kinds.get(shape_of(row), ()) for row in rows),
    )


def _add_prose(folded: Folded, prose: Words, places: dict[Term, list[Place]]) -> None:
    """Add what stands before, between and behind the rows."""
    for term, first, last in free_terms(prose, ()):
        places.setdefault(term, []).append(Place(0, first, last))
    found: list[_Running] = []
    begin = 0
    for index in range(len(prose.starts)):
        following = prose.starts[index + 1] if index + 1 < len(prose.starts) else -1
        if following < 0 or following - prose.ends[index] > _APART:
            start, end = prose.starts[begin], prose.ends[index]
            found += [
                (0, term, first + start, last + start) for term, first, last in text_terms(folded.cut(start, end))
            ]
            begin = index + 1
    _add_running([prose], found, places)


_APART = 80  # characters between two words of prose: rows, likely


def _folded_spans(folded: Folded, spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    if folded.is_identity:
        return spans
    return ((folded.folded_start(start), folded.folded_start(end)) for start, end in spans)


def _between(folded: Folded, rows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the prose: what stands before, between and after the rows, ends of lines left out."""
    prose: list[tuple[int, int]] = []
    position = 0
    for start, end in chain(rows, ((len(folded.text),) * 2,)):
        if start > position and not folded.text[position:start].isspace():
            prose.append((position, start))
        position = end
    return prose


def _row_words(folded: Folded, row: Row, number: int) -> Words:
    cells = [(folded.folded_start(first), folded.folded_start(last)) for first, last in row.cells]
    return split_words(folded, cells, number)


_Running = tuple[int, Term, int, int]


def _running_terms(folded: Folded, rows: Sequence[tuple[int, int]], rows_at_once: int) -> dict[int, Sequence[_Running]]:
    """Find the terms that stand in running characters, not in words: by part, with their passage in it."""
    starts = [start for start, _ in rows]
    found: dict[int, list[_Running]] = {}
    for term, start, end in text_terms(folded):
        row = bisect_right(starts, start) - 1
        if row < 0 or start >= rows[row][1]:
            found.setdefault(0, []).append((0, term, start, end))
        else:
            part, place = divmod(row, rows_at_once)
            found.setdefault(part, []).append((place + 1, term, start, end))
    return dict(found)


def _add_running(passages: list[Words], running: Iterable[_Running], places: dict[Term, list[Place]]) -> None:
    """Add such terms, as the words that they cover."""
    for number, term, start, end in running:
        words = passages[number]
        first = bisect_right(words.ends, start)
        last = bisect_right(words.starts, end - 1) - 1
        if first <= last:
            places.setdefault(term, []).append(Place(number, first, last))
