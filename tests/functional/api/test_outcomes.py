"""What the ledger says of answers that were handed over: exactly these bytes, of lookups that released something."""

from __future__ import annotations

import asyncio
import json
import time
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from starlette.types import Message, Receive, Scope, Send
from uvicorn.server import ServerState

from registry.api.connections import Connections, GuardedProtocol, Serving
from registry.api.door import CONNECTION
from registry.api.frame import Frame
from registry.audit.kinds import Kind
from registry.domain.principals import Role
from registry.services.outcomes import Released
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import person

ASK = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}


def released(site: Site, entry: int, answer: bytes) -> Released:
    """Return what whoever holds an answer can show of it, with what the lookup's entry says."""
    return Released(entry, bytes.fromhex(site.said(entry)["detail"].rpartition(" ")[2]), answer)


def flush(site: Site, answers: int) -> None:
    """Enter what was handed over, once it is noted: whoever asked may have the answer a moment before."""
    outcomes, until = site.home.app.outcomes, time.monotonic() + 20
    while len(outcomes._waiting) < answers:
        assert time.monotonic() < until
        time.sleep(0.01)
    outcomes.flush()


def is_told(site: Site, entry: int, answer: bytes) -> bool:
    outcomes = site.home.app.outcomes
    with site.home.app.database.reader() as reader:
        found = outcomes.told_of(reader, entry)
    return found is not None and outcomes.is_answer(found, released(site, entry, answer))


def test_an_answer_is_told_of_byte_for_byte(site: Site) -> None:
    site.home.app.outcomes.is_told = True
    site.enroll()
    answer = site.disclose(ASK)
    entry = answer.json()["receipt"]["index"]
    flush(site, 1)
    assert is_told(site, entry, answer.content)
    assert not is_told(site, entry, answer.content.replace(b"phone", b"Phone"))
    own = site.http.post(
        "/v1/me/disclosures", json={"categories": ["phone"]}, headers=site.as_(Role.SUBJECT, number=NUMBER)
    )
    assert own.status_code == 200
    flush(site, 1)
    assert is_told(site, own.json()["receipt"]["index"], own.content)


def test_each_card_of_a_batch_is_told_of(site: Site) -> None:
    site.home.app.outcomes.is_told = True
    for number in (NUMBER, "T-0002"):
        site.enroll(number)
    items = [{"employee_number": number, "categories": ["phone"]} for number in (NUMBER, "T-0002", "T-0003")]
    body = {"items": items, "purpose": {"code": "emergency_contact"}}
    results = site.post("/v1/disclosures/batch", body, Role.READER).json()["results"]
    assert [one["status"] for one in results] == [200, 200, 404]
    flush(site, 2)
    for one in results[:2]:
        assert is_told(site, one["receipt"]["index"], orjson.dumps(one))
    (told,) = [e.values or {} for e in site.home.entries() if e.kind == Kind.OUTCOME]
    assert told["result"] == "handed over 2"


def test_a_refusal_is_not(site: Site) -> None:
    site.home.app.outcomes.is_told = True
    site.enroll()
    assert site.disclose(ASK | {"categories": ["ssn"]}).status_code == 403
    site.disclose(ASK)
    flush(site, 1)
    assert (site.last().values or {})["result"] == "handed over 1"


def test_no_value_stands_in_it(site: Site) -> None:
    site.home.app.outcomes.is_told = True
    site.enroll()
    site.disclose(ASK)
    flush(site, 1)
    said = json.dumps(site.last().values)
    assert person()["records"][1]["value"]["number"] not in said
    assert site.last().records == ()


def noting(seen: list[Any]) -> SimpleNamespace:
    """Return what a frame needs of an application, which notes what was handed over."""
    application = SimpleNamespace(
        ending=SimpleNamespace(is_refusing=False),
        outcomes=SimpleNamespace(handed_over=seen.extend),
        meters=SimpleNamespace(answered=lambda *_: None, unavailable=lambda *_: None),
    )
    return SimpleNamespace(state=SimpleNamespace(application=application))


@pytest.mark.parametrize(("fails", "told"), [("nothing", 1), ("sending", 0), ("answering", 0)])
def test_what_could_not_be_handed_over_is_not_told(fails: str, told: int) -> None:
    seen: list[Any] = []

    async def answering(scope: Scope, _: Receive, send: Send) -> None:
        scope["registry.released"] = [Released(7, bytes(32), b"{}")]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if fails == "answering":
            raise RuntimeError
        await send({"type": "http.response.body", "body": b"{}"})

    async def sending(message: Message) -> None:
        if fails == "sending" and message["type"] == "http.response.body":
            raise OSError

    async def receiving() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    app = noting(seen)
    scope: Scope = {"type": "http", "path": "/", "method": "POST", "headers": [], "app": app}
    asyncio.run(Frame(answering)(scope, receiving, sending))
    assert len(seen) == told


class Line(asyncio.Transport):
    """A transport that takes everything."""

    def is_closing(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        """Take it."""

    def resume_reading(self) -> None:
        """Read on."""


@pytest.mark.parametrize(("leaves", "told"), [("never", 1), ("before the answer", 0), ("after the answer", 1)])
def test_what_a_client_was_not_there_for_is_not_told(leaves: str, told: int) -> None:
    seen: list[Any] = []

    async def answering(scope: Scope, _: Receive, send: Send) -> None:
        scope["registry.released"] = [Released(7, bytes(32), b"{}")]
        if leaves == "before the answer":
            scope[CONNECTION].connection_lost(None)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})
        if leaves == "after the answer":
            scope[CONNECTION].connection_lost(None)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = noting(seen)
        await Frame(answering)(scope, receive, send)

    async def run() -> None:
        serving = Serving(served, ServerState(), {})
        protocol = GuardedProtocol(Connections(None, 1), serving, asyncio.get_running_loop())
        protocol.connection_made(Line())
        protocol.data_received(b"POST /v1/disclosures HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.02)

    asyncio.run(run())
    assert len(seen) == told
