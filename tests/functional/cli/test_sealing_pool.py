"""Several processes import as one does: same order, same outcome, and errors where one would meet them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from registry.domain.errors import KeyUnavailable
from registry.services.import_file import BATCH_LINES
from registry.services.seal_lines import SealedLines, SealOrder
from registry.text.csv_rows import NdjsonRow
from registry.upkeep import sealing_pool
from registry.upkeep.sealing_pool import ALONE_BATCHES, SealingPool
from tests.functional.cli.conftest import Line
from tests.functional.cli.test_importing import body, ndjson

COUNT = (ALONE_BATCHES + 4) * BATCH_LINES + 10
ORDER = SealOrder(date(2026, 3, 2), 0, None)


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
    said = line.json("disclose", "--employee-number", "T-7", "--category", "phone", "--purpose", "emergency_contact")
    assert said["records"][0]["value"]["number"] == "816-555-0142"
    again = line.json("import", path, "--workers", "2", exits=1)
    assert (again["created"], again["unchanged"], again["rejected"]) == (0, COUNT - 3, 3)


class Pretended:
    """A pool whose processes end, or fail, after a few batches; what it gives back says where it was sealed."""

    def __init__(self, good: int, failure: BaseException | None) -> None:
        self.left = good
        self.failure = failure

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if not arguments:
            future.set_result(None)
        elif self.left > 0:
            self.left -= 1
            future.set_result(SealedLines([], [(arguments[0][0].line, [("", "there")])]))
        elif self.failure is None:
            future.set_result(None)
        else:
            future.set_exception(self.failure)
        return future


class Here:
    def seal(self, rows: Any, _order: SealOrder) -> SealedLines:
        return SealedLines([], [(rows[0].line, [("", "here")])])


def places(pool: Any, count: int) -> list[tuple[int, str]]:
    here: Any = Here()
    settings: Any = None
    sealing = SealingPool(here, settings, settings, 2)
    batches: Iterator[Any] = ([NdjsonRow(number, b"{}")] for number in range(count))
    started: list[Future[None]] = [pool.submit(None)]
    found = sealing._together(pool, started, batches, lambda: ORDER)
    return [(lines.bad[0][0], lines.bad[0][1][0][1]) for _, _, lines in found]


@pytest.mark.parametrize("failure", [BrokenProcessPool(), None], ids=["ended", "failed"])
@pytest.mark.parametrize("good", [0, 3, 50])
def test_what_no_process_sealed_is_sealed_here_in_its_order(good: int, failure: BaseException | None) -> None:
    found = places(Pretended(good, failure), 20)
    assert [number for number, _ in found] == list(range(20))
    assert [place for _, place in found] == ["there"] * min(good, 20) + ["here"] * max(0, 20 - good)


def test_an_error_of_ours_does_not_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def seal(self, *_: object) -> None:
            raise KeyUnavailable("planted")

    monkeypatch.setattr(sealing_pool, "_sealer", Failing(), raising=False)
    assert sealing_pool._seal([], ORDER) is None
