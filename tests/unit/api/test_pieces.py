"""Pieces of bodies: gathered until whole, large or old; and work that is done at a pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from registry.api.pieces import GATHERED_BYTES, GATHERED_SECONDS, PACE, Body, Pace, bytes_left


def passed(body: Body, piece: bytes, now: float = 0.0) -> bytes:
    body.add(piece)
    return body.take(now) if body.is_due(now) else b""


def test_a_short_body_is_passed_on_when_it_is_whole() -> None:
    body = Body(3, 0.0)
    assert passed(body, b"a") == b""
    assert passed(body, b"b", GATHERED_SECONDS * 10) == b""
    assert passed(body, b"cNEXT") == b"abcNEXT"


def test_a_long_body_is_passed_on_by_size_and_its_end_when_it_is_whole() -> None:
    body = Body(GATHERED_BYTES + 10, 0.0)
    assert passed(body, b"a" * (GATHERED_BYTES - 1)) == b""
    assert len(passed(body, b"aa")) == GATHERED_BYTES + 1
    assert passed(body, b"a" * 8) == b""
    assert passed(body, b"a") == b"a" * 9


@pytest.mark.parametrize("left", [None, GATHERED_BYTES + 10])
def test_a_slow_long_body_is_passed_on_now_and_then(left: int | None) -> None:
    body = Body(left, 0.0)
    assert passed(body, b"a", GATHERED_SECONDS - 0.1) == b""
    assert passed(body, b"b", GATHERED_SECONDS) == b"ab"
    assert passed(body, b"c", GATHERED_SECONDS + 1.0) == b""


def test_only_a_body_of_unknown_length_may_be_whole_at_any_line_end() -> None:
    for left, piece, expected in ((None, b"\n", True), (None, b"0\r\n\r", False), (10, b"\n", False)):
        body = Body(left, 0.0)
        body.add(piece)
        assert body.may_be_whole() is expected


def test_what_is_left_is_what_was_declared_and_has_not_come() -> None:
    assert bytes_left([(b"content-length", b"10")], 4) == 6
    assert bytes_left([(b"transfer-encoding", b"chunked")], 4) is None
    assert bytes_left([], 0) == 0


class Loop:
    """Calls what was to be called later when told."""

    def __init__(self) -> None:
        self.later: list[tuple[Callable[..., None], Any]] = []

    def call_later(self, _seconds: float, work: Callable[..., None], argument: Any) -> None:
        self.later.append((work, argument))

    def tick(self) -> None:
        due, self.later = self.later, []
        for work, argument in due:
            work(argument)


def test_few_things_are_done_at_once_and_many_at_a_pace() -> None:
    loop: Any = Loop()
    pace, done = Pace(), []
    for number in range(PACE * 3):
        pace.add(lambda number=number: done.append(number), loop)  # type: ignore[misc]  # mypy cannot tell a default's type
    assert done == list(range(PACE))
    loop.tick()
    assert done == list(range(PACE * 2))
    loop.tick()
    assert done == list(range(PACE * 3))
    loop.tick()
    loop.tick()
    assert not loop.later  # nothing runs when there is nothing to do
    pace.add(lambda: done.append(-1), loop)
    assert done[-1] == -1
