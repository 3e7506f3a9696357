"""Tokens taken back before they expire, by name and by account; who may, what it is an entry of, how it is bounded."""

from __future__ import annotations

import base64
import json
import time

import httpx2
import pytest

from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services import revoke
from registry.services.principals import Grant
from tests.functional.api.conftest import Site

ADMIN = Role.SECURITY_ADMIN
STOLEN = {"issuer": DEVELOPMENT_ISSUER, "token_id": "stolen"}


def reader(site: Site) -> dict[str, str]:
    return site.as_(Role.READER)


def asked(site: Site, headers: dict[str, str]) -> httpx2.Response:
    body = {"employee_number": "T-0001", "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    return site.http.post("/v1/disclosures", json=body, headers=headers)


def claims(headers: dict[str, str]) -> dict[str, str]:
    payload = headers["Authorization"].split(".")[1]
    document: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return document


def account(site: Site, sub: str) -> str:
    listed = site.get("/v1/principals", Role.SECURITY_ADMIN).json()["principals"]
    (found,) = [one["principal"] for one in listed if one["sub"] == sub]
    return str(found)


def is_refused(site: Site, answer: httpx2.Response) -> None:
    """RFC 6750 section 3.1, and an entry that says whose token it was."""
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="registry", error="invalid_token"'
    said = site.said(int(answer.headers["audit-receipt"].split()[1]))
    assert said["result"] == "denied token_taken_back"
    assert said["token"]


def test_one_token_is_taken_back_and_another_of_the_same_account_is_not(site: Site) -> None:
    site.enroll("T-0001")
    stolen, other = reader(site), reader(site)
    assert [asked(site, one).status_code for one in (stolen, other)] == [200, 200]
    name = {"issuer": DEVELOPMENT_ISSUER, "token_id": claims(stolen)["jti"]}
    done = site.post("/v1/tokens/revoke", name, Role.SECURITY_ADMIN)
    said = site.said(int(done.headers["audit-receipt"].split()[1]))
    assert (done.status_code, said["result"], said["detail"]) == (200, "revoked", "token")
    assert said["request"] == f"{DEVELOPMENT_ISSUER}#{name['token_id']}"
    is_refused(site, asked(site, stolen))
    is_refused(site, site.http.get("/v1/purposes", headers=stolen))  # nor by any other way in
    is_refused(site, site.http.get("/scim/v2/Users", headers=stolen))
    assert asked(site, other).status_code == 200


@pytest.mark.parametrize("later", [0, 3])  # while the admission is remembered, and afterwards
def test_every_way_to_a_card_is_closed(site: Site, later: int) -> None:
    site.enroll("T-0001")
    site.home.app.principals.ensure(
        Grant(DEVELOPMENT_ISSUER, "somebody", frozenset({Role.READER, Role.SUBJECT}), "T-0009"), operator="local:test"
    )
    token = site.home.app.development_issuer().issue(
        "somebody", [Role.READER, Role.SUBJECT], ttl_seconds=600, now=site.home.clock.now()
    )
    headers = {"Authorization": f"Bearer {token}"}
    assert asked(site, headers).status_code == 200
    site.post("/v1/tokens/revoke", {"issuer": DEVELOPMENT_ISSUER, "token_id": claims(headers)["jti"]}, ADMIN)
    time.sleep(later)
    item = {"employee_number": "T-0001", "categories": ["phone"]}
    batch = {"items": [item, item], "purpose": {"code": "emergency_contact"}}
    is_refused(site, asked(site, headers))
    is_refused(site, site.http.post("/v1/disclosures/batch", json=batch, headers=headers))
    is_refused(site, site.http.post("/v1/subjects/search", json={"employee_number": "T-0001"}, headers=headers))
    is_refused(site, site.http.post("/v1/me/disclosures", json={"categories": ["phone"]}, headers=headers))
    is_refused(site, site.http.get("/v1/me/records", headers=headers))


def test_another_issuers_token_of_the_same_name_is_not_meant(site: Site) -> None:
    site.enroll("T-0001")
    headers = reader(site)
    name = {"issuer": "https://sign-in.example", "token_id": claims(headers)["jti"]}
    assert site.post("/v1/tokens/revoke", name, Role.SECURITY_ADMIN).status_code == 200
    assert asked(site, headers).status_code == 200


def test_all_tokens_of_an_account_are_taken_back_and_the_next_one_works(site: Site) -> None:
    site.enroll("T-0001")
    first, second = reader(site), reader(site)
    assert asked(site, first).status_code == 200
    identifier = account(site, "the reader")
    done = site.http.post(f"/v1/principals/{identifier}/revoke", headers=site.as_(Role.SECURITY_ADMIN))
    assert done.status_code == 200, done.text
    assert site.said(int(done.headers["audit-receipt"].split()[1]))["result"] == "revoked"
    assert [asked(site, one).status_code for one in (first, second)] == [401, 401]
    site.home.clock.step(1)
    assert asked(site, reader(site)).status_code == 200
    is_refused(site, asked(site, first))


def test_only_administrators_take_tokens_back(site: Site) -> None:
    for role in set(Role) - {Role.SECURITY_ADMIN}:
        assert site.post("/v1/tokens/revoke", STOLEN, role).status_code == 403
        assert site.last().kind == "deny"
    unknown = site.http.post(f"/v1/principals/{'0' * 32}/revoke", headers=site.as_(Role.SECURITY_ADMIN))
    assert unknown.status_code == 404
    assert site.post("/v1/tokens/revoke", {"issuer": "x"}, Role.SECURITY_ADMIN).status_code == 422


def rows(site: Site) -> int:
    return int(site.home.sql().execute("SELECT count(*) FROM revocations").fetchone()[0])


def test_what_has_ended_is_deleted_and_there_is_a_most(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revoke, "MOST", 2)
    names = [STOLEN | {"token_id": name} for name in ("one", "two", "three")]
    assert [site.post("/v1/tokens/revoke", name, Role.SECURITY_ADMIN).status_code for name in names] == [200, 200, 422]
    assert site.post("/v1/tokens/revoke", names[0], Role.SECURITY_ADMIN).status_code == 200  # which is there already
    assert rows(site) == 2
    site.home.clock.step(revoke.KEPT_MS / 1000 + 1)
    assert site.post("/v1/tokens/revoke", names[2], Role.SECURITY_ADMIN).status_code == 200
    assert rows(site) == 1


def test_a_row_that_somebody_else_changed_lets_nobody_in(site: Site) -> None:
    site.enroll("T-0001")
    headers = reader(site)
    name = {"issuer": DEVELOPMENT_ISSUER, "token_id": claims(headers)["jti"]}
    site.post("/v1/tokens/revoke", name, Role.SECURITY_ADMIN)
    site.home.sql().execute("UPDATE revocations SET before = 0")
    assert asked(site, headers).status_code >= 500


def test_no_name_of_a_token_or_account_lies_in_the_table(site: Site) -> None:
    site.post("/v1/tokens/revoke", STOLEN, Role.SECURITY_ADMIN)
    (row,) = site.home.sql().execute("SELECT * FROM revocations").fetchall()
    assert not any(b"stolen" in cell for cell in row if isinstance(cell, bytes))
    assert len(row[0]) == 16
