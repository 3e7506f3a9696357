"""Heads of requests and bodies in chunks, by httptools: its parser is llhttp, the one of Node.js, in its strict mode.

A parser serves one request and is thrown away, so nothing of one request is left for the next. It is given a head when
that is whole, and of bodies only those in chunks. What two readers could understand differently is refused here.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from registry.api.targets import NoTarget, is_host, read_target

_CONTINUE = b"100-continue"
_VERSIONS = {b"HTTP/1.1": "1.1", b"HTTP/1.0": "1.0"}
# So much of a body in chunks may come without a chunk: sizes that never end, extensions, trailers.
MAX_SILENT_BYTES = 16 << 10


class Malformed(Exception):
    """It is no HTTP, or could be read in two ways."""


class _Noted:
    """What the parser tells."""

    __slots__ = ("body", "fields", "is_begun", "is_headed", "is_overrun", "is_whole")

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.is_begun = self.is_headed = self.is_whole = self.is_overrun = False

    def on_message_begin(self) -> None:
        self.is_overrun = self.is_begun
        self.is_begun = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.is_headed:  # trailers are nobody's headers
            self.fields.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self.is_headed = True

    def on_body(self, piece: bytes) -> None:
        if not self.is_overrun:
            self.body.append(piece)

    def on_message_complete(self) -> None:
        self.is_whole = True


class Head:
    """One request's head.

    Attributes:
        method: as it was sent.
        target: path and query, or ``*``.
        version: ``1.0`` or ``1.1``.
        fields: names in lower case, in order; the host that the target names in the place of ``Host``'s.
        length: of the body in bytes; None when it comes in chunks.
        is_kept_alive: whether the client wants to ask more on this connection.
        expects_continue: whether it waits for a word before it sends the body.
    """

    __slots__ = ("expects_continue", "fields", "is_kept_alive", "length", "method", "target", "version")

    def __init__(self, first: bytes, fields: list[tuple[bytes, bytes]]) -> None:
        method, target, version = _parts(first)
        names = [name for name, _ in fields]
        if b"host" in names:
            if names.count(b"host") != 1 or not is_host(fields[names.index(b"host")][1]):
                raise Malformed
        elif version != "1.0":
            raise Malformed
        try:
            self.target, host = read_target(method, target)
        except NoTarget:
            raise Malformed from None
        # RFC 9112, section 3.2.2: what the field says does not count then.
        self.fields = fields if host is None else [one for one in fields if one[0] != b"host"] + [(b"host", host)]
        self.method = method.decode("ascii")
        self.version = version
        self.length = _length(names, fields, self.version)
        self.is_kept_alive = self.version == "1.1"
        if b"connection" in names:
            wishes = _wishes(fields)
            self.is_kept_alive = b"close" not in wishes and (self.is_kept_alive or b"keep-alive" in wishes)
        # RFC 9110, section 10.1.1: a client of 1.0 knows no word before the answer.
        is_word = b"expect" in names and dict(fields)[b"expect"].lower() == _CONTINUE
        self.expects_continue = is_word and self.version == "1.1"


class Chunks:
    """A body in chunks.

    Attributes:
        is_whole: whether its end has come.
        is_overrun: whether something came behind its end, which is not read.
    """

    __slots__ = ("_noted", "_parser", "_silent", "is_overrun", "is_whole")

    def __init__(self, noted: _Noted, parser: HttpRequestParser) -> None:
        self._noted = noted
        self._parser = parser
        self._silent = 0
        self.is_whole = self.is_overrun = False

    def read(self, data: bytes) -> bytes:
        """Return what a piece adds to the body.

        Raises:
            Malformed: these are no chunks, or there is too much between them.
        """
        noted = self._noted
        noted.body = []
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            noted.is_overrun = noted.is_whole
            if not noted.is_overrun:
                raise Malformed from None
        self.is_whole, self.is_overrun = noted.is_whole, noted.is_overrun
        if noted.body or noted.is_whole:  # what comes behind the end is not between chunks
            self._silent = 0
            return b"".join(noted.body)
        self._silent += len(data)
        if self._silent > MAX_SILENT_BYTES:
            raise Malformed
        return b""


def read_head(head: bytes) -> tuple[Head, Chunks | None]:
    """Read a head, up to the empty line at its end; gives the reader of the body too, when that comes in chunks.

    Raises:
        Malformed: it is none.
    """
    noted = _Noted()
    parser = HttpRequestParser(noted)
    try:
        parser.feed_data(head)
    except HttpParserUpgrade:
        pass  # nobody is upgraded here: the request is answered as what it is
    except HttpParserError:
        raise Malformed from None
    if not noted.is_headed or noted.is_overrun:
        raise Malformed
    read = Head(head[: head.index(b"\r\n")], noted.fields)
    if read.length is not None:
        return read, None
    if parser.should_upgrade():
        raise Malformed  # the parser is done with it
    return read, Chunks(noted, parser)


def _parts(first: bytes) -> tuple[bytes, bytes, str]:
    """Return the first line's method, target and version; the parser takes more blanks than one, and RTSP for HTTP."""
    parts = first.split(b" ")
    if len(parts) != 3 or parts[2] not in _VERSIONS or not first.isascii():
        raise Malformed
    return parts[0], parts[1], _VERSIONS[parts[2]]


def _wishes(fields: list[tuple[bytes, bytes]]) -> set[bytes]:
    return {one.strip().lower() for name, value in fields if name == b"connection" for one in value.split(b",")}


def _length(names: list[bytes], fields: list[tuple[bytes, bytes]], version: str) -> int | None:
    has_length = b"content-length" in names
    if b"transfer-encoding" in names:
        given = [value for name, value in fields if name == b"transfer-encoding"]
        # The parser refuses a length beside chunks, too: here it does not rest on how strict a later one is.
        if has_length or version == "1.0" or len(given) != 1 or given[0].lower() != b"chunked":
            raise Malformed
        return None
    if not has_length:
        return 0
    given = [value for name, value in fields if name == b"content-length"]
    if len(given) != 1 or not given[0].isdigit() or len(given[0]) > 18:
        raise Malformed
    return int(given[0])
