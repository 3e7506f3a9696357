"""A document without the values that were found in it, and the proof that they are gone from what can be read of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from registry.documents.formats import open_document
from registry.documents.model import Document, Span
from registry.documents.ocr import ImageReader
from registry.domain.errors import UnreadableDocument

# A shorter one may be anything.
_SHORTEST_REPEATED = 6
# Characters to look through for values said again: some seconds.
_MOST_SOUGHT = 20_000_000_000
NOT_REMOVED = "not_surely_removed"


@dataclass(frozen=True, slots=True)
class RedactedCopy:
    """The same document without some values.

    Attributes:
        content: the file; empty when there is none.
        problem: why there is none: the code of what stood in the way.
    """

    content: bytes = field(repr=False)
    problem: str = ""


def redact(document: Document, form: str, spans: Sequence[Span], images: ImageReader | None = None) -> RedactedCopy:
    """Write a document without these ranges of its text, and without what they say wherever it is said again.

    Where a value is said again without the person beside it, in a cache of a pivot table or an attribute, the matcher
    may rightly not take it for anybody's. The copy is read again: where a value is left, there is no copy.
    """
    said = sorted({document.text[start:end] for start, end in spans if _is_telling(document.text[start:end])})
    try:
        content = document.redacted(sorted({*spans, *_repeats(document.text, said)}))
        left = next(_repeats(open_document(content, form, images).text, said), None)
    except UnreadableDocument as refused:
        return RedactedCopy(b"", refused.code)
    return RedactedCopy(b"", NOT_REMOVED) if left else RedactedCopy(content)


def _is_telling(said: str) -> bool:
    return len(said) >= _SHORTEST_REPEATED and any(map(str.isdigit, said))


def _repeats(text: str, said: Sequence[str]) -> Iterator[Span]:
    """Yield every place where one of these texts stands, not inside of a longer word or number."""
    if len(text) * len(said) > _MOST_SOUGHT:
        raise UnreadableDocument("too_large")
    for one in said:
        yield from _places_of(text, one)


def _places_of(text: str, said: str) -> Iterable[Span]:
    start = text.find(said)
    while start >= 0:
        end = start + len(said)
        around = text[max(0, start - 1) : start] + text[end : end + 1]
        if not any(map(str.isalnum, around)):
            yield start, end
        start = text.find(said, start + 1)
