"""Terms of schools: a school's name, alone and together with the first names that stand near it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from registry.leaktrace.reading_names import may_be_name
from registry.leaktrace.terms import PART_SIZES, Term, TermKind, child_school_terms, school_part_terms
from registry.text.schools import is_trigger, may_close, numbered_school, school_key, school_word, stem_words
from registry.text.words import Words, letters

MAX_BEFORE = 6  # words of a name before its school word
MAX_AFTER = 3  # words of a name after it
NEAR = 600  # characters between a school and a child's name, in prose
MAX_SCHOOLS = 300  # school words looked at in one passage
MAX_NAMES = 40  # first names tried with one school
_STOP = re.compile(r"[;:\"|!?<>]|\n\s*\n")

Found = tuple[Term, int, int]


def school_terms(words: Words) -> Iterator[Found]:
    """Yield (term, first word, last word) for everything that may be a school."""
    index, total, schools = 0, len(words.texts), 0
    while index < total and schools < MAX_SCHOOLS:
        keys, end = _numbered(words, index)
        if keys:
            schools += 1
            names = _first_names(words, index)
            for key in keys:
                yield from _window(key, key, (index, end), names)
            index = end + 1
            continue
        if not (is_trigger(words.texts[index]) or _closes(words, index)):
            index += 1
            continue
        schools += 1
        last = _right_end(words, index)
        for end in _right_ends(words, last):
            yield from _around(words, index, end)
        index = last + 1


def _closes(words: Words, index: int) -> bool:
    """Tell whether a word like Primary ends a name in capitals; a K needs its grade (``Northfield K-8``)."""
    word = words.texts[index]
    if not index or not may_close(word) or not (words.is_capital(index) and words.is_capital(index - 1)):
        return False
    grade = words.texts[index + 1] if index + 1 < len(words.texts) else ""
    return words.gap(index - 1).isspace() and (
        word != "k" or (grade in {"5", "6", "8", "12"} and words.gap(index) == "-")
    )


_LABEL = re.compile(r"school|academy")


def school_column_terms(words: Words, labels: tuple[str, ...]) -> Iterator[Found]:
    """Yield the terms of whole cells in a column of schools whose names hold no school word."""
    columns = {cell for cell, label in enumerate(labels) if _LABEL.search(label)}
    for cell in sorted(columns & set(words.cells)):
        first = words.cells.index(cell)
        last = first + words.cells.count(cell) - 1
        if not any(is_trigger(word) for word in words.texts[first : last + 1]):
            parts = words.texts[first : last + 1]
            yield from _window(school_key(parts), letters(stem_words(parts)), (first, last), _first_names(words, first))


def _numbered(words: Words, index: int) -> tuple[tuple[str, ...], int]:
    """Read a school that is called by a number; in prose it is written in capitals, or with full stops."""
    if words.texts[index][0] not in "pimhjec":
        return (), index
    texts = words.texts[index : index + 6]
    keys, length = numbered_school(texts, 0)
    last = index + length
    if not keys or words.cells[last] != words.cells[index]:
        return (), index
    gaps = [words.gap(place) for place in range(index, last)]
    if any(gap.strip(" .#'\n") for gap in gaps):
        return (), index
    shown = words.is_capital(index) or any("." in gap for gap in gaps) or texts[0] == "public"
    return (keys, last) if shown else ((), index)


def _right_end(words: Words, index: int) -> int:
    """Return the last word of a name whose school word is given (``Academy of Technology``, ``High School``)."""
    last = index
    while last + 1 < len(words.texts) and words.cells[last + 1] == words.cells[index]:
        if _STOP.search(words.gap(last)) or "," in words.gap(last):
            break
        if school_word(words.texts[last + 1]):
            last += 1
        elif words.texts[last + 1] in {"of", "for"} and last + 2 < len(words.texts) and words.is_capital(last + 2):
            last += 2
        else:
            break
    return last


def _right_ends(words: Words, last: int) -> list[int]:
    """Return where the name may end: at its school word, or a word or two later (``School North``, ``(Virtual)``)."""
    ends = [last]
    while len(ends) <= MAX_AFTER and ends[-1] + 1 < len(words.texts):
        following = ends[-1] + 1
        gap = words.gap(ends[-1])
        if words.cells[following] != words.cells[last] or gap.strip() not in {"", "(", "#", "-", "/", "\\/", "&"}:
            break
        if not (words.is_capital(following) or words.texts[following].isdigit()) or "\n" in gap:
            break
        ends.append(following)
    return ends


def _around(words: Words, trigger: int, last: int) -> Iterator[Found]:
    names = _first_names(words, trigger)
    seen: set[str] = set()
    for first in range(trigger, max(-1, trigger - MAX_BEFORE - 1), -1):
        if first < trigger and (words.cells[first] != words.cells[trigger] or _STOP.search(words.gap(first))):
            return
        parts = words.texts[first : last + 1]
        key = school_key(parts)
        if key not in seen:
            seen.add(key)
            yield from _window(key, letters(stem_words(parts)), (first, last), names)


def _window(key: str, stem: str, place: tuple[int, int], names: list[str]) -> Iterator[Found]:
    yield Term(TermKind.SCHOOL, key), *place
    for size in PART_SIZES:
        for term in school_part_terms(stem, size):
            yield term, *place
    for name in names:
        for size in PART_SIZES:
            for term in child_school_terms(name, stem, size):
                yield term, *place


def _first_names(words: Words, trigger: int) -> list[str]:
    """Return the keys of words that may be a child's first name, the nearest to the school first."""
    texts = words.texts
    spot = words.starts[trigger]
    low, high = 0, len(texts)
    if words.scope == 0:
        low, high = bisect_left(words.starts, spot - NEAR), bisect_left(words.starts, spot + NEAR)
    found: dict[str, int] = {}
    for index in range(low, high):
        if not may_be_name(texts[index]) or school_word(texts[index]):
            continue
        if words.scope == 0 and not words.is_capital(index):
            continue
        distance = abs(words.starts[index] - spot)
        found.setdefault(letters([texts[index]]), distance)
        if index + 1 < len(texts) and may_be_name(texts[index + 1]) and len(words.gap(index)) == 1:
            found.setdefault(letters(texts[index : index + 2]), distance)
    return sorted(found, key=lambda name: found[name])[:MAX_NAMES]
