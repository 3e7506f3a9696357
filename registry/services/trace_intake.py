"""What a trace is asked about: documents are read, items hashed, each an entry, and matched one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

import registry
from registry.audit.kinds import Kind
from registry.documents.image_file import READ
from registry.domain.approvals import Action
from registry.domain.ids import EntryIndex, RecordId, SubjectId, TraceId
from registry.leaktrace.coverage import Coverage, Tally
from registry.leaktrace.evidence_items import EvidenceItem, FirstSeen, together
from registry.leaktrace.report_model import digest_of_text
from registry.leaktrace.report_shapes import TraceQuestion
from registry.services.dual_control import Act
from registry.services.evidence_items import (
    ItemAsk,
    by_first_seen,
    digest_of_file,
    first_seen,
    join,
    joined_text,
    note_items,
    with_entries,
)
from registry.services.kernel import Caller, Kernel
from registry.services.match import INVESTIGATORS, Matched
from registry.services.opening_uploads import Sent, open_sent
from registry.services.trace_shapes import Matchers, TraceAsk
from registry.services.uploads import turn

ENGINE = f"Registry {registry.__version__}"
NONCE_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """What was asked, and what was found in it.

    Attributes:
        question: as the report has it.
        text, nonce: the items' texts one behind the other; what digests are taken with.
        matched: without what the brake holds back.
        entries: of the items, where there are several.
        seen: the item that each found record counts in.
        coverage: of a dump.
    """

    question: TraceQuestion
    text: str
    nonce: bytes
    matched: Matched
    entries: tuple[int, ...]
    seen: Mapping[tuple[SubjectId, RecordId], FirstSeen]
    coverage: Coverage | None


class TraceIntake:
    """Takes in what traces are asked about."""

    def __init__(self, kernel: Kernel, matching: Matchers) -> None:
        self._kernel = kernel
        self._matching = matching

    def items(self, caller: Caller, ask: TraceAsk, nonce: bytes) -> tuple[ItemAsk, ...]:
        """Put documents' texts in their place; a single text is one item. Raises as ``item``."""
        items = ask.items or (
            ItemAsk(ask.text, ask.published_at, ask.uncertainty_seconds, ask.source, upload=ask.upload),
        )
        return by_first_seen(self.item(caller, one, nonce) for one in items)

    def item(self, caller: Caller, item: ItemAsk, nonce: bytes) -> ItemAsk:
        """Put a document's text in its place, and its digest beside it.

        Raises:
            UploadRefused: it cannot be read; that is an entry.
        """
        if item.upload is None:
            return item
        self._kernel.admit(caller, INVESTIGATORS, "trace")
        with turn():
            sent = Sent(item.upload, INVESTIGATORS, Kind.TRACE, "role.investigator", images=self._matching.images)
            document = open_sent(self._kernel, caller, sent)
        return replace(
            item,
            text=document.text,
            upload=None,
            file_sha256=digest_of_file(item.upload.content, nonce),
            not_read=together(((one.what, 1),) for one in document.unread if one.may_hide or one.what == READ.what),
        )

    def asked(
        self, caller: Caller, trace: TraceId, items: Sequence[ItemAsk], hashed: tuple[Sequence[EvidenceItem], bytes]
    ) -> Asked:
        """Match what is asked about; nothing that was served is looked at yet."""
        told, nonce = hashed
        text = joined_text(items)
        digest = digest_of_text(text, nonce)
        asked_at = self._kernel.clock.now()
        entries = note_items(self._kernel, caller, trace, told) if told else ()
        compared, seen = self._compared(caller, (trace, digest), items, told)
        matched = self._matching.brake.held_back(caller, compared)
        first = items[0]
        if is_timed := all(one.published_at for one in items):
            first = min(items, key=lambda one: str(one.published_at and one.published_at.astimezone(UTC)))
        question = TraceQuestion(
            trace=trace,
            asked_at=asked_at,
            text_sha256=digest,
            text_length=len(text),
            published_at=first.published_at if is_timed else None,
            source=first.source,
            engine=ENGINE,
            entry=EntryIndex(matched.entries[0]),
            uncertainty_seconds=first.uncertainty_seconds if is_timed else 0,
            items=with_entries(told, entries),
            not_read=together(one.not_read for one in items),
        )
        # Counts would tell what the brake held back.
        coverage = self._matching.matcher.coverage(matched.tally) if matched is compared else None
        return Asked(question, text, nonce, matched, entries, seen, coverage)

    def _compared(
        self, caller: Caller, named: tuple[TraceId, str], items: Sequence[ItemAsk], told: Sequence[EvidenceItem]
    ) -> tuple[Matched, Mapping[tuple[SubjectId, RecordId], FirstSeen]]:
        matcher, (trace, digest) = self._matching.matcher, named
        if not told:
            return matcher.match(caller, items[0].text, detail=f"trace {trace} text {digest}"), {}
        tally = Tally()
        parts = [
            (item, matcher.match(caller, one.text, detail=f"trace {trace} text {item.text_sha256}", tally=tally))
            for item, one in zip(told, items, strict=True)
        ]
        return join(parts), first_seen(parts)


def opening_of(items: Sequence[ItemAsk]) -> Act:
    """Say what case an investigator opens; the text itself is nothing that an approver reads."""
    parts = [part for one in items for part in (one.text, _published(one), one.source, *filter(None, (one.url,)))]
    return Act(Action.TRACE, tuple(parts), "; and ".join(map(_opened_text, items)))


def _opened_text(item: ItemAsk) -> str:
    told = f"text of {len(item.text)} characters, published {_published(item) or 'at an unknown time'}"
    told += f", source {item.source}" if item.source else ""
    return told + (f", page {item.url}" if item.url else "")


def _published(item: ItemAsk) -> str:
    if item.published_at is None:
        return ""
    return item.published_at.isoformat() + (
        f" give or take {item.uncertainty_seconds} s" if item.uncertainty_seconds else ""
    )
