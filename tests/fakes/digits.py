"""Whether a text tells a number, without being fooled by random identifiers that hold its digits by chance."""

from __future__ import annotations

import re

# A group of digits that is no part of an identifier, of a hash, or of the fraction of a second.
ALONE = re.compile(r"(?<![0-9A-Za-z.])[0-9]+(?![0-9A-Za-z])")


def tells(text: str, number: str) -> bool:
    """Whether ``text`` holds ``number`` (digits with any separators) as a whole, or one of its groups alone.

    A random identifier of 32 hexadecimal digits holds three given digits once in about 140 times, so looking for
    them anywhere would fail by chance.
    """
    groups = re.findall("[0-9]+", number)
    return "".join(groups) in re.sub(r"[ ().+-]", "", text) or not set(groups).isdisjoint(ALONE.findall(text))
