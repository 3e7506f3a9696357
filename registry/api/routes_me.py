"""A subject's own view: which records and marks there are, and who looked. Values come by POST only."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_me as described
from registry.api.asking import Ask, without_body
from registry.api.render import receipted
from registry.domain.clock import from_unix_ms, iso
from registry.services.entry_reading import ReadEntry
from registry.services.read_audit import SUBJECTS, OwnRecord, categories_of, names_recipient, recipient_of

router = APIRouter()

RecordsAsk = Annotated[Ask, Depends(without_body(SUBJECTS, "own records"))]
AccountingAsk = Annotated[Ask, Depends(without_body(SUBJECTS, "accounting"))]


@router.get("/v1/me/records", **described.RECORDS.options())
def own_records(ask: RecordsAsk) -> Response:
    subject, records, receipt = ask.application.audit.own_records(ask.caller)
    document = {
        "subject": subject.id,
        "version": subject.version,
        "records": [_record(record) for record in records],
    }
    return receipted(document, receipt)


@router.get("/v1/me/accounting", **described.ACCOUNTING.options())
def accounting(ask: AccountingAsk) -> Response:
    page = ask.application.audit.accounting(ask.caller)
    document = {
        "entries": [_entry(entry) for entry in page.entries],
    }
    return receipted(document, page.receipt)


def _record(record: OwnRecord) -> dict[str, Any]:
    mark = record.mark
    return {
        "record": record.record,
        "category": record.category.value,
        "version": record.version,
        "confidentiality": None if mark is None else mark.tier.value,
        "starts_on": None if mark is None else mark.starts_on,
        "ends_on": None if mark is None else mark.ends_on,
        "review_on": None if mark is None else mark.review_on,
    }


def _entry(entry: ReadEntry) -> dict[str, Any]:
    """Write one line of the accounting: never a rule, case or note, which may speak of other people."""
    values = entry.values or {}
    is_named = names_recipient(entry)
    return {
        "index": entry.index,
        "at": iso(from_unix_ms(entry.unix_ms)),
        "kind": entry.kind,
        "recipient": recipient_of(entry),
        "unit": values.get("organization") or None if is_named else None,
        "purpose": values.get("purpose") or None,
        "result": values.get("result") or None if is_named else None,
        "form": values.get("form") or None,
        "categories": list(categories_of(entry)) if is_named else [],
    }
