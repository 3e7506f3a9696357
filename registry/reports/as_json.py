"""The report as JSON: the stable shape that ``report.schema.json`` describes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from registry.domain.clock import iso
from registry.leaktrace import wording
from registry.leaktrace.copies import AccountCopies, CopyFacts, LabelledFinding
from registry.leaktrace.coverage import Coverage
from registry.leaktrace.evidence_items import EvidenceItem, NotRead
from registry.leaktrace.report_model import ExposureLine, LedgerCheck, TraceQuestion, TraceReport
from registry.leaktrace.report_shapes import CodesReport, FlagBudget, MarksReport, Reply, not_held


def report_document(report: TraceReport) -> dict[str, Any]:
    """Return the report as a JSON document: dicts, lists, strings, numbers, None. Times are RFC 3339 with a Z."""
    return {
        "schema": report.schema,
        "gaps": list(report.gaps),
        "first_line": report.first_line,
        "tier": {
            "label": report.tier.label.value,
            "wording": report.tier.wording,
            "reasons": list(report.tier.reasons),
        },
        "summary": list(report.summary),
        "question": _question(report.question),
        "people": [
            {"employee_number": person.employee_number, "findings": [_finding(item) for item in person.findings]}
            for person in report.people
        ],
        "accounts": _accounts(report, report.accounts),
        "marks": None if report.marks is None else _marks(report.marks),
        "codes": None if report.codes is None else _codes(report.codes),
        "budget": None if report.budget is None else _budget(report.budget),
        "coverage": None if report.coverage is None else _coverage(report.coverage),
        "replies": [_reply(one) for one in report.replies],
        "sightings": [
            {
                "at": iso(one.at),
                "said": one.said,
                "new_values": one.fresh,
                "seen_again": one.again,
                "continued_by": one.continued_by or None,
            }
            for one in report.sightings
        ],
        "not_distinguished": [
            {"held": list(part.held), "accounts": list(part.accounts)} for part in report.not_distinguished
        ],
        "own_views": _accounts(report, report.own_views),
        "after_publication": _accounts(report, report.after_publication),
        "unexplained": list(report.unexplained),
        "exposures": _exposures(report.exposures),
        "internal_opens": _exposures(report.internal_opens),
        "not_from_here": report.not_from_here,
        "outside": [
            {"kind": field.kind, "obtainable": field.obtainable, "where": field.where} for field in report.outside
        ],
        "unknown": list(report.unknown),
        "would_change": list(report.would_change),
        "must_not": list(report.must_not),
        "notes": _notes(),
        "ledger": _ledger(report.ledger),
    }


def _marks(marks: MarksReport) -> dict[str, Any]:
    return {
        "reading": marks.reading,
        "entry": marks.entry,
        "values_read": marks.values,
        "places_read": marks.slots,
        "seed": marks.seed,
        "copies": [
            {
                "account": line.label,
                "tier": line.evidence.tier,
                "bound": line.evidence.bound,
                "e": line.evidence.e,
                "p": line.evidence.p,
                "weight": line.evidence.weight,
                "draws": line.evidence.draws,
                "places": line.evidence.slots,
                "agreeing": line.evidence.agreeing,
                "forgeable": line.evidence.is_forgeable,
            }
            for line in marks.copies
        ],
        "pairs_compared": marks.pairs_compared,
        "pairs": [
            {
                "accounts": list(line.labels),
                "tier": line.evidence.tier,
                "bound": line.evidence.bound,
                "e": line.evidence.e,
                "weight": line.evidence.weight,
                "both": line.evidence.both,
                "alone": list(line.evidence.alone),
                "neither": line.evidence.neither,
            }
            for line in marks.pairs
        ],
        "canaries": [
            {
                "finding": one.finding,
                "numbers": one.evidence.numbers,
                "as_enrolled": one.evidence.is_as_enrolled,
                "compared": one.evidence.compared,
                "chance": one.evidence.chance,
                "accounts": list(one.accounts),
            }
            for one in marks.canaries
        ],
        "curve": [
            {
                "prior": prior,
                "outside": outside,
                "accounts": [{"account": one, "posterior": share} for one, share in rest],
            }
            for prior, outside, rest in marks.curve
        ],
    }


def _codes(codes: CodesReport) -> dict[str, Any]:
    return {
        "seen": codes.seen,
        "compared": codes.compared,
        "chance": codes.chance,
        "matches": [{"code": code, "entry": entry, "account": label} for code, entry, label in codes.matches],
    }


def _budget(budget: FlagBudget) -> dict[str, Any]:
    return {
        "investigations": budget.investigations,
        "limit": budget.limit,
        "each": budget.each,
        "expected": budget.expected,
        "spent": budget.is_spent,
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "people": coverage.people,
        "units": [{"unit": one.unit, "found": one.found, "enrolled": one.enrolled} for one in coverage.units],
        "in_other_units": coverage.in_other_units,
        "kinds": [{"kind": kind, "people": people} for kind, people in coverage.kinds],
        "tables": [
            {
                "rows": table.rows,
                "found_rows": table.found_rows,
                "columns": [
                    {
                        "number": column.number,
                        "filled": column.filled,
                        "holds": [{"kind": kind, "rows": rows} for kind, rows in column.holds],
                        "outside": column.is_outside,
                    }
                    for column in table.columns
                ],
            }
            for table in coverage.tables
        ],
    }


def findings_of(report: TraceReport) -> list[dict[str, Any]]:
    """Return all findings in one list: the core of the report for a program."""
    return [
        {"employee_number": person.employee_number, **_finding(item)}
        for person in report.people
        for item in person.findings
    ]


def candidates_of(report: TraceReport) -> list[dict[str, Any]]:
    """Return the accounts that were served found values no later than publication, under neutral labels, unranked."""
    return _accounts(report, report.accounts)


def _question(question: TraceQuestion) -> dict[str, Any]:
    return {
        "trace": question.trace,
        "asked_at": iso(question.asked_at),
        "text_sha256": question.text_sha256,
        "text_length": question.text_length,
        "published_at": _moment(question.published_at),
        "source": question.source,
        "engine": question.engine,
        "entry": question.entry,
        "uncertainty_seconds": question.uncertainty_seconds,
        "items": [_item(one) for one in question.items],
        "continues": question.continues,
        "not_read": _not_read(question.not_read),
    }


def _item(item: EvidenceItem) -> dict[str, Any]:
    return {
        "number": item.number,
        "start": item.start,
        "text_length": item.text_length,
        "text_sha256": item.text_sha256,
        "file_sha256": item.file_sha256 or None,
        "published_at": _moment(item.published_at),
        "uncertainty_seconds": item.uncertainty_seconds,
        "source": item.source,
        "url": item.url or None,
        "entry": item.entry,
        "later": item.is_later,
        "not_read": _not_read(item.not_read),
    }


def _not_read(parts: NotRead) -> list[dict[str, Any]]:
    return [{"what": what, "count": count} for what, count in parts]


def _reply(reply: Reply) -> dict[str, Any]:
    return {"by": reply.by.value, "account": reply.account or None, "at": iso(reply.at), "said": reply.text}


def _notes() -> dict[str, str]:
    return {
        "order": wording.NOT_RANKED,
        "labels": wording.LABELS_NOTE,
        "places": wording.PLACES_NOTE,
        "confidence": wording.CONFIDENCE_NOTE,
        "not_distinguished": wording.SAME_NOTE,
        "exposures": wording.EXPOSURES_NOTE,
        "internal_opens": wording.INTERNAL_OPENS_NOTE,
        "outside": wording.OUTSIDE_ASSUMPTION,
    }


def _ledger(ledger: LedgerCheck) -> dict[str, Any]:
    return {
        "origin": ledger.origin,
        "size": ledger.size,
        "root": ledger.root_hex,
        "chain_gaps": list(ledger.chain_gaps),
        "subjects_checked": ledger.subjects_checked,
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _finding(item: LabelledFinding) -> dict[str, Any]:
    found = item.found
    return {
        "label": item.label,
        "category": found.category.value,
        "kind": found.kind,
        "member": found.member,
        "confidence": found.confidence,
        "spans": [list(span) for span in found.spans],
        "reason": found.reason,
        "record": found.record,
        "versions": list(found.versions),
        "item": None if found.seen is None else found.seen.item,
    }


def _accounts(report: TraceReport, accounts: Iterable[AccountCopies]) -> list[dict[str, Any]]:
    labels = report.labels()
    return [
        {
            "label": account.label,
            "held": list(account.held),
            "not_held": list(not_held(labels, account)),
            "also": list(account.also),
            "copies": [_copy(copy) for copy in account.copies],
        }
        for account in accounts
    ]


def _copy(copy: CopyFacts) -> dict[str, Any]:
    return {
        "entry": copy.entry,
        "served_at": iso(copy.served_at),
        "seconds_before_publication": copy.seconds_before,
        "employee_number": copy.employee_number,
        "held": list(copy.held),
        "other_records": copy.other_records,
        "purpose": copy.purpose,
        "case_given": copy.case_given,
        "form": copy.form,
        "via": copy.via,
        "in_doubt": copy.in_doubt,
    }


def _exposures(lines: Iterable[ExposureLine]) -> list[dict[str, Any]]:
    return [
        {
            "kind": line.kind,
            "account": line.account,
            "at": iso(line.at),
            "entry": line.entry,
            "employee_number": line.employee_number,
            "note": line.note,
            "after_publication": line.after_publication,
        }
        for line in lines
    ]
