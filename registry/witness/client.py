"""Asking witnesses over HTTPS, with every latitude of HTTP taken away. Sole importer of the HTTP client here."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx2

from registry.domain.errors import MisconfiguredHome
from registry.transparency.witness_wire import ADD_CHECKPOINT, MAX_ANSWER_BYTES

SECONDS = 5.0
_HEADERS = {"Accept-Encoding": "identity", "Content-Type": "text/plain; charset=utf-8"}


class WitnessSilent(Exception):
    """No answer came, or none that can be used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answered."""

    status: int
    body: bytes = field(repr=False)


def demand_address(url: str | None) -> str:
    """Return a submission prefix without its last slash.

    Raises:
        MisconfiguredHome: none, neither https nor this machine, or with more than a path.
    """
    try:
        parts = urlsplit(url or "")
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise MisconfiguredHome("a witness's address is not readable") from None
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))
    if not host or not is_plain or not is_safe:
        raise MisconfiguredHome(
            "a witness needs an address: https, or http to this machine, and nothing after its path"
        )
    return (url or "").rstrip("/")


class WitnessWire:
    """Sends requests: no redirects, cookies, proxies or passwords from the environment; sizes and times capped."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Keep the limit of time for a whole answer."""
        self._seconds = seconds
        self._tls: ssl.SSLContext | None = None

    def submit(self, prefix: str, body: bytes) -> Answer:
        """Ask for a cosignature.

        Raises:
            WitnessSilent: no answer in time, or one that is too large.
        """
        return self._asked("POST", f"{prefix}/{ADD_CHECKPOINT}", body)

    def look(self, prefix: str, path: str) -> Answer:
        """Ask for the checkpoint that the witness cosigned last. The two prefixes of a witness are one here.

        Raises:
            WitnessSilent: no answer in time, or one that is too large.
        """
        return self._asked("GET", f"{prefix}/{path}", b"")

    def _asked(self, method: str, url: str, body: bytes) -> Answer:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        ends_at = time.monotonic() + self._seconds
        try:
            with (
                httpx2.Client(
                    verify=self._tls, timeout=self._seconds, follow_redirects=False, trust_env=False
                ) as client,
                client.stream(method, url, content=body or None, headers=_HEADERS) as response,
            ):
                received = bytearray()
                for chunk in response.iter_raw():
                    received += chunk
                    if len(received) > MAX_ANSWER_BYTES or time.monotonic() > ends_at:
                        raise WitnessSilent
                return Answer(response.status_code, bytes(received))
        except httpx2.HTTPError:
            raise WitnessSilent from None


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
