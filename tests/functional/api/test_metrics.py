"""What is counted is right, and nothing about anybody is in it."""

from __future__ import annotations

import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from registry.api.metrics import metrics_page, serving_metrics
from registry.api.server import listen
from registry.domain.errors import AuditUnavailable
from registry.domain.principals import Role
from registry.services.lane import CAPACITY
from registry.services.meters import Meters
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import person

ASK = {
    "employee_number": NUMBER,
    "categories": ["phone"],
    "purpose": {"code": "emergency_contact", "case": "CASE-Zq7", "note": "Zq7marker"},
}
_LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*)\})? (-?[0-9.e+]+)')


def samples(page: str) -> dict[str, float]:
    """Read a page strictly: every sample has its HELP and TYPE, no name and label set stands twice."""
    found: dict[str, float] = {}
    types: dict[str, str] = {}
    helped: set[str] = set()
    assert page.endswith("\n")
    for line in page.splitlines():
        if line.startswith("# "):
            word, name, text = line[2:].split(" ", 2)
            assert name not in (types if word == "TYPE" else helped)
            types.update({name: text} if word == "TYPE" else {})
            helped.update({name} if word == "HELP" else set())
            continue
        match = _LINE.fullmatch(line)
        assert match is not None, line
        family = re.sub(r"_(bucket|sum|count)$", "", match[1]) if match[1] not in types else match[1]
        assert family in types
        assert family in helped
        key = match[1] + ("{" + match[2] + "}" if match[2] else "")
        assert key not in found
        found[key] = float(match[3])
    return found


def until(site: Site, key: str, value: float) -> dict[str, float]:
    """Read the page until it counts an answer that the client already has: counting comes after sending."""
    deadline = time.monotonic() + 10
    while (found := samples(metrics_page(site.home.app))).get(key) != value:
        assert time.monotonic() < deadline, found
        time.sleep(0.005)
    return found


def test_lookups_answers_refusals_and_the_ledger_are_counted(site: Site) -> None:
    site.enroll()
    assert site.disclose(ASK).status_code == 200
    assert site.disclose(ASK | {"employee_number": "T-4040"}).status_code == 404
    assert site.disclose(ASK | {"categories": ["ssn"]}).status_code == 403
    items = [{key: ASK[key] for key in ("employee_number", "categories")}] * 3
    batch = site.post("/v1/disclosures/batch", {"items": items, "purpose": ASK["purpose"]}, Role.READER)
    assert batch.status_code == 200
    site.http.get("/audit/checkpoint")
    found = until(site, "registry_tokens_refused_total", 1)
    assert found['registry_lookups_total{outcome="shown"}'] == 4
    assert found['registry_lookups_total{outcome="not_found"}'] == 1
    assert found['registry_lookups_total{outcome="purpose_not_allowed"}'] == 1
    assert found['registry_http_answers_total{route="/v1/disclosures",method="POST",status="200"}'] == 1
    assert found['registry_http_answers_total{route="/v1/disclosures",method="POST",status="403"}'] == 1
    assert found["registry_tokens_refused_total"] == 1
    assert found["registry_ledger_entries"] == len(site.home.entries())
    assert found["registry_ledger_readable"] == 1
    assert found["registry_lane_batch_size_count"] == 3
    assert found["registry_lane_batch_size_sum"] == 3
    assert found['registry_lane_batch_size_bucket{le="1"}'] == 3
    assert found['registry_lane_batch_size_bucket{le="+Inf"}'] == 3
    assert found["registry_high_water_failed"] == 0
    assert found["registry_lane_wait_seconds_count"] == 3
    assert 0 <= found["registry_lane_wait_seconds_sum"] < 30
    assert found["registry_lane_waiting"] == found["registry_lane_lag_seconds"] == 0
    assert found["registry_lane_capacity"] == CAPACITY
    assert found["registry_commit_seconds_count"] > 5
    assert found["registry_commit_seconds_sum"] > 0
    assert found["registry_checkpoint_age_seconds"] == 0
    assert found["registry_key_uses_total"] == 4
    assert found["registry_key_unwraps_total"] == found["registry_key_cache_keys"] == 1
    assert found["process_resident_memory_bytes"] > 1e6
    assert found["registry_database_bytes"] > 1e4


def test_emergencies_without_review_are_counted(site: Site) -> None:
    site.enroll()
    asked = {"employee_number": NUMBER, "categories": ["phone"], "reason": "Threat called in just now"}
    assert site.post("/v1/break-glass", asked, Role.READER).status_code == 201
    found = samples(metrics_page(site.home.app))
    assert (found["registry_emergencies_unreviewed"], found["registry_emergencies_overdue"]) == (1, 0)
    site.home.clock.step(72 * 3600)
    found = samples(metrics_page(site.home.app))
    assert (found["registry_emergencies_unreviewed"], found["registry_emergencies_overdue"]) == (1, 1)


def test_buckets_only_rise_and_end_at_the_count(site: Site) -> None:
    for _ in range(3):
        site.http.get("/healthz")
    found = until(site, 'registry_http_seconds_count{route="/healthz"}', 3)
    buckets = [value for key, value in found.items() if key.startswith('registry_http_seconds_bucket{route="/healthz"')]
    assert buckets == sorted(buckets)
    assert buckets[-1] == found['registry_http_seconds_count{route="/healthz"}'] == 3


def test_a_503_is_counted_under_its_cause(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.enroll()

    def fail(*_: Any) -> None:
        raise AuditUnavailable("disk_full")

    headers = site.as_(Role.READER)
    with monkeypatch.context() as patched:
        patched.setattr(site.home.app.disclose, "disclose_many", fail)
        assert site.http.post("/v1/disclosures", json=ASK, headers=headers).status_code == 503
    until(site, 'registry_unavailable_total{cause="disk_full"}', 1)


def test_nothing_about_anybody_is_in_it(site: Site) -> None:
    enrolled = site.enroll()
    site.disclose(ASK)
    site.http.get(f"/Zq7marker/{NUMBER}?name=Zq7marker")
    site.http.request("PROPFIND", "/healthz")
    assert (
        httpx2.request("ZQMARKER", f"{str(site.http.base_url).rstrip('/')}/healthz").status_code == 400
    )  # is no HTTP to us
    site.get(f"/v1/subjects/{enrolled['subject']}/records", Role.ENROLLER)
    page = metrics_page(site.home.app)
    values = [text for record in person()["records"] for text in record["value"].values()]
    for text in (
        *values,
        "Brightwater",
        NUMBER,
        enrolled["subject"],
        "Zq7",
        "ZQMARKER",
        "PROPFIND",
        "the reader",
        "127.0.0.1",
    ):
        assert text not in page
    assert site.home.app.kernel.registry not in page


def test_it_has_a_port_of_its_own(site: Site) -> None:
    assert site.http.get("/metrics").status_code == 404
    with serving_metrics(site.home.app, listen(site.home.app, "127.0.0.1", 0)) as url:
        answer = httpx2.get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert "python" not in answer.headers["server"].lower()
        assert "registry_ledger_entries" in samples(answer.text)
        assert httpx2.get(f"{url}/Zq7").status_code == 404
        assert httpx2.post(url).status_code == 501
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)


def test_a_client_that_says_nothing_keeps_nobody_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.metrics._CLIENT_SECONDS", 0.05)
    with serving_metrics(site.home.app, listen(site.home.app, "127.0.0.1", 0)) as url:
        port = int(url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port)):
            assert httpx2.get(url, timeout=10).status_code == 200


def test_a_ledger_that_cannot_be_read_leaves_the_rest(site: Site) -> None:
    database = Path(site.home.app.settings.home) / "registry.db"
    database.rename(database.with_name("gone"))
    found = samples(metrics_page(site.home.app))
    assert found["registry_ledger_readable"] == 0
    assert "registry_ledger_entries" not in found
    database.with_name("gone").rename(database)


def test_only_fixed_words_become_labels() -> None:
    meters = Meters()
    for text in ("Dana Brightwater", "816-555-0142", "a" * 41, 'x"} 1\nregistry_lookups_total', ""):
        meters.looked_up(text)
        meters.unavailable(text)
    assert meters.read().lookups == meters.read().unavailable == {"other": 5}


def test_a_lookup_that_waits_shows_as_lag_and_the_checkpoint_grows_old(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.enroll()
    goes_on, begun, real = threading.Event(), threading.Event(), site.home.app.disclose.disclose_many
    monkeypatch.setattr(
        site.home.app.disclose, "disclose_many", lambda asks: (begun.set(), goes_on.wait(20), real(asks))[2]
    )
    headers = site.as_(Role.READER)
    site.home.clock.step(90)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(site.http.post, "/v1/disclosures", json=ASK, headers=headers)]
        assert begun.wait(20)  # the next one cannot come into the same batch
        asked.append(pool.submit(site.http.post, "/v1/disclosures", json=ASK, headers=headers))
        while samples(metrics_page(site.home.app))["registry_lane_waiting"] < 1:
            time.sleep(0.005)
        time.sleep(0.05)
        found = samples(metrics_page(site.home.app))
        goes_on.set()
        assert {one.result(20).status_code for one in asked} == {200}
    assert found["registry_lane_lag_seconds"] >= 0.05
    assert found["registry_checkpoint_age_seconds"] == 90
