"""Sightings of identifying values: address, phone, SSN, card, e-mail, plate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from registry.domain.categories import Category
from registry.leaktrace.decide_addresses import AddressMatch, match_address
from registry.leaktrace.dossier import DossierRecord
from registry.leaktrace.reading import Place
from registry.leaktrace.reading_addresses import zip_readings
from registry.leaktrace.reading_numbers import LAST4_LABEL
from registry.leaktrace.sightings import WEAK, ReadText, Sighting
from registry.leaktrace.terms import TermKind
from registry.text.addresses import Address, city_key
from registry.text.nearness import key_distance

IDENTIFYING = frozenset(
    {Category.HOME_ADDRESS, Category.PHONE, Category.SSN, Category.PAYMENT_CARD, Category.EMAIL, Category.VEHICLE_PLATE}
)
_WHOLE_KINDS = frozenset({TermKind.PHONE, TermKind.SSN, TermKind.EMAIL, TermKind.PLATE})
LAST_DIGITS = 4
_LAST4_KINDS = frozenset({TermKind.SSN_LAST4, TermKind.PHONE_LAST4})


def identifying(text: ReadText, record: DossierRecord) -> Iterator[Sighting]:
    """Yield each place where the whole value stands (an address: enough of it)."""
    if record.category is Category.HOME_ADDRESS:
        yield from _addresses(text, record)
        return
    if record.category is Category.PAYMENT_CARD:
        places = text.digests.get(record.value.get("digest", ""), [])
    elif record.canary:
        places = text.phones_of(record.canary)
    else:
        places = [place for term in record.terms if term.kind in _WHOLE_KINDS for place in text.places(term)]
    if record.category is Category.EMAIL and not places:
        for place in text.emails.get(record.looks, []):
            yield text.sight(place, 0.85, "an address that looks like it stands in the text", exact=False)
    for place in places:
        seen = text.sight(place, 0.99, "the whole value stands in the text", exact=True)
        yield _with_frame(text, place, seen) if record.category is Category.PHONE else seen


_BEFORE_PHONE = re.compile(r"(?:\+ ?)?(?:1[ .-]{0,2})?\($|\+ ?$|\+ ?1[ .-]{1,2}$")
_EXTENSION = re.compile(r"[\s,]{0,3}\(?(?:x|ext|extension|#)[. ]{0,2}[\dlioszb]{1,8}(?![a-z0-9])\)?")


def _with_frame(text: ReadText, place: Place, seen: Sighting) -> Sighting:
    """Take bracket, country code and extension of a phone number into its span."""
    words = text.words(place)
    folded = words.folded
    start, end = words.starts[place.first], words.ends[place.last]
    before = _BEFORE_PHONE.search(folded.text[max(0, start - 8) : start])
    after = _EXTENSION.match(folded.text, end)
    if not before and not after:
        return seen
    if before:
        start -= len(before.group())
    if after:
        end = after.end()
    return seen._replace(span=folded.raw_span(start, end))


def last_four(text: ReadText, record: DossierRecord) -> Iterator[tuple[Sighting, bool]]:
    """Yield each place where the last four digits of an SSN or phone stand as such, and whether a column says so."""
    for term in record.terms:
        for place in text.places(term) if term.kind in _LAST4_KINDS else ():
            if _other_digits_agree(text, record, place):
                labelled = LAST4_LABEL.search(text.label(place)) is not None
                seen = text.sight(place, 0.85, "its last four digits stand with the full name", exact=False)
                # With some digits before them it is more than a masked copy shows.
                digits = sum(char.isdigit() for word in text.parts(place) for char in word)
                yield seen._replace(is_tail=digits <= LAST_DIGITS), labelled


def _other_digits_agree(text: ReadText, record: DossierRecord, place: Place) -> bool:
    """Tell whether a number without its area code has the other digits right, too."""
    words = text.parts(place)
    if len(words) < 2 or not all(word.isdigit() for word in words):
        return True
    number = "".join(char for char in record.value["number"] if char.isdigit())
    return number.endswith("".join(words))


def _addresses(text: ReadText, record: DossierRecord) -> Iterator[Sighting]:
    address = record.address
    spots = {(place.passage, place.first, place.last) for term in record.terms for place in text.places(term)}
    for passage, first, last in sorted(spots):
        words = text.reading.passages[passage]
        match = match_address(address, words, first, last)
        if match and not match.confirmed and words.scope:
            match = _by_columns(text, passage, address, match)
        if match is None:
            continue
        confidence, reason, decided = _judge(match)
        span = text.reading.span(passage, match.first, match.last)
        exact = match.confirmed and match.whole and match.edits == 0
        yield Sighting(words.scope, span, confidence, reason, exact, decided)


_CITY_LABEL = re.compile(r"city|town")
_ZIP_LABEL = re.compile(r"zip|postal|postcode")


def _by_columns(text: ReadText, passage: int, address: Address, match: AddressMatch) -> AddressMatch | None:
    """Compare the row's own city and ZIP columns, wherever they are; None when they are another's."""
    words = text.reading.passages[passage]
    for cell, label in enumerate(text.reading.labels[passage]):
        parts = [word for index, word in enumerate(words.texts) if words.cells[index] == cell]
        if not parts:
            continue
        same = None
        if _ZIP_LABEL.search(label) and address.zip5:
            same = address.zip5 in zip_readings(parts[0].zfill(5))
        elif _CITY_LABEL.search(label) and address.city:
            own = city_key(address.city)
            same = key_distance(own, city_key(parts), max(1, min(2, len(own) // 4))) is not None
        if same is False:
            return None
        if same:
            match = replace(match, confirmed=True)
    return match


# Number and street without city or ZIP, by the letters wrong.
_ALONE = {
    0: (0.85, "number and street stand in the text, no other city or ZIP beside them", True),
    1: (0.7, "number and street with a letter wrong stand in the text", True),
}


def _judge(match: AddressMatch) -> tuple[float, str, bool]:
    """Return confidence, reason, and whether the match is decided."""
    if not match.whole:
        return WEAK, "number and street stand in the text, but type, direction or unit differ", False
    if match.confirmed:
        exact = match.edits == 0
        wrong = "" if exact else " with a letter wrong"
        return (0.99 if exact else 0.9), f"number, street{wrong}, and city or ZIP stand in the text", True
    if not match.named or (match.edits and not match.typed):
        return WEAK, "number and street name stand in the text, but hardly as an address", False
    return _ALONE.get(match.edits, (WEAK, "number and a similar street stand in the text", False))
