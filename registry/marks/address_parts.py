"""A home address as enrolled, cut into the pieces that can be written in several ways, with their own letters.

Only addresses of the plain form are cut: a house number, a street with its type, perhaps a direction and an apartment,
a city, a state, a ZIP. Anything else (boxes, routes, grids, fractions, several units) is served as it was enrolled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from registry.text.postal import DIRECTIONS, STATES, TYPES

_HOUSE = re.compile(r"\d{1,6}[A-Za-z]?")
_ZIP = re.compile(r"\d{5}(?:-\d{4})?")
_UNIT_ID = re.compile(r"[A-Za-z]?\d{1,5}[A-Za-z]?|[A-Za-z]")
_APARTMENT = frozenset({"apt", "apartment"})
# A street of at least a name and a type, and for a direction one word more.
_SHORTEST, _WITH_DIRECTION = 2, 3


class Parts(NamedTuple):
    """The pieces of an address, each as enrolled; empty when absent.

    Attributes:
        number: house number.
        before, after: direction before and after the street's name.
        name: words of the street's own name.
        type: word of the street's type.
        unit_word, unit: what the apartment is called, and its number or letter; only of one that is called apartment.
        city: words of the city.
        state: as enrolled.
        zip: five or nine digits.
        is_line: enrolled as one line.
        street_upper, city_upper: to be written in capitals.
        commas: to be written before apartment, city, state and ZIP, each a comma or nothing; empty for the usual ones.
    """

    number: str
    before: str = ""
    name: tuple[str, ...] = ()
    type: str = ""
    after: str = ""
    unit_word: str = ""
    unit: str = ""
    city: tuple[str, ...] = ()
    state: str = ""
    zip: str = ""
    is_line: bool = True
    street_upper: bool = False
    city_upper: bool = False
    commas: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Parts(***)"


def bare(word: str) -> str:
    """Return a word in small letters without stops and commas."""
    return word.lower().replace(".", "").strip(",")


def cut(value: Mapping[str, str]) -> Parts | None:
    """Cut an enrolled address into its pieces; None when it is not of the plain form."""
    if "line" in value:
        return _cut_line(value["line"])
    street = value["street"].split()
    unit = value.get("unit", "").split()
    found = _cut_street([*street, *unit])
    if found is None or (unit and not found.unit):
        return None
    city = tuple(value["city"].split())
    return found._replace(city=city, state=value.get("state", ""), zip=value.get("postal_code", ""), is_line=False)


def _cut_line(line: str) -> Parts | None:
    segments = [part.split() for part in line.split(",")]
    if not all(segments) or len(segments) < _SHORTEST:
        return None
    tail = _cut_tail(segments.pop())
    if tail is None:
        return None
    city, state, zip_code = tail
    if not city and len(segments) > 1:
        city = segments.pop()
    # What is left is the street, or the street and its unit.
    if not city or len(segments) > _SHORTEST:
        return None
    found = _cut_street([word for part in segments for word in part])
    if found is None or (len(segments) == _SHORTEST and not found.unit):
        return None
    return found._replace(city=tuple(city), state=state, zip=zip_code)


def _cut_tail(words: list[str]) -> tuple[list[str], str, str] | None:
    zip_code = words.pop() if words and _ZIP.fullmatch(words[-1]) else ""
    plain = [bare(word) for word in words[-3:]]
    for count in range(len(plain), 0, -1):
        if "".join(plain[-count:]) in STATES:
            return words[:-count], " ".join(words[-count:]), zip_code
    return None


def _cut_street(words: list[str]) -> Parts | None:
    if len(words) <= _SHORTEST or _HOUSE.fullmatch(words[0]) is None:
        return None
    number, rest = words[0], words[1:]
    unit_word = unit = ""
    if len(rest) > _SHORTEST and bare(rest[-2]) in _APARTMENT and _UNIT_ID.fullmatch(rest[-1]):
        unit_word, unit, rest = rest[-2], rest[-1], rest[:-2]
    before, rest = _direction(rest, 0)
    after, rest = _direction(rest, -1)
    if len(rest) < _SHORTEST or bare(rest[-1]) not in TYPES or not all(map(_is_plain, rest)):
        return None
    return Parts(number, before, tuple(rest[:-1]), rest[-1], after, unit_word, unit)


def _direction(words: Sequence[str], place: int) -> tuple[str, list[str]]:
    if len(words) < _WITH_DIRECTION or bare(words[place]) not in DIRECTIONS:
        return "", list(words)
    return words[place], list(words[1:] if place == 0 else words[:-1])


def _is_plain(word: str) -> bool:
    return word.replace("'", "").replace("-", "").replace(".", "").isalnum()
