"""What a canary's digits in a text say: whose copy has them, and how often they agree by accident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from registry.domain.ids import PrincipalId, RecordId


@dataclass(frozen=True, slots=True)
class CanaryEvidence:
    """One canary's number in a text.

    Attributes:
        record: the canary's record.
        numbers: so many numbers of its range are given to copies, each as likely as any other.
        is_as_enrolled: the text has the enrolled number, which no marked copy has.
        compared: accounts whose copies had a number drawn for them.
        accounts: those of them that were drawn the number of the text.
    """

    record: RecordId
    numbers: int
    is_as_enrolled: bool
    compared: int
    accounts: tuple[PrincipalId, ...]

    @property
    def chance(self) -> float:
        """The chance, at most, that the number is that of any compared copy by accident."""
        return min(1.0, self.compared / self.numbers)


@dataclass(frozen=True, slots=True)
class LabelledCanary:
    """One canary under the labels of a report: its finding and the accounts."""

    finding: str
    accounts: tuple[str, ...]
    evidence: CanaryEvidence


def label_canary(
    one: CanaryEvidence, findings: Mapping[RecordId, str], labels: Mapping[PrincipalId, str]
) -> LabelledCanary:
    """Put the report's labels in the place of a record and of accounts."""
    return LabelledCanary(findings[one.record], tuple(sorted(labels[account] for account in one.accounts)), one)
