"""What a drill found: how often the copy that a text was made from was named, and how often another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.leaktrace.report_shapes import TierLabel, TraceReport

_STRONG = (TierLabel.STRONG, TierLabel.ATTRIBUTED)


@dataclass(frozen=True, slots=True)
class Round:
    """One leak of a drill.

    Attributes:
        channel: how it was carried on.
        values: found values of those that were leaked, in parts of one.
        tier: what is said of the copies that it was made from; ``none`` when it was made from none.
        bound: of those copies; 1 where none.
        rank: of their account among all by bound, from 1; None when there is none, or nothing was read.
        wrong_leads, wrong_flags: other accounts that are called a lead, or more than that.
    """

    channel: str
    values: float
    tier: str
    bound: float
    rank: int | None
    wrong_leads: int
    wrong_flags: int


def score(channel: str, report: TraceReport, truth: frozenset[int], leaked: int) -> Round:
    """Compare a report with what really happened.

    Args:
        channel: how the text came to be.
        report: of the trace.
        truth: entries of the copies that the text was made from; none when it came from elsewhere.
        leaked: how many values the text has.
    """
    entries = {account.label: {copy.entry for copy in account.copies} for account in report.accounts}
    lines = [] if report.marks is None else sorted(report.marks.copies, key=lambda one: one.evidence.bound)
    own = [one for one in lines if truth & entries.get(one.label, set())]
    others = [one.evidence.tier for one in lines if one not in own]
    return Round(
        channel=channel,
        values=min(1.0, sum(len(person.findings) for person in report.people) / leaked),
        tier=own[0].evidence.tier if own else TierLabel.NONE.value,
        bound=own[0].evidence.bound if own else 1.0,
        rank=1 + lines.index(own[0]) if own else None,
        wrong_leads=others.count(TierLabel.LEAD.value),
        wrong_flags=sum(tier in _STRONG for tier in others),
    )


def summary(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """Return the figures of each channel, in the order in which they were tried."""
    return [
        _of_channel(channel, [one for one in rounds if one.channel == channel])
        for channel in dict.fromkeys(one.channel for one in rounds)
    ]


def _of_channel(channel: str, rounds: Sequence[Round]) -> dict[str, Any]:
    ranks = [one.rank for one in rounds if one.rank is not None]
    return {
        "channel": channel,
        "rounds": len(rounds),
        "values_found": sum(one.values for one in rounds) / len(rounds),
        "flagged": sum(one.tier in _STRONG for one in rounds),
        "leads": sum(one.tier == TierLabel.LEAD for one in rounds),
        "first": ranks.count(1),
        "mean_rank": sum(ranks) / len(ranks) if ranks else None,
        "bounds": [one.bound for one in rounds],
        "wrong_leads": sum(one.wrong_leads for one in rounds),
        "wrong_flags": sum(one.wrong_flags for one in rounds),
    }
