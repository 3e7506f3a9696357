"""Hands that a text goes through, letter by letter: a copier, a program, a typist, a framer, and a directory outside.

They know a made-up person's address piece by piece and what stood on a screen, and nothing of the code that reads or
scores: no import, no rate. Typists also write in ways that no reader here has heard of. All rates are assumptions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from benchmarks.attribution.citizens import DIRECTIONS, ORDINALS, TYPES, Citizen

Lines = Sequence[str]
Card = tuple[Citizen, Lines]
Pieces = dict[str, str]


class Hand(StrEnum):
    """How a text came to be."""

    VERBATIM = "verbatim"
    PROGRAM = "tidied by a program"
    PICTURE = "from a picture"
    TYPED = "typed again"
    PUBLIC = "brought to the public form"


# How often a middling typist keeps what stood there; persons differ by a few hundredths around it.
_KEEPS = {"order": 0.68, "phone": 0.47, "type": 0.57, "direction": 0.62, "state": 0.49, "unit": 0.61, "saint": 0.68}
_KEEPS |= {"street": 0.77, "commas": 0.19, "street letters": 0.06, "city letters": 0.08, "area": 0.33}
_DIFFER = 0.08
# What a typist writes where it was not kept: the first as directories print it, the last few as hardly anybody does.
_PHONES = ("({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "{} {} {}", "{}{}{}", "({}){}-{}", "{}/{}-{}", "{} {}-{}")
_STATES = ("MO", "Missouri", "Mo.", "mo", "Mo", "")
_UNITS = ("Apt", "Apt.", "Apartment", "#", "apt", "Unit", "no.")
_TYPE_WAYS, _DIRECTION_WAYS, _SAINT_WAYS = ("short", "stop", "full", "odd"), ("short", "stop", "full", "odd"), 3
_ODD_TYPES = {"Street": "Str", "Avenue": "Av", "Road": "Road", "Boulevard": "Blv", "Drive": "Drv", "Lane": "lane"}
_PUBLIC_STYLE, _ODD = 0.62, 0.12
# Before apartment, city, state and ZIP; a stop for none.
_SHOWN_COMMAS = (".,..", "..,.", ".,,,", ".,.,", "..,,")
_WITH_APARTMENT = (",,..", ",,,.", ",,,,", ",,.,", ".,,,")
_BROUGHT = 0.2  # of programs regroup telephone numbers, or take stops out


@dataclass(frozen=True, slots=True)
class Manner:
    """Somebody's own manner.

    Attributes:
        care: factor on how often they keep what stood there.
        public_style: share of their own forms that are the public ones.
        odd: share of the others that hardly anybody uses.
    """

    care: float = 1.0
    public_style: float = _PUBLIC_STYLE
    odd: float = _ODD


USUAL = Manner()


def carried(hand: Hand, cards: Sequence[Card], chance: Random, manner: Manner = USUAL) -> str:
    """Return the text that a hand makes of cards as they stood on a screen; of a picture, what is photographed."""
    if hand is Hand.TYPED:
        return _text(cards, Typist(chance, manner))
    if hand is Hand.PUBLIC:
        return "\n\n".join(_public(person) for person, _ in cards)
    text = "\n\n".join("\n".join((person.name, *lines)) for person, lines in cards)
    return _tidied(text, chance) if hand is Hand.PROGRAM else text


def from_outside(people: Sequence[Citizen], chance: Random, manner: Manner = USUAL) -> str:
    """Write about people from other sources, in one manner and from no copy."""
    typist = Typist(chance, Manner(0.0, manner.public_style, manner.odd))
    return _text([(person, ("", "", "")) for person in people], typist)


def framed(person: Citizen, lines: Lines, chance: Random) -> str:
    """Copy a card with every form changed to another one that somebody may have been shown, so as to look like them."""
    pieces = taken_apart(person, lines)
    short, full = person.type, TYPES[person.type]
    other = {
        "type": f"{short}." if pieces["type"] == full else full,
        "state": "Mo." if pieces["state"] == "Missouri" else "Missouri",
    }
    if person.direction:
        whole = DIRECTIONS[person.direction]
        other["direction"] = f"{person.direction}." if pieces["direction"] == whole else whole
    if person.apartment:
        other["unit"] = chance.choice([way for way in ("Apt.", "Apartment", "#") if way != pieces["unit"]])
    if person.street in ORDINALS:
        other["street"] = ORDINALS[person.street] if pieces["street"] == person.street else person.street
    if person.city[0] == "Saint":
        other["saint"] = "St." if pieces["saint"] == "Saint" else "Saint"
    for what in ("street letters", "city letters"):
        other[what] = "small" if pieces[what] == "CAPITALS" else "CAPITALS"
    ways = _WITH_APARTMENT if person.apartment else _SHOWN_COMMAS
    other["commas"] = chance.choice([way for way in ways if way != pieces["commas"]])
    starts = [start for start in ("{}", "({})", "1{0}{}", "1{0}({})") if _ungrouped(start, person) != _start(pieces)]
    apart = chance.choice([sign for sign in ("-", ".", " ", "") if not pieces["phone"].endswith(_ending(sign, person))])
    other["phone"] = chance.choice(starts).replace("{0}", apart).format(person.digits[0]) + _ending(apart, person)
    shown = [kind_of(line) for line in lines]
    while (order := chance.sample(shown, len(shown))) == shown:
        pass
    return _written(person, {**pieces, **other}, order)


def _start(pieces: Pieces) -> str:
    """Return what stands before a telephone number's second group, without what parts the groups."""
    return re.sub(r"[ .+-]", "", pieces["phone"])[:-7]


def _ungrouped(start: str, person: Citizen) -> str:
    return start.replace("{0}", "").format(person.digits[0])


def _ending(apart: str, person: Citizen) -> str:
    return apart + apart.join(person.digits[1:])


def kind_of(line: str) -> str:
    """Tell what a line of a card is."""
    if "@" in line:
        return "mail"
    return "phone" if re.fullmatch(r"[-+\d.() ]+", line) else "address"


def taken_apart(person: Citizen, lines: Lines) -> Pieces:
    """Return the pieces of a card as they stood there; a card of no lines has none."""
    pieces: Pieces = {}
    for line in lines:
        if line and kind_of(line) == "phone":
            pieces["phone"] = line
        elif line and kind_of(line) == "address":
            pieces |= _address_pieces(person, line)
    return pieces


def _address_pieces(person: Citizen, line: str) -> Pieces:
    street = f"{person.street}|{ORDINALS[person.street]}" if person.street in ORDINALS else re.escape(person.street)
    unit = rf"(?P<comma>,?) (?P<unit>\S+) {person.apartment}" if person.apartment else "(?P<comma>)"
    direction = r" (?P<direction>\S+)" if person.direction else ""
    saint = r"(?P<saint>\S+) Alder" if person.city[0] == "Saint" else re.escape(" ".join(person.city))
    pattern = (
        rf"{person.house}{direction} (?P<street>{street}) (?P<type>[^\s,]+){unit}(?P<before>,?) (?P<city>{saint})"
        rf"(?P<middle>,?) (?P<state>[^,]+)(?P<after>,?) {person.zip}"
    )
    found = re.fullmatch(pattern, line, re.IGNORECASE)
    if found is None:
        raise ValueError("an address that is not the person's")
    stood = found.groupdict()
    names = ("direction", "street", "type", "unit", "saint", "state")
    pieces = {name: stood[name] for name in names if stood.get(name)}
    pieces["commas"] = "".join(stood[place] or "." for place in ("comma", "before", "middle", "after"))
    for what, shown in (("street letters", stood["street"] + stood["type"]), ("city letters", stood["city"])):
        pieces[what] = "CAPITALS" if shown == shown.upper() else "small"
    # Without their capitals, which are a matter of their own.
    for name in ("direction", "street", "type", "saint"):
        if name in pieces and pieces["street letters" if name != "saint" else "city letters"] == "CAPITALS":
            pieces[name] = pieces[name].lower() if pieces[name][0].isdigit() else pieces[name].capitalize()
    if pieces["street"].lower() == person.street.lower():
        pieces["street"] = person.street
    return pieces


class Typist:
    """Somebody who types with a manner of their own, which falls in where what stood there was not kept."""

    def __init__(self, chance: Random, manner: Manner) -> None:
        self._chance = chance
        self._manner = manner
        self._skill = chance.gauss(0.0, _DIFFER)
        self._phone = self._own(_PHONES, 5)
        self._type = self._own(_TYPE_WAYS, 3)
        self._direction = self._own(_DIRECTION_WAYS, 3)
        self._state = self._own(_STATES, 3)
        self._unit = self._own(_UNITS, 4)
        self._saint = self._own(("St", "Saint", "St."), _SAINT_WAYS)
        self._commas = self._own((".,,.", ".,..", "....", ".,,,", ",,,."), 3)
        self._is_figure = chance.random() < 0.5
        self._order = chance.sample(("address", "phone", "mail"), 3)

    def card(self, person: Citizen, lines: Lines) -> str:
        """Type one card."""
        stood = taken_apart(person, lines)
        own = {
            "phone": self._phone.format(*person.digits),
            "type": _in_way(self._type, person.type, TYPES[person.type], _ODD_TYPES.get(TYPES[person.type], "Crt")),
            "direction": _in_way(
                self._direction, person.direction, DIRECTIONS.get(person.direction, ""), person.direction.lower()
            ),
            "state": self._state,
            "unit": self._unit,
            "saint": self._saint,
            "street": person.street if self._is_figure else ORDINALS.get(person.street, person.street),
            "commas": self._commas,
            "street letters": "small",
            "city letters": "small",
        }
        pieces = {what: stood[what] if what in stood and self._keeps(what) else text for what, text in own.items()}
        if "phone" in stood and pieces["phone"] == stood["phone"] and not self._keeps("area"):
            pieces["phone"] = re.sub(r"^1[-. ]?(?=\D?\d{3})|[()]", "", pieces["phone"])
        shown = [kind_of(line) for line in lines if line]
        order = shown if shown and self._keeps("order") else self._order
        return _written(person, pieces, [one for one in order if not shown or one in shown])

    def _keeps(self, what: str) -> bool:
        return self._chance.random() < min(0.98, (_KEEPS[what] + self._skill) * self._manner.care)

    def _own(self, ways: Sequence[str], usual: int) -> str:
        """Draw an own way of writing: the public one mostly, else a usual one, else an odd one."""
        if self._chance.random() < self._manner.public_style:
            return ways[0]
        is_odd = usual < len(ways) and self._chance.random() < self._manner.odd
        return self._chance.choice(ways[usual:] if is_odd else ways[1:usual])


def _in_way(way: str, short: str, full: str, odd: str) -> str:
    return {"short": short, "stop": f"{short}.", "full": full, "odd": odd}[way] if short else ""


def _text(cards: Sequence[Card], typist: Typist) -> str:
    return "\n\n".join(f"{person.name}\n{typist.card(person, lines)}" for person, lines in cards)


def _written(person: Citizen, pieces: Pieces, order: Sequence[str]) -> str:
    street = [person.house, pieces.get("direction", "") if person.direction else "", pieces["street"], pieces["type"]]
    if person.apartment:
        street += [pieces["unit"], person.apartment]
    city = " ".join((pieces["saint"], *person.city[1:])) if person.city[0] == "Saint" else " ".join(person.city)
    line = " ".join(filter(None, street[:4]))
    line = line.upper() if pieces.get("street letters") == "CAPITALS" else line
    city = city.upper() if pieces.get("city letters") == "CAPITALS" else city
    first, before, middle, after = (one.strip(".") for one in pieces.get("commas", ".,,."))
    state = f" {pieces['state']}{after}" if pieces["state"] else ""
    apartment = f"{first} {' '.join(street[4:])}" if person.apartment else ""
    address = f"{line}{apartment}{before} {city}{middle}{state} {person.zip}"
    told = {"address": address, "phone": pieces["phone"], "mail": person.mail}
    return "\n".join(told[one] for one in order)


def _public(person: Citizen) -> str:
    pieces = {
        "direction": person.direction,
        "type": person.type,
        "unit": "APT",
        "saint": "ST",
        "street": person.street,
        "state": "MO",
        "phone": "({}) {}-{}".format(*person.digits),
    }
    return f"{person.name}\n{_written(person, pieces, ('address', 'phone', 'mail'))}".upper()


def _tidied(text: str, chance: Random) -> str:
    """Tidy as some program would: capitals or not, stops or not, telephone numbers as it likes them."""
    if chance.random() < _BROUGHT:
        text = re.sub(r"(?m)^\+?1?[ .(-]*(\d{3})[) .-]*(\d{3})[ .-]*(\d{4})$", r"(\1) \2-\3", text)
    if chance.random() < _BROUGHT:
        text = re.sub(r"(?<=[A-Za-z])\.(?=[ ,])", "", text)
    return re.sub(r" +", " ", text.upper() if chance.random() < 0.5 else text)
