"""OpenAPI descriptions of the routes of routes_traces."""

from __future__ import annotations

from registry.api.describe import Answer, Body, Operation, path_id
from registry.api.describe_links import AFTER_LISTING_TRACES, AFTER_TRACING
from registry.api.describe_requests import NEEDS_ANOTHER
from registry.api.samples import (
    ADDED_ITEM,
    ADDED_TO_CASE,
    NAMED_ACCOUNT,
    OPENED_DRAWS,
    REVEALED_TEXT,
    STORED_TRACE,
    TRACED,
    TRACES_LIST,
)

_ID = (path_id("trace", "The trace's id, from `POST /v1/traces`."),)
_READING = "Role `investigator`, and only who ran the trace. Reading it is an entry."

TRACE = Operation(
    id="traceText",
    tag="traces",
    summary="Find out which protected values occur in a text, and who was shown them before",
    description=(
        "Role `investigator`. The text, or that of a document in `file` (txt, csv, tsv, json, html, eml, docx, "
        "xlsx, pdf, and images where tesseract is installed), is matched against the registry; values are opened for "
        "comparison under entries without a recipient. The answer shows places in the text, categories and employee "
        "numbers, never a value that was not in the text. `published_at` (when the text was first seen in public) "
        "parts copies that could be the source from later ones; with `uncertainty_seconds`, copies served up to so "
        "much later stay possible sources. `items` are several texts, documents or pages of one case, each with its "
        "own time: each is matched by itself and an entry of its own, and a value counts in the first that has it. "
        "`report` never names anybody: accounts are numbered, and 'not from here' is always one of the explanations."
    ),
    status=201,
    also=NEEDS_ANOTHER,
    answer=Answer("The trace.", "Traced", ("Location", "Audit-Receipt"), example=TRACED, links=AFTER_TRACING),
    body=Body(
        "TraceAsk",
        {
            "a post": {
                "text": "He lives at 1234 Example Rd Apt 5, call 816 555 0123",
                "published_at": "2026-03-02T18:30:00Z",
                "uncertainty_seconds": 1800,
                "source": "forum, thread 12",
            },
            "two posts": {
                "items": [
                    {"text": "call 816 555 0123", "published_at": "2026-03-02T18:30:00Z", "source": "forum, thread 12"},
                    {
                        "text": "He lives at 1234 Example Rd Apt 5",
                        "published_at": "2026-03-03T06:00:00Z",
                        "uncertainty_seconds": 1800,
                        "url": "https://board.example/12",
                    },
                ]
            },
        },
    ),
)

TRACES = Operation(
    id="listTraces",
    tag="traces",
    summary="List the caller's own traces",
    description="Role `investigator`. Ids and times of the newest 100.",
    answer=Answer("The list.", "TraceList", example=TRACES_LIST, links=AFTER_LISTING_TRACES),
)

REPORT = Operation(
    id="getTrace",
    tag="traces",
    summary="Give a trace's report again",
    description=_READING,
    answer=Answer("The report.", "StoredTrace", example=STORED_TRACE),
    errors=(404,),
    parameters=_ID,
)

REPORT_HTML = Operation(
    id="getTraceReportHtml",
    tag="traces",
    summary="Give a trace's report as a page",
    description=f"{_READING} One self-contained accessible page: no script, nothing loaded.",
    answer=Answer("The page.", media_type="text/html"),
    errors=(404,),
    parameters=_ID,
)

REPORT_TXT = Operation(
    id="getTraceReportText",
    tag="traces",
    summary="Give a trace's report as plain text",
    description=f"{_READING} For a terminal or a mail.",
    answer=Answer("The text.", media_type="text/plain"),
    errors=(404,),
    parameters=_ID,
)

REPORT_PDF = Operation(
    id="getTraceReportPdf",
    tag="traces",
    summary="Give a trace's report as PDF",
    description=f"{_READING} Tagged (PDF/UA-1) and fit for archives (PDF/A-2a).",
    answer=Answer("The PDF.", None, ("Content-Disposition",), "application/pdf"),
    errors=(404,),
    parameters=_ID,
)

EVIDENCE = Operation(
    id="getTraceEvidence",
    tag="traces",
    summary="Give the evidence bundle of a trace",
    description=(
        f"{_READING} A zip with the signed checkpoint, the entries that the report rests on with their inclusion "
        "proofs and openings, the report in three forms, and a verifier that runs with Python's standard library "
        "alone, without this server."
    ),
    also=NEEDS_ANOTHER,
    answer=Answer("The bundle.", None, ("Content-Disposition",), "application/zip"),
    errors=(404,),
    parameters=_ID,
)

DRAWS = Operation(
    id="openTraceDraws",
    tag="traces",
    summary="Open what was drawn for all copies, for a defence",
    description=(
        f"{_READING} Opens the keys of the record versions whose writing the trace read, so that an expert can compute "
        "every copy's draw and every account's figures; the bundle has them from then on, with the accounts' ids. "
        "These versions are drawn anew from now on, and copies of before count in no later trace. An act of two people "
        "where an agency has said so (`draws`)."
    ),
    also=NEEDS_ANOTHER,
    answer=Answer("What was opened.", "OpenedDraws", ("Audit-Receipt",), example=OPENED_DRAWS),
    body=Body("ReasonAsk", {"a defence": {"reason": "asked for by counsel, hearing of 4 May"}}),
    errors=(404, 409),
    parameters=_ID,
)

NAMES = Operation(
    id="nameTracedAccount",
    tag="traces",
    summary="Name the account behind a label of a report",
    description=(
        f"{_READING} Only of a label that the report calls `strong` or more (409 `below_strong`), and always once "
        "another person has approved exactly this, whatever `dual_control` says; nobody approves what is about "
        "themselves. Who has the account is told, finds the entry in their accounting and may dispute it; nothing is "
        "to follow from the report alone, nor before `reply_until`. The report itself keeps its labels."
    ),
    also=NEEDS_ANOTHER,
    answer=Answer("The account.", "NamedAccount", ("Audit-Receipt",), example=NAMED_ACCOUNT),
    body=Body("NameAsk", {"an account": {"account": "Account 3", "reason": "hearing of 4 May, agreed with counsel"}}),
    errors=(404, 409),
    parameters=_ID,
)

NOTES = Operation(
    id="addTraceNote",
    tag="traces",
    summary="Add a note to a trace's case, or what somebody replied to its report",
    description=(
        "Role `investigator`, and only who ran the trace. Sealed like the text; an entry. With `account`, a label "
        "of the report, it is the reply of who has that account: the report prints it from then on, and an open case "
        "becomes `answered`. A closed case takes no note (409 `closed`), but a reply always."
    ),
    answer=Answer("What was added.", "AddedToCase", ("Audit-Receipt",), example=ADDED_TO_CASE),
    body=Body("CaseNoteAsk", {"a reply": {"text": "The card was for the call of 2 March.", "account": "Account 3"}}),
    errors=(404, 409),
    parameters=_ID,
)

STATE = Operation(
    id="setTraceState",
    tag="traces",
    summary="Say how a trace's case stands",
    description=(
        "Role `investigator`, and only who ran the trace; an entry, with the reason sealed. `open`, `answered` and "
        "`closed` follow one another; a closed case is opened again first (409 `closed`). 409 `exists`: it stands so."
    ),
    answer=Answer("How it stands.", "AddedToCase", ("Audit-Receipt",), example={**ADDED_TO_CASE, "state": "closed"}),
    body=Body("CaseStateAsk", {"the end": {"state": "closed", "reason": "not to be told apart from outside sources"}}),
    errors=(404, 409),
    parameters=_ID,
)

ITEMS = Operation(
    id="addItem",
    tag="traces",
    summary="Add an item that was seen later",
    description=(
        "Role `investigator`, and only who ran the trace. What is new in it is judged with everything before, in a "
        "trace of its own that goes on with the case (`continued_by`) and counts as an investigation of its own; the "
        "case that it was added to is closed. Where nothing is new it is kept with the case and adds no weight: the "
        "same values seen again are copies of copies. 409 `closed`: the case is, or another trace goes on with it; "
        "409 `too_many`: a case has 20 items at most."
    ),
    also=NEEDS_ANOTHER,
    answer=Answer("What followed.", "AddedItem", ("Audit-Receipt",), example=ADDED_ITEM),
    body=Body(
        "EvidenceItemAsk",
        {
            "a copy of the post": {
                "text": "call 816 555 0123",
                "published_at": "2026-03-04T09:00:00Z",
                "uncertainty_seconds": 3600,
                "url": "https://board.example/12",
            }
        },
    ),
    errors=(404, 409),
    parameters=_ID,
)

REVEAL = Operation(
    id="revealTracedText",
    tag="traces",
    summary="Give back the text that was pasted, and what was added to the case",
    description=f"{_READING} An entry of its own kind, since the text holds protected values.",
    answer=Answer("The text.", "RevealedText", example=REVEALED_TEXT),
    errors=(404,),
    parameters=_ID,
)
