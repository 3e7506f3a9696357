"""Heads and chunks: what could be read in two ways is refused, and what never ends is bounded."""

from __future__ import annotations

import pytest

from registry.api.heads import MAX_SILENT_BYTES, Chunks, Malformed, read_head

HOST = b"Host: registry.example"


def head(*lines: bytes, first: bytes = b"POST /v1/disclosures?a=b HTTP/1.1") -> bytes:
    return b"\r\n".join([first, *lines, b"", b""])


def test_a_head_is_read() -> None:
    read, chunks = read_head(head(HOST, b"X-One: \t a b \t ", b"Content-Length: 12", b"Expect: 100-Continue"))
    assert chunks is None
    assert (read.method, read.target, read.version, read.length) == ("POST", b"/v1/disclosures?a=b", "1.1", 12)
    assert read.fields[:2] == [(b"host", b"registry.example"), (b"x-one", b"a b")]
    assert read.is_kept_alive
    assert read.expects_continue
    assert not read_head(head(HOST, b"Connection: close"))[0].is_kept_alive
    assert not read_head(head(first=b"GET / HTTP/1.0"))[0].is_kept_alive
    assert read_head(head(HOST, b"Connection: keep-alive", first=b"GET / HTTP/1.0"))[0].is_kept_alive
    assert not read_head(head(HOST, b"Expect: 100-continue", first=b"POST / HTTP/1.0"))[0].expects_continue


@pytest.mark.parametrize(
    "raw",
    [
        head(),
        head(HOST, HOST),
        head(HOST, HOST, first=b"GET / HTTP/1.0"),
        head(HOST, first=b"GET / HTTP/2.0"),
        head(HOST, first=b"GET / HTTP/0.9"),
        head(HOST, first=b"GET /"),
        head(HOST, first=b"NOBODY / HTTP/1.1"),
        head(HOST, first=b"GET /\xc3\xa4 HTTP/1.1"),
        head(HOST, first=b"GET /a#b HTTP/1.1"),
        head(HOST, first=b"GET  / HTTP/1.1"),
        head(HOST, first=b"GET /  HTTP/1.1"),
        head(HOST, first=b"GET / HTTP/1.1 "),
        head(HOST, first=b"GET / http/1.1"),
        head(HOST, first=b"GET / RTSP/1.0"),
        head(HOST, first=b"OPTIONS / RTSP/1.1"),
        head(HOST, first=b"SOURCE / ICE/1.0"),
        head(HOST, first=b"GET * HTTP/1.1"),
        head(HOST, first=b"CONNECT registry.example:80 HTTP/1.1"),
        head(HOST, first=b"CONNECT / HTTP/1.1"),
        head(first=b"GET http://registry.example/ HTTP/1.1"),
        head(HOST, HOST, first=b"GET http://registry.example/ HTTP/1.1"),
        head(HOST, first=b"GET http:///readyz HTTP/1.1"),
        head(HOST, first=b"GET http://:80/readyz HTTP/1.1"),
        head(HOST, first=b"GET http://a@registry.example/ HTTP/1.1"),
        head(HOST, first=b"GET http://a:b@registry.example/ HTTP/1.1"),
        head(HOST, first=b"GET http://registry.example:80a/ HTTP/1.1"),
        head(HOST, first=b"GET http://registry.example\\@b/ HTTP/1.1"),
        head(HOST, first=b"GET http://registry.example/#a HTTP/1.1"),
        head(HOST, first=b"GET ftp://registry.example/ HTTP/1.1"),
        head(b"Host: a b"),
        head(b"Host: a, b"),
        head(b"Host: a/b"),
        head(b"Host: a@b"),
        head(b"Host: [::1"),
        head(b"Host: a:b:c"),
        head(b"Host: \xff"),
        head(HOST, b"Content-Length: 3", b"Content-Length: 3"),
        head(HOST, b"Content-Length: 3, 3"),
        head(HOST, b"Content-Length: +3"),
        head(HOST, b"Content-Length: 0x3"),
        head(HOST, b"Content-Length:"),
        head(HOST, b"Content-Length: " + b"9" * 19),
        head(HOST, b"Content-Length: 3", b"Transfer-Encoding: chunked"),
        head(HOST, b"Transfer-Encoding: chunked", b"Content-Length: 3"),
        head(HOST, b"Transfer-Encoding: gzip, chunked"),
        head(HOST, b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        head(HOST, b"Transfer-Encoding: identity"),
        head(HOST, b"Transfer-Encoding: xchunked"),
        head(b"Transfer-Encoding: chunked", first=b"POST / HTTP/1.0"),
        head(HOST, b"Transfer-Encoding: chunked", b"Upgrade: h2c", b"Connection: upgrade"),
        head(HOST, b"X: a\r\n b"),
        head(HOST, b"X : a"),
        head(HOST, b" X: a"),
        head(HOST, b": a"),
        head(HOST, b"X: a\0b"),
        head(HOST, b"X: a\rb"),
        head(HOST, b"X: a\nY: b"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    ],
)
def test_what_is_no_http_or_has_two_meanings_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read_head(raw)


@pytest.mark.parametrize(
    ("target", "host", "seen"),
    [
        (b"http://registry.example/readyz", b"registry.example", b"/readyz"),
        (b"HTTPS://Registry.Example:8443/readyz?a=//b", b"Registry.Example:8443", b"/readyz?a=//b"),
        (b"http://[::1]:80?a", b"[::1]:80", b"/?a"),
        (b"http://10.0.0.1", b"10.0.0.1", b"/"),
    ],
)
def test_a_whole_address_is_a_path_and_its_own_host(target: bytes, host: bytes, seen: bytes) -> None:
    first = b"GET %b HTTP/1.1" % target
    for other in (b"Host: localhost", b"Host: " + host, b"Host:"):  # RFC 9112, section 3.2.2: whatever it says
        read, _ = read_head(head(b"X: 1", other, first=first))
        assert read.target == seen
        assert [value for name, value in read.fields if name == b"host"] == [host]
    old, _ = read_head(head(first=first.replace(b"1.1", b"1.0")))
    assert old.fields == [(b"host", host)]


def test_what_is_asked_of_the_server_itself_has_two_forms() -> None:
    for target in (b"*", b"http://registry.example"):
        assert read_head(head(HOST, first=b"OPTIONS %b HTTP/1.1" % target))[0].target == b"*"


@pytest.mark.parametrize("host", [b"", b"a_b", b"registry.example:8443", b"[::1]:80", b"127.0.0.1:", b"a~b-c"])
def test_a_host_is_a_name_or_an_address(host: bytes) -> None:
    assert read_head(head(b"Host: " + host))[0].fields == [(b"host", host)]


def test_who_would_like_another_protocol_is_answered_in_this_one() -> None:
    read, _ = read_head(head(HOST, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"Content-Length: 7"))
    assert read.length == 7


def chunked(first: bytes = b"") -> tuple[Chunks, bytes]:
    _, chunks = read_head(head(HOST, b"Transfer-Encoding: chunked"))
    assert chunks is not None
    return chunks, chunks.read(first)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_chunks_are_read_however_they_are_cut(size: int) -> None:
    chunks, body = chunked()
    raw = b"3;note=x\r\nabc\r\n1\r\n\n\r\n0\r\nAuthorization: no\r\n\r\n"
    for place in range(0, len(raw), size):
        assert not chunks.is_whole
        body += chunks.read(raw[place : place + size])
    assert (body, chunks.is_whole, chunks.is_overrun) == (b"abc\n", True, False)


@pytest.mark.parametrize("behind", [b"GET / HTTP/1.1\r\n", b"G", b"5\r\nhello\r\n", b"\0", b"G" * 20_000])
def test_nothing_behind_the_last_chunk_is_read(behind: bytes) -> None:
    for size, whole in ((b"3\r\nabc\r\n", b"abc"), (b"", b"")):
        chunks, body = chunked(size + b"0\r\n\r\n" + behind)
        assert (body, chunks.is_whole, chunks.is_overrun) == (whole, True, True)


@pytest.mark.parametrize("raw", [b"z\r\n", b"-1\r\nab\r\n", b"3\r\nabcd\r\n", b"3\nabc\n", b"1" * 17 + b"\r\n"])
def test_what_are_no_chunks_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        chunked(raw)


@pytest.mark.parametrize("begin", [b"3;", b"0\r\nX: ", b"0\r\n"])
def test_what_lies_between_chunks_is_bounded(begin: bytes) -> None:
    chunks, _ = chunked(begin)
    line = b"X: a\r\n" if begin.endswith(b"\n") else b"aaaaaa"
    for _ in range(MAX_SILENT_BYTES // len(line) - 1):
        chunks.read(line)
    with pytest.raises(Malformed):
        chunks.read(line * 2)


def test_trailers_are_no_headers() -> None:
    read, chunks = read_head(head(HOST, b"Transfer-Encoding: chunked"))
    assert chunks is not None
    before = list(read.fields)
    chunks.read(b"0\r\nAuthorization: Bearer x\r\n\r\n")
    assert read.fields == before
