"""Sentinel sweep: people whose every value is a marker are enrolled, looked up, traced and got wrong in every way;
then every file, log, error, report and document is searched for the markers in any form. Only the recorded answers of
lookups, searches and reveals may hold one."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes.plain_http import plain_client
from tests.sweep.finder import Finder

PEOPLE = 12
_SYLLABLES = [
    "bru",
    "zal",
    "kex",
    "vio",
    "tra",
    "nim",
    "qua",
    "pel",
    "dor",
    "shi",
    "wex",
    "yol",
    "fen",
    "gar",
    "hud",
    "jib",
]


@dataclass
class Planted:
    """Made-up people and all markers in them."""

    chance: random.Random
    bodies: list[dict[str, Any]] = field(default_factory=list)
    markers: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)

    def word(self) -> str:
        made = "".join(self.chance.choices(_SYLLABLES, k=4)).capitalize()
        self.markers.add(made)
        return made

    def digits(self, pattern: str) -> str:
        made = "".join(self.chance.choice("0123456789") if sign == "#" else sign for sign in pattern)
        self.markers.add(made)
        return made

    def person(self) -> dict[str, Any]:
        number = f"EN-{self.chance.randrange(10**9):09}"
        self.numbers.add(number)
        family = self.word()
        body = {
            "employee_number": number,
            "given_name": self.word(),
            "family_name": family,
            "department": f"{self.word()} office",
            "title": self.word(),
            "family": [{"ref": "c1", "relation": "child", "given_name": self.word(), "family_name": self.word()}],
            "records": [
                {
                    "category": "home_address",
                    "value": {"line": f"{self.digits('73##')} {self.word()} Ave, {self.word()}, MO 64999"},
                },
                {"category": "phone", "value": {"kind": "mobile", "number": self.digits("816-555-01##")}},
                {"category": "ssn", "value": {"number": self.digits("74#-8#-9###")}, "basis": f"policy {self.word()}"},
                {"category": "date_of_birth", "value": {"date": self.digits("19#7-03-1#")}},
                {"category": "payment_card", "value": {"number": self.card()}},
                {
                    "category": "school",
                    "member": "c1",
                    "value": {"name": f"{self.word()} Elementary", "city": self.word()},
                },
                {"category": "health", "value": {"statement": f"{self.word()} syndrome with {self.word()}"}},
                {"category": "email", "value": {"address": f"{self.word().lower()}@example.org"}},
                {"category": "vehicle_plate", "value": {"plate": self.digits("QZ##X##"), "state": "MO"}},
            ],
        }
        self.bodies.append(body)
        return body

    def address(self) -> str:
        return f"{self.digits('73##')} {self.word()} Ave, {self.word()}, MO 64999"

    def card(self) -> str:
        digits = "411111" + "".join(self.chance.choice("0123456789") for _ in range(9))
        total = sum(sum(divmod(int(d) * (2 - place % 2), 10)) for place, d in enumerate(digits))
        number = digits + str(-total % 10)
        self.markers.add(number)
        return number

    def searchable(self) -> set[str]:
        """Return the markers that cannot stand anywhere by chance: four digits can."""
        return {marker for marker in self.markers if len(marker) > 7} | self.numbers


class Run:
    """One registry driven through the command line and HTTP, everything it says kept in files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.said = folder / "said"
        self.temporary = folder / "tmp"
        for made in (self.said, self.temporary):
            made.mkdir()
        self._count = 0

    def command(self, *arguments: str) -> str:
        self._count += 1
        done = subprocess.run(
            [sys.executable, "-m", "registry", "--home", str(self.home), *arguments],
            capture_output=True,
            text=True,
            env=self.environment(),
            cwd=self.folder,
            timeout=120,
            check=False,
        )
        self.keep(f"command-{self._count}", (done.stdout if "token" not in arguments else "") + done.stderr)
        return done.stdout

    def environment(self) -> dict[str, str]:
        return {**os.environ, "TMPDIR": str(self.temporary)}

    def keep(self, name: str, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        (self.said / name).write_bytes(data)

    @contextmanager
    def server(self) -> Iterator[str]:
        with (self.said / "server.out").open("wb") as out, (self.said / "server.err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "registry", "serve", "--port", "0", "--home", str(self.home), "--json"],
                stdout=out,
                stderr=err,
                env=self.environment(),
            )
            try:
                yield self._address(process)
            finally:
                process.terminate()
                process.wait(30)

    def _address(self, process: subprocess.Popen[bytes]) -> str:
        for _ in range(600):
            line = (self.said / "server.out").read_text()
            if line.strip():
                return str(json.loads(line.splitlines()[0])["url"])
            assert process.poll() is None
            time.sleep(0.05)
        raise AssertionError("the server did not say its address")


class Client:
    """Speaks HTTP for one role; errors are kept for the sweep, answers with values are not."""

    def __init__(self, run: Run, url: str, role: str, number: str | None = None) -> None:
        extra = [] if number is None else ["--employee-number", number]
        token = run.command("token", "--sub", f"the-{role}", "--role", role, *extra).strip()
        self._run = run
        self._role = role
        self._http = plain_client(url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self._count = 0

    def __call__(self, method: str, path: str, *, may_show: bool = False, **request: Any) -> httpx2.Response:
        answer = self._http.request(method, path, **request)
        self._count += 1
        if not (may_show and answer.is_success):
            headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
            self._run.keep(
                f"{self._role}-{self._count}", f"{answer.status_code}\n{headers}\n".encode() + answer.content
            )
        return answer

    def close(self) -> None:
        self._http.close()


def wrong_bodies(planted: Planted) -> Iterator[dict[str, Any]]:
    """Yield requests that are refused in different places, each holding markers."""
    body = planted.person()
    yield {"json": {**body, planted.word(): planted.word()}}
    yield {"json": {**body, "given_name": [planted.word()]}}
    yield {"json": {**body, "records": [{"category": "ssn", "value": {"number": planted.digits("666-12-34##")}}]}}
    yield {"json": {**body, "records": [{"category": planted.word(), "value": {planted.word(): planted.word()}}]}}
    yield {"json": [planted.word()]}
    yield {"content": f'{{"given_name": "{planted.word()}'.encode(), "headers": {"Content-Type": "application/json"}}
    yield {
        "content": f'{{"{planted.word()}": 1, "a": "{planted.word()}", "a": 2}}'.encode(),
        "headers": {"Content-Type": "application/json"},
    }
    yield {"content": planted.word().encode("utf-16"), "headers": {"Content-Type": "application/json"}}
    yield {"content": planted.word().encode(), "headers": {"Content-Type": f"text/{planted.word()}"}}
    yield {"json": body, "headers": {"Idempotency-Key": planted.word() + " \x7f"}}
    yield {"json": {**body, "family_name": planted.word() * 40}}


def enroll_and_get_wrong(run: Run, url: str, planted: Planted) -> None:
    hr = Client(run, url, "enroller")
    for _ in range(PEOPLE):
        assert hr("POST", "/v1/subjects", json=planted.person()).status_code == 201
    assert hr("POST", "/v1/subjects", json=planted.bodies[0]).status_code == 409
    for request in wrong_bodies(planted):
        assert 400 <= hr("POST", "/v1/subjects", **request).status_code < 500
    for path in (f"/v1/subjects/{planted.word()}", f"/v1/traces?text={planted.word()}", f"/{planted.word()}"):
        assert 400 <= hr("PATCH", path, json={"title": planted.word()}).status_code < 500
    hr.close()


def look_up(run: Run, url: str, planted: Planted) -> None:
    reader = Client(run, url, "reader")
    for body in planted.bodies[:PEOPLE]:
        ask = {
            "employee_number": body["employee_number"],
            "categories": ["home_address", "phone", "ssn", "health", "school"],
            "purpose": {"code": "safety", "case": "CASE-1", "note": "welfare check"},
        }
        assert reader("POST", "/v1/disclosures", json=ask, may_show=True).status_code == 200
        assert reader("POST", "/v1/disclosures", json={**ask, "purpose": {"code": "payroll"}}).status_code == 403
        named = {"given_name": body["given_name"], "family_name": body["family_name"]}
        assert reader("POST", "/v1/subjects/search", json=named, may_show=True).status_code == 200
        value = {"value": {"category": "phone", "value": body["records"][1]["value"]}}
        assert reader("POST", "/v1/subjects/search", json=value).status_code == 403
    assert reader("POST", "/v1/disclosures", json={"employee_number": planted.word()}).status_code == 422
    reader.close()
    subject = Client(run, url, "subject", planted.bodies[0]["employee_number"])
    assert subject("POST", "/v1/me/disclosures", json={}, may_show=True).status_code == 200
    for path in ("/v1/me/records", "/v1/me/accounting"):
        assert subject("GET", path).status_code == 200
    subject.close()


def set_brakes(run: Run, url: str, planted: Planted) -> None:
    """Ask for what is protected, set a decoy, and let an auditor see what was unusual: none of it shows a value."""
    body = planted.bodies[0]
    officer = Client(run, url, "records_officer")
    for record in body["records"][:3]:
        asked = {"category": record["category"], "value": record["value"]}
        assert officer("POST", "/v1/confidentiality/check", json=asked).json()["protected"] is True
    asked = {"category": "email", "value": {"address": f"{planted.word()}@mail.example"}}
    assert officer("POST", "/v1/confidentiality/check", json=asked).json()["protected"] is False
    told = " and ".join(str(value) for record in body["records"][:3] for value in record["value"].values())
    document = {"content": b64encode(told.encode()).decode(), "name": f"{planted.word()}.txt"}
    asked = {"file": document, "purpose": {"code": "publication"}}
    assert officer("POST", "/v1/release-checks", json=asked).json()["clean"] is False
    assert officer("POST", "/v1/release-checks", json={"file": {"content": planted.word()}}).status_code == 422
    officer.close()
    admin = Client(run, url, "security_admin")
    for numbers, status in (([body["employee_number"]], 200), ([planted.word()], 404)):
        assert admin("POST", "/v1/decoys", json={"employee_numbers": numbers}).status_code == status
    admin.close()
    auditor = Client(run, url, "auditor")
    assert auditor("GET", "/v1/audit/unusual").status_code == 200
    auditor.close()


def trace(run: Run, url: str, planted: Planted) -> None:
    investigator = Client(run, url, "investigator")
    for body in planted.bodies[:3]:
        address, phone, ssn = (list(record["value"].values())[-1] for record in body["records"][:3])
        text = f"{body['given_name']} {body['family_name']}, {address}, {phone}, {ssn}"
        answer = investigator("POST", "/v1/traces", json={"text": text, "published_at": "2099-01-01T00:00:00Z"})
        assert answer.status_code == 201
        trace_id = answer.json()["trace"]
        for form in ("", "/report.html", "/report.pdf", "/evidence.zip"):
            assert investigator("GET", f"/v1/traces/{trace_id}{form}").status_code == 200
        revealed = investigator("POST", f"/v1/traces/{trace_id}/reveal", json={}, may_show=True)
        assert revealed.json()["text"] == text
    investigator.close()


@pytest.mark.timeout(240)
def test_no_marker_stands_anywhere_but_in_recorded_answers(tmp_path: Path) -> None:
    planted = Planted(random.Random(20260302))
    (tmp_path / "run").mkdir()
    run = Run(tmp_path / "run")
    run.command("init")
    with run.server() as url:
        enroll_and_get_wrong(run, url, planted)
        look_up(run, url, planted)
        trace(run, url, planted)
        set_brakes(run, url, planted)
        auditor = Client(run, url, "auditor")
        assert auditor("GET", "/v1/audit/entries?limit=200").status_code == 200
        auditor.close()
        run.keep("openapi.json", httpx2.get(f"{url}/openapi.json").content)
    run.command("audit", "verify")
    # Employee numbers are what reports name people by; nowhere else may they stand.
    everything = Finder(planted.searchable())
    values = Finder(planted.searchable() - planted.numbers)
    assert everything.sweep(run.home, run.temporary) == []
    assert values.sweep(run.said) == []
