"""A registry served over real loopback HTTP, and people with tokens for it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from registry.api.app import create_app
from registry.api.logs import configure_logs
from registry.api.server import serving
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.entry_reading import ReadEntry
from registry.services.principals import Grant
from tests.fakes.plain_http import plain_client
from tests.functional.api.contract import Contract
from tests.functional.services.homes import Home, make_template, open_copy, person

NUMBER = "T-0001"


@dataclass
class Site:
    """One served registry."""

    home: Home
    url: str
    http: httpx2.Client
    contract: Contract

    def token(self, name: str, *roles: Role, number: str | None = None) -> str:
        grant = Grant(DEVELOPMENT_ISSUER, name, frozenset(roles), number)
        self.home.app.principals.ensure(grant, operator="local:test")
        issuer = self.home.app.development_issuer()
        return issuer.issue(name, roles, ttl_seconds=3600, now=self.home.clock.now())

    def as_(self, role: Role, number: str | None = None) -> dict[str, str]:
        """Return the headers of somebody with one role."""
        return {"Authorization": f"Bearer {self.token(f'the {role}', role, number=number)}"}

    def post(self, path: str, body: Any, role: Role, **headers: str) -> httpx2.Response:
        return self.http.post(path, json=body, headers=self.as_(role) | headers)

    def get(self, path: str, role: Role) -> httpx2.Response:
        return self.http.get(path, headers=self.as_(role))

    def enroll(self, number: str = NUMBER, **changes: Any) -> dict[str, Any]:
        answer = self.post("/v1/subjects", person(number, **changes), Role.ENROLLER)
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def disclose(self, body: dict[str, Any]) -> httpx2.Response:
        return self.post("/v1/disclosures", body, Role.READER)

    def last(self) -> ReadEntry:
        """Return the newest entry."""
        return self.home.entries()[-1]

    def said(self, index: int) -> dict[str, str]:
        """Return what one entry says."""
        return dict(self.home.entries()[index].values or {})


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(autouse=True)
def logs() -> Iterator[io.StringIO]:
    """Everything that is logged, with the settings of a server process."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("uvicorn.error").level)
    configure_logs(stream)
    yield stream
    root.handlers, root.level = before[0], before[1]
    logging.getLogger("uvicorn.error").setLevel(before[2])
    structlog.reset_defaults()


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Iterator[Home]:
    opened = open_copy(template, tmp_path / "home")
    yield opened
    opened.app.close()


@pytest.fixture
def site(home: Home) -> Iterator[Site]:
    app = create_app(home.app)
    contract = Contract(app.openapi())
    with (
        serving(home.app, app) as url,
        plain_client(url, event_hooks={"response": [contract.watch]}) as client,
    ):
        yield Site(home, url, client, contract)
