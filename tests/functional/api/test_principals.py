"""Joiners, movers and leavers over HTTP, roles that nobody may hold together, and the report of a leaver."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.errors import InvalidInput
from registry.domain.principals import Role
from registry.domain.purposes import PurposeCode
from registry.services.principals import Grant
from tests.functional.api.conftest import NUMBER, Site

ISSUER = "https://sign-in.example"


def granted(site: Site, **changes: Any) -> Any:
    body = {"issuer": ISSUER, "sub": "lee", "roles": ["reader"], "unit": "Benefits"} | changes
    return site.post("/v1/principals", body, Role.SECURITY_ADMIN)


def identifier(site: Site, sub: str = "lee") -> str:
    rows = site.get("/v1/principals", Role.SECURITY_ADMIN).json()["principals"]
    (found,) = [row["principal"] for row in rows if row["sub"] == sub]
    return str(found)


def moved(site: Site, principal: str, body: dict[str, Any]) -> Any:
    return site.post(f"/v1/principals/{principal}/move", body, Role.SECURITY_ADMIN)


def test_a_mover_changes_what_is_named_and_keeps_the_rest(site: Site) -> None:
    granted(site, employee_number="KC-000771")
    answer = moved(site, identifier(site), {"unit": "Payroll"})
    assert (answer.status_code, answer.json()["unit"], answer.json()["roles"]) == (200, "Payroll", ["reader"])
    said = site.last().values or {}
    assert said["detail"].endswith("; changes unit")
    assert "Payroll" not in said["detail"]
    answer = moved(site, identifier(site), {"roles": ["approver", "reader"], "supervisor": "KC-000044"})
    assert (answer.json()["unit"], answer.json()["roles"]) == ("Payroll", ["approver", "reader"])
    said = site.last().values or {}
    assert said["detail"].endswith("; changes roles supervisor")
    assert "KC-000044" not in repr(said)
    assert moved(site, identifier(site), {"supervisor": "", "unit": ""}).json()["unit"] is None
    assert site.home.app.row_check.check() >= 0


def test_a_leaver_loses_every_role_at_once_whatever_tokens_are_out(site: Site) -> None:
    site.enroll()
    headers = {"Authorization": f"Bearer {site.token('lee', Role.READER)}"}
    ask = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": PurposeCode("emergency_contact")}}
    assert site.http.post("/v1/disclosures", json=ask, headers=headers).status_code == 200
    left = site.post(f"/v1/principals/{identifier(site)}/leave", None, Role.SECURITY_ADMIN)
    assert (left.status_code, left.json()["roles"], left.json()["state"]) == (200, [], "ended")
    assert (site.last().values or {})["detail"].endswith(" roles ; leaves")
    assert site.http.post("/v1/disclosures", json=ask, headers=headers).status_code == 403
    assert site.home.app.row_check.check() > 0


@pytest.mark.parametrize("roles", [["reader", "enroller"], ["auditor", "reader"], ["security_admin", "approver"]])
def test_roles_that_nobody_may_hold_together_are_refused_and_noted(site: Site, roles: list[str]) -> None:
    for answer in (granted(site, roles=roles), granted(site) and moved(site, identifier(site), {"roles": roles})):
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"pointer": "/roles", "code": "conflicting_roles"}]
        said = next(entry.values for entry in reversed(site.home.entries()) if entry.kind == "grant")
        assert said is not None
        assert said["result"] == "refused conflicting_roles"
        assert all(role in said["detail"] for role in roles)
    rows = site.get("/v1/principals", Role.SECURITY_ADMIN).json()["principals"]
    assert [row["roles"] for row in rows if row["sub"] == "lee"] == [["reader"]]


def test_a_role_is_not_added_by_the_way_round_to_one_that_conflicts(site: Site) -> None:
    """The same at the machine's own command line, where roles are added to those that are there."""
    granted(site, roles=["enroller"])
    with pytest.raises(InvalidInput):
        site.home.app.principals.ensure(Grant(ISSUER, "lee", frozenset({Role.READER})), operator="local:test")


def test_nobody_moves_or_ends_themselves(site: Site) -> None:
    site.token("the security_admin", Role.SECURITY_ADMIN)
    own = identifier(site, "the security_admin")
    assert moved(site, own, {"roles": ["reader"]}).status_code == 403
    assert site.post(f"/v1/principals/{own}/leave", None, Role.SECURITY_ADMIN).status_code == 403
    assert (site.last().values or {})["result"] == "denied not_permitted"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SECURITY_ADMIN])
def test_only_an_administrator_moves_and_ends(site: Site, role: Role) -> None:
    granted(site)
    principal = identifier(site)
    assert site.post(f"/v1/principals/{principal}/move", {"unit": "x"}, role).status_code == 403
    assert site.post(f"/v1/principals/{principal}/leave", None, role).status_code == 403
    allowed = role is Role.AUDITOR
    assert site.get(f"/v1/principals/{principal}/report", role).status_code == (200 if allowed else 403)


@pytest.mark.parametrize("body", [{}, {"roles": ["king"]}, {"unit": 5}, {"state": "ended"}, {"employee_number": "T-1"}])
def test_a_move_that_cannot_be_read_is_refused(site: Site, body: dict[str, Any]) -> None:
    granted(site)
    assert moved(site, identifier(site), body).status_code == 422


def test_an_unknown_principal_is_not_found_and_the_ask_is_noted(site: Site) -> None:
    for path, body in (("move", {"unit": "x"}), ("leave", None)):
        assert site.post(f"/v1/principals/{'0' * 32}/{path}", body, Role.SECURITY_ADMIN).status_code == 404
        assert (site.last().values or {})["result"] == "not_found"
    assert site.get("/v1/principals/nobody/report", Role.AUDITOR).status_code == 404
    assert (site.last().values or {})["result"] == "not_found"


def test_the_report_tells_what_was_seen_and_no_value(site: Site) -> None:
    subject = site.enroll()["subject"]
    token = {"Authorization": f"Bearer {site.token('lee', Role.READER)}"}
    purpose = {"code": PurposeCode("emergency_contact"), "note": "asked for by the family"}
    for categories in (["phone"], ["phone", "home_address"], ["health"]):
        ask = {"employee_number": NUMBER, "categories": categories, "purpose": purpose}
        site.http.post("/v1/disclosures", json=ask, headers=token)
    path = f"/v1/principals/{identifier(site)}/report"
    answer = site.get(path, Role.AUDITOR)
    assert answer.status_code == 200
    told = [(entry["kind"], entry["subjects"], sorted(entry["categories"])) for entry in answer.json()["entries"]]
    assert told == [
        ("deny", [subject], ["health"]),
        ("disclose", [subject], ["home_address", "phone"]),
        ("disclose", [subject], ["phone"]),
    ]
    assert {entry["purpose"] for entry in answer.json()["entries"]} == {"emergency_contact"}
    assert not any(text in answer.text for text in ("816-555", "Larkspur", "asked for by"))
    said = site.last().values or {}
    assert (site.last().kind, said["detail"]) == ("audit-read", "report of a principal")


def test_the_report_goes_on_page_by_page_down_to_its_moment(site: Site) -> None:
    site.enroll()
    token = {"Authorization": f"Bearer {site.token('lee', Role.READER)}"}
    ask = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": PurposeCode("emergency_contact")}}
    for _ in range(3):
        site.http.post("/v1/disclosures", json=ask, headers=token)
    path, indexes = f"/v1/principals/{identifier(site)}/report?limit=2", []
    while path is not None:
        page = site.get(path, Role.SECURITY_ADMIN).json()
        indexes += [entry["index"] for entry in page["entries"]]
        path = page["next"]
    assert len(indexes) == 3
    assert indexes == sorted(indexes, reverse=True)
    later = site.get(f"/v1/principals/{identifier(site)}/report?since=2999-01-01", Role.AUDITOR).json()
    assert (later["entries"], later["next"]) == ([], None)


@pytest.mark.parametrize(
    "query", ["since=yesterday", "since=", "since=2026-02-30", "limit=0", "before=x", "a=1", "limit=1&limit=1"]
)
def test_a_query_that_cannot_be_read_is_refused(site: Site, query: str) -> None:
    granted(site)
    assert site.get(f"/v1/principals/{identifier(site)}/report?{query}", Role.AUDITOR).status_code == 422
