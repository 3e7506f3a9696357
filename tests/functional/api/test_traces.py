"""Tracing over HTTP: the answer, the stored report in all forms, and whose it is."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from registry.domain.principals import Role
from registry.reports.as_html import style_source
from registry.transparency.note import format_vkey
from tests.fakes.digits import tells
from tests.functional.api.conftest import NUMBER, Site

POST = "Look who lives at 1207 Larkspur Ave Apt 3 in Fairhollow, call 816 555 0142 and say hello."


@pytest.fixture
def traced(site: Site) -> dict[str, Any]:
    site.enroll()
    site.disclose({"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}})
    site.home.clock.step(3600)
    published = site.home.clock.now().isoformat()
    body = {"text": POST, "published_at": published, "source": "forum, thread 12"}
    answer = site.post("/v1/traces", body, Role.INVESTIGATOR)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/traces/{answer.json()['trace']}"
    document: dict[str, Any] = answer.json()
    return document


def test_a_trace_finds_values_and_served_copies(site: Site, traced: dict[str, Any]) -> None:
    report = traced["report"]
    (found,) = report["people"]
    assert found["employee_number"] == NUMBER
    assert {finding["kind"] for finding in found["findings"]} == {"phone:mobile", "home_address"}
    spans = {finding["kind"]: POST[slice(*finding["spans"][0])] for finding in found["findings"]}
    assert spans["phone:mobile"] == "816 555 0142"
    (account,) = report["accounts"]
    assert [copy["purpose"] for copy in account["copies"]] == ["emergency_contact"]
    assert site.home.entries()[traced["receipt"]["index"]].kind == "trace"
    assert report["question"]["source"] == "forum, thread 12"


def test_no_value_beyond_the_pasted_text(site: Site, traced: dict[str, Any]) -> None:
    everything = json.dumps(traced)
    for marker in ("816-555-0142", "Brightwater", "741-12-3456", "Larkspur", "816 555 0142", "the reader"):
        assert marker not in everything


def test_the_report_is_kept_and_reading_it_is_an_entry(site: Site, traced: dict[str, Any]) -> None:
    size = len(site.home.entries())
    answer = site.get(f"/v1/traces/{traced['trace']}", Role.INVESTIGATOR)
    assert answer.json() == {name: part for name, part in traced.items() if name != "receipt"}
    assert "audit-read" in [entry.kind for entry in site.home.entries()[size:]]


def test_the_page_allows_its_own_style_only(site: Site, traced: dict[str, Any]) -> None:
    answer = site.get(f"/v1/traces/{traced['trace']}/report.html", Role.INVESTIGATOR)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert style_source() in policy
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert not tells(answer.text, "816-555-0142")


def test_the_text_is_for_a_terminal(site: Site, traced: dict[str, Any]) -> None:
    answer = site.get(f"/v1/traces/{traced['trace']}/report.txt", Role.INVESTIGATOR)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("Trace report")
    assert not tells(answer.text, "816-555-0142")


def test_the_pdf_is_one(site: Site, traced: dict[str, Any]) -> None:
    answer = site.get(f"/v1/traces/{traced['trace']}/report.pdf", Role.INVESTIGATOR)
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["content-disposition"] == 'attachment; filename="report.pdf"'


def test_the_bundle_verifies_offline(site: Site, traced: dict[str, Any], tmp_path: Path) -> None:
    size = len(site.home.entries())
    answer = site.get(f"/v1/traces/{traced['trace']}/evidence.zip", Role.INVESTIGATOR)
    assert answer.headers["content-type"] == "application/zip"
    assert [entry.kind for entry in site.home.entries()[size:]].count("audit-read") == 1
    bundle = tmp_path / "evidence.zip"
    bundle.write_bytes(answer.content)
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert {"report.json", "report.txt", "report.pdf", "checkpoint", "verify_bundle.py"} <= set(names)
    zipfile.ZipFile(bundle).extract("verify_bundle.py", tmp_path)
    key = format_vkey(site.home.app.verifier_key)
    command = [sys.executable, "-I", str(tmp_path / "verify_bundle.py"), "--key", key, str(bundle)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    changed = bytearray(answer.content)
    changed[len(changed) // 2] ^= 1
    bundle.write_bytes(changed)
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 1


def test_the_text_comes_back_by_post_only(site: Site, traced: dict[str, Any]) -> None:
    path = f"/v1/traces/{traced['trace']}/reveal"
    assert site.get(path, Role.INVESTIGATOR).status_code == 405
    answer = site.post(path, None, Role.INVESTIGATOR)
    assert answer.json() == {"text": POST, "state": "open", "parts": []}
    assert any("reveal text" in (entry.values or {}).get("detail", "") for entry in site.home.entries()[-2:])


def test_the_list_is_ones_own(site: Site, traced: dict[str, Any]) -> None:
    listed = site.get("/v1/traces", Role.INVESTIGATOR).json()["traces"]
    assert [line["trace"] for line in listed] == [traced["trace"]]
    assert site.http.get("/v1/traces", headers=other_investigator(site)).json() == {"traces": []}


def other_investigator(site: Site) -> dict[str, str]:
    return {"Authorization": f"Bearer {site.token('another investigator', Role.INVESTIGATOR)}"}


@pytest.mark.parametrize("path", ["", "/report.html", "/report.txt", "/report.pdf", "/evidence.zip", "/reveal"])
def test_somebody_elses_trace_is_as_unknown_as_none(site: Site, traced: dict[str, Any], path: str) -> None:
    method = "POST" if path == "/reveal" else "GET"
    headers = other_investigator(site)
    answers = [
        site.http.request(method, f"/v1/traces/{identifier}{path}", headers=headers)
        for identifier in (traced["trace"], "0" * 32, "nonsense")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert [(entry.values or {})["result"] for entry in site.home.entries()[-3:]] == ["not_found"] * 3
    refused = site.http.request(method, f"/v1/traces/{traced['trace']}{path}", headers=site.as_(Role.AUDITOR))
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"text": None}, "/text", "missing"),
        ({"text": ""}, "/text", "empty"),
        ({"text": ["816-555-0142"]}, "/text", "wrong_type"),
        ({"published_at": "2026-03-02"}, "/published_at", "not_a_moment"),
        ({"published_at": "2026-03-02T10:00:00"}, "/published_at", "not_a_moment"),
        ({"published_at": "2026-02-30T10:00:00Z"}, "/published_at", "not_a_moment"),
        ({"published_at": "20260302T100000Z"}, "/published_at", "not_a_moment"),
        ({"published_at": "2026-03-02T10:00:00+99:00"}, "/published_at", "not_a_moment"),
        ({"published_at": 1772445600}, "/published_at", "wrong_type"),
        ({"source": "x" * 301}, "/source", "too_long"),
        ({"sauce": "816-555-0142"}, "", "unknown_key"),
    ],
)
def test_a_malformed_trace_is_refused(site: Site, changes: dict[str, Any], pointer: str, code: str) -> None:
    body = {key: value for key, value in ({"text": POST} | changes).items() if value is not None}
    answer = site.post("/v1/traces", body, Role.INVESTIGATOR)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": pointer, "code": code}])
    assert not tells(answer.text, "816-555-0142")


@pytest.mark.parametrize("moment", ["2026-03-02T10:00:00Z", "2026-03-02t10:00:00.125z", "2026-03-02T04:00:00-06:00"])
def test_a_moment_is_read_with_its_offset(site: Site, moment: str) -> None:
    answer = site.post("/v1/traces", {"text": "nothing here", "published_at": moment}, Role.INVESTIGATOR)
    assert answer.json()["report"]["question"]["published_at"].startswith("2026-03-02T10:00:00.")


def test_a_text_may_hold_any_character(site: Site) -> None:
    text = "\u202e\u0000\ufffe zero\u200bwidth \U0001f600 816\u00a0555\u00a00142"
    answer = site.post("/v1/traces", {"text": text}, Role.INVESTIGATOR)
    assert answer.status_code == 201
    revealed = site.post(f"/v1/traces/{answer.json()['trace']}/reveal", None, Role.INVESTIGATOR)
    assert revealed.json() == {"text": text, "state": "open", "parts": []}


def test_findings_and_candidates_stand_at_the_top(site: Site, traced: dict[str, Any]) -> None:
    report = traced["report"]
    inside = [finding for person in report["people"] for finding in person["findings"]]
    assert [
        {name: part for name, part in one.items() if name != "employee_number"} for one in traced["findings"]
    ] == inside
    assert {one["employee_number"] for one in traced["findings"]} == {"T-0001"}
    assert traced["candidates"] == report["accounts"]
    assert traced["candidates"]


def test_how_sure_the_time_of_publication_is(site: Site) -> None:
    site.enroll()
    published = site.home.clock.now().isoformat()
    site.home.clock.step(60)
    site.disclose({"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}})
    site.home.clock.step(60)
    body = {"text": POST, "published_at": published}
    late = site.post("/v1/traces", body, Role.INVESTIGATOR).json()["report"]
    assert (len(late["accounts"]), len(late["after_publication"])) == (0, 1)
    doubtful = site.post("/v1/traces", body | {"uncertainty_seconds": 90}, Role.INVESTIGATOR).json()["report"]
    assert doubtful["question"]["uncertainty_seconds"] == 90
    assert [copy["in_doubt"] for account in doubtful["accounts"] for copy in account["copies"]] == [True]
    assert doubtful["after_publication"] == []


@pytest.mark.parametrize(
    ("changes", "code", "key"),
    [
        ({"uncertainty_seconds": -1}, "out_of_range", "uncertainty_seconds"),
        ({"uncertainty_seconds": 366 * 86_400 + 1}, "out_of_range", "uncertainty_seconds"),
        ({"uncertainty_seconds": True}, "wrong_type", "uncertainty_seconds"),
        ({"uncertainty_seconds": 60, "published_at": None}, "missing", "published_at"),
    ],
)
def test_a_doubt_is_a_length_of_time_beside_a_time(site: Site, changes: dict[str, Any], code: str, key: str) -> None:
    told = {"text": POST, "published_at": "2026-03-02T18:30:00Z"} | changes
    body = {name: part for name, part in told.items() if part is not None}
    answer = site.post("/v1/traces", body, Role.INVESTIGATOR)
    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(f"/{key}", code)]
