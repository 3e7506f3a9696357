"""How a number in a cell is shown: a date, a social security number with its dashes and zeros, a telephone number."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from registry.documents.xml_part import XmlPart

_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NO_LETTERS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_DATE_LETTERS = re.compile(r"[ymdhs]", re.IGNORECASE)
_MASK = re.compile(r"[0#\-() ./+]*")
_LEAST_MASK = 7  # digits: what is shorter is no number of anybody's
_UP_TO = re.compile(r"\[<=?(\d{1,15})\]")
_LEAP_BUG = 60  # the day that 1900 did not have, and spreadsheets count
_MOST_DAYS = 2_958_466  # 9999-12-31
_EXACT = 10**15


class NumberFormats:
    """The formats of a workbook's cells."""

    def __init__(self, styles: XmlPart | None, *, counts_from_1904: bool) -> None:
        """Read them.

        Args:
            styles: the part with styles; None: the workbook has none.
            counts_from_1904: the other way in which spreadsheets count days.
        """
        self._from_1904 = counts_from_1904
        reader = _Styles(styles)
        self._of_style: Mapping[int, tuple[int, str]] = {
            number: (identifier, reader.codes.get(identifier, "")) for number, identifier in enumerate(reader.of_cells)
        }

    def shown(self, value: str, style: int) -> str:
        """Return a number as its reader sees it, dates as ISO 8601; what is no number as it is."""
        try:
            number = float(value)
        except ValueError:
            return value
        if not math.isfinite(number):
            return value
        identifier, code = self._of_style.get(style, (0, ""))
        if _is_date(identifier, code) and 0 <= number < _MOST_DAYS:
            return self._date(number)
        if not number.is_integer() or abs(number) >= _EXACT:
            return value
        return _masked(int(number), code) or str(int(number))

    def _date(self, number: float) -> str:
        days, part = int(number), number - int(number)
        epoch = datetime(1904, 1, 1) if self._from_1904 else datetime(1899, 12, 30 + (days < _LEAP_BUG))  # noqa: DTZ001 - a date of a sheet has no zone
        moment = epoch + timedelta(days=days, seconds=round(part * 86_400))
        return moment.date().isoformat() if not part else moment.isoformat(" ")


class _Styles:
    """Number formats by id, and which one each style of a cell has."""

    def __init__(self, styles: XmlPart | None) -> None:
        self._styles = styles
        self._inside = False
        self.codes: dict[int, str] = {}
        self.of_cells: list[int] = []
        if styles is not None:
            styles.visit(self)

    def start(self, name: str, at: int) -> None:
        if self._styles is None:
            return
        if name == "numFmt":
            self.codes[_number(self._styles.attribute(at, "numFmtId"))] = self._styles.attribute(at, "formatCode") or ""
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            self.of_cells.append(_number(self._styles.attribute(at, "numFmtId")))

    def end(self, name: str, at: int) -> None:  # noqa: ARG002 - the visitor's form
        if name == "cellXfs":
            self._inside = False

    def data(self, text: str, start: int, end: int) -> None:
        pass

    def note(self, start: int, end: int) -> None:
        pass


def _number(text: str | None) -> int:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,9}", text) else 0


def _is_date(identifier: int, code: str) -> bool:
    return identifier in _DATES if not code else _DATE_LETTERS.search(_NO_LETTERS.sub("", code)) is not None


def _masked(number: int, code: str) -> str:
    """Write a number into a format of digits and marks; empty when the format is none."""
    first, _, rest = code.partition(";")
    limit = _UP_TO.match(first)
    if limit is not None and number > int(limit.group(1)):
        first = rest.partition(";")[0]
    mask = re.sub(r"\[[^\]]*\]|\\|\"|[_*].", "", first)
    if number < 0 or not _MASK.fullmatch(mask) or sum(char in "0#" for char in mask) < _LEAST_MASK or "." in mask:
        return ""
    digits = str(number).zfill(mask.count("0"))
    shown: list[str] = []
    for char in reversed(mask):
        if char not in "0#":
            shown.append(char)
        elif digits:
            shown.append(digits[-1])
            digits = digits[:-1]
    return (digits + "".join(reversed(shown))).strip()
