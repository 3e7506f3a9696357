"""A few lookups of each week, drawn by lot, that an auditor asks about.

The lot is the first entry after the week: its salts are nobody's choice, and it can be drawn again by whoever has the
ledger. So nobody chooses what is looked at, and nobody can know it while the week lasts. At most ``LOOKED_AT`` entries
of the week are looked at, in the order that the lot gives; a rare purpose in a busy week may not be among them.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import RELEASES, Kind
from registry.audit.ports import EntryReader
from registry.domain.clock import from_unix_ms
from registry.domain.errors import AccessDenied, Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import PrincipalId, SubjectId
from registry.domain.principals import Principal
from registry.domain.weeks import Week, week_before, week_of
from registry.policy.decide import CONFLICT_OF_INTEREST
from registry.services.copies import account_of
from registry.services.entry_reading import ReadEntry
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import Work
from registry.services.ports_policy import SampleReviewRow
from registry.services.read_audit import AUDITORS, ReadAudit
from registry.services.rerun import rerun_once
from registry.transparency.leaf import leaf_hash, parse_leaf

SAMPLE = 20  # lookups of a week, whatever their purposes
LEAST_EACH = 3  # of each purpose
LOOKED_AT = 1_000
DUE_MS = 14 * 86_400_000  # after the week's end
WEEKS_WATCHED = 4
_BATCH = 100
_DRAW_BYTES = 16
_DOMAIN = b"registry/review-sample/v1\0"
_SAMPLE = "sample"


class Finding(StrEnum):
    """What a reviewer says of a lookup."""

    FITS = "fits"
    DOES_NOT_FIT = "does_not_fit"
    ASKED = "asked"  # whoever looked was asked; what comes of it follows


@dataclass(frozen=True, slots=True)
class SampledLookup:
    """One lookup of the sample, and what was found of it; None as long as nobody has looked."""

    entry: ReadEntry
    review: SampleReviewRow | None

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to say whether it fits."""
        return self.review is None or self.review.finding == Finding.ASKED


@dataclass(frozen=True, slots=True)
class WeekSample:
    """A week's sample: without lookups of who asks. ``of`` entries of the week, ``looked_at`` were looked at."""

    week: Week
    due_ms: int
    is_overdue: bool
    lookups: tuple[SampledLookup, ...]
    looked_at: int
    of: int
    late: Mapping[str, int]  # weeks before that are overdue, with how many lookups are open
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of the lookup with this index."""

    lookup: int
    finding: Finding
    note: str = field(default="", repr=False)


class Waiting(NamedTuple):
    """How many lookups of the last week are open, and until when somebody has to say whether they fit."""

    lookups: int
    due_ms: int


@dataclass(frozen=True, slots=True)
class _Drawn:
    entries: tuple[ReadEntry, ...] = ()
    looked_at: int = 0
    of: int = 0


class ReviewSample:
    """Draws samples, and takes what reviewers find."""

    def __init__(self, kernel: Kernel, audit: ReadAudit) -> None:
        self._kernel = kernel
        self._audit = audit

    def last_week(self) -> Week:
        """Return the last week that is over."""
        return week_before(week_of(self._kernel.clock.now()))

    @rerun_once
    def sample(self, caller: Caller, week: Week) -> WeekSample:
        """List a week's sample. Reading it is an entry.

        Args:
            caller: an auditor.
            week: one that is over.

        Raises:
            AccessDenied: the caller is no auditor.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & AUDITORS:
                self._kernel.deny(work, principal, _SAMPLE)
            # It is after the week, so that there is an entry to draw by.
            values = said_by(principal) | {"request": week.name, "detail": _SAMPLE}
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.AUDIT_READ, values)])
            work.commit()
        receipt = view_of(self._kernel.mint_one(pending))
        now = self._kernel.now_ms()
        with self._kernel.database.read() as work:
            drawn = self._drawn(work.entries, week)
            lookups = self._sampled(work, drawn)
            own = self._own(work, principal, drawn.entries)
            late = self._late(work, week, now)
        due, shown = week.end_ms + DUE_MS, tuple(one for one in lookups if one.entry.index not in own)
        is_overdue = due <= now and any(one.is_open for one in lookups)
        return WeekSample(week, due, is_overdue, shown, drawn.looked_at, drawn.of, late, receipt)

    @rerun_once
    def review(self, caller: Caller, judgement: Judgement) -> tuple[SampleReviewRow, ReceiptView]:
        """Say whether a lookup of a sample fits its purpose.

        Raises:
            AccessDenied: the caller is no auditor, or the lookup is their own, under whatever account.
            NotFound: it is no lookup of a sample.
            Conflict: ``decided``: somebody has said so.
        """
        looked = self._look(judgement.lookup)
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & AUDITORS:
                self._kernel.deny(work, principal, "review of the sample")
            if looked is None:
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.REVIEW, {"result": "not_found"}))
                raise NotFound
            subjects = tuple(work.subjects.lock([SubjectId((looked.values or {})["subject"])]))
            if self._own(work, principal, [looked]):
                self._refuse_own(work, principal, judgement.lookup)
            work.ledger.lock_head()
            before = work.sample_reviews.of([looked.index]).get(looked.index)
            detail = f"of entry {looked.index}"
            if before is not None and before.finding != Finding.ASKED:
                draft = EntryDraft(Kind.REVIEW, {"result": "refused decided", "detail": detail})
                self._kernel.note_refusal(work, principal, draft)
                raise Conflict("decided")
            row = SampleReviewRow(looked.index, judgement.finding.value, principal.id, self._kernel.now_ms())
            work.sample_reviews.put(row)
            said = {"request": f"lookup {looked.index}", "result": row.finding, "note": judgement.note}
            draft = EntryDraft(Kind.REVIEW, said_by(principal) | said | {"detail": detail}, subjects)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        return row, view_of(self._kernel.mint_one(pending))

    def late(self) -> Mapping[str, int]:
        """Return the weeks whose reviews are overdue, with how many lookups are open; for whoever watches it."""
        with self._kernel.database.read() as work:
            return self._late(work, week_of(self._kernel.clock.now()), self._kernel.now_ms())

    def waiting(self) -> Waiting:
        """Count the open lookups of the last week that is over; for the page that says what waits."""
        week = self.last_week()
        with self._kernel.database.read() as work:
            lookups = self._sampled(work, self._drawn(work.entries, week))
        return Waiting(sum(one.is_open for one in lookups), week.end_ms + DUE_MS)

    def _late(self, work: Work, before: Week, now: int) -> Mapping[str, int]:
        found, week = {}, before
        for _ in range(WEEKS_WATCHED):
            week = week_before(week)
            if week.end_ms + DUE_MS <= now:
                lookups = self._sampled(work, self._drawn(work.entries, week))
                found[week.name] = sum(one.is_open for one in lookups)
        return {name: count for name, count in found.items() if count}

    def _sampled(self, work: Work, drawn: _Drawn) -> tuple[SampledLookup, ...]:
        reviews = work.sample_reviews.of(entry.index for entry in drawn.entries)
        return tuple(SampledLookup(entry, reviews.get(entry.index)) for entry in drawn.entries)

    def _look(self, index: int) -> ReadEntry | None:
        """Return an entry when it is in the sample of its week, and the week is over."""
        with self._kernel.database.reader() as reader:
            rows = reader.entries([index])
            if not rows:
                return None
            week = week_of(from_unix_ms(parse_leaf(rows[0].leaf).unix_ms))
            return next((one for one in self._drawn(reader, week).entries if one.index == index), None)

    def _own(self, work: Work, principal: Principal, entries: Sequence[ReadEntry]) -> set[int]:
        """Return the lookups that are the principal's own, under whatever account."""
        accounts = {entry.index: account_of(entry) or PrincipalId("") for entry in entries}
        rows = work.principals.by_ids(accounts.values())
        own = {one for one, row in rows.items() if self._kernel.is_same_person(principal, row)}
        return {index for index, account in accounts.items() if account in own}

    def _refuse_own(self, work: Work, principal: Principal, lookup: int) -> None:
        values = said_by(principal) | {
            "result": f"denied {CONFLICT_OF_INTEREST}",
            "rules": self._kernel.policy.rules("review.own"),
            "detail": f"review of entry {lookup}",
        }
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.DENY, values)])
        work.commit()
        raise AccessDenied(CONFLICT_OF_INTEREST, self._kernel.mint_one(pending).index)

    def _drawn(self, reader: EntryReader, week: Week) -> _Drawn:
        size = reader.head().size
        stop = _first_from(reader, week.end_ms, size)
        if stop == size:
            return _Drawn()  # nothing came after the week yet, so that nothing can be drawn by
        start = _first_from(reader, week.start_ms, stop)
        seed = sha256(_DOMAIN + week.name.encode() + leaf_hash(reader.entries([stop])[0].leaf)).digest()
        order = list(_order(seed, range(start, stop)))
        chosen: list[ReadEntry] = []
        by_purpose: Counter[str] = Counter()
        for first in range(0, len(order), _BATCH):
            rows = {row.index: row for row in reader.entries(order[first : first + _BATCH])}
            for index in order[first : first + _BATCH]:
                if index not in rows:
                    raise LedgerCorrupt("it is missing", index)
                entry = self._audit.read(rows[index]) if parse_leaf(rows[index].leaf).kind in RELEASES else None
                purpose = "" if entry is None else _purpose(entry)
                if entry is not None and purpose and (len(chosen) < SAMPLE or by_purpose[purpose] < LEAST_EACH):
                    chosen.append(entry)
                    by_purpose[purpose] += 1
        return _Drawn(tuple(sorted(chosen, key=lambda one: one.index)), len(order), stop - start)


def _purpose(entry: ReadEntry) -> str:
    """Return what a lookup was for; empty for a person's view of their own card, or when its opening was removed."""
    purpose = (entry.values or {}).get("purpose", "")
    return "" if purpose == "own_record" else purpose


def _order(seed: bytes, among: range) -> Iterator[int]:
    """Yield indexes in the order of the lot, each once, ``LOOKED_AT`` at most."""
    seen: set[int] = set()
    draw = 0
    while len(seen) < min(len(among), LOOKED_AT):
        lot = int.from_bytes(hmac.digest(seed, draw.to_bytes(8, "big"), "sha256")[:_DRAW_BYTES], "big")
        index = among[lot % len(among)]  # of 128 bits: no index is likelier than another by anything that shows
        draw += 1
        if index not in seen:
            seen.add(index)
            yield index


def _first_from(reader: EntryReader, unix_ms: int, stop: int) -> int:
    """Return the index of the first entry of a moment or later, below ``stop``; ``stop`` when there is none."""
    low, high = 0, stop
    while low < high:
        middle = (low + high) // 2
        if parse_leaf(reader.entries([middle])[0].leaf).unix_ms < unix_ms:
            low = middle + 1
        else:
            high = middle
    return low
