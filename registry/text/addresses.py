"""US addresses: the parts of an enrolled one, and the keys under which number and street are found again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import usaddress

from registry.text.fold import fold_word
from registry.text.postal import (
    CLOSING,
    DIRECTIONS,
    ORDINALS,
    SAME_WORDS,
    SPELLED,
    STATE_CODES,
    STATES,
    TENS_WORDS,
    TYPES,
    UNITS,
)
from registry.text.remembering import remembered
from registry.text.roads import same_roads
from registry.text.words import letters, plain, skeleton

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*|#|,")
_ZIP_END = re.compile(r"[\s,]*(\d{5})(?:[-\s]?\d{4})?\s*(?:,?\s*(?:usa|u\.s\.a\.|united states)\.?)?\s*$")
_PO_BOX = re.compile(r"\b(?:p\.?\s*o\.?\s*box|post office box|pob|box)\s*#?\s*(\d{1,7}[a-z]?)")
_RURAL = re.compile(
    r"\b(?:rr|r\.? ?r\.?|rural (?:route|rte?)|rfd|hc|highway contract(?: route)?|star route)"
    r"\s*#?\s*(\d{1,4})\s*,?\s*box\s*#?\s*(\d{1,6}[a-z]?)"
)
# 12, 12b, 12 1/2 (written 12f12 here), W150N5928 and N6482 (grids of Wisconsin and Illinois).
_HOUSE = re.compile(r"^\d{1,6}(?:[a-z]|f\d\d)?$|^[nsew]\d{1,3}[nsew]\d{1,6}$|^[nsew]\d{3,6}$")
_TORN_GRID = re.compile(r"^([nsew]\d{1,3})[ -]([nsew]\d{1,6})\b")
_HYPHENATED = re.compile(r"^(\d{1,3})-(\d{2,3})(?=\s)")  # 75-38 58th Ave (Queens)
# The estate is named before or after the street; number, street and ZIP tell the home (Publication 28, section 29).
_ESTATE = re.compile(r"(?:^|,\s*|(?<=\s))(?:urb|urbanizacion)\.?\s+[a-z' .]{2,40}?(?:,\s*|\s+(?=\d)|$)")
_FRACTION = re.compile(r"(?<![\d/])(\d{1,6})[\s-]+([123])/([248])(?![\d/])")
_ORDINAL = re.compile(r"^0*(\d{1,3})(?:st|nd|rd|th)$")


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart; every part folded, empty when absent.

    Attributes:
        number: house number, or ``box`` for a post office box, ``rr7`` for a rural route.
        street: words of the street without number, as written.
        stem: words of the street's own name.
        kind: abbreviation of the street's type.
        before, after: directions before and after the name.
        unit: letters and digits of the unit.
        city: words of the city.
        state: two letters.
        zip5: five digits.
    """

    number: str = field(default="", repr=False)
    street: tuple[str, ...] = field(default=(), repr=False)
    stem: tuple[str, ...] = field(default=(), repr=False)
    kind: str = field(default="", repr=False)
    before: str = field(default="", repr=False)
    after: str = field(default="", repr=False)
    unit: str = field(default="", repr=False)
    city: tuple[str, ...] = field(default=(), repr=False)
    state: str = field(default="", repr=False)
    zip5: str = field(default="", repr=False)


def parse_address(value: Mapping[str, str]) -> Address:
    """Take an enrolled address (``line``, or street, unit, city, state, postal_code) apart."""
    if value.get("line"):
        return _parse_line(value["line"])
    street = fold_word(value.get("street", ""))
    tail = f"{value.get('city', '')}, {value.get('state', '')} {value.get('postal_code', '')}"
    if not value.get("unit"):
        return _parse_line(f"{street}, {tail}")
    parsed = _parse_line(f"{street}, {tail}")
    unit = _unit_text([word for word in _WORD.findall(fold_word(value["unit"])) if word not in {"#", ","}])
    return Address(**{**_as_dict(parsed), "unit": unit})  # type: ignore[arg-type]  # the fields of the same class


def _as_dict(address: Address) -> dict[str, object]:
    return {name: getattr(address, name) for name in Address.__slots__}


def _parse_line(line: str) -> Address:
    text = _FRACTION.sub(r"\1f\2\3", " ".join(fold_word(line).split()))
    text = _HYPHENATED.sub(r"\1\2", _TORN_GRID.sub(r"\1\2", text))
    text = _ESTATE.sub(lambda match: ", " if match.start() else "", text, count=1)
    zip_match = _ZIP_END.search(text)
    zip5 = zip_match.group(1) if zip_match else ""
    if zip_match:
        text = text[: zip_match.start()]
    text, state = _cut_state(text)
    special = _special(text)
    if special:
        number, rest = special
        return Address(number=number, city=_city_words(rest), state=state, zip5=zip5)
    street, city = _split_city(text)
    number, words = _cut_number(street)
    words, unit, left = _cut_unit(words)
    before, stem, kind, after = split_street(words)
    cities = _city_words(city) or tuple(same_words(left))
    return Address(number, tuple(words), tuple(stem), kind, before, after, unit, cities, state, zip5)


def _cut_state(text: str) -> tuple[str, str]:
    words = text.replace(",", " ").replace(".", " ").split()
    for count in (3, 2, 1):
        tail = "".join(words[-count:])
        if len(words) > count and tail in STATES:
            cut = text
            for word in reversed(words[-count:]):
                cut = cut[: cut.rindex(word)]
            return cut.rstrip(" ,."), STATES[tail]
    return text.rstrip(" ,"), ""


def _special(text: str) -> tuple[str, str] | None:
    """Recognise a rural route or a post office box; return its number and the text after it."""
    rural = _RURAL.search(text)
    if rural:
        return f"rr{rural.group(1)}box{rural.group(2)}", text[rural.end() :]
    box = _PO_BOX.search(text)
    if box and box.start() <= 3:
        return f"box{box.group(1)}", text[box.end() :]
    return None


def _city_words(text: str) -> tuple[str, ...]:
    """Return the words of the city: the first comma part, one that is no state's name if possible."""
    parts = [[word for word in _WORD.findall(part) if word not in {"#", ","}] for part in text.split(",")]
    named = [words for words in parts if words]
    cities = [words for words in named if "".join(words) not in STATES] or named
    return tuple(same_words([word.replace("'", "") for word in cities[0]])) if cities else ()


def _split_city(text: str) -> tuple[str, str]:
    """Split what is left of a line into street (with unit) and city."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) >= 2:
        street = [parts[0]]
        rest = parts[1:]
        while len(rest) > 1 and _is_unit(rest[0]):
            street.append(rest.pop(0))
        return " ".join(street), ", ".join(rest)
    return _split_unmarked(text)


def _is_unit(part: str) -> bool:
    words = _WORD.findall(part)
    return bool(words) and (words[0] in UNITS or words[0] == "#" or any(char.isdigit() for char in words[0]))


def _split_unmarked(text: str) -> tuple[str, str]:
    """Split street and city that stand without a comma, by the statistical parser."""
    labelled = usaddress.parse(text)
    city = [token for token, label in labelled if label == "PlaceName"]
    street = [token for token, label in labelled if label not in {"PlaceName", "StateName", "ZipCode"}]
    if not street:
        return text, ""
    return (" ".join(street), " ".join(city)) if city else _split_at_type(text)


_MOST_CITY = 3  # words of a city


def _split_at_type(text: str) -> tuple[str, str]:
    """Split behind the first street type that has a name before it, where no more than a city follows."""
    words = text.split()
    for place in range(2, len(words) - 1):
        closes = TYPES.get(words[place].rstrip(".")) in CLOSING and words[place - 1] not in DIRECTIONS
        if closes and len(words) - place - 1 <= _MOST_CITY and words[place + 1] not in DIRECTIONS:
            return " ".join(words[: place + 1]), " ".join(words[place + 1 :])
    return text, ""


def _cut_number(street: str) -> tuple[str, list[str]]:
    words = [word.replace("'", "") for word in _WORD.findall(street) if word != ","]
    for place, word in enumerate(words[:3]):
        if _HOUSE.match(word):
            return word.lstrip("0") or word, words[place + 1 :]
    return "", words


def _cut_unit(words: list[str]) -> tuple[list[str], str, list[str]]:
    """Cut the unit off a street; return the street, the unit and what stands after the unit."""
    for place in range(1, len(words)):
        word = words[place]
        after = [part for part in words[place + 1 :] if part != "#"]
        if after and (word == "#" or (word in UNITS and (words[place + 1] == "#" or _names_unit(after[0])))):
            size = 2 if len(after) > 1 and len(after[1]) == 1 else 1
            _, inner, left = _cut_unit(["", *after[size:]])  # Bldg 4 Unit 12B
            return words[:place], _unit_text(after[:size]) + inner, left if inner else after[size:]
    if len(words) > 1 and words[-1] in {"rear", "bsmt", "uppr", "lowr", "frnt", "ph"}:
        return words[:-1], words[-1], []
    return words, "", []


def _names_unit(word: str) -> bool:
    return any(char.isdigit() for char in word) or len(word) <= 2


def _unit_text(words: Sequence[str]) -> str:
    return "".join(word for word in words if word not in UNITS)


@remembered(most=16384)
def _same(word: str) -> str:
    ordinal = _ORDINAL.match(word)
    if ordinal:
        return f"{int(ordinal.group(1))}th"
    word = _KNOWN.get(skeleton(word), word) if word not in ORDINALS and word not in SAME_WORDS else word
    if word in ORDINALS:
        return f"{ORDINALS[word]}th"
    return SAME_WORDS.get(word, word)


# Words with another writing, by the form that survives look-alikes: Sa1nt and Salnt are Saint.
_KNOWN = {skeleton(word): word for word in (*SAME_WORDS, *ORDINALS, *SPELLED, *DIRECTIONS) if len(word) > 3}


def same_words(words: Sequence[str]) -> list[str]:
    """Bring the words of a street or city to one writing: FIFTH and 5TH, Saint and St, Forty Second and 42nd."""
    return list(_same_words(tuple(words)))


# A dump has the same streets and cities over and over, and each is read in several ways.
@remembered(most=16384)
def _same_words(words: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    for word in _joined_directions(words):
        text = _same(plain(word))
        if found and found[-1] in TENS_WORDS and text.endswith("th") and text[:-2].isdigit() and len(text) == 3:
            text = f"{TENS_WORDS[found.pop()] + int(text[0])}th"
        if text:
            found.append(text)
    return tuple(found)


def _joined_directions(words: Sequence[str]) -> Sequence[str]:
    """Join a direction that is written with full stops (S.W. Oak St): two letters at either end of a street."""
    if len(words) > 2 and words[0] in {"n", "s"} and words[1] in {"e", "w"}:
        words = [words[0] + words[1], *words[2:]]
    if len(words) > 2 and words[-2] in {"n", "s"} and words[-1] in {"e", "w"}:
        words = [*words[:-2], words[-2] + words[-1]]
    return words


def split_street(words: Sequence[str]) -> tuple[str, list[str], str, str]:
    """Split a street's words into direction before, own name, type, direction after."""
    before, name, kind, after = _split_street(tuple(words))
    return before, list(name), kind, after


@remembered(most=16384)
def _split_street(words: tuple[str, ...]) -> tuple[str, tuple[str, ...], str, str]:
    rest = same_words(words)
    before = after = kind = ""
    if len(rest) > 1 and rest[0] == "5" and rest[1].isalpha() and rest[1] != "mile":
        rest[0] = "s"  # S. misread
    if len(rest) > 1 and rest[0] in DIRECTIONS and not (len(rest) == 2 and rest[1] in DIRECTIONS):
        only_type = len(rest) == 2 and TYPES.get(rest[1]) in CLOSING
        if not only_type:
            before = DIRECTIONS[rest.pop(0)]
    if len(rest) > 1 and rest[-1] in DIRECTIONS:
        after = DIRECTIONS[rest.pop()]
    if len(rest) > 1 and rest[-1] in TYPES:
        kind = TYPES[rest.pop()]
    return before, tuple(rest), kind, after


def street_key(words: Sequence[str]) -> str:
    """Return the key of a street's own name: no direction, no type, no spaces, look-alikes together."""
    return _street_key(tuple(words))


@remembered(most=16384)
def _street_key(words: tuple[str, ...]) -> str:
    return _name_key(split_street(same_roads(same_words(words)))[1])


def _name_key(words: Sequence[str]) -> str:
    return letters([SPELLED.get(word, word) for word in words])


def whole_key(words: Sequence[str]) -> str:
    """Return the same key with the last word kept even if it is a type's name (``Ortega Park``)."""
    return _whole_key(tuple(words))


@remembered(most=16384)
def _whole_key(words: tuple[str, ...]) -> str:
    rest = same_roads(same_words(words))
    if len(rest) > 1 and (rest[0] in DIRECTIONS or (rest[0] == "5" and rest[1] != "mile")):
        rest = rest[1:]
    return _name_key(rest)


def city_key(words: Sequence[str]) -> str:
    """Return the key of a city's name."""
    return _city_key(tuple(words))


@remembered(most=16384)
def _city_key(words: tuple[str, ...]) -> str:
    return letters(_same_words(words))


def _english_ordinal(match: re.Match[str]) -> str:
    number = int(match.group(1))
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def canonical_address(value: Mapping[str, str]) -> str:
    """Return an address in one postal writing, to be stored beside the value as written."""
    parsed = parse_address(value)
    name = [_ORDINAL.sub(_english_ordinal, word) for word in parsed.stem]
    street = [parsed.number, parsed.before, *name, parsed.kind, parsed.after]
    unit = f"# {parsed.unit}" if parsed.unit else ""
    tail = " ".join(filter(None, [" ".join(parsed.city), parsed.state, parsed.zip5]))
    return ", ".join(part for part in (" ".join(filter(None, [*street, unit])), tail) if part).upper()


__all__ = [
    "STATE_CODES",
    "Address",
    "canonical_address",
    "city_key",
    "parse_address",
    "same_words",
    "split_street",
    "street_key",
    "whole_key",
]
