"""An item that is added to a case later: what is new in it is judged with everything else, and nothing else counts.

The same records seen again are copies of copies: they are kept with the case and add no weight, so that posting a text
again and again raises nothing. With a new record everything is judged anew in a trace of its own that continues the
case: one more investigation in the year's budget. So it is where a record was seen before the time that it was judged
by: copies that were served between the two are no source, and whoever got them has to be cleared.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from registry.domain.case_states import PartKind
from registry.domain.clock import from_unix_ms
from registry.domain.errors import Conflict
from registry.domain.ids import TraceId, new_id
from registry.leaktrace import wording, wording_documents
from registry.leaktrace.evidence_items import EvidenceItem, LaterSighting
from registry.services.case_parts import Added, Onward, refused
from registry.services.dual_control import Act, use_approval
from registry.services.evidence_items import MOST_ITEMS, ItemAsk, evidence_items, items_again
from registry.services.kernel import Caller, Kernel
from registry.services.match import INVESTIGATORS
from registry.services.trace import Trace
from registry.services.trace_intake import Asked, opening_of
from registry.services.trace_shapes import StoredTrace, Traced


@dataclass(frozen=True, slots=True)
class LaterItem:
    """What followed from an item that was added.

    Attributes:
        added: to the case that it was added to.
        seen: what was seen.
        traced: the trace that goes on with the case; None where nothing was new.
    """

    added: Added
    seen: LaterSighting
    traced: Traced | None = field(default=None, repr=False)


class LaterItems:
    """Adds items to cases."""

    def __init__(self, kernel: Kernel, trace: Trace) -> None:
        self._kernel = kernel
        self._trace = trace

    def add(self, caller: Caller, trace: TraceId, item: ItemAsk) -> LaterItem:
        """Add an item to the caller's own case.

        Raises:
            AccessDenied: the caller is no investigator; the refusal is an entry.
            NotFound: unknown, or somebody else's.
            Conflict: ``closed``: the case is, or another trace goes on with it, also where that became so meanwhile;
                ``too_many``: it has as many items as a case may have.
            ApprovalNeeded: cases are under dual control, and nobody has approved this item; nothing was compared.
            UploadRefused: the document cannot be read; that is an entry, too.
        """
        stored, kept = self._trace.open_kept(caller, trace)
        # Before anything is compared: otherwise a trace would stand that goes on with a case that takes nothing more.
        if why := refused(PartKind.CONTINUED, kept.parts):
            raise Conflict(why)
        nonce = bytes.fromhex(stored.nonce)
        before = _items_of(stored)
        if len(before) >= MOST_ITEMS:
            raise Conflict("too_many")
        later = replace(self._trace.intake.item(caller, item, nonce), is_later=True)
        use_approval(self._kernel, caller, INVESTIGATORS, _adding(trace, later))
        items = (*items_again(kept.text, before), later)
        asked = self._trace.intake.asked(caller, TraceId(new_id()), items, (evidence_items(items, nonce), nonce))
        again, fresh, earlier = _counted(asked, len(items))
        at = from_unix_ms(self._kernel.now_ms())
        if not fresh and not earlier:
            seen = LaterSighting(at, _said(later, wording.sighting(again, 0, "")), again, 0)
            return LaterItem(self._trace.file.sighting(caller, trace, seen, later.text), seen)
        goes_on = asked.question.trace
        said = _said(later, wording.sighting(again, fresh, goes_on, earlier=earlier))
        seen = LaterSighting(at, said, again, fresh, goes_on)
        whole = replace(asked, question=replace(asked.question, continues=trace))
        traced, added = self._trace.judge_onward(caller, whole, Onward(trace, seen, later.text))
        return LaterItem(added, seen, traced)


def _adding(trace: TraceId, item: ItemAsk) -> Act:
    """Say to which case what is added."""
    alone = opening_of([item])
    return Act(alone.action, (trace, *alone.content), f"added to trace {trace}: {alone.told}")


def _said(later: ItemAsk, followed: str) -> str:
    return " ".join((followed, *wording_documents.not_read(later.not_read)))


def _items_of(stored: StoredTrace) -> tuple[EvidenceItem, ...]:
    """Return the items of a kept trace; a trace of one text is one."""
    asked = stored.report.question
    if asked.items:
        return asked.items
    alone = EvidenceItem(
        number=1,
        start=0,
        text_length=asked.text_length,
        text_sha256=asked.text_sha256,
        file_sha256="",
        published_at=asked.published_at,
        uncertainty_seconds=asked.uncertainty_seconds,
        source=asked.source,
        url="",
        entry=asked.entry,
        not_read=asked.not_read,
    )
    return (alone,)


def _counted(asked: Asked, number: int) -> tuple[int, int, int]:
    """Return what of found records the last item has: how many are in others too, how many are not, and earlier ones.

    Earlier are those in others, too, that were seen in this item before.
    """
    start = asked.question.items[-1].start
    found = [one for one in asked.matched.matching.findings if any(s >= start for s, _ in one.spans)]
    again = [one for one in found if any(s < start for s, _ in one.spans)]
    earlier = sum(asked.seen[one.subject, one.record].item == number for one in again)
    return len(again), len(found) - len(again), earlier
