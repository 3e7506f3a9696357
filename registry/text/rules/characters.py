"""Which characters may stand in a value at all, whatever it means."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

MAX_MARKS_IN_A_ROW = 4  # pointed Hebrew and Tibetan stacks need 3 or 4; stacked-up "zalgo" text has 6 and more

ZWNJ = "\u200c"
ZWJ = "\u200d"
_JOINERS = frozenset({ZWNJ, ZWJ})

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Letters, marks and symbols that show nothing: two values that look the same would be different ones.
_INVISIBLE = frozenset(
    "\u034f"  # combining grapheme joiner
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers
    "\u17b4\u17b5"  # Khmer inherent vowels
    "\u180b\u180c\u180d\u180f"  # Mongolian variation selectors
    "\u2800"  # blank Braille pattern
    "\ufffc"  # object replacement
)

# Blocks whose spelling needs joiners: Arabic and Syriac to Sinhala, Thai to Khmer, Mongolian, Arabic extensions.
_JOINING_SCRIPTS = ((0x0600, 0x0DFF), (0x0E00, 0x109F), (0x1780, 0x18AF), (0xA8E0, 0xA8FF), (0xFB50, 0xFDCF))
_HAN = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFD))
_VIRAMA = 9  # canonical combining class of the sign that joins two consonants


def character_problem(text: str) -> str | None:
    """Name what is wrong with the characters of a one-line text.

    Returns:
        ``control_character`` (line breaks too), ``lone_surrogate``, ``noncharacter``, ``bidi_control``,
        ``private_use``, ``invisible_character``, ``replacement_character``, ``unassigned_character``,
        ``joiner``, ``variation_selector``, ``stray_mark``, ``too_many_marks``, or None.
    """
    if text.isascii():
        return None if text.isprintable() else "control_character"
    distinct = dict.fromkeys(text)
    for character in distinct:
        code = _kind_problem(character)
        if code is not None:
            return code
    return _marks_problem(text) or _context_problem(text)


def is_han(character: str) -> bool:
    """Tell whether a character is an ideograph (or a sign that stands for one)."""
    return _within(character, _HAN)


def _within(character: str, blocks: tuple[tuple[int, int], ...]) -> bool:
    point = ord(character)
    return any(first <= point <= last for first, last in blocks)


@lru_cache(maxsize=4096)
def _kind_problem(character: str) -> str | None:
    point = ord(character)
    if 0xD800 <= point <= 0xDFFF:
        return "lone_surrogate"
    if 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE:
        return "noncharacter"
    if character in _BIDI:
        return "bidi_control"
    if character == "\ufffd":
        return "replacement_character"  # some earlier program has already lost what stood here
    if character in _INVISIBLE:
        return "invisible_character"
    return _category_problem(character)


def _category_problem(character: str) -> str | None:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return "control_character"
    if category == "Co":
        return "private_use"
    if category == "Cf" and character not in _JOINERS:
        return "invisible_character"
    if category == "Cn" and not is_han(character):
        # Ideographs are added to Unicode faster than to Python's tables, and people are called by them.
        return "unassigned_character"
    return None


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _marks_problem(text: str) -> str | None:
    if unicodedata.category(text[0])[0] == "M":
        return "stray_mark"
    in_a_row = 0
    for character in text:
        # Below U+0300 there are no marks: skips the table for most of most texts.
        if character < "\u0300" or unicodedata.category(character)[0] != "M":
            in_a_row = 0
            continue
        in_a_row += 1
        if in_a_row > MAX_MARKS_IN_A_ROW:
            return "too_many_marks"
    return None


def _context_problem(text: str) -> str | None:
    """Check characters that are right only beside certain others: joiners and variation selectors."""
    before = ""
    for position, character in enumerate(text):
        if character in _JOINERS:
            if not _joins(before, character, text[position + 1 : position + 2]):
                return "joiner"
        elif _is_selector(character) and not (before and _takes_selector(before)):
            return "variation_selector"
        before = character
    return None


def _takes_selector(before: str) -> bool:
    """Registered name variants of ideographs, and the picture form of a symbol."""
    return is_han(before) or unicodedata.category(before) == "So"


def _joins(before: str, joiner: str, after: str) -> bool:
    if not before or not _spells_with_joiners(before):
        return False
    if after and _spells_with_joiners(after):
        return True
    # Old spelling of Malayalam chillu letters: consonant, virama, ZWJ, then the end of the word.
    return joiner == ZWJ and unicodedata.combining(before) == _VIRAMA


def _spells_with_joiners(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" and _within(character, _JOINING_SCRIPTS)
