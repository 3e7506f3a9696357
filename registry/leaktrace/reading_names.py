"""Terms of names: employees and household members, in prose and in columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.leaktrace.terms import Term, TermKind
from registry.text.common_words import NO_NAME
from registry.text.names import first_letter, name_key
from registry.text.remembering import remembered
from registry.text.words import Words, letters, plain, skeleton

MAX_NAME_WORDS = 5
MAX_WINDOW = 6  # words of a name in prose: Jean-Paul de la Cruz
MAX_PARTS = 4  # of them, particles and what a hyphen joins not counted
PARTICLE = 3  # letters of a small word inside a name (de, von, mac)
LONG_TEXT = 400  # words
_GLUED = 6  # letters of a given and a family name in one word
_MOST_CAPITALS = 3  # inside of it (McCoy)
_SAINTS = frozenset({"st", "ste"})  # inside a family name: St. Clair
_GAP = re.compile(r"^(?:[ \t\-_'\".]{1,4}|[ \t]?\r?\n[ \t]*|[ \t]*[()\"']{1,2}[ \t]*)$")
_COMMA = re.compile(r"^[ \t]*,\s*$")

Found = tuple[Term, int, int]


def name_terms(words: Words, labels: tuple[str, ...]) -> Iterator[Found]:
    """Yield (term, first word, last word) for everything that may be a name."""
    if words.scope == 0:
        yield from _prose(words)
        return
    cells = _cells(words)
    for first, last in cells.values():
        yield from _in_cell(words, first, last)
    yield from _columns(words, cells, labels)


def may_be_name(word: str) -> bool:
    """Tell whether a word may begin or end a name."""
    return len(word) > 1 and word not in NO_NAME and plain(word).isalpha()


def _prose(words: Words) -> Iterator[Found]:
    capitals = _capitals(words)
    likely = [
        may_be_name(word) or (capitals[index] and word in NO_NAME and (len(word) > 2 or word in _SAINTS))
        for index, word in enumerate(words.texts)
    ]
    total = len(words.texts)
    for first in range(total):
        if len(words.texts[first]) >= _GLUED:
            yield from _glued(words, first)
        if not likely[first]:
            continue
        size = 1
        for last in range(first + 1, min(first + MAX_WINDOW, total)):
            gap = words.gap(last - 1)
            between = words.texts[last - 1]
            size += gap != "-" and (last == first + 1 or len(between) > PARTICLE)
            if size > MAX_PARTS:
                break
            particle = capitals[last - 1] and (len(between) == 1 or between in _SAINTS)
            if last > first + 1 and between in NO_NAME and not particle:
                break
            if gap != " " and not _GAP.match(gap):
                if _COMMA.match(gap) and (capitals[first] or len(words.texts[first]) <= PARTICLE):
                    yield from _turned(words, first, last, likely)
                break
            if likely[last] and (words.texts[first] not in NO_NAME or words.texts[last] not in NO_NAME):
                yield from _window(words, first, last, both=capitals[first] and capitals[last])


def _glued(words: Words, index: int) -> Iterator[Found]:
    """``#DanaOneil``, ``DanaOneil``: two names in one word, the second with a capital of its own."""
    word, start = words.texts[index], words.starts[index]
    if words.ends[index] - start != len(word) or not words.is_capital(index):
        return
    inner = [at for at in range(2, len(word) - 1) if words.folded.is_upper(start + at)]
    if not word.isalpha() or not 1 <= len(inner) <= _MOST_CAPITALS:
        return
    yield Term(TermKind.NAME, skeleton(word)), index, index
    for cut in inner:
        yield from _weak([word[:cut]], [word[cut:]], index, index)


def _capitals(words: Words) -> list[bool]:
    """Tell which words begin with a capital; none, when a long text is all in capitals and they tell nothing."""
    capitals = [words.is_capital(index) for index in range(len(words.texts))]
    if len(capitals) > LONG_TEXT and sum(capitals) * 2 > len(capitals):
        return [False] * len(capitals)
    return capitals


def _window(words: Words, first: int, last: int, *, both: bool) -> Iterator[Found]:
    """Names of two to four words in a row; without capitals (``both``) only the full name of two words or hyphens."""
    parts = words.texts[first : last + 1]
    if not both:
        short_text = len(words.texts) <= LONG_TEXT
        if short_text or last - first == 1 or any(words.gap(place) == "-" for place in range(first, last)):
            yield Term(TermKind.NAME, letters(parts)), first, last
        if short_text and last - first == 1:  # a person's or a member's name in small letters
            yield from _weak(parts[:1], parts[1:], first, last)
        return
    yield Term(TermKind.NAME, letters(parts)), first, last
    if len(parts) == 2:  # FAMILY GIVEN without a comma, as lists have it
        yield Term(TermKind.NAME, letters(parts[::-1])), first, last
    if not all(words.is_capital(place) or len(words.texts[place]) <= PARTICLE for place in range(first, last)):
        return
    for cut in range(1, len(parts)):
        yield from _weak(parts[:cut], parts[cut:], first, last)
    yield from _without_nickname(words, first, last)
    full = [part for place, part in enumerate(parts) if len(part) > 1 or place in (0, len(parts) - 1)]
    if len(full) == 3 == len(parts):  # without a middle name
        yield Term(TermKind.NAME, letters([parts[0], parts[2]])), first, last
    if len(full) < len(parts):  # without initials
        yield Term(TermKind.NAME, letters(full)), first, last
        for cut in range(1, len(full)):
            yield from _weak(full[:cut], full[cut:], first, last)


def _without_nickname(words: Words, first: int, last: int) -> Iterator[Found]:
    """``Stavros (Stav) Lee-Novak``."""
    if last > first + 1 and words.gap(first).strip() in {"(", '"', "'"}:
        parts = [words.texts[first], *words.texts[first + 2 : last + 1]]
        yield Term(TermKind.NAME, letters(parts)), first, last


def _weak(given: list[str], family: list[str], first: int, last: int) -> Iterator[Found]:
    one, two = letters(given), letters(family)
    by_given, by_family = f"{one}|{first_letter(two)}", f"{first_letter(one)}|{two}"
    yield Term(TermKind.NAME_GIVEN, by_given), first, last
    yield Term(TermKind.NAME_FAMILY, by_family), first, last
    yield Term(TermKind.MEMBER_GIVEN, by_given), first, last  # as ``member_terms``: most of a dump's terms are these
    yield Term(TermKind.MEMBER_FAMILY, by_family), first, last


def _turned(words: Words, first: int, comma: int, likely: list[bool]) -> Iterator[Found]:
    """``Family, Given``: the comma stands before word ``comma``."""
    family = words.texts[first:comma]
    for last in range(comma, min(comma + 2, len(words.texts))):
        if not likely[last] or (last > comma and not _GAP.match(words.gap(last - 1))):
            return
        if not (words.is_capital(comma - 1) and words.is_capital(last)):
            return
        given = words.texts[comma : last + 1]
        yield Term(TermKind.NAME, name_key(given, family)), first, last
        yield from _weak(given, family, first, last)


def _cells(words: Words) -> dict[int, tuple[int, int]]:
    """Return the first and last word of each cell."""
    found: dict[int, tuple[int, int]] = {}
    for index, cell in enumerate(words.cells):
        found[cell] = (found[cell][0] if cell in found else index, index)
    return found


def _in_cell(words: Words, first: int, last: int) -> Iterator[Found]:
    if last == first:
        return
    if last - first >= MAX_NAME_WORDS:
        yield from _bounded_prose(words, first, last)
        return
    parts = words.texts[first : last + 1]
    if not all(plain(part).isalpha() for part in parts):
        return
    comma = next((place for place in range(first, last) if _COMMA.match(words.gap(place))), None)
    if comma is not None:
        given, family = words.texts[comma + 1 : last + 1], words.texts[first : comma + 1]
        yield Term(TermKind.NAME, name_key(given, family)), first, last
        yield from _weak(given, family, first, last)
        return
    yield from _whole(parts, first, last)


def _whole(parts: list[str], first: int, last: int) -> Iterator[Found]:
    """All ways to cut the words of one name into given and family name."""
    yield Term(TermKind.NAME, letters(parts)), first, last
    for cut in range(1, len(parts)):
        yield from _weak(parts[:cut], parts[cut:], first, last)
    short = [part for part in parts if len(part) > 1]
    if 2 <= len(short) < len(parts):
        yield Term(TermKind.NAME, letters(short)), first, last
        for cut in range(1, len(short)):
            yield from _weak(short[:cut], short[cut:], first, last)


def _bounded_prose(words: Words, first: int, last: int) -> Iterator[Found]:
    for place in range(first, last):
        if may_be_name(words.texts[place]) and may_be_name(words.texts[place + 1]) and _GAP.match(words.gap(place)):
            yield from _window(words, place, place + 1, both=True)


_FIRST = re.compile(r"first|given|fname|forename")
_LAST = re.compile(r"last|surname|family|lname")


def _columns(words: Words, cells: dict[int, tuple[int, int]], labels: tuple[str, ...]) -> Iterator[Found]:
    """Given and family name in two columns: the labelled ones, or any two neighbours of letters only."""
    pairs = _labelled(labels)
    if not pairs:
        pairs = [(cell, cell + 1) for cell in cells if cell + 1 in cells]
    for left, right in pairs:
        if left not in cells or right not in cells:
            continue
        one = words.texts[cells[left][0] : cells[left][1] + 1]
        two = words.texts[cells[right][0] : cells[right][1] + 1]
        if len(one) > 3 or len(two) > 3 or not all(plain(part).isalpha() for part in one + two):
            continue
        first, last = min(cells[left][0], cells[right][0]), max(cells[left][1], cells[right][1])
        for given, family in ((one, two),) if labels else ((one, two), (two, one)):
            yield Term(TermKind.NAME, name_key(given, family)), first, last
            yield from _weak(given, family, first, last)


@remembered(most=256)
def _labelled(labels: tuple[str, ...]) -> list[tuple[int, int]]:
    given = [cell for cell, label in enumerate(labels) if _FIRST.search(label)]
    family = [cell for cell, label in enumerate(labels) if _LAST.search(label)]
    return list(zip(given, family, strict=False))
