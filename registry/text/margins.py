"""Edges of lines that are no part of what they say: quote marks, times of captions, numbers of lines."""

from __future__ import annotations

import re

# Stands for what is left out, so that every offset stays; a text's own one is an invisible character, too.
LEFT_OUT = "\0"

_QUOTE = re.compile(r"(?m)^[ \t]*(?:>[ \t]?)+")
_TIME = r"(?:\d{1,3}:)?\d\d:\d\d[.,]\d{3}"
# SubRip and WebVTT: an optional number, then from when to when; the blank line before is part of the mark.
_CUE = re.compile(
    rf"(?m)(?:^[ \t]*\r?\n)?^(?:\d{{1,6}}[ \t]*\r?\n)?{_TIME}[ \t]{{1,4}}-->[ \t]{{1,4}}{_TIME}"
    r"[^\r\n]{0,80}(?:\r?\n)?"
)
# Court papers and transcripts number the lines of each page, 1 to 25 or so.
_NUMBER = re.compile(r"(?m)^[ \t]{0,8}(\d{1,3})(?:[ \t]{2,12}|\t)(?=\S)")
_LEAST_NUMBERED = 8  # lines, one after another


def without_margins(raw: str) -> str:
    """Return a text of the same length with its margins left out; the text itself when it has none."""
    text = raw
    if "-->" in text:
        text = _CUE.sub(_left_out, text)
    numbers = _line_numbers(text)
    if numbers:
        text = _blanked(text, numbers)
    return _QUOTE.sub(_left_out, text) if ">" in text else text


def has_captions(text: str) -> bool:
    """Tell whether a text is made of captions: what looks like rows of a table is running speech."""
    return text.count(" --> ") >= _LEAST_CUES and len(_CUE.findall(text)) >= _LEAST_CUES


_LEAST_CUES = 3


def _blanked(text: str, places: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in places:
        pieces += [text[position:start], LEFT_OUT * (end - start)]
        position = end
    return "".join([*pieces, text[position:]])


def _left_out(match: re.Match[str]) -> str:
    return LEFT_OUT * len(match.group())


def _line_numbers(text: str) -> list[tuple[int, int]]:
    """Return where numbers of lines stand: each follows the one before, or begins a page."""
    run: list[re.Match[str]] = []
    found: list[tuple[int, int]] = []
    for match in _NUMBER.finditer(text):
        number = int(match.group(1))
        if run and number != 1 and number != int(run[-1].group(1)) + 1:
            found += _spans(run)
            run = []
        run.append(match)
    return found + _spans(run)


def _spans(run: list[re.Match[str]]) -> list[tuple[int, int]]:
    return [match.span() for match in run] if len(run) >= _LEAST_NUMBERED else []
