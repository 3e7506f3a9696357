"""Speaking to OpenBao as somebody: logging in, keeping the token alive, and not asking a service that is down.

Login is by AppRole: a role id, which is no secret, and a secret id from a file, which is read at each login so that
it can be exchanged while the registry runs. A token is renewed after two thirds of its life, or replaced by a new
login; a token that is refused is replaced once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import NoReturn

from registry.domain.errors import KeyUnavailable
from registry.keys.causes import FAILED, FORBIDDEN, SEALED, THROTTLED, UNREACHABLE, WRONG_KEY
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.openbao.wire import Answer, Wire
from registry.keys.pause import PAUSE_SECONDS, Pause
from registry.keys.secret_file import read_secret

_AGE_TO_RENEW = 2 / 3
_RETRY_RENEWAL_SECONDS = 5.0
# A renewed token that lives shorter than this has reached the end that its role sets; a new one is asked for.
_SHORTEST_LIFE_SECONDS = 60.0
_OK, _BAD_REQUEST, _FORBIDDEN, _NOT_FOUND, _THROTTLED, _UNAVAILABLE = 200, 400, 403, 404, 429, 503


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    is_renewable: bool
    since: float
    renew_at: float
    ends_at: float


class Session:
    """One registry's way to OpenBao. Safe to share between threads."""

    def __init__(
        self, settings: KeyServiceSettings, *, wire: Wire | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare; nothing is sent before the first call.

        Raises:
            KeyUnavailable: the file of certificates cannot be used.
        """
        self.settings = settings
        self._wire = Wire(settings) if wire is None else wire
        self._monotonic = monotonic
        self._lock = Lock()
        self._token: _Token | None = None
        self._pause = Pause(monotonic)

    def call(self, path: str, body: Mapping[str, object]) -> Answer:
        """Ask OpenBao for something.

        Returns:
            An answer 200, or one 400 that says something about single items.

        Raises:
            KeyUnavailable: it cannot be had now; the cause says why and the code names it.
        """
        self._pause.refuse()
        try:
            answer = self._as_somebody(path, body)
            if answer.status in (_THROTTLED, _UNAVAILABLE):
                _refuse(answer, path)
        except KeyUnavailable as error:
            self._pause.failed(error)
            raise
        self._pause.worked()
        # What is wrong with one key must not keep anybody from the others: no pause.
        if answer.status != _OK and not (answer.status == _BAD_REQUEST and "data" in answer.document):
            _refuse(answer, path)
        return answer

    def close(self) -> None:
        """Close the kept connections."""
        self._wire.close()

    def _as_somebody(self, path: str, body: Mapping[str, object]) -> Answer:
        token = self._current()
        answer = self._wire.post(path, body, token.value)
        if answer.status != _FORBIDDEN or self._monotonic() - token.since < PAUSE_SECONDS:
            return answer
        # Ended, revoked, or its policy changed since: what a new login may do is what counts.
        return self._wire.post(path, body, self._replaced(token).value)

    def _current(self) -> _Token:
        with self._lock:
            now = self._monotonic()
            if self._token is None or now >= self._token.ends_at:
                self._token = self._log_in()
            elif now >= self._token.renew_at:
                self._token = self._renewed(self._token, now)
            return self._token

    def _replaced(self, refused: _Token) -> _Token:
        with self._lock:
            if self._token is refused or self._token is None:  # else another thread has replaced it already
                self._token = self._log_in()
            return self._token

    def _renewed(self, token: _Token, now: float) -> _Token:
        """Return a token with more life; the old one when none is to be had now, for it still has some."""
        try:
            if token.is_renewable:
                answer = self._wire.post("auth/token/renew-self", {}, token.value)
                if answer.status == _OK:
                    renewed = self._token_of(answer)
                    if renewed.ends_at - now >= _SHORTEST_LIFE_SECONDS:
                        return renewed
            return self._log_in()
        except KeyUnavailable:
            return replace(token, renew_at=now + _RETRY_RENEWAL_SECONDS)

    def _log_in(self) -> _Token:
        settings = self.settings
        body = {"role_id": settings.role_id, "secret_id": read_secret(settings.secret_id_file, "secret id")}
        answer = self._wire.post(f"auth/{settings.auth_mount}/login", body, None)
        if answer.status in (_BAD_REQUEST, _FORBIDDEN):
            raise KeyUnavailable("the key service refuses role id or secret id", FORBIDDEN)
        if answer.status != _OK:
            _refuse(answer, f"auth/{settings.auth_mount}")
        return self._token_of(answer)

    def _token_of(self, answer: Answer) -> _Token:
        auth = answer.document.get("auth")
        if not isinstance(auth, dict):
            raise KeyUnavailable("the key service answers a login without a token", FAILED)
        value, life, renewable = (auth.get(name) for name in ("client_token", "lease_duration", "renewable"))
        if not (isinstance(value, str) and value and value.isascii() and value.isprintable()):
            raise KeyUnavailable("the key service answers a login without a token", FAILED)
        if not isinstance(life, int) or isinstance(life, bool) or life < 0 or not isinstance(renewable, bool):
            raise KeyUnavailable("the key service answers a login without its duration", FAILED)
        seconds = life or math.inf
        now = self._monotonic()
        return _Token(value, renewable, now, now + seconds * _AGE_TO_RENEW, now + seconds)

    def __repr__(self) -> str:
        return f"Session({self.settings.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is never pickled")


def _refuse(answer: Answer, what: str) -> NoReturn:
    """Say what an answer that is no success means."""
    if answer.status == _UNAVAILABLE and answer.says("sealed"):
        raise KeyUnavailable("the key service is sealed; unseal it", SEALED)
    if answer.status == _THROTTLED:
        raise KeyUnavailable("the key service limits how much it is asked", THROTTLED)
    if answer.status == _FORBIDDEN:
        raise KeyUnavailable(
            f"the key service forbids {what}; compare its policy with: registry key-service", FORBIDDEN
        )
    if answer.status == _NOT_FOUND or answer.says("encryption key not found"):
        raise KeyUnavailable(f"the key service has no {what}; was it put back from an older state?", WRONG_KEY)
    if answer.status in range(300, 400):
        raise KeyUnavailable("the key service redirects; give the address of the active node", UNREACHABLE)
    raise KeyUnavailable(f"the key service answers {answer.status} to {what}", FAILED)
