"""Disputes, corrections and the safe contact, over HTTP."""

from __future__ import annotations

import io
from typing import Any

import httpx2
import pytest

from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.petitions import MOST_OPEN
from registry.services.principals import Grant
from tests.fakes.digits import tells
from tests.functional.api.conftest import NUMBER, Site

TEXT = "Quillfeather had no reason to look"
NOTE = "Marrowby looked into it"
OTHER = "T-0002"
PURPOSE = {"code": "emergency_contact"}


def mine(site: Site, method: str, path: str, body: Any = None, number: str = NUMBER) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {site.token(f'self {number}', Role.SUBJECT, number=number)}"}
    return site.http.request(method, path, headers=headers, **({} if body is None else {"json": body}))


def looked_up(site: Site, number: str = NUMBER) -> int:
    answer = site.disclose({"employee_number": number, "categories": ["phone"], "purpose": PURPOSE})
    index: int = answer.json()["receipt"]["index"]
    return index


def disputed(site: Site, number: str = NUMBER) -> str:
    answer = mine(site, "POST", "/v1/me/disputes", {"entry": looked_up(site, number), "text": TEXT}, number)
    assert answer.status_code == 201, answer.text
    identifier: str = answer.json()["id"]
    return identifier


def phone_of(enrolled: dict[str, Any]) -> str:
    return next(str(record["record"]) for record in enrolled["records"] if record["category"] == "phone")


def correction(site: Site, record: str, value: Any = None, number: str = NUMBER) -> httpx2.Response:
    body = {"record": record, "text": TEXT} | ({} if value is None else {"value": value})
    return mine(site, "POST", "/v1/me/corrections", body, number)


def at_rest(site: Site) -> bytes:
    home = site.home.app.settings.home
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_dispute_goes_from_the_subject_to_an_auditor_and_back(site: Site) -> None:
    site.enroll()
    identifier = disputed(site)
    listed = site.get("/v1/disputes", Role.AUDITOR)
    assert [(one["id"], one["state"]) for one in listed.json()["disputes"]] == [(identifier, "open")]
    assert TEXT not in listed.text
    shown = site.http.post(f"/v1/disputes/{identifier}/reveal", headers=site.as_(Role.AUDITOR))
    assert (shown.json()["text"], site.said(shown.json()["receipt"]["index"])["detail"]) == (TEXT, "open dispute")
    answer = {"finding": "upheld", "note": NOTE}
    assert site.post(f"/v1/disputes/{identifier}/answer", answer, Role.AUDITOR).status_code == 200
    again = site.post(f"/v1/disputes/{identifier}/answer", answer, Role.AUDITOR)
    assert (again.status_code, again.json()["code"]) == (409, "answered")
    assert [one["state"] for one in mine(site, "GET", "/v1/me/disputes").json()["disputes"]] == ["upheld"]
    assert mine(site, "POST", f"/v1/me/disputes/{identifier}/reveal").json()["note"] == NOTE
    kinds = [line["kind"] for line in mine(site, "GET", "/v1/me/accounting").json()["entries"]]
    assert kinds.count("dispute") == 2


def test_only_an_entry_about_oneself_can_be_disputed(site: Site) -> None:
    site.enroll()
    site.enroll(OTHER)
    theirs = looked_up(site, OTHER)
    answers = [mine(site, "POST", "/v1/me/disputes", {"entry": entry, "text": TEXT}) for entry in (theirs, 0, 10**9)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.content for answer in answers}) == 1
    assert site.get("/v1/disputes", Role.AUDITOR).json()["disputes"] == []


def test_what_subjects_write_lies_sealed(site: Site) -> None:
    phone = phone_of(site.enroll())
    disputed(site)
    assert correction(site, phone, {"kind": "mobile", "number": "816-555-0177"}).status_code == 201
    mine(site, "PUT", "/v1/me/contact", {"kind": "email", "value": "quillfeather@mail.example"})
    stored = at_rest(site)
    assert b"SQLite format 3" in stored
    for marker in (b"Quillfeather", b"quillfeather", b"555-0177", b"5550177"):
        assert marker not in stored


def test_a_proposed_value_is_written_and_shown_to_nobody(site: Site) -> None:
    phone = phone_of(site.enroll())
    value = {"kind": "mobile", "number": "816-555-0177"}
    identifier = correction(site, phone, value).json()["id"]
    headers = site.as_(Role.ENROLLER)
    answers = [
        site.http.get("/v1/corrections", headers=headers),
        site.http.post(f"/v1/corrections/{identifier}/reveal", headers=headers),
        site.post(f"/v1/corrections/{identifier}/accept", {"note": NOTE}, Role.ENROLLER),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not any(tells(answer.text, "0177") for answer in answers)
    card = mine(site, "POST", "/v1/me/disclosures", {"records": [phone]}).json()
    assert [(record["value"], record["version"]) for record in card["records"]] == [(value, 2)]
    assert [one["state"] for one in mine(site, "GET", "/v1/me/corrections").json()["corrections"]] == ["accepted"]
    again = site.post(f"/v1/corrections/{identifier}/refuse", {"note": NOTE}, Role.ENROLLER)
    assert (again.status_code, again.json()["code"]) == (409, "answered")


def test_a_refused_correction_changes_nothing(site: Site) -> None:
    phone = phone_of(site.enroll())
    identifier = correction(site, phone, {"kind": "mobile", "number": "816-555-0177"}).json()["id"]
    assert site.post(f"/v1/corrections/{identifier}/refuse", {"note": NOTE}, Role.ENROLLER).status_code == 200
    assert mine(site, "GET", "/v1/me/corrections").json()["corrections"][0]["state"] == "refused"
    assert mine(site, "POST", "/v1/me/disclosures", {"records": [phone]}).json()["records"][0]["version"] == 1


def test_a_correction_is_of_an_own_record_and_keeps_its_rule(site: Site) -> None:
    phone = phone_of(site.enroll())
    theirs = phone_of(site.enroll(OTHER))
    unknown = correction(site, "0" * 32)
    other = correction(site, theirs)
    assert (other.status_code, other.content) == (404, unknown.content)
    assert correction(site, phone, {"kind": "mobile", "number": "not a number"}).status_code == 422
    assert correction(site, phone, {"address": "a@mail.example"}).status_code == 422


def test_a_record_that_is_ended_takes_no_correction(site: Site) -> None:
    enrolled = site.enroll()
    phone = phone_of(enrolled)
    identifier = correction(site, phone, {"kind": "mobile", "number": "816-555-0177"}).json()["id"]
    ended = site.http.patch(
        f"/v1/subjects/{enrolled['subject']}", json={"ends": [{"record": phone}]}, headers=site.as_(Role.ENROLLER)
    )
    assert ended.status_code == 200
    answer = site.post(f"/v1/corrections/{identifier}/accept", {"note": NOTE}, Role.ENROLLER)
    assert (answer.status_code, answer.json()["code"]) == (409, "changed")


@pytest.mark.parametrize(
    ("role", "sort", "action", "body"),
    [
        (Role.AUDITOR, "disputes", "answer", {"finding": "upheld", "note": NOTE}),
        (Role.AUDITOR, "disputes", "reveal", None),
        (Role.ENROLLER, "corrections", "accept", {"note": NOTE}),
        (Role.ENROLLER, "corrections", "refuse", {"note": NOTE}),
        (Role.ENROLLER, "corrections", "reveal", None),
    ],
)
def test_nobody_answers_their_own(site: Site, role: Role, sort: str, action: str, body: Any) -> None:
    phone = phone_of(site.enroll())
    identifier = disputed(site) if sort == "disputes" else correction(site, phone).json()["id"]
    # A second account of the same person.
    headers = {"Authorization": f"Bearer {site.token('second', role, number=NUMBER)}"}
    sent: dict[str, Any] = {} if body is None else {"json": body}
    answer = site.http.post(f"/v1/{sort}/{identifier}/{action}", headers=headers, **sent)
    assert (answer.status_code, answer.json()["reason"]) == (403, "conflict_of_interest")
    told = mine(site, "GET", "/v1/me/accounting").json()["entries"]
    assert [line["recipient"] for line in told if line["kind"] == "deny"] == [f"{DEVELOPMENT_ISSUER}#second"]


def test_who_looked_does_not_answer_the_dispute(site: Site) -> None:
    site.enroll()
    site.enroll(OTHER)
    both = {"Authorization": f"Bearer {site.token('both', Role.READER, Role.AUDITOR, number=OTHER)}"}
    asked = {"employee_number": NUMBER, "categories": ["phone"], "purpose": PURPOSE}
    entry = site.http.post("/v1/disclosures", json=asked, headers=both).json()["receipt"]["index"]
    identifier = mine(site, "POST", "/v1/me/disputes", {"entry": entry, "text": TEXT}).json()["id"]
    second = {"Authorization": f"Bearer {site.token('second', Role.AUDITOR, number=OTHER)}"}
    answer = {"finding": "not_upheld", "note": NOTE}
    for headers in (both, second):
        assert site.http.post(f"/v1/disputes/{identifier}/answer", json=answer, headers=headers).status_code == 403
        assert site.http.post(f"/v1/disputes/{identifier}/reveal", headers=headers).status_code == 403
    assert site.post(f"/v1/disputes/{identifier}/answer", answer, Role.AUDITOR).status_code == 200


def weakly(site: Site, number: str = NUMBER) -> dict[str, str]:
    """Return the headers of a session that was left open, of the same account as ``mine``."""
    site.token(f"self {number}", Role.SUBJECT, number=number)
    issuer = site.home.app.development_issuer()
    now = site.home.clock.now()
    token = issuer.issue(f"self {number}", [Role.SUBJECT], ttl_seconds=3600, now=now, acr=None)
    return {"Authorization": f"Bearer {token}"}


def test_a_session_left_open_neither_reads_nor_changes_the_contact(site: Site) -> None:
    site.enroll()
    assert (
        mine(site, "PUT", "/v1/me/contact", {"kind": "email", "value": "quillfeather@mail.example"}).status_code == 200
    )
    headers = weakly(site)
    answers = [
        site.http.put("/v1/me/contact", json={"kind": "post", "value": "Box 1"}, headers=headers),
        site.http.post("/v1/me/contact/reveal", headers=headers),
    ]
    assert [(answer.status_code, answer.json()["reason"]) for answer in answers] == [(403, "step_up_required")] * 2
    assert mine(site, "POST", "/v1/me/contact/reveal").json()["value"] == "quillfeather@mail.example"
    kinds = [line["kind"] for line in mine(site, "GET", "/v1/me/accounting").json()["entries"]]
    assert (kinds.count("deny"), kinds.count("contact")) == (2, 1)


def test_what_is_written_has_a_limit_and_no_echo(site: Site, logs: io.StringIO) -> None:
    phone = phone_of(site.enroll())
    entry = looked_up(site)
    long = "Quillfeather " * 400
    number = {"kind": "mobile", "number": "Quillfeather"}
    refused = [
        mine(site, "POST", "/v1/me/disputes", {"entry": entry, "text": long}),
        mine(site, "POST", "/v1/me/disputes", {"entry": entry, "text": "\u0007 Quillfeather"}),
        mine(site, "POST", "/v1/me/disputes", {"entry": "Quillfeather", "text": TEXT}),
        correction(site, "Quillfeather"),
        correction(site, phone, number),
        correction(site, phone, {"Quillfeather": 1}),
        mine(site, "PUT", "/v1/me/contact", {"kind": "post", "value": long}),
        mine(site, "PUT", "/v1/me/contact", {"kind": "email", "value": "Quillfeather"}),
        mine(site, "PUT", "/v1/me/contact", {"kind": "Quillfeather", "value": "Box 1"}),
    ]
    assert [answer.status_code for answer in refused] == [422] * len(refused)
    assert disputed(site)
    for told in (*(answer.text for answer in refused), logs.getvalue()):
        assert "uillfeather" not in told
    assert mine(site, "POST", "/v1/me/disputes", {"entry": entry, "text": "x" * 4_000}).status_code == 201


def test_nobody_buries_what_others_asked_for(site: Site) -> None:
    site.enroll()
    site.enroll(OTHER)
    entry = looked_up(site)
    asked = {"entry": entry, "text": TEXT}
    site.home.clock.step(1)
    answers = [mine(site, "POST", "/v1/me/disputes", asked) for _ in range(MOST_OPEN + 1)]
    assert [answer.status_code for answer in answers] == [201] * MOST_OPEN + [409]
    assert answers[-1].json()["code"] == "too_many_open"
    assert disputed(site, OTHER)
    reply = {"finding": "upheld", "note": NOTE}
    assert site.post(f"/v1/disputes/{answers[0].json()['id']}/answer", reply, Role.AUDITOR).status_code == 200
    assert mine(site, "POST", "/v1/me/disputes", asked).status_code == 201
    listed = [one["state"] for one in site.get("/v1/disputes", Role.AUDITOR).json()["disputes"]]
    assert listed == ["open"] * (MOST_OPEN + 1) + ["upheld"]


def test_the_accounting_names_unit_and_purpose(site: Site) -> None:
    site.enroll()
    grant = Grant(DEVELOPMENT_ISSUER, "the reader", frozenset({Role.READER}), None, "Dispatch 4")
    site.home.app.principals.ensure(grant, operator="local:test")
    entry = looked_up(site)
    told = mine(site, "GET", "/v1/me/accounting").json()["entries"]
    (line,) = [line for line in told if line["index"] == entry]
    assert (line["unit"], line["purpose"], line["categories"]) == ("Dispatch 4", "emergency_contact", ["phone"])


def test_a_correction_that_was_accepted_makes_nobody_at_a_desk_a_source(site: Site) -> None:
    phone = phone_of(site.enroll())
    identifier = correction(site, phone, {"kind": "mobile", "number": "816-555-0177"}).json()["id"]
    accepted = site.post(f"/v1/corrections/{identifier}/accept", {"note": NOTE}, Role.ENROLLER)
    traced = site.post("/v1/traces", {"text": "Dana Brightwater, call 816 555 0177"}, Role.INVESTIGATOR).json()
    report = site.get(f"/v1/traces/{traced['trace']}", Role.INVESTIGATOR).json()
    told = {(line["kind"], line["entry"]) for line in report["report"]["exposures"]}
    update = accepted.json()["receipt"]["index"] - 1
    assert ("subject and household", update) in told
    assert "changed by" not in {kind for kind, _ in told}


def test_a_contact_is_set_replaced_and_read_back(site: Site) -> None:
    site.enroll()
    assert mine(site, "POST", "/v1/me/contact/reveal").status_code == 404
    for value in ("quillfeather@mail.example", "second@mail.example"):
        assert mine(site, "PUT", "/v1/me/contact", {"kind": "email", "value": value}).status_code == 200
    shown = mine(site, "POST", "/v1/me/contact/reveal").json()
    assert (shown["kind"], shown["value"]) == ("email", "second@mail.example")
    assert mine(site, "PUT", "/v1/me/contact", {"kind": "email", "value": "no address"}).status_code == 422
    assert "second@" not in mine(site, "POST", "/v1/me/disclosures", {}).text
    wanted = {"category": "email", "value": {"address": "second@mail.example"}}
    found = site.post("/v1/subjects/search", {"value": wanted}, Role.INVESTIGATOR)
    assert (found.status_code, found.json()["hits"]) == (200, [])
    traced = site.post("/v1/traces", {"text": "write to second@mail.example"}, Role.INVESTIGATOR)
    assert (traced.status_code, traced.json()["findings"]) == (201, [])


def test_with_a_key_it_is_filed_once(site: Site) -> None:
    enrolled = site.enroll()
    index, record = looked_up(site), phone_of(enrolled)
    token = site.token(f"self {NUMBER}", Role.SUBJECT, number=NUMBER)
    key = {"Idempotency-Key": "one", "Authorization": f"Bearer {token}"}
    body = {"entry": index, "text": "nobody had a reason"}
    first = site.http.post("/v1/me/disputes", json=body, headers=key)
    size = len(site.home.entries())
    again = site.http.post("/v1/me/disputes", json=body, headers=key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (again.headers["idempotent-replayed"], "idempotent-replayed" in first.headers) == ("true", False)
    assert (len(site.home.entries()), again.headers["audit-receipt"]) == (size, first.headers["audit-receipt"])
    other = site.http.post("/v1/me/disputes", json={**body, "text": "another text than before"}, headers=key)
    corrected = site.http.post("/v1/me/corrections", json={"record": record, "text": "it changed"}, headers=key)
    assert [(one.status_code, one.json()["code"]) for one in (other, corrected)] == [(409, "key_reused")] * 2
    assert len(mine(site, "GET", "/v1/me/disputes").json()["disputes"]) == 1
    assert mine(site, "GET", "/v1/me/corrections").json()["corrections"] == []
