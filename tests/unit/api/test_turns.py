"""Turns at work: bounded, shared, given back."""

from __future__ import annotations

import asyncio

import pytest

from registry.api.turns import LINE, MOST_SHARES, STRANGERS, STRANGERS_AT_WORK, Turns
from registry.domain.errors import Busy


class Time:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def taken(turns: Turns, key: str, tries: int) -> int:
    return sum(turns.try_take(key) for _ in range(tries))


def test_who_is_alone_may_have_all() -> None:
    assert taken(Turns(Time(), 16), "a", 20) == 16


def test_nobody_has_more_than_a_share_when_others_are_about() -> None:
    turns = Turns(Time(), 64)
    for number in range(MOST_SHARES + 3):
        assert turns.try_take(f"reader {number}")
        turns.give(f"reader {number}")
    assert taken(turns, "greedy", 100) == 64 // MOST_SHARES
    assert turns.try_take("reader 1")


def test_a_crowd_has_little_while_somebody_is_about_who_asks_for_little() -> None:
    turns = Turns(Time(), 64, 4)
    assert turns.try_take("modest")
    assert taken(turns, "greedy", 100) == 4
    assert turns.try_take("modest")


def test_crowds_among_themselves_have_their_shares() -> None:
    turns = Turns(Time(), 64, 4)
    assert taken(turns, "a", 4) == taken(turns, "b", 4) == 4
    assert taken(turns, "a", 100) == taken(turns, "b", 100) == 32 - 4


def test_a_crowd_that_is_alone_has_all() -> None:
    assert taken(Turns(Time(), 64, 4), "a", 100) == 64


def test_who_went_away_leaves_the_share_to_others() -> None:
    time = Time()
    turns = Turns(time, 16)
    assert turns.try_take("b")
    turns.give("b")
    assert taken(turns, "a", 20) == 8
    time.now += 1.0
    assert taken(turns, "a", 20) == 0  # b was here a moment ago
    time.now += 1.0
    assert taken(turns, "a", 20) == 8


def test_strangers_have_few_and_take_no_share_from_others() -> None:
    turns = Turns(Time(), 128)
    assert taken(turns, STRANGERS, 100) == STRANGERS_AT_WORK
    assert taken(turns, "a", 200) == 128 - STRANGERS_AT_WORK


def test_a_turn_given_back_goes_to_who_waits_and_the_lines_take_turns() -> None:
    async def scene() -> list[str]:
        turns, order = Turns(Time(), 1), []
        assert turns.try_take("first")

        async def client(key: str) -> None:
            await turns.wait(key)
            order.append(key)
            turns.give(key)

        waiting = [asyncio.create_task(client(key)) for key in ("a", "a", "a", "b", "c")]
        await asyncio.sleep(0)
        assert turns.waiting == 5
        turns.give("first")
        await asyncio.gather(*waiting)
        assert (turns.waiting, turns.try_take("last")) == (0, True)
        return order

    assert asyncio.run(scene()) == ["a", "b", "c", "a", "a"]


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.turns.PATIENCE_SECONDS", 0.001)

    async def scene() -> None:
        turns = Turns(Time(), 1)
        assert turns.try_take("a")
        with pytest.raises(Busy):
            await turns.wait("a")
        assert turns.waiting == 0
        turns.give("a")
        assert turns.try_take("a")

    asyncio.run(scene())


def test_a_client_that_goes_away_while_waiting_keeps_no_turn() -> None:
    async def scene() -> None:
        turns = Turns(Time(), 1)
        assert turns.try_take("a")
        waiting = [asyncio.create_task(turns.wait("b")) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # in the line
        await asyncio.sleep(0)
        turns.give("a")
        waiting[1].cancel()  # granted, and not yet told so
        await asyncio.gather(*waiting, return_exceptions=True)
        assert turns.waiting == 0
        assert turns.try_take("c")

    asyncio.run(scene())


def test_a_cancelled_place_in_line_is_passed_over() -> None:
    async def scene() -> None:
        turns = Turns(Time(), 1)
        assert turns.try_take("a")
        waiting = asyncio.create_task(turns.wait("b"))
        await asyncio.sleep(0)
        waiting.cancel()
        turns.give("a")  # before the cancelled one has left its line
        await asyncio.gather(waiting, return_exceptions=True)
        assert turns.try_take("c")

    asyncio.run(scene())


def test_the_lines_are_bounded() -> None:
    async def scene() -> None:
        turns = Turns(Time(), 1)
        assert turns.try_take("a")
        waiting = [asyncio.create_task(turns.wait(f"{number}")) for number in range(LINE)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await turns.wait("one too many")
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert turns.waiting == 0

    asyncio.run(scene())
