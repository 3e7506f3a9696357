"""E-mail addresses, also with "at" and "dot" in words or brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from registry.text.fold import fold_word
from registry.text.remembering import remembered

_AT = r"(?:\s?[(\[{<]\s?(?:at|a|@)\s?[)\]}>]\s?|\s?@\s?|\s(?:at|arroba)\s)"
_DOT = r"(?:\s?[(\[{<]\s?(?:dot|\.)\s?[)\]}>]\s?|\.|\s(?:dot|punto)\s)"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(
    rf"(?<![a-z0-9._%+-])([a-z0-9_%+'-]{{1,64}}(?:{_DOT}[a-z0-9_%+'-]{{1,64}}){{0,5}}){_AT}({_LABEL}(?:{_DOT}{_LABEL}){{1,4}})(?![a-z0-9-])"
)
_ANY_DOT = re.compile(_DOT)
_HAS_AT = re.compile(r"@|\bat\b|\ba\b|arroba")


def canonical_email(address: str) -> str | None:
    """Return an enrolled address folded and in small letters, or None if it has no @."""
    text = fold_word(address).strip()
    return text if text.count("@") == 1 else None


def emails_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (address, start, end) for each address in a folded text."""
    if _HAS_AT.search(text) is None:
        return
    for match in _EMAIL.finditer(text):
        quoted = match.group(1)
        local = _ANY_DOT.sub(".", quoted.lstrip("'"))  # 'name@example.org' in a statement of SQL
        domain = _ANY_DOT.sub(".", match.group(2))
        start = match.start() + len(quoted) - len(quoted.lstrip("'"))
        yield f"{local}@{domain}", start, match.end()
        bare = _BAIT.sub("", f".{domain}").lstrip(".")
        if bare != domain:
            yield f"{local}@{bare}", start, match.end()


# What people write into an address so that programs cannot use it.
_BAIT = re.compile(r"(?<=[.-])(?:no-?spam|anti-?spam|(?:remove|delete)(?:-?this)?|spam-?free)[.-]")


_MISREAD = re.compile(r"rn|vv|cl|[01l]|(?<=\d)[oizsbg]|[oizsbg](?=\d)")
_READ_AS = {"rn": "m", "vv": "w", "cl": "d", "0": "o", "1": "l", "l": "1"} | {
    "o": "0", "i": "1", "z": "2", "s": "5", "b": "8", "g": "9",
}  # fmt: skip
_MOST_MISREAD = 5  # places that are read both ways


_LOOKS = str.maketrans("i10|!5862z9", "llollsbbssg")


@remembered(most=16384)
def email_looks(address: str) -> str:
    """Return what two addresses that look alike on paper have in common; full stops get lost."""
    text = address.replace("rn", "m").replace("vv", "w").replace("cl", "d")
    return "".join(char for char in text if char not in "., '").translate(_LOOKS)


# Signs around the words (name_at_example_dot_org), and commas that were full stops on paper.
_MARK = r"[_*~<+-]"
_END = r"[_*~>+-]"
_MARKED = re.compile(
    rf"(?<![a-z0-9])([a-z0-9']{{1,64}}(?:(?:{_MARK}dot{_END}|\.)[a-z0-9']{{1,64}}){{0,5}}){_MARK}at{_END}"
    rf"([a-z0-9]{{1,63}}(?:(?:{_MARK}dot{_END}|\.)[a-z0-9]{{1,63}}){{1,4}})(?![a-z0-9])"
)
_COMMAS = re.compile(
    rf"(?<![a-z0-9._%+-])[a-z0-9_%+-]{{1,64}}(?:[.,][a-z0-9_%+-]{{1,64}}){{0,5}}@{_LABEL}(?:[.,]{_LABEL}){{0,3}}"
)
_TORN = re.compile(
    rf"(?<![a-z0-9._%+-])([a-z][a-z0-9._%+-]{{0,40}}\d) (\d{{1,4}}@{_LABEL}(?:\.{_LABEL}){{1,4}})(?![a-z0-9-])"
)
_ANY_MARKED = re.compile(rf"{_MARK}dot{_END}")


def marked_emails_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (address, start, end) for addresses with signs around ``at`` and ``dot``, or with full stops misread."""
    if "@" not in text and "at" not in text:
        return
    for match in _MARKED.finditer(text):
        local, domain = (_ANY_MARKED.sub(".", part) for part in match.groups())
        yield f"{local}@{domain}", match.start(), match.end()
    for match in _TORN.finditer(text):
        yield "".join(match.groups()), match.start(), match.end()
    for match in _COMMAS.finditer(text):
        if "," in match.group() or "." not in match.group().partition("@")[2]:
            yield match.group().replace(",", "."), match.start(), match.end()


# Where it is likely: a digit alone among letters, a letter beside digits. Numbers at the end of a name are none.
_LIKELY = re.compile(r"rn|vv|cl|(?<![0-9])[01](?![0-9])|(?<=[0-9])[oizsbgl]|[oizsbgl](?=[0-9])")


def looking_like(address: str) -> Iterator[str]:
    """Yield an address and those that look like it: text recognition reads rn for m, and 1 for l."""
    return _read_otherwise(address, _MISREAD)


def likely_like(address: str) -> Iterator[str]:
    """Yield an address and those that it may have been misread from, as one of many in a column of them."""
    return _read_otherwise(address, _LIKELY)


def _read_otherwise(address: str, misread: re.Pattern[str]) -> Iterator[str]:
    places = list(misread.finditer(address))
    if len(places) > _MOST_MISREAD:  # no more readings than an address is worth
        choices = [(), tuple(places), *((place,) for place in places)]
    else:
        choices = [chosen for count in range(len(places) + 1) for chosen in combinations(places, count)]
    for chosen in choices:
        text = address
        for place in reversed(chosen):
            text = text[: place.start()] + _READ_AS[place.group()] + text[place.end() :]
        yield text
