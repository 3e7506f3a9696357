"""From what marks say to the report: neutral labels, and the strongest tier that they carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from registry.domain.ids import PrincipalId
from registry.leaktrace import wording, wording_pairs
from registry.leaktrace.canaries import label_canary
from registry.leaktrace.copies import LabelledFinding
from registry.leaktrace.marked_copies import TIERS, LabelledEvidence, LabelledPair, MarksEvidence, PairEvidence
from registry.leaktrace.report_shapes import MarksReport, TierLabel, TierStatement


def label_marks(
    marks: MarksEvidence, labels: Mapping[PrincipalId, str], findings: Iterable[LabelledFinding]
) -> MarksReport:
    """Put the report's labels in the place of accounts, in the order of the labels, which is no ranking."""
    named = {one.found.record: one.label for one in findings if one.found.record is not None}
    lines = [LabelledEvidence(labels[one.account], one) for one in marks.copies]
    return MarksReport(
        reading=marks.reading,
        entry=marks.entry,
        values=marks.values,
        slots=marks.slots,
        seed=marks.seed,
        copies=tuple(sorted(lines, key=lambda one: _number(one.label))),
        curve=tuple((line.prior, line.outside, _by_label(line.accounts, labels)) for line in marks.curve),
        pairs=tuple(
            sorted((_pair(one, labels) for one in marks.pairs), key=lambda one: tuple(map(_number, one.labels)))
        ),
        pairs_compared=marks.pairs_compared,
        canaries=tuple(label_canary(one, named, labels) for one in marks.canaries),
    )


def tier_of_marks(marks: MarksReport) -> TierStatement | None:
    """Return what marks carry, when they carry anything."""
    best = max(marks.copies, key=lambda one: (TIERS.index(one.evidence.tier), -one.evidence.bound), default=None)
    if best is None or best.evidence.tier == TierLabel.NONE:
        return None
    others = [one.label for one in marks.copies if one.evidence.tier == best.evidence.tier and one is not best]
    label = TierLabel(best.evidence.tier)
    told = wording.strong_tier(best.label, top=label is TierLabel.ATTRIBUTED)
    if label is TierLabel.LEAD:
        told = wording.LEAD
    reasons = [wording.bound_reason(best.label, best.evidence.bound), wording.slots_reason(best.label, best.evidence)]
    if others:
        reasons.append(wording.others_too(others))
    if best.evidence.is_forgeable:
        reasons.append(wording.secret_seen(best.label))
    return TierStatement(label, told, (*reasons, wording.BOUND_EXCLUDES))


def tier_of_pairs(marks: MarksReport) -> TierStatement | None:
    """Return what two copies together carry: a statement about the pair, by which neither account may be named."""
    best = max(marks.pairs, key=lambda one: (TIERS.index(one.evidence.tier), -one.evidence.bound), default=None)
    if best is None or best.evidence.tier == TierLabel.NONE:
        return None
    label = TierLabel(best.evidence.tier)
    told = wording.LEAD if label is TierLabel.LEAD else wording_pairs.pair_tier(best.labels)
    reasons = [wording_pairs.pair_reason(best.labels, best.evidence.bound), wording_pairs.pair_places(best)]
    others = [one.labels for one in marks.pairs if one.evidence.tier == best.evidence.tier and one is not best]
    if others:
        reasons.append(wording_pairs.other_pairs_too(others))
    return TierStatement(label, told, (*reasons, wording_pairs.PAIR_NAMES_NOBODY, wording.BOUND_EXCLUDES))


def _pair(one: PairEvidence, labels: Mapping[PrincipalId, str]) -> LabelledPair:
    """Put labels in the place of a pair's accounts, the lower number first."""
    first, second = (labels[account] for account in one.accounts)
    if _number(first) < _number(second):
        return LabelledPair((first, second), one)
    turned = replace(one, accounts=(one.accounts[1], one.accounts[0]), alone=(one.alone[1], one.alone[0]))
    return LabelledPair((second, first), turned)


def _by_label(shares: Mapping[PrincipalId, float], labels: Mapping[PrincipalId, str]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(((labels[one], share) for one, share in shares.items()), key=lambda one: _number(one[0])))


def _number(label: str) -> int:
    return int(label.rsplit(" ", 1)[-1])
