"""Turns at work: bounded, shared, given back."""

from __future__ import annotations

import asyncio

import pytest

from registry.api.turns import CROWD_SHARES, LINE, MOST_SHARES, PAUSE_SECONDS, STRANGERS, STRANGERS_AT_WORK, Turns
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


def test_a_crowd_that_is_alone_has_a_part_so_that_whoever_comes_does_not_wait_for_all() -> None:
    assert taken(Turns(Time(), 64, 4), "a", 100) == 64 // CROWD_SHARES


def test_a_crowd_pauses_between_its_turns_while_others_are_about() -> None:
    async def scene() -> list[int]:
        time, counts = Time(), []
        turns = Turns(time, 64, 2)
        assert turns.try_take("modest")
        done: list[int] = []

        async def client() -> None:
            await turns.wait("crowd")
            done.append(1)
            turns.give("crowd")

        assert taken(turns, "crowd", 100) == 2
        waiting = [asyncio.create_task(client()) for _ in range(3)]
        await asyncio.sleep(0)
        turns.give("crowd")
        for _ in range(5):
            await asyncio.sleep(0)
        counts.append(len(done))  # the next turn came at once, the one after it does not
        time.now += PAUSE_SECONDS
        await asyncio.wait(waiting, timeout=5.0, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(2 * PAUSE_SECONDS)
        counts.append(len(done))
        time.now += PAUSE_SECONDS
        await asyncio.wait_for(asyncio.gather(*waiting), 5.0)
        return [*counts, len(done)]

    assert asyncio.run(scene()) == [1, 2, 3]


def test_crowds_among_themselves_do_not_pause() -> None:
    async def scene() -> int:
        turns, done = Turns(Time(), 4, 2), []

        async def client(key: str) -> None:
            await turns.wait(key)
            done.append(key)
            turns.give(key)

        assert (taken(turns, "a", 9), taken(turns, "b", 9)) == (2, 2)
        waiting = [asyncio.create_task(client(key)) for key in "aaabbb"]
        await asyncio.sleep(0)
        turns.give("a")
        turns.give("b")
        for _ in range(20):
            await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        return len(done)

    assert asyncio.run(scene()) >= 5


def test_nobody_goes_past_a_line_of_their_own() -> None:
    async def scene() -> bool:
        time = Time()
        turns = Turns(time, 16)
        assert turns.try_take("b")
        turns.give("b")
        assert taken(turns, "a", 20) == 8
        waiting = asyncio.create_task(turns.wait("a"))
        await asyncio.sleep(0)
        time.now += 2.0  # b has gone, so there is room for more, and one in line for it
        is_past = turns.try_take("a")
        turns.give("a")
        await waiting
        return is_past

    assert not asyncio.run(scene())


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
