"""Reading submitted forms: bounded, strict UTF-8, in memory. An upload is never written to a temporary file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from registry.console.errors import Refusal

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELDS = 100
_URLENCODED = b"application/x-www-form-urlencoded"
_MULTIPART = b"multipart/form-data"


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file: the name that the browser gave, for its ending only, and the content."""

    name: str = field(default="", repr=False)
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """A submitted form, with line feeds as line ends."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    uploads: Mapping[str, Upload] = field(default_factory=dict, repr=False)

    def text(self, name: str) -> str:
        """Return a field's text without white space at its ends, empty when it was not sent."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """Return a field's text as it was entered."""
        return self.texts(name)[0] if self.texts(name) else ""

    def texts(self, name: str) -> Sequence[str]:
        """Return all texts of a field: checked boxes."""
        return self.fields.get(name, ())

    def upload(self, name: str) -> Upload:
        """Return an uploaded file, an empty one when none was chosen."""
        return self.uploads.get(name, Upload())


def read_form(content_type: str, body: bytes) -> Form:
    """Read a form.

    Raises:
        Refusal: another content type, text that is not UTF-8, or a body that is no form.
    """
    kind, options = parse_options_header(content_type)
    if kind == _URLENCODED:
        return _form(_urlencoded(body), {})
    if kind == _MULTIPART and options.get(b"boundary"):
        parts = _Parts()
        parts.read(options[b"boundary"], body)
        return _form(parts.fields, parts.uploads)
    raise Refusal(415, "form_type")


def _form(pairs: Sequence[tuple[str, str]], uploads: Mapping[str, Upload]) -> Form:
    fields: dict[str, list[str]] = {}
    for name, text in pairs:
        # Browsers send CRLF for every line end of a text box; offsets and digests are of the text as pasted.
        fields.setdefault(name, []).append(text.replace("\r\n", "\n"))
    return Form(fields, uploads)


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refusal(400, "not_a_form") from None


class _Parts:
    """Collects the parts of a multipart body."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.uploads: dict[str, Upload] = {}
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._content = bytearray()

    def read(self, boundary: bytes, body: bytes) -> None:
        """Parse the whole body.

        Raises:
            Refusal: it does not parse.
        """
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header,
            "on_header_value": self._on_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }
        try:
            parser = MultipartParser(boundary, callbacks)
            parser.write(body)
            parser.finalize()
        except (FormParserError, UnicodeDecodeError):
            raise Refusal(400, "not_a_form") from None

    def _begin(self) -> None:
        if len(self.fields) + len(self.uploads) >= MAX_FIELDS:
            raise Refusal(400, "not_a_form")
        self._disposition = b""
        self._content = bytearray()

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode()
        if b"filename" in options:
            self.uploads[name] = Upload(options[b"filename"].decode(), bytes(self._content))
        else:
            self.fields.append((name, self._content.decode()))
