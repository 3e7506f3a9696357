"""What the columns of a long table hold: found once, by their names and a sample, so that no cell is read freely."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from registry.text.dates import date_of_figures
from registry.text.postal import TYPES
from registry.text.table_rows import Row, RowTable

SAMPLE = 400  # rows, spread over the table
_LEAST = 20  # filled cells of a column that says what it is
_SHARE = 0.95  # of the filled cells that must agree


class ColumnKind(Enum):
    """What a column holds."""

    __hash__ = object.__hash__  # an enumeration's own is a call in Python; each member stands once

    PHONE = "phone"
    SSN = "ssn"
    DATE = "date"
    DATE_DAY_FIRST = "date, day first"
    EMAIL = "email"
    NUMBER = "number of a row"  # nobody's value, unless it may be a plate or a date
    NAME = "name"
    ADDRESS = "address or a part of one"
    FREE = "anything"


Kinds = tuple[ColumnKind, ...]
Shape = tuple[int, tuple[str, ...]]
# Their cells are one value each, whose term follows from the cell alone.
EXACT = frozenset(
    {ColumnKind.PHONE, ColumnKind.SSN, ColumnKind.DATE, ColumnKind.DATE_DAY_FIRST, ColumnKind.EMAIL, ColumnKind.NUMBER}
)

PHONE = re.compile(r"(?:\+?(1)[-. ]?)?(?:\(([0-9]{3})\) ?|([0-9]{3})[-. ]?)([0-9]{3})[-. ]?([0-9]{4})")
_SSN = re.compile(r"[0-9]{3}([- ]?)[0-9]{2}\1[0-9]{4}")
DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{1,2})([/.-])([0-9]{1,2})\5([0-9]{4}|[0-9]{2})")
_LOCAL = r"[A-Za-z0-9_+-]{1,64}"
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_LOCAL}(?:\.{_LOCAL}){{0,5}}@{_DOMAIN}(?:\.{_DOMAIN}){{1,4}}")
_NUMBER = re.compile(r"[A-Za-z]{0,4}[-_]?[0-9]{1,8}")
_NAME = re.compile(r"[^\W\d_]+(?:[ .,'’-]{1,2}[^\W\d_]+){0,5}\.?")
_HOUSE_FIRST = re.compile(r"[0-9]{1,6}[A-Za-z]? .*?[A-Za-z]{2}")
_WORD = re.compile(r"[a-z]+")
# What an address does not hold: then more than an address may stand in its cell.
_NO_ADDRESS = re.compile(r"@|[0-9]{3}[-. )]{1,2}[0-9]{2,3}[-. ][0-9]{4}|[0-9]{7}|[0-9]{1,2}/[0-9]{1,2}/[0-9]|[xX*#]{3}")
_MOST_ADDRESS = 120  # characters

_NAME_LABEL = re.compile(r"name|first|last|given|family|surname|spouse|child|employee|member")
_ADDRESS_LABEL = re.compile(r"addr|street|road|house|city|town|state|zip|postal|apt|unit|^home$")
_NUMBER_LABEL = re.compile(r"(?:^|[_ .-])(?:id|no|nr|number|num|badge|uid|row|key|index)$|employee|^emp|^staff")
# What a heading says of values that no column of names, homes or numbers has: then it is read freely.
_OTHER_LABEL = re.compile(
    r"school|educat|academ|health|condition|diagnos|illness|disease|disab|medic|allerg|treatment|symptom|history|note"
    r"|remark|comment|(?:last|final)[ _-]?(?:4|four)|[a-z][ _-]?4$|4[ _-]?ssn"
)


def _is_address(cell: str) -> bool:
    return len(cell) <= _MOST_ADDRESS and _NO_ADDRESS.search(cell) is None


_FITS: dict[ColumnKind, Callable[[str], object]] = {
    ColumnKind.PHONE: PHONE.fullmatch,
    ColumnKind.SSN: _SSN.fullmatch,
    ColumnKind.DATE: DATE.fullmatch,
    ColumnKind.DATE_DAY_FIRST: DATE.fullmatch,
    ColumnKind.EMAIL: _EMAIL.fullmatch,
    ColumnKind.NUMBER: _NUMBER.fullmatch,
    ColumnKind.NAME: _NAME.fullmatch,
    ColumnKind.ADDRESS: _is_address,
    ColumnKind.FREE: lambda _: True,
}
# By what stands in them alone, whatever they are called.
_BY_CELLS = (ColumnKind.PHONE, ColumnKind.SSN, ColumnKind.DATE, ColumnKind.EMAIL)


def shape_of(row: Row) -> Shape:
    """Return what rows of one table have in common."""
    return len(row.cells), row.labels


def kinds_of(text: str, rows: Sequence[Row]) -> dict[Shape, Kinds]:
    """Return the kinds of the columns of each table of a text.

    Args:
        text: the raw text.
        rows: its rows.

    Returns:
        By shape. A shape is left out when it has too few rows to say, or no column that holds one value a cell.
    """
    shapes: dict[Shape, Sequence[int]] = (
        {shape_of(rows[0]): range(len(rows))} if isinstance(rows, RowTable) else _shapes(rows)
    )
    found: dict[Shape, Kinds] = {}
    for shape, group in shapes.items():
        if len(group) < _LEAST:
            continue
        sample = [rows[number] for number in group[:: max(1, len(group) // SAMPLE)]]
        columns = zip(*([text[start:end] for start, end in row.cells] for row in sample), strict=True)
        labels = shape[1] or ("",) * shape[0]
        kinds = tuple(
            _kind(label, [cell for cell in cells if cell]) for label, cells in zip(labels, columns, strict=False)
        )
        if len(kinds) == shape[0] and not EXACT.isdisjoint(kinds):
            found[shape] = kinds
    return found


def _shapes(rows: Iterable[Row]) -> dict[Shape, Sequence[int]]:
    """Return the numbers of the rows of each shape."""
    shapes: dict[Shape, array[int]] = {}
    for number, row in enumerate(rows):
        shapes.setdefault(shape_of(row), array("I")).append(number)
    return dict(shapes)


def fits(kind: ColumnKind, cell: str) -> bool:
    """Tell whether a cell (raw, not empty) is what its column holds."""
    return bool(_FITS[kind](cell))


def _kind(label: str, cells: Sequence[str]) -> ColumnKind:
    """Return what a column holds, given its name and its filled cells."""
    if len(cells) < _LEAST:
        return ColumnKind.FREE
    for kind in _BY_CELLS:
        if _agree(kind, cells):
            return _with_order(cells) if kind is ColumnKind.DATE else kind
    if _OTHER_LABEL.search(label):
        return ColumnKind.FREE
    if _NUMBER_LABEL.search(label) and not _ADDRESS_LABEL.search(label) and _agree(ColumnKind.NUMBER, cells):
        return ColumnKind.NUMBER
    if _NAME_LABEL.search(label) and _agree(ColumnKind.NAME, cells):
        return ColumnKind.NAME
    named = _ADDRESS_LABEL.search(label) is not None
    return (
        ColumnKind.ADDRESS if (named or _are_streets(cells)) and _agree(ColumnKind.ADDRESS, cells) else ColumnKind.FREE
    )


def _are_streets(cells: Sequence[str]) -> bool:
    """Tell whether cells without a name are addresses, and not dates in words: most have the type of a street."""
    first = sum(_HOUSE_FIRST.match(cell) is not None for cell in cells)
    typed = sum(not TYPES.keys().isdisjoint(_WORD.findall(cell.lower())) for cell in cells)
    return first >= _SHARE * len(cells) and typed * 2 >= len(cells)


def _agree(kind: ColumnKind, cells: Sequence[str]) -> bool:
    return sum(fits(kind, cell) for cell in cells) >= _SHARE * len(cells)


def _with_order(cells: Sequence[str]) -> ColumnKind:
    """Tell whether the dates of a column have their day first: some can only be so, and none the other way round."""
    pairs = [(int(match[4]), int(match[6])) for cell in cells if (match := DATE.fullmatch(cell)) and match[4]]
    first = sum(one > _MONTHS for one, _ in pairs)
    second = sum(two > _MONTHS for _, two in pairs)
    return ColumnKind.DATE_DAY_FIRST if first * 10 >= len(pairs) and first and not second else ColumnKind.DATE


_MONTHS = 12


def date_in(cell: str, kind: ColumnKind) -> str | None:
    """Return the ISO date of a cell that fits, or None when there is no such day."""
    match = DATE.fullmatch(cell)
    if match is None:
        return None
    if match[1]:
        return date_of_figures(match[1], match[2], match[3])
    if kind is ColumnKind.DATE_DAY_FIRST:
        return date_of_figures(match[6], match[4], match[7])
    return date_of_figures(match[4], match[6], match[7])


def phone_in(cell: str) -> tuple[str, bool] | None:
    """Return the ten digits of a cell, and whether a country code stands apart from them; None if it is no number."""
    match = PHONE.fullmatch(cell)
    if match is None:
        return None
    digits = (match[2] or match[3]) + match[4] + match[5]
    apart = match[1] is not None and not cell[cell.index("1") + 1].isdigit()
    return (digits, apart) if digits[0] not in "01" and digits[3] not in "01" else None
