"""Whose tokens are accepted, and under which terms. Each issuer pins one algorithm, one audience, one key source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from registry.domain.duties import DEVELOPMENT_ISSUER, EXEMPT_ISSUERS
from registry.domain.errors import MisconfiguredHome

__all__ = [
    "ALLOWED_ALGORITHMS",
    "DEVELOPMENT_AUDIENCE",
    "DEVELOPMENT_ISSUER",
    "DEVELOPMENT_PROFILE",
    "IssuerSettings",
    "Networks",
    "is_loopback",
    "networks_of",
    "require_fit_for_profile",
    "require_safe_url",
]

EVERY_CLIENT = "*"
ALLOWED_ALGORITHMS = frozenset({"RS256", "ES256"})  # nothing symmetric, ever
DEVELOPMENT_PROFILE = "development"
DEVELOPMENT_AUDIENCE = "registry"

BINDING_OFF, BINDING_ALLOWED, BINDING_REQUIRED = "off", "allowed", "required"
_BINDINGS = frozenset({BINDING_OFF, BINDING_ALLOWED, BINDING_REQUIRED})
NO_TYPE = ""  # of an issuer whose tokens have no typ at all
_KNOWN_TYPES = frozenset({"at+jwt", "jwt", NO_TYPE})
_LONGEST_LIFETIME_SECONDS = 24 * 3600
LONGEST_LEEWAY_SECONDS = 300

Networks = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """One trusted issuer. Wrong settings are refused when they are built, not when the first token comes.

    Attributes:
        issuer: the exact ``iss`` text; compared byte for byte, no trailing slash added or removed.
        audience: the exact ``aud`` value that means this registry.
        algorithms: exactly one of RS256 and ES256. A set because that is how issuers publish it; one member
            because a second family is what key-confusion attacks need.
        jwks_uri, jwks_file, discovery: where the public keys are, or the document that says where they are (OpenID
            Connect Discovery); exactly one of the three.
        jwks_origins: origins besides the discovery document's own that it may name for the keys.
        networks: machines that are not public and may be fetched from all the same, such as ``10.20.0.0/16``.
        token_types: accepted ``typ`` header values, lower case. ``jwt`` only for issuers that cannot send
            ``at+jwt`` (RFC 9068), the empty text for those that send none: ID tokens are told apart by audience and
            by claims that only they have.
        roles_claim: name of the claim that lists roles, or the names that lead to it, outermost first.
        roles_required: whether a token without that claim has no roles, instead of all that its principal holds.
        subject_claims: names of the claim that says who; the first one that is there counts.
        client_claims: names of the claim that says through which program; likewise.
        client_required: whether a token has to have one of those.
        token_id_claim: name of the claim that tells one token from another.
        fixed_claims: claims that must be there, and the texts one of which each must be; none for any text.
        max_lifetime_seconds: longest accepted ``exp - iat``.
        leeway_seconds: accepted clock difference.
        acr_claim: name of the claim that says how strongly the person signed in: a text, or a list of them.
        step_up_acr: values of ``acr`` that mean a strong sign-in; none, and nobody of this issuer steps up.
        step_up_max_age_seconds: how long after ``auth_time`` a strong sign-in counts as recent.
        dpop: tokens that are bound to a key (RFC 9449): ``off``: refused; ``allowed``; ``required``: no others.
        dpop_nonce: whether a proof must hold a number that this process gave out lately.
        sealed_once: whether a token opens one card with sealed records at most.
        single_use: clients whose tokens are good for one request each, in all processes; ``*`` for all of them.

    Raises:
        MisconfiguredHome: naming the setting.
    """

    issuer: str
    audience: str
    algorithms: frozenset[str]
    jwks_uri: str | None = None
    jwks_file: Path | None = None
    discovery: str | None = None
    jwks_origins: tuple[str, ...] = ()
    networks: Networks = ()
    token_types: frozenset[str] = frozenset({"at+jwt"})
    roles_claim: str | tuple[str, ...] = "roles"
    roles_required: bool = False
    subject_claims: tuple[str, ...] = ("sub",)
    client_claims: tuple[str, ...] = ("client_id", "azp")
    client_required: bool = False
    token_id_claim: str = "jti"  # noqa: S105 - a claim's name, not a password
    fixed_claims: tuple[tuple[str, frozenset[str]], ...] = ()
    acr_claim: str = "acr"
    max_lifetime_seconds: int = 3600
    leeway_seconds: int = 30
    step_up_acr: frozenset[str] = frozenset()
    step_up_max_age_seconds: int = 900
    dpop: str = BINDING_OFF
    dpop_nonce: bool = False
    single_use: frozenset[str] = frozenset()
    sealed_once: bool = False

    def __post_init__(self) -> None:
        if not self.issuer or not self.audience:
            raise MisconfiguredHome("issuer and audience must not be empty")
        self._check_names()
        if len(self.algorithms) != 1 or not self.algorithms <= ALLOWED_ALGORITHMS:
            raise MisconfiguredHome("algorithms must name exactly one of ES256 and RS256")
        if not self.token_types or not self.token_types <= _KNOWN_TYPES:
            raise MisconfiguredHome("token_types must be at+jwt, or jwt for an issuer that cannot send it")
        self._check_sources()
        if not 0 < self.max_lifetime_seconds <= _LONGEST_LIFETIME_SECONDS:
            raise MisconfiguredHome("max_lifetime_seconds must be between 1 and 86400")
        if not 0 <= self.leeway_seconds <= LONGEST_LEEWAY_SECONDS:
            raise MisconfiguredHome("leeway_seconds must be between 0 and 300")
        if "" in self.step_up_acr or not 0 < self.step_up_max_age_seconds <= _LONGEST_LIFETIME_SECONDS:
            raise MisconfiguredHome("step_up_acr takes no empty text, and step_up_max_age_seconds is 1 to 86400")
        if self.dpop not in _BINDINGS or type(self.dpop_nonce) is not bool:
            raise MisconfiguredHome("dpop must be off, allowed or required, and dpop_nonce true or false")
        if "" in self.single_use or type(self.sealed_once) is not bool:
            raise MisconfiguredHome("single_use takes no empty text, and sealed_once is true or false")

    def _check_sources(self) -> None:
        if sum(source is not None for source in (self.jwks_uri, self.jwks_file, self.discovery)) != 1:
            raise MisconfiguredHome("give exactly one of jwks_uri, jwks_file and discovery")
        if self.jwks_origins and self.discovery is None:
            raise MisconfiguredHome("jwks_origins is for issuers that are asked by discovery")
        if self.jwks_uri is not None:
            require_safe_url(self.jwks_uri)
        if self.discovery is not None:
            require_safe_url(self.discovery, "discovery")
        for url in self.jwks_origins:
            require_safe_url(url, "jwks_origins")
        networks_of(self.networks)

    def _check_names(self) -> None:
        path = self.roles_path
        names: list[object] = [*path, *self.subject_claims, *self.client_claims, self.token_id_claim, self.acr_claim]
        names += [name for name, _ in self.fixed_claims]
        flags: list[object] = [self.roles_required, self.client_required]
        if not path or not self.subject_claims or not self.client_claims:
            raise MisconfiguredHome("roles_claim, subject_claims and client_claims must not be empty")
        if not all(isinstance(name, str) and name for name in names):
            raise MisconfiguredHome("names of claims are texts and not empty")
        if not all(isinstance(flag, bool) for flag in flags):
            raise MisconfiguredHome("roles_required and client_required must be true or false")

    @property
    def roles_path(self) -> tuple[str, ...]:
        """The names that lead to the claim that lists roles."""
        return (self.roles_claim,) if isinstance(self.roles_claim, str) else self.roles_claim

    @property
    def algorithm(self) -> str:
        """The one pinned algorithm."""
        (only,) = self.algorithms
        return only


def require_safe_url(url: str, name: str = "jwks_uri") -> None:
    """Check that whoever answers at an address can be trusted to be who it names.

    Args:
        url: the address.
        name: of the setting that it stands in.

    Raises:
        MisconfiguredHome: not https (plain http is for the loopback interface only), no host, or a user name or
            fragment in the address.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise MisconfiguredHome(f"{name} is not a readable address") from None
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise MisconfiguredHome(f"{name} needs a host and takes no user name, password or fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise MisconfiguredHome(f"{name} must be https; plain http is for loopback addresses only")


def is_loopback(host: str) -> bool:
    """Tell whether a host name means this machine: ``localhost``, 127.0.0.0/8 or ::1, nothing that needs DNS."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def networks_of(networks: Networks) -> list[IPv4Network | IPv6Network]:
    """Read networks.

    Raises:
        MisconfiguredHome: one is no network, such as 10.20.0.0/16 is.
    """
    try:
        return [ip_network(text) for text in networks]
    except ValueError:
        raise MisconfiguredHome("networks takes networks only, such as 10.20.0.0/16") from None


def require_fit_for_profile(issuers: Iterable[IssuerSettings], profile: str) -> None:
    """Check that the production profile trusts nothing made for development.

    Raises:
        MisconfiguredHome: under any profile but development, an issuer is the development issuer or has the name of
            the local one, reads its keys from a file, or fetches them over plain http.
    """
    if profile == DEVELOPMENT_PROFILE:
        return
    for settings in issuers:
        if settings.issuer in EXEMPT_ISSUERS:
            # Their principals may hold any roles together: see domain/duties.py.
            raise MisconfiguredHome("the development issuer is not accepted outside the development profile")
        addresses = (settings.jwks_uri or settings.discovery or "", *settings.jwks_origins)
        if not all(urlsplit(address).scheme == "https" for address in addresses):
            raise MisconfiguredHome("outside the development profile every issuer needs an https jwks_uri or discovery")
