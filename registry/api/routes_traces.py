"""Tracing a leaked text, and giving the report to the investigator who asked. Reports hold places, never values."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_traces as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.bodies import read_reason
from registry.api.problems import json_answer
from registry.api.render import receipt_document, receipted
from registry.api.trace_asks import MAX_TRACE_BODY, read_item, read_trace
from registry.api.trace_bodies import (
    added_document,
    added_item_document,
    named_document,
    opened_document,
    read_name,
    read_note,
    read_state,
    revealed_document,
)
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import TraceId
from registry.leaktrace.report_model import FoundValue
from registry.reports.as_html import render_html, style_source
from registry.reports.as_json import candidates_of, findings_of, report_document
from registry.reports.as_pdf import render_pdf
from registry.reports.as_text import render_text
from registry.reports.for_bundle import reports_for_bundle
from registry.services.match import INVESTIGATORS
from registry.services.trace import StoredTrace

router = APIRouter()

TraceBody = Annotated[Ask, Depends(json_body(INVESTIGATORS, "trace", MAX_TRACE_BODY))]
ListAsk = Annotated[Ask, Depends(without_body(INVESTIGATORS, "list traces"))]
ReportAsk = Annotated[Ask, Depends(without_body(INVESTIGATORS, "report"))]
DrawsAsk = Annotated[Ask, Depends(json_body(INVESTIGATORS, "open draws"))]
NamesAsk = Annotated[Ask, Depends(json_body(INVESTIGATORS, "name account"))]
NotesAsk = Annotated[Ask, Depends(json_body(INVESTIGATORS, "case note"))]
StateAsk = Annotated[Ask, Depends(json_body(INVESTIGATORS, "case state"))]
ItemBody = Annotated[Ask, Depends(json_body(INVESTIGATORS, "add item", MAX_TRACE_BODY))]
RevealAsk = Annotated[Ask, Depends(without_body(INVESTIGATORS, "reveal text"))]


@router.post("/v1/traces", **described.TRACE.options())
def trace(ask: TraceBody) -> Response:
    traced = ask.application.trace.trace(ask.caller, read_trace(ask.document(), today=ask.today))
    document = {
        "trace": traced.trace,
        **_stored(traced.stored),
        "receipt": receipt_document(traced.receipt),
    }
    headers = {"Location": f"/v1/traces/{traced.trace}", "Audit-Receipt": traced.receipt.header}
    return json_answer(document, 201, headers)


@router.get("/v1/traces", **described.TRACES.options())
def traces(ask: ListAsk) -> Response:
    rows = ask.application.trace.listing(ask.caller)
    return json_answer(
        {
            "traces": [
                {"trace": row.id, "at": iso(from_unix_ms(row.created_at)), "state": row.state.value} for row in rows
            ]
        }
    )


@router.get("/v1/traces/{trace}", **described.REPORT.options())  # noqa: FAST003 - Ask.path_id reads it
def report(ask: ReportAsk) -> Response:
    identifier = ask.path_id("trace", TraceId)
    return json_answer({"trace": identifier, **_stored(ask.application.trace.get(ask.caller, identifier))})


@router.get("/v1/traces/{trace}/report.html", **described.REPORT_HTML.options())  # noqa: FAST003 - Ask.path_id reads it
def report_html(ask: ReportAsk) -> Response:
    stored = ask.application.trace.get(ask.caller, ask.path_id("trace", TraceId))
    # The page brings its own style and needs nothing else.
    policy = f"default-src 'none'; style-src {style_source()}; base-uri 'none'; frame-ancestors 'none'"
    return Response(
        render_html(stored.report), 200, {"Content-Security-Policy": policy}, media_type="text/html; charset=utf-8"
    )


@router.get("/v1/traces/{trace}/report.txt", **described.REPORT_TXT.options())  # noqa: FAST003 - Ask.path_id reads it
def report_txt(ask: ReportAsk) -> Response:
    stored = ask.application.trace.get(ask.caller, ask.path_id("trace", TraceId))
    return Response(render_text(stored.report), 200, media_type="text/plain; charset=utf-8")


@router.get("/v1/traces/{trace}/report.pdf", **described.REPORT_PDF.options())  # noqa: FAST003 - Ask.path_id reads it
def report_pdf(ask: ReportAsk) -> Response:
    stored = ask.application.trace.get(ask.caller, ask.path_id("trace", TraceId))
    return Response(render_pdf(stored.report), 200, _attached("report.pdf"), media_type="application/pdf")


@router.get("/v1/traces/{trace}/evidence.zip", **described.EVIDENCE.options())  # noqa: FAST003 - Ask.path_id reads it
def evidence(ask: ReportAsk) -> Response:
    application, identifier = ask.application, ask.path_id("trace", TraceId)
    bundle = application.trace.evidence(ask.caller, identifier, application.evidence, reports_for_bundle)
    return Response(bundle, 200, _attached("evidence.zip"), media_type="application/zip")


@router.post("/v1/traces/{trace}/reveal", **described.REVEAL.options())  # noqa: FAST003 - Ask.path_id reads it
def reveal(ask: RevealAsk) -> Response:
    return json_answer(revealed_document(ask.application.trace.reveal(ask.caller, ask.path_id("trace", TraceId))))


@router.post("/v1/traces/{trace}/items", **described.ITEMS.options())  # noqa: FAST003 - Ask.path_id reads it
def add_item(ask: ItemBody) -> Response:
    identifier = ask.path_id("trace", TraceId)
    later = ask.application.later_items.add(ask.caller, identifier, read_item(ask.document(), today=ask.today))
    return receipted(added_item_document(identifier, later), later.added.receipt)


@router.post("/v1/traces/{trace}/notes", **described.NOTES.options())  # noqa: FAST003 - Ask.path_id reads it
def add_note(ask: NotesAsk) -> Response:
    identifier, service = ask.path_id("trace", TraceId), ask.application.trace
    who, text = read_note(ask.document(), today=ask.today)
    caller = ask.caller
    added = service.reply(caller, identifier, who, text) if who else service.file.note(caller, identifier, text)
    return receipted(added_document(identifier, added), added.receipt)


@router.post("/v1/traces/{trace}/state", **described.STATE.options())  # noqa: FAST003 - Ask.path_id reads it
def set_state(ask: StateAsk) -> Response:
    identifier = ask.path_id("trace", TraceId)
    state, reason = read_state(ask.document(), today=ask.today)
    added = ask.application.trace.file.set_state(ask.caller, identifier, state, reason)
    return receipted(added_document(identifier, added), added.receipt)


@router.post("/v1/traces/{trace}/draws", **described.DRAWS.options())  # noqa: FAST003 - Ask.path_id reads it
def open_draws(ask: DrawsAsk) -> Response:
    identifier = ask.path_id("trace", TraceId)
    opened = ask.application.trace.open_draws(ask.caller, identifier, read_reason(ask.document(), today=ask.today))
    return receipted(opened_document(identifier, opened), opened.receipt)


@router.post("/v1/traces/{trace}/names", **described.NAMES.options())  # noqa: FAST003 - Ask.path_id reads it
def name_account(ask: NamesAsk) -> Response:
    identifier = ask.path_id("trace", TraceId)
    named = ask.application.trace.name(ask.caller, identifier, read_name(ask.document(), today=ask.today))
    return receipted(named_document(identifier, named), named.receipt)


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _stored(stored: StoredTrace) -> dict[str, Any]:
    return {
        "findings": findings_of(stored.report),
        "candidates": candidates_of(stored.report),
        "report": report_document(stored.report),
        "possible": [_possible(found) for found in stored.possible],
    }


def _possible(found: FoundValue) -> dict[str, Any]:
    return {
        "employee_number": found.employee_number,
        "category": found.category.value,
        "kind": found.kind,
        "member": found.member,
        "confidence": found.confidence,
        "spans": [list(span) for span in found.spans],
        "reason": found.reason,
    }
