"""Comparing an opened address with the words after a house number."""

from __future__ import annotations

from dataclasses import dataclass

from registry.leaktrace.reading_addresses import is_state, near_direction, street_end, zip_readings
from registry.text.addresses import Address, city_key, same_words, split_street, street_key, whole_key
from registry.text.digits import digit_readings
from registry.text.nearness import allowed_edits, key_distance, word_distance
from registry.text.postal import STATES, TYPES, UNITS
from registry.text.words import Words, letters, plain

_LOOK_AHEAD = 7  # words after the street in which state or ZIP must come
_LONGEST_SHORT_FORM = 3  # letters before a full stop that does not end a sentence (St., Ft.)
_NOT_CITY = frozenset(
    {"thanks", "please", "and", "but", "call", "phone", "usa", "united", "where", "who", "which", "near"}
)


@dataclass(frozen=True, slots=True)
class AddressMatch:
    """How well an address stands at a house number.

    Attributes:
        first, last: words of the passage.
        edits: letters wrong in the street's name.
        confirmed: its city or ZIP stands beside it.
        whole: nothing speaks against it (type, direction, unit).
        named: street type or direction is written, or the name begins with a capital.
    """

    first: int
    last: int
    edits: int
    confirmed: bool
    whole: bool
    named: bool


@dataclass(frozen=True, slots=True)
class _Street:
    last: int
    edits: int
    kind: str
    directions: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Tail:
    """What stands beside the street: last word read, unit, and whether city and ZIP agree (None: not written)."""

    last: int
    unit: str
    city: bool | None
    zip5: bool | None


def match_address(address: Address, words: Words, first: int, number_end: int) -> AddressMatch | None:
    """Compare an address with the text at a house number that is already known to be the same.

    Returns:
        The match, or None when the street differs or another city or ZIP is written beside it.
    """
    if not address.street:
        return _match_box(address, words, first, number_end)
    if number_end + 1 >= len(words.texts):
        return None
    street = _best_street(address, words, number_end + 1)
    if street is None:
        return None
    tail = _read_tail(address, words, street.last)
    if tail.city is None and tail.zip5 is None:
        tail = _read_before(address, words, first, tail)
    if tail.zip5 is False or (tail.city is False and not tail.zip5):
        return None
    confirmed = bool(tail.city or tail.zip5)
    if street.edits > allowed_edits(_name_length(address)) and not tail.zip5:
        return None
    named = bool(street.kind or street.directions) or words.is_capital(street.last) or words.scope > 0
    return AddressMatch(first, tail.last, street.edits, confirmed, _agrees(address, street, tail), named)


def _best_street(address: Address, words: Words, first: int) -> _Street | None:
    keys = (street_key(address.street), whole_key(address.street))
    most = _most_edits(address)
    best: _Street | None = None
    if near_direction(words.texts[first]) and first + 1 < len(words.texts):
        best = _best_street(address, words, first + 1)
    for last in range(first, street_end(words, first) + 1):
        parts = words.texts[first : last + 1]
        if not same_words(parts[-1:]):
            continue
        edits = _street_edits(address, keys, parts, most)
        if edits is None or (best is not None and edits > best.edits):
            continue
        before, name, kind, after = split_street(parts)
        if kind and letters(name) != keys[0] and whole_key(parts) == keys[0]:
            kind = ""  # the last word is part of the name, not its type
        best = _Street(last, edits, kind, frozenset({before, after} - {""}))
    return best and _with_misspelt_type(address, words, best)


def _name_length(address: Address) -> int:
    return sum(map(len, address.stem))


def _most_edits(address: Address) -> int:
    length = _name_length(address)
    return max(allowed_edits(length), min(3, length // 4))


def _street_edits(address: Address, keys: tuple[str, str], parts: list[str], most: int) -> int | None:
    """Return the letters wrong in a street's name, read without and with its last word."""
    key, whole = keys
    if any(word.isdigit() for word in address.stem):
        parts = [digit_readings(word)[0] if digit_readings(word) else word for word in parts]
    written = split_street(parts)[1]
    pairs = (
        (key, street_key(parts)),
        (key, whole_key(parts)),
        (whole, whole_key(parts)),
        ("".join(address.stem), "".join(map(plain, written))),  # doubled letters and i, l kept apart
    )
    found = [distance for left, right in pairs if (distance := key_distance(left, right, most)) is not None]
    return min(found) if found else None


def _with_misspelt_type(address: Address, words: Words, street: _Street) -> _Street:
    """Take the next word in if it is the street's own type with a letter wrong."""
    following = street.last + 1
    if street.kind or not address.kind or following >= len(words.texts):
        return street
    forms = [word for word, short in TYPES.items() if short == address.kind]
    if any(word_distance(form, words.texts[following]) is not None for form in forms):
        return _Street(following, street.edits, address.kind, street.directions)
    return street


def _agrees(address: Address, street: _Street, tail: _Tail) -> bool:
    """Tell whether type, direction and unit, where both sides have them, are the same."""
    own = {address.before, address.after} - {""}
    if street.kind and address.kind and street.kind != address.kind:
        return False
    if own and street.directions and not own & street.directions:
        return False
    return not (tail.unit and address.unit and _unit_form(tail.unit) != _unit_form(address.unit))


def _unit_form(unit: str) -> str:
    return unit.lstrip("0").translate(str.maketrans("oilszb", "011528"))


def _read_tail(address: Address, words: Words, street_last: int) -> _Tail:
    unit, last = _read_unit(words, street_last)
    begin = last + 1
    own_city = begin + len(address.city)
    if address.city and city_key(words.texts[begin:own_city]) != city_key(address.city):
        own_city = begin
    place = _place_end(words, begin, own_city)
    if place is None:
        return _read_bare_city(address, words, _Tail(last, unit, None, None))
    zips = zip_readings(words.texts[place])
    city_words = [word for word in words.texts[begin:place] if word not in STATES or len(word) > 2]
    while len(city_words) > 1 and city_words[-1] in STATES and city_words[-1] != city_words[0]:
        city_words = city_words[:-1]
    end = place
    if not zips:
        end, zips = _zip_after(words, place)
    zip_ok = (address.zip5 in zips) if zips and address.zip5 else None
    return _Tail(end, unit, _same_city(address, city_words), zip_ok)


def _read_unit(words: Words, last: int) -> tuple[str, int]:
    """Read ``apt 2b``, ``# 12`` after the street; return the unit and its last word."""
    following = last + 1
    if following >= len(words.texts):
        return "", last
    named = any(char.isdigit() for char in words.texts[following]) or len(words.texts[following]) == 1
    if "#" in words.gap(last) and named:
        return _unit_words(words, following)
    if words.texts[following] in UNITS and following + 1 < len(words.texts):
        value = words.texts[following + 1]
        if any(char.isdigit() for char in value) or len(value) == 1:
            return _unit_words(words, following + 1)
    return "", last


def _unit_words(words: Words, index: int) -> tuple[str, int]:
    text, following = words.texts[index], index + 1
    if following < len(words.texts) and words.gap(index) in {"-", ""} and len(words.texts[following]) == 1:
        return text + words.texts[following], following
    return text, index


def _place_end(words: Words, begin: int, own_city: int) -> int | None:
    """Return the first state or ZIP after a street with nothing but a city between, or None.

    The enrolled city, when it stands there, reaches up to ``own_city``: it may be named after a state.
    """
    for place in range(own_city, min(begin + _LOOK_AHEAD, len(words.texts))):
        if _breaks_off(words, place, begin):
            return None
        separate = "," in words.gap(place - 1) or words.cells[place] != words.cells[place - 1]
        if zip_readings(words.texts[place]):
            return place if place > begin or separate else None
        if is_state(words, place) and (place > begin or separate):
            return place
        if words.texts[place][0].isdigit():
            return None
    return None


def _breaks_off(words: Words, place: int, begin: int) -> bool:
    """Tell whether the address has ended before a word: a paragraph, a sentence, a bracket of another clause."""
    gap = words.gap(place - 1)
    if "\n\n" in gap or (words.scope == 0 and any(char in gap for char in ';:"|!?')):
        return True
    same_cell = words.cells[place] == words.cells[begin]
    return (
        place > begin
        and same_cell
        and "." in gap
        and "," not in gap
        and len(words.texts[place - 1]) > _LONGEST_SHORT_FORM
    )


def _zip_after(words: Words, state: int) -> tuple[int, tuple[str, ...]]:
    """Return the ZIP right after a state (a second writing of the state may stand between)."""
    end = state
    for place in range(state + 1, min(state + 4, len(words.texts))):
        zips = zip_readings(words.texts[place])
        if zips:
            return place, zips
        if not is_state(words, place) and words.texts[place] not in STATES:
            break
        end = place
    return end, ()


def _same_city(address: Address, city: list[str]) -> bool | None:
    """Tell whether the written city is the enrolled one; None when no city is written or none is enrolled."""
    if not city or not address.city:
        return None
    own = city_key(address.city)
    count = len(address.city)
    candidates = {letters(same_words(city)), letters(same_words(city[-count:])), letters(same_words(city[:count]))}
    most = max(1, min(2, len(own) // 4))
    return any(key_distance(own, candidate, most) is not None for candidate in candidates)


def _read_bare_city(address: Address, words: Words, tail: _Tail) -> _Tail:
    """A city without state and ZIP: the enrolled one, or another between a comma and the end of a clause."""
    begin = tail.last + 1
    if begin >= len(words.texts):
        return tail
    count = max(1, len(address.city))
    for size in (count, count + 1):
        if begin + size <= len(words.texts) and _same_city(address, words.texts[begin : begin + size]):
            return _Tail(begin + size - 1, tail.unit, city=True, zip5=None)
    if _names_other_city(words, begin):
        return _Tail(tail.last, tail.unit, city=False, zip5=None)
    return tail


def _names_other_city(words: Words, begin: int) -> bool:
    if words.gap(begin - 1).strip() not in {",", ".,"} or words.cells[begin] != words.cells[begin - 1]:
        return False
    last = begin
    while last < len(words.texts) and last < begin + 4:
        if not words.is_capital(last) or not words.texts[last].isalpha() or words.texts[last] in _NOT_CITY:
            return False
        after = words.gap(last) if last + 1 < len(words.texts) else "."
        if any(char in after for char in '.;)\n"|'):
            return True
        if after.strip():
            return False
        last += 1
    return False


def _read_before(address: Address, words: Words, first: int, tail: _Tail) -> _Tail:
    """``City, ST 12345: 12 Street``: what stands right before the house number.

    Agreement always counts; disagreement only after a colon, else it may be the end of another address.
    """
    if first == 0 or "." in words.gap(first - 1):
        return tail
    marked = ":" in words.gap(first - 1)
    place = first - 1
    zips = zip_readings(words.texts[place])
    if zips and address.zip5:
        same: bool | None = address.zip5 in zips
        return _Tail(tail.last, tail.unit, None, zip5=same or (False if marked else None))
    stated = is_state(words, place) and place > 0
    end = place if stated else first
    same = bool(_same_city(address, words.texts[max(0, end - max(1, len(address.city))) : end]))
    if (stated or marked) and (same or (stated and marked)):
        return _Tail(tail.last, tail.unit, city=same, zip5=None)
    return tail


def _match_box(address: Address, words: Words, first: int, number_end: int) -> AddressMatch | None:
    """A post office box or rural route counts with its city or ZIP only."""
    tail = _read_tail(address, words, number_end)
    if tail.zip5 is False or not (tail.city or tail.zip5):
        return None
    return AddressMatch(first, tail.last, 0, confirmed=True, whole=True, named=True)
