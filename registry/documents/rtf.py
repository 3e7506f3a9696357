"""Rich text (RTF 1.9.1): what a reader is shown, then what stands beside it. There is no copy of one."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from registry.documents.archive import ReadOnly
from registry.documents.limits import MAX_TEXT_CHARACTERS, MAX_XML_DEPTH
from registry.documents.model import Canvas, Unread
from registry.domain.errors import UnreadableDocument

HEAD = b"{\\rtf"
_TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?[0-9]{1,10})?\x20?|\\'(?P<byte>[0-9A-Fa-f]{2})|\\(?P<sign>[^A-Za-z])"
    r"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\"
)
# Tables of fonts, colours and styles, and data of programs: nobody is shown any of it.
_SKIPPED_WORDS = """
fonttbl colortbl stylesheet listtable listoverridetable rsidtbl themedata colorschememapping latentstyles datastore
generator xmlnstbl mmathPr panose pgptbl filetbl blipuid wgrffmtfilter
"""
_SKIPPED = frozenset(_SKIPPED_WORDS.split())
_OBJECTS = {"pict": "image", "objdata": "embedded_object"}
# Text of its own, which no sentence goes through.
_BESIDE_WORDS = """
footnote annotation header headerl headerr headerf footer footerl footerr footerf info title subject author keywords
comment doccomm company manager operator hlinkbase shptxt fldinst bkmkstart bkmkend atnid atnauthor
"""
_BESIDE = frozenset(_BESIDE_WORDS.split())
_SHOWN = {
    **dict.fromkeys(("par", "line", "sect", "page", "row", "nestrow"), "\n"),
    **dict.fromkeys(("tab", "cell", "nestcell"), "\t"),
    "emdash": "\u2014",
    "endash": "\u2013",
    "lquote": "\u2018",
    "rquote": "\u2019",
    "bullet": "\u2022",
    "ldblquote": "\u201c",
    "rdblquote": "\u201d",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
}
_SIGNS = {"~": " ", "_": "-", "-": "", "\\": "\\", "{": "{", "}": "}", "\n": "\n", "\r": "\n", "\t": "\t"}


@dataclass(slots=True)
class _Group:
    """What holds within one pair of braces; ``aside`` counts which text of its own it is, 0 for the page."""

    aside: int = 0
    is_skipped: bool = False
    is_starred: bool = False
    wide: int = 1  # characters that follow one written by number, for readers that know none


def read_rtf(content: bytes) -> ReadOnly:
    """Read a rich text.

    Raises:
        UnreadableDocument: it is beyond a limit.
    """
    reader = _Reader(content.decode("latin-1"))
    reader.read()
    canvas = Canvas()
    canvas.at((("part", "body"),))
    canvas.gap(reader.pages[0].text() + "\n")
    canvas.at((("part", "beside"),))
    canvas.gap("\n".join(page.text() for page in reader.pages[1:]))
    return ReadOnly(canvas, [Unread(what, (), may_hide=True) for what in sorted(reader.unread)], content)


class _Page:
    """A text that grows; bytes wait until a whole character is there."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._bytes = bytearray()
        self._encoding = "cp1252"

    def add(self, text: str) -> None:
        self._flush()
        self._pieces.append(text)

    def byte(self, value: int, encoding: str) -> None:
        self._bytes.append(value)
        self._encoding = encoding

    def text(self) -> str:
        self._flush()
        # Characters beyond the first plane are written as two halves.
        return "".join(self._pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _flush(self) -> None:
        if self._bytes:
            self._pieces.append(self._bytes.decode(self._encoding, "replace"))
            self._bytes.clear()


class _Reader:
    def __init__(self, raw: str) -> None:
        self._raw = raw
        self.pages = [_Page()]
        self.unread: set[str] = set()
        self._groups = [_Group()]
        self._encoding = "cp1252"
        self._left_out = 0
        self._length = 0

    def read(self) -> None:
        """Read all of it."""
        position = 0
        while (token := _TOKEN.match(self._raw, position)) is not None:
            position = token.end()
            if token["word"]:
                position += self._word(token["word"], int(token["number"]) if token["number"] else None)
            elif token["brace"]:
                self._brace(token["brace"])
            elif token["byte"]:
                self._byte(int(token["byte"], 16))
            elif token["sign"] == "*":
                self._groups[-1].is_starred = True
            elif token["sign"]:
                self._show(_SIGNS.get(token["sign"], ""))
            elif token["text"]:
                self._text(token["text"])

    def _brace(self, brace: str) -> None:
        self._left_out = 0
        if brace == "{":
            if len(self._groups) > MAX_XML_DEPTH:
                raise UnreadableDocument("nested_too_deep")
            last = self._groups[-1]
            self._groups.append(_Group(last.aside, last.is_skipped, wide=last.wide))
        elif len(self._groups) > 1:
            self._groups.pop()

    def _word(self, word: str, number: int | None) -> int:
        """Take a word with its number; returns how many characters behind it are data."""
        group = self._groups[-1]
        if word == "bin":
            return max(0, number or 0)
        if word in _OBJECTS:
            self.unread.add(_OBJECTS[word])
            group.is_skipped = True
        elif word in _SKIPPED:
            group.is_skipped = True
        elif word in _BESIDE or (group.is_starred and not group.is_skipped):
            self.pages.append(_Page())
            group.aside = len(self.pages) - 1
        group.is_starred = False
        if word == "u" and number is not None:
            self._show(chr(number % 0x10000))
            self._left_out = group.wide
        elif word == "uc":
            group.wide = max(0, min(number or 0, 8))
        elif word == "ansicpg":
            self._encoding = _known(number)
        else:
            self._show(_SHOWN.get(word, ""))
        return 0

    def _byte(self, value: int) -> None:
        if self._left_out:
            self._left_out -= 1
        elif not self._groups[-1].is_skipped:
            self._page().byte(value, self._encoding)

    def _text(self, text: str) -> None:
        left_out, self._left_out = min(self._left_out, len(text)), max(0, self._left_out - len(text))
        for one in re.findall(r"[\x00-\x7f]+|[^\x00-\x7f]+", text[left_out:]):
            if one.isascii():
                self._show(one)
            else:
                for character in one:
                    self._byte(ord(character))

    def _show(self, text: str) -> None:
        if text and not self._groups[-1].is_skipped:
            self._length += len(text)
            if self._length > MAX_TEXT_CHARACTERS:
                raise UnreadableDocument("too_large")
            self._page().add(text.replace("\0", ""))

    def _page(self) -> _Page:
        return self.pages[self._groups[-1].aside]


def _known(number: int | None) -> str:
    try:
        return codecs.lookup(f"cp{number}").name
    except LookupError:
        return "cp1252"
