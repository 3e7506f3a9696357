"""trace over HTTP, as in the production profile: the same answers and files as in process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.cli.conftest import Line, far_line
from tests.functional.cli.test_tracing import PHONE, POST

KEYS = {"trace", "findings", "candidates", "report"}


@pytest.fixture
def far(quiet: None, used: Line, tmp_path: Path) -> Iterator[Line]:
    with far_line(used, tmp_path / "nowhere", "investigator") as far:
        yield far


def test_a_text_is_traced_there_as_here(far: Line, used: Line) -> None:
    options = ("trace", "-", "--published-at", "2099-01-01", "--source", "a forum")
    there, here = far.json(*options, stdin=POST), used.json(*options, stdin=POST)
    assert set(there) == set(here) == KEYS
    assert there["findings"] == here["findings"]
    assert there["findings"][0]["category"] == "phone"
    question = there["report"]["question"]
    assert (question["source"], question["published_at"]) == ("a forum", "2099-01-01T00:00:00.000Z")
    assert len(there["report"]["accounts"][0]["copies"]) == 2
    assert PHONE not in json.dumps(there)


def test_the_report_for_reading(far: Line, tmp_path: Path) -> None:
    (tmp_path / "post.txt").write_text(POST)
    told = far("trace", tmp_path / "post.txt").stdout
    assert told.startswith("Trace report")
    assert "A copy is not a person" in told
    assert PHONE not in told


def test_reports_and_evidence_come_as_files(far: Line, used: Line, tmp_path: Path) -> None:
    html, pdf, evidence = tmp_path / "r.html", tmp_path / "r.pdf", tmp_path / "e.zip"
    far("trace", "-", "--html", html, "--pdf", pdf, "--evidence", evidence, stdin=POST)
    assert html.read_text("utf-8").startswith("<!doctype html>")
    assert pdf.read_bytes().startswith(b"%PDF-")
    vkey = used.json("audit", "checkpoint")["vkey"]
    assert far.json("verify-bundle", evidence, "--key", vkey)["verified"] is True


def test_a_batch_is_for_the_development_profile(far: Line, tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": 1, "text": POST}) + "\n")
    assert "with REGISTRY_URL" in far("trace", "--batch", source, "--out", out, exits=2).stderr
    assert not out.exists()


def test_refusals_are_told_as_here(quiet: None, used: Line, tmp_path: Path) -> None:
    with far_line(used, tmp_path / "nowhere", "reader") as reader:
        size = used.json("audit", "checkpoint")["checkpoint"].splitlines()[1]
        refused = reader("trace", "-", "--html", tmp_path / "r.html", stdin=POST, exits=3)
        assert f"refused: not_permitted (entry {size} of the ledger)" in refused.stderr
        assert refused.stdout == ""
        assert not (tmp_path / "r.html").exists()
        reader.environment["REGISTRY_TOKEN"] = "no-token"
        assert "get a new one" in reader("trace", "-", stdin=POST, exits=3).stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://registry.example"])
def test_an_address_that_does_not_answer_or_is_not_safe(tmp_path: Path, url: str) -> None:
    line = Line(tmp_path, {"REGISTRY_HOME": str(tmp_path / "x"), "REGISTRY_URL": url, "REGISTRY_TOKEN": "t"})
    assert "REGISTRY_URL" in line("trace", "-", stdin="x", exits=3).stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("action", ["trace", "evidence"])
def test_what_takes_another_person_says_so(quiet: None, used: Line, tmp_path: Path, action: str) -> None:
    (used.home / "config.toml").write_text(f'[approvals]\ndual_control = ["{action}"]\n')
    with far_line(used, tmp_path / "nowhere", "investigator") as far:
        waiting = far("trace", "-", "--evidence", tmp_path / "e.zip", stdin=POST, exits=3)
    assert "somebody else has to approve it; then do exactly the same again" in waiting.stderr
    assert waiting.stdout == ""
    assert not (tmp_path / "e.zip").exists()
