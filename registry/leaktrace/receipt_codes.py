"""Receipt codes in a text: whoever copies a whole page of values copies the code of its entry along.

A code is 40 bits, keyed over the entry's place in the ledger, so that nobody outside can make one up. Reading is blind:
nothing in here knows any entry's code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from registry.domain.ids import EntryIndex, PrincipalId
from registry.leaktrace.copies import ServedCopy

CODE_BITS = 40
MAX_CODES = 64

# Crockford's base 32 has no I, L, O and U; people and text recognition write them all the same.
_MISREAD = str.maketrans("OILU", "011V")
# Two groups of four with a dash of any kind between; a blank beside the dash is what line breaks and recognition leave.
_CODE = re.compile(r"(?<![0-9A-Za-z])([0-9A-Za-z]{4})\s?[-\u2010-\u2015\u2212]\s?([0-9A-Za-z]{4})(?![0-9A-Za-z])")

# A dash with something before or behind it: a longer number of which this is a part.
_GOES_ON = re.compile(r"[0-9A-Za-z][-\u2010-\u2015\u2212]\|[^\s]?|\|[-\u2010-\u2015\u2212][0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """A text in the form of a receipt code, written as the ledger writes it, and where it stands."""

    code: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class CodeMatch:
    """A code of the text that is that of a served copy."""

    code: str
    entry: EntryIndex
    account: PrincipalId


@dataclass(frozen=True, slots=True)
class CodesEvidence:
    """What receipt codes in a text say of served copies.

    Attributes:
        seen: texts in the form of a code.
        compared: copies whose codes they were compared with.
        matches: those that agree, by entry.
        chance: that any agrees by accident, at most.
    """

    seen: int
    compared: int
    matches: tuple[CodeMatch, ...]
    chance: float


def codes_in(text: str) -> tuple[CodeSeen, ...]:
    """Return what has the form of a receipt code, each once and at most ``MAX_CODES``, in the order of the text.

    Parts of longer numbers, such as card numbers and telephone numbers with an area code, are none.
    """
    found: dict[str, CodeSeen] = {}
    for one in _seen(text):
        if len(found) < MAX_CODES:
            found.setdefault(one.code, one)
    return tuple(found.values())


def compare_codes(
    seen: Sequence[CodeSeen], copies: Sequence[ServedCopy], code_of: Callable[[int], str]
) -> CodesEvidence | None:
    """Compare codes of a text with those of served copies; None where none agrees.

    Args:
        seen: as read, and fixed in the ledger before.
        copies: of the found values, served not later than the publication.
        code_of: the code of an entry.
    """
    matches = [
        CodeMatch(one.code, copy.entry, copy.account)
        for copy in sorted(copies, key=lambda copy: copy.entry)
        for one in seen
        if one.code == code_of(copy.entry)
    ]
    if not matches:
        return None
    return CodesEvidence(len(seen), len(copies), tuple(matches), chance_of_a_match(len(seen), len(copies)))


def chance_of_a_match(codes: int, copies: int) -> float:
    """Return the chance, at most, that any of so many codes is that of any of so many copies by accident."""
    return min(1.0, codes * copies / 2.0**CODE_BITS)


def _seen(text: str) -> Iterator[CodeSeen]:
    for match in _CODE.finditer(text):
        around = text[max(0, match.start() - 2) : match.start()] + "|" + text[match.end() : match.end() + 2]
        if _GOES_ON.search(around):
            continue
        groups = (group.upper().translate(_MISREAD) for group in match.groups())
        yield CodeSeen("-".join(groups), match.span())
