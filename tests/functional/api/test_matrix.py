"""Every route, every role, and whose thing it is: what is answered, against two tables written by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from registry.api.app import create_app
from registry.api.server import serving
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from tests.fakes.plain_http import plain_client
from tests.functional.api.conftest import Site
from tests.functional.api.contract import Contract
from tests.functional.services.homes import open_copy, person

NO_TOKEN, NO_ACCOUNT = "no_token", "no_account"
CALLERS = (NO_TOKEN, NO_ACCOUNT, *(role.value for role in Role))
LAWFUL = {"code": "legal_service", "case": "C-1", "note": "service of papers"}
REASON = "Looked into by hand"
SEEN = {"finding": "justified", "note": REASON}
SAFE = {"kind": "email", "value": "safe@mail.example"}
UPHELD = {"finding": "upheld", "note": REASON}
_EMPLOYEES = ("T-0001", "T-0002", "T-0003", "T-0004", "T-0009")


class Line(NamedTuple):
    """One line of a table: method, path and what is asked differently; then its cells."""

    method: str
    path: str
    variant: str
    cells: tuple[str, ...]


def table(name: str) -> tuple[tuple[str, ...], list[Line]]:
    lines = [
        line for line in Path(__file__).with_name(name).read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    head, *rest = [[part.strip() for part in line.split("|", 1)] for line in lines]
    read = []
    for operation, cells in rest:
        method, path, *variant = operation.split()
        read.append(Line(method, path, " ".join(variant), tuple(cells.replace("|", " ").split())))
    return tuple(head[1].replace("|", " ").split()), read


COLUMNS, ROUTES = table("matrix.txt")
_, OWNERS = table("owners.txt")


@dataclass
class World:
    """A served registry with something of everything in it."""

    site: Site
    headers: Mapping[str, Mapping[str, str]]
    numbers: Iterator[int]
    trace: str = ""

    def sent(self, who: str, method: str, path: str, body: Any = None) -> httpx2.Response:
        sends = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        more = {"Content-Type": "application/x-ndjson"} if isinstance(body, bytes) else {}
        return self.site.http.request(method, path, headers={**self.headers[who], **more}, **sends)

    def made(self, who: str, path: str, body: Any) -> dict[str, Any]:
        answer = self.sent(who, "POST", path, body)
        assert answer.is_success, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def subject(self, tier: str = "confidential", number: str | None = None) -> dict[str, Any]:
        """Enroll somebody whose phone has a mark."""
        turn = next(self.numbers)
        body = person(number or f"N-{turn}")
        # Nobody lives with anybody else, which would be a conflict of interest.
        body["records"][0]["value"] = {"line": f"{100 + turn} Larkspur Ave, Fairhollow, MO 64999"}
        body["records"][1]["confidentiality"] = tier
        return {"number": body["employee_number"], **self.made("enroller", "/v1/subjects", body)}

    def request(self, who: str = "reader", number: str | None = None) -> str:
        """Have somebody ask for what needs approval."""
        purpose = LAWFUL | {"case": f"C-{next(self.numbers)}"}  # else it is the request of before
        asked = card(number or self.subject("restricted")["number"], "phone", purpose=purpose)
        return str(self.made(who, "/v1/disclosures", asked)["request"])

    def emergency(self, who: str = "rescuer", number: str | None = None) -> str:
        """Have somebody open a card in an emergency, and no other of theirs wait for its review."""
        for one in self.sent("auditor", "GET", "/v1/break-glass").json()["break_glass"]:
            if one["finding"] is None:
                self.sent("stranger_to_all", "POST", f"/v1/break-glass/{one['id']}/review", SEEN)
        asked = {"employee_number": number or self.subject("restricted")["number"], "categories": ["phone"]}
        return str(self.made(who, "/v1/break-glass", asked | {"reason": REASON})["id"])

    def seen(self, number: str = "T-0001") -> int:
        """Have a card looked up, and return the entry."""
        index: int = self.made("reader", "/v1/disclosures", card(number))["receipt"]["index"]
        return index

    def record(self, who: str = "subject") -> str:
        """Return a record of the own card."""
        return str(self.sent(who, "GET", "/v1/me/records").json()["records"][0]["record"])

    def phone(self) -> str:
        """Return the subject's telephone record."""
        listed = self.sent("subject", "GET", "/v1/me/records").json()["records"]
        return next(str(one["record"]) for one in listed if one["category"] == "phone")

    def petition(self, sort: str, whose: str = "") -> str:
        """Have the subject, or another one, dispute an entry or ask for a correction."""
        who = "another_subject" if whose == "another_subject's" else "subject"
        asked = {"entry": self.seen("T-0002" if who != "subject" else "T-0001")} if sort == "disputes" else {}
        asked = asked or {"record": self.record(who)}
        return str(self.made(who, f"/v1/me/{sort}", {**asked, "text": REASON})["id"])

    def hold(self, who: str = "investigator", number: str | None = None) -> str:
        """Have somebody ask that notices be held back."""
        return str(self.made(who, "/v1/holds", hold(number or self.subject()["number"]))["hold"])

    def account(self, name: str) -> str:
        listed = self.sent("security_admin", "GET", "/v1/principals").json()["principals"]
        (found,) = [row["principal"] for row in listed if row["sub"] == name]
        return str(found)


# Who asks beside those with one role each: name -> roles, own employee number.
MORE: Mapping[str, tuple[tuple[Role, ...], str | None]] = {
    "another_investigator": ((Role.INVESTIGATOR,), None),
    "another_reader": ((Role.READER,), None),
    "rescuer": ((Role.READER,), None),
    "the_reader": ((Role.READER,), "T-0002"),
    "twin": ((Role.APPROVER,), "T-0002"),
    "both": ((Role.READER, Role.APPROVER), "T-0003"),
    "nobody_enrolled": ((Role.SUBJECT,), "T-9999"),
    "admin_twin": ((Role.SECURITY_ADMIN,), "T-0009"),
    "stranger_to_all": ((Role.APPROVER,), None),
    "leaver": ((Role.READER,), None),
    "another_subject": ((Role.SUBJECT,), "T-0002"),
    "subject_audits": ((Role.AUDITOR,), "T-0001"),
    "subject_enrolls": ((Role.ENROLLER,), "T-0001"),
    "the_sleuth": ((Role.INVESTIGATOR,), "T-0002"),
    "sleuth_twin": ((Role.APPROVER,), "T-0002"),
}
NUMBERS = {"subject": "T-0001", "approver": "T-0004", "security_admin": "T-0009"}


@pytest.fixture(scope="module")
def world(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = open_copy(template, tmp_path_factory.mktemp("matrix") / "home")
    app = create_app(home.app)
    contract = Contract(app.openapi())
    with (
        serving(home.app, app) as url,
        plain_client(url, event_hooks={"response": [contract.watch]}) as client,
    ):
        site = Site(home, url, client, contract)
        people = {role.value: ((role,), NUMBERS.get(role.value)) for role in Role} | dict(MORE)
        tokens = {name: site.token(name, *roles, number=number) for name, (roles, number) in people.items()}
        issuer, now = home.app.development_issuer(), home.clock.now()
        tokens[NO_ACCOUNT] = issuer.issue("unheard of", list(Role), ttl_seconds=3600, now=now)
        headers = {name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()} | {NO_TOKEN: {}}
        world = World(site, headers, count())
        assert DEVELOPMENT_ISSUER in home.app.principals.listing()[0].issuer
        for number in _EMPLOYEES:
            world.subject("restricted", number)
        world.trace = world.made("investigator", "/v1/traces", {"text": "Call 816-555-0142"})["trace"]
        world.sent("subject", "PUT", "/v1/me/contact", SAFE)
        yield world
    home.app.close()


def card(number: str, category: str = "home_address", **changes: Any) -> dict[str, Any]:
    return {"employee_number": number, "categories": [category], "purpose": LAWFUL, **changes}


def hold(number: str) -> dict[str, Any]:
    return {"employee_number": number, "days": 9, "statement": "oral", "asked_by": "Prosecutor", "reason": REASON}


def limit() -> dict[str, Any]:
    return {"purpose": "payroll", "limit": 9, "until": "2026-03-03T09:00:00Z", "reason": REASON}


# What is sent where a route reads a body, each time anew.
BODIES: Mapping[tuple[str, str], Callable[[World], Any]] = {
    ("/v1/subjects", ""): lambda world: person(f"M-{next(world.numbers)}"),
    ("/v1/subjects/import", ""): lambda _: b'{"employee_number":"T-0001"}\n',
    ("/v1/subjects/{subject}", ""): lambda _: {"title": "Warden"},
    ("/v1/subjects/{subject}", "erase"): lambda _: {"reason": REASON, "basis": "Records schedule 4"},
    ("/v1/subjects/search", "number"): lambda _: {"employee_number": "T-0001"},
    ("/v1/subjects/search", "name"): lambda _: {"family_name": "Brightwater"},
    ("/v1/subjects/search", "department"): lambda _: {"department": "Parks"},
    ("/v1/subjects/search", "value"): lambda _: {"value": {"category": "ssn", "value": {"number": "741-12-3456"}}},
    ("/v1/disclosures", ""): lambda _: card("T-0001"),
    ("/v1/disclosures", "restricted"): lambda _: card("T-0001", "phone"),
    ("/v1/disclosures", "unknown_person"): lambda _: card("T-7777"),
    ("/v1/disclosures", "other_purpose"): lambda _: card("T-0001", "ssn"),
    ("/v1/disclosures/batch", ""): lambda _: {
        "items": [{"employee_number": "T-0001", "categories": ["home_address"]}],
        "purpose": LAWFUL,
    },
    ("/v1/me/disclosures", ""): lambda _: {},
    ("/v1/me/disputes", ""): lambda world: {"entry": world.seen(), "text": REASON},
    ("/v1/me/corrections", ""): lambda world: {"record": world.record(), "text": REASON},
    ("/v1/me/corrections", "value"): lambda world: {
        "record": world.phone(),
        "text": REASON,
        "value": {"kind": "mobile", "number": "816-555-0143"},
    },
    ("/v1/me/contact", ""): lambda _: SAFE,
    ("/v1/disputes/{dispute}/answer", ""): lambda _: UPHELD,
    ("/v1/corrections/{correction}/accept", ""): lambda _: {"note": REASON},
    ("/v1/corrections/{correction}/refuse", ""): lambda _: {"note": REASON},
    ("/v1/traces", ""): lambda _: {"text": "Call 816-555-0142"},
    ("/v1/traces/{trace}/draws", ""): lambda _: {"reason": REASON},
    ("/v1/traces/{trace}/items", ""): lambda _: {"text": "816-555-0142", "published_at": "2026-03-01T00:00:00Z"},
    ("/v1/traces/{trace}/notes", ""): lambda _: {"text": "asked the forum for its log"},
    ("/v1/traces/{trace}/state", ""): lambda _: {"state": "answered", "reason": REASON},
    ("/v1/traces/{trace}/names", ""): lambda _: {"account": "Account 1", "reason": REASON},
    ("/v1/release-checks", ""): lambda _: {
        "file": {"content": "Q2FsbCA4MTYtNTU1LTAxNDI="},
        "purpose": {"code": "publication"},
    },
    ("/v1/confidentiality/check", ""): lambda _: {
        "category": "phone",
        "value": {"kind": "mobile", "number": "816-555-0142"},
    },
    ("/v1/audit/value-searches", ""): lambda _: {
        "category": "phone",
        "value": {"kind": "mobile", "number": "816-555-0142"},
        "case": "IA-17",
    },
    ("/v1/requests/{request}/approve", ""): lambda _: {},
    ("/v1/requests/{request}/refuse", ""): lambda _: {},
    ("/v1/break-glass", ""): lambda world: {
        "employee_number": world.subject("restricted")["number"],
        "categories": ["phone"],
        "reason": REASON,
    },
    ("/v1/break-glass/{glass}/review", ""): lambda _: SEEN,
    ("/v1/holds", ""): lambda world: hold(world.subject()["number"]),
    ("/v1/holds/{hold}/confirm", ""): lambda _: {},
    ("/v1/holds/{hold}/refuse", ""): lambda _: {},
    ("/v1/holds/{hold}/end", ""): lambda _: {},
    ("/v1/keys", ""): lambda _: {"change": "rotate data", "reason": REASON},
    ("/v1/policies", ""): lambda _: {"version": "cedar:" + "0" * 64, "reason": REASON},
    ("/v1/principals", ""): lambda _: {"issuer": "https://sign-in.example", "sub": "new", "roles": ["reader"]},
    ("/v1/principals/{principal}/move", ""): lambda _: {"unit": "Parks"},
    ("/v1/tokens/revoke", ""): lambda _: {"issuer": "https://sign-in.example", "token_id": "stolen"},
    ("/v1/principals/{principal}/unlock", "limit"): lambda _: limit(),
    ("/v1/principals/{principal}/unlock", "lock"): lambda _: {"lock": True, "reason": REASON},
    ("/v1/principals/{principal}/unlock", "brake"): lambda _: {"brake": True, "reason": REASON},
    ("/v1/audit/sample/{entry}", ""): lambda _: {"finding": "fits"},
    ("/v1/audit/accountings", ""): lambda world: {"employee_number": world.subject()["number"]},
    ("/v1/decoys", ""): lambda _: {"employee_numbers": ["T-7777"]},
}
# What stands in a path, made before each caller asks.
IN_PATH: Mapping[str, Callable[[World], str]] = {
    "subject": lambda world: str(world.subject()["subject"]),
    "trace": lambda world: str(world.made("investigator", "/v1/traces", {"text": "Call 816-555-0142"})["trace"]),
    "request": lambda world: world.request(),
    "glass": lambda world: world.emergency(),
    "hold": lambda world: world.hold(),
    "principal": lambda world: world.account("leaver"),
    "dispute": lambda world: world.petition("disputes"),
    "correction": lambda world: world.petition("corrections"),
    "path": lambda _: "0/000.p/1",
    "entry": lambda _: "0",  # no lookup
}


def asked(world: World, who: str, line: Line, in_path: Callable[[str], str], body: Any = None) -> int:
    path = re.sub(r"{(\w+)}", lambda found: in_path(found[1]), line.path)
    if body is None and (line.path, line.variant) in BODIES:
        body = BODIES[line.path, line.variant](world)
    return world.sent(who, line.method, path, body).status_code


def test_the_tables_have_every_route_and_every_role(world: World) -> None:
    described = {
        (method.upper(), path)
        for path, operations in world.site.contract.document["paths"].items()
        for method in operations
    }
    assert {(line.method, line.path) for line in ROUTES} == described
    assert COLUMNS == CALLERS
    assert all(len(line.cells) == len(CALLERS) for line in ROUTES)
    assert len({line[:3] for line in ROUTES}) == len(ROUTES)
    # Whatever a path names belongs to somebody or is about somebody, but for subjects, whom clerks enroll.
    owned = {line.path for line in OWNERS}
    assert {line.path for line in ROUTES if "{" in line.path} - owned <= {
        "/v1/subjects/{subject}",
        "/v1/break-glass/{glass}",
        "/v1/principals/{principal}/report",
        "/v1/principals/{principal}/revoke",
        "/audit/tile/{path}",
        "/v1/audit/sample/{entry}",  # nobody reviews their own: test_review_sample.py
    }


@pytest.mark.parametrize("line", ROUTES, ids=lambda line: " ".join(line[:3]).strip())
def test_every_role_is_answered_as_written(world: World, line: Line) -> None:
    def in_path(name: str) -> str:
        return made[name]

    names = re.findall(r"{(\w+)}", line.path)
    made = {name: IN_PATH[name](world) for name in names}
    found = tuple(str(asked(world, who, line, in_path)) for who in CALLERS)
    assert dict(zip(CALLERS, found, strict=True)) == dict(zip(CALLERS, line.cells, strict=True))


def test_an_emergency_of_ones_own_is_nothing_that_readers_see(world: World) -> None:
    assert world.sent("rescuer", "GET", f"/v1/break-glass/{world.emergency()}").status_code == 403


def test_a_role_that_a_token_does_not_claim_is_not_had(world: World) -> None:
    issuer, now = world.site.home.app.development_issuer(), world.site.home.clock.now()
    token = issuer.issue("reader", [Role.SUBJECT], ttl_seconds=3600, now=now)
    answer = world.site.http.post("/v1/disclosures", json=card("T-0001"), headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


WHOSE: Mapping[str, Callable[[World, str, str], str]] = {
    # What is named -> the thing, given who asks and whose it is.
    "subject": lambda world, *_: enrolled(world, "T-0001"),
    "trace": lambda world, _, whose: world.trace if whose == "own" else another_trace(world),
    "request": lambda world, who, whose: world.request(*owner_of(who, whose)),
    "glass": lambda world, who, whose: world.emergency(*owner_of(who, whose, "rescuer")),
    "dispute": lambda world, _, whose: world.petition("disputes", whose),
    "correction": lambda world, _, whose: world.petition("corrections", whose),
    "hold": lambda world, who, whose: world.hold(*owner_of(who, whose, "another_investigator")),
    "principal": lambda world, who, whose: world.account(who if whose == "own" else "security_admin"),
}


def enrolled(world: World, number: str) -> str:
    found = world.sent("enroller", "POST", "/v1/subjects/search", {"employee_number": number})
    return str(found.json()["hits"][0]["subject"])


def another_trace(world: World) -> str:
    return str(world.made("another_investigator", "/v1/traces", {"text": "Call 816-555-0142"})["trace"])


def owner_of(who: str, whose: str, other: str = "another_reader") -> tuple[str, str | None]:
    """Return who makes a thing, and about whom: nobody in particular where that is nothing to the case."""
    owners: Mapping[str, tuple[str, str | None]] = {
        "own": (who, None),
        "another_reader's": ("another_reader", None),
        "the_reader's": ("the_reader", None),
        "another_investigator's": ("another_investigator", None),
        "the_sleuth's": ("the_sleuth", None),
        "about_the_approver": (other, "T-0004"),
    }
    return owners[whose]


# What is another subject's, in the body of an ask of their own side.
THEIRS: Mapping[tuple[str, str], Callable[[World], Any]] = {
    ("POST", "/v1/me/disputes"): lambda world: {"entry": world.seen("T-0002"), "text": REASON},
    ("POST", "/v1/me/corrections"): lambda world: {"record": world.record("another_subject"), "text": REASON},
}


def owned_body(world: World, line: Line, who: str, whose: str) -> Any:
    number = "T-0003" if whose == "about_themselves" else "T-0001"
    if line.path == "/v1/disclosures":
        return card(number)
    if line.path == "/v1/disclosures/batch":
        return {"items": [{"employee_number": number, "categories": ["home_address"]}], "purpose": LAWFUL}
    if line.path == "/v1/break-glass":
        return {"employee_number": number, "categories": ["phone"], "reason": REASON}
    if line.path == "/v1/me/disclosures" and whose == "another's_record":
        return {"records": [world.subject()["records"][0]["record"]]}
    if line.path == "/v1/principals":
        own = who if whose == "own" else "security_admin"
        return {"issuer": DEVELOPMENT_ISSUER, "sub": own, "roles": ["reader", "security_admin"]}
    theirs = THEIRS.get((line.method, line.path))
    return None if theirs is None else theirs(world)


@pytest.mark.parametrize("line", OWNERS, ids=lambda line: f"{' '.join(line[:3])} {' '.join(line.cells)}")
def test_whose_it_is_decides_as_written(world: World, line: Line) -> None:
    who, whose, status = line.cells

    def in_path(name: str) -> str:
        return WHOSE[name](world, who, whose)

    answer = asked(world, who, line, in_path, owned_body(world, line, who, whose))
    assert str(answer) == status


def test_an_own_item_of_a_batch_is_refused_beside_the_others(world: World) -> None:
    items = [{"employee_number": number, "categories": ["home_address"]} for number in ("T-0003", "T-0001")]
    answer = world.sent("both", "POST", "/v1/disclosures/batch", {"items": items, "purpose": LAWFUL})
    assert [one["status"] for one in answer.json()["results"]] == [403, 200]
