"""trace: one text with its report in every form, and batches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.cli.demo.people import make_people
from tests.functional.cli.conftest import PEOPLE, Line

PERSON = make_people(PEOPLE)[0]
PHONE = PERSON.cells["mobile_phone"]
POST = f"call {PERSON.given_name} {PERSON.family_name} at {PHONE.replace('-', '.')}, she likes it"


def write_lines(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")
    return path


def test_a_text_from_standard_input(used: Line) -> None:
    told = used.json("trace", "-", "--published-at", "2099-01-01", "--source", "a forum", stdin=POST)
    report = told["report"]
    (finding,) = report["people"][0]["findings"]
    assert finding["kind"] == "phone:mobile"
    assert report["question"]["source"] == "a forum"
    assert report["question"]["published_at"] == "2099-01-01T00:00:00.000Z"
    assert len(report["accounts"][0]["copies"]) == 2
    assert PHONE not in json.dumps(told)


def test_a_text_from_a_file(used: Line, tmp_path: Path) -> None:
    (tmp_path / "post.txt").write_text(POST)
    told = used("trace", tmp_path / "post.txt").stdout
    assert told.startswith("Trace report")
    assert "A copy is not a person" in told
    assert PHONE not in told


def test_nothing_found_is_no_failure(used: Line) -> None:
    report = used.json("trace", "-", stdin="nothing to see here")["report"]
    assert report["people"] == []
    assert report["tier"]["label"] == "none"


def test_reports_and_evidence_go_to_files(used: Line, tmp_path: Path) -> None:
    html, pdf, evidence = tmp_path / "r.html", tmp_path / "r.pdf", tmp_path / "e.zip"
    used("trace", "-", "--html", html, "--pdf", pdf, "--evidence", evidence, stdin=POST)
    assert html.read_text("utf-8").startswith("<!doctype html>")
    assert pdf.read_bytes().startswith(b"%PDF-")
    vkey = used.json("audit", "checkpoint")["vkey"]
    assert used.json("verify-bundle", evidence, "--key", vkey)["verified"] is True


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_text_in_wide_characters_is_read(used: Line, encoding: str) -> None:
    told = used("trace", "-", "--json", stdin=POST.encode(encoding))
    assert told.stderr == ""
    assert json.loads(told.stdout)["report"]["people"]


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b\x08", b"\0\1\2", b"SQLite format 3\0", bytes.fromhex("d0cf11e0a1b11ae1")]
)
def test_what_is_no_text_and_no_document_is_refused_and_never_searched_in_vain(used: Line, content: bytes) -> None:
    told = used("trace", "-", stdin=content + POST.encode(), exits=2)
    assert "not readable" in told.stderr
    assert told.stdout == ""


def test_a_text_that_is_not_utf8_is_read_as_far_as_it_goes(used: Line) -> None:
    told = used("trace", "-", "--json", stdin=f"caf\xe9 {POST}".encode("latin-1"))
    assert "not all UTF-8" in told.stderr
    assert json.loads(told.stdout)["report"]["people"]
    assert used("trace", "-", "--json", stdin="caf\ufffd".encode()).stderr == ""


def test_times(used: Line) -> None:
    stated = used.json("trace", "-", "--published-at", "2026-03-02T09:00:00-06:00", stdin="x")
    assert stated["report"]["question"]["published_at"] == "2026-03-02T15:00:00.000Z"
    assert "--published-at" in used("trace", "-", "--published-at", "last week", stdin="x", exits=2).stderr


def test_a_batch_keeps_its_order_and_answers_every_line(used: Line, tmp_path: Path) -> None:
    lines = [
        {"id": 1, "text": POST},
        "{",
        {"id": "b", "text": "nothing"},
        "",
        {"id": "c"},
        [],
        {"id": "d", "text": PHONE},
    ]
    source, out = write_lines(tmp_path / "in.jsonl", *lines), tmp_path / "out.jsonl"
    assert used.json("trace", "--batch", source, "--out", out) == {"texts": 6, "out": str(out)}
    answers = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == [1, None, "b", "c", None, "d"]
    assert [answer.get("error") for answer in answers] == [None, "not_json", None, "text_missing", "wrong_type", None]
    assert [len(answer["findings"]) for answer in answers] == [1, 0, 0, 0, 0, 1]
    (found,) = answers[0]["findings"]
    assert (found["employee_number"], found["category"], found["kind"]) == (PERSON.number, "phone", "phone:mobile")
    ((start, end),) = found["spans"]
    assert POST[start:end] == PHONE.replace("-", ".")
    assert "member" not in found


def test_spans_are_code_points(used: Line, tmp_path: Path) -> None:
    text = f"\U0001f3e0\U0001f3e0 {PHONE}"
    source = write_lines(tmp_path / "in.jsonl", {"id": 1, "text": text})
    used("trace", "--batch", source, "--out", tmp_path / "out.jsonl")
    answer = json.loads((tmp_path / "out.jsonl").read_text("utf-8"))
    assert [text[start:end] for start, end in answer["findings"][0]["spans"]] == [PHONE]


def test_a_batch_is_one_entry_a_text_and_its_opens(used: Line, tmp_path: Path) -> None:
    size = used.json("audit", "verify")["size"]
    source = write_lines(tmp_path / "in.jsonl", *[{"id": number, "text": "nothing"} for number in range(5)])
    used("trace", "--batch", source, "--out", tmp_path / "out.jsonl")
    assert used.json("audit", "verify")["size"] == size + 5


def test_a_batch_that_stops_leaves_the_old_answer(used: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = write_lines(tmp_path / "in.jsonl", {"id": 1, "text": "a"}, {"id": 2, "text": "b"}), tmp_path / "out"
    out.write_text("old")
    calls = iter([{"id": 1}])
    monkeypatch.setattr("registry.cli.trace_batch._answer", lambda *_: next(calls))
    used("trace", "--batch", source, "--out", out, exits=3)
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "in.jsonl", "out"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give FILE, or --batch IN.jsonl with --out OUT.jsonl"),
        (("-", "--out", "x"), "give FILE"),
        (("--batch", "conftest-none.jsonl", "--out", "x"), "--batch"),
        (("/",), "cannot be read: Is a directory"),
        (("816-555-0142",), "FILE cannot be read"),
        (("-", "--html", "/nowhere/at/all.html"), "cannot be written"),
        (("-", "--source", "\x07"), "--source"),
    ],
)
def test_wrong_use(used: Line, arguments: tuple[str, ...], told: str) -> None:
    refused = used("trace", *arguments, stdin="text", exits=2)
    assert told in refused.stderr
    assert "816-555-0142" not in refused.output


def test_a_batch_needs_both_files(used: Line, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in.jsonl", {"id": 1, "text": "a"})
    assert "give FILE" in used("trace", "--batch", source, exits=2).stderr
    assert "cannot be written" in used("trace", "--batch", source, "--out", "/nowhere/out", exits=2).stderr


def test_how_sure_the_time_of_publication_is(used: Line) -> None:
    told = used.json("trace", "-", "--published-at", "2020-01-01", "--uncertainty-minutes", "90", stdin=POST)
    assert told["report"]["question"]["uncertainty_seconds"] == 5400
    wrong = used("trace", "-", "--uncertainty-minutes", "90", stdin=POST, exits=2)
    assert "--uncertainty-minutes needs --published-at" in wrong.stderr
