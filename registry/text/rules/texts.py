"""Rules for free text: departments, titles, schools, towns, statements."""

from __future__ import annotations

import re

from registry.text.rules.characters import character_problem
from registry.text.rules.reading import TextRule

# A statement may run over lines; these three are its only control characters.
_LAYOUT = str.maketrans({"\n": " ", "\t": " "})
_URL = re.compile(r"https?://[^\s]+")
LEAST_REASON, MOST_REASON = 10, 1_000


def one_line(max_length: int) -> TextRule:
    """Make the rule of a text in one line, with something readable in it.

    Args:
        max_length: in code points.
    """

    def rule(text: str) -> str | None:
        return frame_problem(text, max_length) or character_problem(text) or readable_problem(text)

    return rule


def paragraphs(max_length: int) -> TextRule:
    """Make the rule of a text that may have line breaks (LF or CRLF) and tabs."""

    def rule(text: str) -> str | None:
        flat = text.replace("\r\n", "\n").translate(_LAYOUT)
        return frame_problem(text, max_length) or character_problem(flat) or readable_problem(text)

    return rule


def one_of(choices: frozenset[str]) -> TextRule:
    """Make the rule of a coded text."""

    def rule(text: str) -> str | None:
        return None if text in choices else "not_one_of"

    return rule


def reason_problem(text: str) -> str | None:
    """Tell whether a reason says something: ten characters without spaces at either end are little enough."""
    return "too_short" if len(text.strip()) < LEAST_REASON else _REASON(text)


def url_problem(text: str) -> str | None:
    """Tell whether a text is the address of a page: http or https, at most 2,000 characters."""
    return _PAGE(text) or (None if _URL.fullmatch(text) else "not_a_url")


def frame_problem(text: str, max_length: int) -> str | None:
    """Check length and edges: ``empty``, ``too_long``, ``surrounding_space``. Nothing is ever trimmed."""
    if len(text) > max_length:
        return "too_long"
    if not text or text.isspace():
        return "empty"
    if text[0].isspace() or text[-1].isspace():
        return "surrounding_space"
    return None


def readable_problem(text: str) -> str | None:
    """Ask for at least one letter or digit."""
    return None if any(map(str.isalnum, text)) else "nothing_readable"


_REASON = paragraphs(MOST_REASON)
_PAGE = one_line(2_000)
