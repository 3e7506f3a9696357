"""From glyphs on a page to its text: where words part, where lines end, where columns of a table begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from registry.documents.model import Canvas
from registry.documents.pdf_read import Shown

# In parts of the font's size: a gap that parts words, one that parts columns, how far a glyph may stand above or below
# its line, and how far back it may begin.
_WORD_GAP = 0.17
_COLUMN_GAP = 1.3
_OFF_LINE = 0.45
_BACK = 0.6


def write_page(canvas: Canvas, glyphs: Sequence[Shown], number: int) -> None:
    """Write a page's text; ``number`` is the page's in cuts, a glyph's offset its place in ``glyphs``."""
    written = _write(canvas, ((index, glyphs[index]) for index in range(len(glyphs))), number)
    across = _across(glyphs)
    if across != list(range(len(glyphs))):
        # Shown in another order than it stands: a line of a form, a table filled column by column. Read both ways.
        other = Canvas()
        again = _write(other, ((index, glyphs[index]) for index in across), number)
        if again != written:
            canvas.join(other)


def _write(canvas: Canvas, glyphs: Iterable[tuple[int, Shown]], number: int) -> str:
    """Write glyphs in an order; returns their text without spaces."""
    last: Shown | None = None
    plain: list[str] = []
    for index, glyph in glyphs:
        text = glyph.text.replace("\0", "")
        if last is not None:
            canvas.gap(_between(last, glyph))
        last = glyph
        if len(text) == 1:
            canvas.plain(text, number, index)
        else:
            canvas.whole(text, number, index, index + 1)
        plain.append(text.strip())
    canvas.gap("\n")
    return "".join(plain)


def _between(last: Shown, glyph: Shown) -> str:
    """Return what stands between two glyphs that follow each other."""
    size = max(last.size, glyph.size, 0.01)
    along, off = _distance(last, glyph)
    if abs(off) > _OFF_LINE * size or along < -_BACK * size or _is_turned(last, glyph):
        return "\n"
    if along > _COLUMN_GAP * size:
        return "\t"
    is_parted = last.text.endswith((" ", "\u00a0")) or glyph.text.startswith((" ", "\u00a0"))
    return " " if along > _WORD_GAP * size and not is_parted else ""


def _distance(last: Shown, glyph: Shown) -> tuple[float, float]:
    """Return how far a glyph begins behind the end of another one, along its line, and off it."""
    x = glyph.x - (last.x + last.right[0] * last.advance)
    y = glyph.y - (last.y + last.right[1] * last.advance)
    return x * last.right[0] + y * last.right[1], y * last.right[0] - x * last.right[1]


def _is_turned(last: Shown, glyph: Shown) -> bool:
    return last.right[0] * glyph.right[0] + last.right[1] * glyph.right[1] < 0.95


def _across(glyphs: Sequence[Shown]) -> list[int]:
    """Return the glyphs line by line from the top, each from the left, as they stand."""
    lines: dict[tuple[float, float], list[int]] = {}
    for index, glyph in enumerate(glyphs):
        direction = round(glyph.right[0], 1), round(glyph.right[1], 1)
        lines.setdefault(direction, []).append(index)
    order: list[int] = []
    for direction, members in lines.items():
        order += _lines(glyphs, members, direction)
    return order


def _lines(glyphs: Sequence[Shown], members: list[int], direction: tuple[float, float]) -> Iterator[int]:
    def off(index: int) -> float:
        glyph = glyphs[index]
        return glyph.y * direction[0] - glyph.x * direction[1]

    def along(index: int) -> float:
        glyph = glyphs[index]
        return glyph.x * direction[0] + glyph.y * direction[1]

    line: list[int] = []
    for index in sorted(members, key=lambda one: (-off(one), one)):
        if line and off(line[0]) - off(index) > _OFF_LINE * max(glyphs[index].size, 0.01):
            yield from sorted(line, key=along)
            line = []
        line.append(index)
    yield from sorted(line, key=along)
