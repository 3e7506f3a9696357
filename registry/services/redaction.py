"""A document without the values that were found in it, and the proof that they are gone from what can be read of it."""

from __future__ import annotations

from collections import Counter
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


def redact(
    document: Document,
    form: str,
    spans: Sequence[Span],
    images: ImageReader | None = None,
    kept: frozenset[Span] = frozenset(),
) -> RedactedCopy:
    """Write a document without these ranges of its text, and without what they say wherever it is said again.

    Where a value is said again without the person beside it, in a cache of a pivot table or an attribute, the matcher
    may rightly not take it for anybody's. The copy is read again: where a value is left, there is no copy.

    Args:
        document: as it was read.
        form: its format.
        spans: what was found.
        images: reads what images show.
        kept: those of ``spans`` that stay, just there. What they say goes wherever else it is said; where just that
            cannot be done, there is no copy.
    """
    said = _said(document.text, spans)
    stays = _staying(spans, kept)
    try:
        repeats = set(_repeats(document.text, said))
        left_alone = _left_alone(document.text, repeats, stays, _said(document.text, set(spans) - stays))
        content = document.redacted(sorted({*spans, *repeats} - stays - left_alone))
        left = Counter(_words_at(open_document(content, form, images).text, said))
    except UnreadableDocument as refused:
        return RedactedCopy(b"", refused.code)
    # One more than stays is a value that is left; one less went together with another.
    expected = Counter(document.text[start:end] for start, end in repeats & (stays | left_alone))
    return RedactedCopy(content) if left == expected else RedactedCopy(b"", NOT_REMOVED)


def _said(text: str, spans: Iterable[Span]) -> list[str]:
    return sorted({text[start:end] for start, end in spans if _is_telling(text[start:end])})


def _staying(spans: Sequence[Span], kept: frozenset[Span]) -> set[Span]:
    """Return what stays: nothing that overlaps with what goes."""
    going = set(spans) - kept
    return {span for span in kept if not any(one[0] < span[1] and span[0] < one[1] for one in going)}


def _left_alone(text: str, repeats: Iterable[Span], stays: Iterable[Span], going: Sequence[str]) -> set[Span]:
    """Return the repeats that are a part of something that stays, unless what they say has to go."""
    return {
        (start, end)
        for start, end in repeats
        if text[start:end] not in going and any(first <= start and end <= last for first, last in stays)
    }


def _words_at(text: str, said: Sequence[str]) -> Iterator[str]:
    for start, end in _repeats(text, said):
        yield text[start:end]


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
