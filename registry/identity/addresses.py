"""Which machines an issuer's documents may be fetched from: public ones, and those that the settings list."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from registry.domain.errors import KeyUnavailable
from registry.identity.issuers import Networks, is_loopback, networks_of

MOST_ADDRESSES = 2  # of a name; each is given a whole time-out

_PORTS = {"https": 443, "http": 80}
_NAT64 = IPv6Network("64:ff9b::/96")
_TUNNELS = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))  # 6to4 and Teredo carry an IPv4 address inside

Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses that a name has now.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def permitted_addresses(url: str, networks: Networks, resolve: Resolve = resolve) -> list[str]:
    """Return the addresses to connect to for a URL; whoever connects uses these and asks for the name no second time.

    Args:
        url: a safe one (``issuers.require_safe_url``).
        networks: of machines that are not public and allowed all the same.
        resolve: finds the addresses of a name.

    Raises:
        KeyUnavailable: the name has no address, or one of them is not allowed: a name that leads inside and outside
            at once is somebody's attempt, or somebody's mistake.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        found = [ip_address(text.partition("%")[0]) for text in resolve(host, port_of(parts))]
    except (OSError, ValueError):
        raise KeyUnavailable("key set: the name has no address") from None
    allowed = networks_of(networks)
    if not found or not all(_is_permitted(one, host, allowed) for one in found):
        raise KeyUnavailable("key set: the address is not a public one, nor listed")
    return [str(one) for one in found[:MOST_ADDRESSES]]


def port_of(parts: SplitResult) -> int:
    """Return the port that a URL means."""
    return parts.port or _PORTS[parts.scheme]


def _is_permitted(address: IPv4Address | IPv6Address, host: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    inner = _inner(address)
    # Membership of the other family is False, not an error.
    if any(inner in network for network in networks):
        return True
    if inner.is_loopback:
        # Whoever wrote 127.0.0.1 or localhost meant this machine; a name that leads here did not say so.
        return is_loopback(host)
    if isinstance(inner, IPv6Address) and any(inner in tunnel for tunnel in _TUNNELS):
        return False
    return inner.is_global and not (inner.is_multicast or inner.is_reserved or inner.is_unspecified)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that is reached through an IPv6 one, if one is."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
