"""A text read in another order than its characters stand: columns of prose, and tables that were turned."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from registry.leaktrace.reading_numbers import text_terms
from registry.leaktrace.reading_rows import Found, free_terms
from registry.text.fold import Folded, fold_text
from registry.text.side_by_side import columns_of_prose
from registry.text.table_rows import Cell
from registry.text.turned import turned_rows
from registry.text.words import Words, split_words

Ordered = tuple[Words, tuple[str, ...], list[Found]]
_MOST_CHARACTERS = 2_000_000  # of a text that is read so


def other_orders(text: str, last_scope: int) -> Iterator[Ordered]:
    """Yield what a text says in another order: its words, the names of their cells, and the terms among them.

    Args:
        text: the leaked text as pasted.
        last_scope: the number of the last table row; persons of a turned table are numbered behind it.
    """
    if len(text) > _MOST_CHARACTERS:
        return
    for pieces in columns_of_prose(text):
        folded = _in_order(text, pieces, "\n")
        words = split_words(folded, [(0, len(folded.text))])
        yield words, (), [*free_terms(words, ()), *_running(words)]
    for scope, row in enumerate(turned_rows(text), last_scope + 1):
        folded = _in_order(text, row.cells, "\t")
        words = split_words(folded, _cells(folded, row.cells), scope)
        yield words, row.labels, [*free_terms(words, row.labels), *_running(words)]


def _in_order(text: str, pieces: Sequence[Cell], between: str) -> Folded:
    """Fold pieces of a text as if they followed one another; offsets lead to where they stand."""
    places = array("q")
    for start, end in pieces:
        places.extend(range(start, end))
        places.append(max(start, end - 1))  # what stands between
    folded = fold_text("".join(text[start:end] + between for start, end in pieces))
    if not folded.starts:
        return Folded(text, folded.text, places, array("q", (place + 1 for place in places)))
    starts = array("q", (places[start] for start in folded.starts))
    return Folded(text, folded.text, starts, array("q", (places[end - 1] + 1 for end in folded.ends)))


def _cells(folded: Folded, pieces: Sequence[Cell]) -> list[tuple[int, int]]:
    """Return the folded range of each cell: they stand in order, one behind the other."""
    return [(bisect_right(folded.starts, start - 1), bisect_right(folded.starts, end - 1)) for start, end in pieces]


def _running(words: Words) -> Iterator[Found]:
    """Yield the terms that stand in running characters, by the words that they cover."""
    for term, start, end in text_terms(words.folded):
        first = bisect_right(words.ends, start)
        last = bisect_right(words.starts, end - 1) - 1
        if first <= last:
            yield term, first, last
