"""Digit runs: numbers written with any separators, in words, spaced out, or with letters that look like digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from registry.text.remembering import remembered
from registry.text.words import Words, skeleton

MAX_READINGS = 32  # of one run with look-alike letters
MAX_GUESSED_UNITS = 40  # of a chain; beyond, look-alike letters get one reading each
MAX_DIGITS = 19

_LOOKALIKE_DIGITS = {
    "o": "0", "d": "0", "u": "0", "c": "0", "i": "1", "l": "1", "j": "1", "t": "7", "z": "27", "e": "3", "a": "4",
    "h": "4",
    "s": "58", "b": "68", "g": "96", "q": "90", "r": "2", "y": "4", "f": "7", "p": "9",
}  # fmt: skip
_WORD_DIGITS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "naught": "0", "null": "0", "one": "1", "two": "2", "three": "3",
    "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "niner": "9",
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
    "cero": "0", "uno": "1", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6", "siete": "7",
    "ocho": "8", "nueve": "9",
}  # fmt: skip
TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6", "seventy": "7",
    "eighty": "8", "ninety": "9",
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
# Separators as words, l33t as well (``d0t``).
_SEPARATOR = re.compile(r"d[o0]t|d[a4]sh|hyphen|minus|p[o0]int|peri[o0]d|sl[a4]sh|sp[a4]ce|fullstop|then")
_GAP = re.compile(r"^(?:[\s.\-/\\()\[\]{}_*~:|+='`\"#>]{0,6}|, ?)$")
_WORD_GAP = re.compile(r"^[\s.,\-/()\[\]{}_*~:;|\"'+=]{0,6}$")
_TIGHT = re.compile(r"^ ?[\-./\\()]+ ?$")
_MIXED = re.compile(r"^[0-9oilszbgqdeatujchrfpy]+$")
_SHORT = 4  # letters of a group in which one digit suffices
_ALIKE = re.compile(r"^[oilszbgq]{1,4}$")


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of a digit run: its possible readings, and where it stands.

    Attributes:
        readings: digit strings of the same length, the likeliest first.
        start, end: folded offsets.
        spoken: written in words, so its borders say nothing about the borders of the number.
        first: index of its first word.
    """

    readings: tuple[str, ...]
    start: int
    end: int
    spoken: bool
    first: int


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of digits that starts and ends at unit borders.

    Attributes:
        readings: all readings (at most ``MAX_READINGS``), all of one length.
        shape: number of digits of each unit, () when spoken.
        start, end: folded offsets.
        word: index of its first word.
    """

    readings: tuple[str, ...]
    shape: tuple[int, ...]
    start: int
    end: int
    word: int


@remembered(most=16384)
def digit_readings(word: str) -> tuple[str, ...]:
    """Return what digits a word of digits and look-alike letters may stand for; () if it is no such word."""
    if word.isdigit():
        return (word,)
    if not _MIXED.match(word) or len(word) > MAX_DIGITS:
        return ()
    known = sum(char.isdigit() for char in word)
    usual = all(char.isdigit() or char in "oil" for char in word)
    if known * (3 if usual else 2) < len(word) and not (known and len(word) <= _SHORT):
        return ()
    return _expand(word)


def alike_readings(word: str) -> tuple[str, ...]:
    """Return what digits a short word of look-alike letters alone may stand for."""
    return _expand(word) if _ALIKE.match(word) else ()


def _expand(word: str) -> tuple[str, ...]:
    options = [char if char.isdigit() else _LOOKALIKE_DIGITS[char] for char in word]
    found = []
    for reading in product(*options):
        found.append("".join(reading))
        if len(found) == MAX_READINGS:
            break
    return tuple(found)


def digit_chains(words: Words) -> Iterator[list[Unit]]:
    """Yield the maximal chains of digit units: neighbours with nothing but separators between them."""
    chain: list[Unit] = []
    index, total = 0, len(words.texts)
    while index < total:
        if chain and _is_separator(words, index):
            index += 1
            continue
        unit, after = _unit_at(words, index, chain)
        if unit is None:
            if chain:
                yield chain
                chain = []
            index += 1
            continue
        if chain and not _joins(words, chain[-1], unit, index):
            yield chain
            chain = []
        chain.append(unit)
        index = after
    if chain:
        yield chain


def _is_separator(words: Words, index: int) -> bool:
    return _SEPARATOR.fullmatch(words.texts[index]) is not None


def _joins(words: Words, left: Unit, right: Unit, index: int) -> bool:
    if words.cells[left.first] != words.cells[index]:
        return False
    gap = words.folded.text[left.end : right.start]
    separator = _SEPARATOR.search(gap)
    if separator:
        gap = f"{gap[: separator.start()]} {gap[separator.end() :]}"
        return len(gap) <= 8 and _WORD_GAP.match(gap.strip()) is not None
    pattern = _WORD_GAP if left.spoken and right.spoken else _GAP
    return pattern.match(gap) is not None and gap.count("\n") <= 1


# Names of digits in l33t (``s3v3n``), by the form in which look-alikes fall together.
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LEET_NAMES = {skeleton(name): str(digit) for digit, name in enumerate(_NAMES)}
_TRACK = re.compile(r"b\d{12,19}$")  # track 1 of a magnetic stripe (ISO/IEC 7813): %B, then the card's number


def _disguised(words: Words, index: int) -> Unit | None:
    """A digit's name in l33t, or the first field of a magnetic stripe."""
    word = words.texts[index]
    if word.isdigit() or word.isalpha():
        return None
    if skeleton(word) in _LEET_NAMES:
        digit = _LEET_NAMES[skeleton(word)]
        return Unit((digit,), words.starts[index], words.ends[index], spoken=True, first=index)
    if _TRACK.match(word):
        return Unit((word[1:],), words.starts[index] + 1, words.ends[index], spoken=False, first=index)
    return None


def _unit_at(words: Words, index: int, chain: list[Unit]) -> tuple[Unit | None, int]:
    word = words.texts[index]
    disguised = _disguised(words, index)
    if disguised is not None:
        return disguised, index + 1
    if word[0].isdigit() or word[-1].isdigit():
        readings = digit_readings(word)
        if readings:
            return Unit(readings, words.starts[index], words.ends[index], spoken=False, first=index), index + 1
    if word in _REPEATS or word in TENS or (word in _WORD_DIGITS and (word != "o" or chain)):
        return _spoken(words, index)
    if chain and _ALIKE.match(word) and _is_tight(words, index):
        return Unit(_expand(word), words.starts[index], words.ends[index], spoken=False, first=index), index + 1
    glued = _glued(words, index)
    if glued is not None:
        return glued, index + 1
    return _inner_mixed(words, index), index + 1


_GLUED = re.compile(r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|\d)+")
_GLUED_PART = re.compile(r"zero|oh|one|two|three|four|five|six|seven|eight|nine|\d")
_MIN_GLUED = 6  # letters of a word of digit names alone


def _glued(words: Words, index: int) -> Unit | None:
    """Digit names and digits written together (``eight1six``)."""
    word = words.texts[index]
    if (len(word) < _MIN_GLUED and word.isalpha()) or not _GLUED.fullmatch(word):
        return None
    parts = [_WORD_DIGITS.get(part, part) for part in _GLUED_PART.findall(word)]
    if not 2 <= len(parts) <= MAX_DIGITS:
        return None
    return Unit(("".join(parts),), words.starts[index], words.ends[index], spoken=True, first=index)


def _inner_mixed(words: Words, index: int) -> Unit | None:
    """A mixed word that begins and ends with letters (``b5s``)."""
    word = words.texts[index]
    if len(word) < 3 or word.isalpha():
        return None
    readings = digit_readings(word)
    return Unit(readings, words.starts[index], words.ends[index], spoken=False, first=index) if readings else None


def _is_tight(words: Words, index: int) -> bool:
    """Tell whether separators stand on one side at least (``816-sss-``), or capitals before digits (``816 SSS 45``)."""
    before = index > 0 and _TIGHT.match(words.gap(index - 1)) is not None
    if index + 1 == len(words.texts):
        return before
    if len(words.texts[index]) == 1 and not before:
        return False
    capitals = words.is_capital(index) and words.folded.is_upper(words.ends[index] - 1)
    after = _TIGHT.match(words.gap(index)) is not None
    return before or after or (capitals and words.texts[index + 1][0].isdigit())


def _spoken(words: Words, index: int) -> tuple[Unit | None, int]:
    word, start = words.texts[index], words.starts[index]
    following = words.texts[index + 1] if index + 1 < len(words.texts) else ""
    if word in _REPEATS:
        digit = _WORD_DIGITS.get(following) or (following if following.isdigit() else "")
        if len(digit) != 1:
            return None, index + 1
        return Unit((digit * _REPEATS[word],), start, words.ends[index + 1], spoken=True, first=index), index + 2
    if word in TENS:
        digit = _WORD_DIGITS.get(following, "")
        if len(digit) == 1 and digit != "0" and following != "o":
            text = TENS[word] + digit
            return Unit((text,), start, words.ends[index + 1], spoken=True, first=index), index + 2
        return Unit((TENS[word] + "0",), start, words.ends[index], spoken=True, first=index), index + 1
    if following == "hundred" and len(_WORD_DIGITS[word]) == 1:
        rest, last = _after_hundred(words, index + 1)
        return Unit((_WORD_DIGITS[word] + rest,), start, words.ends[last], spoken=True, first=index), last + 1
    return Unit((_WORD_DIGITS[word],), start, words.ends[index], spoken=True, first=index), index + 1


def _after_hundred(words: Words, index: int) -> tuple[str, int]:
    """Return the two digits after ``hundred`` and their last word: eight hundred sixteen, but eight hundred | five."""
    following = index + 1
    if words.texts[following : following + 1] == ["and"]:
        following += 1
    word = words.texts[following] if following < len(words.texts) else ""
    if len(_WORD_DIGITS.get(word, "")) == 2:
        return _WORD_DIGITS[word], following
    if word not in TENS:
        return "00", index
    digit = _WORD_DIGITS.get(words.texts[following + 1], "") if following + 1 < len(words.texts) else ""
    if len(digit) == 1 and digit != "0":
        return TENS[word] + digit, following + 1
    return TENS[word] + "0", following


def runs_of(chain: list[Unit], lengths: frozenset[int]) -> Iterator[Run]:
    """Yield every stretch of a chain with one of the given digit counts.

    A stretch of spoken digits that goes on in the same breath on either side is no number of its own.
    """
    if sum(len(unit.readings) > 1 for unit in chain) > MAX_GUESSED_UNITS:
        chain = [replace(unit, readings=unit.readings[:1]) for unit in chain]
    for first in range(len(chain)):
        total = 0
        for last in range(first, len(chain)):
            total += len(chain[last].readings[0])
            if total > MAX_DIGITS:
                break
            if total in lengths and not _cut_short(chain, first, last):
                yield _run(chain[first : last + 1])


def _cut_short(chain: list[Unit], first: int, last: int) -> bool:
    before = first > 0 and chain[first].spoken and chain[first - 1].spoken
    after = last + 1 < len(chain) and chain[last].spoken and chain[last + 1].spoken
    return before or after


def _run(units: list[Unit]) -> Run:
    readings: list[str] = [""]
    for unit in units:
        readings = [left + right for left in readings for right in unit.readings][:MAX_READINGS]
    shape = () if any(unit.spoken for unit in units) else tuple(len(unit.readings[0]) for unit in units)
    return Run(tuple(readings), shape, units[0].start, units[-1].end, units[0].first)
