"""A role taken away through one process is gone in every other, in its very next batch, whatever they remember.

Two servers that share nothing but the database: on SQLite one home folder, on PostgreSQL one each, as two machines.
"""

from __future__ import annotations

import base64
import json
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from registry.audit.kinds import Kind
from registry.bootstrap import opened
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from tests.fakes.plain_http import plain_client
from tests.functional.services.homes import person
from tests.processes.conftest import City

ASKERS = 16


@dataclass
class Pair:
    """One registry served twice: roles are changed at one, and asked for at the other."""

    city: City
    administrator: str
    here: httpx2.Client
    there: httpx2.Client

    def give(self, who: str, *roles: Role, own: str | None = None) -> int:
        """Replace somebody's roles through the one server; returns the entry."""
        body: dict[str, Any] = {"issuer": DEVELOPMENT_ISSUER, "sub": who, "roles": [role.value for role in roles]}
        body |= {} if own is None else {"employee_number": own}
        answer = self.here.post("/v1/principals", json=body, headers=bearer(self.administrator))
        assert answer.status_code == 200, answer.text
        return int(answer.json()["receipt"]["index"])

    def look_up(self, token: str) -> httpx2.Response:
        body = {"subject": self.city.subjects[0], "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
        return self.there.post("/v1/disclosures", json=body, headers=bearer(token))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def pair(city: City) -> Iterator[Pair]:
    first = city.server()
    administrator = first.token(Role.SECURITY_ADMIN)
    home = city.home
    if city.database:
        home = city.home.with_name("another")
        shutil.copytree(city.home, home)
    second = city.server(home=home)
    for server in (first, second):
        server.start()
    urls = [server.ready["url"] for server in (first, second)]
    with plain_client(urls[0], timeout=60) as here, plain_client(urls[1], timeout=60) as there:
        yield Pair(city, administrator, here, there)


def test_a_role_that_is_taken_or_given_works_in_the_next_lookup(pair: Pair) -> None:
    for _ in range(8):
        pair.give("the reader", Role.READER)
        assert [pair.look_up(pair.city.reader).status_code for _ in range(3)] == [200] * 3
        pair.give("the reader")
        refused = pair.look_up(pair.city.reader)
        assert (refused.status_code, refused.json()["reason"]) == (403, "not_permitted")
        assert refused.headers["Audit-Receipt"]
        pair.give("the reader", Role.AUDITOR)  # another role does not help
        assert pair.look_up(pair.city.reader).status_code == 403


def test_under_load_nothing_is_shown_that_was_asked_for_after_it(pair: Pair) -> None:
    pair.give("the reader", Role.READER)
    asked: list[tuple[float, int]] = []
    ended = threading.Event()

    def ask_on() -> None:
        while not ended.is_set():
            started = time.monotonic()
            asked.append((started, pair.look_up(pair.city.reader).status_code))

    threads = [threading.Thread(target=ask_on) for _ in range(ASKERS)]
    for thread in threads:
        thread.start()
    while sum(status == 200 for _, status in asked) < 4 * ASKERS:
        time.sleep(0.01)
    taken = pair.give("the reader")
    acknowledged = time.monotonic()
    while sum(status == 403 for _, status in asked) < 4 * ASKERS:
        time.sleep(0.01)
    ended.set()
    for thread in threads:
        thread.join()
    assert {status for started, status in asked if started > acknowledged} == {403}
    # What was under way may still be one batch: it read its facts before the role was taken.
    with opened(pair.city.servers[0].settings) as application, application.database.reader() as reader:
        after = [application.audit.read(row) for row in reader.scan(taken, reader.head().size)]
    shown = [entry for entry in after if entry.kind == Kind.DISCLOSE]
    assert len(shown) <= (ASKERS if pair.city.database else 0)


REFUSED = {403, 404}  # a record that may not be seen is answered like one that is not there
ASKS: Sequence[tuple[Role, str, str, Any]] = [
    (Role.READER, "POST", "/v1/subjects/search", {"employee_number": "P-1"}),
    (Role.READER, "POST", "/v1/disclosures/batch", {"items": [], "purpose": {"code": "payroll"}}),
    (Role.ENROLLER, "POST", "/v1/subjects", person("P-900")),
    (Role.ENROLLER, "PATCH", "/v1/subjects/{subject}", {"title": "Warden"}),
    (Role.ENROLLER, "POST", "/v1/subjects/import", None),
    (Role.INVESTIGATOR, "POST", "/v1/traces", {"text": "816-555-0142"}),
    (Role.AUDITOR, "GET", "/v1/audit/entries", None),
    (Role.AUDITOR, "GET", "/audit/checkpoint", None),
    (Role.SECURITY_ADMIN, "GET", "/v1/principals", None),
    (Role.SUBJECT, "GET", "/v1/me/records", None),
    (Role.SUBJECT, "GET", "/v1/me/accounting", None),
]


def test_every_route_forgets_at_once(pair: Pair) -> None:
    """Each is asked as somebody whose token and admission the other process has just used."""
    with opened(pair.city.servers[0].settings) as application:
        issuer, now = application.development_issuer(), application.kernel.clock.now()
    for number, (role, method, path, body) in enumerate(ASKS):
        who = f"somebody-{number}"
        token = issuer.issue(who, [role], ttl_seconds=600, now=now)
        request = pair.there.build_request(
            method, path.format(subject=pair.city.subjects[1]), json=body, headers=bearer(token)
        )
        pair.give(who, role, own="P-2" if role is Role.SUBJECT else None)
        assert pair.there.send(request).status_code not in REFUSED, path
        pair.give(who)
        assert pair.there.send(request).status_code in REFUSED, path


def taken_back(pair: Pair, path: str, body: dict[str, str] | None) -> None:
    answer = pair.here.post(path, json=body, headers=bearer(pair.administrator))
    assert answer.status_code == 200, answer.text


def refused_there(pair: Pair, token: str) -> None:
    answer = pair.look_up(token)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_refused")
    assert answer.headers["WWW-Authenticate"].endswith('error="invalid_token"')
    assert answer.headers["Audit-Receipt"]


def test_a_token_taken_back_by_its_name_is_gone_where_it_is_remembered(pair: Pair) -> None:
    pair.give("the reader", Role.READER)
    stolen, other = pair.city.reader, pair.city.servers[0].token(Role.READER)
    assert [pair.look_up(token).status_code for token in (stolen, other)] == [200, 200]
    taken_back(pair, "/v1/tokens/revoke", {"issuer": DEVELOPMENT_ISSUER, "token_id": named(stolen)})
    refused_there(pair, stolen)
    assert pair.look_up(other).status_code == 200


def test_all_tokens_of_an_account_go_at_once_and_its_roles_stay(pair: Pair) -> None:
    pair.give("the reader", Role.READER)
    assert pair.look_up(pair.city.reader).status_code == 200
    listed = pair.here.get("/v1/principals", headers=bearer(pair.administrator)).json()["principals"]
    (account,) = [one["principal"] for one in listed if one["sub"] == "the reader"]
    taken_back(pair, f"/v1/principals/{account}/revoke", None)
    refused_there(pair, pair.city.reader)


def named(token: str) -> str:
    """Return a token's ``jti``."""
    payload = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"])
