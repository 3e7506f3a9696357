"""OpenAPI description and schemas of the route of routes_releases."""

from __future__ import annotations

from typing import Any

from registry.api.describe import Answer, Body, Operation, ref
from registry.api.describe_requests import NEEDS_ANOTHER
from registry.api.samples import RECEIPT
from registry.api.schema_parts import closed, listed, nullable, reason, text
from registry.documents.formats import MEDIA_TYPES
from registry.domain.categories import Category
from registry.domain.purposes import ReleasePurpose
from registry.services.waivers import MOST_WAIVED

_SENTENCE = "Q2FsbCAyMDItNTU1LTAxNDcgYW5kIHNheSBoZWxsby4="  # "Call 202-555-0147 and say hello."
_COPY = "Q2FsbCBbcmVkYWN0ZWRdIGFuZCBzYXkgaGVsbG8u"
_AT = {
    "type": "array",
    "description": "From the outside in, pairs of a word and a number or our name of a part; numbers count from 1.",
    "items": {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    },
}
_BASE64 = {"type": "string", "description": "In base64."}

RELEASE_CHECK = Operation(
    id="checkRelease",
    tag="disclosures",
    summary="Find protected values in a document before it is published, and get a copy without them",
    description=(
        "Roles `records_officer` and `investigator`. The document (txt, csv, tsv, json, html, eml, docx, xlsx, pptx, "
        "odt, ods, odp, rtf, pdf, zip, or an image; at most 15 MiB) is matched against the registry; the answer says "
        "where a value of which category stands, never whose it is. `redacted` is the same document without what is "
        "`certain`: text is really removed, "
        "comments, metadata, hidden sheets, formulas, caches and earlier versions included; it is read again before "
        "it is "
        "given. `null` when nothing certain was found, or when it cannot be surely done (`not_redacted` says why). "
        "`unread` lists what nobody looked at; with `may_hide` a person has to. Images are read where tesseract is "
        "installed (`image_read_by_ocr`) and go from the copy when they hold a value; elsewhere they may hide one, and "
        "an image by itself is 415 `ocr_unavailable`; of such there is no copy (`image`), nor of pptx, odt, "
        "ods, odp, rtf and zip (`no_copy`). `clean` says that "
        "nothing was found and nothing may hide. What is not `certain` stays in the copy. Nothing of the document is "
        "kept; the check is an entry with its digest, also when the document cannot be read (400, 413 or 415 with a "
        "receipt). An account checks so many different documents a day "
        "(X values out is told nothing any more: 429."
    ),
    also=NEEDS_ANOTHER,
    answer=Answer(
        "What was found.",
        "ReleaseChecked",
        ("Audit-Receipt",),
        example={
            "format": "txt",
            "clean": False,
            "places": [
                {
                    "place": "5b0c9e21d4f84a6e8f3d7a1c2b9e4f60",
                    "category": "phone",
                    "kind": "phone:mobile",
                    "certain": True,
                    "waived": False,
                    "confidence": 0.99,
                    "reason": "the whole number",
                    "at": [["line", 1], ["column", 6]],
                }
            ],
            "unread": [],
            "redacted": {"media_type": "text/plain", "content": _COPY},
            "not_redacted": None,
            "receipt": RECEIPT,
        },
    ),
    errors=(429,),
    body=Body(
        "ReleaseAsk",
        {
            "a letter": {
                "file": {"content": _SENTENCE, "name": "letter.txt"},
                "purpose": {"code": "records_request", "case": "RR-2026-114"},
            },
            "one place stays": {
                "file": {"content": _SENTENCE, "name": "letter.txt"},
                "purpose": {"code": "records_request", "case": "RR-2026-114"},
                "waive": {
                    "places": ["5b0c9e21d4f84a6e8f3d7a1c2b9e4f60"],
                    "reason": "The press office's own line, published by themselves",
                },
            },
        },
    ),
)

RELEASE_SCHEMAS: dict[str, Any] = {
    "File": closed(
        {"content": {**_BASE64, "description": "The file in base64, at most 15 MiB."}},
        {
            "name": text(255, "Its name: the end tells texts apart. Never kept."),
            "media_type": text(255, "Without parameters. What the content says counts for more."),
        },
    ),
    "ReleaseAsk": closed(
        {
            "file": ref("File"),
            "purpose": closed(
                {"code": {"enum": [purpose.value for purpose in ReleasePurpose]}},
                {"case": text(100), "note": text(1_000)},
            ),
        },
        {
            "waive": closed(
                {
                    "places": {
                        "type": "array",
                        "description": "Ids of `places`, of an answer about the same document.",
                        "items": ref("Id"),
                        "minItems": 1,
                        "maxItems": MOST_WAIVED,
                    },
                    "reason": reason("For who approves it and the ledger. No protected values."),
                }
            )
        },
    ),
    "ReleaseChecked": closed(
        {
            "format": {"enum": sorted(MEDIA_TYPES)},
            "clean": {"type": "boolean"},
            "places": listed(
                closed(
                    {
                        "place": ref("Id"),
                        "category": {"enum": [category.value for category in Category]},
                        "kind": {"type": "string"},
                        "certain": {"type": "boolean"},
                        "waived": {"type": "boolean"},
                        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                        "reason": {"type": "string"},
                        "at": _AT,
                    }
                )
            ),
            "unread": listed(closed({"what": {"type": "string"}, "may_hide": {"type": "boolean"}, "at": _AT})),
            "redacted": nullable(closed({"media_type": {"type": "string"}, "content": _BASE64})),
            "not_redacted": nullable({"type": "string"}),
            "receipt": ref("Receipt"),
        }
    ),
}
