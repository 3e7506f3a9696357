"""A week's sample of lookups as a document: who, when, for what; no value."""

from __future__ import annotations

from typing import Any

from registry.api.render import receipt_document
from registry.domain.clock import from_unix_ms, iso
from registry.services.copies import account_of
from registry.services.read_audit import categories_of
from registry.services.review_sample import SampledLookup, WeekSample


def sample_document(found: WeekSample) -> dict[str, Any]:
    """Return a sample as it is answered."""
    return {
        "week": found.week.name,
        "due": iso(from_unix_ms(found.due_ms)),
        "overdue": found.is_overdue,
        "lookups": [_lookup(one) for one in found.lookups],
        "looked_at": found.looked_at,
        "of": found.of,
        "late": [{"week": week, "open": count} for week, count in found.late.items()],
        "receipt": receipt_document(found.receipt),
    }


def _lookup(one: SampledLookup) -> dict[str, Any]:
    said = one.entry.values or {}
    review = one.review
    return {
        "entry": one.entry.index,
        "at": iso(from_unix_ms(one.entry.unix_ms)),
        "principal": account_of(one.entry),
        "subject": said["subject"],
        "categories": list(categories_of(one.entry)),
        "purpose": {"code": said["purpose"], "case": said["case"] or None, "note": said["note"] or None},
        "finding": None if review is None else review.finding,
        "reviewer": None if review is None else review.reviewer,
        "reviewed_at": None if review is None else iso(from_unix_ms(review.reviewed_at)),
    }
