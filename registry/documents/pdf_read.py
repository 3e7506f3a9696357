"""What a page of a PDF shows: glyphs with their places, and the bytes that show each. Source: ISO 32000-1, 9.4."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from pypdf.generic import DictionaryObject, NullObject, StreamObject

from registry.documents.limits import MAX_FORM_DEPTH, MAX_GLYPHS
from registry.documents.pdf_fonts import PdfFont
from registry.documents.pdf_tokens import Name, Nested, Operand, Operation, operations
from registry.domain.errors import UnreadableDocument

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_MOST_OPERATIONS = 4_000_000
_SHOWS = frozenset({"Tj", "TJ", "'", '"'})


class Shown(NamedTuple):
    """One glyph on a page.

    Attributes:
        text: what it stands for; "" when nobody knows.
        x, y: where it begins, in the page's units; and ``right``, ``up`` the unit vectors of its line.
        advance, size: its width and the height of its font.
        stream: key of the stream that shows it.
        operation, element, code: which operation of that stream, which string of it, which code of the string.
        length: bytes of the code.
        kerning: what a distance in its place must be to leave all else where it is.
    """

    text: str
    x: float
    y: float
    right: tuple[float, float]
    advance: float
    size: float
    stream: int
    operation: int
    element: int
    code: int
    length: int
    kerning: float


@dataclass(frozen=True, slots=True)
class _State:
    matrix: Matrix = _IDENTITY
    font: PdfFont | None = None
    size: float = 0.0
    character: float = 0.0
    word: float = 0.0
    scale: float = 1.0
    leading: float = 0.0
    rise: float = 0.0


class ShownImage(NamedTuple):
    """One image on a page.

    Attributes:
        image: the image; None when it stands in the stream that shows it.
        stream, operation: which operation of which stream shows it.
        box: the least rectangle around it: left, low, right, high.
    """

    image: StreamObject | None
    stream: int
    operation: int
    box: tuple[float, float, float, float]

    def covers(self, glyph: Shown) -> bool:
        """Whether a glyph stands on it."""
        x, y = glyph.x + glyph.right[0] * glyph.advance / 2, glyph.y + glyph.right[1] * glyph.advance / 2
        left, low, right, high = self.box
        return left - glyph.size <= x <= right + glyph.size and low - glyph.size <= y <= high + glyph.size


@dataclass(slots=True)
class PageContent:
    """What a page shows.

    Attributes:
        glyphs: in the order in which they are shown.
        hidden: texts that stand for others in marked content (``ActualText``, ``Alt``).
        images: the images it shows.
        is_sure: whether every glyph is known.
        streams: key to stream, of all that were read; the page's own content has key 0 and is not in it.
        left_open, closed_early: how many ``q`` the page leaves open, and how many ``Q`` it has too many.
    """

    glyphs: list[Shown] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    images: list[ShownImage] = field(default_factory=list)
    is_sure: bool = True
    streams: dict[int, StreamObject] = field(default_factory=dict)
    left_open: int = 0
    closed_early: int = 0


class PageReader:
    """Reads the pages of one document; fonts are read once."""

    def __init__(self, data_of: Callable[[StreamObject], bytes]) -> None:
        """Take what unpacks a stream, within the document's limits."""
        self._data_of = data_of
        self._fonts: dict[int, PdfFont] = {}
        self._kept: list[DictionaryObject] = []  # so that no id is used again
        self._operations: dict[int, list[Operation]] = {}
        self._count = 0
        self._glyphs = 0

    def read(
        self, content: bytes, resources: DictionaryObject, overlays: Sequence[tuple[Matrix, StreamObject]] = ()
    ) -> PageContent:
        """Read one page: its content, then what annotations show above it."""
        page = PageContent()
        machine = _Machine(self, page)
        machine.run(0, list(operations(content, page.hidden)), resources)
        page.left_open, page.closed_early = machine.left_open, machine.closed_early
        for matrix, form in overlays:
            machine.form(form, resources, matrix)
        return page

    def font(self, font: DictionaryObject) -> PdfFont:
        """Return a font."""
        if id(font) not in self._fonts:
            self._fonts[id(font)] = PdfFont(font, self._data_of)
            self._kept.append(font)
        return self._fonts[id(font)]

    def operations_of(self, form: StreamObject) -> list[Operation]:
        """Return the operations of a form; read once, however often it is shown."""
        if id(form) not in self._operations:
            self._operations[id(form)] = list(operations(self._data_of(form)))
            self._kept.append(form)
        return self._operations[id(form)]

    def count(self, number: int) -> None:
        """Count operations: forms that show forms that show forms multiply."""
        self._count += number
        if self._count > _MOST_OPERATIONS:
            raise UnreadableDocument("too_large")

    def count_glyph(self) -> None:
        """Count a glyph."""
        self._glyphs += 1
        if self._glyphs > MAX_GLYPHS:
            raise UnreadableDocument("too_large")


class _Machine:
    """Runs the operations of one page."""

    def __init__(self, reader: PageReader, page: PageContent) -> None:
        self._reader, self._page = reader, page
        self._state = _State()
        self._stack: list[_State] = []
        self._text: Matrix = _IDENTITY
        self._line: Matrix = _IDENTITY
        self._resources: DictionaryObject = DictionaryObject()
        self._stream = 0
        self._depth = 0
        self._floor = 0
        self._operation = 0
        self.closed_early = 0

    @property
    def left_open(self) -> int:
        return len(self._stack)

    def run(self, stream: int, steps: Sequence[Operation], resources: DictionaryObject) -> None:
        self._reader.count(len(steps))
        before = self._stream, self._resources
        self._stream, self._resources = stream, resources
        for number, step in enumerate(steps):
            self._operation = number
            if step.operator in _SHOWS:
                self._show(number, step)
            else:
                action = _ACTIONS.get(step.operator)
                if action is not None:
                    action(self, step.operands)
        self._stream, self._resources = before

    def form(self, form: StreamObject, resources: DictionaryObject, matrix: Matrix = _IDENTITY) -> None:
        """Show a form; one within itself ends at the greatest depth."""
        if self._depth >= MAX_FORM_DEPTH:
            raise UnreadableDocument("nested_too_deep")
        kept, floor, text, line = self._state, self._floor, self._text, self._line
        self._floor = len(self._stack)
        own = _matrix([_plain(item) for item in _sequence(form.get("/Matrix"))]) or _IDENTITY
        self._state = replace(kept, matrix=_times(own, _times(matrix, kept.matrix)))
        self._depth += 1
        self._page.streams[id(form)] = form
        inner = _object(form.get("/Resources"))
        self.run(
            id(form), self._reader.operations_of(form), inner if isinstance(inner, DictionaryObject) else resources
        )
        self._depth -= 1
        del self._stack[self._floor :]
        self._state, self._floor, self._text, self._line = kept, floor, text, line

    # The operators, each with its operands.

    def save(self, _operands: Sequence[Operand]) -> None:
        if len(self._stack) < _MOST_SAVED:
            self._stack.append(self._state)

    def restore(self, _operands: Sequence[Operand]) -> None:
        if len(self._stack) > self._floor:
            self._state = self._stack.pop()
        elif not self._depth:
            self.closed_early += 1

    def concatenate(self, operands: Sequence[Operand]) -> None:
        matrix = _matrix(operands)
        if matrix is not None:
            self._state = replace(self._state, matrix=_times(matrix, self._state.matrix))

    def begin(self, _operands: Sequence[Operand]) -> None:
        self._text = self._line = _IDENTITY

    def set_font(self, operands: Sequence[Operand]) -> None:
        size = _at(operands, 1)
        found = self._resource("/Font", operands)
        font = self._reader.font(found) if isinstance(found, DictionaryObject) else None
        self._state = replace(self._state, font=font, size=size)

    def set_graphics(self, operands: Sequence[Operand]) -> None:
        state = self._resource("/ExtGState", operands)
        mask = _object(state.get("/SMask")) if isinstance(state, DictionaryObject) else None
        cut = _object(mask.get("/G")) if isinstance(mask, DictionaryObject) else None
        if isinstance(cut, StreamObject):  # what it shows cuts holes: it can be read
            self.form(cut, self._resources)
        pair = list(_sequence(state.get("/Font"))) if isinstance(state, DictionaryObject) else []
        if len(pair) == 2 and isinstance(font := _object(pair[0]), DictionaryObject):
            self._state = replace(self._state, font=self._reader.font(font), size=_at([_plain(pair[1])], 0))

    def move(self, operands: Sequence[Operand]) -> None:
        self._line = self._text = _times((1, 0, 0, 1, _at(operands, 0), _at(operands, 1)), self._line)

    def move_leading(self, operands: Sequence[Operand]) -> None:
        self._state = replace(self._state, leading=-_at(operands, 1))
        self.move(operands)

    def set_matrix(self, operands: Sequence[Operand]) -> None:
        matrix = _matrix(operands)
        if matrix is not None:
            self._text = self._line = matrix

    def next_line(self, _operands: Sequence[Operand]) -> None:
        self.move((0.0, -self._state.leading))

    def paint(self, operands: Sequence[Operand]) -> None:
        shown = self._resource("/XObject", operands)
        if not isinstance(shown, StreamObject):
            return
        if shown.get("/Subtype") == "/Form":
            self.form(shown, self._resources)
        elif shown.get("/Subtype") == "/Image":
            self._picture(shown)

    def inline_image(self, _operands: Sequence[Operand]) -> None:
        self._picture(None)

    def _picture(self, image: StreamObject | None) -> None:
        a, b, c, d, e, f = self._state.matrix
        across, up = (e, a + e, c + e, a + c + e), (f, b + f, d + f, b + d + f)
        box = (min(across), min(up), max(across), max(up))
        self._page.images.append(ShownImage(image, self._stream, self._operation, box))

    def pattern(self, operands: Sequence[Operand]) -> None:
        """A tile may show text as well."""
        tile = self._resource("/Pattern", operands[-1:])
        if isinstance(tile, StreamObject) and id(tile) not in self._page.streams:
            self.form(tile, self._resources)

    def mark(self, operands: Sequence[Operand]) -> None:
        properties = operands[1] if len(operands) > 1 else None
        if isinstance(properties, Nested):
            named = dict(zip(properties.items[::2], properties.items[1::2], strict=False))
            texts = [named.get(Name(key)) for key in ("ActualText", "Alt", "E")]
            self._page.hidden += [decoded_text(text) for text in texts if isinstance(text, bytes)]

    def _show(self, number: int, step: Operation) -> None:
        operands = step.operands
        if step.operator == '"':
            self._state = replace(self._state, word=_at(operands, 0), character=_at(operands, 1))
        if step.operator in {"'", '"'}:
            self.next_line(())
        for element, item in enumerate(elements_of(step)):
            if isinstance(item, bytes):
                self._string(number, element, item)
            elif isinstance(item, float):
                state = self._state
                self._advance(-item / 1000 * state.size * state.scale)

    def _string(self, number: int, element: int, content: bytes) -> None:
        state = self._state
        if state.font is None:
            self._page.is_sure = self._page.is_sure and not content.strip()
            return
        if not state.font.is_sure:
            self._page.is_sure = False
        for code, glyph in enumerate(state.font.glyphs(content)):
            width = glyph.width / 1000 * state.size
            advance = (width + state.character + (state.word if glyph.is_space else 0)) * state.scale
            whole = _times((1, 0, 0, 1, 0, state.rise), _times(self._text, state.matrix))
            right, stretch = _unit(whole[0], whole[1])
            up = (whole[2] ** 2 + whole[3] ** 2) ** 0.5
            kerning = glyph.width
            if state.size:
                kerning += (state.character + (state.word if glyph.is_space else 0)) * 1000 / state.size
            place = (whole[4], whole[5], right, width * state.scale * stretch, abs(state.size) * up)
            source = (self._stream, number, element, code, glyph.size)
            self._reader.count_glyph()
            self._page.glyphs.append(Shown(glyph.text, *place, *source, kerning))
            self._advance(advance)

    def _advance(self, distance: float) -> None:
        text = self._text
        self._text = (*text[:4], text[4] + distance * text[0], text[5] + distance * text[1])

    def _resource(self, kind: str, operands: Sequence[Operand]) -> Any:
        group = _object(self._resources.get(kind))
        name = operands[0] if operands else None
        if not isinstance(group, DictionaryObject) or not isinstance(name, Name):
            return None
        return _object(group.get(f"/{name}"))

    # What one number sets.

    def set_character(self, operands: Sequence[Operand]) -> None:
        self._state = replace(self._state, character=_at(operands, 0))

    def set_word(self, operands: Sequence[Operand]) -> None:
        self._state = replace(self._state, word=_at(operands, 0))

    def set_scale(self, operands: Sequence[Operand]) -> None:
        self._state = replace(self._state, scale=_at(operands, 0) / 100)

    def set_leading(self, operands: Sequence[Operand]) -> None:
        self._state = replace(self._state, leading=_at(operands, 0))

    def set_rise(self, operands: Sequence[Operand]) -> None:
        self._state = replace(self._state, rise=_at(operands, 0))


_MOST_SAVED = 10_000
_ACTIONS: Mapping[str, Callable[[_Machine, Sequence[Operand]], None]] = {
    "q": _Machine.save,
    "Q": _Machine.restore,
    "cm": _Machine.concatenate,
    "BT": _Machine.begin,
    "Tf": _Machine.set_font,
    "gs": _Machine.set_graphics,
    "Td": _Machine.move,
    "TD": _Machine.move_leading,
    "Tm": _Machine.set_matrix,
    "T*": _Machine.next_line,
    "Tc": _Machine.set_character,
    "Tw": _Machine.set_word,
    "Tz": _Machine.set_scale,
    "TL": _Machine.set_leading,
    "Ts": _Machine.set_rise,
    "Do": _Machine.paint,
    "BI": _Machine.inline_image,
    "scn": _Machine.pattern,
    "SCN": _Machine.pattern,
    "BDC": _Machine.mark,
    "DP": _Machine.mark,
}


def elements_of(step: Operation) -> tuple[Operand, ...]:
    """Return the strings and distances that an operation shows."""
    if not step.operands:
        return ()
    last = step.operands[-1]
    return last.items if isinstance(last, Nested) else (last,)


def decoded_text(content: bytes) -> str:
    """Read a text string of a PDF. Source: ISO 32000-1, 7.9.2.2."""
    if content.startswith(b"\xfe\xff"):
        return content[2:].decode("utf-16-be", "replace")
    if content.startswith(b"\xff\xfe"):
        return content[2:].decode("utf-16-le", "replace")
    if content.startswith(b"\xef\xbb\xbf"):
        return content[3:].decode("utf-8", "replace")
    return content.decode("latin-1")


def _times(one: Matrix, two: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _matrix(operands: Sequence[Any]) -> Matrix | None:
    numbers = [float(one) for one in operands if isinstance(one, int | float)]
    return (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]) if len(numbers) >= 6 else None


def _unit(x: float, y: float) -> tuple[tuple[float, float], float]:
    length = (x * x + y * y) ** 0.5
    return ((x / length, y / length), length) if length else ((1.0, 0.0), 0.0)


def _at(operands: Sequence[Operand], index: int) -> float:
    value = operands[index] if index < len(operands) else None
    return value if isinstance(value, float) else 0.0


def _object(value: Any) -> Any:
    found = None if value is None else value.get_object()
    return None if isinstance(found, NullObject) else found


def _plain(value: Any) -> Operand:
    found = _object(value)
    return float(found) if isinstance(found, int | float) else None


def _sequence(value: Any) -> Sequence[Any]:
    found = _object(value)
    return found if isinstance(found, list) else ()
