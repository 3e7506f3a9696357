"""Comparing an opened address with the words after a house number."""

from __future__ import annotations

from dataclasses import dataclass

from registry.leaktrace.address_tail import Tail, read_before, read_tail
from registry.leaktrace.reading_addresses import is_torn, near_direction, street_end
from registry.text.addresses import Address, same_words, split_street, street_key, whole_key
from registry.text.digits import digit_readings
from registry.text.nearness import allowed_edits, key_distance, word_distance
from registry.text.postal import SPANISH_TYPES, TYPES
from registry.text.words import Words, letters, plain, skeleton


@dataclass(frozen=True, slots=True)
class AddressMatch:
    """How well an address stands at a house number.

    Attributes:
        first, last: words of the passage.
        edits: letters wrong in the street's name.
        confirmed: its city or ZIP stands beside it.
        whole: nothing speaks against it (type, direction, unit).
        typed: street type or direction is written.
        named: it is, or the name begins with a capital.
    """

    first: int
    last: int
    edits: int
    confirmed: bool
    whole: bool
    typed: bool
    named: bool


_SPELLED_OUT = {"st": "saint", "ft": "fort", "mt": "mount"}


@dataclass(frozen=True, slots=True)
class _Street:
    last: int
    edits: int
    kind: str
    directions: frozenset[str]


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
    tail = read_tail(address, words, street.last)
    if tail.is_silent:
        tail = read_before(address, words, first, tail)
    doubtful = "," in words.gap(number_end) or (number_end == first + 1 and is_torn(words, number_end))
    if tail.contradicts or (doubtful and not tail.confirms):
        return None
    if street.edits > allowed_edits(_name_length(address)) and not tail.zip5:
        return None
    typed = bool(street.kind or street.directions) or words.texts[number_end + 1] in SPANISH_TYPES
    typed = typed or address.number[0].isalpha()  # N6482: nothing else is written so
    capital = any(words.is_capital(place) for place in range(number_end + 1, street.last + 1))
    named = typed or words.scope > 0 or (capital and not _ends_sentence(words, first, number_end))
    first = first if tail.first < 0 else tail.first
    return AddressMatch(first, tail.last, street.edits, tail.confirms, _agrees(address, street, tail), typed, named)


def _ends_sentence(words: Words, first: int, number_end: int) -> bool:
    """Tell whether a number is a time, or the last word of a sentence (``at 6:30. Park spoke``)."""
    time = first > 0 and words.gap(first - 1) == ":" and words.texts[first - 1].isdigit()
    return time or words.gap(number_end) in {". ", ".  ", ".\n"}


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
    name = split_street(parts)[1]
    if len(name) == len(address.stem) and address.kind and _glued_type(address, key, name):
        return 0
    own = {word for word in address.stem if word.isdigit()}
    if own:
        parts = [_figures_of(word, own) for word in parts]
    if street_key(parts) == key or whole_key(parts) in keys:
        return 0
    written = split_street(parts)[1]
    pairs = (
        (key, street_key(parts)),
        (key, whole_key(parts)),
        (whole, whole_key(parts)),
        ("".join(address.stem), "".join(map(plain, written))),  # doubled letters and i, l kept apart
        (letters([_SPELLED_OUT.get(word, word) for word in address.stem]), letters(written)),  # S a i n t J o h n
    )
    found = [distance for left, right in pairs if (distance := key_distance(left, right, most)) is not None]
    if not found or (min(found) and not _short_words_agree(address, written)):
        return None
    return min(found)


def _glued_type(address: Address, key: str, parts: list[str]) -> bool:
    """Tell whether the street's own type is written together with its name (``OakAve``)."""
    written = letters(parts)
    if not written.startswith(key) or written == key:
        return False
    forms = (skeleton(form) for form, short in TYPES.items() if short == address.kind)
    return any(written == key + form for form in forms)


def _figures_of(word: str, own: set[str]) -> str:
    """Read a word as one of the enrolled street's own numbers if it may be one."""
    return next((reading for reading in digit_readings(word) if reading in own), word)


def _short_words_agree(address: Address, written: list[str]) -> bool:
    """Tell whether the words of one letter (``Avenue D``) are the same: a letter wrong in them is another street."""
    return {word for word in address.stem if len(word) == 1} == {word for word in written if len(word) == 1}


def _with_misspelt_type(address: Address, words: Words, street: _Street) -> _Street:
    """Take the next word in if it is the street's own type with a letter wrong."""
    following = street.last + 1
    if street.kind or not address.kind or following >= len(words.texts):
        return street
    forms = [word for word, short in TYPES.items() if short == address.kind]
    if any(word_distance(form, words.texts[following]) is not None for form in forms):
        return _Street(following, street.edits, address.kind, street.directions)
    return street


def _agrees(address: Address, street: _Street, tail: Tail) -> bool:
    """Tell whether type, direction and unit, where both sides have them, are the same."""
    own = {address.before, address.after} - {""}
    if street.kind and address.kind and street.kind != address.kind:
        return False
    if own and street.directions and not own & street.directions:
        return False
    return not (tail.unit and address.unit) or _same_unit(address.unit, tail.unit)


def _same_unit(enrolled: str, written: str) -> bool:
    own, other = _unit_form(enrolled), _unit_form(written)
    return own.endswith(other) or other.endswith(own) or enrolled in digit_readings(written)


def _unit_form(unit: str) -> str:
    return unit.lstrip("0").translate(str.maketrans("oilszb", "011528"))


def _match_box(address: Address, words: Words, first: int, number_end: int) -> AddressMatch | None:
    """A post office box or rural route counts with its city or ZIP only."""
    tail = read_tail(address, words, number_end)
    if tail.is_silent:
        tail = read_before(address, words, first, tail)
    if tail.contradicts or not tail.confirms:
        return None
    return AddressMatch(first, tail.last, 0, confirmed=True, whole=True, typed=True, named=True)
