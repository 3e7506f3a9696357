"""registry release-check, and documents in registry trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.documents.formats import open_document
from tests.functional.cli.conftest import Line, far_line
from tests.unit.documents.making import docx, paragraph, pdf
from tests.unit.documents.making import line as shown
from tests.unit.documents.test_images import needs_tesseract, picture


@pytest.fixture
def phone(line: Line) -> str:
    return "816-555-0142"


def enrolled(line: Line, tmp_path: Path) -> None:
    person = (
        '{"employee_number":"R-1","given_name":"Dana","family_name":"Example","department":"Parks","records":'
        '[{"category":"phone","value":{"kind":"mobile","number":"816-555-0142"}}]}'
    )
    (tmp_path / "people.ndjson").write_text(person)
    line("import", tmp_path / "people.ndjson")


def test_found_is_1_and_the_copy_is_written_once(line: Line, tmp_path: Path, phone: str) -> None:
    enrolled(line, tmp_path)
    source, out = tmp_path / "letter.docx", tmp_path / "copy.docx"
    source.write_bytes(docx(paragraph(f"Call {phone} now")))
    told = line("release-check", source, "--out", out, "--purpose", "records_request", "--case", "RR-1", exits=1)
    assert "FOUND    body, paragraph 1: phone:mobile" in told.stdout
    assert "Call [redacted] now" in open_document(out.read_bytes(), "docx").text
    assert phone not in told.output
    assert "exists already" in line("release-check", source, "--out", out, exits=2).stderr


def test_clean_is_0_and_what_may_hide_is_1(line: Line, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The council met.")
    assert line("release-check", tmp_path / "a.txt").stdout == "nothing protected was found\n"
    (tmp_path / "b.docx").write_bytes(docx(paragraph("x"), word_0_vbaProject__bin=b"x"))
    assert "LOOK" in line("release-check", tmp_path / "b.docx", exits=1).stdout
    (tmp_path / "c.docx").write_bytes(b"x")
    assert "not readable: broken_archive" in line("release-check", tmp_path / "c.docx", exits=2).stderr
    line("release-check", tmp_path / "missing.txt", exits=2)


def test_json_is_what_http_answers(line: Line, tmp_path: Path, phone: str) -> None:
    enrolled(line, tmp_path)
    (tmp_path / "a.txt").write_text(f"Call {phone}")
    here = line.json("release-check", tmp_path / "a.txt", exits=1)
    assert [place["at"] for place in here["places"]] == [[["line", 1], ["column", 6]]]
    with far_line(line, tmp_path / "far", "records_officer") as far:
        # The server of this test writes its log to the same stream.
        there = json.loads(far("release-check", tmp_path / "a.txt", "--json", exits=1).stdout.splitlines()[-1])
    assert {name: there[name] for name in here} == here


def test_documents_are_traced(line: Line, tmp_path: Path, phone: str) -> None:
    enrolled(line, tmp_path)
    (tmp_path / "a").write_bytes(pdf(shown(f"Call {phone}")))
    assert [found["kind"] for found in line.json("trace", tmp_path / "a")["findings"]] == ["phone:mobile"]
    (tmp_path / "b.txt").write_bytes(b"<p>Call 816-555-0142</p>")
    assert line.json("trace", tmp_path / "b.txt")["findings"][0]["spans"] == [[8, 20]]


@needs_tesseract
def test_pictures_are_traced(line: Line, tmp_path: Path, phone: str) -> None:
    enrolled(line, tmp_path)
    (tmp_path / "a.png").write_bytes(picture(f"Call {phone} after nine in the morning."))
    assert [found["kind"] for found in line.json("trace", tmp_path / "a.png")["findings"]] == ["phone:mobile"]


def test_a_place_stays_once_somebody_else_agreed(line: Line, tmp_path: Path, phone: str) -> None:
    enrolled(line, tmp_path)
    (tmp_path / "a.txt").write_text(f"Call {phone}")
    (place,) = line.json("release-check", tmp_path / "a.txt", exits=1)["places"]
    asked = ["release-check", tmp_path / "a.txt", "--waive", place["place"], "--reason", "The press office's own line"]
    with far_line(line, tmp_path / "far", "records_officer") as far:
        assert "somebody else has to approve it" in far(*asked, exits=3).stderr
    assert "somebody else has to approve it" in line(*asked, exits=3).stderr


def test_waivers_are_whole(line: Line, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    for options in (["--waive", "0" * 32], ["--reason", "A reason that says something"]):
        assert "go together" in line("release-check", tmp_path / "a.txt", *options, exits=2).stderr
    for place, reason in (("x", "A reason that says something"), ("0" * 32, "short")):
        line("release-check", tmp_path / "a.txt", "--waive", place, "--reason", reason, exits=2)
    said = line("release-check", tmp_path / "a.txt", "--waive", "0" * 32, "--reason", "The press office", exits=2)
    assert "/waive/places unknown_place" in said.stderr
