"""Leak traces: paste a text, read what was found, take the report and the evidence away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import OFFSETS, SOURCE_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render
from registry.domain.case_states import CaseState, ReplyBy
from registry.domain.ids import TraceId, is_id
from registry.leaktrace.naming import may_be_named
from registry.reports.as_html import render_html, style_source
from registry.reports.as_pdf import render_pdf
from registry.reports.for_bundle import reports_for_bundle
from registry.reports.layout import lay_out
from registry.services.match import INVESTIGATORS
from registry.services.trace import MAX_UNCERTAINTY_SECONDS, StoredTrace, TraceAsk

MAX_TEXT_BYTES = 5 << 20
# A pasted text is percent-escaped or comes beside a file; the text itself is measured again.
_MAX_BODY_BYTES = MAX_TEXT_BYTES + (1 << 20)
# What the page shows of a report; the rest is in the report itself.
_SECTIONS = frozenset({"result", "replies", "sightings", "items", "must-not", "found", "accounts", "unknown"})
# Whose words are added to a case: the investigator's own, or somebody's who replies.
NOTE = "note"
REPLIERS = (
    (NOTE, "a note of my own"),
    (ReplyBy.ACCOUNT_HOLDER.value, "the reply of an account's holder"),
    (ReplyBy.SUBJECT.value, "the reply of a person whose values were found"),
    (ReplyBy.UNIT.value, "the reply of an account's unit"),
    (ReplyBy.OTHER.value, "the reply of somebody else"),
)
_TEXT_FILES = (".txt", ".text", ".md", ".csv", ".log")


def traces(ask: Ask) -> Response:
    """Show the form for a new trace and the list of own traces."""
    return _traces_page(ask, Form())


def trace(ask: Ask) -> Response:
    """Run a trace and go to its page: the address holds its id, the page no value."""
    checks = Checks(ask.form)
    text = _text(ask.form, checks)
    published_at = checks.moment("published_at", "Time of publication")
    source = checks.optional("source", "Source", SOURCE_RULE)
    if published_at is not None and published_at > ask.application.kernel.clock.now():
        checks.refuse("published_at", "Time of publication is in the future.")
    minutes = 0
    if ask.form.text("uncertainty"):
        minutes = checks.number("uncertainty", "Give or take", MAX_UNCERTAINTY_SECONDS // 60)
        if published_at is None:
            checks.refuse("published_at", "Say when it was first seen, too.")
    if checks.errors:
        return _traces_page(ask, ask.form, tuple(checks.errors))
    asked = TraceAsk(text, published_at, source, uncertainty_seconds=minutes * 60)
    traced = ask.application.trace.trace(ask.caller, asked)
    ask.session.notice = (
        f"The trace is done. Its receipt is {traced.receipt.code}, entry {traced.receipt.index} of the ledger."
    )
    return RedirectResponse(f"/console/traces/{traced.trace}", 303)


def report(ask: Ask) -> Response:
    """Show what a trace found, in the report's own words."""
    return report_page(ask, Form())


def report_html(ask: Ask) -> Response:
    """Show the whole report: a page of its own that brings its own style and needs nothing else."""
    stored = _stored(ask)
    policy = f"default-src 'none'; style-src {style_source()}; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy}
    return Response(render_html(stored.report), 200, headers, "text/html; charset=utf-8")


def report_pdf(ask: Ask) -> Response:
    """Give the report as a PDF file."""
    return Response(render_pdf(_stored(ask).report), 200, _attached("report.pdf"), "application/pdf")


def evidence(ask: Ask) -> Response:
    """Give the evidence bundle."""
    application = ask.application
    bundle = application.trace.evidence(ask.caller, trace_of(ask.request), application.evidence, reports_for_bundle)
    return Response(bundle, 200, _attached("evidence.zip"), "application/zip")


def text_of(ask: Ask) -> Response:
    """Show the pasted text again: an entry of its own, and never by a link."""
    trace = trace_of(ask.request)
    told = ask.application.trace.reveal(ask.caller, trace)
    return render(ask.request, "trace_text", title="Text of the trace", trace=trace, told=told)


def report_page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    """Return the page of a trace, with what somebody entered in its forms and what is wrong with that."""
    stored = _stored(ask)
    document = lay_out(stored.report)
    sections = [section for section in document.sections if section.anchor in _SECTIONS]
    facts: dict[str, Any] = {"document": document, "sections": sections, "possible": len(stored.possible)}
    facts |= {"form": form, "errors": errors, "choices": _accounts(stored)}
    facts["repliers"], facts["offsets"] = REPLIERS, OFFSETS
    facts["states"] = [(state.value, state.value) for state in CaseState]
    facts |= {"has_draws": stored.judged is not None, "trace": trace_of(ask.request)}
    return render(ask.request, "trace", 422 if errors else 200, title="Trace", **facts)


def label_of(number: int) -> str:
    """Return the label of the account with this number in a report."""
    return f"Account {number}"


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown("/console/traces", traces, Gate(INVESTIGATORS, "list traces")),
        submitted("/console/traces", trace, Gate(INVESTIGATORS, "trace"), _MAX_BODY_BYTES),
        shown("/console/traces/{trace}", report, Gate(INVESTIGATORS, "report")),
        shown("/console/traces/{trace}/report.html", report_html, Gate(INVESTIGATORS, "report")),
        shown("/console/traces/{trace}/report.pdf", report_pdf, Gate(INVESTIGATORS, "report")),
        shown("/console/traces/{trace}/evidence.zip", evidence, Gate(INVESTIGATORS, "report")),
        submitted("/console/traces/{trace}/text", text_of, Gate(INVESTIGATORS, "reveal text")),
    ]


def _traces_page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    rows = ask.application.trace.listing(ask.caller)
    facts: dict[str, Any] = {"title": "Traces", "form": form, "errors": errors, "rows": rows, "offsets": OFFSETS}
    return render(ask.request, "traces", 422 if errors else 200, **facts)


def _text(form: Form, checks: Checks) -> str:
    pasted, upload = form.raw("text"), form.upload("file")
    has_text, has_file = bool(pasted.strip()), bool(upload.content)
    if has_text == has_file:
        checks.refuse("text", "Paste a text or choose a file, one of the two.")
        return ""
    if has_text:
        if len(pasted.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
            checks.refuse("text", "The text is larger than 5 MB.")
        return pasted
    if len(upload.content) > MAX_TEXT_BYTES:
        checks.refuse("file", "The file is larger than 5 MB.")
    if not upload.name.lower().endswith(_TEXT_FILES):
        checks.refuse("file", "The file is not a text file (.txt).")
        return ""
    try:
        return upload.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        checks.refuse("file", "The file is not UTF-8 text.")
        return ""


def trace_of(request: Request) -> TraceId:
    """Return the trace's id. A text that is no id becomes one that nothing has: it goes the way of unknown ones."""
    text = str(request.path_params["trace"])
    return TraceId(text if is_id(text) else "0" * 32)


def _stored(ask: Ask) -> StoredTrace:
    return ask.application.trace.get(ask.caller, trace_of(ask.request))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _accounts(stored: StoredTrace) -> list[tuple[int, str]]:
    """Return number and label of each account that may be named: an id in a page has no space in it."""
    numbers = sorted(int(label.rpartition(" ")[2]) for label in may_be_named(stored.report))
    return [(number, label_of(number)) for number in numbers]
