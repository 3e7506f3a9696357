"""A decoy and somebody like it, side by side, by every way that leads to one: the answer, the alarm and the lock.

Whoever reads, or opens a card in an emergency, is locked. Whoever writes is not, nor who gives in a text: enrolling
keeps decoys up to date like anybody else, and a leaked text is traced because of whom it names.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx2
import pytest

from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from tests.functional.api.conftest import Site
from tests.functional.api.test_enumerating import seen
from tests.functional.services.homes import person

PURPOSE = {"code": "safety", "case": "CASE-1", "note": "welfare check"}
PLAIN, DECOY, THIRD = "T-0024", "T-0025", "T-0050"
OTHERS = tuple(f"T-{number:04}" for number in range(50) if number not in (24, 25))
PHONES = {PLAIN: "816-555-0142", DECOY: "816-555-0143", THIRD: "816-555-0144"}
# What no two acts have in common: ids, digests, and in a trace's report which entries it rests on.
_IDS = re.compile(rb'\b[0-9a-f]{32}\b|\b[0-9a-f]{64}\b|(?<="entry":)\d+|(?<="size":)\d+')


class Twin(NamedTuple):
    """One of the two: whom an act is about, and who does it."""

    number: str
    subject: str
    headers: dict[str, str]


Act = Callable[[Site, Twin], httpx2.Response]


def enrolled(number: str, phone: str) -> dict[str, Any]:
    records = [
        {"category": "home_address", "value": {"line": "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"}},
        {"category": "phone", "value": {"kind": "mobile", "number": phone}},
    ]
    return person(number, family=[], records=records)


def sent(path: str, body: Callable[[Twin], Any], method: str = "POST") -> Act:
    def act(site: Site, twin: Twin) -> httpx2.Response:
        return site.http.request(method, path.format(subject=twin.subject), json=body(twin), headers=twin.headers)

    return act


def batch(twin: Twin) -> dict[str, Any]:
    numbers = [*OTHERS[:24], twin.number, *OTHERS[24:], THIRD]
    items = [{"employee_number": number, "categories": ["home_address"]} for number in numbers]
    return {"items": items, "purpose": PURPOSE, "form": "as_entered"}


def imported(site: Site, twin: Twin) -> httpx2.Response:
    document = enrolled(twin.number, PHONES[twin.number]) | {"title": "Chief"}
    headers = twin.headers | {"Content-Type": "application/x-ndjson"}
    content = json.dumps(document).encode() + b"\n"
    return site.http.post("/v1/subjects/import?update=true", content=content, headers=headers)


def file_of(twin: Twin) -> dict[str, Any]:
    content = base64.b64encode(f"Call {PHONES[twin.number]} today.".encode()).decode()
    return {"file": {"content": content, "name": "letter.txt"}, "purpose": {"code": "records_request", "case": "RR-1"}}


def phone_of(twin: Twin) -> dict[str, Any]:
    return {"category": "phone", "value": {"kind": "mobile", "number": PHONES[twin.number]}}


def card(twin: Twin) -> dict[str, Any]:
    asked = {"employee_number": twin.number, "categories": ["phone"], "purpose": PURPOSE}
    return asked | {"form": "as_entered"}


def emergency(twin: Twin) -> dict[str, Any]:
    return {"employee_number": twin.number, "categories": ["phone"], "reason": "Threat called in just now", "case": "C"}


LOCKS: dict[str, tuple[Role, Act, int]] = {
    "one card": (Role.READER, sent("/v1/disclosures", card), 200),
    "in a batch": (Role.READER, sent("/v1/disclosures/batch", batch), 200),
    "break-glass": (Role.READER, sent("/v1/break-glass", emergency), 201),
    "search by value": (Role.INVESTIGATOR, sent("/v1/subjects/search", lambda twin: {"value": phone_of(twin)}), 200),
}
LETS_GO: dict[str, tuple[Role, Act, int]] = {
    "update": (Role.ENROLLER, sent("/v1/subjects/{subject}", lambda _: {"title": "Chief"}, "PATCH"), 200),
    "erase": (
        Role.ENROLLER,
        sent("/v1/subjects/{subject}", lambda _: {"reason": "Left long ago", "basis": "Schedule 4"}, "DELETE"),
        200,
    ),
    "import": (Role.ENROLLER, imported, 200),
    "release check": (Role.RECORDS_OFFICER, sent("/v1/release-checks", file_of), 200),
    "value check": (Role.RECORDS_OFFICER, sent("/v1/confidentiality/check", phone_of), 200),
    "trace": (Role.INVESTIGATOR, sent("/v1/traces", lambda twin: {"text": f"Call {PHONES[twin.number]} today"}), 201),
    "search by number": (
        Role.READER,
        sent("/v1/subjects/search", lambda twin: {"employee_number": twin.number}),
        200,
    ),
}


@pytest.fixture
def twins(site: Site) -> dict[str, str]:
    """Two people alike but for their numbers, one of them a decoy, and a third who stays; returns their ids."""
    made = {}
    for number, phone in PHONES.items():
        answer = site.post("/v1/subjects", enrolled(number, phone), Role.ENROLLER)
        assert answer.status_code == 201, answer.text
        made[number] = str(answer.json()["subject"])
    assert site.post("/v1/decoys", {"employee_numbers": [DECOY]}, Role.SECURITY_ADMIN).status_code == 200
    return made


def done(site: Site, twins: dict[str, str], way: tuple[Role, Act, int], number: str) -> tuple[Any, list[str], str]:
    """Do an act to one of the two under a fresh account; returns all it shows, the alarms, and the account's state."""
    role, act, status = way
    name = f"curious-{number}"
    headers = {"Authorization": f"Bearer {site.token(name, role)}"}
    size = len(site.home.entries())
    answer = act(site, Twin(number, twins[number], headers))
    assert answer.status_code == status, answer.text
    alarms = [entry for entry in site.home.entries()[size:] if entry.kind == "alarm"]
    about = [(entry.values or {}).get("subject", "") for entry in alarms]
    listed = site.get("/v1/principals", Role.SECURITY_ADMIN).json()["principals"]
    (state,) = [row["state"] for row in listed if (row["issuer"], row["sub"]) == (DEVELOPMENT_ISSUER, name)]
    code, told, content = seen(answer)
    told = {key: _IDS.sub(b"id", value.encode()).decode() for key, value in told.items()}
    for which, phone in PHONES.items():
        content = content.replace(which.encode(), b"number").replace(phone.encode(), b"phone")
    return (code, told, _IDS.sub(b"id", content)), about, str(state)


@pytest.mark.parametrize("way", LOCKS)
def test_who_reads_a_decoy_sees_what_anybody_shows_and_is_locked(site: Site, twins: dict[str, str], way: str) -> None:
    if way == "in a batch":
        for number in OTHERS:
            site.enroll(number)
    plain, quiet, free = done(site, twins, LOCKS[way], PLAIN)
    decoy, alarms, state = done(site, twins, LOCKS[way], DECOY)
    assert decoy == plain
    assert (quiet, free) == ([], "active")
    assert (alarms, state) == ([twins[DECOY]], "locked")
    # The lock holds for everybody else's card too, with the very token that was good a moment ago.
    refused = site.http.post("/v1/disclosures", json=card(Twin(PLAIN, "", {})), headers=headers_of(site, way))
    assert (refused.status_code, refused.json()["reason"]) == (403, "not_permitted")


def headers_of(site: Site, way: str) -> dict[str, str]:
    issuer, role = site.home.app.development_issuer(), LOCKS[way][0]
    token = issuer.issue(f"curious-{DECOY}", [role], ttl_seconds=60, now=site.home.clock.now())
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("way", LETS_GO)
def test_who_writes_or_gives_in_a_text_is_not_locked_and_learns_nothing(
    site: Site, twins: dict[str, str], way: str
) -> None:
    plain, quiet, free = done(site, twins, LETS_GO[way], PLAIN)
    decoy, alarms, state = done(site, twins, LETS_GO[way], DECOY)
    assert decoy == plain
    assert (quiet, free, state) == ([], "active", "active")
    # A decoy that goes is missed by whoever set it; the alarm is about nobody's chain, since that goes as well.
    assert alarms == ([""] if way == "erase" else [])
