"""Whose account may be named: those that a report calls strong or more, and no other."""

from __future__ import annotations

from registry.domain.ids import EntryIndex
from registry.leaktrace.codes_report import strong_by_codes
from registry.leaktrace.report_shapes import TierLabel, TraceReport

_NAMED_FROM = frozenset({TierLabel.STRONG, TierLabel.ATTRIBUTED})


def may_be_named(report: TraceReport) -> frozenset[str]:
    """Return the labels of accounts that the report's own tier is about; empty for a lead or none."""
    if report.tier.label not in _NAMED_FROM:
        return frozenset()
    marked = () if report.marks is None else report.marks.copies
    labels = {one.label for one in marked if one.evidence.tier in _NAMED_FROM}
    uncapped = not report.gaps and not (report.budget is not None and report.budget.is_spent)
    if report.codes is not None:
        labels |= set(strong_by_codes(report.codes, report.marks, uncapped=uncapped))
    return frozenset(labels)


def labels_of(report: TraceReport) -> frozenset[str]:
    """Return the labels of all accounts that a report speaks of."""
    listed = [one.label for group in (report.accounts, report.own_views, report.after_publication) for one in group]
    return frozenset(listed) | {one.account for one in report.exposures if one.account is not None}


def entry_of_copy(report: TraceReport, label: str) -> EntryIndex | None:
    """Return the entry of an account's first copy; None where it may not be named."""
    if label not in may_be_named(report):
        return None
    return next((one.copies[0].entry for one in report.accounts if one.label == label), None)
