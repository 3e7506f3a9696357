"""Where the known makes of providers put things, so that an agency writes down three lines and not fifteen.

A preset fills in what ``[[issuers]]`` leaves out; whatever is written there counts more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from registry.domain.errors import MisconfiguredHome
from registry.identity.issuers import DEVELOPMENT_AUDIENCE

Terms = Mapping[str, Any]

_DISCOVERY = "/.well-known/openid-configuration"
_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# One tenant by its number: "common", "organizations" and a domain stand for others too, or may come to.
_ENTRA_V2 = re.compile(
    rf"https://login\.(?:microsoftonline\.com|microsoftonline\.us|partner\.microsoftonline\.cn)/({_GUID})/v2\.0"
)
_ENTRA_V1 = re.compile(rf"https://sts\.windows\.net/({_GUID})/")
_CLIENT_ID = re.compile(_GUID)
_OKTA = re.compile(r"https://[^/]+/oauth2/[A-Za-z0-9]+")


def with_preset(table: Terms) -> dict[str, Any]:
    """Return the terms of an issuer with what its preset knows filled in.

    Args:
        table: one ``[[issuers]]`` table; ``preset`` is ``entra``, ``okta``, ``keycloak`` or ``generic`` (also without).

    Raises:
        MisconfiguredHome: an unknown preset, or an issuer or audience that is none of that make.
    """
    name = table.get("preset", "generic")
    make = _PRESETS.get(name) if isinstance(name, str) else None
    if make is None:
        raise MisconfiguredHome(f"config.toml: preset must be one of {', '.join(sorted(_PRESETS))}")
    given = {key: value for key, value in table.items() if key != "preset"}
    if not isinstance(given.get("issuer", ""), str):
        raise MisconfiguredHome("config.toml: an issuer is a text")
    return {**make(given), **given} if "issuer" in given else given


def require_scope(issuer: str, audience: str, scope: str, resource: str) -> None:
    """Check that a sign-in at an issuer's page asks for what makes its tokens ones for this registry.

    Only Entra is known to give a token without it all the same, which is then refused at every sign-in. Sources: "ID
    token claims reference" (``oid`` takes the scope ``profile``), "Scopes and permissions in the Microsoft identity
    platform" (a scope without a resource is one of Microsoft Graph; version 1 takes ``resource``).

    Args:
        issuer: whose page it is.
        audience: what the access token has to be for.
        scope: what is asked for, as it is sent.
        resource: likewise; empty for none.

    Raises:
        MisconfiguredHome: with the line to write.
    """
    second, first = _ENTRA_V2.fullmatch(issuer), _ENTRA_V1.fullmatch(issuer)
    if not (second or first):
        return
    scopes = scope.split()
    if "profile" in scopes and (resource if first else any("/" in one for one in scopes)):
        return
    line = f'scope = "openid profile api://{audience}/.default"' if second else f'resource = "{audience}"'
    named = "with the Application ID URI of the registry's API where that is another one"
    raise MisconfiguredHome(
        "config.toml: sign_in: Entra says who signed in (oid) with the scope profile only, and makes its tokens for"
        f" Microsoft Graph unless it is asked for the registry's API; write: {line}"
        + (f", {named}" if second else ' and scope = "openid profile"')
    )


def _generic(_given: Terms) -> Terms:
    return {"audience": DEVELOPMENT_AUDIENCE}


def _entra(given: Terms) -> Terms:
    issuer = given["issuer"]
    second, first = _ENTRA_V2.fullmatch(issuer), _ENTRA_V1.fullmatch(issuer)
    tenant = second or first
    if tenant is None:
        raise MisconfiguredHome(
            "config.toml: an issuer of Entra names one tenant by its number:"
            " https://login.microsoftonline.com/<number>/v2.0 or https://sts.windows.net/<number>/"
        )
    if second and "audience" in given and not _CLIENT_ID.fullmatch(str(given["audience"])):
        # "Access token claims reference": "In v2.0 tokens, this value is always the client ID of the API."
        raise MisconfiguredHome(
            "config.toml: audience: tokens of version 2 of Entra are for the client id of the registry's API, a number"
            " in small letters, as in 9c1f52a4-5d5b-4a6e-8f31-d1b6f4a1e3aa; only those of version 1 may be for its"
            " Application ID URI (api://...)"
        )
    home = issuer if second else f"https://login.microsoftonline.com/{tenant[1]}"
    return {
        **_source(given, home),
        "algorithms": ["RS256"],
        "token_types": ["jwt"],
        # "sub" is another one for every program; "oid" is the person's, or the program's own, in the whole tenant.
        "subject_claims": ["oid"],
        "client_claims": ["azp"] if second else ["appid"],
        "client_required": True,  # ID tokens have none, and may have the same audience
        "token_id_claim": "uti",
        "roles_claim": "roles",
        "roles_required": True,
        "acr_claim": "acrs",  # contexts of Conditional Access, such as c1
        "fixed_claims": {"tid": [tenant[1]], "ver": ["2.0" if second else "1.0"]},
        "max_lifetime_seconds": 6000,  # Entra draws 60 to 90 minutes, and dates tokens back by five
    }


def _okta(given: Terms) -> Terms:
    if _OKTA.fullmatch(given["issuer"]) is None:
        raise MisconfiguredHome(
            "config.toml: an issuer of Okta is a custom authorization server, https://<name>/oauth2/<id>;"
            " tokens of the organisation's own server are for Okta alone"
        )
    return {
        **_source(given, given["issuer"]),
        "algorithms": ["RS256"],
        "token_types": ["", "jwt", "at+jwt"],
        # "sub" is the login of a person, which may be given to another one day; programs have no "uid".
        "subject_claims": ["uid", "sub"],
        "client_claims": ["cid"],
        "client_required": True,  # ID tokens have none
        "roles_claim": "roles",
        "roles_required": True,
    }


def _keycloak(given: Terms) -> Terms:
    audience = given.get("audience", DEVELOPMENT_AUDIENCE)
    return {
        **_source(given, given["issuer"]),
        "audience": audience,
        "algorithms": ["RS256"],
        "token_types": ["jwt", "at+jwt"],
        "client_claims": ["azp"],
        "client_required": True,
        # The roles of the client that stands for this registry; for those of the realm: ["realm_access", "roles"].
        "roles_claim": ["resource_access", audience, "roles"],
        "roles_required": True,
        # ID tokens say "ID" there, refresh tokens "Refresh", logout tokens "Logout".
        "fixed_claims": {"typ": ["Bearer", "DPoP"]},
    }


def _source(given: Terms, home: str) -> Terms:
    """Return where to ask for the keys when the table does not say."""
    if {"jwks_uri", "jwks_file", "discovery"} & given.keys():
        return {}
    return {"discovery": home + _DISCOVERY}


_PRESETS: Mapping[str, Callable[[Terms], Terms]] = {
    "entra": _entra,
    "generic": _generic,
    "keycloak": _keycloak,
    "okta": _okta,
}
