"""Lines of answers are written together, and say what every line says."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from registry.api.logs import configure_logs, say_answered


class Stream(io.StringIO):
    """Counts the times that something is written."""

    writes = 0

    def write(self, text: str, /) -> int:
        self.writes += 1
        return super().write(text)


@pytest.fixture
def _as_before() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize(("level", "lines"), [(logging.INFO, 3), (logging.WARNING, 0)])
def test_answers_of_one_round_are_one_write(level: int, lines: int) -> None:
    stream = Stream()
    configure_logs(stream, level=level)

    async def answer() -> None:
        for number in range(3):
            say_answered(method="GET", route="/healthz", status=200 + number, milliseconds=0.1, request_id="a")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(answer())
    assert stream.writes == bool(lines)
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["status"] for line in told] == [200, 201, 202][:lines]
    structlog.get_logger("registry.api").error("other")
    other = json.loads(stream.getvalue().splitlines()[-1])
    for line in told:
        assert (line["event"], line["level"]) == ("answered", "info")
        assert len(line["timestamp"]) == len(other["timestamp"])
        assert line["timestamp"].endswith("Z")
