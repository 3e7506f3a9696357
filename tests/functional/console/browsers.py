"""A browser without a screen: cookies, the headers that browsers set by themselves, and the form token of a page."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from starlette.testclient import TestClient

from registry.cli.serving import Site, build_site
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.entry_reading import ReadEntry
from registry.services.principals import Grant
from tests.functional.services.homes import Home

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
OWN = {"Sec-Fetch-Site": "same-origin"}


class Browser:
    """One browser before one registry."""

    def __init__(self, home: Home, site: Site | None = None, base_url: str = "http://127.0.0.1:8000") -> None:
        self.home = home
        self.site = build_site(home.app) if site is None else site
        self.http = TestClient(self.site.app, base_url, follow_redirects=False)
        self.seen: list[str] = []

    def get(self, path: str, **options: Any) -> Any:
        self.seen.append(path)
        answer = self.http.get(path, **options)
        self.seen.append(answer.headers.get("location", ""))
        return answer

    def post(self, path: str, fields: dict[str, Any] | None = None, **options: Any) -> Any:
        """Submit a form as our own pages do."""
        self.seen.append(path)
        given = fields or {}
        data = given if "form_token" in given else {"form_token": self.form_token(path), **given}
        answer = self.http.post(path, data=data, **{"headers": OWN, **options})
        self.seen.append(answer.headers.get("location", ""))
        return answer

    def form_token(self, path: str = "/console/") -> str:
        """Return what the forms of this browser carry now: of its session, or of the sign-in page."""
        page = self.http.get(path if path.startswith("/console/sign-in") else "/console/")
        if page.status_code == 303:
            page = self.http.get("/console/sign-in")
        return token_in(page.text)

    def token(self, name: str, *roles: Role, number: str | None = None, ttl: int = 3600) -> str:
        """Return a token, and make its principal."""
        app = self.home.app
        app.principals.ensure(Grant(DEVELOPMENT_ISSUER, name, frozenset(roles), number), operator="local:test")
        return app.development_issuer().issue(name, roles, ttl_seconds=ttl, now=self.home.clock.now())

    def sign_in(self, name: str, *roles: Role, number: str | None = None) -> Any:
        return self.post("/console/sign-in", {"token": self.token(name, *roles, number=number)})


def token_in(page: str) -> str:
    found = _TOKEN.search(page)
    assert found is not None, page
    return unescape(found.group(1))


def newest(home: Home, kind: str) -> ReadEntry:
    return [entry for entry in home.entries() if entry.kind == kind][-1]


def said(entry: ReadEntry) -> Any:
    assert entry.values is not None
    return entry.values
