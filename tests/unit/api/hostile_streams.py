"""What clients send to be read in two ways, and what comes of it.

Each stream is for ``/a`` and, where it is meant to be one, for ``/next``. Whatever is in a body looks like a request
for ``/marker``, which no reader may ever take for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MARKER = b"GET /marker HTTP/1.1\r\nHost: a\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
_SIZE = b"Content-Length: %d" % len(MARKER)
_CHUNK = b"%x\r\n%b\r\n" % (len(MARKER), MARKER)
_CHUNKED = b"Transfer-Encoding: chunked"
_LAST = b"0\r\n\r\n"


@dataclass(frozen=True)
class Stream:
    """One stream.

    Attributes:
        raw: what is sent.
        statuses: of the answers to it, in order.
        is_closed: whether it is the connection's last one.
        cut: statuses and whether it is the last one, when it comes byte by byte, where that differs.
    """

    raw: bytes
    statuses: tuple[int, ...] = (400,)
    is_closed: bool = True
    cut: tuple[tuple[int, ...], bool] | None = None


def streams() -> Iterator[tuple[str, Stream]]:
    """Give all of them, with a name for each."""
    for kind, made in (
        ("two framings", _framings()),
        ("length", _lengths()),
        ("line", _lines()),
        ("chunks", _chunks()),
        ("target", _targets()),
        ("sound", _sound()),
    ):
        for number, one in enumerate(made):
            yield f"{kind} {number}", one


def _post(*lines: bytes, body: bytes = MARKER, first: bytes = b"POST /a HTTP/1.1", host: bytes = b"Host: a") -> bytes:
    return b"\r\n".join([first, host, *lines, b"", b""]) + body


def _framings() -> Iterator[Stream]:
    chunks = _CHUNK + _LAST
    for lines in (
        (_SIZE, _CHUNKED),
        (_CHUNKED, _SIZE),
        (b"Content-Length: 0", _CHUNKED),
        (_CHUNKED, _CHUNKED),
        (_CHUNKED, b"Transfer-Encoding: identity"),
        (b"Transfer-Encoding: chunked, identity",),
        (b"Transfer-Encoding: identity, chunked",),
        (b"Transfer-Encoding: chunked, chunked",),
        (b"Transfer-Encoding: gzip, chunked",),
        (b"Transfer-Encoding: xchunked",),
        (b"Transfer-Encoding: chunkedx",),
        (b"Transfer-Encoding: chunked;q=1",),
        (b'Transfer-Encoding: "chunked"',),
        (b"Transfer-Encoding: chunked,",),
        (b"Transfer-Encoding: \x0bchunked",),
        (b"Transfer-Encoding: chunked\x0b",),
        (b"Transfer-Encoding: \x00chunked",),
        (b"Transfer-Encoding:",),
        (b"Transfer-Encoding : chunked",),
        (b"Transfer-Encoding\t: chunked",),
        (b" Transfer-Encoding: chunked",),
        (b"X: a\r\n Transfer-Encoding: chunked",),
        (b"X: a\nTransfer-Encoding: chunked",),
        (b"X: a\rTransfer-Encoding: chunked",),
        (b"Transfer-Encoding:\r\n chunked",),
        (b"Transfer-Encoding: chunked\r\n , identity",),
        (_CHUNKED, b"Connection: Upgrade", b"Upgrade: h2c"),
    ):
        yield Stream(_post(*lines, body=chunks))
    yield Stream(_post(_CHUNKED, body=chunks, first=b"POST /a HTTP/1.0"))
    yield Stream(_post(b"Transfer_Encoding: chunked", _SIZE), (200,), is_closed=False)


def _lengths() -> Iterator[Stream]:
    size = b"%d" % len(MARKER)
    for value in (
        b"",
        b"+" + size,
        b"-" + size,
        b"-0",
        b"0x22",
        size + b", " + size,
        size + b",",
        size + b" " + size,
        size + b";",
        size + b".0",
        size + b"e0",
        b"1_0",
        b"\xb2",
        b"\xd9\xa3",
        b"9" * 19,
        b"%d" % (2**64 + len(MARKER)),
        b"%d" % (2**32 * 2**32),
        size + b"\r\n 0",
        size + b"\x00",
        size + b"\x0b",
    ):
        yield Stream(_post(b"Content-Length: " + value))
    yield Stream(_post(_SIZE, _SIZE))
    yield Stream(_post(_SIZE, b"Content-Length: 0"))
    yield Stream(_post(b"Content-Length: 0", _SIZE))
    yield Stream(_post(b"Content-Length : %b" % size))
    yield Stream(_post(b"Content-Length:%b" % size) + NEXT, (200, 200), is_closed=False)
    yield Stream(_post(b"CONTENT-LENGTH: \t%b \t" % size) + NEXT, (200, 200), is_closed=False)
    yield Stream(_post(b"Content-Length: 00%b" % size) + NEXT, (200, 200), is_closed=False)
    yield Stream(_post(b"Content-Length: 10000"), (), is_closed=False)
    yield Stream(_post(b"Content-Length: " + b"9" * 18), (), is_closed=False)


def _lines() -> Iterator[Stream]:
    for line in (
        b"X: a\r\n b",
        b"X: a\r\n\tb",
        b"X: a\nY: b",
        b"X: a\rY: b",
        b"X: a\r",
        b"X: a\x00b",
        b"X: a\x01b",
        b"X: a\x7fb",
        b"X\x00: a",
        b"X\x80: a",
        b"X(: a",
        b"X y: a",
        b": a",
        b"no colon",
        b"Host: a",
        b"Host: b",
    ):
        yield Stream(_post(line, _SIZE))
    for first in (
        b"POST  /a HTTP/1.1",
        b"POST /a  HTTP/1.1",
        b"POST /a HTTP/1.1 ",
        b" POST /a HTTP/1.1",
        b"POST\t/a HTTP/1.1",
        b"POST /a\tHTTP/1.1",
        b"POST /a\x0bb HTTP/1.1",
        b"POST /a",
        b"POST /a HTTP/0.9",
        b"POST /a HTTP/1.2",
        b"POST /a HTTP/2.0",
        b"POST /a HTTP/1.10",
        b"POST /a http/1.1",
        b"POST /a RTSP/1.0",
        b"post /a HTTP/1.1",
        b"POST /a HTTP/1.1\n",
        b"POST /a HTTP/1.1\r",
    ):
        yield Stream(_post(_SIZE, first=first))
    yield Stream(_post(_SIZE).replace(b"\r\n", b"\n"))
    yield Stream(_post(_SIZE).replace(b"\r\n\r\n", b"\n\n", 1))
    yield Stream(_post(_SIZE, host=b"X: a"))
    yield Stream(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + MARKER)
    yield Stream(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n" + MARKER)
    yield Stream(b"GET /a HTTP/1.1\r\nHost: a\r\nX: " + b"a" * (17 << 10) + b"\r\n\r\n", (431,))
    yield Stream(b"GET /a HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 120 + b"\r\n", (431,))


def _chunks() -> Iterator[Stream]:
    size = b"%x" % len(MARKER)
    for begin in (
        b"0x" + size,
        b"+" + size,
        b"-" + size,
        b" " + size,
        size + b" ",
        size + b"\t",
        size + b"\n",
        size + b"\r",
        size + b";a\nb",
        size + b";a\rb",
        size + b";a\x00b",
        b"",
        b"\r\n" + size,
        b"g",
        size + b"g",
        b"1" + b"0" * 16,
        b"f" * 17,
    ):
        yield Stream(_post(_CHUNKED, body=begin + b"\r\n" + MARKER + b"\r\n" + _LAST))
    for body in (
        b"5\r\nhello" + _LAST,
        b"5\r\nhello\n" + _LAST,
        b"5\r\nhello\r" + _LAST,
        b"5\r\nhello!\r\n" + _LAST,
        b"4\r\nhello\r\n" + _LAST,
        _CHUNK + b"\r\n" + _LAST,
        _CHUNK + b"0\n\n",
        _CHUNK + b"0\r\nX : a\r\n\r\n",
        _CHUNK + b"0\r\n X: a\r\n\r\n",
        _CHUNK + b"0\r\nX: a\n\r\n\r\n",
    ):
        yield Stream(_post(_CHUNKED, body=body))
    for body in (
        _CHUNK + _LAST,
        _CHUNK.replace(b"\r\n", b";a=b\r\n", 1) + _LAST,
        _CHUNK.replace(b"\r\n", b';a="b;c"\r\n', 1) + _LAST,
        b"000" + _CHUNK + b"000\r\n\r\n",
        _CHUNK + b"0\r\nX: a\r\n\r\n",
        _CHUNK + b"0\r\nAuthorization: a\r\nHost: b\r\n\r\n",
    ):
        yield Stream(_post(_CHUNKED, body=body), (200,), is_closed=False)
        # What comes with the end of chunks is not looked at; what comes behind it is the next request.
        yield Stream(_post(_CHUNKED, body=body) + NEXT, (200,), cut=((200, 200), False))
    yield Stream(_post(_CHUNKED, body=_CHUNK[:-9]), (), is_closed=False)
    yield Stream(_post(_CHUNKED, body=b"f" * 15 + b"\r\n" + MARKER), (), is_closed=False)


def _targets() -> Iterator[Stream]:
    for target in (
        b"http://user@a/a",
        b"http://user:word@a/a",
        b"http://a\\@b/a",
        b"http://a,b/a",
        b"http://a:b/a",
        b"http:///a",
        b"http:/a",
        b"http:a",
        b"ftp://a/a",
        b"a",
        b"*",
        b"/a#b",
        b"http://a/a#b",
        b"/\xc3\xa4",
        b"/a b",
        b"http://[::1/a",
    ):
        yield Stream(_post(_SIZE, first=b"POST %b HTTP/1.1" % target))
    yield Stream(_post(_SIZE, first=b"CONNECT a:80 HTTP/1.1"))
    yield Stream(_post(_SIZE, first=b"CONNECT /a HTTP/1.1"))
    for host in (b"Host: b", b"Host: a", b"Host:"):
        yield Stream(_post(_SIZE, first=b"POST http://a/a HTTP/1.1", host=host) + NEXT, (200, 200), is_closed=False)
    yield Stream(_post(_SIZE, b"Host: a", first=b"POST http://a/a HTTP/1.1"))
    yield Stream(_post(_SIZE, first=b"POST http://a/a HTTP/1.1", host=b"Host: a b"))
    yield Stream(_post(_SIZE, first=b"POST http://a/a HTTP/1.1", host=b"X: a"))


def _sound() -> Iterator[Stream]:
    yield Stream(_post(_SIZE) + NEXT, (200, 200), is_closed=False)
    yield Stream(b"\r\n\r\n" + _post(_SIZE) + b"\r\n" + NEXT, (200, 200), is_closed=False)
    yield Stream(NEXT + _post(_SIZE) + NEXT + NEXT, (200,) * 4, is_closed=False)
    for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS"):
        yield Stream(_post(_SIZE, first=method + b" /a HTTP/1.1") + NEXT, (200, 200), is_closed=False)
    for expected in (b"100-continue", b"100-Continue", b"something else"):
        yield Stream(_post(_SIZE, b"Expect: " + expected) + NEXT, (200, 200), is_closed=False)
    yield Stream(_post(_SIZE, b"Connection: Upgrade", b"Upgrade: h2c") + NEXT, (200, 200), is_closed=False)
    yield Stream(_post(_SIZE, b"Connection: Upgrade", b"Upgrade: websocket") + NEXT, (200, 200), is_closed=False)
    yield Stream(_post(_SIZE, b"Connection: close") + MARKER, (200,))
    yield Stream(_post(_SIZE, b"Connection: keep-alive, close") + MARKER, (200,))
    yield Stream(_post(_SIZE, b"Connection: keep-alive", b"Connection: CLOSE") + MARKER, (200,))
    old = b"POST /a HTTP/1.0"
    yield Stream(_post(_SIZE, first=old) + MARKER, (200,))
    yield Stream(_post(_SIZE, b"Connection: keep-alive", first=old) + NEXT, (200, 200), is_closed=False)
    yield Stream(_post(_SIZE, b"Connection: keep-alive, close", first=old) + MARKER, (200,))
    yield Stream(_post(_SIZE, first=b"POST /early HTTP/1.1"), (200,), is_closed=False, cut=((200,), True))
    yield Stream(_post(b"Content-Length: 1000", first=b"POST /early HTTP/1.1") + MARKER, (200,))
