"""Where issuers' documents may be fetched from, without a name service: names are looked up in a table."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from registry.domain.errors import KeyUnavailable
from registry.identity.addresses import permitted_addresses

URL = "https://sign-in.example/jwks"


def leads_to(*addresses: str) -> Sequence[str]:
    return addresses


def permitted(url: str, *addresses: str, networks: tuple[str, ...] = ()) -> list[str]:
    return permitted_addresses(url, networks, lambda _host, _port: leads_to(*addresses))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_machines_are_fine(address: str) -> None:
    assert permitted(URL, address) == [address]


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1"),
        *("169.254.169.254", "fd00:ec2::254", "fe80::1", "fe80::1%eth0"),  # where clouds keep their secrets
        *("127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"),
        *("224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "192.0.2.1"),
        *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:127.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1"),
    ],
)
def test_machines_inside_are_not(address: str) -> None:
    with pytest.raises(KeyUnavailable):
        permitted(URL, address)


def test_one_address_inside_spoils_the_name() -> None:
    with pytest.raises(KeyUnavailable):
        permitted(URL, "8.8.8.8", "10.0.0.1")


def test_a_listed_network_is_allowed_and_no_other() -> None:
    assert permitted(URL, "10.20.1.2", networks=("10.20.0.0/16",)) == ["10.20.1.2"]
    assert permitted(URL, "::ffff:10.20.1.2", networks=("10.20.0.0/16",)) == ["::ffff:a14:102"]
    for address in ("10.21.0.1", "169.254.169.254", "fd00::1"):
        with pytest.raises(KeyUnavailable):
            permitted(URL, address, networks=("10.20.0.0/16", "2001:db8::/32"))


@pytest.mark.parametrize("url", ["http://localhost:8080/jwks", "http://127.0.0.1/jwks", "http://[::1]/jwks"])
def test_this_machine_is_allowed_where_the_address_says_so(url: str) -> None:
    assert permitted(url, "127.0.0.1") == ["127.0.0.1"]


def test_localhost_that_leads_elsewhere_inside_is_refused() -> None:
    with pytest.raises(KeyUnavailable):
        permitted("http://localhost/jwks", "10.0.0.1")


@pytest.mark.parametrize("found", [(), ("not an address",)])
def test_a_name_without_an_address_is_unavailable(found: tuple[str, ...]) -> None:
    with pytest.raises(KeyUnavailable):
        permitted(URL, *found)


def test_a_name_that_is_not_found_is_unavailable() -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(KeyUnavailable, match="no address"):
        permitted_addresses(URL, (), unknown)


def test_a_name_of_many_machines_is_tried_at_two() -> None:
    assert permitted(URL, "8.8.8.8", "8.8.4.4", "1.1.1.1") == ["8.8.8.8", "8.8.4.4"]
