"""When something breaks: no entry, no plaintext; a cause for the caller; nothing of the matter in answer or log."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from registry.domain.errors import Busy, KeyUnavailable, LedgerCorrupt, NotDurable
from registry.domain.principals import Role
from registry.services.disclose import Disclose
from registry.services.search import Search
from registry.storage.ledger import SqlEntryReader
from registry.vault.vault import Vault
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import person

ASK = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
BATCH = {
    "items": [{"employee_number": NUMBER, "categories": ["phone"]}] * 130,
    "purpose": {"code": "emergency_contact"},
}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count every decryption."""
    calls: list[str] = []
    real = Vault.open

    def counted(self: Vault, field: Any, receipt: Any) -> Any:
        calls.append(field.record)
        return real(self, field, receipt)

    monkeypatch.setattr(Vault, "open", counted)
    return calls


def on_connect(site: Site, *statements: str) -> Any:
    """Run statements on every connection that writers open from now on."""

    def prepare(connection: Any, _record: object) -> None:
        for statement in statements:
            connection.execute(statement)

    engine = site.home.app.database.engine
    event.listen(engine, "connect", prepare)
    engine.dispose()
    return prepare


OPENING: tuple[tuple[str, str, Role, Any], ...] = (
    ("POST", "/v1/disclosures", Role.READER, ASK),
    ("POST", "/v1/disclosures/batch", Role.READER, BATCH),
    ("POST", "/v1/me/disclosures", Role.SUBJECT, {}),
    ("POST", "/v1/subjects/search", Role.READER, {"employee_number": NUMBER}),
    ("POST", "/v1/traces", Role.INVESTIGATOR, {"text": "816 555 0142"}),
    ("PATCH", "/v1/subjects/{subject}", Role.ENROLLER, {"title": "Chief"}),
    ("POST", "/v1/subjects", Role.ENROLLER, person("T-0099")),
    ("GET", "/v1/me/records", Role.SUBJECT, None),
    ("GET", "/v1/me/accounting", Role.SUBJECT, None),
    ("GET", "/v1/audit/entries", Role.AUDITOR, None),
    ("POST", "/v1/principals", Role.SECURITY_ADMIN, {"issuer": "i", "sub": "s", "roles": []}),
)


@pytest.mark.parametrize("asked", OPENING, ids=[f"{asked[0]} {asked[1]}" for asked in OPENING])
def test_without_a_ledger_nothing_is_opened(site: Site, opened: list[str], asked: tuple[str, str, Role, Any]) -> None:
    method, path, role, body = asked
    subject = site.enroll()["subject"]
    headers = site.as_(role, NUMBER if role is Role.SUBJECT else None)
    size = len(site.home.entries())
    on_connect(site, "PRAGMA query_only=1")
    path = path.replace("{subject}", subject)
    answer = site.http.request(method, path, headers=headers, **({} if body is None else {"json": body}))
    document = answer.json()
    assert (answer.status_code, document["code"], document["cause"]) == (503, "audit_unavailable", "read_only")
    assert int(answer.headers["retry-after"]) > 0
    assert "receipt" not in document
    assert opened == []
    assert len(site.home.entries()) == size


def test_without_a_ledger_a_refusal_is_no_refusal(site: Site) -> None:
    clerk = site.as_(Role.RECORDS_OFFICER)
    limit = on_connect(site, "PRAGMA query_only=1")
    refused = site.http.post("/v1/disclosures", json=ASK, headers=clerk)
    assert (refused.status_code, refused.json()["cause"]) == (503, "read_only")
    anonymous = site.http.post("/v1/disclosures", json=ASK)
    assert (anonymous.status_code, anonymous.json()["cause"]) == (503, "read_only")
    # What was refused without an entry is kept count of, and written once there is a ledger again.
    event.remove(site.home.app.database.engine, "connect", limit)
    site.home.app.database.engine.dispose()
    site.home.app.refusals.flush()
    assert site.last().kind == "auth"


def test_a_filling_disk_loses_no_entry_and_opens_nothing_without_one(site: Site, opened: list[str]) -> None:
    site.enroll()
    headers = site.as_(Role.READER)
    pages = site.home.sql().execute("PRAGMA page_count").fetchone()[0]
    limit = on_connect(site, f"PRAGMA max_page_count={pages + 6}")
    answers = [site.http.post("/v1/disclosures", json=ASK, headers=headers) for _ in range(120)]
    good = [answer for answer in answers if answer.status_code == 200]
    bad = [answer for answer in answers if answer.status_code != 200]
    assert good
    assert {(answer.status_code, answer.json()["cause"]) for answer in bad} == {(503, "disk_full")}
    assert len(opened) == len(good)
    assert [entry.kind for entry in site.home.entries()].count("disclose") == len(good)
    assert {answer.json()["disclosure"] for answer in good} == {
        (entry.values or {})["event"] for entry in site.home.entries() if entry.kind == "disclose"
    }
    # Room again: service again, without a restart.
    event.remove(site.home.app.database.engine, "connect", limit)
    site.home.app.database.engine.dispose()
    assert site.http.post("/v1/disclosures", json=ASK, headers=headers).status_code == 200


def test_a_full_disk_in_the_middle_of_a_batch_is_said_per_item(site: Site, opened: list[str]) -> None:
    site.enroll()
    headers = site.as_(Role.READER)
    # Grows the tables with what the batch will need for its first turn only.
    before = site.home.sql().execute("PRAGMA page_count").fetchone()[0]
    on_connect(site, f"PRAGMA max_page_count={before + 45}")
    items = [{"employee_number": NUMBER, "categories": ["phone"]}] * 500
    answer = site.http.post("/v1/disclosures/batch", json=BATCH | {"items": items}, headers=headers)
    statuses = [result["status"] for result in answer.json()["results"]]
    good = statuses.count(200)
    assert answer.status_code == 200
    assert statuses == [200] * good + [503] * (500 - good)
    assert 0 < good < 500
    assert answer.json()["results"][-1]["cause"] == "disk_full"
    assert len(opened) == good == [entry.kind for entry in site.home.entries()].count("disclose")


def test_a_moved_database_is_noticed(site: Site, opened: list[str]) -> None:
    site.enroll()
    headers = site.as_(Role.READER)
    database = site.home.app.settings.home / "registry.db"
    shutil.move(database, database.with_suffix(".away"))
    answer = site.http.post("/v1/disclosures", json=ASK, headers=headers)
    assert (answer.status_code, answer.json()["cause"]) == (503, "storage_missing")
    shutil.copy(database.with_suffix(".away"), database)
    answer = site.http.post("/v1/disclosures", json=ASK, headers=headers)
    assert (answer.status_code, answer.json()["cause"]) == (503, "replaced_file")
    assert opened == []


def test_an_entry_that_is_not_found_again_opens_nothing(
    site: Site, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.enroll()
    headers = site.as_(Role.READER)
    real = SqlEntryReader.head
    monkeypatch.setattr(SqlEntryReader, "head", lambda self: dataclasses.replace(real(self), size=1))
    answer = site.http.post("/v1/disclosures", json=ASK, headers=headers)
    assert (answer.status_code, answer.json()["cause"]) == (503, "not_durable")
    assert opened == []


def test_a_broken_record_costs_only_itself(site: Site) -> None:
    site.enroll()
    broken = next(record for record in site.enroll("T-0002")["records"] if record["category"] == "phone")["record"]
    site.home.sql().execute("UPDATE record_versions SET sealed = zeroblob(length(sealed)) WHERE record = ?", (broken,))
    single = site.disclose(ASK | {"employee_number": "T-0002"})
    assert (single.status_code, single.json()["code"]) == (500, "record_unreadable")
    assert single.headers["audit-receipt"].endswith(
        f"{single.json()['receipt']['index']} {single.json()['receipt']['size']}"
    )
    items = [{"employee_number": number, "categories": ["phone"]} for number in (NUMBER, "T-0002", NUMBER)]
    batch = site.post("/v1/disclosures/batch", {"items": items, "purpose": ASK["purpose"]}, Role.READER)
    assert [result["status"] for result in batch.json()["results"]] == [200, 500, 200]
    assert site.home.entries()[-1].kind == "outcome"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyUnavailable("key file /home/keys/data is gone"), (503, "key_unavailable")),
        (NotDurable(), (503, "audit_unavailable")),
        (Busy(), (503, "busy")),
        (LedgerCorrupt("Zq7marker", 4), (500, "ledger_corrupt")),
        (ValueError("Zq7marker"), (500, "internal")),
        (KeyError("Zq7marker"), (500, "internal")),
        (RecursionError("Zq7marker"), (500, "internal")),
        (MemoryError("Zq7marker"), (500, "internal")),
        (UnicodeDecodeError("utf-8", b"Zq7marker", 0, 1, "Zq7marker"), (500, "internal")),
    ],
)
def test_no_text_of_an_error_goes_out(
    site: Site, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch, error: Exception, expected: tuple[int, str]
) -> None:
    def fail(*_: Any) -> None:
        secret = "Zq7marker in a local"
        assert secret
        raise error

    monkeypatch.setattr(Search, "search", fail)
    answer = site.post("/v1/subjects/search", {"employee_number": "Zq7marker"}, Role.READER)
    assert (answer.status_code, answer.json()["code"]) == expected
    for hidden in ("Zq7marker", "/home/keys", "Traceback", type(error).__name__):
        assert hidden not in answer.text
    assert "Zq7marker" not in logs.getvalue()
    if expected == (500, "internal"):
        (line,) = [line for line in map(json.loads, logs.getvalue().splitlines()) if line["event"] == "fault"]
        assert line["error"] == type(error).__name__
        assert line["where"].startswith("registry.api.routes_subjects:")
        assert line["request_id"] == answer.headers["x-request-id"]


def test_an_operator_learns_which_key_is_gone(site: Site, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise KeyUnavailable("data key k7 has the wrong mode")

    monkeypatch.setattr(Disclose, "disclose_many", fail)
    answer = site.disclose(ASK)
    assert (answer.status_code, "k7" in answer.text) == (503, False)
    assert "data key k7 has the wrong mode" in logs.getvalue()


def test_more_requests_than_can_be_worked_on_are_told_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.turns.Turns._share", lambda *_: 0)
    monkeypatch.setattr("registry.api.turns.PATIENCE_SECONDS", 0.05)
    answer = site.http.get("/audit/checkpoint")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "busy", "5")
    assert site.http.get("/healthz").status_code == 200


def test_places_at_work_are_given_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.turns.Turns._share", lambda *_: 1)
    monkeypatch.setattr("registry.api.turns.PATIENCE_SECONDS", 0.05)
    headers = site.as_(Role.AUDITOR)
    monkeypatch.setattr(Search, "search", lambda *_: 1 / 0)
    for _ in range(3):
        assert site.http.get("/nowhere").status_code == 404
        assert site.http.get("/audit/checkpoint").status_code == 401
        assert site.post("/v1/subjects/search", {"employee_number": "1"}, Role.READER).status_code == 500
        assert site.http.get("/audit/checkpoint", headers=headers).status_code == 200


@pytest.fixture(autouse=True)
def without_leftovers(site: Site) -> Iterator[None]:
    """Let the registry close as it is: faults put in stay in this test."""
    yield
    away = site.home.app.settings.home / "registry.away"
    if away.exists():
        shutil.move(away, away.with_suffix(".db"))
