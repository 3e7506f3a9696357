"""principal list, principal grant, token; and tokens made while a server runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.bootstrap import opened
from registry.cli.demo.people import make_people
from registry.domain.principals import Role
from registry.settings import load_settings
from tests.fakes.plain_http import plain_client
from tests.functional.cli.conftest import PEOPLE, Line, line_for


def test_a_token_is_all_that_is_printed_and_is_accepted(line: Line) -> None:
    printed = line("token", "--sub", "rita", "--role", "reader", "--role", "auditor", "--ttl", "60")
    assert printed.stderr == ""
    token = printed.stdout.removesuffix("\n")
    assert token.count(".") == 2
    with opened(load_settings(line.home, {})) as application:
        claims = application.tokens.verify(token)
    assert (claims.subject, claims.roles) == ("rita", {Role.READER, Role.AUDITOR})


def test_a_token_makes_its_principal(line: Line) -> None:
    answer = line.json("token", "--sub", "rita", "--role", "reader", "--employee-number", "T-1")
    assert (answer["sub"], answer["roles"], answer["expires_in"]) == ("rita", ["reader"], 3600)
    (row,) = line.json("principal", "list")
    assert (row["sub"], row["roles"], row["state"]) == ("rita", ["reader"], "active")


def test_asking_again_grants_nothing_twice(line: Line) -> None:
    for _ in range(3):
        line("token", "--sub", "rita", "--role", "reader")
    assert line.json("audit", "verify")["size"] == 2  # the first entry, and one grant


def test_grant_and_list(line: Line) -> None:
    granted = line.json("principal", "grant", "--sub", "boss", "--role", "security_admin", "--unit", "Security")
    assert granted["roles"] == ["security_admin"]
    line("principal", "grant", "--issuer", "https://issuer.example", "--sub", "hr", "--role", "enroller")
    rows = {row["sub"]: row for row in line.json("principal", "list")}
    assert rows["boss"]["unit"] == "Security"
    assert rows["hr"]["issuer"] == "https://issuer.example"
    assert "hr" in line("principal", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("token", "--sub", "", "--role", "reader"), "--sub not_plain_text"),
        (("token", "--sub", "a\nb", "--role", "reader"), "--sub not_plain_text"),
        (("token", "--sub", "a", "--role", "reader", "--employee-number", "../x"), "--employee-number"),
        (("principal", "grant", "--sub", " a", "--role", "reader"), "--sub not_plain_text"),
        (("principal", "grant", "--sub", "a", "--role", "reader", "--unit", "x" * 200), "--unit too_long"),
        (("principal", "grant", "--issuer", "", "--sub", "a", "--role", "reader"), "--issuer not_plain_text"),
        (("token", "--sub", "a"), "--role"),
        (("token", "--sub", "a", "--role", "king"), "--role"),
        (("token", "--sub", "a", "--role", "reader", "--ttl", "3601"), "--ttl"),
        (("token", "--sub", "a", "--role", "reader", "--ttl", "0"), "--ttl"),
    ],
)
def test_wrong_use_changes_nothing(line: Line, arguments: tuple[str, ...], told: str) -> None:
    assert told in line(*arguments, exits=2).stderr
    assert line.json("audit", "verify")["size"] == 1


def test_a_number_that_nobody_has_is_told_and_granted_all_the_same(used: Line) -> None:
    number = make_people(PEOPLE)[0].number
    for command in (("principal", "grant"), ("token",)):
        known = used(*command, "--sub", "dana", "--role", "subject", "--employee-number", number)
        assert "nobody enrolled" not in known.stderr
        told = used(*command, "--sub", "kim", "--role", "subject", "--employee-number", "Z-404")
        assert "nobody enrolled has that employee number" in told.stderr
        assert "Z-404" not in told.stderr
    assert {row["sub"]: row["roles"] for row in used.json("principal", "list")}["kim"] == ["subject"]


@pytest.fixture
def server(line: Line) -> Iterator[tuple[str, subprocess.Popen[str], Path]]:
    command = [sys.executable, "-m", "registry", "serve", "--home", str(line.home), "--port", "0", "--json"]
    environment = {name: text for name, text in os.environ.items() if not name.startswith("REGISTRY_")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"], process, line.home
    finally:
        process.kill()
        process.communicate()


def test_tokens_are_made_while_the_server_runs(server: tuple[str, subprocess.Popen[str], Path]) -> None:
    url, process, home = server
    line = line_for(home)
    token = line("token", "--sub", "audrey", "--role", "auditor").stdout.strip()
    with plain_client(url) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/console/sign-in").status_code == 200
        assert client.get("/").json()["openapi"] == "/openapi.json"
        shown = client.get("/", headers={"Accept": "text/html,*/*;q=0.8"}, follow_redirects=True)
        assert (shown.status_code, shown.url.path) == (200, "/console/sign-in")
        headers = {"Authorization": f"Bearer {token}"}
        before = client.get("/audit/checkpoint", headers=headers)
        assert before.status_code == 200
        line("principal", "grant", "--sub", "late", "--role", "reader")
        assert client.get("/audit/checkpoint", headers=headers).text != before.text
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "DEVELOPMENT PROFILE" in told
    assert "Traceback" not in told
    assert line.json("audit", "verify")["verified"] is True


def test_a_port_that_is_taken(server: tuple[str, subprocess.Popen[str], Path]) -> None:
    url, _, home = server
    refused = line_for(home)("serve", "--port", url.rpartition(":")[2], exits=3)
    assert "choose another with --port" in refused.stderr


def test_the_development_profile_stays_on_loopback(line: Line) -> None:
    assert "loopback address only" in line("serve", "--host", "0.0.0.0", "--port", "0", exits=3).stderr


def test_a_mover_and_a_leaver(line: Line) -> None:
    given = (
        "--issuer",
        "https://sign-in.example",
        "--sub",
        "hr",
        "--role",
        "enroller",
        "--employee-number",
        "KC-000771",
    )
    identifier = line.json("principal", "grant", *given)["principal"]
    moved = line.json("principal", "move", identifier, "--unit", "Payroll", "--supervisor", "KC-000044")
    assert moved == {"principal": identifier, "roles": ["enroller"], "unit": "Payroll", "state": "active"}
    assert line.json("principal", "move", identifier, "--role", "approver")["roles"] == ["approver"]
    assert "no roles" in line("principal", "leave", identifier).stdout
    (row,) = line.json("principal", "list")
    assert (row["roles"], row["state"]) == ([], "ended")
    assert line.json("audit", "verify")["size"] == 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("move", "0" * 32), "at least one"),
        (("move", "nobody", "--unit", "x"), "ID id_form"),
        (("move", "0" * 32, "--unit", "x"), "not"),
        (("move", "0" * 32, "--supervisor", "../x"), "--supervisor"),
        (("leave", "0" * 32), "not"),
        (("report", "0" * 32), "not"),
        (("report", "0" * 32, "--since", "yesterday"), "--since not_a_moment"),
    ],
)
def test_a_principal_that_is_not_there_or_not_named(line: Line, arguments: tuple[str, ...], told: str) -> None:
    assert told in line("principal", *arguments, exits=2).stderr


def test_roles_that_nobody_holds_together_are_refused_but_in_development(line: Line) -> None:
    grant = ("principal", "grant", "--sub", "both", "--role", "reader", "--role", "enroller")
    assert "conflicting_roles" in line(*grant, "--issuer", "https://sign-in.example", exits=2).stderr
    assert set(line.json(*grant)["roles"]) == {"enroller", "reader"}
    assert line("token", "--sub", "both", "--role", "reader", "--role", "enroller").stdout


def test_the_report_of_a_leaver(used: Line) -> None:
    number = make_people(PEOPLE)[0].number
    used.json("disclose", "--employee-number", number, "--category", "phone", "--purpose", "emergency_contact")
    rows = {row["issuer"]: row["principal"] for row in used.json("principal", "list")}
    report = used.json("principal", "report", rows["local"], "--since", "2020-01-01")
    assert report["principal"] == rows["local"]
    shown = [entry for entry in report["entries"] if entry["kind"] == "disclose"]
    assert (["phone"], "emergency_contact") in [(entry["categories"], entry["purpose"]) for entry in shown]
    assert "phone" in used("principal", "report", rows["local"]).stdout
    assert used.json("principal", "report", rows["local"], "--since", "2999-01-01")["entries"] == []
