"""Reading a leaked text: every term that it may ask for, and where each of them stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from registry.leaktrace.reading_addresses import address_terms
from registry.leaktrace.reading_names import name_terms
from registry.leaktrace.reading_numbers import column_terms, number_terms, text_terms
from registry.leaktrace.reading_schools import school_column_terms, school_terms
from registry.leaktrace.reading_words import health_terms
from registry.leaktrace.terms import Term, TermKind
from registry.text.fold import Folded, fold_text
from registry.text.table_rows import Row
from registry.text.tables import find_rows
from registry.text.words import Words, split_words


@dataclass(frozen=True, slots=True)
class Place:
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
        passages: the prose (number 0, scope 0), then one passage a table row.
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
        return frozenset(term for term in self.places if term.kind is not TermKind.SCHOOL)

    def scopes(self, term: Term) -> set[int]:
        """Return the scopes in which a term stands: 0 for prose, else the number of the table row."""
        return {self.passages[place.passage].scope for place in self.places.get(term, ())}

    def places_in(self, term: Term, scope: int) -> list[Place]:
        """Return where a term stands within one scope."""
        return [place for place in self.places.get(term, ()) if self.passages[place.passage].scope == scope]

    def span(self, passage: int, first: int, last: int) -> tuple[int, int]:
        """Return the raw code-point range of words ``first`` to ``last`` of a passage."""
        words = self.passages[passage]
        return self.folded.raw_span(words.starts[first], words.ends[last])


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


def read_parts(text: str, *, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[Reading]:
    """Read a text in parts: its prose and first rows, then the next rows of a long table, and so on.

    No row speaks for another, so that nothing is lost between two parts. A text without a long table is one part.
    """
    folded = fold_text(text)
    rows = find_rows(text)
    spans = [(folded.folded_start(row.start), folded.folded_start(row.end)) for row in rows]
    running = _running_terms(folded, spans, rows_at_once)
    for begin in range(0, max(1, len(rows)), rows_at_once):
        prose = split_words(folded, _between(spans, len(folded.text)) if begin == 0 else [])
        chosen = rows[begin : begin + rows_at_once]
        passages = [prose, *(_row_words(folded, row, begin + place) for place, row in enumerate(chosen, 1))]
        labels = [(), *(row.labels for row in chosen)]
        places: dict[Term, list[Place]] = {}
        for number, words in enumerate(passages):
            for terms in _extractors(words, labels[number]):
                for term, first, last in terms:
                    places.setdefault(term, []).append(Place(number, first, last))
        _add_running(passages, running.pop(begin // rows_at_once, ()), places)
        yield Reading(folded, tuple(passages), tuple(labels), places, is_whole=len(rows) <= rows_at_once)


def _extractors(words: Words, labels: tuple[str, ...]) -> tuple[Iterable[tuple[Term, int, int]], ...]:
    return (
        number_terms(words),
        column_terms(words, labels) if labels else (),
        name_terms(words, labels),
        address_terms(words),
        school_terms(words),
        school_column_terms(words, labels) if labels else (),
        health_terms(words),
    )


def _between(rows: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Return the prose: what stands before, between and after the rows."""
    prose: list[tuple[int, int]] = []
    position = 0
    for start, end in rows:
        if start > position:
            prose.append((position, start))
        position = end
    return [*prose, (position, length)]


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
