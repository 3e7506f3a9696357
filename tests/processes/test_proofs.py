"""A proof of a bound token that was caught on its way, shown once more to another process (RFC 9449, section 8).

The number that a proof has to hold with ``dpop_nonce`` is one process's own, so what one of them took is nothing to the
other; without it they remember in the database what was used.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from registry.bootstrap import opened
from registry.domain.clock import SystemClock
from registry.domain.principals import Role
from registry.services.principals import Grant
from tests.fakes.holder import Holder
from tests.fakes.issuer import TestIssuer
from tests.fakes.plain_http import plain_client
from tests.processes.conftest import City, city_on_sqlite

URL = "https://registry.example"
ISSUER = TestIssuer.es256(issuer="https://login.city.example")
HOLDER = Holder()


class Two:
    """Two servers of one registry, and somebody whose token is bound to a key."""

    def __init__(self, city: City, *clients: httpx2.Client) -> None:
        self.clients = clients
        self.token = ISSUER.token(SystemClock().now(), sub="casey", roles=["reader"], cnf=HOLDER.bound)
        self._ask = {"subject": city.subjects[0], "categories": ["phone"], "purpose": {"code": "emergency_contact"}}

    def proof(self, nonce: str = "") -> str:
        held = {"nonce": nonce} if nonce else {}
        return HOLDER.proof(SystemClock().now(), ("POST", f"{URL}/v1/disclosures"), self.token, **held)

    def ask(self, server: int, proof: str) -> httpx2.Response:
        headers = {"Authorization": f"DPoP {self.token}", "DPoP": proof}
        return self.clients[server].post("/v1/disclosures", json=self._ask, headers=headers)


@pytest.fixture
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    city, keys = city_on_sqlite(tmp_path / "home"), tmp_path / "keys.jwks"
    keys.write_bytes(ISSUER.key_set())
    (city.home / "config.toml").write_text(
        f'public_url = "{URL}"\n[[issuers]]\nissuer = "{ISSUER.issuer}"\njwks_file = "{keys}"\nalgorithms = ["ES256"]\n'
        f'dpop = "required"\ndpop_nonce = {request.param}\n'
    )
    servers = [city.server(), city.server()]
    with opened(servers[0].settings) as application:
        grant = Grant(ISSUER.issuer, "casey", frozenset({Role.READER}))
        application.principals.ensure(grant, operator="local:test")
    with ExitStack() as stack:
        stack.callback(city.end)
        for server in servers:
            server.start()
        yield Two(city, *(stack.enter_context(plain_client(one.ready["url"], timeout=60)) for one in servers))


@pytest.mark.parametrize("two", ["true"], indirect=True)
def test_with_numbers_a_proof_is_good_once_in_all_processes(two: Two) -> None:
    nonces = [two.ask(server, two.proof()).headers["dpop-nonce"] for server in (0, 1)]
    assert nonces[0] != nonces[1]
    caught = two.proof(nonces[0])
    assert two.ask(0, caught).status_code == 200
    assert two.ask(0, caught).status_code == 401
    elsewhere = two.ask(1, caught)
    assert elsewhere.status_code == 401
    assert 'error="use_dpop_nonce"' in elsewhere.headers["www-authenticate"]
    assert two.ask(1, two.proof(nonces[1])).status_code == 200


@pytest.mark.parametrize("two", ["false"], indirect=True)
def test_without_them_it_is_good_once_in_all_processes_too(two: Two) -> None:
    caught = two.proof()
    assert [two.ask(server, caught).status_code for server in (0, 0, 1, 1)] == [200, 401, 401, 401]
    at_once = [two.proof() for _ in range(8)]
    for shown in at_once:
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(two.ask, (0, 1), (shown, shown)))
        assert sorted(answer.status_code for answer in answers) == [200, 401]
