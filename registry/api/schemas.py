"""The schemas of every body and answer (JSON Schema 2020-12, as OpenAPI 3.1 takes it).

They describe; the checks are in text/rules and bodies.py. A test sends what the schemas' examples say.
"""

from __future__ import annotations

import json
from importlib.resources import files

from registry.api.describe import ref
from registry.api.importing import MAX_ERRORS_TOLD
from registry.api.schema_parts import STATED_PURPOSE, Schema, closed, listed, nullable, text
from registry.api.schemas_principals import PRINCIPAL_SCHEMAS
from registry.api.schemas_traces import TRACE_SCHEMAS
from registry.api.value_schemas import VALUE_SCHEMAS
from registry.audit.kinds import Kind
from registry.domain.categories import Category
from registry.domain.enrollment import Relation
from registry.domain.marks import Tier
from registry.domain.principals import Role
from registry.domain.relations import Declared
from registry.policy.decide import APPROVAL_REQUIRED, PUBLIC_REASONS, QUOTA_EXCEEDED, Form

_DAY: Schema = {"type": "string", "format": "date"}
_INDEX: Schema = {"type": "integer", "minimum": 0}


_NAME = text(100, "As the person writes it, any script.")
_MARK: dict[str, Schema] = {
    "confidentiality": {**ref("Tier"), "default": "confidential"},
    "basis": text(200, "The rule it rests on, in the agency's words."),
    "starts_on": _DAY,
    "ends_on": _DAY,
    "review_on": {**_DAY, "description": "Somebody should look again; a day that has passed ends nothing."},
}
_FAMILY_ENTRY = closed(
    {
        "ref": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,30}$", "description": "Yours; unique here."},
        "relation": {"enum": [relation.value for relation in Relation]},
    },
    {
        "given_name": _NAME,
        "family_name": _NAME,
        "employee_number": {**ref("EmployeeNumber"), "description": "Of a member who is an employee too."},
        **{key: _MARK[key] for key in ("confidentiality", "basis")},
    },
    description="A household member; becomes a `family_member` record. One of the names may be left out.",
    anyOf=[{"required": ["given_name"]}, {"required": ["family_name"]}],
)


def _record_entry(category: Category) -> Schema:
    member = text(32, "`ref` of a household member; in an update also the id of a person. Absent: the subject.")
    required = {"category": {"const": category.value}, "value": ref(f"Value_{category.value}")}
    if category is Category.SCHOOL:
        return closed({**required, "member": member}, _MARK)
    return closed(required, {"member": member, **_MARK})


_RECORD_ENTRY: Schema = {
    "description": "One value. `family_member` records are made from `family`.",
    "oneOf": [_record_entry(category) for category in Category if category is not Category.FAMILY_MEMBER],
}
_DIRECTORY = {"given_name": _NAME, "family_name": _NAME, "department": text(120), "title": text(120)}
_ENROLLMENT = closed(
    {"employee_number": ref("EmployeeNumber"), "department": _DIRECTORY["department"]},
    {
        "given_name": _NAME,
        "family_name": _NAME,
        "title": _DIRECTORY["title"],
        "family": listed(ref("FamilyEntry"), 30),
        "records": listed(ref("RecordEntry"), 200),
        "supervisor": ref("EmployeeNumber"),
        "relations": listed(ref("DeclaredRelation"), 30),
    },
    anyOf=[{"required": ["given_name"]}, {"required": ["family_name"]}],
)
_ANY_VALUE: Schema = {"anyOf": [ref(f"Value_{category.value}") for category in Category]}
_CHANGES: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        **_DIRECTORY,
        "title": {"type": "string", "maxLength": 120, "description": "Empty takes the title away."},
        "add_family": listed(ref("FamilyEntry"), 30),
        "add_records": listed(ref("RecordEntry"), 200),
        "supervisor": {"anyOf": [ref("EmployeeNumber"), {"const": ""}], "description": "Empty takes it away."},
        "relations": {**listed(ref("DeclaredRelation"), 30), "description": "All that are declared from now on."},
        "versions": listed(closed({"record": ref("Id"), "value": _ANY_VALUE}), 200),
        "marks": listed(
            closed(
                {"record": ref("Id"), "confidentiality": ref("Tier")},
                {key: schema for key, schema in _MARK.items() if key != "confidentiality"},
                description="Replaces the record's mark as a whole.",
            ),
            200,
        ),
        "ends": listed(closed({"record": ref("Id")}, description="Protection ends; the record stays traceable."), 200),
    },
}
_ENROLLED_RECORD = closed(
    {
        "record": ref("Id"),
        "category": ref("Category"),
        "member": nullable({"type": "string", "description": "`ref` of the household member."}),
        "version": {"type": "integer", "minimum": 1},
    }
)
_WHOSE: list[Schema] = [{"required": ["subject"]}, {"required": ["employee_number"]}]
_WHAT: list[Schema] = [{"required": ["categories"]}, {"required": ["records"]}]
_WANTED: dict[str, Schema] = {
    "categories": {**listed(ref("Category"), len(Category), 1), "uniqueItems": True},
    "records": {**listed(ref("Id"), 200, 1), "uniqueItems": True},
}
_CARD_ASK: dict[str, Schema] = {"subject": ref("Id"), "employee_number": ref("EmployeeNumber"), **_WANTED}
_FORM: Schema = {
    "enum": [form.value for form in Form],
    "default": Form.MARKED.value,
    "description": "`marked`: for people, in usual writings that are drawn for each account and mean the same. "
    "`as_entered`: exactly as enrolled, for the machines that the registry's settings list. `masked`: the last four of "
    "a number, the city of an address, and of any other value nothing. A policy may mask what is asked for in full.",
}
_OWN_FORM: Schema = {"enum": [Form.AS_ENTERED.value], "default": Form.AS_ENTERED.value}
# Answered with a status of their own: 429, and 202.
_OTHER_STATUS = frozenset({QUOTA_EXCEEDED, APPROVAL_REQUIRED})
_MASKED = {"type": "string", "pattern": r"^\*\*\*"}
_SEARCHED: Schema = {
    "oneOf": [
        closed({"category": {"const": category.value}, "value": ref(f"Value_{category.value}")})
        for category in Category
    ]
}
_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "description": "A problem document (RFC 9457). Never holds anything that was sent.",
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string", "description": "The status phrase."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Short and stable; what a program branches on."},
        "reason": {
            "description": "With 403.",
            "enum": [reason for reason in PUBLIC_REASONS if reason not in _OTHER_STATUS],
        },
        "retry_after": {**_INDEX, "description": "With 429: seconds until the next day (UTC) begins."},
        "cause": {"type": "string", "description": "With 503: what is wrong, such as `disk_full`."},
        "failed": listed({"type": "string"}),
        "checks": {"type": "object", "additionalProperties": {"type": "string"}, "description": "`ok`, or the cause."},
        "receipt": ref("Receipt"),
        "imported": {**ref("Imported"), "description": "When an import ended early: what was done until then."},
        "errors": listed(
            closed({"pointer": {"type": "string", "description": "RFC 6901"}, "code": {"type": "string"}}), 50
        ),
    },
}


def _report_schemas() -> dict[str, Schema]:
    """Return the report's own schema and its parts, under names of this document."""
    source = files("registry.reports").joinpath("report.schema.json").read_text(encoding="utf-8")
    report = json.loads(source.replace('"#/$defs/', '"#/components/schemas/TraceReport_'))
    parts = {f"TraceReport_{name}": schema for name, schema in report.pop("$defs").items()}
    return {"TraceReport": {key: part for key, part in report.items() if key not in {"$schema", "$id"}}, **parts}


SCHEMAS: dict[str, Schema] = {
    "Id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "Moment": {"type": "string", "format": "date-time", "description": "UTC, with milliseconds."},
    "EmployeeNumber": {
        "type": "string",
        "maxLength": 32,
        "pattern": "^[A-Za-z0-9]+([-_./][A-Za-z0-9]+)*$",
        "description": "Text: leading zeros and case count.",
    },
    "Category": {"enum": [category.value for category in Category]},
    "Tier": {
        "enum": [tier.value for tier in Tier],
        "description": "`none` is still encrypted and logged; `restricted` needs an approval, `sealed` two.",
    },
    "Role": {"enum": [role.value for role in Role]},
    "EntryKind": {"enum": [kind.value for kind in Kind]},
    "Receipt": closed(
        {
            "origin": {"type": "string", "description": "Which ledger."},
            "index": {**_INDEX, "description": "The entry."},
            "size": {"type": "integer", "minimum": 1, "description": "Size of the tree it was committed with."},
            "code": {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$"},
        },
        description="Names the entry in the ledger that speaks of this answer.",
    ),
    "Problem": _PROBLEM,
    **VALUE_SCHEMAS,
    "DeclaredRelation": closed(
        {"kind": {"enum": [kind.value for kind in Declared]}, "employee_number": ref("EmployeeNumber")},
        description=(
            "A relation to another employee, enrolled or not, beside `family`. It closes each one's records to the "
            "other, whoever declared it, and is never shown."
        ),
    ),
    "FamilyEntry": _FAMILY_ENTRY,
    "RecordEntry": _RECORD_ENTRY,
    "Enrollment": _ENROLLMENT,
    "Changes": _CHANGES,
    "Enrolled": closed(
        {
            "subject": ref("Id"),
            "version": {"type": "integer", "minimum": 1},
            "records": listed(_ENROLLED_RECORD),
            "receipt": ref("Receipt"),
        }
    ),
    "Imported": closed(
        {
            **dict.fromkeys(("lines", "created", "updated", "unchanged"), _INDEX),
            "rejected": {**_INDEX, "description": "Lines, not problems: one line may have several."},
            "errors": listed(
                closed(
                    {
                        "line": {"type": "integer", "minimum": 1, "description": "On which the row begins, from 1."},
                        "pointer": {
                            "type": "string",
                            "description": "RFC 6901, into the line's document; for CSV `/column`.",
                        },
                        "code": {"type": "string"},
                    }
                ),
                MAX_ERRORS_TOLD,
            ),
            "errors_left_out": {**_INDEX, "description": "Problems beyond those listed."},
            "receipt": nullable(
                {**ref("Receipt"), "description": "The newest entry about these lines; null when none came so far."}
            ),
        }
    ),
    "Search": {
        "oneOf": [
            closed({"employee_number": ref("EmployeeNumber")}),
            closed(
                {},
                {"given_name": _NAME, "family_name": _NAME, "department": text(120)},
                anyOf=[{"required": ["given_name"]}, {"required": ["family_name"]}],
            ),
            closed({"department": text(120)}),
            closed({"value": _SEARCHED}),
        ]
    },
    "Hits": closed(
        {
            "hits": listed(
                closed(
                    {
                        "subject": ref("Id"),
                        **{key: {"type": "string"} for key in ("given_name", "family_name", "department", "title")},
                    }
                ),
                25,
            ),
            "truncated": {"type": "boolean", "description": "There are more."},
            "receipt": ref("Receipt"),
        }
    ),
    "Purpose": closed(
        {"code": STATED_PURPOSE},
        {
            "case": {"type": "string", "maxLength": 100, "description": "Case reference."},
            "note": {"type": "string", "maxLength": 1000, "description": "For the ledger. No protected values."},
        },
    ),
    "DisclosureAsk": closed(
        {"purpose": ref("Purpose")}, {**_CARD_ASK, "form": _FORM}, allOf=[{"oneOf": _WHOSE}, {"oneOf": _WHAT}]
    ),
    "BatchAsk": closed(
        {
            "items": listed(closed({}, _CARD_ASK, allOf=[{"oneOf": _WHOSE}, {"oneOf": _WHAT}]), 500, 1),
            "purpose": ref("Purpose"),
        },
        {"form": _FORM},
    ),
    "OwnDisclosureAsk": closed({}, {**_WANTED, "form": _OWN_FORM}, **{"not": {"required": ["categories", "records"]}}),
    "CardRecord": closed(
        {
            "record": ref("Id"),
            "category": ref("Category"),
            "member": nullable({"type": "string"}),
            "version": {"type": "integer", "minimum": 1},
            "value": {
                "description": "As enrolled. A payment card shows its last four digits only.",
                "anyOf": [
                    *_ANY_VALUE["anyOf"],
                    closed({"last_four": {"type": "string"}}),
                    closed({"number": _MASKED}, {"kind": {"type": "string"}}),
                    closed({"city": {"type": "string"}}),
                    {"type": "object", "additionalProperties": {"const": "***"}, "description": "Masked."},
                ],
            },
            "display": {"type": "string", "description": "One line for people."},
        }
    ),
    "Card": closed(
        {
            "disclosure": ref("Id"),
            "subject": ref("Id"),
            "form": {"enum": [form.value for form in Form]},
            "records": listed(ref("CardRecord")),
            "receipt": ref("Receipt"),
        }
    ),
    "BatchResults": closed(
        {
            "results": listed(
                {
                    "anyOf": [
                        {
                            "type": "object",
                            "required": ["status", *("disclosure", "subject", "form", "records", "receipt")],
                            "properties": {"status": {"const": 200}, "records": listed(ref("CardRecord"))},
                        },
                        {
                            "type": "object",
                            "required": ["status", *("request", "state", "needs", "expires_at", "receipt")],
                            "properties": {"status": {"const": 202}, "needs": ref("Needs")},
                        },
                        ref("Problem"),
                    ]
                },
                500,
            )
        }
    ),
    "OwnRecords": closed(
        {
            "subject": ref("Id"),
            "version": {"type": "integer", "minimum": 1},
            "records": listed(
                closed(
                    {
                        "record": ref("Id"),
                        "category": ref("Category"),
                        "version": {"type": "integer", "minimum": 1},
                        "confidentiality": nullable(ref("Tier")),
                        **{key: nullable(_DAY) for key in ("starts_on", "ends_on", "review_on")},
                    }
                )
            ),
            "receipt": ref("Receipt"),
        }
    ),
    "Accounting": closed(
        {
            "entries": listed(
                closed(
                    {
                        "index": _INDEX,
                        "at": ref("Moment"),
                        "kind": ref("EntryKind"),
                        **{
                            key: nullable({"type": "string"})
                            for key in ("recipient", "unit", "purpose", "result", "form")
                        },
                        "categories": listed({"type": "string"}),
                    }
                )
            ),
            "receipt": ref("Receipt"),
        }
    ),
    "EntryPage": closed(
        {
            "entries": listed(
                closed(
                    {
                        "index": _INDEX,
                        "at": ref("Moment"),
                        "kind": ref("EntryKind"),
                        "fields": nullable({"type": "object", "additionalProperties": {"type": "string"}}),
                        "records": listed(
                            closed(
                                {
                                    "record": ref("Id"),
                                    "category": {"type": "string"},
                                    "version": {"type": "integer", "minimum": 1},
                                }
                            )
                        ),
                    }
                ),
                200,
            ),
            "next": nullable({"type": "string", "description": "Path and query of the next page."}),
            "receipt": ref("Receipt"),
        }
    ),
    **PRINCIPAL_SCHEMAS,
    **TRACE_SCHEMAS,
    "Alive": closed({"status": {"const": "ok"}}),
    "Pointers": closed({name: {"type": "string"} for name in ("service", "openapi", "ready")}),
    "Ready": closed({"status": {"const": "ready"}, "checks": {"type": "object"}}),
    **_report_schemas(),
}
