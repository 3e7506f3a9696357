"""Made-up examples for the OpenAPI document. Numbers are ones that nobody has: 555 lines, SSNs of area 000."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

import registry
from registry.domain.ids import EntryIndex, TraceId
from registry.leaktrace.report_model import build_report
from registry.leaktrace.report_shapes import LedgerCheck, TraceEvidence, TraceQuestion
from registry.leaktrace.wording import sighting
from registry.reports.as_json import report_document


def _id(number: int) -> str:
    return f"{number:032x}"


ORIGIN = "registry.invalid/0123456789ab/e1"
RECEIPT: dict[str, Any] = {"origin": ORIGIN, "index": 17, "size": 18, "code": "K7QF-2M9D"}

ENROLLMENT: dict[str, Any] = {
    "employee_number": "KC-004211",
    "given_name": "Dana",
    "family_name": "O'Neil",
    "department": "Police",
    "title": "Officer",
    "family": [{"ref": "c1", "relation": "child", "given_name": "Mia", "family_name": "O'Neil"}],
    "records": [
        {
            "category": "home_address",
            "value": {"line": "1234 Example Rd Apt 5, Kansas City, MO 64118"},
            "confidentiality": "restricted",
            "basis": "HR policy 12",
            "review_on": "2027-01-31",
        },
        {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0123"}},
        {"category": "date_of_birth", "value": {"date": "1984-02-29"}},
        {"category": "email", "value": {"address": "dana.oneil@mail.example"}},
        {"category": "school", "member": "c1", "value": {"name": "Example Elementary School", "city": "Kansas City"}},
        {"category": "vehicle_plate", "value": {"plate": "EXA 000", "state": "MO"}},
    ],
}

# Two lines, as POST /v1/subjects/import and `registry import` take them.
PEOPLE_NDJSON = "".join(
    orjson.dumps({**ENROLLMENT, "employee_number": number}).decode() + "\n" for number in ("KC-004212", "KC-004213")
)
PEOPLE_CSV = (
    "employee_number,given_name,family_name,department,mobile_phone\n"
    "KC-004214,Dana,O'Neil,Police,816-555-0123\n"
    "KC-004215,Kim,,Parks,\n"
)

IMPORTED: dict[str, Any] = {
    "lines": 3,
    "created": 1,
    "updated": 0,
    "unchanged": 1,
    "rejected": 1,
    "errors": [{"line": 3, "pointer": "/ssn", "code": "ssn_area"}],
    "errors_left_out": 0,
    "receipt": RECEIPT,
}

ENROLLED: dict[str, Any] = {
    "subject": _id(1),
    "version": 1,
    "records": [
        {"record": _id(2), "category": "family_member", "member": "c1", "version": 1},
        {"record": _id(3), "category": "phone", "member": None, "version": 1},
    ],
    "receipt": RECEIPT,
}

HITS: dict[str, Any] = {
    "hits": [
        {"subject": _id(1), "given_name": "Dana", "family_name": "O'Neil", "department": "Police", "title": "Officer"}
    ],
    "truncated": False,
    "receipt": RECEIPT,
}

CARD: dict[str, Any] = {
    "disclosure": _id(9),
    "subject": _id(1),
    "form": "as_entered",
    "records": [
        {
            "record": _id(3),
            "category": "phone",
            "member": None,
            "version": 1,
            "value": {"kind": "mobile", "number": "816-555-0123"},
            "display": "816-555-0123 (mobile)",
        }
    ],
    "receipt": RECEIPT,
}

BATCH_RESULTS: dict[str, Any] = {
    "results": [
        {"status": 200, **CARD},
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "code": "not_found",
            "receipt": {**RECEIPT, "index": 18, "size": 19, "code": "0C3V-77XA"},
        },
    ]
}

OWN_RECORDS: dict[str, Any] = {
    "subject": _id(1),
    "version": 1,
    "records": [
        {
            "record": _id(2),
            "category": "home_address",
            "version": 1,
            "confidentiality": "restricted",
            "starts_on": None,
            "ends_on": None,
            "review_on": "2027-01-31",
        }
    ],
    "receipt": RECEIPT,
}

ACCOUNTING: dict[str, Any] = {
    "entries": [
        {
            "index": 17,
            "at": "2026-03-02T09:15:30.125Z",
            "kind": "disclose",
            "recipient": "https://sign-in.example#benefits-desk-4",
            "unit": "Benefits",
            "purpose": "emergency_contact",
            "result": "permitted",
            "form": "as_entered",
            "categories": ["phone"],
        }
    ],
    "receipt": {**RECEIPT, "index": 21, "size": 22, "code": "4T0Q-M2EX"},
}

_QUESTION = TraceQuestion(
    trace=TraceId(_id(5)),
    asked_at=datetime(2026, 3, 3, 8, tzinfo=UTC),
    text_sha256="0" * 64,
    text_length=52,
    published_at=datetime(2026, 3, 2, 18, 30, tzinfo=UTC),
    source="forum, thread 12",
    engine=f"Registry {registry.__version__}",
    entry=EntryIndex(16),
)
_LEDGER = LedgerCheck(origin=ORIGIN, size=17, root_hex="0" * 64, chain_gaps=(), subjects_checked=0)
# A real report, of a text in which nothing was found.
REPORT: dict[str, Any] = report_document(build_report(_QUESTION, TraceEvidence((), (), (), _LEDGER)))
POSSIBLE: dict[str, Any] = {
    "employee_number": "KC-004211",
    "category": "phone",
    "kind": "phone:mobile",
    "member": None,
    "confidence": 0.4,
    "spans": [[40, 52]],
    "reason": "last four digits",
}
TRACED: dict[str, Any] = {
    "trace": _id(5),
    "findings": [],
    "candidates": [],
    "report": REPORT,
    "possible": [POSSIBLE],
    "receipt": RECEIPT,
}
STORED_TRACE: dict[str, Any] = {name: part for name, part in TRACED.items() if name != "receipt"}
OPENED_DRAWS: dict[str, Any] = {"trace": _id(5), "record_versions": 3, "receipt": RECEIPT}
NAMED_ACCOUNT: dict[str, Any] = {
    "trace": _id(5),
    "account": "Account 3",
    "principal": _id(9),
    "name": "agency s.okafor",
    "reply_until": "2026-03-17T08:00:00.000Z",
    "receipt": RECEIPT,
}
TRACES_LIST: dict[str, Any] = {"traces": [{"trace": _id(5), "at": "2026-03-03T08:00:00.000Z", "state": "open"}]}
ADDED_TO_CASE: dict[str, Any] = {"trace": _id(5), "part": 3, "state": "answered", "receipt": RECEIPT}
ADDED_ITEM: dict[str, Any] = {
    **ADDED_TO_CASE,
    "state": "open",
    "new_values": 0,
    "seen_again": 1,
    "said": sighting(1, 0, ""),
    "continued_by": None,
}
REVEALED_TEXT: dict[str, Any] = {
    "text": "He lives at 1234 Example Rd Apt 5",
    "state": "answered",
    "parts": [
        {
            "part": 3,
            "kind": "reply",
            "at": "2026-03-05T08:00:00.000Z",
            "account": "Account 3",
            "by": "account_holder",
            "text": "The card was for the call of 2 March.",
            "content": None,
        }
    ],
}

WAITING: dict[str, Any] = {
    "request": _id(6),
    "state": "pending",
    "needs": {"approvals": 1, "other_unit": False},
    "expires_at": "2026-03-09T09:15:30.125Z",
    "receipt": RECEIPT,
}
_REQUEST: dict[str, Any] = {
    "request": _id(6),
    "action": "lookup",
    "state": "pending",
    "principal": _id(7),
    "asker": "https://issuer.example#dispatch-3",
    "unit": "Dispatch",
    "needs": {"approvals": 1, "other_unit": False},
    "approvals": 0,
    "created_at": "2026-03-02T09:15:30.125Z",
    "until": "2026-03-09T09:15:30.125Z",
}
REQUEST_LIST: dict[str, Any] = {"requests": [_REQUEST]}
REQUEST_DETAIL: dict[str, Any] = {
    **_REQUEST,
    "subject": _id(1),
    "about": None,
    "reason": None,
    "categories": ["home_address"],
    "purpose": {"code": "legal_service", "case": "2026-CV-0001", "note": None},
    "receipt": RECEIPT,
}
DECIDED: dict[str, Any] = {
    **_REQUEST,
    "state": "approved",
    "approvals": 1,
    "until": "2026-03-03T10:02:00.000Z",
    "receipt": RECEIPT,
}
APPROVAL_FIGURES: dict[str, Any] = {
    "approvers": [{"approver": _id(8), "approved": 12, "refused": 3, "median_seconds": 1260.0}]
}

GLASS_OPENED: dict[str, Any] = {
    "id": _id(9),
    "expires_at": "2026-03-02T10:15:30.125Z",
    "review_by": "2026-03-05T09:15:30.125Z",
    "receipt": RECEIPT,
}
_GLASS: dict[str, Any] = {
    "id": _id(9),
    "principal": _id(7),
    "asker": "https://issuer.example#dispatch-3",
    "unit": "Dispatch",
    "categories": ["home_address", "phone"],
    "created_at": "2026-03-02T09:15:30.125Z",
    "expires_at": "2026-03-02T10:15:30.125Z",
    "review_by": "2026-03-05T09:15:30.125Z",
    "overdue": False,
    "finding": None,
    "reviewer": None,
    "reviewed_at": None,
}
GLASS_LIST: dict[str, Any] = {"break_glass": [_GLASS]}
GLASS_DETAIL: dict[str, Any] = {
    **_GLASS,
    "subject": _id(1),
    "case": "2026-911-0077",
    "reason": "Threat called in, officers on their way to the house",
    "receipt": RECEIPT,
}
GLASS_REVIEWED: dict[str, Any] = {
    **_GLASS,
    "finding": "justified",
    "reviewer": _id(8),
    "reviewed_at": "2026-03-03T08:00:00.000Z",
    "receipt": RECEIPT,
}

ENTRY_PAGE: dict[str, Any] = {
    "entries": [
        {
            "index": 17,
            "at": "2026-03-02T09:15:30.125Z",
            "kind": "disclose",
            "fields": {"event": _id(9), "subject": _id(1), "purpose": "emergency_contact", "result": "permitted"},
            "records": [{"record": _id(3), "category": "phone", "version": 1}],
        }
    ],
    "next": "/v1/audit/entries?before=17&limit=1",
    "receipt": {**RECEIPT, "index": 21, "size": 22, "code": "4T0Q-M2EX"},
}
CHECKPOINT_NOTE = f"{ORIGIN}\n22\n{'A' * 43}=\n\n\u2014 {ORIGIN} {'A' * 90}==\n"

PRINCIPALS_LIST: dict[str, Any] = {
    "principals": [
        {
            "principal": _id(10),
            "issuer": "https://sign-in.example",
            "sub": "benefits-desk-4",
            "roles": ["reader"],
            "unit": "Benefits",
            "state": "active",
            "has_employee_number": True,
        }
    ]
}

PRINCIPAL_MOVED: dict[str, Any] = {
    "principal": _id(10),
    "roles": ["reader"],
    "unit": "Payroll",
    "state": "active",
    "receipt": RECEIPT,
}
PRINCIPAL_LEFT: dict[str, Any] = {**PRINCIPAL_MOVED, "roles": [], "state": "ended"}
PRINCIPAL_REPORT: dict[str, Any] = {
    "principal": _id(10),
    "since": "2026-01-01T00:00:00.000Z",
    "entries": [
        {
            "index": 20,
            "at": "2026-03-02T09:00:00.000Z",
            "kind": "disclose",
            "result": "permitted",
            "subjects": [_id(1)],
            "categories": ["home_address", "phone"],
            "purpose": "emergency_contact",
        }
    ],
    "next": None,
    "receipt": RECEIPT,
}
