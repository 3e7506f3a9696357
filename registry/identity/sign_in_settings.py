"""``[sign_in]`` in config.toml: where people sign in to the console."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.domain.errors import MisconfiguredHome
from registry.identity.issuers import IssuerSettings
from registry.identity.presets import require_scope

BACK_PATH = "/console/sign-in/back"
_KNOWN = frozenset({"issuer", "client_id", "client_secret_file", "scope", "resource"})


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """Where people sign in. Wrong settings are refused when they are built.

    Attributes:
        issuer: which of ``[[issuers]]``; one that is asked by ``discovery``.
        client_id: what the console is called there.
        public_url: where browsers reach the console; the address to come back to is under it.
        client_secret_file: the console's secret there, read at each sign-in; None for a public client.
        scope: what is asked for.
        resource: what the access token is to be for (RFC 8707); empty where the issuer knows it from the scope.

    Raises:
        MisconfiguredHome: naming the setting.
    """

    issuer: IssuerSettings
    client_id: str
    public_url: str
    client_secret_file: Path | None = None
    scope: str = "openid"
    resource: str = ""

    def __post_init__(self) -> None:
        if self.issuer.discovery is None:
            raise MisconfiguredHome("config.toml: sign_in: its issuer needs discovery")
        if not self.client_id or not self.public_url:
            raise MisconfiguredHome("config.toml: sign_in needs client_id, and public_url to come back to")
        if "openid" not in self.scope.split():
            raise MisconfiguredHome("config.toml: sign_in: scope has openid in it")
        require_scope(self.issuer.issuer, self.issuer.audience, self.scope, self.resource)

    @property
    def back(self) -> str:
        """Where the issuer sends browsers back to."""
        return self.public_url.rstrip("/") + BACK_PATH


def read_sign_in(given: Any, issuers: Iterable[IssuerSettings], public_url: str, home: Path) -> SignInSettings | None:
    """Read the table; None when there is none.

    Args:
        given: the table.
        issuers: whose tokens are accepted.
        public_url: where the registry is reached.
        home: folder that names of files are relative to.

    Raises:
        MisconfiguredHome: naming the setting.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping) or not all(isinstance(text, str) for text in given.values()):
        raise MisconfiguredHome("config.toml: write the sign-in as a table of texts, [sign_in]")
    if unknown := sorted(given.keys() - _KNOWN):
        raise MisconfiguredHome(f"config.toml: sign_in has unknown settings: {', '.join(unknown)}")
    issuer = next((one for one in issuers if one.issuer == given.get("issuer")), None)
    if issuer is None:
        raise MisconfiguredHome("config.toml: sign_in: issuer has to be one of [[issuers]]")
    texts = {name: given[name] for name in ("scope", "resource") if name in given}
    secret = home / given["client_secret_file"] if "client_secret_file" in given else None
    return SignInSettings(issuer, given.get("client_id", ""), public_url, secret, **texts)
