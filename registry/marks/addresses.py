"""Home addresses: the same place, written in one of the usual ways, and how a text that holds one is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

from registry.domain.categories import Category
from registry.marks.address_parts import Parts, bare, cut
from registry.marks.slots import (
    CITY_LETTERS,
    COMMAS,
    DIRECTION,
    ORDINAL,
    PUBLIC,
    SAINT,
    STATE,
    STREET_LETTERS,
    STREET_TYPE,
    TABLE,
    UNIT,
)
from registry.text.addresses import Address, parse_address
from registry.text.postal import DIRECTIONS, ORDINALS, STATES, TYPES

# Not Northeast and the like, whose letters with stops read as two directions.
_DIRECTIONS = {"n": "North", "s": "South", "e": "East", "w": "West"}
_UNIT_FORMS = ("Apt.", "Apartment", "#")
_SAINTS = {
    "saint": ("Saint", "St."), "st": ("Saint", "St."), "fort": ("Fort", "Ft."), "ft": ("Fort", "Ft."),
    "mount": ("Mount", "Mt."), "mt": ("Mount", "Mt."),
}  # fmt: skip
_TYPES = {
    "ave": ("Ave", "Avenue"), "blvd": ("Blvd", "Boulevard"), "cir": ("Cir", "Circle"), "ct": ("Ct", "Court"),
    "dr": ("Dr", "Drive"), "hwy": ("Hwy", "Highway"), "ln": ("Ln", "Lane"), "pkwy": ("Pkwy", "Parkway"),
    "pl": ("Pl", "Place"), "rd": ("Rd", "Road"), "sq": ("Sq", "Square"), "st": ("St", "Street"),
    "ter": ("Ter", "Terrace"), "trl": ("Trl", "Trail"),
}  # fmt: skip
# States with a usual abbreviation beside the postal one that no other word is written like.
_STATES = {
    "al": ("Alabama", "Ala."), "az": ("Arizona", "Ariz."), "ar": ("Arkansas", "Ark."), "ca": ("California", "Calif."),
    "co": ("Colorado", "Colo."), "ct": ("Connecticut", "Conn."), "fl": ("Florida", "Fla."), "ga": ("Georgia", "Ga."),
    "ks": ("Kansas", "Kan."), "ky": ("Kentucky", "Ky."), "la": ("Louisiana", "La."), "md": ("Maryland", "Md."),
    "mi": ("Michigan", "Mich."), "mn": ("Minnesota", "Minn."), "mo": ("Missouri", "Mo."), "mt": ("Montana", "Mont."),
    "ne": ("Nebraska", "Neb."), "nv": ("Nevada", "Nev."), "nc": ("North Carolina", "N.C."),
    "nd": ("North Dakota", "N.D."), "nh": ("New Hampshire", "N.H."), "nj": ("New Jersey", "N.J."),
    "nm": ("New Mexico", "N.M."), "ny": ("New York", "N.Y."), "ok": ("Oklahoma", "Okla."),
    "pa": ("Pennsylvania", "Pa."), "ri": ("Rhode Island", "R.I."), "sc": ("South Carolina", "S.C."),
    "sd": ("South Dakota", "S.D."), "tn": ("Tennessee", "Tenn."), "vt": ("Vermont", "Vt."), "va": ("Virginia", "Va."),
    "wi": ("Wisconsin", "Wis."), "wv": ("West Virginia", "W.Va."), "wy": ("Wyoming", "Wyo."),
}  # fmt: skip
# Where commas stand in one line: before the city, the state and the ZIP; where there is an apartment, before that, the
# state and the ZIP, since its number would run into the city. Of all that are usual without being everybody's.
_COMMAS = {1: (",", "", ""), 2: ("", ",", ""), 3: (",", ",", ","), 4: (",", "", ","), 5: ("", ",", ",")}
_UNIT_COMMAS = {**_COMMAS, 2: (",", ",", "")}  # everybody has the other one's form 2 here
_EVERYBODYS = {(",", ",", ""), ("", "", "")}
_EVERYBODYS_UNIT = {("", ",", ""), ("", "", "")}
_COMMAS_READ = {commas: form for form, commas in _COMMAS.items()} | dict.fromkeys(_EVERYBODYS, PUBLIC)
_UNIT_COMMAS_READ = {commas: form for form, commas in _UNIT_COMMAS.items()} | dict.fromkeys(_EVERYBODYS_UNIT, PUBLIC)
_USUAL_COMMAS = ("", ",", ",", "")  # before apartment, city, state and ZIP
_TITLE, _CAPITALS = 1, 2  # forms of letters
_NUMBERED = re.compile(r"(\d{1,3})(?:st|nd|rd|th)", re.IGNORECASE)
_UNIT = re.compile(r"(?P<comma>,?)(?P<gap>\s*)(?:\bapt\b|\bapartment\b|#).*", re.IGNORECASE | re.DOTALL)
_WITH_DIGITS = re.compile(r"\d\w*")
_WORDS_OF = {number: word for word, number in ORDINALS.items()}
_Changes = Mapping[str, str | bool | tuple[str, ...]]
_TOKEN = re.compile(r"(?:[A-Za-z]\.){2,}|[A-Za-z0-9'-]+\.?|#")


def write_address(value: Mapping[str, str], forms: Mapping[str, int]) -> dict[str, str]:
    """Write an address in other usual ways.

    Args:
        value: as enrolled.
        forms: of those pieces that ``has_room`` names, which mean the same place in all of their forms.
    """
    parts = cut(value)
    return dict(value) if parts is None else _joined(_written(parts, forms), value)


def has_room(value: Mapping[str, str]) -> frozenset[str]:
    """Return the slots that this address has room for: those in which its copies may differ."""
    parts = cut(value)
    return frozenset() if parts is None else frozenset(_room(parts, value))


def _room(parts: Parts, value: Mapping[str, str]) -> Sequence[str]:
    possible = [slot for slot, write in _WRITERS.items() if slot != COMMAS and write(parts, 1) is not None]
    # Mostly all of them are safe together, which takes three looks instead of thirteen.
    if not _are_safe(parts, value, possible):
        possible = [slot for slot in possible if _are_safe(parts, value, [slot])]
    if STREET_LETTERS in possible and not _can_tell_letters(parts, possible):
        possible.remove(STREET_LETTERS)
    return [*possible, COMMAS] if _has_room_for_commas(parts, value, possible) else possible


def _can_tell_letters(parts: Parts, others: Sequence[str]) -> bool:
    """Tell whether a street in capitals is another writing than without, and not the postal one of the whole line."""
    street = " ".join((parts.before, *parts.name, parts.type, parts.after))
    return STATE in others and (street != street.upper() or STREET_TYPE in others)


def _has_room_for_commas(parts: Parts, value: Mapping[str, str], others: Sequence[str]) -> bool:
    """Tell whether an address comes apart into the same parts without a comma, whatever stands on both sides of it.

    Of what stands before it the direction counts, too: where no comma parts street and city, each word is told by all.
    """
    if _write_commas(parts, 1) is None:
        return False
    place = _place(value)
    for form, beside in _BESIDE_COMMAS.items():
        slots = [slot for slot in beside if slot in others]
        for way in product(*(range(1, 1 + _FORMS[slot]) for slot in slots)):
            forms = {COMMAS: form, **dict(zip(slots, way, strict=True))}
            if _place(_joined(_written(parts, forms), value)) != place:
                return False
    return True


def _are_safe(parts: Parts, value: Mapping[str, str], slots: Sequence[str]) -> bool:
    """Tell whether an address comes apart into the very same parts in every form of some slots."""
    place = _place(value)
    for form in range(1, 1 + max((_FORMS[slot] for slot in slots), default=0)):
        forms = {slot: min(form, _FORMS[slot]) for slot in slots}
        if _place(_joined(_written(parts, forms), value)) != place:
            return False
    return True


def _written(parts: Parts, forms: Mapping[str, int]) -> Parts:
    changes: dict[str, Any] = {}
    for slot, form in forms.items():
        changes |= _WRITERS[slot](parts, form) or {}
    return parts._replace(**changes)


def read_address(value: Mapping[str, str], text: str) -> dict[str, int | None]:
    """Tell how the pieces of an address are written in a text that begins with it.

    Args:
        value: the address as enrolled.
        text: from where it was found to some way behind it, as published.
    """
    parts = cut(value)
    if parts is None:
        return dict.fromkeys(_WRITERS)
    words = [match.group() for match in _TOKEN.finditer(text)]
    return {slot: read(parts, words) for slot, read in _READERS.items()} | _read_end(parts, text)


def _place(value: Mapping[str, str]) -> Address:
    """Take an address apart; the words of the street as written are left out, since they are what varies."""
    return replace(parse_address(value), street=())


def _joined(parts: Parts, value: Mapping[str, str]) -> dict[str, str]:
    street = " ".join(filter(None, (parts.number, parts.before, *parts.name, parts.type, parts.after)))
    unit = f"{parts.unit_word} {parts.unit}" if parts.unit else ""
    city = " ".join(parts.city)
    street, city = street.upper() if parts.street_upper else street, city.upper() if parts.city_upper else city
    if parts.is_line:
        before_unit, before_city, before_state, before_zip = parts.commas or _USUAL_COMMAS
        line = f"{street}{before_unit} {unit}" if unit else street
        last = before_zip if parts.state else before_state
        told = ((before_city, city), (before_state, parts.state), (last, parts.zip))
        return {"line": line + "".join(f"{comma} {piece}" for comma, piece in told if piece)}
    if unit and "unit" not in value:
        street, unit = f"{street} {unit}", ""
    pieces = {"street": street, "unit": unit, "city": city, "state": parts.state}
    return {**value, **{name: text for name, text in pieces.items() if text}}


# ---- writing ----


def _write_unit(parts: Parts, form: int) -> _Changes | None:
    return {"unit_word": _UNIT_FORMS[form - 1]} if parts.unit else None


def _write_ordinal(parts: Parts, form: int) -> _Changes | None:
    number = _ordinal(parts.name)
    if number is None:
        return None
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return {"name": (f"{number}{ending}" if form == 1 else _WORDS_OF[number].capitalize(),)}


def _write_saint(parts: Parts, form: int) -> _Changes | None:
    forms = _saint(parts)
    return None if forms is None else {"city": (forms[form - 1], *parts.city[1:])}


def _write_direction(parts: Parts, form: int) -> _Changes | None:
    if bool(parts.before) == bool(parts.after):
        return None
    full = _DIRECTIONS.get(DIRECTIONS[bare(parts.before or parts.after)])
    if full is None:
        return None
    written = f"{full[0]}." if form == 1 else full
    return {"before" if parts.before else "after": written}


def _write_type(parts: Parts, form: int) -> _Changes | None:
    types = _TYPES.get(TYPES[bare(parts.type)])
    return None if types is None else {"type": f"{types[0]}." if form == 1 else types[1]}


def _write_state(parts: Parts, form: int) -> _Changes | None:
    forms = _STATES.get(_state(parts))
    return None if forms is None else {"state": forms[form - 1]}


def _write_commas(parts: Parts, form: int) -> _Changes | None:
    if not (parts.is_line and parts.city and parts.state and parts.zip):
        return None
    # A direction behind the street's name, or West Plains behind a street, would be taken for the other's.
    if parts.after or bare(parts.city[0]) in DIRECTIONS:
        return None
    first, *rest = (_UNIT_COMMAS if parts.unit else _COMMAS)[form]
    return {"commas": (first, ",", *rest) if parts.unit else ("", first, *rest)}


def _write_city_letters(parts: Parts, form: int) -> _Changes | None:
    city = " ".join(parts.city)
    return {"city_upper": form == _CAPITALS} if city != city.upper() else None


def _write_street_letters(parts: Parts, form: int) -> _Changes | None:
    forms = _STATES.get(_state(parts))
    # With the city in capitals too only a state in small letters is not the postal writing.
    return {"street_upper": form == _CAPITALS} if forms and all(one != one.upper() for one in forms) else None


# What a form changes of the parts; no two slots change, or look at, the same ones.
_WRITERS: Mapping[str, Callable[[Parts, int], _Changes | None]] = {
    UNIT: _write_unit,
    ORDINAL: _write_ordinal,
    SAINT: _write_saint,
    DIRECTION: _write_direction,
    STREET_TYPE: _write_type,
    STATE: _write_state,
    COMMAS: _write_commas,
    CITY_LETTERS: _write_city_letters,
    STREET_LETTERS: _write_street_letters,
}


def _ordinal(name: tuple[str, ...]) -> int | None:
    """Return the number of a street that is named by nothing else, if it has a word of its own."""
    if len(name) != 1:
        return None
    found = _NUMBERED.fullmatch(name[0])
    number = int(found[1]) if found else ORDINALS.get(bare(name[0]))
    return number if number in _WORDS_OF else None


def _saint(parts: Parts) -> tuple[str, str] | None:
    return _SAINTS.get(bare(parts.city[0])) if len(parts.city) > 1 else None


def _state(parts: Parts) -> str:
    return STATES.get("".join(map(bare, parts.state.split())), "")


# ---- reading ----


def _read_unit(parts: Parts, words: list[str]) -> int | None:
    if not parts.unit:
        return None
    for word, following in pairwise(words):
        if bare(following) == parts.unit.lower():
            if word == "#":
                return 3
            if bare(word) == "apartment":
                return 2
            if bare(word) == "apt":
                return 1 if word.endswith(".") else PUBLIC
    return None


def _read_ordinal(parts: Parts, words: list[str]) -> int | None:
    number = _ordinal(parts.name)
    if number is None:
        return None
    for word in words:
        found = _NUMBERED.fullmatch(word.rstrip("."))
        if found and int(found[1]) == number:
            return 1
        if ORDINALS.get(bare(word)) == number:
            return 2
    return None


def _read_saint(parts: Parts, words: list[str]) -> int | None:
    forms = _saint(parts)
    if forms is None:
        return None
    for word, following in pairwise(words):
        if bare(following) == bare(parts.city[1]) and bare(word) in _SAINTS and _SAINTS[bare(word)] == forms:
            if bare(word) == forms[0].lower():
                return 1
            return 2 if word.endswith(".") else PUBLIC
    return None


def _read_direction(parts: Parts, words: list[str]) -> int | None:
    code = DIRECTIONS.get(bare(parts.before or parts.after), "")
    if bool(parts.before) == bool(parts.after) or code not in _DIRECTIONS:
        return None
    place = _after_number(parts, words)
    # Before the name, or between it and whatever follows the street.
    near = words[place : place + 1] if parts.before else words[place + 1 : place + len(parts.name) + 3]
    for word in near:
        if DIRECTIONS.get(bare(word)) == code:
            if len(bare(word)) > len(code):
                return 2
            return 1 if "." in word else PUBLIC
    return None


def _read_type(parts: Parts, words: list[str]) -> int | None:
    types = _TYPES.get(TYPES[bare(parts.type)])
    if types is None:
        return None
    short, long = types
    place = _after_number(parts, words)
    # Behind the street's own name, which may have the same word in it: St Charles St.
    start = place + len(parts.name)
    for number, word in enumerate(words[start : start + 3], start=start):
        if bare(word) == long.lower():
            return 2
        if bare(word) == short.lower():
            # At the end of all a stop may be the sentence's.
            if word.endswith(".") and number == len(words) - 1:
                return None
            return 1 if word.endswith(".") else PUBLIC
    return None


def _read_state(parts: Parts, words: list[str]) -> int | None:
    code = _state(parts)
    forms = _STATES.get(code)
    if forms is None:
        return None
    long, short = forms[0].lower().split(), [match.group().lower() for match in _TOKEN.finditer(forms[1])]
    for place in range(_after_city(parts, words), len(words)):
        if [bare(word) for word in words[place : place + len(long)]] == long:
            return 1
        if [word.lower() for word in words[place : place + len(short)]] == short:
            # At the end of all a stop may be the sentence's.
            return None if place == len(words) - len(short) and bare(forms[1]) == code else 2
        if words[place].upper() == code.upper():
            return PUBLIC
    return None


def _read_end(parts: Parts, text: str) -> dict[str, int | None]:
    """Read commas and capitals, where the city, the state and the ZIP follow the street and one another."""
    read: dict[str, int | None] = dict.fromkeys((COMMAS, STREET_LETTERS, CITY_LETTERS))
    first = "|".join(re.escape(word.rstrip(".")) for word in _saint(parts) or parts.city[:1])
    city = r"\s+".join((rf"(?:{first})\.?", *map(re.escape, parts.city[1:])))
    found = re.search(
        rf"(?P<street>\b{parts.number}\b.*?)(?P<before>,?)(?P<gap>\s+)(?P<city>{city})(?P<middle>,?)\s+"
        rf"(?P<state>[a-z][a-z. ]*)(?P<after>,?)\s+{parts.zip[:5]}",
        text,
        re.IGNORECASE | re.DOTALL,
    )
    if found is None or STATES.get("".join(map(bare, found["state"].split()))) != _state(parts):
        return read
    unit = _UNIT.search(found["street"]) if parts.unit else None
    if "\n" not in found["gap"] + (unit["gap"] if unit else ""):  # a line's end stands for a comma, or for none
        read[COMMAS] = _commas(parts, found)
    is_postal = not any(char.islower() for char in found["street"] + found["city"] + found["state"])
    for slot, piece in ((STREET_LETTERS, _UNIT.sub("", found["street"])), (CITY_LETTERS, found["city"])):
        read[slot] = PUBLIC if is_postal else _letters(piece)
    return read


def _commas(parts: Parts, found: re.Match[str]) -> int | None:
    rest = found["middle"], found["after"]
    if not parts.unit:
        return _COMMAS_READ.get((found["before"], *rest))
    unit = _UNIT.search(found["street"])
    if unit is None or (not found["before"] and any(rest)):
        return None
    return _UNIT_COMMAS_READ.get((unit["comma"], *rest))


def _letters(written: str) -> int | None:
    letters = [char for char in _WITH_DIGITS.sub("", written) if char.isalpha()]
    if not letters or letters[0].islower():
        return None
    return _TITLE if any(map(str.islower, letters)) else _CAPITALS


def _after_city(parts: Parts, words: list[str]) -> int:
    """Return the place of the first word behind the city, or behind the house number where no city is found."""
    city, start = list(map(_city_word, parts.city)), _after_number(parts, words)
    for place in range(start, len(words)):
        if list(map(_city_word, words[place : place + len(city)])) == city:
            return place + len(city)
    return start


def _city_word(word: str) -> str:
    """Return a word of a city in one writing, Saint and St. alike."""
    plain = bare(word)
    return _SAINTS[plain][0].lower() if plain in _SAINTS else plain


def _after_number(parts: Parts, words: list[str]) -> int:
    """Return the place of the first word behind the house number."""
    return next((place for place, word in enumerate(words, start=1) if bare(word) == parts.number.lower()), 0)


# Forms that leave out one comma, or have one more, and the slots on both sides of it.
_BESIDE_COMMAS = {2: (DIRECTION, ORDINAL, STREET_TYPE, SAINT), 1: (SAINT, STATE), 3: ()}
_FORMS = {slot.name: slot.forms for slot in TABLE[Category.HOME_ADDRESS]}

_READERS: Mapping[str, Callable[[Parts, list[str]], int | None]] = {
    UNIT: _read_unit,
    ORDINAL: _read_ordinal,
    SAINT: _read_saint,
    DIRECTION: _read_direction,
    STREET_TYPE: _read_type,
    STATE: _read_state,
}
