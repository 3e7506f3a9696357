"""What every route does alike: order of checks, forms of bodies, sizes, methods, headers, no echo."""

from __future__ import annotations

import io
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from registry.domain.principals import Role
from tests.functional.api.conftest import Site
from tests.functional.services.homes import person

MARK = "Zq7marker"
ID = "0" * 32
# Every protected route with a role that may use it, and whether it reads a body.
ROUTES: tuple[tuple[str, str, Role, bool], ...] = (
    ("POST", "/v1/subjects", Role.ENROLLER, True),
    ("PATCH", f"/v1/subjects/{ID}", Role.ENROLLER, True),
    ("DELETE", f"/v1/subjects/{ID}", Role.ENROLLER, True),
    ("POST", "/v1/subjects/search", Role.READER, True),
    ("POST", "/v1/disclosures", Role.READER, True),
    ("POST", "/v1/disclosures/batch", Role.READER, True),
    ("GET", "/v1/purposes", Role.READER, False),
    ("POST", "/v1/policies", Role.SECURITY_ADMIN, True),
    ("POST", "/v1/keys", Role.SECURITY_ADMIN, True),
    ("POST", "/v1/me/disclosures", Role.SUBJECT, True),
    ("GET", "/v1/me/records", Role.SUBJECT, False),
    ("GET", "/v1/me/accounting", Role.SUBJECT, False),
    ("POST", "/v1/traces", Role.INVESTIGATOR, True),
    ("GET", "/v1/traces", Role.INVESTIGATOR, False),
    ("GET", f"/v1/traces/{ID}", Role.INVESTIGATOR, False),
    ("GET", f"/v1/traces/{ID}/report.html", Role.INVESTIGATOR, False),
    ("GET", f"/v1/traces/{ID}/report.txt", Role.INVESTIGATOR, False),
    ("GET", f"/v1/traces/{ID}/report.pdf", Role.INVESTIGATOR, False),
    ("GET", f"/v1/traces/{ID}/evidence.zip", Role.INVESTIGATOR, False),
    ("POST", f"/v1/traces/{ID}/draws", Role.INVESTIGATOR, True),
    ("POST", f"/v1/traces/{ID}/names", Role.INVESTIGATOR, True),
    ("POST", f"/v1/traces/{ID}/items", Role.INVESTIGATOR, True),
    ("POST", f"/v1/traces/{ID}/notes", Role.INVESTIGATOR, True),
    ("POST", f"/v1/traces/{ID}/state", Role.INVESTIGATOR, True),
    ("POST", f"/v1/traces/{ID}/reveal", Role.INVESTIGATOR, False),
    ("GET", "/v1/audit/entries", Role.AUDITOR, False),
    ("POST", "/v1/audit/accountings", Role.AUDITOR, True),
    ("GET", "/audit/checkpoint", Role.AUDITOR, False),
    ("GET", "/audit/tile/0/000.p/1", Role.AUDITOR, False),
    ("GET", "/v1/principals", Role.SECURITY_ADMIN, False),
    ("POST", "/v1/principals", Role.SECURITY_ADMIN, True),
    ("POST", f"/v1/principals/{ID}/unlock", Role.APPROVER, True),
    ("POST", "/v1/decoys", Role.SECURITY_ADMIN, True),
    ("POST", "/v1/confidentiality/check", Role.RECORDS_OFFICER, True),
    ("POST", "/v1/release-checks", Role.RECORDS_OFFICER, True),
    ("POST", "/v1/audit/value-searches", Role.INVESTIGATOR, True),
    ("GET", "/v1/audit/unusual", Role.AUDITOR, False),
    ("GET", "/v1/audit/sample", Role.AUDITOR, False),
    ("POST", f"/v1/audit/sample/{ID}", Role.AUDITOR, True),
    ("POST", f"/v1/principals/{ID}/move", Role.SECURITY_ADMIN, True),
    ("POST", f"/v1/principals/{ID}/leave", Role.SECURITY_ADMIN, False),
    ("POST", f"/v1/principals/{ID}/revoke", Role.SECURITY_ADMIN, False),
    ("POST", "/v1/tokens/revoke", Role.SECURITY_ADMIN, True),
    ("GET", f"/v1/principals/{ID}/report", Role.AUDITOR, False),
    ("GET", "/v1/requests", Role.APPROVER, False),
    ("GET", "/v1/requests/statistics", Role.AUDITOR, False),
    ("GET", f"/v1/requests/{ID}", Role.APPROVER, False),
    ("POST", f"/v1/requests/{ID}/approve", Role.APPROVER, True),
    ("POST", f"/v1/requests/{ID}/refuse", Role.APPROVER, True),
    ("POST", "/v1/break-glass", Role.READER, True),
    ("GET", "/v1/break-glass", Role.AUDITOR, False),
    ("GET", f"/v1/break-glass/{ID}", Role.AUDITOR, False),
    ("POST", f"/v1/break-glass/{ID}/review", Role.APPROVER, True),
    ("POST", "/v1/me/disputes", Role.SUBJECT, True),
    ("GET", "/v1/me/disputes", Role.SUBJECT, False),
    ("POST", f"/v1/me/disputes/{ID}/reveal", Role.SUBJECT, False),
    ("GET", "/v1/disputes", Role.AUDITOR, False),
    ("POST", f"/v1/disputes/{ID}/reveal", Role.AUDITOR, False),
    ("POST", f"/v1/disputes/{ID}/answer", Role.AUDITOR, True),
    ("POST", "/v1/me/corrections", Role.SUBJECT, True),
    ("GET", "/v1/me/corrections", Role.SUBJECT, False),
    ("POST", f"/v1/me/corrections/{ID}/reveal", Role.SUBJECT, False),
    ("GET", "/v1/corrections", Role.ENROLLER, False),
    ("POST", f"/v1/corrections/{ID}/reveal", Role.ENROLLER, False),
    ("POST", f"/v1/corrections/{ID}/accept", Role.ENROLLER, True),
    ("POST", f"/v1/corrections/{ID}/refuse", Role.ENROLLER, True),
    ("PUT", "/v1/me/contact", Role.SUBJECT, True),
    ("POST", "/v1/me/contact/reveal", Role.SUBJECT, False),
    ("POST", "/v1/holds", Role.INVESTIGATOR, True),
    ("GET", "/v1/holds", Role.AUDITOR, False),
    ("GET", f"/v1/holds/{ID}", Role.AUDITOR, False),
    ("POST", f"/v1/holds/{ID}/confirm", Role.APPROVER, True),
    ("POST", f"/v1/holds/{ID}/refuse", Role.APPROVER, True),
    ("POST", f"/v1/holds/{ID}/end", Role.AUDITOR, True),
)
WITH_BODY = [(method, path, role) for method, path, role, has_body in ROUTES if has_body]
BAD_BODIES: tuple[tuple[bytes, str], ...] = (
    (b"", "not_json"),
    (b"{", "not_json"),
    (b'{"a":1,"a":2}', "duplicate_key"),
    (b'{"a":{"b":1,"\\u0062":2}}', "duplicate_key"),
    (b'\xef\xbb\xbf{"a":1}', "not_json"),
    (b'{"a":"\xff"}', "not_utf8"),
    ('{"a":1}'.encode("utf-16"), "not_utf8"),
    (b'{"a":"\\ud800"}', "lone_surrogate"),
    (b'{"a":NaN}', "nan_or_infinity"),
    (b'{"a":1e999}', "number_out_of_range"),
    (b"[" * 100_000, "too_deep"),
    (b'{"a":' * 40 + b"1" + b"}" * 40, "too_deep"),
)


def sent(site: Site, method: str, path: str, role: Role, content: bytes, **headers: str) -> Any:
    all_headers = {"Content-Type": "application/json"} | site.as_(role) | headers
    return site.http.request(method, path, content=content, headers=all_headers)


def test_every_protected_route_is_in_the_table(site: Site) -> None:
    described = {
        (method.upper(), re.sub(r"{\w+}", ID, path.replace("{path}", "0/000.p/1")))
        for path, operations in site.contract.document["paths"].items()
        for method, operation in operations.items()
        if operation["security"]
    }
    # What reads its body as a file has tests of its own: test_importing.py.
    assert described == {(method, path) for method, path, _, _ in ROUTES} | {("POST", "/v1/subjects/import")}


@pytest.mark.parametrize(("method", "path", "role", "has_body"), ROUTES)
def test_token_then_role_then_body(site: Site, method: str, path: str, role: Role, has_body: bool) -> None:
    other = Role.READER if role is Role.RECORDS_OFFICER else Role.RECORDS_OFFICER
    if path.startswith("/v1/requests"):  # which records officers read too
        other = Role.SUBJECT
    bare = site.http.request(method, path, content=b"{nonsense")
    assert (bare.status_code, site.last().kind) == (401, "auth")
    refused = site.http.request(method, path, content=b"{nonsense", headers=site.as_(other))
    assert (refused.status_code, refused.json()["reason"]) == (403, "not_permitted")
    entry = site.last()
    assert (entry.kind, entry.index) == ("deny", refused.json()["receipt"]["index"])
    answer = sent(site, method, path, role, b"{nonsense")
    assert answer.status_code == 400 if has_body else answer.status_code in {200, 404}


@pytest.mark.parametrize(("method", "path", "role"), WITH_BODY)
def test_unreadable_json_is_named_by_its_fault(site: Site, method: str, path: str, role: Role) -> None:
    # What is larger than the route takes is not read at all.
    found = [(sent(site, method, path, role, content[: limit_of(path)]), code) for content, code in BAD_BODIES]
    assert [(answer.status_code, answer.json()["code"]) for answer, _ in found] == [(400, code) for _, code in found]


@pytest.mark.parametrize(("method", "path", "role"), WITH_BODY)
def test_another_media_type_is_refused(site: Site, method: str, path: str, role: Role) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""):
        answer = sent(site, method, path, role, b"{}", **{"Content-Type": content_type})
        assert (answer.status_code, answer.json()["code"]) == (415, "not_application_json"), content_type
    answer = sent(site, method, path, role, b"{}", **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "content_encoding")
    answer = sent(site, method, path, role, b"[]", **{"Content-Type": 'Application/JSON;charset="UTF-8"'})
    assert answer.status_code == 422


def test_a_request_without_content_type_is_refused(site: Site) -> None:
    headers = site.as_(Role.READER)
    assert site.http.post("/v1/disclosures", content=b"{}", headers=headers).status_code == 415


FILES = {"/v1/release-checks": 21 << 20}


def limit_of(path: str) -> int:
    texts = {"/v1/traces": 21 << 20, f"/v1/traces/{ID}/items": 21 << 20}
    return {"/v1/disclosures": 64 << 10, "/v1/disclosures/batch": 2 << 20, **texts, **FILES}.get(path, 1 << 20)


@pytest.mark.parametrize(("method", "path", "role"), WITH_BODY)
def test_a_large_body_is_refused_by_its_declared_length(site: Site, method: str, path: str, role: Role) -> None:
    status = raw_status(site, method, path, site.as_(role) | {"Content-Length": str(limit_of(path) + 1)}, b"")
    assert status == 413


@pytest.mark.parametrize("path", ["/v1/subjects", "/v1/disclosures"])
def test_a_large_body_is_refused_while_it_comes_in(site: Site, path: str) -> None:
    role = Role.ENROLLER if path == "/v1/subjects" else Role.READER
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    body = chunk * ((limit_of(path) >> 16) + 1)  # no length, no end: it must not be waited for
    assert raw_status(site, "POST", path, site.as_(role) | {"Transfer-Encoding": "chunked"}, body) == 413


def test_a_body_just_within_the_limit_is_read(site: Site) -> None:
    content = b"{}".ljust(limit_of("/v1/disclosures"))
    assert sent(site, "POST", "/v1/disclosures", Role.READER, content).status_code == 422
    assert sent(site, "POST", "/v1/disclosures", Role.READER, content + b" ").status_code == 413


def raw_status(site: Site, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
    """Send a request byte by byte as a client library would not, and read the status."""
    address = urlsplit(site.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        lines = {"Host": address.netloc, "Content-Type": "application/json"} | headers
        head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1])


def test_a_slow_body_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.asking.BODY_SECONDS", 0.05)
    headers = site.as_(Role.READER) | {"Content-Length": "100"}
    assert raw_status(site, "POST", "/v1/disclosures", headers, b'{"sub') == 408


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/subjects/", "/v2/subjects", "/docs", "/redoc", "/metrics"])
def test_unknown_paths_are_problem_documents(site: Site, path: str) -> None:
    answer = site.http.get(f"{path}?name={MARK}", follow_redirects=False)
    assert answer.status_code == 404 if path != "/v1/subjects" else 405
    assert MARK not in answer.text + str(answer.headers)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "GET", "PROPFIND"])
def test_other_methods_are_not_allowed(site: Site, method: str) -> None:
    site.enroll()
    answer = site.http.request(method, "/v1/disclosures", headers=site.as_(Role.READER))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "access-control-allow-origin" not in answer.headers


def test_no_page_of_another_origin_may_read_an_answer(site: Site) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = site.http.options("/v1/disclosures", headers=headers)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_range_and_conditions_change_nothing(site: Site) -> None:
    conditions = {"Range": "bytes=0-3", "If-None-Match": "*", "If-Modified-Since": "Wed, 21 Oct 2037 07:28:00 GMT"}
    for path, role in (("/audit/checkpoint", Role.AUDITOR), ("/v1/me/records", Role.SUBJECT)):
        answer = site.http.get(path, headers=site.as_(role, "T-0001") | conditions)
        assert answer.status_code in {200, 404}
        assert "content-range" not in answer.headers
        assert "etag" not in answer.headers


def test_another_host_name_is_not_repeated(site: Site) -> None:
    answer = site.http.get("/v1/subjects/", headers={"Host": f"{MARK}.example"}, follow_redirects=False)
    assert answer.status_code == 404
    assert MARK not in answer.text + str(answer.headers)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value of a document, containers too."""
    yield path
    if isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(member, (*path, key))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = replaced(document[path[0]], path[1:], value)
    return copy


GOOD: tuple[tuple[str, Role, dict[str, Any]], ...] = (
    ("/v1/subjects", Role.ENROLLER, person()),
    ("/v1/subjects/search", Role.INVESTIGATOR, {"value": {"category": "ssn", "value": {"number": "741-12-3456"}}}),
    (
        "/v1/disclosures",
        Role.READER,
        {
            "employee_number": "T-0001",
            "records": [ID],
            "purpose": {"code": "safety", "case": "C-1", "note": "Visit"},
            "form": "as_entered",
        },
    ),
    (
        "/v1/disclosures/batch",
        Role.READER,
        {"items": [{"subject": ID, "categories": ["phone"]}], "purpose": {"code": "payroll"}},
    ),
    ("/v1/me/disclosures", Role.SUBJECT, {"categories": ["phone"], "form": "as_entered"}),
    ("/v1/traces", Role.INVESTIGATOR, {"text": "x", "published_at": "2026-03-01T00:00:00Z", "source": "forum"}),
    ("/v1/principals", Role.SECURITY_ADMIN, {"issuer": "i", "sub": "s", "roles": ["reader"], "unit": "u"}),
)


@pytest.mark.parametrize(("path", "role", "body"), GOOD, ids=[path for path, _, _ in GOOD])
def test_whatever_stands_wherever_is_answered_without_an_echo(
    site: Site, logs: io.StringIO, path: str, role: Role, body: dict[str, Any]
) -> None:
    """Put odd things at every place of a good body: a clear answer each time, and nothing of it comes back."""
    headers = site.as_(role)
    odd: list[Any] = [None, True, 7, 1.5, MARK, f"{MARK}\u0000", [], [MARK], {}, {MARK: MARK}, [[MARK]], "", " "]
    statuses = set()
    for place in list(leaves(body)):
        for value in odd:
            answer = site.http.post(path, json=replaced(body, place, value), headers=headers)
            statuses.add(answer.status_code)
            assert answer.status_code < 500, (place, value, answer.text)
            if answer.is_error:
                assert MARK not in answer.text + str(answer.headers), (place, value)
    assert 422 in statuses
    assert MARK not in logs.getvalue()


def test_deep_and_wide_bodies_end_quickly(site: Site) -> None:
    wide = json.dumps({f"k{number}": number for number in range(50_000)}).encode()
    answer = sent(site, "POST", "/v1/subjects", Role.ENROLLER, wide)
    assert answer.json()["errors"][0] == {"pointer": "", "code": "unknown_key"}
    many = {"items": [{"bad": number} for number in range(500)], "purpose": {"code": "payroll"}}
    answer = site.post("/v1/disclosures/batch", many, Role.READER)
    assert len(answer.json()["errors"]) == 50
