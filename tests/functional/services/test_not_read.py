"""What of a document was not read is in the report of a trace: nothing follows for it from what was found, or not."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from registry.leaktrace.wording_documents import not_read, parts_not_read
from registry.reports.as_json import report_document
from registry.reports.as_text import render_text
from registry.services.evidence_items import ItemAsk
from registry.services.trace import TraceAsk
from registry.services.uploads import Upload
from tests.functional.services.homes import Home
from tests.functional.services.test_evidence_items import inspector
from tests.functional.services.test_marked_copies import people

SEVEN_ZIP = bytes.fromhex("377abcaf271c0004") + bytes(64)


def picture() -> bytes:
    """Return a PNG of one point."""
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def archive(text: str, unreadable: int) -> Upload:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("post.txt", text)
        made.writestr("dot.png", picture())  # an image that is too small to show anything: nothing is said of it
        for number in range(unreadable):
            made.writestr(f"{number}.7z", SEVEN_ZIP)
    return Upload(stream.getvalue(), "posts.zip")


@pytest.mark.parametrize("text", ["nobody", "call 651-555-0100"])
def test_a_trace_says_what_of_its_document_was_not_read(home: Home, text: str) -> None:
    people(home, 1)
    who = inspector(home)
    trace = home.app.trace.trace(who, TraceAsk("", upload=archive(text, 2))).trace
    report = home.app.trace.get(who, trace).report
    assert report.question.not_read == (("embedded_object", 2),)
    assert report.summary[-1] == not_read((("embedded_object", 2),))[0]
    assert "2 embedded files that could not be opened" in " ".join(render_text(report).split())
    assert report_document(report)["question"]["not_read"] == [{"what": "embedded_object", "count": 2}]


def test_nothing_is_said_of_a_document_that_was_read_whole(home: Home) -> None:
    people(home, 1)
    report = home.app.trace.trace(inspector(home), TraceAsk("", upload=archive("nobody", 0))).stored.report
    assert report.question.not_read == ()
    assert "could not be opened" not in " ".join(report.summary)


def test_items_say_it_one_by_one_and_a_case_that_goes_on_still_says_it(home: Home) -> None:
    people(home, 1)
    who = inspector(home)
    first = home.app.trace.trace(who, TraceAsk("", upload=archive("nobody", 1)))
    nothing = home.app.later_items.add(who, first.trace, ItemAsk("", upload=archive("nobody else", 2)))
    assert nothing.seen.said.endswith(not_read((("embedded_object", 2),))[0])
    later = home.app.later_items.add(who, first.trace, ItemAsk("", upload=archive("call 651-555-0100", 3)))
    assert later.traced is not None
    asked = later.traced.stored.report.question
    assert [one.not_read for one in asked.items] == [(("embedded_object", 1),), (("embedded_object", 3),)]
    assert asked.not_read == (("embedded_object", 4),)


def test_kinds_of_parts_in_words() -> None:
    assert not_read(()) == ()
    assert parts_not_read((("encrypted_part", 1), ("image", 2))) == "1 encrypted part, 2 images that were not read"
    assert parts_not_read((("macros", 1),)) == "1 macros, not read"
