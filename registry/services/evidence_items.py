"""Tracing several texts as one case: each is matched and read by itself, and a record counts in the first that has it.

Matched apart, so that a name in one item anchors nothing in another. What is found is then laid out over the texts one
behind the other, as places in the trace's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.clock import iso
from registry.domain.ids import EntryIndex, RecordId, SubjectId, TraceId
from registry.leaktrace.copies import ServedCopy, timely
from registry.leaktrace.dossier import Finding, Matching
from registry.leaktrace.evidence_items import EvidenceItem, FirstSeen, NotRead, latest_first_seen
from registry.leaktrace.report_model import FoundValue, digest_of_text
from registry.services.kernel import Caller, Kernel
from registry.services.match import Matched, all_tried
from registry.services.reading import WrittenValue
from registry.services.rerun import rerun_once
from registry.services.uploads import Upload

MOST_ITEMS = 20
# Between two items' texts in the trace's text.
_BETWEEN = "\n\n"
_NEVER = datetime.max.replace(tzinfo=UTC)
_Key = tuple[SubjectId, RecordId]


@dataclass(frozen=True, slots=True)
class ItemAsk:
    """One item: its text or document, when it was first seen (aware) and where.

    Attributes:
        text: as pasted; "" with an ``upload``, whose text it then is, or where there is a page's address alone.
        published_at, uncertainty_seconds, source: as in ``TraceAsk``.
        url: the page's address; it is not fetched.
        upload: a document in place of a text.
        file_sha256: over the trace's nonce and the document, once it was read.
        is_later: added to a case that was judged before.
        not_read: parts of the document that were not read and may hide text, once it was.
    """

    text: str = field(repr=False)
    published_at: datetime | None = None
    uncertainty_seconds: int = 0
    source: str = field(default="", repr=False)
    url: str = field(default="", repr=False)
    upload: Upload | None = None
    file_sha256: str = ""
    is_later: bool = False
    not_read: NotRead = ()

    @property
    def latest_at(self) -> datetime | None:
        """The latest moment at which it may first have been seen."""
        return latest_first_seen(self.published_at, self.uncertainty_seconds)


def by_first_seen(items: Iterable[ItemAsk]) -> tuple[ItemAsk, ...]:
    """Order items: what was judged before, then by first-seen time, those without one last."""
    return tuple(sorted(items, key=lambda one: (one.is_later, one.latest_at or _NEVER)))


def joined_text(items: Sequence[ItemAsk]) -> str:
    """Return the texts one behind the other."""
    return _BETWEEN.join(one.text for one in items)


def starts_of(items: Sequence[ItemAsk]) -> tuple[int, ...]:
    """Return where each text begins in the joined one."""
    starts = [0]
    for one in items:
        starts.append(starts[-1] + len(one.text) + len(_BETWEEN))
    return tuple(starts[:-1])


def evidence_items(items: Sequence[ItemAsk], nonce: bytes) -> tuple[EvidenceItem, ...]:
    """Number and hash items; no entry commits to them yet."""
    return tuple(
        EvidenceItem(
            number=number,
            start=start,
            text_length=len(one.text),
            text_sha256=digest_of_text(one.text, nonce),
            file_sha256=one.file_sha256,
            published_at=one.published_at,
            uncertainty_seconds=one.uncertainty_seconds,
            source=one.source,
            url=one.url,
            entry=None,
            is_later=one.is_later,
            not_read=one.not_read,
        )
        for number, (start, one) in enumerate(zip(starts_of(items), items, strict=True), start=1)
    )


def items_again(text: str, items: Sequence[EvidenceItem]) -> tuple[ItemAsk, ...]:
    """Return kept items as they were asked about, from the trace's text."""
    return tuple(
        ItemAsk(
            text[one.start : one.start + one.text_length],
            one.published_at,
            one.uncertainty_seconds,
            one.source,
            one.url,
            None,
            one.file_sha256,
            one.is_later,
            one.not_read,
        )
        for one in items
    )


def digest_of_file(content: bytes, nonce: bytes) -> str:
    """Return SHA-256 over a trace's nonce and a document, 64 hexadecimal digits."""
    return sha256(nonce + content).hexdigest()


@rerun_once
def note_items(kernel: Kernel, caller: Caller, trace: TraceId, items: Sequence[EvidenceItem]) -> tuple[int, ...]:
    """Write an entry for each item, before anything is compared; returns their indexes."""
    with kernel.database.write() as work:
        said = said_by(kernel.principal(work, caller)) | {"request": trace}
        drafts = [EntryDraft(Kind.TRACE, said | _told(one, len(items))) for one in items]
        pendings = kernel.log.append(work.ledger, drafts)
        work.commit()
    return tuple(receipt.index for receipt in kernel.mint(pendings))


def with_entries(items: Sequence[EvidenceItem], entries: Sequence[int]) -> tuple[EvidenceItem, ...]:
    """Say of each item which entry commits to it."""
    return tuple(replace(one, entry=EntryIndex(entry)) for one, entry in zip(items, entries, strict=True))


def _told(one: EvidenceItem, count: int) -> dict[str, str]:
    seen = "at an unknown time" if one.published_at is None else iso(one.published_at)
    told = f"text {one.text_sha256}" + (f" file {one.file_sha256}" if one.file_sha256 else "")
    later = " later" if one.is_later else ""
    return {
        "result": f"item {one.number} of {count}{later}",
        "detail": f"{told} first seen {seen} give or take {one.uncertainty_seconds} s",
    }


def join(parts: Sequence[tuple[EvidenceItem, Matched]]) -> Matched:
    """Join what was found in each item to one match of the joined text."""
    versions: dict[RecordId, set[int]] = {}
    for _, part in parts:
        for record, numbers in part.versions.items():
            versions.setdefault(record, set()).update(numbers)
    findings = _by_record((item, part.matching.findings) for item, part in parts)
    possible = _by_record((item, part.matching.possible) for item, part in parts)
    return Matched(
        Matching(tuple(findings.values()), tuple(one for key, one in possible.items() if key not in findings)),
        {record: tuple(sorted(numbers)) for record, numbers in versions.items()},
        tuple(entry for _, part in parts for entry in part.entries),
        partial(_written, parts),
        lambda: all_tried(part.tried() for _, part in parts),
        parts[0][1].tally,
    )


def first_seen(parts: Sequence[tuple[EvidenceItem, Matched]]) -> Mapping[_Key, FirstSeen]:
    """Return the item that each found record counts in: the first one that has it, by first-seen times.

    An item that was added later counts too, where it was seen before: whoever was served between the two is no source.
    """
    seen: dict[_Key, FirstSeen] = {}
    for item, part in sorted(parts, key=lambda one: one[0].seen.latest_at or _NEVER):
        for one in part.matching.findings:
            seen.setdefault(_key(one), item.seen)
    return seen


def timely_copies(copies: Iterable[ServedCopy], findings: Sequence[FoundValue]) -> list[ServedCopy]:
    """Return what of copies can be a source by the times of the items."""
    return [part for part in timely(copies, findings) if part is not None]


def _written(parts: Sequence[tuple[EvidenceItem, Matched]], findings: Iterable[Finding]) -> tuple[WrittenValue, ...]:
    """Read each value in the first item that has it, blind to what was drawn.

    What is added later changes no reading of before, only how early a value was seen.
    """
    wanted, seen, read = {_key(one) for one in findings}, set[_Key](), list[WrittenValue]()
    counted = first_seen(parts)
    for item, part in parts:
        own = [one for one in part.matching.findings if _key(one) in wanted]
        for one in part.written(one for one in own if _key(one) not in seen):
            moment = counted.get((one.subject, one.records[0]), item.seen).latest_at
            read.append(one if moment is None else replace(one, until=moment))
        seen |= {_key(one) for one in own}
    return tuple(read)


def _by_record(parts: Iterable[tuple[EvidenceItem, Sequence[Finding]]]) -> dict[_Key, Finding]:
    found: dict[_Key, Finding] = {}
    for finding in _moved(parts):
        other = found.setdefault(_key(finding), finding)
        if other is not finding:
            surer = finding if finding.confidence > other.confidence else other
            spans, is_tail = (*other.spans, *finding.spans), finding.is_tail and other.is_tail
            found[_key(finding)] = surer._replace(spans=spans, is_tail=is_tail)
    return found


def _moved(parts: Iterable[tuple[EvidenceItem, Sequence[Finding]]]) -> Iterator[Finding]:
    for item, findings in parts:
        for one in findings:
            yield one._replace(spans=tuple((start + item.start, end + item.start) for start, end in one.spans))


def _key(finding: Finding) -> _Key:
    return finding.subject, finding.record
