"""Rows of a dump are read by another process: the same answers, and nothing is lost when it is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator

import pytest

from registry.bootstrap.reading_process import ALONE_PARTS, ReadingProcess
from registry.leaktrace.reading import Reading, read_parts

ROWS = 1_200
TEXT = "id,name,phone,born\n" + "\n".join(
    f"{n},Pat Roe{chr(97 + n % 26)},77{n % 8}-555-01{n % 90:02},19{n % 80 + 10}-01-02" for n in range(ROWS)
)
AT_ONCE = 50


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def parts(reader: ReadingProcess | None = None) -> Iterator[Reading]:
    how = {} if reader is None else {"reader": reader}
    return read_parts(TEXT, rows_at_once=AT_ONCE, **how)  # type: ignore[arg-type]  # one keyword or none


def awaited() -> int:
    """Wait until the process is there and reads; returns its id."""
    (child,) = multiprocessing.active_children()
    assert child.pid is not None
    return child.pid


def told(readings: Iterator[Reading], *, after: float = 0.0) -> list[object]:
    found = []
    for number, reading in enumerate(readings):
        if number == ALONE_PARTS:
            time.sleep(after)
        found.append((reading.places, [(words.texts, words.starts, words.scope) for words in reading.passages]))
    return found


def test_another_process_reads_what_this_one_would() -> None:
    assert told(parts(ReadingProcess()), after=3) == told(parts())
    assert multiprocessing.active_children() == []


def test_a_process_that_is_killed_loses_nothing() -> None:
    readings = parts(ReadingProcess())
    found = []
    for number, reading in enumerate(readings):
        if number == ALONE_PARTS + 1:
            os.kill(awaited(), signal.SIGKILL)
        found.append(reading.places)
    assert found == [reading.places for reading in parts()]


def test_who_stops_early_leaves_no_process() -> None:
    readings = read_parts(TEXT, rows_at_once=AT_ONCE, reader=ReadingProcess())
    for _ in range(ALONE_PARTS + 2):
        next(readings)
    assert len(multiprocessing.active_children()) == 1
    readings.close()
    assert multiprocessing.active_children() == []


def test_a_second_dump_is_read_without_another_process() -> None:
    first, second = parts(ReadingProcess()), parts(ReadingProcess())
    for _ in range(ALONE_PARTS + 2):
        next(first)
        next(second)
    assert len(multiprocessing.active_children()) == 1
    assert len(list(first)) == len(list(second)) == ROWS // AT_ONCE - ALONE_PARTS - 2
