"""How a copy is carried on until it stands somewhere: copied, tidied by a program, typed again, photographed.

Nothing in here is shared with what reads a text: neither code nor rates. A typist has a way of writing of their own
for each kind of thing, and falls back to it where what stood before them was not kept. All rates are assumptions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

VERBATIM, NORMALISED, RETYPED, PICTURE, OUTSIDE = "verbatim", "normalised", "retyped", "ocr", "outside"
CHANNELS = (VERBATIM, NORMALISED, RETYPED, PICTURE, OUTSIDE)

# How often a typist keeps what is before them, by what it is; a made-up person's care differs from another's.
_KEPT = {"phone": 0.52, "type": 0.55, "direction": 0.6, "state": 0.5, "unit": 0.63}
_KEPT |= {"area": 0.31, "capitals": 0.06, "commas": 0.18, "figures": 0.75}
_CARE = (0.75, 1.0, 1.0, 1.25)
_PHONE = re.compile(r"(?:\+?1[-. ]?)?\(?(\d{3})\)?[-. ]?(\d{3})[-. ]?(\d{4})")
_CAPITALS = re.compile(r"\b(?:[A-Z][A-Z']{2,}|\d+(?:ST|ND|RD|TH)|ST(?=\.? ))\b")
_END = re.compile(r"(?P<street>.*?),? (?P<city>Drill Hollow),? (?P<state>Missouri|MO|Mo\.),? (?P<zip>\d{5})")
_TYPES = {
    "Street": "St",
    "Avenue": "Ave",
    "Road": "Rd",
    "Boulevard": "Blvd",
    "Drive": "Dr",
    "Lane": "Ln",
    "Court": "Ct",
    "Place": "Pl",
}
_DIRECTIONS = {"North": "N", "South": "S", "East": "E", "West": "W"}
_UNITS = ("Apt ", "Apt. ", "Apartment ", "#", "# ")
_STATES = ("MO", "Missouri", "Mo.")
_COMMAS = ((",", ",", ""), (",", "", ""), ("", "", ""), (",", ",", ","))  # before the city, the state and the ZIP
_FIGURES = {"Ninth": "9th"}


@dataclass(frozen=True, slots=True)
class Card:
    """One person's card as it stood on a screen: its lines in their order, and whose it is."""

    name: str
    lines: tuple[str, ...]


Writer = Callable[[Sequence[Card], Random], str]


def write(channel: str, cards: Sequence[Card], chance: Random) -> str:
    """Write the text that a channel makes of some cards; ``ocr`` is what is photographed."""
    return _WRITERS[channel](cards, chance)


def _verbatim(cards: Sequence[Card], _: Random) -> str:
    return "\n\n".join("\n".join((card.name, *card.lines)) for card in cards)


def _normalised(cards: Sequence[Card], _: Random) -> str:
    """Tidy as a mail merge would: one spelling of everything, in capitals."""
    return "\n\n".join("\n".join((card.name.upper(), *map(_tidied, card.lines))) for card in cards)


def _retyped(cards: Sequence[Card], chance: Random) -> str:
    typist = _Typist(chance, chance.choice(_CARE))
    return "\n\n".join(f"{card.name}, {', '.join(map(typist.line, card.lines))}" for card in cards)


def _outside(cards: Sequence[Card], chance: Random) -> str:
    """Write the same facts as a directory would have them, from no copy at all."""
    typist = _Typist(chance, 0.0)
    return "\n\n".join("\n".join((card.name, *sorted(map(typist.line, card.lines)))) for card in cards)


class _Typist:
    """Somebody who types with habits of their own."""

    def __init__(self, chance: Random, care: float) -> None:
        self._chance = chance
        self._care = care
        self._phone = chance.choice(("{}-{}-{}", "({}) {}-{}", "{}.{}.{}", "{}{}{}"))
        self._type = chance.choice((True, False))
        self._direction = chance.choice((True, False))
        self._state = chance.choice(_STATES)
        self._unit = chance.choice(_UNITS)
        self._commas = chance.choice(_COMMAS)
        self._figures = chance.choice((True, False))

    def line(self, text: str) -> str:
        """Type one line."""
        digits = _PHONE.fullmatch(text)
        return self._address(text) if digits is None else self._number(text, digits)

    def _number(self, text: str, digits: re.Match[str]) -> str:
        if not self._keeps("phone"):
            return self._phone.format(*digits.groups())
        return text if self._keeps("area") else re.sub(r"^1[-. ]?|[()]", "", text)

    def _address(self, text: str) -> str:
        if not self._keeps("capitals"):
            text = _CAPITALS.sub(lambda word: word[0].lower() if word[0][0].isdigit() else word[0].capitalize(), text)
        for word, figure in _FIGURES.items():
            if not self._keeps("figures"):
                text = re.sub(rf"\b(?:{word}|{figure})\b", figure if self._figures else word, text)
        for full, short in _TYPES.items():
            if not self._keeps("type"):
                text = re.sub(rf"\b(?:{full}|{short})\b\.?(?=,| Ap| #| Drill)", full if self._type else short, text)
        for full, short in _DIRECTIONS.items():
            if not self._keeps("direction"):
                text = re.sub(rf"(?<=\d )(?:{full}|{short})\b\.?(?= )", full if self._direction else short, text)
        if not self._keeps("state"):
            text = re.sub(r"\b(?:Missouri|MO|Mo)\b\.?(?=,? \d{5})", self._state, text)
        if not self._keeps("unit"):
            text = re.sub(r"(?:Apartment|Apt)\b\.? |# ?", self._unit, text)
        return text if self._keeps("commas") else self._with_commas(text)

    def _with_commas(self, text: str) -> str:
        found = _END.fullmatch(text)
        if found is None:
            return text
        before_city, before_state, before_zip = self._commas
        street, city, state = found["street"].replace(",", ""), found["city"], found["state"]
        return f"{street}{before_city} {city}{before_state} {state}{before_zip} {found['zip']}"

    def _keeps(self, what: str) -> bool:
        return self._chance.random() < _KEPT[what] * self._care


def _tidied(line: str) -> str:
    if (digits := _PHONE.fullmatch(line)) is not None:
        return "({}) {}-{}".format(*digits.groups())
    for words in (_TYPES, _DIRECTIONS, {"Missouri": "MO", "Apartment": "Apt"}):
        for full, short in words.items():
            line = re.sub(rf"\b{full}\b", short, line)
    return line.replace(".", "").replace("# ", "Apt ").replace(" Mo ", " MO ").upper()


_WRITERS: Mapping[str, Writer] = {
    VERBATIM: _verbatim,
    NORMALISED: _normalised,
    RETYPED: _retyped,
    PICTURE: _verbatim,
    OUTSIDE: _outside,
}
