"""The server process: where it listens, how it ends, what it logs, what runs beside the requests."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from registry.api.logs import ConstantHandler, without_personal_keys
from registry.api.server import base_url, listen, serving
from registry.bootstrap import opened
from registry.domain.errors import AuditUnavailable, MisconfiguredHome
from registry.domain.principals import Role
from registry.services.refusals import Refusals
from registry.services.search import Search
from registry.settings import PRODUCTION
from tests.fakes.plain_http import plain_client
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import Home

ASK = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_development_listens_on_loopback_only(home: Home, host: str) -> None:
    with pytest.raises(MisconfiguredHome, match="loopback"):
        listen(home.app, host, 0)


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1")])
def test_loopback_is_fine(home: Home, host: str, address: str) -> None:
    with listen(home.app, host, 0) as listening:
        assert re.fullmatch(rf"http://({re.escape(address)}|\[::1\]):\d+", base_url(listening))


def test_answers_do_not_wait_for_acknowledgements(home: Home) -> None:
    # asyncio switches Nagle's algorithm off only on sockets that are named as TCP.
    with listen(home.app, "127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_production_listens_where_it_is_told(home: Home) -> None:
    with listen(dataclasses.replace(home.app, profile=PRODUCTION), "0.0.0.0", 0) as listening:
        assert listening.getsockname()[0] == "0.0.0.0"


def test_a_taken_port_is_said_plainly(home: Home) -> None:
    with listen(home.app, "127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(MisconfiguredHome, match=f"port {port} cannot be had"):
            listen(home.app, "127.0.0.1", port)


def test_a_request_at_work_is_finished_before_the_end(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    started = threading.Event()
    real = Search.search

    def slow(self: Search, caller: Any, ask: Any) -> Any:
        started.set()
        time.sleep(0.5)
        return real(self, caller, ask)

    monkeypatch.setattr(Search, "search", slow)
    with ThreadPoolExecutor(1) as pool, httpx2.Client() as client:
        with serving(home.app) as url:
            site = Site(home, url, client, None)  # type: ignore[arg-type]  # no contract is watched here
            headers = site.as_(Role.READER)
            answer = pool.submit(
                client.post, f"{url}/v1/subjects/search", json={"employee_number": NUMBER}, headers=headers
            )
            assert started.wait(5)
        assert answer.result(5).status_code == 200


PROGRAM = """
import sys
from pathlib import Path
from registry.api.server import run
from registry.bootstrap import open_application, opened
from registry.settings import load_settings
run(open_application(load_settings(Path(sys.argv[1]), {})), "127.0.0.1", 0, ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_in_good_order(home: Home, number: signal.Signals) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(home.app.settings.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        for _ in range(200):
            try:
                bare = httpx2.get(f"{url}/audit/checkpoint?name=Zq7marker", headers={"User-Agent": "Zq7marker"})
                break
            except httpx2.ConnectError:
                time.sleep(0.02)
        httpx2.get(f"{url}/audit/checkpoint")
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=30)
    assert bare.status_code == 401
    assert (process.returncode, err) == (0, "")
    lines = out.splitlines()
    assert lines[-1] == "ended"
    assert "Zq7marker" not in out
    logged = [json.loads(line) for line in lines[:-1]]
    assert [line["status"] for line in logged if line["event"] == "answered"] == [401, 401]
    # The second refusal was only counted until then.
    counts = [(entry.values or {})["detail"] for entry in home.entries() if entry.kind == "auth"]
    assert counts == ["count 1", "count 1"]


def test_lines_name_routes_never_what_was_asked(site: Site, logs: io.StringIO) -> None:
    subject = site.enroll()["subject"]
    site.disclose(ASK)
    site.http.get(f"/Zq7marker/{NUMBER}?name=Zq7marker")
    site.http.patch("/v1/subjects/Zq7marker", json={"title": "Zq7marker"}, headers=site.as_(Role.ENROLLER))
    site.http.request("PROPFIND", "/v1/subjects")
    assert httpx2.request("ZQ7MARKER", f"{site.http.base_url}/v1/subjects").status_code == 400
    site.get("/v1/audit/entries?limit=1&kind=disclose", Role.AUDITOR)
    lines = wait_for_lines(logs, 6)
    for hidden in ("Zq7", "ZQ7", NUMBER, subject, "816-555", "Bearer", "limit=", "the reader", "127.0.0.1"):
        assert hidden not in logs.getvalue()
    answered = [line for line in lines if line["event"] == "answered"]
    assert {"/v1/subjects", "/v1/disclosures", "/v1/subjects/{subject}", "/v1/audit/entries", None} == {
        line["route"] for line in answered
    }
    keys = {"event", "level", "method", "milliseconds", "request_id", "route", "status", "timestamp"}
    assert {frozenset(line) for line in answered} == {frozenset(keys)}


@pytest.mark.parametrize("given", ["a" * 32, "0b8d5f1c-3c1e-4d8a-9a51-0a2d4bb0c7fe"])
def test_a_request_keeps_the_name_that_it_came_with(site: Site, logs: io.StringIO, given: str) -> None:
    answer = site.http.get("/nowhere", headers={"X-Request-Id": given})
    assert answer.headers.get_list("x-request-id") == [given]
    assert wait_for_lines(logs, 1)[-1]["request_id"] == given


@pytest.mark.parametrize(
    "given",
    [
        "Zq7marker",
        NUMBER,
        "741-12-3456",
        "a" * 31,
        "A" * 32,
        "g" * 32,
        "a" * 33,
        "",
        "{a}",
        "a" * 64,
        "\u00e9" * 32,
    ],
)
def test_a_name_of_another_form_is_not_taken_up(site: Site, logs: io.StringIO, given: str) -> None:
    answer = site.http.get("/nowhere", headers=[("X-Request-Id", given.encode())])
    own = answer.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", own)
    assert own != given
    assert wait_for_lines(logs, 1)[-1]["request_id"] == own
    assert not given.strip() or given not in logs.getvalue()


def test_two_names_are_none(site: Site) -> None:
    answer = site.http.get("/nowhere", headers=[("X-Request-Id", "a" * 32), ("X-Request-Id", "b" * 32)])
    assert answer.headers["x-request-id"] not in {"a" * 32, "b" * 32}


def wait_for_lines(logs: io.StringIO, count: int) -> list[dict[str, Any]]:
    for _ in range(100):
        lines = [json.loads(line) for line in logs.getvalue().splitlines()]
        if len([line for line in lines if line["event"] == "answered"]) >= count:
            break
        time.sleep(0.02)
    return lines


def test_nonsense_instead_of_http_is_not_logged(site: Site, logs: io.StringIO) -> None:
    address = urlsplit(site.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as connection:
        connection.sendall(b"Zq7marker Zq7marker\r\nZq7marker\r\n\r\n")
        answer = connection.recv(4096)
    assert b" 400 " in answer.splitlines()[0]
    assert b"Zq7marker" not in answer
    assert "Zq7marker" not in logs.getvalue()


def test_libraries_are_heard_without_their_texts(logs: io.StringIO) -> None:
    logger = logging.getLogger("some.library")
    logger.addHandler(ConstantHandler())
    logger.propagate = False
    logger.warning("value is %s", "Zq7marker")
    logger.warning("value is Zq7marker")
    try:
        int("Zq7marker")
    except ValueError:
        logger.exception("Zq7marker failed")
    assert "Zq7marker" not in logs.getvalue()
    last = json.loads(logs.getvalue().splitlines()[-1])
    assert (last["library"], last["error"], last["level"]) == ("some.library", "ValueError", "error")


def test_keywords_that_could_carry_a_value_are_masked() -> None:
    event = without_personal_keys(None, "info", {"event": "opened", "value": "Zq7marker", "entry": 4})
    assert event == {"event": "opened", "value": "***", "entry": 4}


@pytest.fixture
def quick_flush(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []

    def flush(_self: Refusals, _pause: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise AuditUnavailable("disk_full")

    monkeypatch.setattr("registry.api.app.FLUSH_SECONDS", 0.02)
    monkeypatch.setattr(Refusals, "flush", flush)
    return calls


def test_counted_refusals_are_written_beside_the_requests(quick_flush: list[int], site: Site) -> None:
    for _ in range(200):
        if len(quick_flush) > 3:
            break
        time.sleep(0.02)
    # The first one failed; the thread went on.
    assert len(quick_flush) > 3
    assert site.http.get("/healthz").status_code == 200


def test_what_is_still_counted_is_written_at_the_end(home: Home) -> None:
    with serving(home.app) as url, plain_client(url) as client:
        for _ in range(7):
            assert client.get("/audit/checkpoint").status_code == 401
    with opened(home.app.settings, home.clock) as again:  # what was served is closed
        entries = Home(again, home.clock).entries()
    counts = [(entry.values or {})["detail"] for entry in entries if entry.kind == "auth"]
    assert counts == ["count 1", "count 6"]


def test_answers_to_many_at_once_are_each_their_own(site: Site) -> None:
    subjects = {f"T-1{number:03}": site.enroll(f"T-1{number:03}")["subject"] for number in range(8)}
    headers = site.as_(Role.READER)
    asks = list(subjects) * 12

    def one(number: str) -> tuple[str, str, int]:
        answer = site.http.post("/v1/disclosures", json=ASK | {"employee_number": number}, headers=headers)
        document = answer.json()
        return number, document["subject"], document["receipt"]["index"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, asks))
    assert all(subjects[number] == subject for number, subject, _ in answers)
    indexes = [index for _, _, index in answers]
    assert len(set(indexes)) == len(asks)
    assert {site.home.entries()[index].kind for index in indexes} == {"disclose"}


def test_the_way_to_report_a_weakness(site: Site) -> None:
    text = site.http.get("/.well-known/security.txt").text
    assert re.search(r"^Contact: mailto:\S+$", text, re.MULTILINE)
    assert re.search(r"^Expires: 2026-0[89]-\S+Z$", text, re.MULTILINE)
