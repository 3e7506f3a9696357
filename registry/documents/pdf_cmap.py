"""Which characters the codes of a font stand for, as its ToUnicode map says. Source: ISO 32000-1, 9.10.3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MOST_CODES = 200_000
_SECTION = re.compile(rb"begin(codespacerange|bfchar|bfrange|cidrange|cidchar)(.*?)end\1", re.DOTALL)
_HEX = re.compile(rb"<([0-9A-Fa-f\s]*)>|(\[)|(\])|(-?\d+)")


@dataclass(slots=True)
class CodeMap:
    """Codes to characters, and how long codes are.

    Attributes:
        characters: (length in bytes, code) to text.
        lengths: lengths of codes that the map names, in order; (1,) or (2,) when it names none.
    """

    characters: dict[tuple[int, int], str] = field(default_factory=dict)
    spaces: list[tuple[int, int, int]] = field(default_factory=list)

    def length_at(self, content: bytes, position: int) -> int:
        """Return how many bytes the next code has; 0 when the map does not say."""
        for length, low, high in self.spaces:
            code = content[position : position + length]
            lows, highs = low.to_bytes(length, "big"), high.to_bytes(length, "big")
            if len(code) == length and all(a <= b <= c for a, b, c in zip(lows, code, highs, strict=True)):
                return length
        return 0


def read_map(content: bytes) -> CodeMap:
    """Read a map; what is not understood is left out."""
    codes = CodeMap()
    for section in _SECTION.finditer(content):
        tokens = list(_tokens(section.group(2)))
        if section.group(1) == b"codespacerange":
            codes.spaces += _pairs(tokens)
        elif section.group(1) == b"bfchar":
            _add_characters(codes, tokens)
        elif section.group(1) == b"bfrange":
            _add_ranges(codes, tokens)
    codes.spaces.sort()
    return codes


_Token = bytes | str | int


def _tokens(content: bytes) -> Iterator[_Token]:
    for match in _HEX.finditer(content):
        if match.group(1) is not None:
            digits = re.sub(rb"\s", b"", match.group(1))
            yield bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
        elif match.group(4) is not None:
            yield int(match.group(4)[:12])
        else:
            yield match.group().decode("ascii")


def _pairs(tokens: list[_Token]) -> Iterator[tuple[int, int, int]]:
    for low, high in zip(tokens[::2], tokens[1::2], strict=False):
        if isinstance(low, bytes) and isinstance(high, bytes) and 0 < len(low) == len(high) <= 4:
            yield len(low), int.from_bytes(low, "big"), int.from_bytes(high, "big")


def _add_characters(codes: CodeMap, tokens: list[_Token]) -> None:
    for code, text in zip(tokens[::2], tokens[1::2], strict=False):
        if isinstance(code, bytes) and isinstance(text, bytes) and len(codes.characters) < _MOST_CODES:
            codes.characters[len(code), int.from_bytes(code, "big")] = _text(text)


def _add_ranges(codes: CodeMap, tokens: list[_Token]) -> None:
    position = 0
    while position + 2 < len(tokens):
        low, high, target = tokens[position : position + 3]
        position += 3
        if not isinstance(low, bytes) or not isinstance(high, bytes):
            return
        first, last = int.from_bytes(low, "big"), int.from_bytes(high, "big")
        targets: list[bytes] = []
        if target == "[":
            while position < len(tokens) and tokens[position] != "]":
                one = tokens[position]
                targets.append(one if isinstance(one, bytes) else b"")
                position += 1
            position += 1
        elif isinstance(target, bytes) and target and last - first < _MOST_CODES:
            base = int.from_bytes(target, "big")
            targets = [
                (base + offset).to_bytes(len(target) + 1, "big")[-len(target) :] for offset in range(last - first + 1)
            ]
        for offset, text in enumerate(targets[: max(0, last - first + 1)]):
            if len(codes.characters) < _MOST_CODES:
                codes.characters[len(low), first + offset] = _text(text)


def _text(content: bytes) -> str:
    if len(content) == 1:
        return content.decode("latin-1")
    return content.decode("utf-16-be", "replace").replace("\0", "")
