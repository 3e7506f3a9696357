from __future__ import annotations

import pytest

from registry.console.errors import Refusal
from registry.console.forms import MAX_FIELDS, Form, read_form

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xx"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--xx\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--xx--\r\n"


def refused(content_type: str, body: bytes) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        read_form(content_type, body)
    return caught.value.status, caught.value.code


def test_fields_come_back_with_line_feeds_and_text_without_outer_space() -> None:
    form = read_form(URLENCODED, b"name=+Zo%C3%AB+&many=1&many=2&empty=&lines=a%0D%0Ab%0A")
    assert (form.text("name"), form.raw("name")) == ("Zoë", " Zoë ")
    assert form.texts("many") == ["1", "2"]
    assert (form.text("empty"), form.text("absent"), list(form.texts("absent"))) == ("", "", [])
    assert form.raw("lines") == "a\nb\n"


def test_a_charset_in_the_type_is_let_through() -> None:
    assert read_form(f"{URLENCODED}; charset=UTF-8", b"a=1").text("a") == "1"


def test_parts_and_a_file_come_back() -> None:
    form = read_form(MULTIPART, multipart(part("text", "ä\r\nb".encode()), part("file", b"\x00\xff\r\n", "p.txt")))
    assert form.raw("text") == "ä\nb"
    assert (form.upload("file").name, form.upload("file").content) == ("p.txt", b"\x00\xff\r\n")
    assert (form.upload("other").name, form.upload("other").content) == ("", b"")


@pytest.mark.parametrize(
    ("content_type", "body", "answer"),
    [
        ("", b"a=1", (415, "form_type")),
        ("text/plain", b"a=1", (415, "form_type")),
        ("application/json", b"{}", (415, "form_type")),
        ("multipart/form-data", b"", (415, "form_type")),
        (URLENCODED, b"a=%ff", (400, "not_a_form")),
        (URLENCODED, "a=ä".encode(), (400, "not_a_form")),
        (URLENCODED, b"&".join([b"a=1"] * (MAX_FIELDS + 1)), (400, "not_a_form")),
        (MULTIPART, multipart(part("text", b"\xff")), (400, "not_a_form")),
        (MULTIPART, b"no boundary at all", (400, "not_a_form")),
        (MULTIPART, multipart(*[part("text", b"1")] * (MAX_FIELDS + 1)), (400, "not_a_form")),
        (MULTIPART, b"--xx\r\n" + b"A" * 100_000 + b": 1\r\n\r\n1\r\n--xx--\r\n", (400, "not_a_form")),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, body: bytes, answer: tuple[int, str]) -> None:
    assert refused(content_type, body) == answer


def test_a_form_cut_short_gives_no_field_that_was_cut() -> None:
    whole = multipart(part("first", b"1"), part("second", b"22222"))
    assert dict(read_form(MULTIPART, whole[:-20]).fields) in ({"first": ["1"]}, {})


def test_nothing_submitted_is_in_a_repr() -> None:
    form = read_form(MULTIPART, multipart(part("text", b"a secret"), part("file", b"a secret", "a secret.txt")))
    assert "secret" not in repr(form)
    assert "secret" not in repr(form.upload("file"))
    assert repr(Form()) == "Form()"
