"""Several processes import as one does: same order, same outcome, and errors where one would meet them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from registry.domain.errors import KeyUnavailable
from registry.services.import_file import BATCH_LINES
from registry.services.seal_lines import SealedLines, SealOrder
from registry.text.csv_rows import NdjsonRow
from registry.upkeep import sealing_pool
from registry.upkeep.sealing_pool import ALONE_BATCHES, Crew, Sealed, SealingPool
from tests.functional.cli.conftest import Line
from tests.functional.cli.test_importing import body, ndjson

COUNT = (ALONE_BATCHES + 4) * BATCH_LINES + 10
ORDER = SealOrder(date(2026, 3, 2), 0, "", None)


def test_the_outcome_is_that_of_one_process(line: Line, tmp_path: Path) -> None:
    documents: list[Any] = [body(f"T-{number}") for number in range(COUNT)]
    documents[5] = {"attic": 1}
    documents[COUNT - 3] = {"attic": 1}
    documents[COUNT - 2] = body("T-8")
    documents[COUNT - 1] = body("T-7", "816-555-0143")  # stands first in the file with another number: that one stays
    path = tmp_path / "people.ndjson"
    path.write_bytes(ndjson(*documents))
    told = line.json("import", path, "--workers", "2", exits=1)
    assert (told["lines"], told["created"], told["unchanged"], told["rejected"]) == (COUNT, COUNT - 4, 1, 3)
    assert {error["line"] for error in told["errors"]} == {6, COUNT - 2, COUNT}
    assert told["errors"][-1] == {"line": COUNT, "pointer": "/employee_number", "code": "exists"}
    assert line.json("audit", "verify")["verified"]
    asked = ("--employee-number", "T-7", "--category", "phone", "--purpose", "emergency_contact")
    said = line.json("disclose", *asked, "--form", "as_entered")
    assert said["records"][0]["value"]["number"] == "816-555-0142"
    again = line.json("import", path, "--workers", "2", exits=1)
    assert (again["created"], again["unchanged"], again["rejected"]) == (0, COUNT - 3, 3)


class Pretended:
    """A crew whose processes end, or fail, after a few batches; what it gives back says where it was sealed."""

    def __init__(self, good: int, ready_after: int) -> None:
        self.left = good
        self.ready_after = ready_after

    @property
    def ready(self) -> int:
        return 2 if self.left else self.ready_after

    def submit(self, batch: Any, _order: SealOrder) -> Future[Any]:
        future: Future[Any] = Future()
        if self.left > 0:
            self.left -= 1
            future.set_result(SealedLines([], [(batch[0].line, [("", "there")])]))
        else:
            future.set_result(None)
        return future


class Here:
    def seal(self, rows: Any, _order: SealOrder) -> SealedLines:
        return SealedLines([], [(rows[0].line, [("", "here")])])


def places(crew: Any, count: int) -> list[tuple[int, str]]:
    here: Any = Here()
    settings: Any = None
    sealing = SealingPool(here, settings, settings, 2)
    batches: Iterator[Any] = ([NdjsonRow(number, b"{}")] for number in range(count))
    found = sealing._together(crew, batches, lambda: ORDER)
    return [(lines.bad[0][0], lines.bad[0][1][0][1]) for _, _, lines in found]


@pytest.mark.parametrize("ready_after", [0, 2], ids=["ended", "failed"])
@pytest.mark.parametrize("good", [0, 3, 50])
def test_what_no_process_sealed_is_sealed_here_in_its_order(good: int, ready_after: int) -> None:
    found = places(Pretended(good, ready_after), 20)
    assert [number for number, _ in found] == list(range(20))
    assert [place for _, place in found] == ["there"] * min(good, 20) + ["here"] * max(0, 20 - good)


def test_an_error_of_ours_does_not_travel() -> None:
    class Failing:
        def seal(self, *_: object) -> None:
            raise KeyUnavailable("planted")

    failing: Any = Failing()
    assert sealing_pool._seal(failing, [], ORDER).lines is None


class HeldHand:
    """A hand that starts and answers when it is let, and can be ended at any time."""

    def __init__(self) -> None:
        self.starts, self.answers, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.has_work = threading.Event()

    def is_up(self) -> bool:
        while not (self.starts.wait(0.005) or self.ended.is_set()):
            pass
        return not self.ended.is_set()

    def seal(self, *_: object) -> Sealed | None:
        self.has_work.set()
        while not (self.answers.wait(0.005) or self.ended.is_set()):
            pass
        return None if self.ended.is_set() else Sealed(SealedLines([], []))

    def end(self) -> None:
        self.ended.set()

    def close(self) -> None:
        assert self.ended.is_set()


def crew_of(*hands: HeldHand) -> Crew:
    made: Any = hands
    return Crew(made)


def test_the_batches_of_an_ended_process_go_to_the_others_or_come_back() -> None:
    first, second = HeldHand(), HeldHand()
    crew = crew_of(first, second)
    first.starts.set()
    second.starts.set()
    waiting = [crew.submit([], ORDER) for _ in range(6)]
    assert first.has_work.wait(20)
    first.ended.set()
    second.answers.set()
    told = [future.result(20) for future in waiting]
    assert told.count(None) == 1  # the one that it had in hand
    second.ended.set()
    crew.submit([], ORDER).result(20)
    assert crew.submit([], ORDER).result(20) is None
    crew.close()
    assert crew.ready == 0


def test_a_process_that_is_ended_while_others_start_stops_nobody() -> None:
    first, second = HeldHand(), HeldHand()
    crew = crew_of(first, second)
    first.ended.set()
    waiting = crew.submit([], ORDER)
    second.starts.set()
    second.answers.set()
    assert waiting.result(20) == SealedLines([], [])
    crew.close()


def test_closing_answers_all_that_wait() -> None:
    hand = HeldHand()
    crew = crew_of(hand)
    waiting = [crew.submit([], ORDER) for _ in range(3)]
    crew.close()
    assert [future.result(20) for future in waiting] == [None] * 3
