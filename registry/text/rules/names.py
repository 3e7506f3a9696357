"""Names of people: wide enough for every real one, closed to what no name can hold."""

from __future__ import annotations

import re
import unicodedata

from registry.text.rules.characters import character_problem
from registry.text.rules.texts import frame_problem

MAX_NAME = 100  # code points; a decomposed name counts its marks

# Apostrophes as people type them, initials (J.), Jr. after a comma, nicknames in brackets, Malaysian a/l.
_ASCII_NAME = re.compile(r"[A-Za-z0-9'`(][A-Za-z0-9 '`.,()/-]*")
_ASCII_LETTER = re.compile(r"[A-Za-z]")

_ASCII_SIGNS = frozenset(" '`.,()/-")
_SPACES = frozenset(" \u00a0\u3000")
_SIGNS = frozenset(
    "\u00b4\u2018\u2019\u201b\u02b9\u2032"  # accents and quotes used as apostrophes
    "\u00b7\u2027\u30fb\uff65\u0387"  # middle dots: Catalan, transcribed names in Japanese and Chinese
    "\u055a\u05f3\u05f4"  # Armenian apostrophe, Hebrew geresh and gershayim
    "\u0f0b\u1361"  # Tibetan and Ethiopic word dividers
    "\u3007"  # ideographic zero, used in given names
)
_OPENERS = frozenset("'`(\u00b4\u2018\u2019\u201b\u02b9\u2032")


def name_problem(text: str) -> str | None:
    """Check a given or family name.

    Returns:
        Codes of ``frame_problem`` and ``character_problem``; ``name_character`` for a sign that no name holds
        (brackets of programs, quotes, semicolons, symbols, an opening dash, plus or equals sign); ``no_letter``.
    """
    code = frame_problem(text, MAX_NAME)
    if code is not None:
        return code
    if text.isascii():
        return _ascii_problem(text)
    return character_problem(text) or _unicode_problem(text)


def _ascii_problem(text: str) -> str | None:
    if _ASCII_NAME.fullmatch(text) is None:
        return "name_character" if text.isprintable() else "control_character"
    return None if _ASCII_LETTER.search(text) else "no_letter"


def _unicode_problem(text: str) -> str | None:
    for character in dict.fromkeys(text):
        if not _may_stand_in_name(character):
            return "name_character"
    if not (text[0].isalnum() or text[0] in _OPENERS or _is_new_ideograph(text[0])):
        return "name_character"
    return None if any(character.isalpha() or _is_new_ideograph(character) for character in text) else "no_letter"


def _may_stand_in_name(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in _ASCII_SIGNS
    if character in _SPACES or character in _SIGNS:
        return True
    # Letters and marks, dashes, joiners (their places are checked before), ideographs newer than Python's tables.
    return unicodedata.category(character) in _NAME_CATEGORIES


def _is_new_ideograph(character: str) -> bool:
    # Other unassigned code points were refused before.
    return unicodedata.category(character) == "Cn"


_NAME_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Pd", "Cf", "Cn"})
