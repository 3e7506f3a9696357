"""What an issuer says of itself (OpenID Connect Discovery 1.0, RFC 8414), believed where it repeats the settings."""

from __future__ import annotations

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
    try:
        said = read_object(document)
    except NotStrict:
        raise KeyUnavailable("discovery: not one JSON object with unique members") from None
    if said.get("issuer") != settings.issuer:
        raise KeyUnavailable("discovery: another issuer's document")
    address = said.get("jwks_uri")
    if type(address) is not str or not _is_listed(address, settings):
        raise KeyUnavailable("discovery: jwks_uri is neither of the same origin nor listed")
    return address


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address.

    Raises:
        MisconfiguredHome: it is not a safe one.
    """
    require_safe_url(url, "an address of an issuer")
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{port_of(parts)}"


def _is_listed(address: str, settings: IssuerSettings) -> bool:
    try:
        listed = {origin_of(url) for url in (*settings.jwks_origins, settings.discovery or "")}
        return origin_of(address) in listed
    except (MisconfiguredHome, ValueError):  # a port that is no number
        return False
