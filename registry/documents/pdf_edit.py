"""Content streams without some of their glyphs: the bytes that show them are gone, and all else stays where it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from registry.documents.pdf_read import Shown, elements_of
from registry.documents.pdf_tokens import Name, Nested, Operand, Operation, written_string

# (operation, element) -> codes of that string: its length in bytes, and the distance in its place.
Cuts = Mapping[tuple[int, int], Mapping[int, tuple[int, float]]]

# Names of layers stand in a part of the file that a copy does not have.
_MARKS = {"BDC": b"BMC", "DP": b"MP"}
# How far a black box reaches below and above the line, in parts of the font's size.
_BELOW, _ABOVE = 0.25, 0.85


def edited(stream: bytes, steps: Sequence[Operation], gone: Cuts, images: frozenset[int] = frozenset()) -> bytes:
    """Write a stream anew without some codes, without comments and what marks say about content.

    Args:
        stream: its bytes.
        steps: its operations.
        gone: the codes that go.
        images: which operations show images, in their own data, that go.
    """
    touched = {operation for operation, _ in gone}
    return b"\n".join(
        _written(stream, number, step, gone if number in touched else {})
        for number, step in enumerate(steps)
        if number not in images
    )


def codes_of(glyphs: Iterable[Shown], stream: int, gone: frozenset[tuple[int, int, int, int]]) -> Cuts:
    """Return what to cut of one stream.

    Args:
        glyphs: all that were shown, of any stream.
        stream: the key of the one that is meant.
        gone: (stream, operation, element, code) of those that go.
    """
    cuts: dict[tuple[int, int], dict[int, tuple[int, float]]] = {}
    wanted = {(key, operation, element) for key, operation, element, _ in gone}
    for glyph in glyphs:
        source = (glyph.stream, glyph.operation, glyph.element)
        if glyph.stream == stream and source in wanted:
            distance = glyph.kerning if (*source, glyph.code) in gone else float("nan")
            cuts.setdefault(source[1:], {})[glyph.code] = (glyph.length, distance)
    return cuts


def boxes(glyphs: Sequence[Shown]) -> bytes:
    """Draw a black box where glyphs were, one for each stretch of a line."""
    drawn: list[bytes] = []
    run: list[Shown] = []
    for glyph in glyphs:
        if run and not _follows(run[-1], glyph):
            drawn.append(_box(run))
            run = []
        run.append(glyph)
    if run:
        drawn.append(_box(run))
    return b"q 0 g\n" + b"\n".join(drawn) + b"\nQ" if drawn else b""


def _written(stream: bytes, number: int, step: Operation, gone: Cuts) -> bytes:
    if step.operator == "BI":
        return stream[step.start : step.end]
    if step.operator in _MARKS:
        tag = step.operands[0] if step.operands else None
        return _operand(tag if isinstance(tag, Name) else Name("Span")) + b" " + _MARKS[step.operator]
    if not gone:
        source = stream[step.start : step.end]
        return source if b"%" not in source else _operation(step.operands, step.operator)
    array = Nested(b"[", tuple(_kept(number, elements_of(step), gone)))
    if step.operator == "'":
        return b"T*\n" + _operation((array,), "TJ")
    if step.operator == '"':
        spacing = [_operation((operand,), name) for operand, name in zip(step.operands, ("Tw", "Tc"), strict=False)]
        return b"\n".join([*spacing, b"T*", _operation((array,), "TJ")])
    return _operation((array,), "TJ")


def _kept(number: int, elements: Sequence[Operand], gone: Cuts) -> Iterable[Operand]:
    for element, item in enumerate(elements):
        codes = gone.get((number, element))
        if not isinstance(item, bytes) or codes is None:
            yield item
            continue
        position, kept, distance = 0, b"", 0.0
        for code in sorted(codes):
            length, kerning = codes[code]
            if not math.isnan(kerning):  # this code goes
                if kept:
                    yield kept
                    kept = b""
                distance -= kerning
            else:
                if distance:
                    yield distance
                    distance = 0.0
                kept += item[position : position + length]
            position += length
        if kept:
            yield kept
        if distance:
            yield distance


def _operation(operands: Iterable[Operand], operator: str) -> bytes:
    return b" ".join([*(_operand(operand) for operand in operands), operator.encode("latin-1")])


def _operand(operand: Operand) -> bytes:
    if isinstance(operand, Nested):
        close = {b"[": b"]", b"<<": b">>"}.get(operand.kind, b"}")
        return operand.kind + b" ".join(map(_operand, operand.items)) + close
    if isinstance(operand, bytes):
        return written_string(operand)
    if isinstance(operand, Name):
        return b"/" + b"".join(
            bytes([byte]) if 0x21 <= byte <= 0x7E and byte not in b"#()<>[]{}/%" else b"#%02x" % byte
            for byte in operand.encode("latin-1", "replace")
        )
    if isinstance(operand, bool):
        return b"true" if operand else b"false"
    if operand is None:
        return b"null"
    return f"{operand:.5f}".rstrip("0").rstrip(".").encode() or b"0"


def _follows(last: Shown, glyph: Shown) -> bool:
    gap = abs(glyph.x - last.x - last.right[0] * last.advance) + abs(glyph.y - last.y - last.right[1] * last.advance)
    return glyph.right == last.right and gap < max(last.size, glyph.size) * 1.2


def _box(run: Sequence[Shown]) -> bytes:
    first, last = run[0], run[-1]
    size = max(glyph.size for glyph in run)
    x, y = first.right
    up = (-y, x)
    low, high = -_BELOW * size, _ABOVE * size
    ends = ((first.x, first.y), (last.x + x * last.advance, last.y + y * last.advance))
    corners = [
        (ends[one][0] + up[0] * off, ends[one][1] + up[1] * off)
        for one, off in ((0, low), (1, low), (1, high), (0, high))
    ]
    path = b" ".join(b"%.2f %.2f %s" % (*corner, b"l" if number else b"m") for number, corner in enumerate(corners))
    return path + b" h f"
