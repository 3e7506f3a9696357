"""One request to OpenBao and its answer, with every latitude of HTTP taken away.

No text of an answer and no body of a request is ever part of an error: either may hold a key or a token.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from registry.domain.errors import KeyUnavailable, UnreadableDocument
from registry.keys.causes import FAILED, UNREACHABLE
from registry.keys.openbao.settings import KeyServiceSettings
from registry.text.strict_json import parse_json

MAX_ANSWER_BYTES = 2 << 20  # 200 keys of the largest size are half of it

_KEPT_CONNECTIONS = 8
_KEPT_SECONDS = 20.0
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What OpenBao answered: status and the JSON object, empty when there was none."""

    status: int
    document: Mapping[str, Any] = field(repr=False)

    def says(self, words: str) -> bool:
        """Return whether one of the errors has these words; the errors themselves are passed on to nobody."""
        errors = self.document.get("errors")
        return isinstance(errors, list) and any(isinstance(error, str) and words in error for error in errors)


class Wire:
    """Sends requests. Safe to share between threads.

    No redirects (a token would go where they point), no proxies or passwords from the environment, nothing
    compressed, sizes capped, and one limit of time for the whole answer.
    """

    def __init__(self, settings: KeyServiceSettings) -> None:
        """Prepare; nothing is sent.

        Raises:
            KeyUnavailable: the file of certificates cannot be used.
        """
        self._address = settings.address.rstrip("/")
        self._seconds = settings.timeout_seconds
        self._client = httpx2.Client(
            verify=_trust(settings),
            timeout=httpx2.Timeout(settings.timeout_seconds),
            limits=httpx2.Limits(max_keepalive_connections=_KEPT_CONNECTIONS, keepalive_expiry=_KEPT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def post(self, path: str, body: Mapping[str, object], token: str | None) -> Answer:
        """Send one request.

        A connection that was kept may have been closed at the other end meanwhile: such a request is sent once more.
        Everything that is sent here may be done twice.

        Raises:
            KeyUnavailable: no answer, or none that can be read.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        headers = _HEADERS if token is None else {**_HEADERS, "X-Vault-Token": token}
        try:
            try:
                return self._once(path, content, headers)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
                return self._once(path, content, headers)
        except httpx2.TimeoutException:
            raise KeyUnavailable(f"the key service does not answer in {self._seconds:g} s", UNREACHABLE) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as failure:
            raise KeyUnavailable(f"the key service cannot be reached: {_why(failure)}", UNREACHABLE) from None

    def _once(self, path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        ends_at = time.monotonic() + self._seconds
        url = f"{self._address}/v1/{path}"
        with self._client.stream("POST", url, content=content, headers=headers) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise KeyUnavailable("the key service answers compressed although not asked for", FAILED)
            received = bytearray()
            for chunk in response.iter_raw():
                received += chunk
                if len(received) > MAX_ANSWER_BYTES:
                    raise KeyUnavailable("the key service answers more than it may", FAILED)
                if time.monotonic() > ends_at:
                    raise KeyUnavailable(f"the key service does not answer in {self._seconds:g} s", UNREACHABLE)
            return Answer(response.status_code, _document(bytes(received)))


def _document(received: bytes) -> Mapping[str, Any]:
    if not received:
        return {}
    try:
        document = parse_json(received, max_bytes=MAX_ANSWER_BYTES)
    except UnreadableDocument:
        document = None
    if not isinstance(document, dict):
        raise KeyUnavailable("what answers at the address of the key service is no OpenBao", FAILED)
    return document


def _trust(settings: KeyServiceSettings) -> ssl.SSLContext:
    if settings.ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError):
        raise KeyUnavailable(f"{settings.ca_file} cannot be read, or holds no certificates", UNREACHABLE) from None


def _why(failure: Exception) -> str:
    """Name the kind of failure; its text is not passed on."""
    seen: BaseException | None = failure
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return "its certificate is not trusted, or is for another name; see ca_file"
        seen = seen.__cause__ or seen.__context__
    return type(failure).__name__
