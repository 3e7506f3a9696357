"""OpenAPI links: what an answer leads to. Enrolled leads to changes and lookups, a lookup to its entry."""

from __future__ import annotations

from typing import Any

from registry.api.describe import link

_SUBJECT = "$response.body#/subject"
_TRACE = "$response.body#/trace"
_PURPOSE = {"code": "emergency_contact"}


def _lookups(subject: str) -> dict[str, Any]:
    card = {"subject": subject, "categories": ["home_address", "phone"]}
    return {
        "lookup": link("disclose", "Look the subject up.", body={**card, "purpose": _PURPOSE}),
        "lookups": link("discloseBatch", "Look up several.", body={"items": [card], "purpose": _PURPOSE}),
    }


def _entry() -> dict[str, Any]:
    what = "The entry is the first of this page, unless the page is of another kind."
    return {"entry": link("listEntries", what, before="$response.body#/receipt/size")}


AFTER_ENROLLING = {
    **_lookups(_SUBJECT),
    **_entry(),
    "change": link("updateSubject", "Change the subject.", subject=_SUBJECT),
    "search": link("searchSubjects", "Find the subject.", body={"employee_number": "$request.body#/employee_number"}),
}
AFTER_CHANGING = {**_lookups(_SUBJECT), **_entry(), "change": link("updateSubject", "Change again.", subject=_SUBJECT)}
AFTER_SEARCHING = {
    **_lookups("$response.body#/hits/0/subject"),
    **_entry(),
    "change": link("updateSubject", "Change the first hit.", subject="$response.body#/hits/0/subject"),
}
AFTER_LOOKUP = _entry()
AFTER_PAGE = {"next": link("listEntries", "Older entries.", before="$response.body#/entries/0/index")}

AFTER_REPORT = {"entry": link("listEntries", "The newest of these entries.", before="$response.body#/receipt/size")}


def _reports(trace: str) -> dict[str, Any]:
    return {
        "report": link("getTrace", "The report.", trace=trace),
        "page": link("getTraceReportHtml", "The report as a page.", trace=trace),
        "plain": link("getTraceReportText", "The report as plain text.", trace=trace),
        "pdf": link("getTraceReportPdf", "The report as a document.", trace=trace),
        "evidence": link("getTraceEvidence", "The evidence bundle.", trace=trace),
        "text": link("revealTracedText", "The text that was pasted.", trace=trace),
    }


AFTER_TRACING = {**_reports(_TRACE), **_entry()}
AFTER_LISTING_REQUESTS = {
    "request": link("getRequest", "What the newest asks for.", request="$response.body#/requests/0/request"),
    "approve": link("approveRequest", "Approve it.", request="$response.body#/requests/0/request", body={}),
    "refuse": link("refuseRequest", "Refuse it.", request="$response.body#/requests/0/request", body={}),
}
AFTER_WAITING = {"request": link("getRequest", "The request.", request="$response.body#/request")}
AFTER_LISTING_GLASS = {
    "emergency": link("getBreakGlass", "Whom the first is about.", glass="$response.body#/break_glass/0/id"),
    "review": link(
        "reviewBreakGlass",
        "Review the first.",
        glass="$response.body#/break_glass/0/id",
        body={"finding": "justified", "note": "Dispatch log 77 confirms the call"},
    ),
}
AFTER_LISTING_TRACES = _reports("$response.body#/traces/0/trace")
