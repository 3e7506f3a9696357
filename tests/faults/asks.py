"""Every kind of request that touches the ledger, to be asked again and again of one registry in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from registry.api.readiness import FRESH_SECONDS
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from tests.fakes.asgi import Answer, AsgiClient
from tests.functional.services.homes import Home, person

NUMBER = "T-0001"
LEAK = "Call 816 555 0142, or write to dana.brightwater@example.org"
# Values of the made-up person that no failed answer may hold, in the forms they are stored and shown in.
PLAIN = ("Larkspur", "555-0142", "555 0142", "8165550142", "741-12", "74112", "1984-02-29", "4111", "Brightwater")
NDJSON = {"content-type": "application/x-ndjson"}


@dataclass
class Desk:
    """One registry, asked in process by everybody with a role."""

    home: Home
    client: AsgiClient
    trace: str = ""
    subject: str = ""
    _tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def as_(self, role: Role, number: str | None = None) -> dict[str, str]:
        name = f"the {role}"
        if name not in self._tokens:
            grant = Grant(DEVELOPMENT_ISSUER, name, frozenset({role}), number)
            self.home.app.principals.ensure(grant, operator="local:test")
            issuer = self.home.app.development_issuer()
            token = issuer.issue(name, (role,), ttl_seconds=3600, now=self.home.clock.now())
            self._tokens[name] = {"authorization": f"Bearer {token}"}
        return self._tokens[name]

    def next(self) -> str:
        return f"T-9{next(self._numbers):06}"

    def prepare(self) -> None:
        """Enroll a person, trace once, and give everybody a token, so that a request does only its own work."""
        enrolled = self.client.ask("POST", "/v1/subjects", person(NUMBER), self.as_(Role.ENROLLER))
        assert enrolled.status == 201, enrolled.text
        self.subject = enrolled.json()["subject"]
        for role in Role:
            self.as_(role, NUMBER if role is Role.SUBJECT else None)
        traced = self.client.ask("POST", "/v1/traces", {"text": LEAK}, self.as_(Role.INVESTIGATOR))
        assert traced.status == 201, traced.text
        self.trace = traced.json()["trace"]


def readiness(desk: Desk) -> dict[str, Any]:
    """Return what a watcher is told, as it is now."""
    time.sleep(FRESH_SECONDS)
    document: dict[str, Any] = desk.client.ask("GET", "/readyz").json()
    return document


@dataclass(frozen=True)
class Question:
    """One kind of request.

    Attributes:
        name: of the test.
        ask: asks once; never the same thing twice where that would change what is done.
        good: status of a request that nothing disturbs.
    """

    name: str
    ask: Callable[[Desk], Answer]
    good: int = 200


def _post(path: str, role: Role, body: Any) -> Callable[[Desk], Answer]:
    def ask(desk: Desk) -> Answer:
        document = body(desk) if callable(body) else body
        return desk.client.ask("POST", path.replace("TRACE", desk.trace), document, desk.as_(role))

    return ask


def _get(path: str, role: Role) -> Callable[[Desk], Answer]:
    return lambda desk: desk.client.ask("GET", path.replace("TRACE", desk.trace), None, desk.as_(role))


def _enroll(desk: Desk) -> Answer:
    number = desk.next()
    headers = desk.as_(Role.ENROLLER) | {"idempotency-key": f"key-{number}"}
    return desk.client.ask("POST", "/v1/subjects", person(number), headers)


def _update(desk: Desk) -> Answer:
    change = {"title": f"Ranger {desk.next()}"}
    return desk.client.ask("PATCH", f"/v1/subjects/{desk.subject}", change, desk.as_(Role.ENROLLER))


def _import(desk: Desk) -> Answer:
    people = [person(desk.next()), person("T-0002", title=f"Ranger {desk.next()}"), person(NUMBER, records=[])]
    body = b"".join(json.dumps(one).encode() + b"\n" for one in people)
    return desk.client.ask("POST", "/v1/subjects/import?update=true", body, desk.as_(Role.ENROLLER) | NDJSON)


def _grant(desk: Desk) -> dict[str, Any]:
    return {"issuer": "https://issuer.example", "sub": desk.next(), "roles": ["reader"]}


def _bad_token(desk: Desk) -> Answer:
    # The first refusal a minute is an entry at once; each of these stands for a new minute.
    desk.home.app.refusals._tokens._counts.clear()
    return desk.client.ask("POST", "/v1/disclosures", CARD, {"authorization": "Bearer nonsense"})


CARD = {"employee_number": NUMBER, "categories": ["phone", "ssn"], "purpose": {"code": "safety", "case": "C-1"}}
CARDS = {
    "items": [
        {"employee_number": NUMBER, "categories": ["phone"]},
        {"employee_number": "T-7777", "categories": ["phone"]},
        {"employee_number": NUMBER, "categories": ["health"]},
    ],
    "purpose": {"code": "safety", "case": "C-1"},
}
DISCLOSURE = Question("disclosure", _post("/v1/disclosures", Role.READER, CARD))
ENROLLMENT = Question("enrollment", _enroll, 201)
QUESTIONS = (
    DISCLOSURE,
    Question("batch", _post("/v1/disclosures/batch", Role.READER, CARDS)),
    Question("own-view", _post("/v1/me/disclosures", Role.SUBJECT, {})),
    ENROLLMENT,
    Question("update", _update),
    Question("import", _import),
    Question("search", _post("/v1/subjects/search", Role.READER, {"employee_number": NUMBER})),
    Question("trace", _post("/v1/traces", Role.INVESTIGATOR, {"text": LEAK}), 201),
    Question("report", _get("/v1/traces/TRACE", Role.INVESTIGATOR)),
    Question("reveal", _post("/v1/traces/TRACE/reveal", Role.INVESTIGATOR, None)),
    Question("grant", _post("/v1/principals", Role.SECURITY_ADMIN, _grant)),
    Question("refusal", _post("/v1/disclosures", Role.RECORDS_OFFICER, CARD), 403),
    Question("bad-token", _bad_token, 401),
    Question("entries", _get("/v1/audit/entries", Role.AUDITOR)),
    Question("accounting", _get("/v1/me/accounting", Role.SUBJECT)),
)
