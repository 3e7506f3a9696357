"""Reading a leaked text: every term that it may ask for, and where each of them stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
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
    """

    folded: Folded = field(repr=False)
    passages: tuple[Words, ...] = field(repr=False)
    labels: tuple[tuple[str, ...], ...] = field(repr=False)
    places: dict[Term, list[Place]] = field(repr=False)

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


def read_text(text: str) -> Reading:
    """Read a text.

    Args:
        text: the leaked text as pasted, any length.

    Returns:
        Its reading. Pure: the same text gives the same reading.
    """
    folded = fold_text(text)
    passages, labels = _passages(folded, find_rows(text))
    places: dict[Term, list[Place]] = {}
    for number, words in enumerate(passages):
        for terms in _extractors(words, labels[number]):
            for term, first, last in terms:
                places.setdefault(term, []).append(Place(number, first, last))
    _add_text_terms(folded, passages, places)
    return Reading(folded, tuple(passages), tuple(labels), places)


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


def _passages(folded: Folded, rows: list[Row]) -> tuple[list[Words], list[tuple[str, ...]]]:
    """Cut the text into prose and table rows."""
    prose: list[tuple[int, int]] = []
    position = 0
    row_words: list[Words] = []
    row_labels: list[tuple[str, ...]] = []
    for number, row in enumerate(rows, 1):
        start, end = folded.folded_start(row.start), folded.folded_start(row.end)
        if start > position:
            prose.append((position, start))
        cells = [(folded.folded_start(first), folded.folded_start(last)) for first, last in row.cells]
        row_words.append(split_words(folded, cells, number))
        row_labels.append(row.labels)
        position = end
    prose.append((position, len(folded.text)))
    return [split_words(folded, prose), *row_words], [(), *row_labels]


def _add_text_terms(folded: Folded, passages: list[Words], places: dict[Term, list[Place]]) -> None:
    """Add the terms that are found in running characters, not in words."""
    rows = [(words.starts[0], number) for number, words in enumerate(passages) if number and words.starts]
    row_starts = [start for start, _ in rows]
    for term, start, end in text_terms(folded):
        number = 0
        place = bisect_right(row_starts, start) - 1
        if place >= 0 and start < passages[rows[place][1]].ends[-1]:
            number = rows[place][1]
        words = passages[number]
        first = bisect_right(words.ends, start)
        last = bisect_right(words.starts, end - 1) - 1
        if first <= last:
            places.setdefault(term, []).append(Place(number, first, last))
