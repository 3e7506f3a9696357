"""What the writing of a text says of each served copy: draws of copies beside the reading that was fixed before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from registry.attribution.channel import RecordRead, SlotRead
from registry.attribution.decision import Circumstances, CopyBound, bound_of, tier_of
from registry.attribution.evalue import DRAWS, e_value, verdict
from registry.attribution.outside import curve
from registry.attribution.weights import Holding, weights
from registry.domain.ids import PrincipalId, RecordId
from registry.leaktrace.copies import ServedCopy
from registry.leaktrace.marked_copies import CopyEvidence, CurveLine, MarksEvidence
from registry.marks.draw import MarkKey
from registry.marks.slots import forms_of
from registry.policy.decide import Form
from registry.services.reading import WrittenValue

# The exact test is run where it can matter: it costs thousands of times what an e-value does.
_WORTH_TESTING = 2.0
_SEED_DIGITS = 8
_DAY_SECONDS = 86_400
_SHORTEST_WINDOW = 30.0
_TOP_PRIOR = 0.9


def attribute(
    marks: MarkKey,
    reading: tuple[Sequence[WrittenValue], str, int],
    copies: Sequence[ServedCopy],
    *,
    published_at: datetime | None,
    complete: bool,
) -> MarksEvidence | None:
    """Compare what was drawn for each account with what was read.

    Args:
        marks: the key of the draws.
        reading: how the found values are written, its hash, and the entry that fixed it.
        copies: every served copy of a found value.
        published_at: first publication, as told; copies served later are left out.
        complete: whether the ledger shows every copy of the people in question.

    Returns:
        None where nothing was read, or nobody was served a marked copy.
    """
    written, digest, entry = reading
    before = [copy for copy in copies if published_at is None or copy.served_at <= published_at]
    records = [_record(marks, one, before) for one in written]
    accounts = sorted({account for record in records for account in record.drawn})
    if not accounts:
        return None
    # Fixed before any draw is compared: who held what, how long before, with a case or without one.
    given = _weights(before, written, published_at)
    seed = int(digest[:_SEED_DIGITS], 16)
    bounds = [_bound(records, account, given[account], seed) for account in accounts]
    points = curve(records, dict.fromkeys(accounts, 1.0))
    top = next(point.copies for point in points if point.prior == _TOP_PRIOR)
    circumstances = Circumstances(complete=complete, posterior=top)
    cards = {account: _agreeing_cards(records, written, account) for account in accounts}
    bounds = [CopyBound(one.copy, one.weight, one.verdict, one.bound, cards[one.copy]) for one in bounds]
    return MarksEvidence(
        reading=digest,
        entry=entry,
        values=len(written),
        slots=sum(slot.read is not None for record in records for slot in record.slots),
        seed=seed,
        copies=tuple(_evidence(one, bounds, circumstances) for one in bounds),
        curve=tuple(
            CurveLine(point.prior, point.outside, {PrincipalId(name): share for name, share in point.copies.items()})
            for point in points
        ),
    )


def _record(marks: MarkKey, written: WrittenValue, copies: Iterable[ServedCopy]) -> RecordRead:
    slots = tuple(SlotRead(one.slot, one.forms, one.kept, one.read, one.has_public) for one in written.slots)
    drawn: dict[str, tuple[int, ...]] = {}
    for copy in copies:
        versions: Mapping[RecordId, int] = {record: version for record, version, _ in copy.records}
        if copy.form != Form.MARKED or not set(written.records) <= set(versions):
            continue
        record = written.records[0]
        if versions[record] not in written.versions:
            continue
        vector = marks.of_record(record, versions[record]).vector(copy.account, written.category)
        forms = forms_of(written.category, vector)
        drawn[copy.account] = tuple(one.classes[forms[one.slot] - 1] for one in written.slots)
    return RecordRead(slots, drawn)


def _weights(
    copies: Sequence[ServedCopy], written: Sequence[WrittenValue], published_at: datetime | None
) -> dict[str, float]:
    """Share the allowed error out over all accounts that held something of the text, marked copies or not."""
    found = sorted({one.records[0] for one in written})
    last: dict[str, dict[str, ServedCopy]] = {}
    for copy in sorted(copies, key=lambda one: (one.served_at, one.entry)):
        for record, _, _ in copy.records:
            if record in found:
                last.setdefault(copy.account, {})[record] = copy
    earliest = min((copy.served_at for copy in copies), default=None)
    window = _SHORTEST_WINDOW
    if published_at is not None and earliest is not None:
        window = max(window, (published_at - earliest).total_seconds() / _DAY_SECONDS)
    holdings = {
        account: Holding(
            held=frozenset(held),
            size=1,  # how much an account looked up in all is not counted here: overlap alone ranks by what is held
            days={record: _days(copy, published_at) for record, copy in held.items()},
            explained={record: copy.case_given for record, copy in held.items()},
        )
        for account, held in last.items()
    }
    return weights(holdings, found, dict.fromkeys(found, 1.0), window)


def _days(copy: ServedCopy, published_at: datetime | None) -> float | None:
    return None if published_at is None else (published_at - copy.served_at).total_seconds() / _DAY_SECONDS


def _bound(records: Sequence[RecordRead], account: str, weight: float, seed: int) -> CopyBound:
    held = [record for record in records if account in record.drawn]
    e = e_value([record.slots for record in held], [record.drawn[account] for record in held])
    judged = verdict(records, account, seed=seed, draws=DRAWS if e * weight >= _WORTH_TESTING else 0)
    return CopyBound(account, weight, judged, bound_of(judged, weight))


def _agreeing_cards(records: Sequence[RecordRead], written: Sequence[WrittenValue], account: str) -> int:
    """Count the people whose values speak for a copy by themselves."""
    people = sorted({one.subject for one in written})
    count = 0
    for subject in people:
        held = [
            record
            for record, one in zip(records, written, strict=True)
            if one.subject == subject and account in record.drawn
        ]
        count += e_value([record.slots for record in held], [record.drawn[account] for record in held]) > 1.0
    return count


def _evidence(one: CopyBound, bounds: Sequence[CopyBound], circumstances: Circumstances) -> CopyEvidence:
    judged = one.verdict
    return CopyEvidence(
        account=PrincipalId(one.copy),
        e=judged.e,
        p=judged.p,
        weight=one.weight,
        bound=one.bound,
        draws=judged.draws,
        slots=judged.slots,
        agreeing=judged.agreeing,
        tier=tier_of(one, bounds, circumstances).value,
    )
