"""What the writing of a text says of each served copy: draws of copies beside the reading that was fixed before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from registry.attribution.channel import RecordRead, SlotRead
from registry.attribution.decision import Circumstances, CopyBound, Tier, bound_of, tier_of
from registry.attribution.evalue import draws_for, e_value, verdict
from registry.attribution.outside import curve
from registry.attribution.pairs import PairBound, judge_pairs, pair_tier
from registry.domain.ids import EntryIndex, PrincipalId
from registry.leaktrace.canaries import CanaryEvidence
from registry.leaktrace.marked_copies import CopyEvidence, CurveLine, MarksEvidence, PairEvidence
from registry.marks.slots import PUBLIC, forms_of, is_digit
from registry.services.committed import committed_vector
from registry.services.mark_secrets import Draws
from registry.services.reading import WrittenValue
from registry.services.weighing import Weighed, version_in

# The exact test is run where it can matter: it costs thousands of times what an e-value does.
_WORTH_TESTING = 2.0
# What the e-value alone puts a thousandfold below the smallest bound of a tier needs no sharper one, which for a dump
# takes minutes. A test that is left out makes a bound larger, never smaller.
_BEYOND_TESTING = 1e9
_SEED_DIGITS = 8
_TOP_PRIOR = 0.9


@dataclass(frozen=True, slots=True)
class Judged:
    """What marks say, and what is wrong with the ledger's word on them.

    Attributes:
        evidence: of each account that was served a marked copy; None where none counts.
        broken: entries whose commitment is not to what their record's key draws.
    """

    evidence: MarksEvidence | None
    broken: tuple[EntryIndex, ...]


def attribute(draws: Draws, weighed: Weighed, *, uncapped: bool) -> Judged:
    """Compare what was drawn for each account with what was read.

    Args:
        draws: by which keys copies were drawn.
        weighed: the reading and the weights, both fixed in the ledger by now.
        uncapped: whether more than a lead may be stated: the ledger shows every copy of the people in question, and the
            budget of false flags is not spent.
    """
    fixed = weighed.fixed
    broken: set[EntryIndex] = set()
    last: list[dict[str, int]] = [{} for _ in fixed.written]
    records = [_record(draws, one, weighed, broken, entries) for one, entries in zip(fixed.written, last, strict=True)]
    accounts = sorted({account for record in records for account in record.drawn})
    if not accounts:
        return Judged(None, tuple(sorted(broken)))
    given = {str(account): share for account, share in weighed.weights.items()}
    seed = int(fixed.digest[:_SEED_DIGITS], 16)
    bounds = [_bound(records, account, given[account], seed) for account in accounts]
    points = curve(records, dict.fromkeys(accounts, 1.0), e_values={one.copy: one.verdict.e for one in bounds})
    top = next(point.copies for point in points if point.prior == _TOP_PRIOR)
    # Whoever had the secret that a copy was drawn by can write like it.
    forgeable = {account for entries in last for account, entry in entries.items() if entry < draws.seen_before}
    circumstances = Circumstances(uncapped=uncapped and not broken, posterior=top, forgeable=forgeable)
    pairs = judge_pairs(records, {one.copy: one.verdict.e for one in bounds}, given)
    people = _by_person(records, fixed.written)
    cards = {account: _agreeing_cards(people, account) for account in accounts}
    bounds = [CopyBound(one.copy, one.weight, one.verdict, one.bound, cards[one.copy]) for one in bounds]
    evidence = MarksEvidence(
        reading=fixed.digest,
        entry=fixed.entry,
        values=len(fixed.written),
        slots=sum(slot.read is not None for record in records for slot in record.slots),
        seed=seed,
        copies=tuple(_evidence(one, bounds, circumstances) for one in bounds),
        curve=tuple(
            CurveLine(point.prior, point.outside, {PrincipalId(name): share for name, share in point.copies.items()})
            for point in points
        ),
        pairs=_flagged(pairs, circumstances),
        pairs_compared=len(pairs),
        canaries=tuple(_canaries(records, fixed.written)),
    )
    return Judged(evidence, tuple(sorted(broken)))


def _record(
    draws: Draws, written: WrittenValue, weighed: Weighed, broken: set[EntryIndex], last: dict[str, int]
) -> RecordRead:
    """Put what was drawn for each account beside a reading; an account's last copy counts, as the last one it saw.

    Args:
        draws: by which keys copies were drawn.
        written: the reading.
        weighed: which copies count.
        broken: is added the entries whose commitment is to something else.
        last: is given the entry of each account's copy that counts.
    """
    slots = tuple(SlotRead(one.slot, one.forms, one.kept, one.read, one.has_public) for one in written.slots)
    drawn: dict[str, tuple[int, ...]] = {}
    for copy in weighed.counting(written):
        record, version = version_in(copy, written)
        held = copy.nonce, copy.committed.get(record, b"")
        vectors = (
            committed_vector(key.of_record(record, version), (copy.account, written.category, key.epoch), *held)
            for key in draws.keys((record, version), copy.entry)
        )
        vector = next((one for one in vectors if one is not None), None)
        if vector is None:
            broken.add(copy.entry)
            continue
        forms = forms_of(written.category, vector)
        if not all(one.slot in forms for one in written.slots):
            # From before it was a canary: this copy has the digits as enrolled, which were drawn for nobody.
            drawn.pop(copy.account, None)
            last.pop(copy.account, None)
            continue
        last[copy.account] = copy.entry
        drawn[copy.account] = tuple(one.classes[forms[one.slot] - 1] for one in written.slots)
    return RecordRead(slots, drawn)


def _canaries(records: Sequence[RecordRead], written: Sequence[WrittenValue]) -> Iterator[CanaryEvidence]:
    """Say of each canary's number whose copy has it: every digit, not some."""
    for record, one in zip(records, written, strict=True):
        digits = [place for place, slot in enumerate(record.slots) if is_digit(slot.name)]
        read = [record.slots[place].read for place in digits]
        if not digits or None in read:
            continue
        agreeing = [name for name, drawn in record.drawn.items() if [drawn[place] for place in digits] == read]
        yield CanaryEvidence(
            record=one.records[0],
            numbers=prod(record.slots[place].forms for place in digits),
            is_as_enrolled=read[0] == PUBLIC,
            compared=len(record.drawn),
            accounts=tuple(PrincipalId(name) for name in sorted(agreeing)),
        )


def _bound(records: Sequence[RecordRead], account: str, weight: float, seed: int) -> CopyBound:
    judged = verdict(records, account, seed=seed, draws=0)
    if _WORTH_TESTING <= judged.e * weight < _BEYOND_TESTING:
        draws = draws_for([record.slots for record in records if account in record.drawn])
        judged = verdict(records, account, seed=seed, draws=draws)
    return CopyBound(account, weight, judged, bound_of(judged, weight))


def _by_person(records: Sequence[RecordRead], written: Sequence[WrittenValue]) -> Sequence[Sequence[RecordRead]]:
    people: dict[str, list[RecordRead]] = {}
    for record, one in zip(records, written, strict=True):
        people.setdefault(one.subject, []).append(record)
    return list(people.values())


def _agreeing_cards(people: Sequence[Sequence[RecordRead]], account: str) -> int:
    """Count the people whose values speak for a copy by themselves."""
    count = 0
    for records in people:
        held = [record for record in records if account in record.drawn]
        # An e-value of nothing is one.
        if held:
            count += e_value([record.slots for record in held], [record.drawn[account] for record in held]) > 1.0
    return count


def _flagged(pairs: Sequence[PairBound], circumstances: Circumstances) -> tuple[PairEvidence, ...]:
    told = [
        PairEvidence(
            accounts=(PrincipalId(one.first), PrincipalId(one.second)),
            e=one.e,
            weight=one.weight,
            bound=one.bound,
            both=one.both,
            alone=(one.first_alone, one.second_alone),
            neither=one.neither,
            tier=pair_tier(one, uncapped=circumstances.may_lead_further(one.first, one.second)).value,
        )
        for one in pairs
    ]
    return tuple(one for one in told if one.tier != Tier.NONE)


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
        is_forgeable=one.copy in circumstances.forgeable,
    )
