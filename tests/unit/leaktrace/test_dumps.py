"""A dump read by its columns and in parts, beside the same dump row by row; and what memory it takes by its length."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Callable, Iterable
from random import Random

import pytest

from benchmarks.finding.matcher import Registry, people_of
from benchmarks.finding.world import make_world
from registry.leaktrace.dossier import Finding
from registry.leaktrace.reading import read_parts
from registry.text.table_rows import Row, RowTable
from registry.text.tables import find_rows
from tests.unit.leaktrace.test_columns import HEAD, cells_of

PEOPLE = 60
Rows = list[list[str]]
WORLD = make_world(17, PEOPLE)
REGISTRY = Registry(people_of(WORLD.enrolled))


def clean(rng: Random) -> Rows:
    """Return rows of enrolled people, of some whose values are partly another's, and of nobody."""
    enrolled = [cells_of(one, rng) for one in WORLD.enrolled]
    nobody = [cells_of(one, rng) for one in make_world(rng.randrange(1_000, 2_000), PEOPLE).enrolled]
    partly = [
        [mine if rng.random() < 0.5 else other for mine, other in zip(one, another, strict=True)]
        for one, another in zip(enrolled[::2], nobody[::2], strict=True)
    ]
    rows = [*enrolled, *partly, *nobody[1::2]]
    rng.shuffle(rows)
    return rows


def merged(rows: Rows, rng: Random) -> Rows:
    for row in rng.sample(rows, len(rows) // 10):
        row[1], row[2] = f"{row[1]} {row[2]}", ""
    return rows


def missing(rows: Rows, rng: Random) -> Rows:
    for row in rng.sample(rows, len(rows) // 5):
        row[rng.randrange(len(row))] = ""
    return rows


def shifted(rows: Rows, rng: Random) -> Rows:
    for row in rng.sample(rows, len(rows) // 10):
        row[:] = ["", *row[:-1]]
    return rows


def doubled(rows: Rows, rng: Random) -> Rows:
    return [*rows, *([*row] for row in rng.sample(rows, len(rows) // 4))]


def swapped(rows: Rows, rng: Random) -> Rows:
    for row in rng.sample(rows, len(rows) // 10):
        one, other = rng.sample(range(len(row)), 2)
        row[one], row[other] = row[other], row[one]
    return rows


def everything(rows: Rows, rng: Random) -> Rows:
    for spoil in (merged, missing, shifted, swapped, doubled):
        rows = spoil(rows, rng)
    return rows


def as_csv(rows: Rows, *, delimiter: str, quoting: int) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows([HEAD, *rows])  # type: ignore[arg-type]  # one of its constants
    return stream.getvalue()


def told(findings: Iterable[Finding]) -> dict[tuple[str, str, str | None], tuple[object, ...]]:
    return {
        (one.employee_number, one.kind, one.member): (one.spans, one.confidence, one.reason, one.is_tail)
        for one in findings
    }


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("spoil", [None, merged, missing, shifted, doubled, swapped, everything])
def test_a_dump_has_the_findings_of_its_rows_read_one_by_one(
    spoil: Callable[[Rows, Random], Rows] | None, seed: int
) -> None:
    rng = Random(seed)
    rows = clean(rng)
    if spoil is not None:
        rows = spoil(rows, rng)
    text = as_csv(rows, delimiter=rng.choice(",|\t"), quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    quickly = REGISTRY.match_parts(read_parts(text, rows_at_once=25, long=20))
    one_by_one = REGISTRY.match_parts(read_parts(text, rows_at_once=1, long=len(text)))
    assert told(quickly.findings) == told(one_by_one.findings)
    assert len(quickly.findings) > PEOPLE * 3


def test_rows_kept_as_numbers_are_the_rows() -> None:
    rows = [Row(at, at + 9, ((at, at + 3), (at + 4, at + 9)), ("a", "b")) for at in range(0, 100, 10)]
    table = RowTable(2, ("a", "b"))
    for row in rows:
        table.append(row.start, row.end, row.cells)
    assert list(table) == rows == table[:]
    assert table[-1] == rows[-1]
    assert table[2:7:2] == rows[2:7:2]
    assert list(table.spans()) == [(row.start, row.end) for row in rows]
    with pytest.raises(IndexError):
        table[10]
    table.begin_later(1, 12)
    table.head_off(("c", "d"))
    assert len(table) == 9
    assert table[0] == Row(10, 19, ((12, 13), (14, 19)), ("c", "d"))


def strangers(rows: int) -> str:
    lines = (f"{n},77{n % 8}-555-01{n % 90:02},x{n}@example.net" for n in range(rows))
    return "\n".join(["id,phone,email", *lines])


def peak(rows: int) -> int:
    """Return the most memory that tracing a dump of nobody takes beside its text, in bytes."""
    text = strangers(rows)
    tracemalloc.start()
    try:
        assert REGISTRY.match_parts(read_parts(text, rows_at_once=50, long=100)).findings == ()
        return tracemalloc.get_traced_memory()[1] - 2 * len(text)  # once as it is, once folded
    finally:
        tracemalloc.stop()


# Of one row, while the table is found: where its line begins and ends, and where its cells do.
BYTES_A_ROW = 250


@pytest.mark.parametrize(
    "sizes",
    [(200, 400, 800), pytest.param((2_000, 20_000, 100_000), marks=[pytest.mark.slow, pytest.mark.timeout(900)])],
)
def test_memory_hardly_grows_with_the_rows(sizes: tuple[int, int, int]) -> None:
    peak(sizes[0])  # what is kept for every text is there from now on
    least, middle, most = map(peak, sizes)
    assert middle - least < BYTES_A_ROW * (sizes[1] - sizes[0])
    assert most - middle < BYTES_A_ROW * (sizes[2] - sizes[1])


def test_rows_take_no_object_each() -> None:
    text = strangers(5_000)
    tracemalloc.start()
    rows = find_rows(text)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(rows) == 5_000
    assert held < 80 * len(rows)
