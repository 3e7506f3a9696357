"""The ledger and the principals table over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from registry.domain.clock import from_unix_ms, iso
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.entry_reading import ReadEntry
from registry.transparency.checkpoint import open_checkpoint
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
    checkpoint = open_checkpoint(answer.text, app.signing, app.kernel.log.origin)
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


# --- filters


def walked(site: Site, query: str) -> list[int]:
    """Return the indexes of all pages of a query."""
    path: str | None = f"/v1/audit/entries?limit=2&{query}"
    indexes: list[int] = []
    while path is not None:
        document = site.get(path, Role.AUDITOR).json()
        page = [entry["index"] for entry in document["entries"]]
        assert len(page) <= 2
        assert page == sorted({one for one in page if not indexes or one < indexes[-1]}, reverse=True)
        indexes += page
        path = document["next"]
    return indexes


def said(site: Site, takes: Callable[[ReadEntry, Mapping[str, str]], bool]) -> list[int]:
    """Return the indexes of the entries that are wanted, newest first; looked at without any filter."""
    return [entry.index for entry in reversed(site.home.entries()) if takes(entry, entry.values or {})]


def test_filters_give_exactly_what_entries_say(site: Site) -> None:
    first, second = site.enroll()["subject"], site.enroll("T-0002")["subject"]
    for number in (NUMBER, "T-0002", NUMBER):
        site.disclose(ASK | {"employee_number": number})
    site.disclose(ASK | {"categories": ["ssn"]})  # not for this purpose: refused
    site.disclose(ASK | {"categories": ["home_address"], "purpose": {"code": "payroll"}})
    subjects = {subject: said(site, lambda _, v, s=subject: s in v["subject"].split()) for subject in (first, second)}
    for subject, expected in subjects.items():
        assert walked(site, f"subject={subject}") == expected
    assert len(subjects[first]) > len(subjects[second]) > 1
    ssn = said(site, lambda e, _: e.kind == "deny" and any(r.category == "ssn" for r in e.records))
    assert walked(site, "category=ssn&kind=deny") == ssn != []
    of_address = said(site, lambda e, _: any(r.category == "home_address" for r in e.records))
    assert walked(site, "category=home_address") == of_address
    assert set(ssn).isdisjoint(of_address)
    payroll = said(site, lambda _, v: v["purpose"] == "payroll")
    assert walked(site, "purpose=payroll") == payroll != []
    denied = said(site, lambda _, v: v["result"].startswith("denied"))
    assert walked(site, "outcome=denied") == denied != []
    assert walked(site, "outcome=den") == []  # the word, not how it begins
    reader = next((e.values or {})["principal"].split()[0] for e in site.home.entries() if e.kind == "disclose")
    assert walked(site, f"principal={reader}") == said(site, lambda _, v: v["principal"].startswith(reader))
    both = said(site, lambda _, v: first in v["subject"] and v["purpose"] == "payroll")
    assert walked(site, f"subject={first}&purpose=payroll") == both != []
    assert walked(site, f"subject={'0' * 32}") == []


def test_times_bound_a_page_from_both_sides(site: Site) -> None:
    subject = site.enroll()["subject"]
    moments = []
    for _ in range(4):
        site.home.clock.step(60)
        moments.append(site.disclose(ASK).json()["receipt"]["index"])
    at = {e.index: iso(from_unix_ms(e.unix_ms)) for e in site.home.entries()}
    query = f"kind=disclose&{urlencode({'from': at[moments[1]], 'to': at[moments[3]]})}"
    assert walked(site, query) == [moments[2], moments[1]]
    assert walked(site, f"kind=disclose&{urlencode({'to': at[moments[0]]})}") == []
    assert walked(site, f"kind=disclose&{urlencode({'to': at[moments[3]]})}") == moments[2::-1]
    assert walked(site, f"subject={subject}&{urlencode({'from': at[moments[2]]})}") == [moments[3], moments[2]]


def test_a_walk_stays_steady_while_the_ledger_grows(site: Site) -> None:
    site.enroll()
    for _ in range(5):
        site.disclose(ASK)
    expected = said(site, lambda e, _: e.kind == "disclose")
    document = site.get("/v1/audit/entries?limit=2&kind=disclose", Role.AUDITOR).json()
    seen = [entry["index"] for entry in document["entries"]]
    while document["next"] is not None:
        site.disclose(ASK)
        document = site.get(document["next"], Role.AUDITOR).json()
        seen += [entry["index"] for entry in document["entries"]]
    assert seen == expected


def test_what_was_asked_for_is_committed(site: Site) -> None:
    answer = site.get(f"/v1/audit/entries?limit=1&subject={'a' * 32}&purpose=payroll&outcome=denied", Role.AUDITOR)
    entry = site.home.entries()[answer.json()["receipt"]["index"]]
    assert entry.values is not None
    assert entry.values["request"] == f"before - limit 1 subject {'a' * 32} purpose payroll outcome denied"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subject=KC-004211", "not_an_id"),
        ("principal=Brightwater", "not_an_id"),
        ("category=secrets", "not_one_of"),
        ("purpose=Curiosity", "not_one_of"),
        ("outcome=Denied", "not_a_word"),
        ("from=yesterday", "not_a_moment"),
        ("to=2026-01-01T00:00:00", "not_a_moment"),
    ],
)
def test_a_malformed_filter_is_refused(site: Site, query: str, code: str) -> None:
    answer = site.get(f"/v1/audit/entries?{query}", Role.AUDITOR)
    pointer = f"/query/{query.partition('=')[0]}"
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": pointer, "code": code}])
    assert query.partition("=")[2] not in answer.text
