"""The inside of a verified token: each claim has one type, one range and one meaning, or the token is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from registry.domain.principals import Claims, Role
from registry.identity.issuers import BINDING_OFF, BINDING_REQUIRED, EVERY_CLIENT, IssuerSettings
from registry.identity.refusals import Refusal, refuse

MAX_TEXT_CHARACTERS = 255
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7638 with SHA-256
_TELLING_TYPES = frozenset({"at+jwt"})
_OF_OTHER_TOKENS = frozenset({"at_hash", "c_hash", "s_hash", "events"})
_LATEST_SECONDS = 2**53  # beyond it JSON numbers are no longer exact

_ROLES: Mapping[str, Role] = {role.value: role for role in Role}


def read_claims(payload: Mapping[str, Any], settings: IssuerSettings, now: float) -> Claims:
    """Check every claim of a payload whose signature and issuer have been verified.

    Args:
        payload: the verified JSON object.
        settings: the issuer's terms.
        now: Unix seconds.

    Raises:
        TokenRefused: with the code of the first claim that does not hold.
    """
    key_thumbprint = _key_thumbprint(payload, settings.dpop)
    # One that acts for somebody else (RFC 8693) would put the wrong name into the ledger.
    if "act" in payload:
        refuse(Refusal.DELEGATED)
    _check_kind(payload, settings)
    _check_audience(payload, settings.audience)
    issued_at, expires_at = _check_times(payload, settings, now)
    client, token_id = _client(payload, settings), _optional_text(payload, settings.token_id_claim)
    is_single_use = not settings.single_use.isdisjoint({EVERY_CLIENT, client})
    if (is_single_use or settings.sealed_once) and not token_id:
        refuse(Refusal.CLAIM_MISSING)
    return Claims(
        issuer=settings.issuer,
        subject=_subject(payload, settings.subject_claims),
        roles=_roles(payload, settings),
        token_id=token_id,
        client=client,
        expires_at=expires_at,
        step_up_until=_step_up_until(payload, settings, now),
        key_thumbprint=key_thumbprint,
        issued_at=issued_at,
        is_single_use=is_single_use,
        one_sealed_until=expires_at + settings.leeway_seconds if settings.sealed_once else 0,
    )


def _check_kind(payload: Mapping[str, Any], settings: IssuerSettings) -> None:
    """Check that it is an access token, and of the part of the issuer (a tenant, say) that is trusted."""
    # Where the header does not say so (RFC 9068), what only other tokens hold does: an ID token the digests of what
    # came with it (OpenID Connect Core 3.1.3.6, 3.3.2.11), a logout token its events (Back-Channel Logout 2.4).
    if settings.token_types != _TELLING_TYPES and not _OF_OTHER_TOKENS.isdisjoint(payload):
        refuse(Refusal.TOKEN_TYPE)
    for name, among in settings.fixed_claims:
        if name not in payload:
            refuse(Refusal.CLAIM_MISSING)
        value = payload[name]
        if type(value) is not str:
            refuse(Refusal.CLAIM_TYPE)
        if among and value not in among:
            refuse(Refusal.CLAIM_VALUE)


def _client(payload: Mapping[str, Any], settings: IssuerSettings) -> str:
    client = next(filter(None, (_optional_text(payload, name) for name in settings.client_claims)), "")
    if settings.client_required and not client:
        refuse(Refusal.CLAIM_MISSING)
    return client


def _key_thumbprint(payload: Mapping[str, Any], binding: str) -> str:
    """Return the thumbprint of the key that a token is bound to; empty for a plain bearer token."""
    if "cnf" not in payload:
        if binding == BINDING_REQUIRED:
            refuse(Refusal.UNBOUND)
        return ""
    bound = payload["cnf"]
    # Bound in another way (RFC 8705: to a certificate) is nothing that could be checked here.
    if binding == BINDING_OFF or type(bound) is not dict or bound.keys() != {"jkt"}:
        refuse(Refusal.SENDER_BOUND)
    thumbprint = bound["jkt"]
    if type(thumbprint) is not str or _THUMBPRINT.fullmatch(thumbprint) is None:
        refuse(Refusal.CLAIM_TYPE)
    return thumbprint


def _check_audience(payload: Mapping[str, Any], ours: str) -> None:
    audience = payload.get("aud")
    if audience is None:
        refuse(Refusal.CLAIM_MISSING)
    listed = [audience] if type(audience) is str else audience
    if type(listed) is not list or not all(type(one) is str for one in listed):
        refuse(Refusal.CLAIM_TYPE)
    if ours not in listed:
        refuse(Refusal.AUDIENCE)


def _check_times(payload: Mapping[str, Any], settings: IssuerSettings, now: float) -> tuple[int, int]:
    expires_at = seconds_of(payload, "exp")
    issued_at = seconds_of(payload, "iat")
    if now >= expires_at + settings.leeway_seconds:
        refuse(Refusal.EXPIRED)
    if issued_at > now + settings.leeway_seconds:
        refuse(Refusal.ISSUED_IN_FUTURE)
    if not 0 < expires_at - issued_at <= settings.max_lifetime_seconds:
        refuse(Refusal.LIFETIME)
    if "nbf" in payload and seconds_of(payload, "nbf") > now + settings.leeway_seconds:
        refuse(Refusal.NOT_YET_VALID)
    return issued_at, expires_at


def _step_up_until(payload: Mapping[str, Any], settings: IssuerSettings, now: float) -> int:
    # OpenID Connect Core 2: how strongly, and when, the person signed in; a token that is renewed keeps its time.
    if settings.step_up_acr.isdisjoint(_acr(payload, settings.acr_claim)) or "auth_time" not in payload:
        return 0
    signed_in_at = seconds_of(payload, "auth_time")
    if signed_in_at > now + settings.leeway_seconds:
        refuse(Refusal.ISSUED_IN_FUTURE)
    return signed_in_at + settings.step_up_max_age_seconds


def _acr(payload: Mapping[str, Any], name: str) -> list[str]:
    if type(payload.get(name)) is list:
        listed: list[str] = payload[name]
        if not all(type(one) is str for one in listed):
            refuse(Refusal.CLAIM_TYPE)
        return listed
    return [_optional_text(payload, name)]


def seconds_of(payload: Mapping[str, Any], name: str) -> int:
    """Return a claim that is a time, in Unix seconds.

    Raises:
        TokenRefused: it is not there, or is no whole number of them.
    """
    value = payload.get(name)
    if value is None:
        refuse(Refusal.CLAIM_MISSING)
    # type(), not isinstance(): True is an int to Python.
    if type(value) is not int or not 0 <= value < _LATEST_SECONDS:
        refuse(Refusal.CLAIM_TYPE)
    return value


def subject_claim(payload: Mapping[str, Any], settings: IssuerSettings) -> str:
    """Return which claim says who a token is of: the first of the issuer's names that is there; empty for none."""
    return next((name for name in settings.subject_claims if name in payload), "")


def _subject(payload: Mapping[str, Any], names: tuple[str, ...]) -> str:
    subject = next((payload[name] for name in names if name in payload), None)
    if subject is None:
        refuse(Refusal.CLAIM_MISSING)
    if type(subject) is not str:
        refuse(Refusal.CLAIM_TYPE)
    if not is_plain_text(subject):
        refuse(Refusal.SUBJECT)
    return subject


def _roles(payload: Mapping[str, Any], settings: IssuerSettings) -> frozenset[Role] | None:
    if _is_elsewhere(payload, settings.roles_path[0]):
        refuse(Refusal.ROLES)
    listed: Any = payload
    for name in settings.roles_path:
        if type(listed) is not dict:
            refuse(Refusal.ROLES)
        if name not in listed:
            return frozenset() if settings.roles_required else None
        listed = listed[name]
    if type(listed) is not list or not all(type(one) is str for one in listed):
        refuse(Refusal.ROLES)
    # Roles can only narrow, so a name this registry does not know (an issuer serves other systems too) gives nothing.
    return frozenset(_ROLES[one] for one in listed if one in _ROLES)


def _is_elsewhere(payload: Mapping[str, Any], name: str) -> bool:
    """Tell whether a claim is said to be too long to be in the token: nobody may then take it for absent.

    OpenID Connect Core 5.6.2 for any claim; Entra writes ``hasgroups`` instead in some tokens.
    """
    names = payload.get("_claim_names", {})
    return (
        type(names) is not dict or name in names or (name == "groups" and payload.get("hasgroups", False) is not False)
    )


def _optional_text(payload: Mapping[str, Any], name: str) -> str:
    if name not in payload:
        return ""
    value = payload[name]
    if type(value) is not str or not is_plain_text(value):
        refuse(Refusal.CLAIM_TYPE)
    return value


def is_plain_text(text: str) -> bool:
    """Tell whether an identifier can stand in a log line or a report and be read as what it is.

    1 to 255 characters, no control, format (bidirectional and zero-width) or unassigned character, no lone
    surrogate, no separator but the space, and no space at either end. Nothing is normalised: the principals table
    compares code points.
    """
    return 0 < len(text) <= MAX_TEXT_CHARACTERS and text.isprintable() and text == text.strip()
