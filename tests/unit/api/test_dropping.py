"""The filter that drops sources: what it is made of, and when it is set."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from registry.api import dropping
from registry.api.dropping import MOST, Dropping, program


class Later:
    """Calls that come when told."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, _seconds: float, call: Callable[[], None]) -> None:
        self.waiting.append(call)

    def come(self) -> None:
        now, self.waiting = self.waiting, []
        for call in now:
            call()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        yield made


def can_connect(listening: socket.socket, source: str) -> bool:
    with socket.socket() as connection:
        connection.settimeout(0.2)
        connection.bind((source, 0))
        try:
            connection.connect(listening.getsockname())
        except TimeoutError:
            return False
        return True


def test_a_filter_without_sources_lets_everything_through() -> None:
    assert program([]).hex() == "200000000c00f0ff" + "06000000ffffffff"


def test_a_source_is_compared_as_a_number() -> None:
    assert program(["192.0.2.1"])[8:-8].hex() == "15000001010200c0" + "0600000000000000"


def test_only_those_named_are_dropped_and_only_as_long(listening: socket.socket) -> None:
    later, refused = Later(), {"127.0.0.9", "127.0.0.8"}
    sources = Dropping(listening, refused.__contains__, later)
    assert sources.add("127.0.0.9")
    assert sources.add("127.0.0.8")
    assert not sources.add("127.0.0.9")
    assert [can_connect(listening, f"127.0.0.{last}") for last in (7, 8, 9)] == [True, False, False]
    refused.remove("127.0.0.8")
    later.come()
    assert [can_connect(listening, f"127.0.0.{last}") for last in (7, 8, 9)] == [True, True, False]
    refused.clear()
    later.come()
    assert can_connect(listening, "127.0.0.9")
    assert not later.waiting


def test_what_a_process_left_behind_is_not_kept(listening: socket.socket) -> None:
    Dropping(listening, lambda _: True, Later()).add("127.0.0.9")
    assert not can_connect(listening, "127.0.0.9")
    Dropping(listening, lambda _: True, Later())  # of the process that takes its place
    assert can_connect(listening, "127.0.0.9")


def test_what_another_process_put_in_its_place_is_put_back(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropping, "_AGAIN_SECONDS", 0.0)
    ours, theirs = (Dropping(listening, lambda _: True, Later()) for _ in range(2))
    ours.add("127.0.0.9")
    theirs.add("127.0.0.8")
    assert can_connect(listening, "127.0.0.9")
    assert not ours.add("127.0.0.9")  # it came in again
    assert not can_connect(listening, "127.0.0.9")


def test_there_is_a_bound(listening: socket.socket) -> None:
    sources = Dropping(listening, lambda _: True, Later())
    assert all(sources.add(f"192.0.2.{number}") for number in range(MOST))
    assert not sources.add("198.51.100.1")


def test_where_there_is_no_filter_nothing_is_dropped(listening: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropping, "_SO_ATTACH_FILTER", 9_999)
    sources = Dropping(listening, lambda _: True, Later())
    assert sources.add("127.0.0.9")
    assert can_connect(listening, "127.0.0.9")
    assert not sources.add("127.0.0.8")
