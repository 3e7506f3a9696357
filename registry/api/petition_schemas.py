"""Schemas of the bodies and answers of routes_petitions; see ``schemas``."""

from __future__ import annotations

from registry.api.describe import ref
from registry.api.petition_bodies import FINDINGS, MOST_INDEX
from registry.api.schema_parts import Schema, closed, listed, nullable, text
from registry.services.contact import CONTACT_KINDS, MOST_CONTACT
from registry.services.petitions import ACCEPTED, MOST_LISTED, MOST_TEXT, OPEN, REFUSED

_INDEX: Schema = {"type": "integer", "minimum": 0, "maximum": MOST_INDEX}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_LISTED: dict[str, Schema] = {"id": ref("Id"), "at": _MOMENT, "subject": ref("Id")}

PETITION_SCHEMAS: dict[str, Schema] = {
    "DisputeAsk": closed({"entry": _INDEX, "text": text(MOST_TEXT, "What is wrong about it. Sealed.")}),
    "CorrectionAsk": closed(
        {"record": ref("Id"), "text": text(MOST_TEXT, "What is wrong about it. Sealed.")},
        {"value": {"type": "object", "description": "The right value, in the form of its category. Sealed."}},
    ),
    "PetitionFiled": closed({"id": ref("Id"), "receipt": ref("Receipt")}),
    "PetitionText": closed({"text": text(MOST_TEXT), "note": nullable(text(MOST_TEXT)), "receipt": ref("Receipt")}),
    "PetitionDone": closed({"receipt": ref("Receipt")}),
    "DisputeAnswer": closed({"finding": {"enum": list(FINDINGS)}, "note": text(MOST_TEXT, "For the subject. Sealed.")}),
    "PetitionNote": closed({"note": text(MOST_TEXT, "For the subject. Sealed.")}),
    "DisputeList": closed(
        {"disputes": listed(closed({**_LISTED, "state": {"enum": [OPEN, *FINDINGS]}, "entry": _INDEX}), MOST_LISTED)}
    ),
    "CorrectionList": closed(
        {
            "corrections": listed(
                closed(
                    {
                        **_LISTED,
                        "state": {"enum": [OPEN, ACCEPTED, REFUSED]},
                        "record": ref("Id"),
                        "has_value": {"type": "boolean"},
                    }
                ),
                MOST_LISTED,
            )
        }
    ),
    "Contact": closed({"kind": {"enum": list(CONTACT_KINDS)}, "value": text(MOST_CONTACT)}),
    "OwnContact": closed(
        {"kind": {"enum": list(CONTACT_KINDS)}, "value": text(MOST_CONTACT), "receipt": ref("Receipt")}
    ),
}
