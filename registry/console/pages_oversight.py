"""What an auditor watches beside the ledger: the week's sample, the policies in force, what one account did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import REASON_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render, with_receipt
from registry.console.words import purpose_choices
from registry.domain.clock import unix_ms
from registry.domain.ids import PrincipalId, is_id
from registry.domain.weeks import Week, week_before, week_named
from registry.services.leaver_report import REPORT_READERS, ReportAsk, told
from registry.services.read_audit import AUDITORS
from registry.services.review_sample import Finding, Judgement

SAMPLE = "/console/sample"
REPORT = "/console/report"
PAGE_ENTRIES = 100
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_NO_ENTRY = 10**15


def sample(ask: Ask) -> Response:
    """Show the sample of a week that is over."""
    return _sample_page(ask, Form())


def judge(ask: Ask) -> Response:
    """Take what a reviewer finds of one lookup."""
    checks = Checks(ask.form)
    finding = checks.one("finding", "Choose what you find.", Finding)
    rule = REASON_RULE
    is_fit = finding is Finding.FITS
    note = checks.optional("note", "Note", rule) if is_fit else checks.required("note", "Note", rule)
    if checks.errors or finding is None:
        return _sample_page(ask, ask.form, tuple(checks.errors))
    text = str(ask.request.path_params["index"])
    index = int(text) if _NUMBER.fullmatch(text) else _NO_ENTRY
    _, receipt = ask.application.review_sample.review(ask.caller, Judgement(index, finding, note))
    week = week_named(ask.form.text("week"))
    return ask.done(f"Entry {index} is reviewed.", receipt, SAMPLE if week is None else f"{SAMPLE}?week={week.name}")


def policy(ask: Ask) -> Response:
    """Show which policies are in force, since when, and what each purpose opens."""
    kernel = ask.application.kernel
    kernel.note_read(ask.caller, AUDITORS, "policies")
    changes = ask.application.policy_changes.listing()
    facts: dict[str, Any] = {
        "title": "Policies in force",
        "changes": changes,
        "purposes": purpose_choices(ask.application.kernel.policy),
    }
    return render(ask.request, "policy", **facts, version=kernel.policy.version)


def report(ask: Ask) -> Response:
    """Show what one account did and saw since a day."""
    query = ask.request.query_params
    form = Form({name: [query[name]] for name in ("principal", "since") if name in query})
    checks = Checks(form)
    if not form.fields:
        return _report_page(ask, form)
    principal = checks.required("principal", "Account", lambda text: None if is_id(text) else "id_form")
    since = _day(form.text("since"))
    if since is None:
        checks.refuse("since", "Since is not a date, such as 2026-03-02.")
    if checks.errors or since is None:
        return _report_page(ask, form, tuple(checks.errors))
    before = query.get("before", "")
    start = int(before) if _NUMBER.fullmatch(before) else None
    since_ms = unix_ms(datetime(since.year, since.month, since.day, tzinfo=UTC))
    wanted = ReportAsk(PrincipalId(principal), since_ms, start, PAGE_ENTRIES)
    page = ask.application.leaver_report.page(ask.caller, wanted)
    facts: dict[str, Any] = {"title": "Report on an account", "form": form, "page": page}
    facts |= {"lines": [told(entry) for entry in page.entries], "audits": bool(ask.principal.roles & AUDITORS)}
    return with_receipt(render(ask.request, "report", **facts), page.receipt)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown(SAMPLE, sample, Gate(AUDITORS, "sample")),
        submitted(f"{SAMPLE}/{{index}}", judge, Gate(AUDITORS, "review of the sample")),
        shown("/console/policy", policy, Gate(AUDITORS, "policies")),
        shown(REPORT, report, Gate(REPORT_READERS, "report of a principal")),
    ]


def _sample_page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    service = ask.application.review_sample
    found = service.sample(ask.caller, _week(ask, service.last_week()))
    facts: dict[str, Any] = {"title": "Weekly sample", "found": found, "form": form, "errors": errors}
    facts |= {"wrong": str(ask.request.path_params.get("index", "")), "findings": list(Finding)}
    facts |= {"earlier": week_before(found.week).name, "now": ask.application.kernel.now_ms()}
    return with_receipt(render(ask.request, "sample", 422 if errors else 200, **facts), found.receipt)


def _week(ask: Ask, last: Week) -> Week:
    """Return the week that was asked for when it is over, else the last one that is."""
    named = week_named(ask.form.text("week") or ask.request.query_params.get("week", ""))
    return named if named is not None and named.start_ms <= last.start_ms else last


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _report_page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    facts: dict[str, Any] = {"title": "Report on an account", "form": form, "errors": errors, "page": None}
    return render(ask.request, "report", 422 if errors else 200, **facts)
