"""How long the trace of one post takes, by how many accounts were served a copy of what it holds.

Lookups and traces are real, asked through the HTTP interface in this process, without sockets. The post is one card
word for word, traced again and again; its report is made as a PDF each time. Times of the wall clock move with the
machine's load, those of the processor hardly do.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.attribution.agency import Agency, Look, agency
from benchmarks.attribution.citizens import DEPARTMENTS, Citizen, citizen
from benchmarks.attribution.hands import Hand, carried
from benchmarks.table import markdown

COPIES = (1, 10, 30, 100, 300)
TRACES = 40
_APART_DAYS = 0.01
_MOST = 0.95

Times = tuple[float, float]  # elapsed, of the processor; seconds


def speed(seed: int, scale: float, _: Path | None) -> str:
    """Return the table of times: median and 95th of a hundred.

    Args:
        seed: of everything that is made up.
        scale: of the number of traces.
    """
    with agency(f"{seed} speed") as asked:
        people = [citizen(number, asked.chance, DEPARTMENTS[0]) for number in range(len(COPIES))]
        asked.enroll(people)
        asked.look_up(
            [
                Look(account, person, 1.0, explained=True)
                for person, copies in zip(people, COPIES, strict=True)
                for account in range(copies)
            ]
        )
        many = max(5, round(TRACES * scale))
        rows = [_row(asked, person, many) for person in people]
    columns = [f"{what}, {of} (ms)" for what in ("trace", "report as PDF") for of in ("elapsed", "processor")]
    return markdown(["accounts served a copy", "traces", *columns], rows)


def _row(asked: Agency, person: Citizen, many: int) -> list[str]:
    text = carried(Hand.VERBATIM, [(person, asked.lines(0, person))], asked.chance)
    traced, printed = [], []
    for _ in range(many):
        start = _now()
        answer = asked.answered(text, _APART_DAYS)
        stop = _now()
        asked.printed(answer["trace"])
        traced.append(_between(start, stop))
        printed.append(_between(stop, _now()))
    return [str(len(asked.looked[person.number])), str(many), *_told(traced), *_told(printed)]


def _now() -> Times:
    return time.perf_counter(), time.process_time()


def _between(start: Times, stop: Times) -> Times:
    return stop[0] - start[0], stop[1] - start[1]


def _told(those: Sequence[Times]) -> list[str]:
    wall, processor = (sorted(1e3 * one[which] for one in those) for which in (0, 1))
    return [f"{_at(wall, 0.5):.0f}, {_at(wall, _MOST):.0f}", f"{_at(processor, 0.5):.0f}, {_at(processor, _MOST):.0f}"]


def _at(ordered: Sequence[float], part: float) -> float:
    return ordered[round(part * (len(ordered) - 1))]
