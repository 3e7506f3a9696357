"""Signed webhooks, as Standard Webhooks 1.0 has them: id, timestamp and an HMAC-SHA256 over both and the body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from registry.domain.clock import from_unix_ms, iso
from registry.notify.deadline import ending_after
from registry.notify.secret_files import read_secret
from registry.notify.settings import WebhookSettings
from registry.services.send_notices import Letter, UndeliveredError, UnreachableError

PREFIX = "whsec_"
TIMEOUT_SECONDS = 10.0
DEADLINE_SECONDS = 20.0
TOLERANCE_SECONDS = 300
_LEAST_KEY_BYTES = 24
_MOST_ANSWER_BYTES = 65_536
_TOO_MANY = 429
_SERVER_FAILS = 500


def key_of(secret: str) -> bytes:
    """Return the signing key of a secret in its usual writing: ``whsec_`` and Base64 of 24 bytes or more.

    Raises:
        ValueError: it is not one.
    """
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("not Base64") from None
    if len(key) < _LEAST_KEY_BYTES:
        raise ValueError("too short")
    return key


def sign(key: bytes, identifier: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``. Timestamp in seconds since 1970."""
    told = b".".join((identifier.encode(), str(timestamp).encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, told, hashlib.sha256)).decode()}"


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Check a webhook as its receiver should, in time that does not depend on the signature; returns its id.

    A notice may come twice, with the same id: whoever acts on it remembers the ids of the last four days.

    Args:
        key: from ``key_of``.
        headers: with lower-case names.
        body: as received, not as parsed.
        now: seconds since 1970.

    Raises:
        ValueError: not signed with this key, or at another time.
    """
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp[:12])) > TOLERANCE_SECONDS:
        raise ValueError("not of this time")
    wanted = sign(key, identifier, int(timestamp), body).encode()
    given = headers.get("webhook-signature", "").split(" ")
    # There may be several: a sender signs with two keys while it changes them.
    if not any(hmac.compare_digest(one.encode(), wanted) for one in given):
        raise ValueError("not signed with this key")
    return identifier


class Webhook:
    """Posts every notice to one address. Redirects, proxies and passwords of the environment are not followed."""

    name = "webhook"

    def __init__(
        self,
        settings: WebhookSettings,
        now: Callable[[], float] = time.time,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._settings = settings
        self._now = now
        self._deadline_seconds = deadline_seconds

    def problem(self) -> str | None:
        """Say what is wrong with the secret's file, or with that of the certificates."""
        try:
            key_of(read_secret(self._settings.secret_file))
            ssl.create_default_context(cafile=self._settings.ca_file)
        except (OSError, ValueError) as failure:
            return f"notify.webhook: {failure}"
        return None

    @contextmanager
    def opened(self) -> Iterator[_Post]:
        """Post some letters over one connection."""
        post = _Post(self._settings, self._now, self._deadline_seconds)
        try:
            yield post
        finally:
            post.close()


class _Post:
    """One connection, made with the first letter and again when the receiver closed it."""

    def __init__(self, settings: WebhookSettings, now: Callable[[], float], deadline_seconds: float) -> None:
        self._settings = settings
        self._now = now
        self._deadline_seconds = deadline_seconds
        self._connection: HTTPConnection | None = None

    def send(self, letter: Letter) -> None:
        """Post it.

        Raises:
            UndeliveredError: any answer but 2xx.
            UnreachableError: no answer in time, 429 or 5xx.
        """
        body, timestamp = body_of(letter), int(self._now())
        identifier = f"msg_{letter.id}"
        try:
            key = key_of(read_secret(self._settings.secret_file))
            headers = {
                "content-type": "application/json",
                "webhook-id": identifier,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": sign(key, identifier, timestamp, body),
            }
            status = self._status(body, headers)
        except (HTTPException, OSError, ValueError) as failure:
            # The class name says what went wrong; the text may quote what was received.
            raise UnreachableError(type(failure).__name__) from None
        if status == _TOO_MANY or status >= _SERVER_FAILS:
            raise UnreachableError(f"status {status}")
        if not 200 <= status <= 299:
            raise UndeliveredError(f"status {status}")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _status(self, body: bytes, headers: Mapping[str, str]) -> int:
        is_new = self._connection is None
        try:
            return self._exchange(body, headers)
        except (HTTPException, OSError):
            self.close()
            if is_new:
                raise
        # A receiver may close a connection that it kept open; it may have taken the notice, too, and then knows its id.
        return self._exchange(body, headers)

    def _exchange(self, body: bytes, headers: Mapping[str, str]) -> int:
        connection = self._connection = self._connection or _connection(self._settings)
        parts = urlsplit(self._settings.url)
        with ending_after(self._deadline_seconds, lambda: connection.sock):
            connection.request("POST", f"{parts.path or '/'}{parts.query and '?'}{parts.query}", body, dict(headers))
            response = connection.getresponse()
            response.read(_MOST_ANSWER_BYTES)  # nothing of it is used, but the connection is free for the next one
        if not response.isclosed():
            self.close()
        return response.status


def _connection(settings: WebhookSettings) -> HTTPConnection:
    parts = urlsplit(settings.url)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)
    tls = ssl.create_default_context(cafile=settings.ca_file)
    return HTTPSConnection(host, parts.port, timeout=TIMEOUT_SECONDS, context=tls)


def body_of(letter: Letter) -> bytes:
    """Return what is posted: ids, the kind and the time."""
    data: dict[str, object] = {"entry": letter.index, "recipient": letter.to, "subject": letter.about or None}
    if letter.counts:
        data["counts"] = [one._asdict() for one in letter.counts]
    if letter.entries:
        data["entries"] = letter.entries
    document = {"type": f"registry.{letter.kind.value}", "timestamp": iso(from_unix_ms(letter.at_ms)), "data": data}
    return json.dumps(document, separators=(",", ":")).encode()
