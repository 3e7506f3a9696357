"""Terms of addresses: a house number with what follows and surrounds it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz.distance import OSA

from registry.leaktrace.terms import PART_SIZES, Term, TermKind, number_part_terms
from registry.text.addresses import city_key, street_key, whole_key
from registry.text.cardinals import COUNTING, DIGIT_NAMES, spoken_cardinal
from registry.text.common_words import NO_STREET
from registry.text.digits import Unit, alike_readings, digit_chains, digit_readings
from registry.text.nearness import looks_alike
from registry.text.postal import CLOSING, DIRECTIONS, STATE_CODES, STATES, TYPES, UNITS
from registry.text.remembering import remembered
from registry.text.words import Words, plain

_SPOKEN_HUNDRED = 100
_LONGEST_TORN = 5
MAX_STREET = 7  # words of a street
AHEAD = 14  # words after a house number in which its city and ZIP are looked for
MOST_CITY_AHEAD = 10  # words after it within which a city ends
_CITY_FIRST = frozenset({":", "-", ",", "", "--", "("})
BEHIND = 6  # words before it, for a city written first
_HOUSE = re.compile(r"^(\d{1,6})([a-z]?)$")
_GRID = re.compile(r"^[nsew]\d{1,3}[nsew]\d{1,6}$|^[nsew]\d{3,6}$")  # W150N5928, N6482
_GRID_PART = re.compile(r"^[nsew]\d{1,3}$")
_AFTER_HYPHEN = re.compile(r"^\d{2,3}$")
_BEFORE_HYPHEN = re.compile(r"^\d{1,3}$")
_LINKS = frozenset({"of", "de", "del", "du", "la"})  # a type before them is part of the name
_ROADS = frozenset({"highway", "hwy", "route", "rte", "rt"})
_GAP = re.compile(r"^[\s.\-#'\"_*]{1,4}$|^$")
_ZIP = re.compile(r"^\d{5}$")
_MISREAD_STATES = frozenset(
    code.translate(table) for code in STATE_CODES for table in (str.maketrans("ilo", "110"), str.maketrans("il", "l1"))
) - set(STATES)
_BOX = re.compile(r"^b[o0]x$|^p[o0]b[o0]x$|^p[o0]b$")
_RURAL = frozenset({"rr", "r", "route", "rt", "rte", "hc", "contract", "rfd"})

Found = tuple[Term, int, int]


def address_terms(words: Words) -> Iterator[Found]:
    """Yield (term, first word, last word) of each house number that may begin an address."""
    spoken = _spoken_numbers(words)
    for index in range(len(words.texts)):
        numbers = house_numbers(words.texts[index])
        last = index
        joined = _in_two_parts(words, index)
        if joined:
            numbers, last = (joined,), index + 1
        elif numbers and index and words.gap(index - 1) in {".", "-"} and words.texts[index - 1].isdigit():
            numbers = ()  # the end of another number (8.4, 84-15)
        if index in spoken:
            numbers, last = spoken[index]
        elif numbers and _is_fraction(words, index):
            numbers, last = (f"{numbers[0]}f{words.texts[index + 1]}{words.texts[index + 2]}",), index + 2
        if numbers and last + 1 < len(words.texts) and _opens_street(words, last):
            for number in numbers:
                yield from _street_terms(words, index, last, number)
                yield from _around(words, index, last, number)
        if is_torn(words, index) and _opens_street(words, index):
            torn = (words.texts[index - 1] + words.texts[index]).lstrip("0")
            yield from _street_terms(words, index - 1, index, torn)
            yield from _around(words, index - 1, index, torn)
    yield from _boxes(words)


def _in_two_parts(words: Words, index: int) -> str:
    """Read a house number of two parts as one (``86-14`` in Queens, ``W150 N5928``), else ''."""
    if index + 2 >= len(words.texts):
        return ""
    word, following, gap = words.texts[index], words.texts[index + 1], words.gap(index)
    if gap == "-" and index and words.gap(index - 1) in {"-", ".", "/"}:
        return ""  # the end of a longer number
    if gap == "-" and _BEFORE_HYPHEN.match(word) and _AFTER_HYPHEN.match(following):
        return (word + following).lstrip("0")
    grid = gap in {" ", "-"} and _GRID_PART.match(word) and _GRID.match(word + following)
    return word + following if grid and following[0] in "nsew" else ""


def is_torn(words: Words, index: int) -> bool:
    """Tell whether digits and those before them may be one house number, torn apart (``12 34 Oak St``)."""
    if not 0 < index < len(words.texts) - 1:
        return False
    word, before = words.texts[index], words.texts[index - 1]
    if not (word.isdigit() and before.isdigit() and 2 < len(word) + len(before) <= _LONGEST_TORN):
        return False
    whole = index < 2 or not words.texts[index - 2].isdigit()
    return whole and words.gap(index - 1) in {" ", "-\n", "-\r\n"} and words.cells[index] == words.cells[index - 1]


@remembered(most=16384)
def house_numbers(word: str) -> tuple[str, ...]:
    """Return the house numbers that a word may stand for, look-alike letters read as digits."""
    match = _HOUSE.match(word)
    if match:
        plain_number = (match.group(1).lstrip("0") or match.group(1)) + match.group(2)
        others = digit_readings(word) if match.group(2) and len(word) > 1 else ()
        return (plain_number, *(other for other in others if other != plain_number))
    if _GRID.match(word):
        return (word, *digit_readings(word))
    if not (2 <= len(word) <= 6) or word.isalpha():
        return ()
    return digit_readings(word)


def _is_fraction(words: Words, index: int) -> bool:
    """Tell whether a half or quarter follows a house number (``12 1/2``)."""
    if index + 2 >= len(words.texts) or words.gap(index).strip(" -") or words.gap(index + 1) != "/":
        return False
    return words.texts[index + 1] in {"1", "2", "3"} and words.texts[index + 2] in {"2", "4", "8"}


def _spoken_numbers(words: Words) -> dict[int, tuple[tuple[str, ...], int]]:
    """House numbers written digit by digit in words."""
    found: dict[int, tuple[tuple[str, ...], int]] = {}
    for chain in digit_chains(words):
        digits = sum(len(unit.readings[0]) for unit in chain)
        if 1 < digits <= 6 and chain[0].spoken:
            found[chain[0].first] = (_join(chain), _last_word(words, chain[-1]))
        elif 1 < len(chain) == digits <= 6:  # 5 9 3 Oak St
            last = chain[-1].first
            apart = all(words.gap(index) in {" ", ".", "-"} for index in range(chain[0].first, last))
            if apart and len({words.gap(index) for index in range(chain[0].first, last)}) == 1:
                found[chain[0].first] = (_join(chain), last)
    for index, word in enumerate(words.texts):
        if word in DIGIT_NAMES and (not index or words.texts[index - 1] not in COUNTING):
            value, last = spoken_cardinal(words.texts, index)
            if value >= _SPOKEN_HUNDRED:
                found[index] = ((str(value),), last)
    return found


def _join(chain: list[Unit]) -> tuple[str, ...]:
    return ("".join(unit.readings[0] for unit in chain),)


def _last_word(words: Words, unit: Unit) -> int:
    last = unit.first
    while last + 1 < len(words.texts) and words.starts[last + 1] < unit.end:
        last += 1
    return last


def _opens_street(words: Words, index: int) -> bool:
    """Tell whether the word after a number may begin a street."""
    following = words.texts[index + 1]
    if words.cells[index] != words.cells[index + 1]:
        return _is_number_column(words, index)
    comma = words.gap(index) in {", ", " , "} and words.is_capital(index + 1)
    if not (comma or _GAP.match(words.gap(index))) or (following in UNITS and following not in DIRECTIONS):
        return False
    if following.isdigit():  # "12 11 Mile Rd"
        after = words.texts[index + 2] if index + 2 < len(words.texts) else ""
        return len(following) <= 3 and after.isalpha() and words.gap(index + 1).strip(" ") in {"", "."}
    if following == "us":
        after = words.texts[index + 2] if index + 2 < len(words.texts) else ""
        shouted = words.is_capital(index + 1) and words.folded.is_upper(words.ends[index + 1] - 1)
        return after in _ROADS or after.isdigit() or shouted
    return following not in NO_STREET or (following in {"a", "the"} and words.is_capital(index + 1))


@remembered(most=16384)
def near_direction(word: str) -> bool:
    """Tell whether a word is a written-out direction with a letter wrong."""
    text = plain(word)
    if len(text) < 4 or text in DIRECTIONS:
        return False
    return any(
        len(name) > 3 and (OSA.distance(text, name, score_cutoff=1) <= 1 or looks_alike(text, name))
        for name in DIRECTIONS
    )


def _is_number_column(words: Words, index: int) -> bool:
    """A house number alone in its cell, its street in the next."""
    first = index
    while first and words.cells[first - 1] == words.cells[index]:
        first -= 1
    number = first == index or (index - first == 2 and _is_fraction(words, first))
    following = words.texts[index + 1]
    return number and words.cells[index + 1] == words.cells[index] + 1 and not following.isdigit()


def street_end(words: Words, first: int) -> int:
    """Return the last word that may still belong to the street that begins at ``first``."""
    last = first
    closing = None
    named = False  # a word that is no direction has come: W St. Charles Ave does not end at St.
    while last + 1 < len(words.texts) and last - first + 1 < MAX_STREET:
        if words.cells[last + 1] != words.cells[first] or not _GAP.match(words.gap(last)):
            break
        word = plain(words.texts[last])
        named = named or (last > first and words.texts[last - 1] not in DIRECTIONS)
        if closing is None and named and TYPES.get(word) in CLOSING and words.texts[last + 1] not in _LINKS:
            closing = last
        if closing is not None and last >= closing + 1 and len(words.texts[last + 1]) > 1:
            break
        last += 1
    return last


def _street_terms(words: Words, index: int, number_end: int, number: str) -> Iterator[Found]:
    yield from _streets_from(words, number_end + 1, (index, number_end), number)
    misspelt = near_direction(words.texts[number_end + 1]) and number_end + 2 < len(words.texts)
    if misspelt and words.cells[number_end + 2] == words.cells[number_end + 1]:
        yield from _streets_from(words, number_end + 2, (index, number_end), number)


def _streets_from(words: Words, first: int, place: tuple[int, int], number: str) -> Iterator[Found]:
    seen: set[str] = set()
    for last in range(first, street_end(words, first) + 1):
        parts = words.texts[first : last + 1]
        for key in (street_key(parts), whole_key(parts)):
            if key in seen or not key:
                continue
            seen.add(key)
            yield Term(TermKind.STREET, f"{number}|{key}"), *place
            for size in PART_SIZES:
                for term in number_part_terms(number, key, size):
                    yield term, *place


def _around(words: Words, index: int, number_end: int, number: str, *, street: int = 1) -> Iterator[Found]:
    """House number with each ZIP and each city that stands near, behind a street of ``street`` words at least."""
    for place, begin in _cities(words, index, number_end - 1 + street):
        yield Term(TermKind.NUMBER_CITY, f"{number}|{city_key(words.texts[begin:place])}"), index, number_end
    high = min(len(words.texts), number_end + 1 + AHEAD)
    for place in (*range(max(0, index - BEHIND), index), *range(number_end + 1 + street, high)):
        for zip5 in zip_readings(words.texts[place]):
            yield Term(TermKind.NUMBER_ZIP, f"{number}|{zip5}"), index, number_end


def _cities(words: Words, index: int, number_end: int) -> Iterator[tuple[int, int]]:
    """Yield (word after, first word) of what may be a city: one to three words before a state, ZIP or clause end."""
    total = len(words.texts)
    for place in range(number_end + 3, min(total, number_end + MOST_CITY_AHEAD) + 1):
        known = place < total and (is_state(words, place) or bool(zip_readings(words.texts[place])))
        if known or place == total or _ends_clause(words, place):
            yield from ((place, begin) for begin in range(max(number_end + 2, place - 3), place))
        if known and zip_readings(words.texts[place]):
            break
    if index and words.gap(index - 1).strip() in _CITY_FIRST:
        place = index
        while place > max(1, index - 4) and (zip_readings(words.texts[place - 1]) or is_state(words, place - 1)):
            place -= 1
        if place < index or ":" in words.gap(index - 1):
            yield from ((place, begin) for begin in range(max(0, place - 3), place))


def _ends_clause(words: Words, place: int) -> bool:
    """Tell whether a clause or a cell ends before a word, or began not long before it."""
    gap = words.gap(place - 1)
    if words.cells[place] != words.cells[place - 1] or any(char in gap for char in ",.;:|\n)"):
        return True
    return any("," in words.gap(before - 1) for before in range(max(1, place - 2), place))


def zip_readings(word: str) -> tuple[str, ...]:
    """Return the ZIP codes that a word may stand for."""
    if len(word) == 9 and word.isdigit():
        return (word[:5],)
    if len(word) != 5:
        return ()
    return tuple(reading for reading in digit_readings(word) if _ZIP.match(reading))


# Codes of states that are words of English or Spanish, too.
_CODE_WORDS = "in or me hi ok oh de la al id ma pa co va mi ms"
_ALSO_WORDS = frozenset(_CODE_WORDS.split())


def is_state(words: Words, place: int) -> bool:
    """Tell whether a word is a state's code or name; codes that are also words must be in capitals."""
    word = words.texts[place]
    if word in _MISREAD_STATES and place + 1 < len(words.texts):
        return bool(zip_readings(words.texts[place + 1]))
    if word in STATE_CODES:
        if word in _ALSO_WORDS:
            after = place + 1 < len(words.texts) and bool(zip_readings(words.texts[place + 1]))
            return after or (words.is_capital(place) and words.folded.is_upper(words.ends[place] - 1))
        return True
    return word in STATES and len(word) > 3


def _boxes(words: Words) -> Iterator[Found]:
    """Post office boxes and rural routes."""
    for index in range(len(words.texts) - 1):
        if not _BOX.match(words.texts[index]):
            continue
        routes = _routes(words, index)
        first = index - 2 if routes else _box_start(words, index)
        for number in house_numbers(words.texts[index + 1]):
            for name in (f"rr{route}box{number}" for route in routes) if routes else (f"box{number}",):
                yield from _around(words, first, index + 1, name, street=0)


def _routes(words: Words, box: int) -> tuple[str, ...]:
    """Return the numbers of a rural route before a box that its word may stand for; () when there is none."""
    if box < 2:
        return ()
    kind, number = words.texts[box - 2], words.texts[box - 1]
    named = kind in _RURAL or (kind == "c" and words.texts[max(0, box - 3)] == "h")
    return (digit_readings(number) or alike_readings(number)) if named and len(number) <= 4 else ()


def _box_start(words: Words, index: int) -> int:
    """Return where ``PO Box``, ``P. O. Box`` or ``Post Office Box`` begins."""
    before = words.texts[max(0, index - 2) : index]
    if before in (["p", "o"], ["post", "office"]):
        return index - 2
    return index - 1 if before[-1:] == ["po"] else index
