"""One registry with people and a token for every role, served over loopback HTTP for a whole module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from registry.api.app import create_app
from registry.api.server import serving
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from tests.functional.services.homes import Home, make_template, open_copy, person

NUMBER = "T-0001"


@dataclass(frozen=True)
class Site:
    """A served registry.

    Attributes:
        home: the registry.
        url: where it is.
        document: its OpenAPI document.
        tokens: a token for each role.
    """

    home: Home
    url: str
    document: Mapping[str, Any]
    tokens: Mapping[Role, str]

    def headers(self, role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = open_copy(template, tmp_path_factory.mktemp("hostile") / "home")
    issuer, now = home.app.development_issuer(), home.clock.now()
    tokens = {}
    for role in Role:
        grant = Grant(DEVELOPMENT_ISSUER, f"the {role}", frozenset({role}), NUMBER if role is Role.SUBJECT else None)
        home.app.principals.ensure(grant, operator="local:test")
        tokens[role] = issuer.issue(grant.sub, [role], ttl_seconds=3600, now=now)
    app = create_app(home.app)
    with serving(home.app, app) as url:
        site = Site(home, url, app.openapi(), tokens)
        answer = httpx2.post(f"{url}/v1/subjects", json=person(NUMBER), headers=site.headers(Role.ENROLLER))
        assert answer.status_code == 201
        yield site
