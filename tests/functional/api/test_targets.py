"""Targets that are whole addresses, over a real connection: the same answers, checks and lines as for a path."""

from __future__ import annotations

import io
import json
import socket
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from registry.api.server import serving
from registry.cli.serving import build_site
from registry.domain.principals import Role
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.api.test_server import wait_for_lines
from tests.functional.services.homes import Home, person

ASK = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
OTHER = "zq7marker.example"


def said(url: str, target: str, host: str, *more: str, method: str = "GET", body: str = "") -> tuple[int, bytes]:
    """Ask over a connection of its own; gives status and body of the answer."""
    address = urlsplit(url)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", f"Content-Length: {len(body)}", *more]
    with closing(socket.create_connection((address.hostname or "", address.port or 0), timeout=20)) as connection:
        connection.sendall("\r\n".join([*lines, "", body]).encode())
        answer = b""
        while some := connection.recv(1 << 16):
            answer += some
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


@pytest.fixture
def url(home: Home) -> Any:
    """Everything that is served, as ``registry serve`` puts it together."""
    with serving(home.app, build_site(home.app).app) as address:
        yield address


def test_a_lookup_by_a_whole_address_is_the_same_lookup(home: Home, url: str, logs: io.StringIO) -> None:
    with httpx2.Client() as client:
        site = Site(home, url, client, None)  # type: ignore[arg-type]  # no contract is watched here
        home.enroll(person(NUMBER))
        bearer = f"Authorization: {site.as_(Role.READER)['Authorization']}"
        asked = ("Content-Type: application/json", bearer)
        answers = [
            said(url, target, host, *asked, method="POST", body=json.dumps(ASK))
            for target, host in (
                ("/v1/disclosures", "127.0.0.1"),
                (f"http://{OTHER}/v1/disclosures", "127.0.0.1"),
                ("HTTPS://127.0.0.1/v1/disclosures", OTHER),
            )
        ]
    assert [status for status, _ in answers] == [200, 200, 200]
    documents = [json.loads(body) for _, body in answers]
    assert len({one["subject"] for one in documents}) == 1
    assert len({one["receipt"]["index"] for one in documents}) == 3, "each has an entry of its own"
    lines = [line for line in wait_for_lines(logs, 3) if line["event"] == "answered"]
    assert [(line["route"], line["status"]) for line in lines] == [("/v1/disclosures", 200)] * 3
    assert OTHER not in logs.getvalue()
    assert all(OTHER not in str(entry.values) for entry in home.entries())


def test_the_consoles_check_of_the_host_is_not_walked_around(url: str) -> None:
    page = "/console/sign-in"
    assert said(url, page, "127.0.0.1")[0] == 200
    assert said(url, f"http://127.0.0.1{page}", OTHER)[0] == 200  # the target's host counts
    for target, host in (
        (page, OTHER),
        (f"http://{OTHER}{page}", "127.0.0.1"),
        (f"http://{OTHER}:80{page}", "localhost"),
        (f"http://localhost.{OTHER}{page}", "localhost"),
    ):
        assert said(url, target, host)[0] == 421, target
    for target in (
        f"http://127.0.0.1@{OTHER}{page}",
        f"http://{OTHER}\\@127.0.0.1{page}",
        f"http://{OTHER}#@127.0.0.1{page}",
    ):
        assert said(url, target, "127.0.0.1")[0] == 400, target
    assert said(url, f"http://127.0.0.1{page}", "127.0.0.1", f"Host: {OTHER}")[0] == 400
