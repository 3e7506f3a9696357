"""What is told when its time comes: to subjects, once a day, how often they were looked up; to approvers and auditors,
that the review of an emergency is late.

A digest is counted from the ledger itself, so that a lookup leaves nothing more behind, and none is left out.
"""  # noqa: D205 - one thought

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.audit.ports import EntryReader
from registry.domain.ids import EventId, SubjectId
from registry.domain.principals import Role
from registry.services.brakes import DAY_MS, day_of
from registry.services.disclose import OWN_RECORD
from registry.services.holds_in_force import HoldsInForce, in_force
from registry.services.kernel import Kernel
from registry.services.notices import LookUps, Notice, NoticeKind, ToRole, ToSubject, queue
from registry.services.ports_break_glass import BreakGlassRow
from registry.services.ports_notices import MarkRow
from registry.services.rerun import rerun_once
from registry.transparency.leaf import parse_leaf

DIGEST, REVIEWS = "digest", "reviews"
_CHUNK = 2_000

_Counts = dict[SubjectId, Counter[tuple[str, str]]]


class Digests:
    """Queues what is due. For a thread of a server to call every minute; several processes do it once."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def make_due(self) -> int:
        """Queue digests of the days before today, and reminders; returns how many notices there were.

        Raises:
            AuditUnavailable: the ledger takes no entry; it is done the next time.
        """
        if not self._kernel.outlets.channels:
            return 0
        return self._digests() + self._reminders()

    def _digests(self) -> int:
        today = day_of(self._kernel.now_ms())
        with self._kernel.database.read() as work:
            mark = work.notice_marks.get(DIGEST)
        if mark is None:
            self._begin(today)
            return 0
        if mark.day >= today:
            return 0
        with self._kernel.database.reader() as reader:
            counts, through = self._counted(reader, mark.through, today * DAY_MS)
        return self._queue(mark, MarkRow(DIGEST, today, through), counts)

    @rerun_once
    def _begin(self, today: int) -> None:
        """Begin with what comes from now on: nobody is told of years at once."""
        with self._kernel.database.write() as work:
            size = work.ledger.lock_head().size
            if work.notice_marks.get(DIGEST) is None:
                work.notice_marks.put(MarkRow(DIGEST, today, size))
                work.commit()

    def _counted(self, reader: EntryReader, start: int, before_ms: int) -> tuple[_Counts, int]:
        """Count lookups from an index on and before a time; returns the index that the next digest begins at."""
        counts: _Counts = {}
        size = reader.head().size
        for at in range(start, size, _CHUNK):
            for row in reader.scan(at, min(size, at + _CHUNK)):
                leaf = parse_leaf(row.leaf)
                if leaf.unix_ms >= before_ms:
                    return counts, row.index
                opening = self._kernel.log.opening(row) if leaf.kind == Kind.DISCLOSE else None
                if opening is not None and opening.values["purpose"] != OWN_RECORD:
                    what = (opening.values["purpose"], opening.values["organization"])
                    for subject in opening.values["subject"].split():
                        counts.setdefault(SubjectId(subject), Counter())[what] += 1
        return counts, size

    @rerun_once
    def _queue(self, known: MarkRow, mark: MarkRow, counts: Mapping[SubjectId, Counter[tuple[str, str]]]) -> int:
        with self._kernel.database.write() as work:
            # Of several processes one holds the head; the others then find its mark.
            work.ledger.lock_head()
            if work.notice_marks.get(DIGEST) != known:
                return 0
            values = {"result": "queued", "detail": f"entries {known.through} to {mark.through} people {len(counts)}"}
            draft = EntryDraft(Kind.DIGEST, values)
            if counts:
                self._kernel.log.append(work.ledger, [draft])
            holds = in_force(self._kernel, work)
            notices = [one for subject in sorted(counts) for one in _told(subject, counts[subject], draft.event, holds)]
            queue(work, self._kernel, notices)
            work.notice_marks.put(mark)
            work.commit()
        return len(notices)

    def _reminders(self) -> int:
        now = self._kernel.now_ms()
        with self._kernel.database.read() as work:
            mark = work.notice_marks.get(REVIEWS)
            late = _late(work.break_glass.unreviewed(), mark, now)
        return self._remind(mark, now) if late else 0

    @rerun_once
    def _remind(self, known: MarkRow | None, now: int) -> int:
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            if work.notice_marks.get(REVIEWS) != known:
                return 0
            late = _late(work.break_glass.unreviewed(), known, now)
            events = [EventId(row.event) for row in work.entries.entries(sorted(row.entry for row in late))]
            notices = [
                Notice(NoticeKind.BREAK_GLASS_REVIEW_DUE, ToRole(role), None, event)
                for event in events
                for role in (Role.APPROVER, Role.AUDITOR)
            ]
            queue(work, self._kernel, notices)
            work.notice_marks.put(MarkRow(REVIEWS, day_of(now), now))
            work.commit()
        return len(notices)


def _late(rows: Sequence[BreakGlassRow], mark: MarkRow | None, now: int) -> list[BreakGlassRow]:
    """Return the emergencies whose review became late since a mark."""
    since = 0 if mark is None else mark.through
    return [row for row in rows if since < row.review_by <= now]


def _told(subject: SubjectId, counted: Counter[tuple[str, str]], event: EventId, holds: HoldsInForce) -> list[Notice]:
    """Return a subject's digest, in two when a part of it is held back: the rest goes out as if there were no other."""
    parts: dict[int, list[LookUps]] = {}
    for (purpose, unit), count in sorted(counted.items()):
        parts.setdefault(holds.until(subject, [purpose]), []).append(LookUps(purpose, unit, count))
    return [
        Notice(NoticeKind.DIGEST, ToSubject(subject), subject, event, tuple(told), until)
        for until, told in sorted(parts.items())
    ]
