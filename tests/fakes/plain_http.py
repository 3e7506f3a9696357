"""An HTTP client of a server on this machine: without TLS, so without reading the certificates that a client trusts."""

from __future__ import annotations

import ssl
from typing import Any

import httpx2

# Reading the system's certificates takes 30 ms a client, which is half of what a test's registry takes to be served.
_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plain_client(url: str, **settings: Any) -> httpx2.Client:
    """Return a client of the server at ``url``; ``settings`` are httpx's."""
    return httpx2.Client(base_url=url, verify=_TRUSTS_NOBODY, trust_env=False, **({"timeout": 30} | settings))
