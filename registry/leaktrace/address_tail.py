"""What stands beside a street: unit, city, state and ZIP after it, or the city written before the number."""

from __future__ import annotations

from dataclasses import dataclass, replace

from registry.leaktrace.reading_addresses import is_state, zip_readings
from registry.text.addresses import Address, city_key
from registry.text.dates import month_of
from registry.text.nearness import key_distance
from registry.text.postal import STATES, UNITS
from registry.text.words import Words

_ZIP_PLUS_FOUR = 9
_BESIDE = frozenset({" ", "  ", "\n"})
_BARE_UNITS = frozenset({"rear", "bsmt", "uppr", "lowr", "frnt"})
_INSIDE_CITY = frozenset({"of", "or", "de", "del", "la", "du", "the", "and", "on", "d"})
_LOOK_AHEAD = 7  # words after the street in which state or ZIP must come
_LONGEST_SHORT_FORM = 3  # letters before a full stop that does not end a sentence (St., Ft.)
_NOT_CITY = frozenset(
    {"thanks", "please", "and", "but", "call", "phone", "usa", "united", "where", "who", "which", "near"}
)


@dataclass(frozen=True, slots=True)
class Tail:
    """What stands beside the street.

    Attributes:
        first: first word of a city written before the number, or -1.
        last: last word read.
        unit: letters and digits of the unit.
        city, state, zip5: whether each agrees with the enrolled one; None when not written or not enrolled.
    """

    last: int
    unit: str
    city: bool | None = None
    state: bool | None = None
    zip5: bool | None = None
    first: int = -1

    @property
    def is_silent(self) -> bool:
        """Tell whether neither city nor ZIP is written."""
        return self.city is None and self.zip5 is None

    @property
    def confirms(self) -> bool:
        """Tell whether city or ZIP agree."""
        return bool(self.city or self.zip5)

    @property
    def contradicts(self) -> bool:
        """Tell whether another ZIP, city or state is written."""
        return self.zip5 is False or (not self.zip5 and (self.city is False or self.state is False))


def read_tail(address: Address, words: Words, street_last: int) -> Tail:
    """Read unit, city, state and ZIP after a street's last word."""
    unit, last = _read_unit(words, street_last)
    begin = last + 1
    begin += words.texts[begin : begin + 1] == ["in"] and not is_state(words, begin)
    if _is_label(words, begin):
        end = begin + max(1, len(address.city))
        same = _same_city(address, words.texts[begin + 1 : end + 1])
        return Tail(end if same else last, unit, city=same)
    own_city = begin + len(address.city)
    if address.city and city_key(words.texts[begin:own_city]) != city_key(address.city):
        own_city = begin
    place = _place_end(words, begin, own_city)
    if place is None or _is_another_number(address, words, place):
        return _read_bare_city(address, words, Tail(last, unit))
    between = words.texts[begin:place]
    city = [word for word in between if word not in STATES or len(word) > 2 or word in address.city]  # Mt. Juliet
    while len(city) > 1 and city[-1] in STATES and city[-1] != city[0]:
        city = city[:-1]
    zips = zip_readings(words.texts[place])
    state = None if zips else _state_of(words, place)
    if not zips:
        place, zips = _zip_after(words, place)
    return Tail(
        place,
        unit,
        city=_same_city(address, city),
        state=(state == address.state) if state and address.state else None,
        zip5=(address.zip5 in zips) if zips and address.zip5 else None,
    )


def _is_label(words: Words, index: int) -> bool:
    """Tell whether the name of a field stands here, its value behind it (``City: Troy``, ``&city=Troy``)."""
    named = words.texts[index : index + 1] in (["city"], ["town"]) and index + 1 < len(words.texts)
    return named and words.gap(index).strip() in {":", "="}


def _state_of(words: Words, place: int) -> str | None:
    return STATES.get(words.texts[place])


def _read_unit(words: Words, last: int) -> tuple[str, int]:
    """Read ``apt 2b``, ``# 12`` after the street; return the unit and its last word."""
    following = last + 1
    if following >= len(words.texts):
        return "", last
    if words.texts[following] in _BARE_UNITS:
        return words.texts[following], following
    named = any(char.isdigit() for char in words.texts[following]) or len(words.texts[following]) == 1
    if "#" in words.gap(last) and named:
        return _unit_words(words, following)
    if words.texts[following] in UNITS and following + 1 < len(words.texts):
        value = words.texts[following + 1]
        if any(char.isdigit() for char in value) or len(value) == 1:
            outer, end = _unit_words(words, following + 1)
            inner, end = _read_unit(words, end)
            return outer + inner, end
    return "", last


def _unit_words(words: Words, index: int) -> tuple[str, int]:
    text, following = words.texts[index], index + 1
    if following < len(words.texts) and words.gap(index) in {"-", "", "-\n"} and len(words.texts[following]) == 1:
        return text + words.texts[following], following
    return text, index


def _place_end(words: Words, begin: int, own_city: int) -> int | None:
    """Return the first state or ZIP after a street with nothing but a city between, or None.

    The enrolled city, when it stands there, reaches up to ``own_city``: it may be named after a state.
    """
    for place in range(own_city, min(begin + _LOOK_AHEAD, len(words.texts))):
        if _breaks_off(words, place, begin):
            return None
        if words.scope == 0 and _leaves_city(words, (begin, own_city), place):
            return None
        separate = "," in words.gap(place - 1) or words.cells[place] != words.cells[place - 1]
        if zip_readings(words.texts[place]):
            return place if place > begin or separate or words.gap(place - 1) in _BESIDE else None
        if is_state(words, place) and (place > begin or separate):
            return place
        if words.texts[place][0].isdigit():
            return None
    return None


def _leaves_city(words: Words, city: tuple[int, int], place: int) -> bool:
    """Tell whether the words before one are no city, so that a state or number after them is another matter's.

    Behind the enrolled city nothing but states may stand; a city that begins with a capital goes on with capitals.
    """
    begin, own_city = city
    if place > own_city > begin and words.texts[place - 1] not in STATES:
        return True
    if any(word in _NOT_CITY for word in words.texts[begin:place]):
        return True
    between = range(begin + 1, place)
    small = any(not _begins_name(words, index) and words.texts[index] not in _INSIDE_CITY for index in between)
    return small and words.is_capital(begin)


def _is_another_number(address: Address, words: Words, place: int) -> bool:
    """Tell whether nine bare digits are no ZIP+4: no state in front of them, and not the enrolled ZIP. An SSN often."""
    word = words.texts[place]
    if len(word) != _ZIP_PLUS_FOUR or not word.isdigit() or is_state(words, place - 1):
        return False
    return address.zip5 not in zip_readings(word)


def _breaks_off(words: Words, place: int, begin: int) -> bool:
    """Tell whether the address has ended before a word: a paragraph, a sentence, a bracket of another clause."""
    gap = words.gap(place - 1)
    if "\n\n" in gap or (words.scope == 0 and any(char in gap for char in ':"!?#')):
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
        if zips and words.gap(place - 1) != " - ":
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
    candidates = {city_key(city), city_key(city[-count:]), city_key(city[:count])}
    if own in candidates:
        return True
    most = max(1, min(2, len(own) // 4))
    return any(key_distance(own, candidate, most) is not None for candidate in candidates)


def _read_bare_city(address: Address, words: Words, tail: Tail) -> Tail:
    """A city without state and ZIP: the enrolled one, or another between a comma and the end of a clause."""
    begin = tail.last + 1
    if begin >= len(words.texts):
        return tail
    count = max(1, len(address.city))
    skipped = 1 if words.texts[begin] == "in" else 0
    for size in (count, count + 1):
        end = begin + skipped + size
        if end <= len(words.texts) and _same_city(address, words.texts[begin + skipped : end]):
            return replace(tail, last=end - 1, city=True)
    return replace(tail, city=False) if _names_other_city(words, begin) else tail


def _begins_name(words: Words, index: int) -> bool:
    """Tell whether a word has a capital at its start, or behind an apostrophe (``d'Alene``)."""
    start = words.starts[index]
    inner = words.ends[index] > start + 2 and words.folded.text[start + 1] == "'"
    return words.is_capital(index) or (inner and words.folded.is_upper(start + 2))


def _names_other_city(words: Words, begin: int) -> bool:
    if words.cells[begin] != words.cells[begin - 1]:
        return False
    if words.texts[begin] == "in" and begin + 1 < len(words.texts) and words.gap(begin - 1) in {" ", ", "}:
        begin += 1
    elif words.gap(begin - 1).strip() not in {",", ".,"}:
        return False
    last = begin
    while last < len(words.texts) and last < begin + 4:
        small = begin < last and words.texts[last] in _INSIDE_CITY and last + 1 < len(words.texts)
        capital = _begins_name(words, last) or (small and words.is_capital(last + 1))
        if (
            not capital
            or not words.texts[last].isalpha()
            or words.texts[last] in _NOT_CITY
            or month_of(words.texts[last])
        ):
            return False
        after = words.gap(last) if last + 1 < len(words.texts) else "."
        if any(char in after for char in '.;)\n"|'):
            return True
        if after.strip():
            return False
        last += 1
    return False


def _has_own_street(words: Words, state: int) -> bool:
    """Tell whether a number stands before a city and state, whose street they may belong to."""
    for index in range(state - 1, max(-1, state - _LOOK_AHEAD - 1), -1):
        if any(char.isdigit() for char in words.texts[index]):
            return True
        if index and ("\n" in words.gap(index - 1) or ". " in words.gap(index - 1)):
            return False
    return False


def read_before(address: Address, words: Words, first: int, tail: Tail) -> Tail:
    """Read ``City, ST 12345: 12 Street``: what stands right before the house number.

    Agreement always counts; disagreement only after a colon, else it may be the end of another address.
    """
    if first == 0 or "." in words.gap(first - 1):
        return tail
    marked = ":" in words.gap(first - 1)
    place = first
    zips = zip_readings(words.texts[place - 1])
    place -= bool(zips)
    stated = place > 0 and is_state(words, place - 1)
    place -= stated
    marked = marked or (bool(zips) and stated and not _has_own_street(words, place))
    count = max(1, len(address.city))
    begin = max(0, place - count)
    same_city = bool(_same_city(address, words.texts[begin:place]))
    if not (zips or stated or marked) or not (same_city or zips or (stated and marked)):
        return tail
    same_zip = address.zip5 in zips if zips and address.zip5 else None
    if not marked and not (same_zip or (same_zip is None and same_city)):
        return tail
    return replace(tail, city=same_city, zip5=same_zip, first=begin if same_city else place)
