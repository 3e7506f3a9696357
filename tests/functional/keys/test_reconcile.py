"""What OpenBao says it unwrapped, against the ledger: a real server's audit log, and somebody who goes past it all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.bootstrap import inspected
from registry.keys.data_keys import context_of
from registry.keys.openbao.keyring import OpenBaoKeyring
from registry.keys.openbao.rights import auditor_policy
from registry.keys.openbao.session import Session
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.ports import WrappedKey
from registry.settings import load_settings
from tests.fakes.openbao import OpenBaoServer
from tests.functional.cli.conftest import Line, line_for
from tests.functional.keys.test_served_with_openbao import configure, headers_of, look_up, served
from tests.functional.services.homes import person

DEVICE = "to-file"
RECORDS = [{"category": "phone", "value": {"kind": "mobile", "number": "816-555-0142"}}]
NUMBERS = [f"T-{number:04}" for number in range(1, 5)]
UNSEEN = "T-0009"  # enrolled, and looked up by nobody


@pytest.fixture
def line(openbao: OpenBaoServer, tmp_path: Path) -> Line:
    home = tmp_path / "home"
    configure(home, openbao.set_up())
    made = line_for(home)
    made("init")
    return made


@pytest.fixture
def token(openbao: OpenBaoServer, tmp_path: Path) -> Path:
    """Give an auditor's token, in a file."""
    openbao.call("PUT", "sys/policies/acl/auditor", {"policy": auditor_policy(DEVICE)})
    asked = {"policies": ["auditor"], "no_default_policy": True, "ttl": "1h"}
    file = tmp_path / "token"
    file.write_text(openbao.call("POST", "auth/token/create", asked)["auth"]["client_token"])
    file.chmod(0o400)
    return file


def reconciled(line: Line, server: OpenBaoServer, token: Path, *more: str, exits: int = 0) -> dict[str, Any]:
    log = str(server.folder / "audit.log")
    given = ("keys", "reconcile", log, "--token-file", str(token), "--device", DEVICE, *more, "--json")
    return dict(json.loads(line(*given, exits=exits).stdout))


def work(line: Line) -> None:
    """Enroll, look up one by one and as a batch, be refused, and trace."""
    hr, reader = (headers_of(line, role) for role in ("enroller", "reader"))
    tracer = headers_of(line, "investigator")
    with served(line) as client:
        for number in (*NUMBERS, UNSEEN):
            assert client.post("/v1/subjects", json=person(number, records=RECORDS), headers=hr).status_code == 201
        assert look_up(client, NUMBERS[0], reader).status_code == 200
        assert look_up(client, NUMBERS[0], reader).status_code == 200  # from the cache
        purpose = {"code": "emergency_contact"}
        asked = {"items": [{"employee_number": one, "categories": ["phone"]} for one in NUMBERS], "purpose": purpose}
        assert client.post("/v1/disclosures/batch", json=asked, headers=reader).status_code == 200
        assert look_up(client, UNSEEN, hr).status_code == 403  # an entry that opens nothing
        assert client.post("/v1/traces", json={"text": "nothing but 816-555-0199"}, headers=tracer).is_success


def stolen(line: Line, number: str = UNSEEN) -> tuple[KeyServiceSettings, list[tuple[bytes, WrappedKey]]]:
    """Return the registry's way to the service, and stored keys of a household, as a thief has them."""
    settings = load_settings(line.home, {}).key_service
    assert isinstance(settings, KeyServiceSettings)
    with inspected(load_settings(line.home, {})) as application, application.database.read() as work:
        tag = application.import_people.sealer.number_tag(number)
        subjects = work.subjects.by_number_tags([tag]).values()
        persons = work.persons.of_subjects([one.id for one in subjects])
        registry = application.kernel.registry
    return settings, [(context_of(registry, one.id), one.key) for one in persons]


def test_every_unwrap_of_a_working_registry_is_explained(line: Line, openbao: OpenBaoServer, token: Path) -> None:
    work(line)
    found = reconciled(line, openbao, token, "--skew", "1")
    assert found["unexplained"] == found["taken"] == []
    assert int(str(found["explained"])) >= len(NUMBERS)
    assert int(str(found["openings"])) >= 2
    rewrapped = line.json("keys", "rewrap")
    assert rewrapped["failed"] == 0
    settings, _ = stolen(line)
    openbao.call("POST", f"transit/keys/{settings.key_prefix}-data/rotate")
    assert line.json("keys", "rewrap")["rewrapped"] > len(NUMBERS)
    again = reconciled(line, openbao, token, "--skew", "1")
    assert again["unexplained"] == []
    assert int(str(again["explained"])) > int(str(found["explained"])) + len(NUMBERS)


def test_an_unwrap_past_the_ledger_is_an_alarm(line: Line, openbao: OpenBaoServer, token: Path, tmp_path: Path) -> None:
    work(line)
    settings, keys = stolen(line)
    session = Session(settings)
    ring = OpenBaoKeyring.load(line.home / "keys", session)
    assert isinstance(ring.provider("data").unwrap(*keys[-1]), bytes)
    session.close()
    found = reconciled(line, openbao, token, "--skew", "1", exits=1)
    (alarm,) = found["unexplained"]
    assert alarm["key"] == f"{settings.key_prefix}-data"
    assert alarm["who"] == "approle 127.0.0.1"
    said = line(
        "keys",
        "reconcile",
        str(openbao.folder / "audit.log"),
        "--token-file",
        str(token),
        "--device",
        DEVICE,
        "--skew",
        "1",
        exits=1,
    ).stdout
    assert f"ALARM {alarm['at']} {alarm['key']}" in said


def test_a_key_taken_out_of_the_service_is_an_alarm(line: Line, openbao: OpenBaoServer, token: Path) -> None:
    settings, _ = stolen(line)
    name = f"{settings.key_prefix}-data"
    openbao.call("POST", f"transit/keys/{name}/config", {"exportable": True})
    openbao.call("GET", f"transit/export/encryption-key/{name}")
    found = reconciled(line, openbao, token, exits=1)
    assert [one["key"] for one in found["taken"]] == [name]


def test_more_openings_of_the_keyring_than_were_said_are_told(line: Line, openbao: OpenBaoServer, token: Path) -> None:
    assert reconciled(line, openbao, token, "--starts", "100")["openings_too_many"] is False
    assert reconciled(line, openbao, token, "--starts", "0", exits=1)["openings_too_many"] is True


def test_the_auditors_token_opens_nothing(line: Line, openbao: OpenBaoServer, token: Path) -> None:
    settings, _ = stolen(line)
    asked = {"ciphertext": "vault:v1:AAAA", "context": "AAAA"}
    answer = openbao.ask("POST", f"transit/decrypt/{settings.key_prefix}-data", asked, token.read_text())
    assert answer.status_code == 403
    token.chmod(0o600)
    token.write_text("s.nobody")
    token.chmod(0o400)
    log = str(openbao.folder / "audit.log")
    work(line)
    assert "forbids" in line("keys", "reconcile", log, "--token-file", str(token), exits=3).output


def test_it_is_an_entry_and_the_entry_names_the_alarms(line: Line, openbao: OpenBaoServer, token: Path) -> None:
    work(line)
    settings, keys = stolen(line)
    session = Session(settings)
    OpenBaoKeyring.load(line.home / "keys", session).provider("data").unwrap(*keys[0])
    session.close()
    found = reconciled(line, openbao, token, "--skew", "1", exits=1)
    auditor = headers_of(line, "auditor")
    with served(line) as client:
        answer = client.get("/v1/audit/entries?limit=1&kind=keys", headers=auditor).json()
    said = answer["entries"][0]["fields"]
    assert said["request"].startswith("reconcile ")
    assert "unexplained 1," in said["result"]
    (alarm,) = found["unexplained"]
    assert said["detail"] == f"{alarm['at']} {alarm['key']}"
    assert line.json("audit", "verify")["verified"]
