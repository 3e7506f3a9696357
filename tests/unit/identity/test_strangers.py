"""Credit of strangers: bounded by source and in common, and memory bounded whatever comes."""

from __future__ import annotations

from registry.identity.strangers import (
    COMMON_BURST,
    CUT_AFTER,
    CUT_SECONDS,
    MAX_SOURCES,
    STRANGER_BURST,
    UNREAD_BURST,
    UNREAD_RATE,
    VOUCHED_BURST,
    VOUCHED_SECONDS,
    Strangers,
)


class Time:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def examined(strangers: Strangers, source: str, requests: int) -> int:
    return sum(strangers.may_ask(source) for _ in range(requests))


def test_an_unknown_source_has_its_burst_and_then_a_trickle() -> None:
    time = Time()
    strangers = Strangers(time)
    assert examined(strangers, "192.0.2.1", 1_000) == STRANGER_BURST
    time.now += 5.0
    assert examined(strangers, "192.0.2.1", 1_000) == 10
    assert examined(strangers, "192.0.2.2", 5) == 5


def test_many_sources_share_a_common_credit() -> None:
    strangers = Strangers(Time())
    assert sum(strangers.may_ask(f"192.0.{number >> 8}.{number & 255}") for number in range(2_000)) == COMMON_BURST


def test_a_source_that_goes_on_is_cut_off_for_a_while() -> None:
    time = Time()
    strangers = Strangers(time)
    examined(strangers, "192.0.2.1", int(STRANGER_BURST) + CUT_AFTER - 1)
    assert not strangers.is_cut_off("192.0.2.1")
    strangers.may_ask("192.0.2.1")
    assert strangers.is_cut_off("192.0.2.1")
    assert not strangers.is_cut_off("192.0.2.2")
    time.now += CUT_SECONDS
    assert not strangers.is_cut_off("192.0.2.1")


def test_a_source_of_good_tokens_is_never_cut_off_and_does_not_use_the_common_credit() -> None:
    time = Time()
    strangers = Strangers(time)
    examined(strangers, "192.0.2.1", 10_000)
    strangers.vouch("192.0.2.1")
    assert not strangers.is_cut_off("192.0.2.1")
    assert examined(strangers, "192.0.2.1", 10_000) == VOUCHED_BURST
    assert not strangers.is_cut_off("192.0.2.1")
    assert strangers.may_ask("192.0.2.2")
    time.now += VOUCHED_SECONDS
    examined(strangers, "192.0.2.1", 10_000)
    assert strangers.is_cut_off("192.0.2.1")


def test_one_ipv6_network_is_one_source() -> None:
    strangers = Strangers(Time())
    asked = sum(strangers.may_ask(f"2001:db8:0:1::{number:x}") for number in range(1_000))
    assert asked == STRANGER_BURST
    assert strangers.is_cut_off("2001:db8:0:1:ffff::1")
    assert strangers.may_ask("2001:db8:0:2::1")
    assert strangers.may_ask("fe80::1%eth0")
    assert strangers.may_ask("no address:at all")


def test_an_ipv4_source_is_itself_however_a_socket_writes_it() -> None:
    strangers = Strangers(Time())
    for _ in range(1_000):
        strangers.may_ask("::ffff:192.0.2.1")
    assert strangers.is_cut_off("::ffff:c000:201")
    assert strangers.is_cut_off("192.0.2.1")
    assert not strangers.is_cut_off("::ffff:192.0.2.2")
    assert strangers.may_ask("::ffff:192.0.2.2")


def test_memory_is_bounded() -> None:
    strangers = Strangers(Time())
    for number in range(3 * MAX_SOURCES):
        strangers.may_ask(f"{number}")
        strangers.vouch(f"v{number}")
    assert len(strangers) <= 2 * MAX_SOURCES


def test_answers_to_unread_bodies_have_a_credit_of_each_sender() -> None:
    time = Time()
    strangers = Strangers(time)
    assert sum(strangers.may_be_answered("issuer#reader") for _ in range(100)) == UNREAD_BURST
    assert strangers.may_be_answered("192.0.2.1")
    time.now += 1.0
    assert sum(strangers.may_be_answered("issuer#reader") for _ in range(100)) == UNREAD_RATE
    for number in range(2 * MAX_SOURCES):
        strangers.may_be_answered(f"{number}")
    assert len(strangers) <= MAX_SOURCES
