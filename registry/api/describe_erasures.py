"""OpenAPI description of erasing, with its schemas."""

from __future__ import annotations

from collections.abc import Mapping

from registry.api.describe import Answer, Body, Operation, path_id, ref
from registry.api.describe_requests import NEEDS_ANOTHER
from registry.api.samples import RECEIPT
from registry.api.schema_parts import Schema, closed, reason

_COUNT: Schema = {"type": "integer", "minimum": 0}
_KEPT: Mapping[str, str] = {
    "leaves": "Entries about them: each leaf stays, and with it every proof.",
    "shared": "Entries that speak of others too, or of an account's roles: what they say stays, with ids that belong "
    "to nothing any more.",
    "tombstones": "Postings in the middle of a list, with nothing in them.",
    "unfound": "Stored versions whose postings could not all be found; 0 unless a program of an earlier version stored "
    "them.",
}
_ERASED: Mapping[str, str] = {
    "persons": "Data keys.",
    "records": "Records, with all versions and marks.",
    "postings": "Postings of the blind index.",
    "openings": "What entries said of them.",
    "traces": "Leaked texts in which they were found, with their reports.",
    "petitions": "Disputes and corrections.",
    "provisions": "Names that an HR system has for them.",
    "contacts": "Where they wanted to be told.",
    "notices": "Notices that waited to be sent.",
    "outcomes": "Remembered `Idempotency-Key`s.",
}
ERASURE_SCHEMAS: Mapping[str, Schema] = {
    "Erasure": closed(
        {
            "reason": reason("Why. It stays in the ledger: name nobody."),
            "basis": {"type": "string", "minLength": 1, "maxLength": 200, "description": "The rule it rests on."},
        },
        {"member": {"type": "string", "description": "`ref` of one household member; absent: the whole household."}},
    ),
    "Erased": closed(
        {
            "subject": ref("Id"),
            "erased": {
                "type": "object",
                "description": "How many of what are gone.",
                "properties": {name: {**_COUNT, "description": what} for name, what in _ERASED.items()},
                "additionalProperties": False,
            },
            "kept": closed({name: {**_COUNT, "description": what} for name, what in _KEPT.items()}),
            "clean": {
                "type": "boolean",
                "description": "Whether nothing is left to do: nothing is beside the tables of the database, and "
                "they are on the list beside the keys. On PostgreSQL false: its owner clears the tables "
                "(`registry database-clear`).",
            },
            "receipt": ref("Receipt"),
        }
    ),
}

ERASE = Operation(
    id="eraseSubject",
    tag="subjects",
    summary="Take a subject with the household, or one member of it, out for good",
    description=(
        "Role `enroller`; under dual control in production (202). Ending protection is something else: `ends` of an "
        "update keeps everything. Data keys, sealed values, postings, names, petitions, contact, waiting notices and "
        "leaked texts in which they were found are destroyed, and so is what the ledger says of them; leaves and tree "
        "stay, and an entry says what is gone. Afterwards they are unknown, and the employee number is free.\n\n409 "
        "`legal_hold`: a hold on them, or on somebody who was found in the same leaked text, is in force; "
        "`reviews_waiting`: an emergency about them is not reviewed; `changed`: they changed meanwhile. 503 with the "
        "cause `not_granted`: this server's account of the database may not erase.\n\nOlder backups still hold the "
        "wrapped keys: `registry keys status` says until when."
    ),
    also=NEEDS_ANOTHER,
    answer=Answer(
        "Erased.",
        "Erased",
        ("Audit-Receipt",),
        example={
            "subject": "0" * 31 + "1",
            "erased": {"persons": 3, "records": 11, "traces": 1, "postings": 30, "openings": 12},
            "kept": {"leaves": 14, "shared": 2, "tombstones": 4, "unfound": 0},
            "clean": True,
            "receipt": RECEIPT,
        },
    ),
    errors=(404, 409),
    body=Body(
        "Erasure",
        {
            "everybody": {"reason": "Left the service seven years ago", "basis": "Records schedule 4, item 12"},
            "one member": {"reason": "Asked for it herself", "basis": "Privacy policy 3", "member": "c1"},
        },
    ),
    parameters=(path_id("subject", "The subject's id, from enrolling or searching."),),
)
