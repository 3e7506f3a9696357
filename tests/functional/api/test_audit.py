"""The ledger and the principals table over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.transparency.checkpoint import open_checkpoint
from registry.transparency.note import Verifier
from tests.functional.api.conftest import NUMBER, Site

ASK = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}


def test_pages_give_every_entry_once(site: Site) -> None:
    site.enroll()
    for _ in range(5):
        site.disclose(ASK)
    site.as_(Role.AUDITOR)
    size = len(site.home.entries())
    path: str | None = "/v1/audit/entries?limit=3"
    indexes: list[int] = []
    while path is not None:
        answer = site.get(path, Role.AUDITOR)
        indexes += [entry["index"] for entry in answer.json()["entries"]]
        path = answer.json()["next"]
        assert answer.headers.get("link") == (None if path is None else f'<{path}>; rel="next"')
    # The first page was itself an entry, so it begins with that.
    assert indexes == list(range(size, -1, -1))


def test_entries_say_what_happened_without_values(site: Site) -> None:
    site.enroll()
    site.disclose(ASK)
    answer = site.get("/v1/audit/entries?kind=disclose", Role.AUDITOR)
    (entry,) = answer.json()["entries"]
    assert entry["fields"]["purpose"] == "emergency_contact"
    assert entry["fields"]["principal"].endswith("#the reader")
    assert [line["category"] for line in entry["records"]] == ["phone"]
    everything = site.get("/v1/audit/entries?limit=200", Role.AUDITOR).text
    for marker in ("816-555", "Brightwater", "741-12", "Larkspur"):
        assert marker not in everything


def test_reading_the_ledger_is_an_entry(site: Site) -> None:
    answer = site.get("/v1/audit/entries?limit=1&kind=init", Role.AUDITOR)
    entry = site.home.entries()[answer.json()["receipt"]["index"]]
    assert (entry.kind, (entry.values or {})["request"]) == ("audit-read", "before - limit 1 kind init")


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("limit=0", "/query/limit", "out_of_range"),
        ("limit=201", "/query/limit", "out_of_range"),
        ("limit=-1", "/query/limit", "not_a_number"),
        ("limit=1e2", "/query/limit", "not_a_number"),
        ("limit=%D9%A3", "/query/limit", "not_a_number"),
        ("before=", "/query/before", "not_a_number"),
        ("before=" + "9" * 30, "/query/before", "not_a_number"),
        ("kind=gossip", "/query/kind", "not_one_of"),
        ("limit=1&limit=2", "/query", "repeated"),
        ("name=Brightwater", "/query", "unknown_key"),
    ],
)
def test_a_malformed_query_is_refused(site: Site, query: str, pointer: str, code: str) -> None:
    answer = site.get(f"/v1/audit/entries?{query}", Role.AUDITOR)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": pointer, "code": code}])
    assert "Brightwater" not in answer.text


def test_a_page_far_beyond_the_end_is_the_last_one(site: Site) -> None:
    answer = site.get("/v1/audit/entries?limit=1&before=" + "9" * 18, Role.AUDITOR)
    assert answer.json()["entries"][0]["index"] == len(site.home.entries()) - 1


def test_the_checkpoint_is_signed(site: Site) -> None:
    size = len(site.home.entries())
    answer = site.get("/audit/checkpoint", Role.AUDITOR)
    app = site.home.app
    verifier = app.ledger_verifier._verifier
    assert isinstance(verifier, Verifier)
    checkpoint = open_checkpoint(answer.text, verifier, app.kernel.log.origin)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert checkpoint.size == size + 1  # the auditor's grant


@pytest.mark.parametrize("path", ["/v1/audit/entries", "/v1/audit/entries?limit=x", "/audit/checkpoint"])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
def test_the_ledger_is_for_auditors(site: Site, path: str, role: Role) -> None:
    answer = site.get(path, role)
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_permitted")
    assert site.home.entries()[answer.json()["receipt"]["index"]].kind == "deny"


def grant(site: Site, **changes: Any) -> Any:
    body = {"issuer": DEVELOPMENT_ISSUER, "sub": "desk-4", "roles": ["reader"]} | changes
    return site.post(
        "/v1/principals", {key: value for key, value in body.items() if value is not None}, Role.SECURITY_ADMIN
    )


def test_a_granted_role_works_at_once_and_so_does_its_end(site: Site) -> None:
    site.enroll()
    issuer = site.home.app.development_issuer()
    token = issuer.issue("desk-4", [Role.READER], ttl_seconds=600, now=site.home.clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    assert site.http.post("/v1/disclosures", json=ASK, headers=headers).status_code == 403
    granted = grant(site, unit="Benefits", employee_number="T-0044")
    assert granted.status_code == 200
    assert site.home.entries()[granted.json()["receipt"]["index"]].kind == "grant"
    assert site.http.post("/v1/disclosures", json=ASK, headers=headers).status_code == 200
    assert grant(site, roles=[]).json()["principal"] == granted.json()["principal"]
    assert site.http.post("/v1/disclosures", json=ASK, headers=headers).status_code == 403


def test_principals_are_listed(site: Site) -> None:
    granted = grant(site, unit="Benefits", employee_number="T-0044").json()["principal"]
    listed = site.get("/v1/principals", Role.SECURITY_ADMIN)
    (found,) = [line for line in listed.json()["principals"] if line["principal"] == granted]
    assert found == {
        "principal": granted,
        "issuer": DEVELOPMENT_ISSUER,
        "sub": "desk-4",
        "roles": ["reader"],
        "unit": "Benefits",
        "state": "active",
        "has_employee_number": True,
    }
    assert "T-0044" not in listed.text


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"issuer": None}, "/issuer", "missing"),
        ({"sub": ""}, "/sub", "empty"),
        ({"sub": "a\u202eb"}, "/sub", "not_plain_text"),
        ({"roles": None}, "/roles", "missing"),
        ({"roles": "reader"}, "/roles", "wrong_type"),
        ({"roles": ["root"]}, "/roles/0", "not_one_of"),
        ({"roles": ["reader", "reader"]}, "/roles/1", "repeated"),
        ({"roles": ["reader"] * 9}, "/roles", "too_many"),
        ({"employee_number": "a b"}, "/employee_number", "employee_number_form"),
        ({"password": "x"}, "", "unknown_key"),
    ],
)
def test_a_malformed_grant_is_refused(site: Site, changes: dict[str, Any], pointer: str, code: str) -> None:
    answer = grant(site, **changes)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": pointer, "code": code}])


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SECURITY_ADMIN])
def test_principals_are_for_security_administrators(site: Site, role: Role) -> None:
    assert site.get("/v1/principals", role).status_code == 403
    answer = site.post("/v1/principals", {"issuer": "x", "sub": "the reader", "roles": ["auditor"]}, role)
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_permitted")
