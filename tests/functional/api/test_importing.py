"""Many people over HTTP: formats, outcomes, bounds, what stays when an import ends early."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from registry.api.importing import BATCH_LINES
from registry.domain.errors import AuditUnavailable
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.import_people import ImportPeople
from tests.functional.api.conftest import Site
from tests.functional.services.homes import person

PATH = "/v1/subjects/import"
NDJSON, CSV = "application/x-ndjson", "text/csv"
NOTHING = {"lines": 0, "created": 0, "updated": 0, "unchanged": 0, "rejected": 0, "errors": [], "errors_left_out": 0}
MARK = "Zq7marker"


def body(number: str, phone: str = "816-555-0142") -> dict[str, Any]:
    records = [{"category": "phone", "value": {"kind": "mobile", "number": phone}}]
    return {"employee_number": number, "given_name": "Dana", "department": "Parks", "records": records}


def lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def many(count: int, start: int = 0) -> bytes:
    return lines(*(body(f"T-{number}") for number in range(start, start + count)))


def send(site: Site, content: Any, form: str = NDJSON, query: str = "", role: Role = Role.ENROLLER) -> httpx2.Response:
    headers = site.as_(role) | {"Content-Type": form}
    return site.http.post(PATH + query, content=content, headers=headers)


def told(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def enrolled(site: Site) -> int:
    return sum((entry.values or {}).get("result") == "created" for entry in site.home.entries())


@contextmanager
def connected(site: Site, **headers: str) -> Iterator[socket.socket]:
    """Open a connection, and send the head of an import by hand."""
    address = urlsplit(site.url)
    given = {"Host": address.netloc, "Content-Type": NDJSON} | site.as_(Role.ENROLLER) | headers
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as connection:
        head = "".join(f"{name}: {text}\r\n" for name, text in given.items())
        connection.sendall(f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode())
        yield connection


def answer_of(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    raw = connection.makefile("rb")
    status = int(raw.readline().split()[1])
    length = 0
    while (line := raw.readline().strip()) != b"":
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return status, json.loads(raw.read(length))


def chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


def until(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about")


# ---- outcomes ----


def test_ndjson_is_enrolled_and_sending_it_again_changes_nothing(site: Site) -> None:
    content = lines(person("T-1"), person("T-2"))
    first = told(send(site, content))
    receipt = first.pop("receipt")
    assert first == NOTHING | {"lines": 2, "created": 2}
    entry = site.home.entries()[receipt["index"]]
    assert (entry.kind, receipt["size"]) == ("enroll", receipt["index"] + 1)
    again = told(send(site, content))
    assert again.pop("receipt")["index"] == receipt["index"] + 1  # who learns that all is as sent is on record
    assert again == NOTHING | {"lines": 2, "unchanged": 2}


def test_csv_is_enrolled(site: Site) -> None:
    content = "employee_number,given_name,department,home_phone\nT-1,Dana,Parks,816-555-0142\nT-2,Kim,Parks,12\n"
    answer = told(send(site, content.encode(), 'Text/CSV; charset="utf-8"'))
    assert (answer["created"], answer["rejected"]) == (1, 1)
    assert {(error["line"], error["pointer"]) for error in answer["errors"]} == {(3, "/home_phone")}


def test_other_content_is_rejected_unless_asked_for(site: Site) -> None:
    told(send(site, lines(body("T-1"))))
    changed = lines(body("T-1", "816-555-0143"))
    exists = [{"line": 1, "pointer": "/employee_number", "code": "exists"}]
    for query in ("", "?update=false"):
        answer = told(send(site, changed, query=query))
        assert (answer["rejected"], answer["errors"]) == (1, exists)
    assert told(send(site, changed, query="?update=true"))["updated"] == 1


def test_a_bad_line_costs_nobody_else_theirs_and_is_not_repeated(site: Site) -> None:
    bad = [b"{", b'{"a":1,"a":2}', b"\xff", lines(body(MARK + "!")).strip(), lines(body("T-9") | {MARK: 1}).strip()]
    content = many(1) + b"\n".join(bad) + b"\n\n" + many(1, 1) + b'{"employee_number":'
    answer = send(site, content)
    document = told(answer)
    assert (document["lines"], document["created"], document["rejected"]) == (8, 2, 6)
    assert [error["line"] for error in document["errors"]] == [2, 3, 4, 5, 6, 9]
    assert MARK not in answer.text + str(answer.headers)


def test_nothing_at_all(site: Site) -> None:
    assert told(send(site, b"")) == NOTHING | {"receipt": None}
    assert told(send(site, b"", CSV))["errors"] == [{"line": 1, "pointer": "", "code": "missing_header"}]


def test_problems_are_listed_up_to_a_bound_and_counted_beyond(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.routes_subjects.MAX_ERRORS_TOLD", 3)
    count = BATCH_LINES + 5
    answer = told(send(site, b"{\n" * count))
    assert (answer["rejected"], len(answer["errors"]), answer["errors_left_out"]) == (count, 3, count - 3)


# ---- what comes before the body ----


def test_token_then_role_then_form(site: Site) -> None:
    # The body never comes: an answer shows that it was not waited for.
    with connected(site, **{"Authorization": "Bearer nonsense", "Content-Length": "1000"}) as connection:
        assert answer_of(connection)[0] == 401
    reader = site.as_(Role.READER) | {"Content-Length": "1000", "Content-Type": "text/plain"}
    with connected(site, **reader) as connection:
        status, problem = answer_of(connection)
    assert (status, problem["reason"], site.last().kind) == (403, "not_permitted", "deny")
    with connected(site, **{"Content-Type": "text/plain", "Content-Length": "1000"}) as connection:
        assert answer_of(connection)[0] == 415


@pytest.mark.parametrize("form", ["application/json", "text/plain", "text/csv; charset=latin-1", "text/csvx", ""])
def test_another_media_type_is_refused(site: Site, form: str) -> None:
    answer = send(site, many(1), form)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_ndjson_or_csv")
    assert enrolled(site) == 0


def test_a_compressed_body_is_refused(site: Site) -> None:
    headers = site.as_(Role.ENROLLER) | {"Content-Type": NDJSON, "Content-Encoding": "gzip"}
    answer = site.http.post(PATH, content=b"\x1f\x8b", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "content_encoding")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?Update=true", "unknown_key"),
        ("?update=1", "not_one_of"),
        ("?update=", "not_one_of"),
        (f"?{MARK}=true", "unknown_key"),
        ("?update=true&update=true", "repeated"),
    ],
)
def test_a_misspelt_query_is_refused(site: Site, query: str, code: str) -> None:
    answer = send(site, many(1), query=query)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert MARK not in answer.text
    assert enrolled(site) == 0


# ---- bounds ----


def limit(site: Site, size: int) -> None:
    object.__setattr__(site.home.app.settings, "import_max_bytes", size)


def test_a_declared_length_beyond_the_limit_is_refused_unread(site: Site) -> None:
    with connected(site, **{"Content-Length": str((256 << 20) + 1)}) as connection:
        status, problem = answer_of(connection)
    assert (status, problem["code"]) == (413, "too_large")


def test_what_came_before_the_limit_stays_and_the_answer_says_so(site: Site) -> None:
    first = many(BATCH_LINES)
    limit(site, len(first) + 10_000)
    with connected(site, **{"Transfer-Encoding": "chunked"}) as connection:
        connection.sendall(chunk(first))
        until(lambda: enrolled(site) == BATCH_LINES)
        connection.sendall(chunk(b" " * 10_001))
        status, problem = answer_of(connection)
    assert (status, problem["code"]) == (413, "too_large")
    assert (problem["imported"]["lines"], problem["imported"]["created"]) == (BATCH_LINES, BATCH_LINES)
    assert problem["imported"]["receipt"]["index"] == site.last().index - 1  # the last one says that it was refused


def test_batches_are_stored_while_the_body_comes_in(site: Site) -> None:
    with connected(site, **{"Transfer-Encoding": "chunked"}) as connection:
        for round_ in range(3):
            connection.sendall(chunk(many(BATCH_LINES, round_ * BATCH_LINES)))
            until(lambda so_far=(round_ + 1) * BATCH_LINES: enrolled(site) == so_far)
        connection.sendall(b"0\r\n\r\n")
        status, document = answer_of(connection)
    assert (status, document["created"]) == (200, 3 * BATCH_LINES)


def test_a_body_that_stops_coming_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.asking.BODY_SECONDS", 0.2)
    with connected(site, **{"Transfer-Encoding": "chunked"}) as connection:
        connection.sendall(chunk(many(BATCH_LINES)))
        status, problem = answer_of(connection)
    assert (status, problem["code"], problem["imported"]["created"]) == (408, "body_too_slow", BATCH_LINES)


def test_a_client_that_leaves_loses_only_what_was_not_a_batch(site: Site) -> None:
    with connected(site, **{"Content-Length": "1000000"}) as connection:
        connection.sendall(many(BATCH_LINES + 1))
        until(lambda: enrolled(site) == BATCH_LINES)
    answer = told(send(site, many(BATCH_LINES + 1)))  # a turn is free again as well
    assert (answer["unchanged"], answer["created"]) == (BATCH_LINES, 1)


def test_imports_beyond_the_bound_are_told_to_come_again(site: Site) -> None:
    waiting = {"Transfer-Encoding": "chunked"}
    with connected(site, **waiting) as one, connected(site, **waiting) as two:
        for number, connection in enumerate((one, two)):
            connection.sendall(chunk(many(BATCH_LINES, 1000 * number)))
        until(lambda: enrolled(site) == 2 * BATCH_LINES)
        busy = send(site, many(1))
        assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (503, "busy", "5")
        for connection in (one, two):
            connection.sendall(b"0\r\n\r\n")
            assert answer_of(connection)[0] == 200
    assert told(send(site, many(1)))["unchanged"] == 1


def test_memory_does_not_grow_with_the_body(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the reading thread back: the sender must be held back too, instead of filling the server's memory."""
    gate = threading.Event()
    before = ImportPeople.run

    def held(self: ImportPeople, *arguments: Any) -> Any:
        gate.wait(20)
        return before(self, *arguments)

    monkeypatch.setattr(ImportPeople, "run", held)
    with connected(site, **{"Transfer-Encoding": "chunked"}) as connection:
        connection.settimeout(0.5)
        piece, sent = chunk(b" " * 0xFFFF + b"\n"), 0
        connection.sendall(chunk(many(BATCH_LINES)))
        with suppress(TimeoutError):
            while sent < 64 << 20:
                connection.sendall(piece)
                sent += len(piece)
        gate.set()
    assert sent < 16 << 20  # the buffers of two sockets, and one chunk


# ---- while it goes on ----


def test_a_ledger_that_takes_no_more_entries_ends_it_with_what_was_done(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, calls = ImportPeople.run, []

    def failing(self: ImportPeople, *arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise AuditUnavailable("disk_full")
        return before(self, *arguments)

    monkeypatch.setattr(ImportPeople, "run", failing)
    answer = send(site, many(2 * BATCH_LINES))
    problem = answer.json()
    assert (answer.status_code, problem["cause"], problem["imported"]["created"]) == (503, "disk_full", BATCH_LINES)
    assert answer.headers["retry-after"] == "5"
    assert told(send(site, many(2 * BATCH_LINES)))["unchanged"] == BATCH_LINES


def test_a_role_that_is_taken_away_ends_it_at_the_next_batch(site: Site) -> None:
    with connected(site, **{"Transfer-Encoding": "chunked"}) as connection:
        connection.sendall(chunk(many(BATCH_LINES)))
        until(lambda: enrolled(site) == BATCH_LINES)
        other = {"issuer": DEVELOPMENT_ISSUER, "sub": f"the {Role.ENROLLER}", "roles": ["reader"]}
        assert site.post("/v1/principals", other, Role.SECURITY_ADMIN).is_success
        connection.sendall(chunk(many(BATCH_LINES, BATCH_LINES)) + b"0\r\n\r\n")
        status, problem = answer_of(connection)
    assert (status, problem["reason"], site.last().kind) == (403, "not_permitted", "deny")
    assert enrolled(site) == BATCH_LINES


def test_lookups_are_answered_while_an_import_runs(site: Site) -> None:
    subject = site.enroll()["subject"]
    asked = {"subject": subject, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    answers: list[httpx2.Response] = []
    done = threading.Event()

    def look_up() -> None:
        while not done.is_set():
            answers.append(site.disclose(asked))

    reader = threading.Thread(target=look_up)
    reader.start()
    until(lambda: bool(answers))
    before = len(answers)
    try:
        imported = told(send(site, many(8 * BATCH_LINES)))
        during = len(answers) - before
    finally:
        done.set()
        reader.join(30)
    assert imported["created"] == 8 * BATCH_LINES
    assert {answer.status_code for answer in answers} == {200}
    assert during >= 8  # one between two batches, at the very least
