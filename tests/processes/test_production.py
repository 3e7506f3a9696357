"""The development issuer means nothing to a served registry of the production profile, whatever lies in its folders."""

from __future__ import annotations

import json
import re
import shutil
import ssl
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from registry.bootstrap import initialise, opened
from registry.domain.duties import LOCAL_ISSUER
from registry.domain.principals import Role
from registry.identity.dev_issuer import PRIVATE_FILE, PUBLIC_FILE
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from registry.settings import DEVELOPMENT, PRODUCTION
from tests.fakes.clock import TestClock
from tests.fakes.issuer import TestIssuer
from tests.functional.keys.baos import certificate
from tests.functional.services.homes import Home
from tests.functional.test_jwks_cache import KeyServer, send
from tests.processes.servers import Server

WHO = "casey.morgan"
PROTECTED = "/audit/checkpoint"
VOLATILE = {"date", "x-request-id"}


@dataclass
class Two:
    """A registry of each profile; the production one has the other's keys in its folder, and an issuer of its own."""

    production: Server
    development: Server
    citys: TestIssuer
    developments: TestIssuer

    def tokens(self) -> dict[str, str]:
        """Return what somebody might try, all of it about one auditor whom both registries know by every name."""
        now = datetime.now(UTC)
        stranger = TestIssuer.es256(key_id=self.developments.key_id, issuer=DEVELOPMENT_ISSUER)
        return {
            "its own": self.developments.token(now, roles=["auditor"]),
            "forged under its name": stranger.token(now, roles=["auditor"]),
            "the city's key under its name": self.citys.token(now, iss=DEVELOPMENT_ISSUER, roles=["auditor"]),
            "its key under the local name": self.developments.token(now, iss=LOCAL_ISSUER, roles=["auditor"]),
            "its key under the city's name": self.developments.token(now, iss=self.citys.issuer, roles=["auditor"]),
        }


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    production, development = Server(tmp_path / "production"), Server(tmp_path / "development")
    citys = TestIssuer.es256(issuer="https://sign-in.example")
    pem, key = certificate(tmp_path / "issuer", "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    keys = KeyServer(context)
    keys.answer = lambda handler: send(handler, citys.key_set())
    try:
        initialise(development.settings, DEVELOPMENT)
        initialise(production.settings, PRODUCTION)
        for name in (PRIVATE_FILE, PUBLIC_FILE):
            shutil.copy2(development.settings.keys / name, production.settings.keys / name)
        (production.home / "config.toml").write_text(trusting(citys.issuer, keys.url), "ascii")
        for server in (production, development):
            with opened(server.settings) as application:
                for issuer in (DEVELOPMENT_ISSUER, LOCAL_ISSUER, citys.issuer):
                    grant = Grant(issuer, WHO, frozenset({Role.AUDITOR}))
                    application.principals.ensure(grant, operator="local:test")
        private = json.loads((development.settings.keys / PRIVATE_FILE).read_text())
        yield Two(production, development, citys, TestIssuer.from_private_jwk(private))
    finally:
        keys.close()
        for server in (production, development):
            server.end()


def trusting(issuer: str, keys: str) -> str:
    """Return settings with one issuer, whose keys are had over https from this machine."""
    lines = [f'issuer = "{issuer}"', 'audience = "registry"', 'algorithms = ["ES256"]', 'networks = ["127.0.0.0/8"]']
    return "\n".join(["[[issuers]]", *lines, f'jwks_uri = "{keys.replace("http:", "https:")}"', ""])


def asked(server: Server, token: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.get(f"{server.ready['url']}{PROTECTED}", headers=headers, timeout=60)


def seen(answer: httpx2.Response) -> tuple[int, dict[str, str], bytes]:
    """Return all that the caller can compare."""
    told = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return answer.status_code, told, answer.content


def refusals(server: Server) -> Counter[str]:
    """Count the refused tokens of a server that has ended, by the reason in their entries."""
    with opened(server.settings) as application:
        said = [entry.values or {} for entry in Home(application, TestClock()).entries() if entry.kind == "auth"]
    found: Counter[str] = Counter()
    for values in said:
        reason = re.fullmatch(r"token refused (\w+)", values["result"])
        count = re.fullmatch(r"count (\d+)", values["detail"])
        assert reason is not None
        assert count is not None
        found[reason[1]] += int(count[1])
    return found


def test_no_token_of_the_development_issuer_opens_a_production_registry(two: Two) -> None:
    two.production.start()
    assert two.production.ready["profile"] == PRODUCTION
    # The same person, by the issuer that is trusted here: nothing but the issuer stands against the others.
    good = asked(two.production, two.citys.token(datetime.now(UTC), roles=["auditor"]))
    assert good.status_code == 200, good.text
    rubbish = seen(asked(two.production, "x"))
    assert rubbish[0] == 401
    for name, token in two.tokens().items():
        answer = asked(two.production, token)
        assert seen(answer) == rubbish, name
        assert "audit-receipt" not in answer.headers
    assert json.loads(rubbish[2]) == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "code": "token_refused",
    }
    assert two.production.stop() == 0
    assert refusals(two.production) == {"malformed": 1, "issuer": 4, "unknown_key": 1}


def test_the_same_tokens_where_the_profile_is_development(two: Two) -> None:
    """What is refused in production is refused for the profile, and not because these tokens are no good."""
    two.development.start()
    answers = {name: asked(two.development, token).status_code for name, token in two.tokens().items()}
    assert answers.pop("its own") == 200
    assert set(answers.values()) == {401}


def test_a_production_registry_that_is_told_to_trust_it_is_not_served(two: Two) -> None:
    config = two.production.home / "config.toml"
    config.write_text(config.read_text("ascii").replace(two.citys.issuer, DEVELOPMENT_ISSUER), "ascii")
    with pytest.raises(AssertionError, match="not accepted outside the development profile"):
        two.production.start()
    assert two.production.process.returncode != 0
    assert two.production.ready == {}
