"""From receipt codes in a text to the report: neutral labels, and the tier that they and the writing carry."""

from __future__ import annotations

from collections.abc import Mapping

from registry.domain.ids import PrincipalId
from registry.leaktrace import wording
from registry.leaktrace.marked_copies import CopyEvidence
from registry.leaktrace.receipt_codes import CodesEvidence
from registry.leaktrace.report_shapes import CodesReport, MarksReport, TierLabel, TierStatement

# What the tier means: of a thousand texts in which the copy had no part, one at most.
STRONG_CHANCE = 1e-3


def label_codes(codes: CodesEvidence, labels: Mapping[PrincipalId, str]) -> CodesReport:
    """Put the report's labels in the place of accounts."""
    matches = tuple((one.code, one.entry, labels[one.account]) for one in codes.matches)
    return CodesReport(codes.seen, codes.compared, codes.chance, matches)


def strong_by_codes(codes: CodesReport, marks: MarksReport | None, *, uncapped: bool) -> list[str]:
    """Return the labels whose code and writing together carry ``strong``; arguments as those of ``tier_of_codes``."""
    written = {} if marks is None else {one.label: one.evidence for one in marks.copies}
    labels = list(dict.fromkeys(label for _, _, label in codes.matches))
    return [
        label
        for label in labels
        if uncapped and label in written and _is_strong(written[label], STRONG_CHANCE / len(labels))
    ]


def _is_strong(written: CopyEvidence, chance: float) -> bool:
    # Codes are made by the secret that copies are drawn by: whoever had that one can make both.
    return written.p <= chance and not written.is_forgeable


def tier_of_codes(codes: CodesReport, marks: MarksReport | None, *, uncapped: bool) -> TierStatement:
    """Return what codes carry.

    A code can be copied from a screen or a sheet of paper by anybody who sees it, and put under a text that comes from
    elsewhere: alone it carries a lead. It singles one account out, though, before the writing is looked at, so that the
    writing's chance under that account's draw needs no share of the allowed error. Whoever puts a colleague's code
    under a copy of their own thus reaches ``strong`` no oftener than that tier allows.

    Args:
        codes: at least one match.
        marks: what the writing says, if anything.
        uncapped: whether more than a lead may be stated: the ledger shows every copy, and the year's budget of false
            flags is not spent.
    """
    written = {} if marks is None else {one.label: one.evidence for one in marks.copies}
    reasons = [wording.code_reason(code, entry, label) for code, entry, label in codes.matches]
    reasons.append(wording.code_chance(codes.chance))
    strong = strong_by_codes(codes, marks, uncapped=uncapped)
    if not strong:
        return TierStatement(TierLabel.LEAD, wording.LEAD, (*reasons, wording.CODE_ALONE))
    for label in strong:
        reasons += [wording.slots_reason(label, written[label]), wording.written_chance(label, written[label].p)]
    if strong[1:]:
        reasons.append(wording.others_too(strong[1:]))
    return TierStatement(TierLabel.STRONG, wording.code_tier(strong[0]), (*reasons, wording.BOUND_EXCLUDES))
