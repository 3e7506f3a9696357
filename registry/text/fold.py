"""Folding: one plain, small-letter ASCII view of a text, with the way back to the raw code points.

What is undone: case, compatibility forms (full-width, mathematical, circled letters, keycaps), invisible format
characters, accents, look-alike letters of other scripts inside Latin words, HTML entities and tags, JSON escapes, quote
marks of forwarded mail, times of captions, numbers of lines, soft line breaks. A word wholly in another script is
transliterated instead.
"""

from __future__ import annotations

import html
import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from urllib.parse import unquote

from anyascii import anyascii

from registry.text.lookalikes import LOOKALIKES, latin_base
from registry.text.margins import LEFT_OUT, without_margins


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text and its map to the raw one.

    Attributes:
        raw: the text as given.
        text: the folded text, ASCII only.
        starts, ends: raw offsets (code points) of each folded character; empty when the map is the identity.
    """

    raw: str = field(repr=False)
    text: str = field(repr=False)
    starts: array[int] = field(repr=False)
    ends: array[int] = field(repr=False)

    @property
    def is_identity(self) -> bool:
        """Whether each folded character stands where its raw one does."""
        return not self.starts

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        """Turn a non-empty folded range into the raw range that it came from."""
        if not self.starts:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def is_upper(self, index: int) -> bool:
        """Tell whether the raw character behind a folded one is a capital (scripts without case count as such)."""
        raw = self.raw[self.starts[index] if self.starts else index]
        return raw.isupper() or (raw.isalpha() and not raw.islower())

    def folded_start(self, raw_index: int) -> int:
        """Return the first folded index at or after a raw offset."""
        if not self.starts:
            return raw_index
        return bisect_right(self.starts, raw_index - 1)

    def cut(self, start: int, end: int) -> Folded:
        """Return a folded range as a text of its own, whose offsets begin at its first character."""
        if not self.starts or start >= end:
            return Folded(self.raw[start:end], self.text[start:end], array("q"), array("q"))
        base, last = self.starts[start], self.ends[end - 1]
        starts = array("q", (place - base for place in self.starts[start:end]))
        ends = array("q", (place - base for place in self.ends[start:end]))
        return Folded(self.raw[base:last], self.text[start:end], starts, ends)


# Where anything but lower-casing may have to happen.
_MARKUP = (
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});"
    r"|</?[A-Za-z][A-Za-z0-9]{0,15}(?:\s[^<>]{0,300})?/?>"
    r"|<!--.{0,300}?-->"
    r"|\\u[0-9a-fA-F]{4}"
    r"|\\[ntr/\"']"
    r"|=\r?\n"
    r"|(?:%[0-7][0-9A-Fa-f]|%[C-F][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f])+)+"
    r"|(?<=[\w.,;])\+(?=[\w(#])(?![\w.+-]{0,64}@)"
    r"|(?<=[A-Za-z])-\r?\n[ \t\0]{0,16}(?=[a-z])"
    r"|(?<=[A-Za-z€])[@$](?=[A-Za-z€])(?![A-Za-z0-9.,-]{1,80}(?:[.,][A-Za-z]{2}|com\b|org\b|net\b|edu\b|gov\b))"
    r"|(?<=[0-9A-Za-z])[|!](?=[0-9A-Za-z])"
    r"|(?<=[A-Za-z]{3})\*(?=[a-z]{3})"
    r"|\$(?<=\d\$)(?=[0-9A-Za-z-])"
    r"|!(?<=\d[-/]!)(?=\d)"
    r"|\$(?<=\d[-./]\$)(?=\d{2}[-./]\d{4}(?!\d))|\$(?=\d{2}[-.]\d{3}[-.]\d{4}(?!\d))"
    r"|(?<![A-Za-z0-9)])\([A-Z]\)(?=[a-z]{2})"
    r"|[@&](?<=\d[@&])(?=\d)"
    r"|#(?=[A-Za-z0-9]{0,40}[a-z][A-Z])[A-Za-z0-9]{4,80}"
)
_IN_WORD = r"[\w'’\x80-\U0010ffff]"
_SPECIAL_ASCII = re.compile(_MARKUP, re.DOTALL)
# A run is tried from its first character only, so that a long one costs no more than its length.
_SPECIAL = re.compile(_MARKUP + rf"|(?<!{_IN_WORD}){_IN_WORD}*[^\x00-\x7f]{_IN_WORD}*|[^\x00-\x7f]+", re.DOTALL)
_SPECIAL_ASCII_MARGINS = re.compile(rf"{LEFT_OUT}+|{_MARKUP}", re.DOTALL)
_SPECIAL_MARGINS = re.compile(rf"{LEFT_OUT}+|{_SPECIAL.pattern}", re.DOTALL)
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
# Tags inside a word or line; every other tag parts words. Known ones lose their attributes, others keep them as text.
_INLINE = "a abbr b bdi big code del em font i ins kbd mark q s small span strike strong sub sup tt u wbr"
_BLOCK = """
article blockquote body br button center dd div dl dt footer form h1 h2 h3 h4 h5 h6 head header hr html img input label
li link main meta nav ol option p pre script section select style table tbody td th thead title tr ul
"""
INLINE_TAGS = frozenset(_INLINE.split())
_BLOCK_TAGS = frozenset(_BLOCK.split())

_PUNCTUATION = {
    **dict.fromkeys("‘’‛ʼ′`´ʹ＇՚", "'"),
    **dict.fromkeys("“”„‟″«»＂", '"'),
    **dict.fromkeys("‐‑‒–—―−﹣－⁃˗‧ー‾", "-"),
    **dict.fromkeys("⁄∕⧸╱", "/"),
    **dict.fromkeys("•●◦∙·⋅▪■×✕✖＊∗⚫🔴█▓░", "*"),
    **dict.fromkeys("。․｡", "."),
    **dict.fromkeys("、，﹐", ","),
    **dict.fromkeys("：ː∶", ":"),
    "＋": "+",
    "€": "e",
    "№": "#",
    "…": "...",
    "½": " 1/2",
    "¼": " 1/4",
    "¾": " 3/4",
    "🔟": "10",
}
_INVISIBLE = frozenset({"Cf", "Mn", "Me", "Mc"})


def fold_text(raw: str) -> Folded:
    """Fold a text. Every folded character keeps the raw range it came from."""
    barred = raw.count("|") > _MOST_BARS
    cells = _barred_lines(raw) if "|" in raw and not barred else ()
    plain = without_margins(raw)
    if plain is raw:
        special = _SPECIAL_ASCII if plain.isascii() else _SPECIAL
    else:
        special = _SPECIAL_ASCII_MARGINS if plain.isascii() else _SPECIAL_MARGINS
    if special is _SPECIAL_ASCII and not _has_special(plain):
        return Folded(raw, plain.lower(), array("q"), array("q"))
    pieces: list[str] = []
    starts, ends = array("q"), array("q")
    position = 0
    for match in special.finditer(plain):
        start, end = match.span()
        if start > position:
            _keep(plain, position, start, pieces, (starts, ends))
        if plain[start] == "|" and (barred or any(first <= start < last for first, last in cells)):  # it parts cells
            _keep(plain, start, end, pieces, (starts, ends))
            position = end
            continue
        for piece, first, last in _replace(plain, start, end):
            pieces.append(piece)
            starts.extend([first] * len(piece))
            ends.extend([last] * len(piece))
        position = end
    if position < len(plain):
        _keep(plain, position, len(plain), pieces, (starts, ends))
    return Folded(raw, "".join(pieces), starts, ends)


# The signs that a special run of ASCII begins with; a hyphen does so at the end of a line only.
_SIGN = re.compile(r"[&<\\=%+@$|!*#(]")


def _has_special(plain: str) -> bool:
    """Tell whether ``_SPECIAL_ASCII`` is found: tried only where it can begin, which is a fifth of the time."""
    if "-\n" in plain or "-\r\n" in plain:
        return _SPECIAL_ASCII.search(plain) is not None
    begins = _SPECIAL_ASCII.match
    return any(begins(plain, sign.start()) is not None for sign in _SIGN.finditer(plain))


_MOST_BARS = 8
# A field between bars that is a whole number of eight digits or more, or an address of mail: then bars part fields.
_FIELD = re.compile(r"(?:[-+#\d/.() ]{8,40}|[^\s|@]{1,64}@[^\s|@]{3,80})")


def _barred_lines(raw: str) -> list[tuple[int, int]]:
    """Return the lines whose bars part fields (``name|04/27/1961|734-12-3456``); there are few bars in the text."""
    found = []
    start = 0
    for line in raw.splitlines(keepends=True):
        end = start + len(line)
        fields = line.split("|") if line.count("|") > 1 else ()
        if any(_FIELD.fullmatch(part.strip()) and sum(map(str.isdigit, part)) >= 4 for part in fields[1:]):
            found.append((start, end))
        start = end
    return found


_GROUP = 4  # digits
_SIGNS = {"@": "a", "$": "s", "|": "l", "!": "l", "+": " "}  # inside a word; a plus as addresses of pages have it


def _keep(plain: str, start: int, end: int, pieces: list[str], maps: tuple[array[int], array[int]]) -> None:
    """Copy a run of ASCII, lower-cased, one to one."""
    pieces.append(plain[start:end].lower())
    maps[0].extend(range(start, end))
    maps[1].extend(range(start + 1, end + 1))


# Year, month and day marks of East Asian dates; in names the same characters are letters.
_DATE_MARKS = re.compile(r"(?<=[\d\s])[年月년월](?=\s?\d)|(?<=\d)[日일号](?!\d)")


def _replace(plain: str, start: int, end: int) -> list[tuple[str, int, int]]:
    """Return the folded pieces of one special run, each with its raw range."""
    run = plain[start:end]
    if run[0] == "<":
        return _tag(run, start)
    if run[0] in "=-" and run[-1] in "\n \t\0" and run.isascii():
        return []  # a word or line that goes on in the next line
    if run == "*" or run[0] == LEFT_OUT:
        return []  # a star inside a word; what is left out
    if run[0] == "#" and run.isascii():
        return _hashtag(run, start)
    if run[0] in _WHOLE and run.isascii():
        return [(_read_whole(plain, start, end), start, end)]
    run = _DATE_MARKS.sub("-", run)
    return [
        (_fold_char(char, visual), start + offset + place, start + offset + place + 1)
        for offset, word, visual in _split_run(run)
        for place, char in enumerate(word)
    ]


_WHOLE = frozenset("\\&%@$|!+(")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z][a-z])")


def _hashtag(run: str, start: int) -> list[tuple[str, int, int]]:
    """Part the words that were written as one behind a # (``#RobertFrostElementary``)."""
    humps = {hump.start() for hump in _HUMP.finditer(run)}
    return [
        (f" {char}".lower() if place in humps else char.lower(), start + place, start + place + 1)
        for place, char in enumerate(run)
    ]


def _read_whole(plain: str, start: int, end: int) -> str:
    """Read an escape, an entity, a percent code or a sign inside a word."""
    run = plain[start:end]
    if run in _EIGHTS and plain[start - 1].isdigit() and plain[end : end + 1].isdigit():
        return "8"
    if len(run) == 1:
        return _sign(plain, start)
    if run[0] == "(":
        return run[1].lower()  # (S)outh
    if run[0] == "\\":
        return _unescape(run)
    if run[0] == "%":
        return fold_word(unquote(run))
    text = html.unescape(run)
    return fold_word(text) if text != run else run.lower()


_EIGHTS = frozenset("@&")  # between digits
_WORD = 3  # letters


def _sign(plain: str, at: int) -> str:
    """Return what a sign inside a word stands for; a bar between whole groups of digits parts them."""
    if plain[at] == "$" and plain[at + 1].isdigit() and not plain[max(0, at - 1) : at].isalnum():
        return "5"  # of a number that no price is written as: 816-$55-0123
    if plain[at] == "|" and "|" in (plain[max(0, at - 2) : max(0, at - 1)], plain[at + 2 : at + 3]):
        return plain[at]  # one letter or digit between bars: 7|5|1, O|a|k
    if plain[at] not in "|!" or not (plain[at - 1].isdigit() or plain[at + 1].isdigit()):
        return _SIGNS[plain[at]]
    if plain[max(0, at - _WORD) : at].isalpha() or plain[at + 1 : at + 1 + _WORD].isalpha():
        return plain[at]  # a whole word ends or begins here: Dubois|2001
    before, after = plain[max(0, at - _GROUP) : at], plain[at + 1 : at + 1 + _GROUP]
    left = len(before) - len(before.rstrip("0123456789"))
    right = len(after) - len(after.lstrip("0123456789"))
    return "1" if left + right < _GROUP else plain[at]


def _tag(run: str, start: int) -> list[tuple[str, int, int]]:
    """Leave a tag out; one of a data format keeps its attributes, which may be values."""
    match = _TAG_NAME.match(run)
    name = match.group(1).lower() if match else ""
    if "=" in run and name and (name not in INLINE_TAGS | _BLOCK_TAGS or _says_something(run)):
        return [(fold_word(char) or " ", start + place, start + place + 1) for place, char in enumerate(run)]
    return [] if name in INLINE_TAGS else [(" ", start, start + len(run))]


# Attributes of pages that only say how something looks or is built.
_DULL = """
align async bgcolor border cellpadding cellspacing charset class color cols colspan dir disabled face for form height
id lang media method rel rows rowspan scope size src srcset style tabindex target type valign width xmlns
"""
_DULL_ATTRIBUTES = frozenset(_DULL.split())
_ATTRIBUTE_NAME = re.compile(r"([A-Za-z][\w:.-]{0,40})\s?=")


def _says_something(tag: str) -> bool:
    """Tell whether a tag has an attribute that may hold a value: a title, a link, one of somebody's own."""
    return any(name.lower() not in _DULL_ATTRIBUTES for name in _ATTRIBUTE_NAME.findall(tag))


def _split_run(run: str) -> Iterator[tuple[int, str, bool]]:
    """Cut a run into words and what is between them; yield (offset, part, whether it is read by its looks)."""
    begin = 0
    for inside, chars in groupby(run, _belongs_to_word):
        part = "".join(chars)
        yield begin, part, inside and _reads_as_latin(part)
        begin += len(part)


@lru_cache(maxsize=16384)
def _belongs_to_word(char: str) -> bool:
    return char.isalnum() or char in "_'’" or unicodedata.category(char) in _INVISIBLE


def _unescape(run: str) -> str:
    if run[1] == "u":
        return fold_word(chr(int(run.removeprefix("\\u"), 16)))
    return run[1] if run[1] in "/\"'" else " "


def fold_word(text: str) -> str:
    """Fold a short text without keeping the way back."""
    return text.lower() if text.isascii() else fold_text(text).text


def _reads_as_latin(word: str) -> bool:
    """Decide between look-alike reading and transliteration.

    A word that mixes scripts is written to be read by its looks; a word wholly in one other script is a word of it.
    """
    if len(word) == 1:
        return word in LOOKALIKES
    scripts = {_script(char) for char in word if char.isalpha()} - {""}
    if len(scripts & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "CANADIAN"}) > 1:
        return True
    return any(char.isdigit() for char in word)


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    if char.isascii():
        return "LATIN"
    return unicodedata.name(char, "").split(" ")[0].split("-")[0]


@lru_cache(maxsize=16384)
def _fold_char(char: str, visual: bool) -> str:  # noqa: FBT001 - two readings of one character; both are cached
    """Fold one character to zero or more ASCII ones."""
    if char.isascii():
        return char.lower()
    if char in _PUNCTUATION:
        return _PUNCTUATION[char]
    category = unicodedata.category(char)
    if category in _INVISIBLE:
        return ""
    if category[0] == "Z" or category == "Cc":
        return " "
    decomposed = "".join(
        part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) not in _INVISIBLE
    )
    if decomposed.isascii() and decomposed:
        return decomposed.lower().strip("()") or decomposed
    return _fold_letter(decomposed or char, visual)


def _fold_letter(char: str, visual: bool) -> str:  # noqa: FBT001 - passes on the choice of _fold_char
    if len(char) == 1:
        if visual and char in LOOKALIKES:
            return LOOKALIKES[char]
        base = latin_base(char)
        if base:
            return base
        if char.isdecimal():
            return str(unicodedata.decimal(char))
    if not any(part.isalnum() for part in char):
        return " "
    ascii_text = anyascii(char).lower()
    return re.sub(r"[^a-z0-9]", "", ascii_text)
