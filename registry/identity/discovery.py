"""What an issuer says of itself (OpenID Connect Discovery 1.0, RFC 8414), believed where it repeats the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from registry.domain.errors import KeyUnavailable, MisconfiguredHome
from registry.identity.addresses import port_of
from registry.identity.issuers import IssuerSettings, require_safe_url
from registry.identity.segments import NotStrict, read_object


def key_address(document: bytes, settings: IssuerSettings) -> str:
    """Return where a discovery document says that the issuer's keys are.

    Args:
        document: as served at the issuer's ``discovery`` address.
        settings: the issuer's terms.

    Raises:
        KeyUnavailable: it is no document, is of another issuer (compared byte for byte), or names an address that is
            not of the document's own origin nor listed in ``jwks_origins``.
    """
    return endpoint(read_document(document, settings), "jwks_uri", settings)


def read_document(document: bytes, settings: IssuerSettings) -> Mapping[str, Any]:
    """Return what a discovery document says.

    Raises:
        KeyUnavailable: it is no document, or is of another issuer (compared byte for byte).
    """
    try:
        said = read_object(document)
    except NotStrict:
        raise KeyUnavailable("discovery: not one JSON object with unique members") from None
    if said.get("issuer") != settings.issuer:
        raise KeyUnavailable("discovery: another issuer's document")
    return said


def endpoint(said: Mapping[str, Any], name: str, settings: IssuerSettings, *, is_for_browsers: bool = False) -> str:
    """Return an address that a discovery document names.

    Args:
        said: the document.
        name: of the member.
        settings: the issuer's terms.
        is_for_browsers: people go there themselves; the registry does not ask it anything.

    Raises:
        KeyUnavailable: it names none, or one that is not of the document's own origin nor listed in ``jwks_origins``.
    """
    address = said.get(name)
    is_good = type(address) is str and (_is_safe(address) if is_for_browsers else _is_listed(address, settings))
    if not is_good:
        raise KeyUnavailable(f"discovery: {name} is neither of the same origin nor listed")
    return str(address)


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address.

    Raises:
        MisconfiguredHome: it is not a safe one.
    """
    require_safe_url(url, "an address of an issuer")
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{port_of(parts)}"


def _is_safe(address: str) -> bool:
    try:
        require_safe_url(address, "an address of an issuer")
    except MisconfiguredHome:
        return False
    return address.isascii() and address.isprintable() and " " not in address


def _is_listed(address: str, settings: IssuerSettings) -> bool:
    try:
        listed = {origin_of(url) for url in (*settings.jwks_origins, settings.discovery or "")}
        return origin_of(address) in listed
    except (MisconfiguredHome, ValueError):  # a port that is no number
        return False
