"""Tokens that are bound to a key, against a served registry: stolen ones get 401 and an entry, on every route."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from registry.api.app import create_app
from registry.api.server import serving
from registry.domain.principals import Role
from registry.services.principals import Grant
from tests.fakes.holder import Holder
from tests.fakes.issuer import TestIssuer
from tests.fakes.plain_http import plain_client
from tests.functional.api.conftest import NUMBER
from tests.functional.services.homes import Home, open_copy

URL = "https://registry.example"
ISSUER = TestIssuer.es256(issuer="https://login.city.example")
HOLDER, THIEF = Holder(), Holder()
ASK = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}


class Desk:
    """A served registry whose issuer binds tokens."""

    def __init__(self, home: Home, http: httpx2.Client) -> None:
        self.home = home
        self.http = http
        for name, role in (("casey", Role.READER), ("hr", Role.ENROLLER)):
            home.app.principals.ensure(Grant(ISSUER.issuer, name, frozenset({role})), operator="local:test")
        home.enroll()

    def token(self, name: str = "casey", role: str = "reader", **claims: Any) -> str:
        return ISSUER.token(self.home.clock.now(), **({"sub": name, "roles": [role], "cnf": HOLDER.bound} | claims))

    def proof(self, token: str, path: str = "/v1/disclosures", holder: Holder = HOLDER, **changes: Any) -> str:
        return holder.proof(self.home.clock.now(), ("POST", URL + path), token, **changes)

    def ask(self, token: str, *proofs: str, scheme: str = "DPoP", path: str = "/v1/disclosures") -> httpx2.Response:
        headers = [("Authorization", f"{scheme} {token}"), *(("DPoP", proof) for proof in proofs)]
        return self.http.post(path, json=ASK, headers=headers)

    def reasons(self) -> list[str]:
        """Return why tokens were refused, as the ledger has it."""
        entries = [entry.values or {} for entry in self.home.entries() if entry.kind == "auth"]
        return [entry["result"].removeprefix("token refused ") for entry in entries]


@pytest.fixture(params=[False, True], ids=["", "nonce"])
def desk(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Iterator[Desk]:
    keys = tmp_path / "keys.jwks"
    keys.write_bytes(ISSUER.key_set())
    shutil.copytree(template, tmp_path / "bound")
    (tmp_path / "bound" / "config.toml").write_text(
        f'public_url = "{URL}"\n[[issuers]]\nissuer = "{ISSUER.issuer}"\njwks_file = "{keys}"\nalgorithms = ["ES256"]\n'
        f'dpop = "required"\ndpop_nonce = {str(request.param).lower()}\n'
    )
    home = open_copy(tmp_path / "bound", tmp_path / "home")
    with serving(home.app, create_app(home.app)) as url, plain_client(url) as http:
        yield Desk(home, http)
    home.app.close()


def nonce_of(desk: Desk, token: str) -> dict[str, str]:
    """Return what a proof has to hold here: nothing, or the number that a first try is answered with."""
    answer = desk.ask(token, desk.proof(token))
    if answer.status_code == 200:
        return {}
    assert answer.headers["www-authenticate"].endswith('error="use_dpop_nonce"')
    return {"nonce": answer.headers["dpop-nonce"]}


def test_with_its_key_a_token_works_as_often_as_there_are_proofs(desk: Desk) -> None:
    token = desk.token()
    nonce = nonce_of(desk, token)
    answers = [desk.ask(token, desk.proof(token, **nonce)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.json()["receipt"]["index"] for answer in answers}) == 3


def test_stolen_or_repeated_it_gets_401_and_an_entry(desk: Desk) -> None:
    token = desk.token()
    nonce = nonce_of(desk, token)
    seen = desk.proof(token, **nonce)
    assert desk.ask(token, seen).status_code == 200  # from here on the token is remembered
    stolen = {
        "proof_replay": desk.ask(token, seen),
        "sender_bound": desk.ask(token, desk.proof(token, **nonce), scheme="Bearer"),
        "proof_missing": desk.ask(token),
        "proof_key": desk.ask(token, desk.proof(token, holder=THIEF, **nonce)),
        "proof_target": desk.ask(token, desk.proof(token, "/v1/disclosures/batch", **nonce)),
        "proof_token": desk.ask(token, desk.proof(desk.token(jti="another"), **nonce)),
        "proof_form": desk.ask(token, desk.proof(token, **nonce), desk.proof(token, **nonce)),
        "unbound": desk.ask(ISSUER.token(desk.home.clock.now(), sub="casey"), scheme="Bearer"),
    }
    for reason, answer in stolen.items():
        assert (answer.status_code, answer.json()["code"]) == (401, "token_refused"), reason
    said = stolen["proof_key"].headers["www-authenticate"]
    assert said == 'DPoP realm="registry", algs="ES256 RS256", error="invalid_token"'
    assert sorted(set(desk.reasons()) - {"proof_nonce"}) == sorted(stolen)
    assert len({answer.text for answer in stolen.values()}) == 1


def test_it_is_asked_for_outside_of_lookups_too(desk: Desk) -> None:
    token = desk.token("hr", "enroller")
    assert desk.ask(token, path="/scim/v2/Users/.search").status_code == 401
    assert desk.ask(token, scheme="Bearer", path="/v1/subjects/search").status_code == 401
    first = desk.ask(token, desk.proof(token, "/v1/subjects/search"), path="/v1/subjects/search")
    nonce = {"nonce": first.headers["dpop-nonce"]} if "dpop-nonce" in first.headers else {}
    again = desk.ask(token, desk.proof(token, "/v1/subjects/search", **nonce), path="/v1/subjects/search")
    assert again.status_code == 422  # who asks is settled; what is asked is no search
