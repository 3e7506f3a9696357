"""Places of a document that may stay, although a protected value stands there: asked with a reason, agreed by another.

A place is named by a keyed id of this document, of what was found and where: nobody can make one up, and it means
nothing in another document. The approval is for these places of this document, for this purpose and reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from registry.documents.model import Document, Place, Span
from registry.domain.approvals import Action
from registry.domain.ids import SubjectId
from registry.leaktrace.dossier import Finding, Matching
from registry.services.dual_control import Act
from registry.services.kernel import Kernel

MOST_WAIVED = 200
# So many places are told to approvers one by one.
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Waive:
    """Which places of a document are to stay in its copy, by their ids, and why."""

    places: frozenset[str]
    reason: str = field(repr=False)


class Found(NamedTuple):
    """One place of a finding, for each time that a value stands in a document.

    Attributes:
        id: names it: 32 hexadecimal digits.
        span: in the document's text.
        finding: what stands there.
        is_certain: whether it goes from the copy.
        at: where, from the outside in.
    """

    id: str
    span: Span
    finding: Finding
    is_certain: bool
    at: Place


class Asked(NamedTuple):
    """What places are asked to stay in: the digest and nonce of the document, and what it is checked for."""

    content: bytes
    purpose: str
    case: str
    nonce: bytes


def places_of(kernel: Kernel, content: bytes, document: Document, matching: Matching) -> list[Found]:
    """Return the places of findings in the document's order, one for each time a value stands there."""
    listed = [
        (span, finding, is_certain)
        for findings, is_certain in ((matching.findings, True), (matching.possible, False))
        for finding in findings
        for span in finding.spans
    ]
    listed.sort(key=lambda one: one[0])
    at = document.places([span for span, _, _ in listed])
    return [
        Found(_place_id(kernel, content, finding, span), span, finding, is_certain, place)
        for (span, finding, is_certain), place in zip(listed, at, strict=True)
    ]


def unknown_places(waive: Waive, found: Iterable[Found]) -> bool:
    """Tell whether a place is asked to stay that is no certain one of this document."""
    return not waive.places <= {one.id for one in found if one.is_certain}


def kept_spans(waive: Waive | None, found: Iterable[Found]) -> frozenset[Span]:
    """Return the ranges of the text that stay: a value of two people stays when it is asked for both."""
    if waive is None:
        return frozenset()
    certain = [one for one in found if one.is_certain]
    going = {one.span for one in certain if one.id not in waive.places}
    return frozenset(one.span for one in certain if one.id in waive.places) - going


def act_of(waive: Waive, asked: Asked, found: Sequence[Found]) -> Act:
    """Return what another person has to approve; they are told where and of which kind, never a value or whose."""
    waived = [one for one in found if one.id in waive.places]
    digest = sha256(asked.content).hexdigest()
    content = (digest, asked.purpose, asked.case, waive.reason, *sorted(waive.places))
    subjects: tuple[SubjectId, ...] = tuple(sorted({one.finding.subject for one in waived}))
    return Act(Action.WAIVE, content, _told(waive, asked, waived), subjects)


def _told(waive: Waive, asked: Asked, waived: Sequence[Found]) -> str:
    counts = Counter(one.finding.kind for one in waived)
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    where = "; ".join(f"{one.finding.kind} at {_words(one.at)}" for one in waived[:_MOST_TOLD])
    more = f"; and {len(waived) - _MOST_TOLD} more" if len(waived) > _MOST_TOLD else ""
    document = f"document {sha256(asked.nonce + asked.content).hexdigest()} nonce {asked.nonce.hex()}"
    purpose = f"{asked.purpose}, case {asked.case}" if asked.case else asked.purpose
    return f"values that stay in a document ({kinds}) for {purpose}: {where}{more}; {document}; reason: {waive.reason}"


def _words(at: Place) -> str:
    return ", ".join(f"{name} {value}" for name, value in at) or "somewhere"


def _place_id(kernel: Kernel, content: bytes, finding: Finding, span: Span) -> str:
    parts = (sha256(content).hexdigest(), finding.subject, finding.kind, str(span[0]), str(span[1]))
    return kernel.index.tag("release-place", " ".join(parts).encode()).hex()
