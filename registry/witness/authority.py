"""Asking time-stamping authorities (RFC 3161 section 3.4): one POST, with every latitude of HTTP taken away."""

from __future__ import annotations

import ssl
import time

import httpx2

SECONDS = 10.0
MAX_ANSWER_BYTES = 65_536
_HEADERS = {"Accept-Encoding": "identity", "Content-Type": "application/timestamp-query"}
_ANSWER_TYPE = "application/timestamp-reply"


class AuthoritySilent(Exception):
    """No answer came, or none that can be used."""


class AuthorityWire:
    """Sends requests: no redirects, cookies, proxies or passwords from the environment; sizes and times capped."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Keep the limit of time for a whole answer."""
        self._seconds = seconds

    def ask(self, url: str, request: bytes) -> bytes:
        """Return the body of the answer.

        Raises:
            AuthoritySilent: none in time, one that is too large, or of another kind.
        """
        ends_at = time.monotonic() + self._seconds
        try:
            with (
                httpx2.Client(
                    verify=ssl.create_default_context(),
                    timeout=self._seconds,
                    follow_redirects=False,
                    trust_env=False,
                ) as client,
                client.stream("POST", url, content=request, headers=_HEADERS) as response,
            ):
                received = bytearray()
                for chunk in response.iter_raw():
                    received += chunk
                    if len(received) > MAX_ANSWER_BYTES or time.monotonic() > ends_at:
                        raise AuthoritySilent
                is_answer = response.headers.get("Content-Type", "").partition(";")[0].strip() == _ANSWER_TYPE
                if response.status_code != httpx2.codes.OK or not is_answer:
                    raise AuthoritySilent
                return bytes(received)
        except httpx2.HTTPError:
            raise AuthoritySilent from None
