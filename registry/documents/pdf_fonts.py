"""Fonts of PDF pages: which characters their codes stand for, and how wide each is. Source: ISO 32000-1, 9.6-9.10."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pypdf._codecs import adobe_glyphs, charset_encoding  # the tables of the PDF standard; the release is pinned
from pypdf._codecs.core_font_metrics import CORE_FONT_METRICS
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from registry.documents.pdf_cmap import CodeMap, read_map

_SYMBOLIC = 4
_UNI = re.compile(r"uni([0-9A-F]{4})+|u[0-9A-F]{4,6}")
_MOST_DRAWN = 512  # glyphs of one font
# Operators that show texts, images and forms.
_SHOWS = re.compile(rb"(?:^|[\s\])>])(?:Tj|TJ|Do|'|\")(?:\s|$)")
_USUAL_WIDTH = 500.0  # thousandths, where a font says nothing
_WIDE = 1000.0
_MOST_WIDTHS = 70_000
# Names of character maps that are encodings of texts: what they begin with, and Python's name.
_ENCODINGS = (
    ("UniGB-UTF16", "utf-16-be"),
    ("UniCNS-UTF16", "utf-16-be"),
    ("UniJIS-UTF16", "utf-16-be"),
    ("UniKS-UTF16", "utf-16-be"),
    ("UniGB-UCS2", "utf-16-be"),
    ("UniCNS-UCS2", "utf-16-be"),
    ("UniJIS-UCS2", "utf-16-be"),
    ("UniKS-UCS2", "utf-16-be"),
    ("GBK", "gbk"),
    ("GB-EUC", "gb2312"),
    ("B5", "big5"),
    ("ETen-B5", "big5"),
    ("90ms", "cp932"),
    ("90pv", "cp932"),
    ("EUC-", "euc_jp"),
    ("KSC-EUC", "euc_kr"),
    ("KSCms", "cp949"),
)
# Letters and digits that look like what no text is made of: a font's own signs.
_SIGNS = frozenset({"Symbol", "ZapfDingbats"})


class Glyph(NamedTuple):
    """One code of a string: how many bytes it has, its text ("" when unknown), its width in thousandths of the size."""

    size: int
    text: str
    width: float
    is_space: bool  # the single-byte code 32, which word spacing widens


class PdfFont:
    """One font."""

    def __init__(self, font: DictionaryObject, data_of: Callable[[StreamObject], bytes]) -> None:
        """Read it; ``data_of`` unpacks a stream, within the document's limits.

        Attributes set:
            is_sure: whether its codes are known to stand for what they are read as.
        """
        self._is_composite = _get(font, "/Subtype") == "/Type0"
        self._name = str(_get(font, "/BaseFont") or "").lstrip("/").rpartition("+")[2]
        self._data_of = data_of
        self._map = self._to_unicode(font)
        self._codec, self._default = "", _USUAL_WIDTH
        self._widths: dict[int, float] = {}
        self._encoding: Mapping[int, str] = {}
        if self._is_composite:
            self._read_composite(font)
        else:
            self._read_simple(font)

    def glyphs(self, content: bytes) -> Iterator[Glyph]:
        """Cut a string into its codes."""
        position = 0
        while position < len(content):
            size = self._size(content, position)
            code = int.from_bytes(content[position : position + size], "big")
            text = self._text(size, code, content[position : position + size])
            width = self._widths.get(code, self._default)
            yield Glyph(size, text, width, size == 1 and code == ord(" "))
            position += size

    def _size(self, content: bytes, position: int) -> int:
        if not self._is_composite:
            return 1
        size = 0
        if self._codec and self._codec != "utf-16-be":
            size = 1 if content[position] < 0x80 else 2
        elif self._own is not None:
            size = self._own.length_at(content, position)
        elif self._map is not None and not self._is_identity:
            size = self._map.length_at(content, position)
        return min(size or 2, len(content) - position)

    def _text(self, size: int, code: int, raw: bytes) -> str:
        if self._map is not None and (text := self._map.characters.get((size, code))) is not None:
            return text
        if self._codec:
            return raw.decode(self._codec, "replace")
        if self._is_composite:
            return ""
        return self._encoding.get(code, "")

    def _read_simple(self, font: DictionaryObject) -> None:
        self._own: CodeMap | None = None
        self._is_identity = False
        first = int(_number(_get(font, "/FirstChar")))
        widths = _get(font, "/Widths")
        if isinstance(widths, ArrayObject):
            self._widths = {first + at: _number(width.get_object()) for at, width in enumerate(widths[:256])}
        descriptor = _get(font, "/FontDescriptor")
        flags, is_embedded = 0, False
        if isinstance(descriptor, DictionaryObject):
            flags = int(_number(_get(descriptor, "/Flags")))
            self._default = _number(_get(descriptor, "/MissingWidth"))
            is_embedded = any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))
        self._encoding, is_named = _encoding_of(font, self._name)
        if not self._widths:
            self._widths = self._core_widths()
            self._default = self._default or _USUAL_WIDTH
        if _get(font, "/Subtype") == "/Type3":
            matrix = _get(font, "/FontMatrix")
            scale = _number(matrix[0].get_object()) * 1000 if isinstance(matrix, ArrayObject) and matrix else 1.0
            self._widths = {code: width * scale for code, width in self._widths.items()}
            self.is_sure = (self._map is not None or is_named) and not self._draws_texts(font)
        else:
            self.is_sure = self._map is not None or is_named or not (is_embedded and flags & _SYMBOLIC)

    def _draws_texts(self, font: DictionaryObject) -> bool:
        """Whether glyphs of a font that is drawn are drawn with others, or with images: they may show anything."""
        glyphs = _get(font, "/CharProcs")
        items = list(glyphs.values())[:_MOST_DRAWN] if isinstance(glyphs, DictionaryObject) else []
        streams = (one for item in items if isinstance(one := item.get_object(), StreamObject))
        return any(_SHOWS.search(self._data_of(stream)) for stream in streams)

    def _core_widths(self) -> dict[int, float]:
        metrics = CORE_FONT_METRICS.get(_core_name(self._name))
        if metrics is None:
            return {}
        return {code: float(metrics.character_widths.get(text, _USUAL_WIDTH)) for code, text in self._encoding.items()}

    def _read_composite(self, font: DictionaryObject) -> None:
        encoding = _get(font, "/Encoding")
        self._own = read_map(self._data_of(encoding)) if isinstance(encoding, StreamObject) else None
        name = "" if isinstance(encoding, StreamObject) else str(encoding or "").lstrip("/")
        self._is_identity = name.startswith("Identity")
        self._codec = next((codec for begin, codec in _ENCODINGS if name.startswith(begin)), "")
        self.is_sure = self._map is not None or bool(self._codec)
        self._default = _WIDE
        descendants = _get(font, "/DescendantFonts")
        child = descendants[0].get_object() if isinstance(descendants, ArrayObject) and descendants else None
        if isinstance(child, DictionaryObject):
            if "/DW" in child:
                self._default = _number(_get(child, "/DW"))
            self._widths = _wide_widths(_get(child, "/W"))

    def _to_unicode(self, font: DictionaryObject) -> CodeMap | None:
        stream = _get(font, "/ToUnicode")
        if not isinstance(stream, StreamObject):
            return None
        codes = read_map(self._data_of(stream))
        return codes if codes.characters else None


def _core_name(name: str) -> str:
    plain = {
        "Arial": "Helvetica",
        "CourierNew": "Courier",
        "TimesNewRoman": "Times-Roman",
        "TimesNewRomanPS": "Times-Roman",
    }
    base, _, style = name.replace(",", "-").replace("MT", "").partition("-")
    base = plain.get(base, base)
    style = style.replace("Italic", "Oblique") if base in {"Helvetica", "Courier"} else style
    named = f"{base.replace('-Roman', '') if style else base}-{style}".strip("-")
    return named if named in CORE_FONT_METRICS else base


def _encoding_of(font: DictionaryObject, name: str) -> tuple[dict[int, str], bool]:
    """Return what codes stand for, and whether the font says so itself."""
    encoding = _get(font, "/Encoding")
    base: Any = encoding
    differences: Any = None
    if isinstance(encoding, DictionaryObject):
        base, differences = _get(encoding, "/BaseEncoding"), _get(encoding, "/Differences")
    own = f"/{name}" if name in _SIGNS else "/StandardEncoding"
    table = charset_encoding.get(str(base), charset_encoding[own])
    codes = {code: text for code, text in enumerate(table) if text}
    is_named = str(base) in charset_encoding or name in _SIGNS or name in CORE_FONT_METRICS
    if isinstance(differences, ArrayObject):
        at, known, unknown = 0, 0, 0
        for item in differences:
            value = item.get_object()
            if isinstance(value, int | float):
                at = int(value)
                continue
            text = _named(str(value))
            known, unknown = known + bool(text), unknown + (not text)
            codes[at] = text
            at += 1
        is_named = known > 0 and unknown == 0 if known or unknown else is_named
    return codes, is_named


def _named(name: str) -> str:
    """Return what a glyph's name says."""
    text = adobe_glyphs.get(name)
    if text is not None:
        return text
    plain = name.lstrip("/").partition(".")[0]
    if _UNI.fullmatch(plain):
        digits = plain[3:] if plain.startswith("uni") else plain[1:]
        step = 4 if plain.startswith("uni") else len(digits)
        codes = [int(digits[at : at + step], 16) for at in range(0, len(digits), step)]
        return "".join(chr(code) for code in codes if code <= 0x10FFFF)
    parts = [adobe_glyphs.get(f"/{part}", "") for part in plain.split("_")]
    return "".join(parts) if all(parts) else ""


def _wide_widths(array: Any) -> dict[int, float]:
    widths: dict[int, float] = {}
    if not isinstance(array, ArrayObject):
        return widths
    items = [item.get_object() for item in array[:_MOST_WIDTHS]]
    position = 0
    while position + 1 < len(items) and len(widths) < _MOST_WIDTHS:
        first, second = int(_number(items[position])), items[position + 1]
        if isinstance(second, ArrayObject):
            widths |= {first + at: _number(width.get_object()) for at, width in enumerate(second)}
            position += 2
        elif position + 2 < len(items):
            last, width = min(int(_number(second)), first + _MOST_WIDTHS), _number(items[position + 2])
            widths |= dict.fromkeys(range(first, last + 1), width)
            position += 3
        else:
            break
    return widths


def _get(dictionary: DictionaryObject, key: str) -> Any:
    value = dictionary.get(key)
    return None if value is None else value.get_object()


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
