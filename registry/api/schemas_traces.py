"""Schemas of traces and of what becomes of their cases."""

from __future__ import annotations

from registry.api.brake_schemas import REASON
from registry.api.describe import ref
from registry.api.schema_parts import INDEX, Schema, closed, listed, nullable, text
from registry.domain.case_states import CaseState, PartKind, ReplyBy
from registry.services.evidence_items import MOST_ITEMS
from registry.services.trace import MAX_UNCERTAINTY_SECONDS

_FOUND = closed(
    {
        "employee_number": {"type": "string"},
        "category": ref("Category"),
        "kind": {"type": "string", "examples": ["phone:mobile"]},
        "member": nullable({"type": "string"}),
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "spans": listed(
            {"type": "array", "items": INDEX, "minItems": 2, "maxItems": 2},
        ),
        "reason": {"type": "string"},
    },
    description="`spans` are places in the text, `[start, end)` in code points.",
)
_STORED: dict[str, Schema] = {
    "trace": ref("Id"),
    "findings": {
        **listed({"type": "object"}),
        "description": "All decided findings in one list; each as in `report.people[].findings`, with its person.",
    },
    "candidates": {
        **listed({"type": "object"}),
        "description": "Accounts served found values before publication, as in `report.accounts`: unranked, unnamed.",
    },
    "report": ref("TraceReport"),
    "possible": {**listed(ref("Possible")), "description": "Weaker findings; never part of the conclusions."},
}
_LABEL: Schema = {"type": "string", "pattern": "^Account [1-9][0-9]{0,5}$", "description": "As in the report."}
_PASTED: Schema = {"type": "string", "minLength": 1, "description": "As pasted; at most 20 MiB of UTF-8."}
_PUBLISHED: Schema = {"type": "string", "format": "date-time", "description": "With an offset."}
_UNCERTAIN: Schema = {
    "type": "integer",
    "minimum": 0,
    "maximum": MAX_UNCERTAINTY_SECONDS,
    "description": "`published_at` may be so much too early or too late; needs it.",
}
_WHERE: Schema = {"type": "string", "maxLength": 300, "description": "Where it was seen."}
TRACE_SCHEMAS: dict[str, Schema] = {
    "TraceAsk": closed(
        {},
        {
            "text": _PASTED,
            "file": ref("File"),
            "items": {
                **listed(ref("EvidenceItemAsk"), MOST_ITEMS),
                "minItems": 1,
                "description": "Several texts as one case, each with its own time and source, and none beside them.",
            },
            "published_at": _PUBLISHED,
            "uncertainty_seconds": _UNCERTAIN,
            "source": _WHERE,
        },
        oneOf=[{"required": ["text"]}, {"required": ["file"]}, {"required": ["items"]}],
    ),
    "EvidenceItemAsk": closed(
        {"published_at": _PUBLISHED},
        {
            "text": _PASTED,
            "file": ref("File"),
            "url": {
                "type": "string",
                "format": "uri",
                "maxLength": 2_000,
                "description": "The page's address, http or https. It is printed in the report and never fetched.",
            },
            "uncertainty_seconds": _UNCERTAIN,
            "source": _WHERE,
        },
        anyOf=[{"required": ["text"]}, {"required": ["file"]}, {"required": ["url"]}],
    ),
    "AddedItem": closed(
        {
            "trace": ref("Id"),
            "part": INDEX,
            "state": ref("CaseState"),
            "new_values": {**INDEX, "description": "Found values that no earlier item has."},
            "seen_again": {**INDEX, "description": "Found values that an earlier item has; they add nothing."},
            "said": {"type": "string", "description": "As the report has it."},
            "continued_by": {**nullable(ref("Id")), "description": "The trace that goes on with the case."},
            "receipt": ref("Receipt"),
        }
    ),
    "Traced": closed({**_STORED, "receipt": ref("Receipt")}),
    "OpenedDraws": closed({"trace": ref("Id"), "record_versions": INDEX, "receipt": ref("Receipt")}),
    "NameAsk": closed({"account": _LABEL, "reason": REASON}),
    "NamedAccount": closed(
        {
            "trace": ref("Id"),
            "account": _LABEL,
            "principal": ref("Id"),
            "name": {"type": "string", "description": "As entries have it."},
            "reply_until": ref("Moment"),
            "receipt": ref("Receipt"),
        }
    ),
    "StoredTrace": closed(_STORED),
    "Possible": _FOUND,
    "TraceList": closed(
        {"traces": listed(closed({"trace": ref("Id"), "at": ref("Moment"), "state": ref("CaseState")}), 100)}
    ),
    "CaseState": {"enum": [state.value for state in CaseState], "description": "How the case of a trace stands."},
    "ReplyBy": {"enum": [by.value for by in ReplyBy], "description": "Who replies to a report."},
    "CaseNoteAsk": closed(
        {"text": text(4_000, "A note, or the reply in the words of who gave it; paragraphs.")},
        {"by": ref("ReplyBy"), "account": _LABEL},
        description="With `by` or `account` it is a reply; `account` alone means `account_holder`, which needs it.",
    ),
    "CaseStateAsk": closed({"state": ref("CaseState"), "reason": REASON}),
    "AddedToCase": closed({"trace": ref("Id"), "part": INDEX, "state": ref("CaseState"), "receipt": ref("Receipt")}),
    "RevealedText": closed(
        {
            "text": {"type": "string"},
            "state": ref("CaseState"),
            "parts": listed(
                closed(
                    {
                        "part": INDEX,
                        "kind": {"enum": [kind.value for kind in PartKind]},
                        "at": ref("Moment"),
                        "account": nullable(_LABEL),
                        "by": nullable(ref("ReplyBy")),
                        "text": {"type": "string"},
                        "content": {**nullable({"type": "string"}), "description": "Of an item that was added."},
                    }
                )
            ),
        }
    ),
}
