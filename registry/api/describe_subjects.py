"""OpenAPI descriptions of the routes of routes_subjects."""

from __future__ import annotations

from registry.api.describe import IDEMPOTENCY_KEY, Answer, Body, FileBody, Operation, header, path_id, query
from registry.api.describe_links import AFTER_CHANGING, AFTER_ENROLLING, AFTER_SEARCHING
from registry.api.describe_requests import NEEDS_ANOTHER
from registry.api.samples import ENROLLED, ENROLLMENT, HITS, IMPORTED, PEOPLE_CSV, PEOPLE_NDJSON

ENROLL = Operation(
    id="enrollSubject",
    tag="subjects",
    summary="Enroll one person with household and records",
    description=(
        "Role `enroller`. Everything is stored or nothing is. The answer holds ids and the receipt of the entry in "
        "the ledger, never a value.\n\nSend an `Idempotency-Key` of your own: the same key with the same content "
        "gives the first answer again, with other content 409 `key_reused`. The order of records, household members "
        "and keys does not matter for sameness. A key is remembered for seven days. Without a key a known employee "
        "number is 409 `exists`."
    ),
    status=201,
    answer=Answer(
        "Enrolled.",
        "Enrolled",
        ("Location", "ETag", "Audit-Receipt", "Idempotent-Replayed"),
        example=ENROLLED,
        links=AFTER_ENROLLING,
    ),
    errors=(409,),
    body=Body("Enrollment", {"household": ENROLLMENT}),
    parameters=(IDEMPOTENCY_KEY,),
)

IMPORT = Operation(
    id="importSubjects",
    tag="subjects",
    summary="Enroll many people from NDJSON or CSV",
    description=(
        "Role `enroller`. The body is read while it comes in, and every 200 lines or so are one transaction. A line is "
        "enrolled whole or not at all; one that is refused does not stop the others. The answer comes when all lines "
        "are done: figures, and place and code of each problem, never a value.\n\n**Sending the same file again is how "
        "an import goes on.** What was committed stays, whatever happens afterwards; a line that is stored already is "
        "`unchanged`. Other content for a known employee number is rejected as `exists`, unless `update=true`. "
        "Where marks are under dual control, a line that would take one off is rejected (`approval_required`): that is "
        "done one by one. "
        "An error that ends an import after its first batch (a slow or too large body, a ledger that takes no entries) "
        "says in `imported` what was done until then.\n\nAt most 256 MiB, unless the registry is set up otherwise; at "
        "most 60 seconds without a byte; two imports at a time, others are answered 503 `busy`."
    ),
    answer=Answer("All lines were dealt with.", "Imported", example=IMPORTED),
    body=FileBody(
        {
            "application/x-ndjson": ("One `Enrollment` a line.", PEOPLE_NDJSON),
            "text/csv": ("RFC 4180 with a header; columns as in docs/hr-integration.md.", PEOPLE_CSV),
        }
    ),
    parameters=(
        query(
            "update",
            "Bring people who are enrolled already to what their line says, instead of rejecting the line.",
            {"type": "boolean", "default": False},
        ),
    ),
)

UPDATE = Operation(
    id="updateSubject",
    tag="subjects",
    summary="Change a subject: new versions, marks, records, household members, ends",
    description=(
        "Role `enroller`. Lowering a tier and ending a marked record may be under dual control (202). Nothing is "
        "overwritten: a new value is a new version beside the old one, and an ended "
        "record stays traceable. With `If-Match` a change in between is 409 `changed` instead of lost. The answer "
        "names the records that were added or changed."
    ),
    also=NEEDS_ANOTHER,
    answer=Answer(
        "Changed.", "Enrolled", ("ETag", "Audit-Receipt"), example={**ENROLLED, "version": 2}, links=AFTER_CHANGING
    ),
    errors=(404, 409),
    body=Body(
        "Changes",
        {
            "new phone and mark": {
                "versions": [{"record": "0" * 31 + "2", "value": {"kind": "mobile", "number": "816-555-0188"}}],
                "marks": [{"record": "0" * 31 + "2", "confidentiality": "restricted", "basis": "HR policy 12"}],
            }
        },
    ),
    parameters=(
        path_id("subject", "The subject's id, from enrolling or searching."),
        header(
            "If-Match",
            "The `ETag` of the version that is to be changed.",
            {"type": "string", "pattern": '^("(0|[1-9][0-9]{0,9})"|\\*)$'},
        ),
    ),
)

SEARCH = Operation(
    id="searchSubjects",
    tag="subjects",
    summary="Find subjects by employee number, name, department or a whole value",
    description=(
        "By number or name: roles `reader`, `enroller`, `investigator`. By department alone: `enroller` only, since "
        "it would make a target list. By value: `investigator` only. Exactly one way at a time; a name may be "
        "narrowed by a department. Every search is an entry, an empty one too; the ledger commits to a keyed tag of "
        "the term, never to the term. At most 25 hits. A search by value counts as a check of it: beyond the "
        "day's limit, and for who tried values out, 429 `quota_exceeded`, hit or miss."
    ),
    errors=(429,),
    answer=Answer("What was found, possibly nothing.", "Hits", ("Audit-Receipt",), example=HITS, links=AFTER_SEARCHING),
    body=Body(
        "Search",
        {
            "by number": {"employee_number": "KC-004211"},
            "by name": {"given_name": "Dana", "family_name": "O'Neil", "department": "Police"},
            "by department": {"department": "Police"},
            "by value": {"value": {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0123"}}},
        },
    ),
)
