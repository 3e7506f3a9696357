"""Addresses over which a data key may travel."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from registry.domain.errors import MisconfiguredHome


def demand_address(address: str, name: str, example: str) -> None:
    """Refuse an address over which a data key would travel in the clear, or which says more than where.

    Args:
        address: scheme, host and port.
        name: the setting's name, for the message.
        example: what it should look like.

    Raises:
        MisconfiguredHome: naming the setting, and not repeating the address: it may hold a password.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise MisconfiguredHome(f"keys: {name} must look like {example}") from None
    is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("https", "http") or not host or not is_bare:
        raise MisconfiguredHome(f"keys: {name} must look like {example}")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise MisconfiguredHome(f"keys: {name} must be https, or http to 127.0.0.1 or ::1")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
