"""What a receipt code carries, with and without the writing, and under a ledger with a gap."""

from __future__ import annotations

import pytest

from registry.domain.ids import EntryIndex, PrincipalId, new_id
from registry.leaktrace.codes_report import tier_of_codes
from registry.leaktrace.marked_copies import CopyEvidence, LabelledEvidence
from registry.leaktrace.report_shapes import CodesReport, MarksReport, TierLabel

CODES = CodesReport(1, 4, 1e-11, (("K7QF-2M9D", EntryIndex(7), "Account 1"),))


def marks(e: float, agreeing: int, tier: str) -> MarksReport:
    evidence = CopyEvidence(PrincipalId(new_id()), e, min(1.0, 1 / e), 0.5, min(1.0, 2 / e), 0, 4, agreeing, tier)
    return MarksReport("0" * 64, 3, 1, 4, 0, (LabelledEvidence("Account 1", evidence),), ())


@pytest.mark.parametrize(
    ("written", "complete", "tier"),
    [
        (None, True, TierLabel.LEAD),
        (marks(0.2, 1, "none"), True, TierLabel.LEAD),
        (marks(999.0, 4, "lead"), True, TierLabel.LEAD),
        (marks(1_001.0, 4, "lead"), True, TierLabel.STRONG),
        (marks(1e9, 4, "strong"), True, TierLabel.STRONG),
        (marks(1e9, 4, "strong"), False, TierLabel.LEAD),
    ],
)
def test_the_tier(written: MarksReport | None, complete: bool, tier: TierLabel) -> None:
    assert tier_of_codes(CODES, written, uncapped=complete).label is tier


def test_codes_of_two_accounts_share_the_allowed_error() -> None:
    both = CodesReport(2, 4, 1e-11, (*CODES.matches, ("0000-0000", EntryIndex(9), "Account 2")))
    assert tier_of_codes(both, marks(1_001.0, 4, "lead"), uncapped=True).label is TierLabel.LEAD
    stated = tier_of_codes(both, marks(2_001.0, 4, "lead"), uncapped=True)
    assert stated.label is TierLabel.STRONG
    assert "Account 1" in stated.wording
    assert sum("stands in the text" in reason for reason in stated.reasons) == 2
