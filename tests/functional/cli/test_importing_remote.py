"""import and disclose over HTTP, as in the production profile; mapping and dry run; how far an import is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from registry.cli import importing_remote
from registry.cli.importing import progress_line
from registry.cli.importing_remote import RemoteImport
from registry.cli.remote import Remote, remote
from registry.domain.errors import Busy, MisconfiguredHome
from registry.services.import_file import Tally
from registry.services.import_people import Existing
from registry.text.csv_rows import NdjsonRow
from tests.functional.cli.conftest import Line, far_line
from tests.functional.cli.test_importing import NOTHING, body, ndjson

MAPPING = """
[columns]
"Emp No" = "employee_number"
"Who" = { to = "name", order = "last, first" }
"Cell" = "mobile_phone"
[constants]
department = "Parks"
"""
THEIRS = 'Emp No,Who,Cell\nT-1,"Brightwater, Dana",816-555-0142\nT-2,Dana,816-555-0143\nT-3,"Lee, Kim",12\n'
THEIR_ERRORS = [
    {"line": 3, "pointer": "/Who", "code": "name_form"},
    {"line": 4, "pointer": "/Cell", "code": "phone_too_short"},
]


@pytest.fixture
def far(quiet: None, line: Line, tmp_path: Path) -> Iterator[Line]:
    with far_line(line, tmp_path / "nowhere", "enroller", "reader") as far:
        yield far


def test_it_goes_over_http(far: Line) -> None:
    content = ndjson(body("T-1"), body("T-2")) + b"{\n\n" + ndjson(body("T-3") | {"attic": 1})
    errors = [{"line": 3, "pointer": "", "code": "not_json"}, {"line": 5, "pointer": "", "code": "unknown_key"}]
    told = far.json("import", "-", "--format", "ndjson", stdin=content, exits=1)
    assert told == NOTHING | {"lines": 4, "created": 2, "rejected": 2, "errors": errors}
    changed = ndjson(body("T-1", "816-555-0143"), body("T-2"))
    assert far.json("import", "-", "--format", "ndjson", stdin=changed, exits=1)["errors"][0]["code"] == "exists"
    assert far.json("import", "-", "--format", "ndjson", "--update", stdin=changed) == NOTHING | {
        "lines": 2,
        "updated": 1,
        "unchanged": 1,
    }
    said = (
        "--employee-number",
        "T-1",
        "--category",
        "phone",
        "--purpose",
        "emergency_contact",
        "--note",
        "on duty",
        "--form",
        "as_entered",
    )
    assert far.json("disclose", *said)["records"][0]["value"]["number"] == "816-555-0143"
    assert "816-555-0143 (mobile)" in far("disclose", *said).stdout


def test_lines_keep_their_numbers_over_parts(far: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_remote, "PART_LINES", 2)
    rows = "".join(f"T-{number},Dana,Parks,{'12' if number % 3 == 0 else ''}\n" for number in range(7))
    content = "employee_number,given_name,department,home_phone\n" + rows
    told = far.json("import", "-", "--format", "csv", stdin=content, exits=1)
    assert (told["lines"], told["created"], told["rejected"]) == (7, 4, 3)
    assert {(error["line"], error["pointer"]) for error in told["errors"]} == {(n, "/home_phone") for n in (2, 5, 8)}


def test_a_mapped_file_far_and_near(far: Line, line: Line, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(MAPPING)
    arguments = ("import", "-", "--format", "csv", "--mapping", tmp_path / "m.toml")
    for where in (far, line):
        tried = where.json(*arguments, "--dry-run", stdin=THEIRS, exits=1)
        assert tried == {"lines": 3, "valid": 1, "rejected": 2, "errors": THEIR_ERRORS}
    told = far.json(*arguments, stdin=THEIRS, exits=1)
    assert (told["created"], told["errors"]) == (1, THEIR_ERRORS)
    told = line.json(*arguments, stdin=THEIRS, exits=1)
    assert (told["unchanged"], told["errors"]) == (1, THEIR_ERRORS)


def test_a_dry_run_stores_nothing(line: Line) -> None:
    size = line.json("audit", "verify")["size"]
    assert (
        "lines 1  valid 1  rejected 0"
        in line("import", "-", "--format", "ndjson", "--dry-run", stdin=ndjson(body("T-1"))).stdout
    )
    assert line.json("audit", "verify")["size"] == size


@pytest.mark.parametrize(
    ("mapping", "form", "told"),
    [
        ("[columns]\n'Emp No' = 'salary'", "csv", "/columns/Emp No unknown_target"),
        (MAPPING, "ndjson", "--mapping is for CSV files"),
        (None, "csv", "the mapping cannot be read"),
    ],
)
def test_a_mapping_of_no_use(line: Line, tmp_path: Path, mapping: str | None, form: str, told: str) -> None:
    if mapping is not None:
        (tmp_path / "m.toml").write_text(mapping)
    refused = line("import", "-", "--format", form, "--mapping", tmp_path / "m.toml", exits=2)
    assert told in refused.stderr


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"REGISTRY_TOKEN": "nonsense"}, "the token was refused"),
        ({"REGISTRY_TOKEN": ""}, "put an access token for it into REGISTRY_TOKEN"),
        ({"REGISTRY_TOKEN": "two\nlines"}, "put an access token for it into REGISTRY_TOKEN"),
        ({"REGISTRY_URL": "http://registry.example"}, "REGISTRY_URL must be an https: address"),
        ({"REGISTRY_URL": "http://127.0.0.1:1"}, "does not answer (ConnectError)"),
    ],
)
def test_without_a_usable_address_or_token(far: Line, changes: dict[str, str], told: str) -> None:
    other = Line(far.home, far.environment | changes)
    refused = other("import", "-", "--format", "ndjson", stdin=ndjson(body("T-1")), exits=3)
    assert told in refused.stderr


def test_another_role_is_refused_with_its_entry(far: Line, line: Line) -> None:
    token = line("token", "--sub", "clerk", "--role", "reader").stdout.strip()
    other = Line(far.home, far.environment | {"REGISTRY_TOKEN": token})
    refused = other("import", "-", "--format", "ndjson", stdin=ndjson(body("T-1")), exits=3)
    assert "refused: not_permitted (entry" in refused.stderr
    found = other(
        "disclose", "--employee-number", "T-9", "--category", "ssn", "--purpose", "emergency_contact", exits=3
    )
    assert "refused: purpose_not_allowed" in found.stderr


def test_a_token_taken_back_says_so_with_its_entry(far: Line, line: Line) -> None:
    administrator = line("token", "--sub", "administrator", "--role", "security_admin").stdout.strip()
    with httpx2.Client(
        base_url=far.environment["REGISTRY_URL"], headers={"Authorization": f"Bearer {administrator}"}
    ) as http:
        listed = http.get("/v1/principals").json()["principals"]
        (account,) = [one["principal"] for one in listed if one["sub"] == "far"]
        assert http.post(f"/v1/principals/{account}/revoke").status_code == 200
    refused = far("import", "-", "--format", "ndjson", stdin=ndjson(body("T-1")), exits=3)
    assert "the token was taken back (entry" in refused.stderr


def test_an_import_cut_off_says_so_and_goes_on(far: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_remote, "PART_LINES", 2)
    before, sent = Remote.post, []

    def failing(self: Remote, path: str, content: bytes, media_type: str) -> object:
        sent.append(1)
        if len(sent) == 2:
            raise MisconfiguredHome("the registry at REGISTRY_URL does not answer (ReadError)")
        return before(self, path, content, media_type)

    monkeypatch.setattr(Remote, "post", failing)
    content = ndjson(*(body(f"T-{number}") for number in range(5)))
    refused = far("import", "-", "--format", "ndjson", stdin=content, exits=3)
    assert "ended early after 2 lines; what was stored stays, send the file again" in refused.stderr
    told = far.json("import", "-", "--format", "ndjson", stdin=content)
    assert (told["unchanged"], told["created"]) == (2, 3)


def test_a_busy_registry_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def busy_once(self: Remote, path: str, content: bytes, media_type: str) -> object:
        if not waits:
            raise Busy
        assert json.loads(content) == {"a": 1}
        return NOTHING | {"created": 1, "errors_left_out": 0}

    monkeypatch.setattr(Remote, "post", busy_once)
    tally = Tally()
    RemoteImport(Remote("http://127.0.0.1", "t"), Existing.REJECT, wait=waits.append).run(
        iter([NdjsonRow(1, b'{"a": 1}')]), tally
    )
    assert (tally.lines, len(waits)) == (1, 1)


def test_no_address_means_in_process() -> None:
    assert remote({}) is None
    assert remote({"REGISTRY_TOKEN": "t"}) is None
    assert "secret" not in repr(remote({"REGISTRY_URL": "https://registry.example", "REGISTRY_TOKEN": "secret"}))


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ((1000, 2.0, None), "1,000 lines, 500 a second"),
        ((1000, 2.0, 0.25), "1,000 lines, 500 a second, 25%, 0:06 left"),
        ((90_000, 100.0, 0.5), "90,000 lines, 900 a second, 50%, 1:40 left"),
        ((0, 0.0, 0.0), "0 lines, 0 a second"),
    ],
)
def test_how_far_it_is(facts: tuple[int, float, float | None], told: str) -> None:
    assert progress_line(*facts) == told
