"""E-mail addresses, also with "at" and "dot" in words or brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.text.fold import fold_word

_AT = r"(?:\s?[(\[{<]\s?(?:at|@)\s?[)\]}>]\s?|\s?@\s?|\s(?:at|arroba)\s)"
_DOT = r"(?:\s?[(\[{<]\s?(?:dot|\.)\s?[)\]}>]\s?|\.|\s(?:dot|punto)\s)"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(
    rf"(?<![a-z0-9._%+-])([a-z0-9_%+'-]{{1,64}}(?:{_DOT}[a-z0-9_%+'-]{{1,64}}){{0,5}}){_AT}({_LABEL}(?:{_DOT}{_LABEL}){{1,4}})(?![a-z0-9-])"
)
_ANY_DOT = re.compile(_DOT)
_HAS_AT = re.compile(r"@|\bat\b|arroba")


def canonical_email(address: str) -> str | None:
    """Return an enrolled address folded and in small letters, or None if it has no @."""
    text = fold_word(address).strip()
    return text if text.count("@") == 1 else None


def emails_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (address, start, end) for each address in a folded text."""
    if _HAS_AT.search(text) is None:
        return
    for match in _EMAIL.finditer(text):
        local = _ANY_DOT.sub(".", match.group(1))
        domain = _ANY_DOT.sub(".", match.group(2))
        yield f"{local}@{domain}", match.start(), match.end()
