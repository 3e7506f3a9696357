"""EBCDIC, the characters of mainframes, told by its content: nothing in such a file says that it is.

Letters and digits are the same bytes in every Latin code page of it (IBM CDRA: 037, 500, 1047, 1140 ...); signs differ.
"""

from __future__ import annotations

import codecs
from collections import Counter

_PAGES = ("cp037", "cp500")  # page 1047 differs from 037 in signs alone, and Python does not have it
_SAMPLE = 1 << 16
_LEAST = 16  # bytes
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_USUAL = _LETTERS | frozenset(" \t\r\n\x85.,;:'\"()&+-/*#%$@<>=?!_|{}[]~^\\`")
# Of a text, how much is letters, digits and blanks, and how much is usual.
_LEAST_PLAIN, _LEAST_USUAL = 0.8, 0.95


def ebcdic_page(content: bytes) -> str | None:
    """Name the code page of a text in EBCDIC; None when it is none.

    Bytes that are UTF-8 are never taken for it, nor a text in which a letter beyond ASCII is usual: in EBCDIC nearly
    every byte of a word is above 0x80, and a blank is ``@``.
    """
    sample = content[:_SAMPLE]
    if len(sample) < _LEAST or sample.isascii() or sum(byte >= 0x80 for byte in sample) * 2 < len(sample):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return max(_PAGES, key=lambda page: _usual(sample, page)) if _reads(sample) else None
    return None


def _reads(sample: bytes) -> bool:
    """Tell whether one page reads as words and numbers, parted by blanks or signs."""
    counts = Counter(sample.decode(_PAGES[0]))
    plain = sum(count for char, count in counts.items() if char in _LETTERS or char in " \x85\n\r\t")
    usual = max(_usual(sample, page) for page in _PAGES)
    return plain >= _LEAST_PLAIN * len(sample) and usual >= _LEAST_USUAL * len(sample)


def _usual(sample: bytes, page: str) -> int:
    return sum(count for char, count in Counter(sample.decode(page)).items() if char in _USUAL)
