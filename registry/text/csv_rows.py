"""Import files read row by row: CSV and NDJSON to the same documents, bad rows told apart from good ones."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, NamedTuple, Protocol, Self

from registry.domain.enrollment import Enrollment, FieldProblem
from registry.domain.errors import InvalidInput, UnreadableDocument
from registry.text.csv_mapping import CsvMapping, pointer_to
from registry.text.csv_people import COLUMNS, REQUIRED_COLUMNS, document_of
from registry.text.intake import read_enrollment
from registry.text.strict_json import MAX_DOCUMENT_BYTES, parse_json

MAX_LINE_BYTES = MAX_DOCUMENT_BYTES
MAX_ROW_BYTES = 1 << 17  # one CSV row over all its lines; also the csv module's own limit of a cell
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row of an import file: a document to enroll, or why there is none.

    Attributes:
        line: 1-based number of the line in the file on which the row begins.
        document: the body of one enrollment, None when the row could not be read.
        problems: why not; empty when there is a document.
        columns: for CSV, where the parts of the document came from: pointer -> ``/column``.
    """

    line: int
    document: object = field(default=None, repr=False)
    problems: tuple[FieldProblem, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict, repr=False)


class UnreadRow(Protocol):
    """One row of an import file as it was found; reading it may be left to another process."""

    @property
    def line(self) -> int:
        """1-based number of the line in the file on which the row begins."""
        ...

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        ...

    def read(self) -> RowResult:
        """Read it."""
        ...


class NdjsonRow(NamedTuple):
    """A line that is not blank; without its text when it is too long. ``repr`` shows nothing of it."""

    line: int
    raw: bytes | None

    @property
    def size(self) -> int:
        """Return its bytes."""
        return len(self.raw or b"")

    def read(self) -> RowResult:
        """Read it."""
        if self.raw is None:
            return _refused(self.line, "too_large")
        try:
            return RowResult(self.line, parse_json(self.raw))
        except UnreadableDocument as refusal:
            return _refused(self.line, refusal.code)

    def __repr__(self) -> str:
        """Show the number."""
        return f"NdjsonRow(line={self.line})"


class CsvRow(NamedTuple):
    """The cells of a row, or why it has none. ``repr`` shows nothing of them."""

    line: int
    cells: list[str]
    problems: tuple[FieldProblem, ...]
    columns: CsvColumns

    @property
    def size(self) -> int:
        """Return the characters of its cells."""
        return sum(map(len, self.cells))

    def read(self) -> RowResult:
        """Read it."""
        return _row_result(self)

    def __repr__(self) -> str:
        """Show the number."""
        return f"CsvRow(line={self.line})"


@dataclass(frozen=True, slots=True)
class CsvColumns:
    """What the cells of a file's rows are: its header, and the mapping where there is one."""

    header: tuple[str, ...] = ()
    mapping: CsvMapping | None = None


_NO_COLUMNS = CsvColumns()


class _RowTooLarge(Exception):
    """A row runs past its limit: most often a quote that is never closed."""


def read_row(row: RowResult, *, today: date) -> Enrollment:
    """Turn a row into an enrollment.

    Raises:
        InvalidInput: the row's own problems, or those of its document; the pointers of a CSV row name columns.
    """
    if row.problems:
        raise InvalidInput(row.problems)
    try:
        return read_enrollment(row.document, today=today)
    except InvalidInput as refusal:
        problems = [FieldProblem(column_of(problem.pointer, row.columns), problem.code) for problem in refusal.problems]
    raise InvalidInput(list(dict.fromkeys(problems)))


def find_ndjson(stream: BinaryIO) -> Iterator[NdjsonRow]:
    """Find one JSON document a line; blank lines are skipped but counted. A bad line does not end the reading."""
    for number, line in enumerate(_lines(stream, MAX_LINE_BYTES), start=1):
        if line is None or line.strip(b" \t\r\n"):
            yield NdjsonRow(number, line)


def find_csv(stream: BinaryIO, mapping: CsvMapping | None = None) -> Iterator[CsvRow]:
    """Find the rows of a CSV file (RFC 4180, UTF-8, a byte order mark is let through) with a header of known columns.

    Args:
        stream: the file.
        mapping: for a file with another header; problems then name that file's columns.

    Yields:
        The rows. A header that cannot be used gives a single row for its line and ends the reading.
        Codes: ``missing_header``, ``unknown_column``, ``repeated_column``, ``missing_column``, ``csv_form`` (quotes
        that do not match; the row's lines are used up), ``ragged_row``, ``too_large``, ``not_utf8``,
        ``control_character`` (NUL).
    """
    rows = _CsvSource(stream).rows()
    header = next(rows, None)
    if header is None:
        yield CsvRow(1, [], (FieldProblem("", "missing_header"),), _NO_COLUMNS)
        return
    check = _header_problems if mapping is None else mapping.header_problems
    problems = header.problems or check(header.cells)
    if problems:
        yield CsvRow(header.line, [], problems, _NO_COLUMNS)
        return
    columns = CsvColumns(tuple(header.cells), mapping)
    for row in rows:
        yield row._replace(columns=columns)


def read_ndjson(stream: BinaryIO) -> Iterator[RowResult]:
    """Find and read the rows of an NDJSON file."""
    return (row.read() for row in find_ndjson(stream))


def read_csv(stream: BinaryIO, mapping: CsvMapping | None = None) -> Iterator[RowResult]:
    """Find and read the rows of a CSV file; see ``find_csv``."""
    return (row.read() for row in find_csv(stream, mapping))


class _CsvSource:
    """Gives lines to the csv module, and knows on which line each row began and how long it is by now."""

    def __init__(self, stream: BinaryIO) -> None:
        self._raw_lines = _lines(stream, MAX_ROW_BYTES)
        self._line = 0
        self._row_bytes = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        # A class and not a generator: a generator would be over after its first exception.
        line = next(self._raw_lines)
        self._line += 1
        if line is None or self._row_bytes + len(line) > MAX_ROW_BYTES:
            raise _RowTooLarge
        self._row_bytes += len(line)
        if self._line == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        # Bad bytes become lone surrogates, so that only their own row is refused.
        return line.decode("utf-8", "surrogateescape")

    def rows(self) -> Iterator[CsvRow]:
        """Yield the rows; after a refused one the reading goes on with the next line."""
        reader = csv.reader(self, strict=True)
        while True:
            begins_on = self._line + 1
            self._row_bytes = 0
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _RowTooLarge:
                yield CsvRow(begins_on, [], (FieldProblem("", "too_large"),), _NO_COLUMNS)
            except csv.Error:
                yield CsvRow(begins_on, [], (FieldProblem("", "csv_form"),), _NO_COLUMNS)
            else:
                if cells:
                    yield CsvRow(begins_on, cells, (), _NO_COLUMNS)


def _header_problems(names: list[str]) -> tuple[FieldProblem, ...]:
    # A name that is not known is not repeated: in a file without a header it is somebody's value.
    if not COLUMNS.issuperset(names):
        return (FieldProblem("", "unknown_column"),)
    repeated = [FieldProblem(f"/{name}", "repeated_column") for name in COLUMNS if names.count(name) > 1]
    missing = [FieldProblem(f"/{name}", "missing_column") for name in REQUIRED_COLUMNS if name not in names]
    return (*sorted(repeated, key=lambda problem: problem.pointer), *missing)


def _row_result(row: CsvRow) -> RowResult:
    header, mapping = row.columns.header, row.columns.mapping
    if row.problems:
        return RowResult(row.line, problems=row.problems)
    if len(row.cells) != len(header):
        return _refused(row.line, "ragged_row")
    cells = dict(zip(header, row.cells, strict=True))
    problems = tuple(
        FieldProblem(pointer_to(name), code)
        for name, text in cells.items()
        if (code := _cell_problem(text)) is not None
    )
    if problems:
        return RowResult(row.line, problems=problems)
    if mapping is not None:
        return _mapped_result(row.line, cells, mapping)
    made = document_of(cells)
    if made.problems:
        return RowResult(row.line, problems=tuple(made.problems))
    return RowResult(row.line, made.document, columns=made.columns)


def _mapped_result(line: int, cells: Mapping[str, str], mapping: CsvMapping) -> RowResult:
    ours, problems = mapping.rewritten(cells)
    if problems:
        return RowResult(line, problems=tuple(problems))
    made, origins = document_of(ours), mapping.origins()
    if made.problems:
        named = [FieldProblem(origins.get(problem.pointer, problem.pointer), problem.code) for problem in made.problems]
        return RowResult(line, problems=tuple(named))
    # Directory members have no origin of their own in a file with our header: their pointers are its columns.
    columns = {pointer: pointer for pointer in origins if pointer[1:] in made.document} | made.columns
    return RowResult(line, made.document, columns={at: origins.get(column, column) for at, column in columns.items()})


def _cell_problem(text: str) -> str | None:
    if text.isascii():
        return "control_character" if "\0" in text else None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "not_utf8"
    return "control_character" if "\0" in text else None


def column_of(pointer: str, columns: Mapping[str, str]) -> str:
    """Name the column that a place in the document came from; the pointer itself for NDJSON."""
    if not columns:
        return pointer
    above = pointer
    while above:
        if above in columns:
            return columns[above]
        above = above.rpartition("/")[0]
    return pointer if pointer[1:] in COLUMNS else ""


def _lines(stream: BinaryIO, limit: int) -> Iterator[bytes | None]:
    """Yield lines with their ends; None for one that is longer than the limit, of which no more is kept in memory."""
    while line := stream.readline(limit + 1):
        if len(line) <= limit:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(limit)
        yield None


def _refused(line: int, code: str) -> RowResult:
    return RowResult(line, problems=(FieldProblem("", code),))
