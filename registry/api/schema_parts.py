"""What schemas are put together from (JSON Schema 2020-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.domain.purposes import CODE_FORM, HL7_FORM, MAX_CODE
from registry.text.rules.texts import LEAST_REASON, MOST_REASON

Schema = dict[str, Any]

INDEX: Schema = {"type": "integer", "minimum": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}

PURPOSE: Schema = {
    "type": "string",
    "pattern": f"^{CODE_FORM}$",
    "maxLength": MAX_CODE,
    "description": "The code of a purpose; `GET /v1/purposes` lists those of this registry.",
    "examples": ["emergency_contact"],
}
STATED_PURPOSE: Schema = {
    **PURPOSE,
    "pattern": f"^(?:{CODE_FORM}|{HL7_FORM})$",
    "description": "A code that `GET /v1/purposes` lists, or the code of HL7's PurposeOfUse beside it.",
}


def reason(what: str) -> Schema:
    """Return the schema of a reason that people read; ``what`` says for whom it is."""
    return {"type": "string", "minLength": LEAST_REASON, "maxLength": MOST_REASON, "description": what}


def closed(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, **more: Any) -> Schema:
    """Return the schema of an object with these members and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
        **more,
    }


def text(longest: int, what: str = "") -> Schema:
    """Return the schema of a text, length in code points."""
    schema: Schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return {**schema, "description": what} if what else schema


def listed(item: Schema, most: int | None = None, least: int = 0) -> Schema:
    """Return the schema of a list."""
    schema: Schema = {"type": "array", "items": item}
    if least:
        schema["minItems"] = least
    return schema if most is None else {**schema, "maxItems": most}


def nullable(schema: Schema) -> Schema:
    """Return a schema that takes null as well."""
    return {"anyOf": [schema, {"type": "null"}]}
