"""Documents made by hand, part by part: made-up people, and values where programs put them and nobody looks."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

SSN = "900-12-3456"
PHONE = "816-555-0123"
NAME = "Dana Example"
STREET = "1234 Example Rd"

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>{}</Types>'
)
_RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def paragraph(*runs: str) -> str:
    return "<w:p>" + "".join(f'<w:r><w:t xml:space="preserve">{run}</w:t></w:r>' for run in runs) + "</w:p>"


def docx(body: str, **more: str | bytes) -> bytes:
    """Word's package; ``more`` are members by name, a dot for ``__`` and a slash for ``_0_``."""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": _TYPES.format(""),
        "_rels/.rels": _RELS.format(
            f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
        ),
        "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>",
    }
    return zipped(parts | {_name(key): value for key, value in more.items()})


def in_word(tag: str, inside: str) -> str:
    return f"<w:{tag} {_W}>{inside}</w:{tag}>"


def xlsx(sheets: Sequence[str], strings: Sequence[str] = (), **more: str | bytes) -> bytes:
    """A workbook; ``sheets`` are the rows of each, the second one hidden."""
    states = ("", ' state="hidden"', ' state="veryHidden"')
    listed = "".join(
        f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"{states[min(n - 1, 2)]}/>' for n in range(1, len(sheets) + 1)
    )
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": _TYPES.format(""),
        "_rels/.rels": _RELS.format(
            f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        ),
        "xl/workbook.xml": f"<workbook {_S}><sheets>{listed}</sheets></workbook>",
        "xl/sharedStrings.xml": f"<sst {_S}>" + "".join(f"<si><t>{one}</t></si>" for one in strings) + "</sst>",
    }
    for number, rows in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = f"<worksheet {_S}><sheetData>{rows}</sheetData></worksheet>"
    return zipped(parts | {_name(key): value for key, value in more.items()})


def in_sheet(tag: str, inside: str) -> str:
    return f"<{tag} {_S}>{inside}</{tag}>"


def _name(key: str) -> str:
    return key.replace("_0_", "/").replace("__", ".")


def pdf(*contents: str, objects: Sequence[bytes] = (), page: str = "", catalog: str = "", trailer: str = "") -> bytes:
    """A PDF with one page a content, in Helvetica; ``objects`` are numbered from 20 on."""
    fonts = b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>>>>>"
    kids = " ".join(f"{100 + 2 * number} 0 R" for number in range(len(contents)))
    numbered = {
        1: f"<</Type/Catalog/Pages 2 0 R{catalog}>>".encode(),
        2: f"<</Type/Pages/Count {len(contents)}/Kids[{kids}]/MediaBox[0 0 612 792]>>".encode(),
        3: fonts,
    }
    for number, content in enumerate(contents):
        at = 100 + 2 * number
        numbered[at] = f"<</Type/Page/Parent 2 0 R/Resources 3 0 R/Contents {at + 1} 0 R{page}>>".encode()
        numbered[at + 1] = stream(content.encode("latin-1"))
    numbered |= dict(enumerate(objects, 20))
    written = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, content in numbered.items():
        places[number] = len(written)
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start, size = len(written), max(numbered) + 1
    written += b"xref\n0 %d\n" % size
    for number in range(size):
        written += b"%010d %05d %s \n" % ((places[number], 0, b"n") if number in places else (0, 65535, b"f"))
    written += f"trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(written)


def stream(content: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(content)
    return b"<</Filter/FlateDecode/Length %d%s>>\nstream\n%s\nendstream" % (len(packed), more, packed)


def line(text: str, y: int = 700) -> str:
    return f"BT /F1 12 Tf 72 {y} Td ({text}) Tj ET"


def mail(body: str, *, subject: str = "Hello", attached: Sequence[tuple[str, str, bytes]] = ()) -> bytes:
    head = f"From: clerk@city.example\r\nTo: all@city.example\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
    if not attached:
        return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n".encode()
    parts = [f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}"]
    for name, media_type, content in attached:
        coded = base64.b64encode(content).decode()
        disposition = f'Content-Disposition: attachment; filename="{name}"'
        parts.append(f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n{disposition}\r\n\r\n{coded}")
    joined = "".join(f"--XX\r\n{part}\r\n" for part in parts)
    return f'{head}Content-Type: multipart/mixed; boundary="XX"\r\n\r\n{joined}--XX--\r\n'.encode()


def unpacked(content: bytes) -> bytes:
    """All bytes of a file, those of packed members and streams too, without blanks and in small letters."""
    found = [content]
    if content.startswith(b"PK"):
        found += members(content).values()
    position = 0
    while (position := content.find(b"stream\n", position)) >= 0:
        position += len(b"stream\n")
        try:
            found.append(zlib.decompressobj().decompress(content[position:]))
        except zlib.error:
            continue
    for line_ in content.split(b"\r\n\r\n"):
        try:
            found.append(base64.b64decode(b"".join(line_.partition(b"\r\n--")[0].split()), validate=True))
        except ValueError:
            continue
    return b"".join(b"\n".join(found).split()).lower()


def holds(content: bytes, value: str) -> bool:
    """Whether a value stands in a file in any way that can be searched for: as text, in UTF-16, in hexadecimal."""
    plain = "".join(value.split()).lower()
    everything = unpacked(content)
    ways = (
        plain.encode(),
        plain.encode("utf-16-le"),
        plain.encode("utf-16-be"),
        value.encode("latin-1").hex().encode(),
    )
    return any(way.lower() in everything for way in ways)
