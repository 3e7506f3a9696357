"""The staff's side of the API: signed tokens and requests, nothing else. It sees what any client would see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2

from registry.cli.demo.clock import WeekClock
from registry.domain.principals import Role
from registry.identity.dev_issuer import DevelopmentIssuer

TOKEN_SECONDS = 3600
_RENEW_AFTER = timedelta(minutes=45)


class StepFailed(Exception):
    """A step of the demonstration did not hold; the text says which, and never holds a value."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in: name of the principal, what it may do, its unit and its own employee number."""

    sub: str
    roles: frozenset[Role]
    unit: str = ""
    employee_number: str | None = field(default=None, repr=False)


class Desk:
    """Sends requests as one account or another, at the simulated time."""

    def __init__(self, client: httpx2.Client, issuer: DevelopmentIssuer, clock: WeekClock) -> None:
        self._client = client
        self._issuer = issuer
        self._clock = clock
        self._tokens: dict[str, tuple[str, datetime]] = {}

    def token(self, account: Account) -> str:
        """Sign a token for an account."""
        return self._issuer.issue(account.sub, account.roles, ttl_seconds=TOKEN_SECONDS, now=self._clock.now())

    def post(self, account: Account, path: str, body: Mapping[str, object]) -> httpx2.Response:
        """Send JSON."""
        return self.post_with(self._current(account), path, body)

    def post_with(self, token: str, path: str, body: Mapping[str, object]) -> httpx2.Response:
        """Send JSON with a given token."""
        return self._client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})

    def get(self, account: Account, path: str) -> bytes:
        """Fetch something.

        Raises:
            StepFailed: any answer but 200.
        """
        answer = self._client.get(path, headers={"Authorization": f"Bearer {self._current(account)}"})
        if answer.status_code != httpx2.codes.OK:
            raise StepFailed(f"a GET was answered with status {answer.status_code}")
        return answer.content

    def _current(self, account: Account) -> str:
        now = self._clock.now()
        token, renew_at = self._tokens.get(account.sub, ("", now))
        if not token or now >= renew_at:
            token = self.token(account)
            self._tokens[account.sub] = (token, now + _RENEW_AFTER)
        return token


def document_of(answer: httpx2.Response, expected: int) -> Mapping[str, Any]:
    """Return an answer's JSON object.

    Raises:
        StepFailed: another status, or no object.
    """
    if answer.status_code != expected:
        raise StepFailed(f"the API answered with status {answer.status_code} where {expected} was due")
    document = answer.json()
    if not isinstance(document, dict):
        raise StepFailed("the API answered with something else than a JSON object")
    return document
