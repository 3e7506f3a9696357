"""Fetches JWK Sets over HTTPS, with every latitude of HTTP taken away. Sole importer of the HTTP client here."""

from __future__ import annotations

import ssl
import time

import httpx2

from registry.domain.errors import KeyUnavailable
from registry.identity.issuers import require_safe_url
from registry.identity.key_set import MAX_DOCUMENT_BYTES

TIMEOUT_SECONDS = 3.0
DEADLINE_SECONDS = 6.0

_HEADERS = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}


class HttpFetch:
    """A ``Fetch`` for JwksCache. No redirects, no cookies, no proxies or passwords from the environment."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """Keep the limits.

        Args:
            tls: whom to trust; the machine's certificate store when None.
            timeout_seconds: for connecting and for each read.
            deadline_seconds: for the whole answer, against one that drips.
        """
        self._tls = tls
        self._timeout = httpx2.Timeout(timeout_seconds)
        self._deadline_seconds = deadline_seconds

    def __call__(self, url: str) -> bytes:
        """Fetch a document of at most 256 kB.

        Raises:
            KeyUnavailable: any failure, any status but 200, a redirect, a compressed or too large body, too slow.
            MisconfiguredHome: an address that is neither https nor loopback.
        """
        require_safe_url(url)
        # trust_env off: .netrc would send passwords to issuers, and a proxy variable would choose who answers.
        # Fetches are minutes apart, so a client is made for each and none is left open.
        tls = self._tls or ssl.create_default_context()
        try:
            with (
                httpx2.Client(verify=tls, timeout=self._timeout, follow_redirects=False, trust_env=False) as client,
                client.stream("GET", url, headers=_HEADERS) as response,
            ):
                return self._body(response)
        except httpx2.HTTPError as failure:
            # The class name says what went wrong; the text may quote what was received.
            raise KeyUnavailable(f"key set: {type(failure).__name__}") from None

    def _body(self, response: httpx2.Response) -> bytes:
        if response.status_code != httpx2.codes.OK:
            raise KeyUnavailable(f"key set: status {response.status_code}")
        # Not decompressed at all: a few bytes must not become many.
        if response.headers.get("content-encoding", "identity") != "identity":
            raise KeyUnavailable("key set: compressed although not asked for")
        ends_at = time.monotonic() + self._deadline_seconds
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MAX_DOCUMENT_BYTES:
                raise KeyUnavailable("key set: larger than 256 kB")
            if time.monotonic() > ends_at:
                raise KeyUnavailable("key set: too slow")
        return bytes(body)
