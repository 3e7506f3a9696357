"""Pieces of bodies: gathered until whole or large; and work that is done at a pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry.api.pieces import GATHERED_BYTES, PACE, Body, Pace


def passed(body: Body, piece: bytes) -> bytes:
    body.add(piece)
    return body.take()[0] if body.is_due() else b""


def test_a_short_body_is_passed_on_when_it_is_whole() -> None:
    body = Body(3)
    assert body.is_short()
    assert passed(body, b"a") == b""
    assert passed(body, b"b") == b""
    body.add(b"cNEXT")
    assert body.is_due()
    assert body.take() == (b"abc", b"NEXT")
    assert body.is_whole()


def test_a_long_body_is_passed_on_by_size_and_its_end_when_it_is_whole() -> None:
    body = Body(GATHERED_BYTES + 10)
    assert not body.is_short()
    assert passed(body, b"a" * (GATHERED_BYTES - 1)) == b""
    assert len(passed(body, b"aa")) == GATHERED_BYTES + 1
    assert body.is_short()
    assert passed(body, b"a" * 8) == b""
    assert passed(body, b"a") == b"a" * 9


def test_a_body_of_unknown_length_may_be_whole_at_any_time() -> None:
    body = Body(None)
    assert not body.is_short()
    assert passed(body, b"0\r\n\r\n") == b""
    assert body.take() == (b"0\r\n\r\n", b"")
    assert not body.is_whole()


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
