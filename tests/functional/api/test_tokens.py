"""Every hostile token gets the same 401 and is in the ledger with its own reason."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime

import pytest

from registry.domain.principals import Role
from registry.identity.dev_issuer import PRIVATE_FILE
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from tests.fakes.hostile_tokens import hostile_cases
from tests.fakes.issuer import TestIssuer
from tests.functional.api.conftest import Site
from tests.functional.services.homes import Home

ASK = {"employee_number": "T-0001", "categories": ["phone"], "purpose": {"code": "emergency_contact"}}


def trusted(home: Home) -> TestIssuer:
    """Return an issuer with the very key that the server trusts."""
    return TestIssuer.from_private_jwk(json.loads((home.app.settings.keys / PRIVATE_FILE).read_text()))


def reasons(site: Site) -> Counter[str]:
    """Count refused tokens in the ledger by reason, counted entries included."""
    site.home.app.refusals.close()
    found: Counter[str] = Counter()
    for entry in site.home.entries():
        if entry.kind == "auth" and entry.values is not None:
            reason = re.fullmatch(r"token refused (\w+)", entry.values["result"])
            count = re.fullmatch(r"count (\d+)", entry.values["detail"])
            assert reason is not None
            assert count is not None
            found[reason[1]] += int(count[1])
    return found


def test_every_hostile_token_is_refused_and_recorded(site: Site) -> None:
    now: datetime = site.home.clock.now()
    issuer = trusted(site.home)
    # Without a principal of that name a token that got through would end at 403 and be taken for refused.
    roles = frozenset(Role)
    site.home.app.principals.ensure(Grant(DEVELOPMENT_ISSUER, issuer.claims(now)["sub"], roles), operator="local:test")
    good = {"Authorization": f"Bearer {issuer.token(now)}"}
    assert site.http.post("/v1/disclosures", json=ASK, headers=good).status_code == 404
    # A million bytes end in the server's own limit on headers; the rest reaches the verifier.
    cases = [case for case in hostile_cases(issuer, now) if case.fits_a_header and len(case.token) < 30_000]
    answers = set()
    for case in cases:
        answer = site.http.post("/v1/disclosures", json=ASK, headers={"Authorization": f"Bearer {case.token}"})
        assert answer.status_code == 401, case.name
        assert answer.headers["www-authenticate"] == 'Bearer realm="registry", error="invalid_token"'
        answers.add(answer.text)
    assert len(cases) > 150
    assert len(answers) == 1
    assert reasons(site) == Counter(case.reason for case in cases)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "missing"),
        ([""], "malformed"),
        (["Bearer"], "malformed"),
        (["Basic dXNlcjpwYXNz"], "malformed"),
        (["Bearer {good}", "Bearer {good}"], "malformed"),
        (["Bearer {good}, Bearer {good}"], "malformed"),
        (["{good}"], "malformed"),
        (["Bearer  {good}"], "malformed"),
        (["Token {good}"], "malformed"),
    ],
)
def test_a_malformed_header_is_refused(site: Site, values: list[str], reason: str) -> None:
    good = site.token("the reader", Role.READER)
    headers = [("Authorization", value.format(good=good)) for value in values]
    answer = site.http.post("/v1/disclosures", json=ASK, headers=headers)
    assert answer.status_code == 401
    assert reasons(site) == {reason: 1}


def test_a_token_elsewhere_is_no_token(site: Site) -> None:
    good = site.token("the auditor", Role.AUDITOR)
    assert site.http.get(f"/v1/audit/entries?access_token={good}").status_code == 401
    site.http.cookies.set("Authorization", f"Bearer {good}")
    assert site.http.get("/v1/audit/entries").status_code == 401
    assert site.http.get("/v1/audit/entries", headers={"X-Authorization": f"Bearer {good}"}).status_code == 401


def test_the_scheme_may_be_in_any_case(site: Site) -> None:
    good = site.token("the auditor", Role.AUDITOR)
    assert site.http.get("/audit/checkpoint", headers={"Authorization": f"bEARER {good}"}).status_code == 200


def test_the_reason_is_in_the_ledger_and_nowhere_else(site: Site) -> None:
    now = site.home.clock.now()
    expired = trusted(site.home).token(now, exp=int(now.timestamp()) - 3000, iat=int(now.timestamp()) - 3600)
    answer = site.http.get("/audit/checkpoint", headers={"Authorization": f"Bearer {expired}"})
    assert answer.json() == {"type": "about:blank", "title": "Unauthorized", "status": 401, "code": "token_refused"}
    entry = site.last()
    assert (entry.kind, (entry.values or {})["network"]) == ("auth", "127.0.0.1")
    assert reasons(site) == {"expired": 1}


def test_a_forwarded_address_is_not_believed(site: Site) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    site.http.get("/audit/checkpoint", headers=forwarded)
    assert (site.last().values or {})["network"] == "127.0.0.1"


def test_a_flood_costs_one_entry(site: Site) -> None:
    size = len(site.home.entries())
    for _ in range(50):
        site.http.get("/audit/checkpoint", headers={"Authorization": "Bearer x"})
    assert len(site.home.entries()) == size + 1
    assert reasons(site) == {"malformed": 50}
    assert len(site.home.entries()) == size + 2


def test_roles_of_a_token_only_narrow(site: Site) -> None:
    site.token("modest", Role.READER)
    issuer = site.home.app.development_issuer()
    claimed = issuer.issue("modest", [Role.AUDITOR], ttl_seconds=60, now=site.home.clock.now())
    answer = site.http.get("/v1/audit/entries", headers={"Authorization": f"Bearer {claimed}"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_permitted")


def test_a_stranger_with_a_good_token_has_no_role(site: Site) -> None:
    token = site.home.app.development_issuer().issue(
        "nobody we know", list(Role), ttl_seconds=60, now=site.home.clock.now()
    )
    answer = site.http.post("/v1/disclosures", json=ASK, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_permitted")
    assert (site.last().values or {})["principal"].startswith("0" * 32)
