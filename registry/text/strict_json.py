"""JSON as bytes to plain objects, refusing everything that two readers could understand differently."""

from __future__ import annotations

import json
import math
from typing import NoReturn

from registry.domain.errors import UnreadableDocument

MAX_DOCUMENT_BYTES = 1 << 20  # one enrollment; callers with larger bodies pass their own limit
MAX_DEPTH = 32  # containers inside one another; the deepest body of this interface has 4

# Outside of 64 bits readers differ: one keeps the digits, one rounds, one overflows (RFC 8259 section 6).
_MIN_INT = -(2**63)
_MAX_INT = 2**63 - 1
_MAX_INT_DIGITS = 20  # longer ones are out of range without converting them (conversion is quadratic)


class _Refused(Exception):
    """Carries a code out of a parser hook. Never leaves this module."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused("duplicate_key")
    return members


def _integer(digits: str) -> int:
    if len(digits) > _MAX_INT_DIGITS:
        raise _Refused("number_out_of_range")
    number = int(digits)
    if not _MIN_INT <= number <= _MAX_INT:
        raise _Refused("number_out_of_range")
    return number


def _fraction(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _Refused("number_out_of_range")
    return number


def _constant(_name: str) -> NoReturn:
    raise _Refused("nan_or_infinity")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_int=_integer,
    parse_float=_fraction,
    parse_constant=_constant,
    strict=True,
)


def parse_json(raw: bytes, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> object:
    """Read one JSON text.

    Args:
        raw: the bytes as received. UTF-8 without byte order mark (RFC 8259 section 8.1); no guessing.
        max_bytes: longer ones are refused unread.

    Returns:
        dict, list, str, int, float, bool or None; every string is whole Unicode scalar values.

    Raises:
        UnreadableDocument: with one of ``too_large``, ``not_utf8``, ``not_json``, ``duplicate_key``,
            ``lone_surrogate``, ``nan_or_infinity``, ``too_deep``, ``number_out_of_range``.
    """
    if len(raw) > max_bytes:
        raise UnreadableDocument("too_large")
    document, code = _decode(raw)
    if code is None and _may_be_odd(raw):
        code = _structure_problem(document)
    if code is not None:
        # Raised outside of any handler: the parser's own exceptions hold the document.
        raise UnreadableDocument(code)
    return document


def _decode(raw: bytes) -> tuple[object, str | None]:
    try:
        return _DECODER.decode(raw.decode("utf-8")), None
    except _Refused as refused:
        return None, refused.code
    except UnicodeDecodeError:
        return None, "not_utf8"
    except json.JSONDecodeError:
        return None, "not_json"
    except RecursionError:
        return None, "too_deep"


def _may_be_odd(raw: bytes) -> bool:
    """Tell whether there can be anything to find: bytes that are UTF-8 hold no half of a pair, only escapes can."""
    return b"\\u" in raw or raw.count(b"[") + raw.count(b"{") > MAX_DEPTH


def _structure_problem(document: object) -> str | None:
    """Find what the parser lets through: nesting beyond the limit and halves of surrogate pairs."""
    level = [document]
    for _depth in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and not _is_whole(item):
                return "lone_surrogate"
        if not below:
            return None
        level = below
    return "too_deep" if any(isinstance(item, dict | list) for item in level) else _surrogate_problem(level)


def _surrogate_problem(items: list[object]) -> str | None:
    return None if all(_is_whole(item) for item in items if isinstance(item, str)) else "lone_surrogate"


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
