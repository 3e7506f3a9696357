"""Fetches issuers' documents over HTTPS, every latitude of HTTP taken away. Sole importer of the HTTP client here."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx2

from registry.domain.errors import KeyUnavailable
from registry.identity.addresses import Resolve, permitted_addresses, resolve
from registry.identity.issuers import Networks, require_safe_url
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
        resolve: Resolve = resolve,
    ) -> None:
        """Keep the limits.

        Args:
            tls: whom to trust; the machine's certificate store when None.
            timeout_seconds: for connecting and for each read.
            deadline_seconds: for the whole answer, against one that drips.
            resolve: finds the addresses of a name.
        """
        self._tls = tls
        self._timeout = httpx2.Timeout(timeout_seconds)
        self._deadline_seconds = deadline_seconds
        self._resolve = resolve

    def __call__(self, url: str, networks: Networks = ()) -> bytes:
        """Fetch a document of at most 256 kB.

        The name is looked up once, and the connection is made to what was found and checked: a name that leads to
        another machine a moment later leads nowhere. The certificate is checked against the name as ever.

        Raises:
            KeyUnavailable: any failure, any status but 200, a redirect, a compressed or too large body, too slow, or
                a machine that is neither public nor in one of the networks.
            MisconfiguredHome: an address that is neither https nor loopback.
        """
        status, body = self._asked(url, networks, None)
        if status != httpx2.codes.OK:
            raise KeyUnavailable(f"key set: status {status}")
        return body

    def post_form(self, url: str, form: Mapping[str, str], networks: Networks = ()) -> tuple[int, bytes]:
        """Send a form and return the status and the body, within the same limits; for signing in at an issuer.

        Raises:
            KeyUnavailable, MisconfiguredHome: as for a document, whatever the status.
        """
        return self._asked(url, networks, urlencode(form).encode("ascii"))

    def _asked(self, url: str, networks: Networks, form: bytes | None) -> tuple[int, bytes]:
        require_safe_url(url)
        failure = "no address"
        for address in permitted_addresses(url, networks, self._resolve):
            try:
                return self._ask(httpx2.URL(url), address, form)
            except httpx2.HTTPError as error:
                # The class name says what went wrong; the text may quote what was received.
                failure = type(error).__name__
                if not isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
                    break
        raise KeyUnavailable(f"key set: {failure}")

    def _ask(self, url: httpx2.URL, address: str, form: bytes | None) -> tuple[int, bytes]:
        # trust_env off: .netrc would send passwords to issuers, and a proxy variable would choose who answers.
        # Fetches are minutes apart, so a client is made for each and none is left open.
        tls = self._tls or ssl.create_default_context()
        headers = {"Host": url.netloc.decode("ascii"), **_HEADERS}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        method = "GET" if form is None else "POST"
        named = {"sni_hostname": url.host}
        with (
            httpx2.Client(verify=tls, timeout=self._timeout, follow_redirects=False, trust_env=False) as client,
            client.stream(
                method, url.copy_with(host=address), content=form, headers=headers, extensions=named
            ) as response,
        ):
            return response.status_code, self._body(response)

    def _body(self, response: httpx2.Response) -> bytes:
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
