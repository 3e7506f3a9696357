"""The suite's own fences: no connection leaves this machine, chance is repeatable."""

from __future__ import annotations

import random
import socket

import pytest

from tests.conftest import OutsideConnectionError

OUTSIDE = "192.0.2.1"  # a documentation address that nobody answers


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_connection_outwards_is_refused(family: socket.AddressFamily) -> None:
    address = (OUTSIDE, 80) if family is socket.AF_INET else ("2001:db8::1", 80, 0, 0)
    with socket.socket(family) as outwards, pytest.raises(OutsideConnectionError):
        outwards.connect(address)


def test_a_quiet_connection_or_datagram_outwards_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outwards:
        with pytest.raises(OutsideConnectionError):
            outwards.connect_ex((OUTSIDE, 80))
        with pytest.raises(OutsideConnectionError):
            outwards.sendto(b"x", (OUTSIDE, 53))


@pytest.mark.parametrize("host", ["example.org", b"example.org", OUTSIDE])
def test_a_name_is_not_looked_up(host: str | bytes) -> None:
    with pytest.raises(OutsideConnectionError):
        socket.getaddrinfo(host, 80)


def test_this_machine_is_reached() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(("localhost", server.getsockname()[1])) as client,
    ):
        assert client.getpeername()[0] == "127.0.0.1"


def test_the_same_seed_gives_the_same_chances(rng: random.Random, request: pytest.FixtureRequest) -> None:
    seed = request.config.getoption("randomly_seed", default=0)
    assert rng.random() == random.Random(f"{seed}:{request.node.nodeid}").random()
