"""Full dates in any usual order, in figures or words. Day-first only when the day is over 12."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from rapidfuzz.distance import OSA

from registry.text.digits import TENS, alike_readings, digit_readings
from registry.text.nearness import looks_alike
from registry.text.remembering import remembered
from registry.text.words import Words, plain, skeleton

PIVOT = 47  # two-digit years from 47 on are 19xx, below 20xx
FIRST_YEAR, LAST_YEAR = 1900, 2099

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
# Months of languages that US texts may be mixed with; those with an English skeleton of their own are left out.
_FOREIGN = (
    "enero janvier januar janeiro gennaio januari stycznia", "febrero fevrier februar fevereiro febbraio lutego",
    "marzo mars marz marco maart marca", "abril avril aprile kwietnia", "mayo mai maio maggio maja",
    "junio juin juni junho giugno czerwca", "julio juillet juli julho luglio lipca", "agosto aout augustus sierpnia",
    "septiembre septembre setembro settembre wrzesnia", "octubre octobre oktober outubro ottobre pazdziernika",
    "noviembre novembre novembro listopada", "diciembre decembre dezember dezembro dicembre grudnia",
)  # fmt: skip
_SHORT = {
    **{skeleton(name): number for number, names in enumerate(_FOREIGN, 1) for name in names.split()},
    **{skeleton(name): number for number, name in enumerate(_MONTHS, 1)},
    **{skeleton(name[:3]): number for number, name in enumerate(_MONTHS, 1)},
    "sept": 9,
}
_NUMBER_WORDS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
    "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "oh": 0, "o": 0,
}  # fmt: skip
_LABELS = frozenset({"day", "month", "year", "yr"})
_LABEL_GAP = re.compile(r"^ ?[:=] ?$")
_FILLERS = frozenset({"of", "the", "dot", "dash", "slash", "day", "de"})
_ORDINAL = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)$")
_GAP = re.compile(r"^[\s.,\-/()'\[\]_*~|]{0,5}$")
_DAY_AND_TIME = re.compile(r"^(\d{2})t\d{2}")
_COMPACT = re.compile(r"^(?:19|20)\d{6}$")
# The same with the time of day, as directories and messages have it (RFC 4517, HL7 TS, ISO 8601).
_STAMP = re.compile(r"^((?:19|20)\d{6})t?\d{4}(?:\d\d)?z?$")
_COMPACT_US = re.compile(r"^(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:19|20)\d\d$")  # month, day, year
_GLUED = re.compile(r"^(\d{1,2})?([a-z]{3,9})(\d{1,4})?$")
_MAX_READINGS = 8


@dataclass(frozen=True, slots=True)
class _Piece:
    """One part of a date.

    Attributes:
        month: 1..12 when it is a month's name, else 0.
        numbers: readings as (value, number of digits).
        last: index of its last word.
    """

    month: int
    numbers: tuple[tuple[int, int], ...]
    last: int


@remembered(most=16384)
def month_of(word: str) -> int:
    """Return 1..12 for a month's name, full or short, with one letter wrong at most in a full one; else 0."""
    form = skeleton(word)
    if form in _SHORT:
        return _SHORT[form]
    if len(form) == 3:
        alike = [number for short, number in _SHORT.items() if looks_alike(short, form)]
        return alike[0] if len(alike) == 1 else 0
    text = plain(word)
    if not text.isalpha() or len(text) < 4:
        return 0
    most = 2 if len(text) > 6 else 1
    near = [
        number
        for number, name in enumerate(_MONTHS, 1)
        if looks_alike(text, name) or (len(name) > 3 and _is_near(text, name, most))
    ]
    return near[0] if len(near) == 1 else 0


def _is_near(text: str, name: str, most: int) -> bool:
    same_start = len(text) > 4 or text[0] == name[0]
    return same_start and OSA.distance(text, name, score_cutoff=most) <= most


def dates_in(words: Words) -> Iterator[tuple[str, int, int]]:
    """Yield (ISO date, first word, last word) for every full date of a passage, all readings of an unclear one."""
    after = 0
    for index in range(len(words.texts)):
        word = words.texts[index]
        if index < after or not (
            word[0].isdigit() or word[-1].isdigit() or month_of(word) or word in _NUMBER_WORDS or word in TENS
            or _is_alike_first(words, index)
        ):  # fmt: skip
            continue
        pieces = _pieces(words, index)
        if not pieces:
            continue
        for iso, used in _readings(pieces):
            yield iso, index, pieces[used - 1].last
            if not _of_two_kinds(words, index, pieces):
                after = pieces[used - 1].last + 1


def _of_two_kinds(words: Words, index: int, pieces: list[_Piece]) -> bool:
    """Tell whether a blank parts the first figures, and a sign the others (2043 07/18/1982): then more is read."""
    first, second = pieces[0].last, pieces[1].last
    if any(piece.month for piece in pieces) or first != index or second + 1 >= len(words.texts):
        return False
    return words.gap(first).isspace() and not words.gap(second).isspace()


def canonical_date(text: str) -> str | None:
    """Return an enrolled ISO date as it is, or None if it is none."""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        return None


def date_of_figures(one: str, two: str, three: str) -> str | None:
    """Return the ISO date of three parts in figures, as they are read in a text; None when they are no date."""
    (first, second, third) = ((int(part), len(part)) for part in (one, two, three))
    return _arrange((first, second, third), -1)


def compact_date(digits: str) -> str | None:
    """Return the ISO date that eight digits are (19800208, 02081980), or None."""
    if _COMPACT.match(digits):
        return date_of_figures(digits[:4], digits[4:6], digits[6:])
    return date_of_figures(digits[:2], digits[2:4], digits[4:]) if _COMPACT_US.match(digits) else None


def _pieces(words: Words, index: int) -> list[_Piece]:
    """Read up to three date parts from a word on."""
    found: list[_Piece] = []
    position = index
    while position < len(words.texts) and len(found) < 3:
        labelled = bool(found) and words.texts[position - 1] in _LABELS and _labels(words, position - 1)
        if found and not labelled and not _near(words, position - 1):
            break
        if found and words.texts[position] in _LABELS and _labels(words, position):
            position += 1
            continue
        if found and words.texts[position] in _FILLERS:
            position += 1
            continue
        piece = _piece(words, position, len(found))
        if not piece:
            break
        found.extend(piece)
        position = piece[-1].last + 1
    return found[:3]


def _labels(words: Words, index: int) -> bool:
    """Tell whether a word names the part of a date that follows it (``Month: 06 Day: 05 Year: 1986``)."""
    return index + 1 < len(words.texts) and _LABEL_GAP.match(words.gap(index)) is not None


def _near(words: Words, index: int) -> bool:
    if words.cells[index] != words.cells[index + 1]:
        return False
    gap = words.gap(index)
    return _GAP.match(gap) is not None and gap.count("\n") <= 1


def _piece(words: Words, index: int, before: int) -> list[_Piece]:
    """Read one word as a part of a date (a compact date is all three at once)."""
    word = words.texts[index]
    whole = _in_one_word(word, index, before)
    if whole:
        return whole
    month = month_of(word) or (_roman_month(words, index) if before == 1 else 0)
    if month:
        return [_Piece(month, (), index)]
    if word in _NUMBER_WORDS or word in TENS:
        return _spoken(words, index, year=before == 2)
    readings = _figures(words, index, before)
    if readings and len(readings[0]) in (1, 2, 4):
        last = index + (len(readings[0]) > len(word) and word.isdigit())
        alone = ((int(word), len(word)),) if last > index and len(word) in (1, 2) else ()
        return [_Piece(0, (*((int(text), len(text)) for text in readings), *alone), last)]
    return _glued(word, index)


_DAY = 8  # digits of a compact date; a longer word has the time of day, too


def _in_one_word(word: str, index: int, before: int) -> list[_Piece]:
    """Read several parts that are written as one word: ``19610427``, ``04271961``, ``19610427T0815``, ``April27``."""
    if word[0].isalpha() and word[-1].isdigit() and skeleton(word.rstrip("0123456789")) in _SHORT:
        return _glued(word, index)
    if before or len(word) < _DAY:
        return []
    stamp = _STAMP.match(word)
    compact = stamp.group(1) if stamp else ""
    if len(word) == _DAY:
        compact = next((text for text in digit_readings(word) if _COMPACT.match(text)), "")
        if not compact and _COMPACT_US.match(word):
            compact = word[4:] + word[:4]
    return [_number(compact[:4], index), _number(compact[4:6], index), _number(compact[6:], index)] if compact else []


_ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_ROMAN = {word: number for number, word in enumerate(_ROMANS, 1)}


def _roman_month(words: Words, index: int) -> int:
    """Return the month that a Roman number between day and year stands for (``29-X-1973``), or 0."""
    if words.texts[index] not in _ROMAN or index + 1 >= len(words.texts):
        return 0
    gap = words.gap(index - 1).strip()
    same = gap == words.gap(index).strip() and gap in {"-", ".", "/"}
    return _ROMAN[words.texts[index]] if same and words.texts[index + 1].isdigit() else 0


def _figures(words: Words, index: int, before: int) -> tuple[str, ...]:
    """Return what figures a word may stand for: digits, an ordinal, a day with its time, look-alikes after a dash."""
    word = words.texts[index]
    if before == 2 and word in {"19", "20"} and index + 1 < len(words.texts) and words.gap(index) in {" ", "-\n"}:
        rest = words.texts[index + 1]
        if len(rest) == 2 and rest.isdigit():
            return (word + rest,)  # 19 61: torn apart
    torn = _torn(words, index, before)
    if torn:
        return torn
    for pattern in (_ORDINAL, _DAY_AND_TIME):
        match = pattern.match(word)
        if match:
            return (match.group(1),)
    if before and len(word) == 2 and words.gap(index - 1).strip() in {"-", "/", "."} and word.isalpha():
        return alike_readings(word)
    if not before and _is_alike_first(words, index):
        return alike_readings(word)
    return digit_readings(word)


def _torn(words: Words, index: int, before: int) -> tuple[str, ...]:
    """Read two groups of digits with a blank between as one part (``196 0``, ``0 4``), beside a sign of dates.

    The first group alone is another reading where it may be a part itself; () when there is nothing torn.
    """
    if index + 1 >= len(words.texts) or words.gap(index) != " ":
        return ()
    one, two = words.texts[index], words.texts[index + 1]
    if not (one + two).isdigit() or len(one + two) not in (2, 4):
        return ()
    marked = words.gap(index - 1) in {"-", "/", "."} if before else _sign_after(words, index + 1)
    if not marked or (before < 2 and not _sign_after(words, index + 1)):
        return ()
    return (one + two,)


def _sign_after(words: Words, index: int) -> bool:
    return index + 1 < len(words.texts) and words.gap(index) in {"-", "/", "."} and words.texts[index + 1][0].isdigit()


def _is_alike_first(words: Words, index: int) -> bool:
    """Tell whether letters stand for the first part of a date in figures (``II/15/2000``)."""
    word = words.texts[index]
    if len(word) > 2 or not word.isalpha() or index + 2 >= len(words.texts):
        return False
    gap = words.gap(index)
    return gap in {"-", "/", "."} and gap == words.gap(index + 1) and words.texts[index + 1][0].isdigit()


def _number(text: str, index: int) -> _Piece:
    return _Piece(0, ((int(text), len(text)),), index)


def _glued(word: str, index: int) -> list[_Piece]:
    """Take ``12dec1993`` apart."""
    match = _GLUED.match(word)
    month = month_of(match.group(2)) if match else 0
    if not match or not month:
        return []
    before = [_number(match.group(1), index)] if match.group(1) else []
    after = [_number(match.group(3), index)] if match.group(3) else []
    return [*before, _Piece(month, (), index), *after]


def _spoken(words: Words, index: int, *, year: bool) -> list[_Piece]:
    """Read a number in words: a day, or (when two parts stand already) a year."""
    value, last = _spoken_number(words, index)
    if not year:
        return [_Piece(0, ((value, 2),), last)]
    following = last + 1
    text = words.texts[following] if following < len(words.texts) else ""
    if value == 2 and text == "thousand":
        following += 1
        if following < len(words.texts) and words.texts[following] == "and":
            following += 1
        rest, end = _spoken_number(words, following) if _is_spoken(words, following) else (0, following - 1)
        return [_Piece(0, ((2000 + rest, 4),), end)]
    if value in (19, 20) and _is_spoken(words, following):
        rest, end = _spoken_number(words, following)
        if rest == 0 and _is_spoken(words, end + 1):
            rest, end = _spoken_number(words, end + 1)
        return [_Piece(0, ((value * 100 + rest, 4),), end)]
    if value in (19, 20) and text == "hundred":
        return [_Piece(0, ((value * 100, 4),), following)]
    return [_Piece(0, ((value, 2),), last)]


def _is_spoken(words: Words, index: int) -> bool:
    return index < len(words.texts) and (words.texts[index] in _NUMBER_WORDS or words.texts[index] in TENS)


def _spoken_number(words: Words, index: int) -> tuple[int, int]:
    word = words.texts[index]
    if word in _NUMBER_WORDS:
        return _NUMBER_WORDS[word], index
    tens = int(TENS[word]) * 10
    following = words.texts[index + 1] if index + 1 < len(words.texts) else ""
    unit = _NUMBER_WORDS.get(following, 0)
    return (tens + unit, index + 1) if 0 < unit < 10 else (tens, index)


def _readings(pieces: list[_Piece]) -> list[tuple[str, int]]:
    """Return (ISO date, pieces used) for the first three parts, if they are a full date."""
    if len(pieces) < 3:
        return []
    found: list[tuple[str, int]] = []
    named = [place for place, piece in enumerate(pieces) if piece.month]
    if len(named) > 1:
        return []
    first, second, third = ([(piece.month, 0)] if piece.month else list(piece.numbers) for piece in pieces)
    for one in first:
        for two in second:
            for three in third:
                iso = _arrange((one, two, three), named[0] if named else -1)
                if iso and (iso, 3) not in found:
                    found.append((iso, 3))
                if len(found) >= _MAX_READINGS:
                    return found
    return found


def _arrange(parts: tuple[tuple[int, int], ...], named: int) -> str | None:
    """Read three parts as a date.

    Args:
        parts: value and number of digits of each.
        named: place of the part that is a month's name, -1 when there is none.
    """
    (one, one_size), (two, _), (three, three_size) = parts
    if named == 2 or (one_size == 4 and named == 0):
        return None
    if one_size == 4 or (named < 0 and one > 31 and three_size == 2):
        return _iso(_year(one, one_size), two, three)
    year = _year(three, three_size)
    if named == 0 or (named < 0 and one <= 12):
        return _iso(year, one, two)
    return _iso(year, two, one)


def _year(value: int, size: int) -> int:
    if size == 4:
        return value
    if size != 2:
        return 0
    return 1900 + value if value >= PIVOT else 2000 + value


def _iso(year: int, month: int, day: int) -> str | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
