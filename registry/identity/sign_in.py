"""Signing in at an issuer's own page: authorization code with PKCE (RFC 6749, 7636, 9207; OpenID Connect Core 3.1).

Nothing is kept between the question and its answer: a cookie of the browser says which question it asked, and with this
process's key what state, nonce and verifier that one had. So no flood of questions pushes anybody's out.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from registry.domain.clock import Clock
from registry.domain.errors import KeyUnavailable
from registry.identity.discovery import endpoint, read_document
from registry.identity.id_tokens import Expected, check_id_token
from registry.identity.issuers import IssuerSettings, Networks
from registry.identity.refusals import Refusal, refuse
from registry.identity.segments import NotStrict, encode_base64url, read_object
from registry.identity.sign_in_settings import SignInSettings
from registry.identity.tokens import KeySource

ANSWER_SECONDS = 600  # from the question to its answer
FRESH_SECONDS = 300
RETRY_SECONDS = 10
_PLAIN, _STRONG = "plain", "strong"
_MOST_CHARACTERS = 4_096
_TICKET = re.compile(
    rf"[\w-]{{43}}\.(?P<begun>[0-9]{{1,12}})\.(?P<kind>{_PLAIN}|{_STRONG})\.(?P<note>[\w-]{{0,64}})", re.ASCII
)


class Web(Protocol):
    """Asks an issuer; ``jwks_http.HttpFetch`` does."""

    def __call__(self, url: str, networks: Networks = ()) -> bytes:
        """Return the document at an address, or raise KeyUnavailable."""
        ...

    def post_form(self, url: str, form: Mapping[str, str], networks: Networks = ()) -> tuple[int, bytes]:
        """Send a form and return status and body, or raise KeyUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """A sign-in that was begun.

    Attributes:
        url: of the issuer's page, for the browser to go to.
        ticket: for a cookie of that browser; tells nothing without this process's key.
    """

    url: str = field(repr=False)
    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedInToken:
    """What a sign-in gave.

    Attributes:
        token: the access token; verified by whoever uses it.
        was_strong: whether a strong sign-in was asked for.
        note: as it was given when it began.
    """

    token: str = field(repr=False)
    was_strong: bool
    note: str = field(repr=False)


class SignIn:
    """Sends browsers to an issuer's page and redeems what they come back with. Safe to use from any thread."""

    def __init__(
        self,
        settings: SignInSettings,
        keys: KeySource,
        web: Web,
        clock: Clock,
        secret: Callable[[], str] | None = None,
    ) -> None:
        """Keep the means.

        Args:
            settings: where.
            keys: finds the issuer's keys.
            web: asks the issuer.
            clock: of the registry.
            secret: reads the console's secret at the issuer; None where it has none.
        """
        self._settings = settings
        self._keys = keys
        self._web = web
        self._clock = clock
        self._secret = secret
        self._key = secrets.token_bytes(32)
        self._said: Mapping[str, Any] | None = None
        self._asked_at: float | None = None
        self._lock = Lock()

    @property
    def host(self) -> str:
        """The name of the machine whose page it is, to tell people."""
        return urlsplit(self._settings.issuer.issuer).hostname or ""

    @property
    def can_be_strong(self) -> bool:
        """Whether the issuer has a strong sign-in."""
        return bool(self._settings.issuer.step_up_acr)

    def begin(self, *, strong: bool = False, note: str = "") -> Question:
        """Begin to sign somebody in.

        Args:
            strong: ask for a strong sign-in, now.
            note: letters, digits, ``-`` and ``_`` that the end of it is to be told; the browser can read them.

        Raises:
            KeyUnavailable: the issuer does not say where its page is.
        """
        settings, issuer = self._settings, self._settings.issuer
        strong = strong and self.can_be_strong
        ticket = f"{secrets.token_urlsafe(32)}.{int(self._now())}.{_STRONG if strong else _PLAIN}.{note}"
        verifier = self._of("verifier", ticket)
        asked = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": settings.back,
            "scope": settings.scope,
            "state": self._of("state", ticket),
            "nonce": self._of("nonce", ticket),
            "code_challenge": encode_base64url(sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        if settings.resource:
            asked["resource"] = settings.resource
        if strong:
            asked |= _strong_now(issuer)
        page = endpoint(self._document(), "authorization_endpoint", issuer, is_for_browsers=True)
        return Question(f"{page}{'&' if urlsplit(page).query else '?'}{urlencode(asked)}", ticket)

    def finish(self, ticket: str, answer: Mapping[str, str]) -> SignedInToken:
        """Redeem what a browser came back with.

        Args:
            ticket: of the browser's cookie; empty where it has none.
            answer: the query that it came back with, each name once.

        Raises:
            TokenRefused: it is no answer to this browser's question, or the issuer refused; the access token itself
                is verified by whoever uses it.
            KeyUnavailable: the issuer cannot be asked.
        """
        asked = self._question(ticket)
        strong = asked["kind"] == _STRONG
        if not _is_same(answer.get("state", ""), self._of("state", ticket)):
            refuse(Refusal.SIGN_IN_STATE)
        said = self._document()
        names_itself = said.get("authorization_response_iss_parameter_supported") is True
        if answer.get("iss", "" if names_itself else self._settings.issuer.issuer) != self._settings.issuer.issuer:
            refuse(Refusal.ISSUER)
        code = answer.get("code", "")
        if "error" in answer or not 0 < len(code) <= _MOST_CHARACTERS:
            refuse(Refusal.SIGN_IN_REFUSED)
        access, identity = self._redeem(said, code, self._of("verifier", ticket))
        since = float(asked["begun"]) if strong else None
        expected = Expected(self._settings.client_id, self._of("nonce", ticket), access, since)
        check_id_token(identity, self._settings.issuer, self._keys, expected, self._now())
        return SignedInToken(access, strong, asked["note"])

    def _question(self, ticket: str) -> re.Match[str]:
        asked = _TICKET.fullmatch(ticket)
        if asked is None or not 0 <= self._now() - int(asked["begun"]) < ANSWER_SECONDS:
            refuse(Refusal.SIGN_IN_STATE)
        return asked

    def _redeem(self, said: Mapping[str, Any], code: str, verifier: str) -> tuple[str, str]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.back,
            "client_id": self._settings.client_id,
            "code_verifier": verifier,
        }
        if self._settings.resource:
            form["resource"] = self._settings.resource
        if self._secret is not None:
            form["client_secret"] = self._secret()
        where = endpoint(said, "token_endpoint", self._settings.issuer)
        status, body = self._web.post_form(where, form, self._settings.issuer.networks)
        try:
            given = read_object(body)
        except NotStrict:
            raise KeyUnavailable("sign-in: the issuer's answer is no JSON object") from None
        access, identity = given.get("access_token"), given.get("id_token")
        if status != 200 or type(access) is not str or type(identity) is not str:
            refuse(Refusal.SIGN_IN_REFUSED)
        return access, identity

    def _document(self) -> Mapping[str, Any]:
        """Return the issuer's discovery document, of five minutes ago at most; an outage is sat out with the last."""
        with self._lock:
            now = time.monotonic()
            age = None if self._asked_at is None else now - self._asked_at
            if age is None or age >= (RETRY_SECONDS if self._said is None else FRESH_SECONDS):
                self._asked_at = now
                try:
                    raw = self._web(self._settings.issuer.discovery or "", self._settings.issuer.networks)
                    self._said = read_document(raw, self._settings.issuer)
                except KeyUnavailable:
                    if self._said is None:
                        raise
            if self._said is None:
                raise KeyUnavailable("sign-in: the issuer did not answer a moment ago")
            return self._said

    def _of(self, what: str, ticket: str) -> str:
        return encode_base64url(hmac.digest(self._key, f"{what} {ticket}".encode("utf-8", "surrogatepass"), "sha256"))

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _strong_now(issuer: IssuerSettings) -> dict[str, str]:
    """Return what asks for a strong sign-in, now.

    A strength that is told in a claim of its own is no ``acr``: Entra's contexts of Conditional Access are asked for by
    ``claims``, one at a time, and a new sign-in by ``prompt`` ("Developer guide to Conditional Access authentication
    context", "Microsoft identity platform and OAuth 2.0 authorization code flow").
    """
    wanted = sorted(issuer.step_up_acr)
    if issuer.acr_claim == "acr":
        return {"acr_values": " ".join(wanted), "max_age": "0"}
    claims = {"access_token": {issuer.acr_claim: {"essential": True, "value": wanted[0]}}}
    return {"claims": json.dumps(claims, separators=(",", ":")), "max_age": "0", "prompt": "login"}


def _is_same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())
