"""Words of a folded text, and the forms of one word that survive look-alikes, l33t and doubled letters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from registry.text.fold import Folded, fold_text
from registry.text.remembering import remembered

_WORD = re.compile(r"\d{4}(?=x\d{1,7}\b)|[a-z0-9]+(?:'[a-z0-9]+)*")
# Characters written one by one: "B L A N C H A R D", "7-6-0 9 8".
_SPACED_LETTERS = re.compile(r"(?<![a-z0-9'.@])[a-z](?:[ ._*|/~-]{1,3}[a-z](?![a-z0-9'@])){3,}")
_SPACED_DIGITS = re.compile(r"(?<![a-z0-9])\d(?:[ ._*/-]{1,3}[\doilszbqg](?![a-z0-9])){2,}[ ._*/-]{1,3}\d(?![a-z0-9])")
_STARRED = re.compile(r"(?<![a-z0-9*])[a-z0-9](?:\*[a-z0-9](?![a-z0-9]))+")
# A house number before a street that is written one by one, too.
_SPACED_NUMBER = re.compile(
    r"(?<![a-z0-9])\d(?:[ ._*|/~-]\d(?![a-z0-9])){1,5}(?=[ ._*|/~-]{1,3}[a-z][ ._*|/~-]{1,3}[a-z][ ._*|/~-])"
)
# What all of these have: a character alone, and another one a sign or two behind it.
_ANY_SPACED = re.compile(r"(?<![a-z0-9])[a-z0-9][ ._*|/~-]{1,3}[a-z0-9](?![a-z0-9])")
_GAP = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one passage, in order, as parallel lists.

    Attributes:
        folded: the folded text that the offsets point into.
        texts: each word, apostrophes removed.
        starts, ends: folded offsets.
        cells: number of the table cell of each word; all 0 in prose.
        scope: 0 for prose, n for the n-th table row of the text: what may anchor what.
    """

    folded: Folded = field(repr=False)
    texts: list[str] = field(repr=False)
    starts: list[int] = field(repr=False)
    ends: list[int] = field(repr=False)
    cells: list[int] = field(repr=False)
    scope: int = 0

    def gap(self, index: int) -> str:
        """Return the text between a word and the next one; the ending of a possessive belongs to the word."""
        return self.folded.text[self.ends[index] : self.starts[index + 1]].removeprefix("'s")

    def is_capital(self, index: int) -> bool:
        """Tell whether a word begins with a capital in the raw text."""
        return self.folded.is_upper(self.starts[index])


def split_words(folded: Folded, pieces: list[tuple[int, int]], scope: int = 0) -> Words:
    """Split the given ranges (cells of a row, or stretches of prose) of a folded text into words."""
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    cells: list[int] = []
    for cell, (start, end) in enumerate(pieces):
        for word, first, last in _words_between(folded, start, end):
            texts.append(word)
            starts.append(first)
            ends.append(last)
            cells.append(cell)
    if scope == 0:
        cells = [0] * len(texts)
    return Words(folded, texts, starts, ends, cells, scope)


@remembered(most=16384)  # departments, titles and common names
def words_as_one(text: str) -> str:
    """Return the words of a short raw text, one behind the other."""
    folded = fold_text(text)
    return "".join(split_words(folded, [(0, len(folded.text))]).texts)


def _words_between(folded: Folded, start: int, end: int) -> list[tuple[str, int, int]]:
    text = folded.text
    if _ANY_SPACED.search(text, start, end) is None:
        return [_plain_word(match) for match in _WORD.finditer(text, start, end)]
    spaced = [
        part
        for pattern in (_SPACED_LETTERS, _SPACED_DIGITS, _SPACED_NUMBER, _STARRED)
        for match in pattern.finditer(text, start, end)
        for part in _join_spaced(folded, match)
    ]
    if not spaced:
        return [_plain_word(match) for match in _WORD.finditer(text, start, end)]
    spaced.sort(key=lambda part: (part[1], -part[2]))
    found: list[tuple[str, int, int]] = []
    position = start
    for part in spaced:
        if part[1] < position:
            continue
        found.extend(_plain_word(match) for match in _WORD.finditer(text, position, part[1]))
        found.append(part)
        position = part[2]
    found.extend(_plain_word(match) for match in _WORD.finditer(text, position, end))
    return found


def _plain_word(match: re.Match[str]) -> tuple[str, int, int]:
    word, start, end = match.group(), match.start(), match.end()
    if "'" in word:
        if word.endswith("'s") and (len(word) > 3 or word[0].isdigit()):
            word, end = word[:-2], end - 2
        word = word.replace("'", "")
    return word, start, end


def _join_spaced(folded: Folded, match: re.Match[str]) -> list[tuple[str, int, int]]:
    """Join characters written one by one; a gap wider than the narrowest one ends a word, and a capital begins one."""
    run, base = match.group(), match.start()
    gaps = [(gap.start(), gap.end()) for gap in _GAP.finditer(run)]
    narrow = min(last - first for first, last in gaps)
    # t*h*e w*a*y: then a blank parts words
    signs = sum(not run[first:last].isspace() for first, last in gaps) * 2 > len(gaps)
    shouted = all(folded.is_upper(base + last) for _, last in gaps)
    parts: list[tuple[str, int, int]] = []
    begin = 0
    for first, last in [*gaps, (len(run), len(run))]:
        blank = signs and first < len(run) and run[first:last].isspace()
        if first == len(run) or blank or last - first > narrow or (not shouted and _opens_word(folded, base + last)):
            word = "".join(char for char in run[begin:first] if char.isalnum())
            parts.append((word, base + begin, base + first))
            begin = last
    return parts


def _opens_word(folded: Folded, index: int) -> bool:
    return folded.text[index].isalpha() and folded.is_upper(index)


_ORDINAL = re.compile(r"^(?=[ilo]{0,2}\d)([\dilo]{1,3})(?:st|nd|rd|th|t[bn]|lh)$")  # 8tb is 8th, misread
_ELEVENTH = frozenset({"iith", "ilth", "llth"})
_LOOKS_DIGIT = str.maketrans("ilo", "110")
_UNIT_LIKE = re.compile(r"^\d+[a-z]?$|^[a-z]\d{1,2}$")
_LEET = str.maketrans("0134578692", "oleastbbgz")
_SAME_LOOKS = str.maketrans("iqj", "lgl")
_DOUBLED = re.compile(r"([a-z])\1+")


@remembered(most=65536)
def plain(word: str) -> str:
    """Read digits inside a word as the letters they stand for (``3v3rgr33n`` is evergreen).

    Numbers, ordinals and unit names (``2b``, ``d4``) stay as they are.
    """
    if word in _ELEVENTH:
        return "11th"
    if word.isalpha() or word.isdigit() or _UNIT_LIKE.match(word):
        return word
    ordinal = _ORDINAL.match(word)
    if ordinal:
        return f"{int(ordinal.group(1).translate(_LOOKS_DIGIT))}th"
    return word.translate(_LEET)


@remembered(most=65536)
def skeleton(word: str) -> str:
    """Return a word's form for keys: look-alike letters and doubled letters fall together.

    i, l and 1 are one letter, so are rn and m, vv and w; l33t is read as letters. Same word, same skeleton; a word with
    digits only, an ordinal or a unit name keeps its digits.
    """
    text = plain(word)
    if text.isalpha():
        text = text.translate(_SAME_LOOKS).replace("rn", "m").replace("vv", "w")
        return _DOUBLED.sub(r"\1", text)
    return text


_BLUR = str.maketrans("kudhevy", "rooccuu")


def blur(key: str) -> str:
    """Return a key with letters together that text recognition takes for each other. For weak keys only."""
    return key.translate(_BLUR)


def letters(words: Iterable[str]) -> str:
    """Join the skeletons of several words."""
    return "".join(map(skeleton, words))
