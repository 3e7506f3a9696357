"""Tokens that are good for one request, shown to two processes at once: exactly one of them takes each.

Two servers that share nothing but the database: on SQLite one home folder, on PostgreSQL one each, as two machines.
"""

from __future__ import annotations

import shutil
from collections import Counter
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
from tests.fakes.issuer import TestIssuer
from tests.processes.conftest import City

ISSUER = TestIssuer.es256(issuer="https://login.city.example")
ROUNDS = 12
COPIES = 6


@pytest.fixture
def servers(city: City, tmp_path: Path) -> Iterator[list[httpx2.Client]]:
    keys = tmp_path / "keys.jwks"
    keys.write_bytes(ISSUER.key_set())
    (city.home / "config.toml").write_text(
        f'[[issuers]]\nissuer = "{ISSUER.issuer}"\njwks_file = "{keys}"\nalgorithms = ["ES256"]\n'
        'single_use = ["hr-system"]\n'
    )
    first = city.server()
    with opened(first.settings) as application:
        grant = Grant(ISSUER.issuer, "hr", frozenset({Role.ENROLLER}))
        application.principals.ensure(grant, operator="local:test")
    home = city.home
    if city.database:
        home = city.home.with_name("another")
        shutil.copytree(city.home, home)
    second = city.server(home=home)
    with ExitStack() as stack:
        for server in (first, second):
            server.start()
        yield [stack.enter_context(httpx2.Client(base_url=one.ready["url"], timeout=60)) for one in (first, second)]


def ask(server: httpx2.Client, token: str) -> int:
    return server.get("/scim/v2/Users", headers={"Authorization": f"Bearer {token}"}).status_code


def test_each_is_taken_exactly_once_wherever_it_is_shown(servers: list[httpx2.Client]) -> None:
    for number in range(ROUNDS):
        token = ISSUER.token(SystemClock().now(), sub="hr", roles=["enroller"], client_id="hr-system", jti=f"t{number}")
        with ThreadPoolExecutor(2 * COPIES) as pool:
            answers = Counter(pool.map(ask, servers * COPIES, [token] * (2 * COPIES)))
        assert answers == {200: 1, 401: 2 * COPIES - 1}
        assert [ask(server, token) for server in servers] == [401, 401]
    another = ISSUER.token(SystemClock().now(), sub="hr", roles=["enroller"], client_id="console", jti="plain")
    assert [ask(server, another) for server in servers * 2] == [200] * 4
