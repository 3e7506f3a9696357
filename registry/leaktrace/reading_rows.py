"""Reading rows of a long table: cells of known columns for what they are, everything else freely.

Pure and without keys, so that another process may do it: what goes in and comes out can be pickled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from registry.leaktrace.reading_addresses import address_terms
from registry.leaktrace.reading_cells import cell_terms, whole_address_terms
from registry.leaktrace.reading_names import name_terms
from registry.leaktrace.reading_numbers import column_terms, number_terms, text_terms
from registry.leaktrace.reading_schools import school_column_terms, school_terms
from registry.leaktrace.reading_words import health_terms
from registry.leaktrace.terms import Term
from registry.text.columns import EXACT, ColumnKind, Kinds, fits
from registry.text.fold import Folded
from registry.text.words import Words, split_words

Found = tuple[Term, int, int]
Spot = tuple[int, int, int]  # passage, first word, last word


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table, to be read.

    Attributes:
        folded: the folded text from the first row's first character to the last one's last.
        base: folded offset of its first character in the whole text.
        first: number of the first row in the text, from 1.
        spans: of each row, its range in ``folded``.
        cells: of each row, the ranges of its cells in ``folded``.
        labels: of each row, the names of its columns.
        kinds: of each row, the kinds of its columns; () for a row that is read freely.
    """

    folded: Folded = field(repr=False)
    base: int
    first: int
    spans: tuple[tuple[int, int], ...] = field(repr=False)
    cells: tuple[tuple[tuple[int, int], ...], ...] = field(repr=False)
    labels: tuple[tuple[str, ...], ...] = field(repr=False)
    kinds: tuple[Kinds, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowsRead:
    """What some rows hold.

    Attributes:
        words: of each row: words, folded starts and ends in the whole text, cells.
        spots: by term (kind and text), where it stands; passages are numbered from 1.
    """

    words: list[tuple[list[str], list[int], list[int], list[int]]] = field(repr=False)
    spots: dict[tuple[str, str], list[Spot]] = field(repr=False)


def read_rows(rows: Rows) -> RowsRead:
    """Read some rows. The same rows give the same answer."""
    spots: dict[tuple[str, str], list[Spot]] = {}
    passages: list[Words] = []
    free: dict[int, Kinds] = {}
    for number, cells in enumerate(rows.cells):
        words = split_words(rows.folded, list(cells), rows.first + number)
        passages.append(words)
        kinds, labels = rows.kinds[number], rows.labels[number]
        by_columns = kinds if kinds and _fit(rows.folded, cells, kinds) else ()
        if not by_columns or ColumnKind.FREE in by_columns:
            free[number] = by_columns
        found = _typed(words, rows.folded, cells, labels, by_columns) if by_columns else free_terms(words, labels)
        for term, first, last in found:
            spots.setdefault((term.kind._value_, term.text), []).append((number + 1, first, last))
    _add_running(rows, passages, free, spots)
    base = rows.base
    told = [
        (words.texts, [place + base for place in words.starts], [place + base for place in words.ends], words.cells)
        for words in passages
    ]
    return RowsRead(told, spots)


def free_terms(words: Words, labels: tuple[str, ...]) -> Iterator[Found]:
    """Yield (term, first word, last word) for everything that a passage may hold."""
    yield from number_terms(words)
    if labels:
        yield from column_terms(words, labels)
    yield from name_terms(words, labels)
    yield from address_terms(words)
    yield from school_terms(words)
    if labels:
        yield from school_column_terms(words, labels)
    yield from health_terms(words)


def _fit(folded: Folded, cells: Sequence[tuple[int, int]], kinds: Kinds) -> bool:
    """Tell whether every filled cell is what its column holds."""
    for kind, (start, end) in zip(kinds, cells, strict=True):
        if kind is not ColumnKind.FREE and end > start and not fits(kind, _raw(folded, start, end)):
            return False
    return True


def _raw(folded: Folded, start: int, end: int) -> str:
    first, last = folded.raw_span(start, end)
    return folded.raw[first:last]


class _Plan(NamedTuple):
    """Which columns of a table are read for what; what nothing is known of is read for everything."""

    names: frozenset[int]
    addresses: frozenset[int]
    rest: frozenset[int]
    has_one_address: bool


@lru_cache(maxsize=64)
def _plan(kinds: Kinds) -> _Plan:
    rest = frozenset(cell for cell, kind in enumerate(kinds) if kind is ColumnKind.FREE)
    names = rest.union(cell for cell, kind in enumerate(kinds) if kind is ColumnKind.NAME)
    addresses = rest.union(cell for cell, kind in enumerate(kinds) if kind is ColumnKind.ADDRESS)
    return _Plan(names, addresses, rest, kinds.count(ColumnKind.ADDRESS) == 1)


def _typed(
    words: Words, folded: Folded, cells: Sequence[tuple[int, int]], labels: tuple[str, ...], kinds: Kinds
) -> Iterator[Found]:
    """Yield what a row holds whose cells are what their columns say."""
    whole, plan = False, _plan(kinds)
    for cell, (index, end) in _ranges(words.cells).items():
        kind = kinds[cell]
        if kind in EXACT:
            for term, apart in cell_terms(kind, _raw(folded, *cells[cell])):
                yield term, index, end
                if apart:
                    yield term, index + 1, end
        elif kind is ColumnKind.ADDRESS and plan.has_one_address:
            terms = whole_address_terms(_raw(folded, *cells[cell]))
            whole = bool(terms)
            for term in terms:
                yield term, index, index
    names = _Chosen(words, plan.names)
    yield from names.back(name_terms(names.words, labels))
    chosen = _Chosen(words, plan.rest if whole else plan.addresses)
    if chosen.words.texts:
        yield from chosen.back(address_terms(chosen.words))
    yield from names.back(school_terms(names.words))  # a school stands with the names of children
    if plan.rest:
        yield from _rest(words, labels, kinds)


def _ranges(cells: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return the first and last word of each filled cell."""
    found: dict[int, tuple[int, int]] = {}
    for index, cell in enumerate(cells):
        found[cell] = (found[cell][0] if cell in found else index, index)
    return found


def _rest(words: Words, labels: tuple[str, ...], kinds: Kinds) -> Iterator[Found]:
    """Yield what columns hold of which nothing is known, names and addresses left out."""
    plan = _plan(kinds)
    chosen = _Chosen(words, plan.rest)
    yield from chosen.back(number_terms(chosen.words))
    yield from chosen.back(health_terms(chosen.words))
    if labels:
        yield from chosen.back(column_terms(chosen.words, labels))
    if labels:
        chosen = _Chosen(words, plan.names)
        yield from chosen.back(school_column_terms(chosen.words, labels))


class _Chosen:
    """The words of some columns of a row, and the way back to their places among all."""

    __slots__ = ("_at", "words")

    def __init__(self, words: Words, wanted: frozenset[int]) -> None:
        self._at = at = [index for index, cell in enumerate(words.cells) if cell in wanted]
        self.words = Words(
            words.folded,
            [words.texts[index] for index in at],
            [words.starts[index] for index in at],
            [words.ends[index] for index in at],
            [words.cells[index] for index in at],
            words.scope,
        )

    def back(self, found: Iterable[Found]) -> Iterator[Found]:
        for term, first, last in found:
            yield term, self._at[first], self._at[last]


_Spots = dict[tuple[str, str], list[Spot]]


def _add_running(rows: Rows, passages: Sequence[Words], free: Mapping[int, Kinds], spots: _Spots) -> None:
    """Add the terms that stand in running characters, of rows that are not known to the last cell.

    Args:
        rows: the rows.
        passages: their words.
        free: numbers of such rows in order, each with the kinds of its columns; () when it is read freely.
        spots: where they are added.
    """
    for stretch in _stretches(free):
        begin, end = rows.spans[stretch[0]][0], rows.spans[stretch[-1]][1]
        starts = [rows.spans[number][0] for number in stretch]
        for term, start, stop in text_terms(rows.folded.cut(begin, end)):
            number = stretch[max(0, bisect_right(starts, start + begin) - 1)]
            words, kinds = passages[number], free[number]
            first = bisect_right(words.ends, start + begin)
            last = bisect_right(words.starts, stop + begin - 1) - 1
            if first <= last and (not kinds or kinds[words.cells[first]] is ColumnKind.FREE):
                spots.setdefault((term.kind._value_, term.text), []).append((number + 1, first, last))


def _stretches(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Yield the rows that follow one another."""
    stretch: list[int] = []
    for number in numbers:
        if stretch and number != stretch[-1] + 1:
            yield stretch
            stretch = []
        stretch.append(number)
    if stretch:
        yield stretch
