"""Content streams of PDF pages, cut into operations with the range of bytes of each. Source: ISO 32000-1, 7.8.2."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from registry.domain.errors import UnreadableDocument

_SPACE = b"\x00\t\n\x0c\r "
_TOKEN = re.compile(
    rb"(?P<space>[\x00\t\n\x0c\r ]+|%[^\r\n]*)"
    rb"|(?P<number>[+-]*(?:\d+\.?\d*|\.\d+)(?:-\d*)?)"
    rb"|/(?P<name>[^\x00\t\n\x0c\r ()<>\[\]{}/%]*)"
    rb"|(?P<open><<|\[|\{)|(?P<close>>>|\]|\})"
    rb"|<(?P<hex>[0-9A-Fa-f\x00\t\n\x0c\r ]*)>"
    rb"|(?P<string>\()"
    rb"|(?P<word>[^\x00\t\n\x0c\r ()<>\[\]{}/%]+)"
)
_STRING_PART = re.compile(rb"[^()\\]+|\\[0-7]{1,3}|\\\r\n|\\.|[()]", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_IMAGE_END = re.compile(rb"[\x00\t\n\x0c\r ]EI(?=[\x00\t\n\x0c\r ]|\Z)")
_NAME_CODE = re.compile(rb"#([0-9A-Fa-f]{2})")
_MOST_BRACKETS = 32  # within one another
_MOST_OPERANDS = 40_000  # of one operation: a long array of glyphs


class Name(str):
    """A name, without its slash."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Nested:
    """What stands in brackets: an array, or a dictionary as keys and values in turn."""

    kind: bytes
    items: tuple[Operand, ...]


Operand = float | bytes | Name | Nested | bool | None


class Operation(NamedTuple):
    """One operation; ``start`` to ``end`` is its range with all operands."""

    operator: str
    operands: tuple[Operand, ...]
    start: int
    end: int


def operations(stream: bytes, notes: list[str] | None = None) -> Iterator[Operation]:
    """Yield the operations of a stream. What cannot be read is passed over, as viewers do.

    Args:
        stream: its bytes.
        notes: comments in it are added here.

    Raises:
        UnreadableDocument: ``broken_pdf``: an operation has more operands than any has.
    """
    operands: list[Operand] = []
    brackets: list[tuple[bytes, list[Operand]]] = []
    position, start = 0, -1
    while position < len(stream):
        match = _TOKEN.match(stream, position)
        if match is None:
            position += 1
            continue
        begin, position = match.span()
        kind = match.lastgroup
        if kind == "space":
            if notes is not None and stream[begin : begin + 1] == b"%":
                notes.append(match.group()[1:].decode("latin-1"))
            continue
        start = begin if start < 0 else start
        target = brackets[-1][1] if brackets else operands
        if kind == "string":
            value, position = _string(stream, position)
            target.append(value)
        elif kind in {"open", "close"}:
            _bracket(match, brackets, operands)
        elif kind == "word" and match.group() not in _CONSTANTS and not brackets:
            if match.group() == b"BI":
                position = _past_image(stream, position)
            yield Operation(match.group().decode("latin-1"), tuple(operands), start, position)
            operands, start = [], -1
        else:
            target.append(_simple(match))
        if len(target) > _MOST_OPERANDS:
            raise UnreadableDocument("broken_pdf")


def _bracket(match: re.Match[bytes], brackets: list[tuple[bytes, list[Operand]]], operands: list[Operand]) -> None:
    """Open an array or dictionary, or close the innermost; a bracket that closes none is passed over."""
    if match.lastgroup == "open":
        brackets.append((match.group(), []))
        if len(brackets) > _MOST_BRACKETS:
            raise UnreadableDocument("broken_pdf")
    elif brackets:
        opened, items = brackets.pop()
        (brackets[-1][1] if brackets else operands).append(Nested(opened, tuple(items)))


_CONSTANTS = {b"true": True, b"false": False, b"null": None}


def _simple(match: re.Match[bytes]) -> Operand:
    if match.lastgroup == "number":
        return _number(match.group())
    if match.lastgroup == "name":
        return Name(_NAME_CODE.sub(lambda code: bytes([int(code.group(1), 16)]), match.group("name")).decode("latin-1"))
    if match.lastgroup == "hex":
        digits = bytes(byte for byte in match.group("hex") if byte not in _SPACE)
        return binascii.unhexlify(digits + b"0" * (len(digits) % 2))
    return _CONSTANTS.get(match.group())


def _number(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:  # "--5" and "12-5", which some programs write
        digits = re.sub(rb"(?<=\d)-.*", b"", text.lstrip(b"+-"))
        return float(digits or b"0") * (-1 if text.startswith(b"-") else 1)


def _string(stream: bytes, position: int) -> tuple[bytes, int]:
    depth, parts = 1, []
    while depth and (match := _STRING_PART.match(stream, position)) is not None:
        position = match.end()
        part = match.group()
        if part in {b"(", b")"}:
            depth += 1 if part == b"(" else -1
            if depth:
                parts.append(part)
        elif part.startswith(b"\\"):
            parts.append(_unescaped(part[1:]))
        else:
            parts.append(part.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in part else part)
    return b"".join(parts), max(position, 1) if depth == 0 else len(stream)


def _unescaped(part: bytes) -> bytes:
    if part[:1].isdigit():
        return bytes([int(part, 8) & 0xFF])
    if part[:1] in {b"\r", b"\n"}:
        return b""
    return _ESCAPES.get(part, part)


def _past_image(stream: bytes, position: int) -> int:
    """Return where an inline image ends: its data may look like anything."""
    data = re.compile(rb"[\x00\t\n\x0c\r ]ID[\x00\t\n\x0c\r ]").search(stream, position)
    end = None if data is None else _IMAGE_END.search(stream, data.end() - 1)
    if end is None:
        raise UnreadableDocument("broken_pdf")  # where it ends, viewers guess: text may stand behind it
    return end.end()


def written_string(content: bytes) -> bytes:
    """Write a string as an operand."""
    return b"<" + binascii.hexlify(content) + b">"
