"""Terms of cells that are one value each, and nothing else: what their column holds says how they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.leaktrace.terms import Term, TermKind
from registry.text.addresses import city_key, street_key, whole_key
from registry.text.columns import ColumnKind, date_in, phone_in
from registry.text.dates import compact_date
from registry.text.emails import likely_like
from registry.text.fold import fold_word
from registry.text.names import name_words
from registry.text.plates import mixed_plate
from registry.text.postal import STATE_CODES


def cell_terms(kind: ColumnKind, cell: str) -> Iterator[tuple[Term, bool]]:
    """Yield the terms of a filled cell that fits its column, and whether it stands behind the first word, too."""
    if kind is ColumnKind.PHONE:
        phone = phone_in(cell)
        if phone:
            yield Term(TermKind.PHONE, phone[0]), phone[1]
    elif kind is ColumnKind.SSN:
        yield Term(TermKind.SSN, cell.replace("-", "").replace(" ", "")), False
    elif kind is ColumnKind.EMAIL:
        for address in likely_like(cell.lower()):
            yield Term(TermKind.EMAIL, address), False
    elif kind in {ColumnKind.DATE, ColumnKind.DATE_DAY_FIRST}:
        iso = date_in(cell, kind)
        if iso:
            yield Term(TermKind.BIRTH_DATE, iso), False
    elif kind is ColumnKind.NUMBER:
        yield from ((term, False) for term in _of_number(cell))


def _of_number(cell: str) -> Iterator[Term]:
    """Yield what the number of a row may be as well: its heading is written by whoever posts the table."""
    plate = mixed_plate(fold_word(cell)) if cell != cell.lower() else None
    if plate:
        yield Term(TermKind.PLATE, plate)
    iso = compact_date(cell)
    if iso:
        yield Term(TermKind.BIRTH_DATE, iso)


# 12 Oak St, Springfield, MO 65801: nothing that could be read in two ways.
_WHOLE_ADDRESS = re.compile(
    r"([0-9]{1,6}) ((?:[0-9]{1,3}(?:st|nd|rd|th)|[a-z][a-z.']*)(?:[ -][a-z0-9.']+){0,5}),"
    r" ?(?:(?:apt|unit|ste|suite|#)[ .#]{0,3}[a-z0-9-]{1,6}, ?)?"
    r"([a-z][a-z.' -]{1,40}), ?([a-z]{2}),? ([0-9]{5})(?:-[0-9]{4})?"
)


def whole_address_terms(cell: str) -> tuple[Term, ...]:
    """Return the terms of an address that is written whole in one cell; () when it has to be read freely.

    Its ZIP is written, so that an enrolled address with another one is not meant, whatever its street. Who has that ZIP
    has the house number with it; who has none has it with city or street. Parts of a street ask for nobody else.
    """
    match = _WHOLE_ADDRESS.fullmatch(fold_word(cell))
    if match is None or match[4] not in STATE_CODES:
        return ()
    number = match[1].lstrip("0") or match[1]
    street = name_words(match[2])
    keys = dict.fromkeys((street_key(street), whole_key(street)))
    return (
        Term(TermKind.NUMBER_ZIP, f"{number}|{match[5]}"),
        Term(TermKind.NUMBER_CITY, f"{number}|{city_key(name_words(match[3]))}"),
        *(Term(TermKind.STREET, f"{number}|{key}") for key in keys if key),
    )
