"""OpenAPI descriptions of the routes of routes_audit."""

from __future__ import annotations

from registry.api.describe import Answer, Operation, query, ref
from registry.api.describe_links import AFTER_PAGE
from registry.api.samples import CHECKPOINT_NOTE, ENTRY_PAGE

ENTRIES = Operation(
    id="listEntries",
    tag="audit",
    summary="Read the ledger, newest entries first",
    description=(
        "Role `auditor`. A page of entries with what they say; follow `next` (also in the header `Link`) until it is "
        "null. Reading a page is itself an entry, so the newest page is never the same twice; `before` keeps a walk "
        "steady. With `kind`, a page looks at 4,000 entries at most: it may hold few or none, and `next` goes on."
    ),
    answer=Answer("A page.", "EntryPage", ("Audit-Receipt", "Link"), example=ENTRY_PAGE, links=AFTER_PAGE),
    errors=(422,),
    parameters=(
        query("before", "Only entries with a smaller index.", {"type": "integer", "minimum": 0}),
        query("limit", "Entries a page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        query("kind", "Only entries of this kind.", ref("EntryKind")),
    ),
)

CHECKPOINT = Operation(
    id="getCheckpoint",
    tag="audit",
    summary="Give the signed checkpoint of the ledger's head",
    description=(
        "Role `auditor`. A signed note (c2sp.org/tlog-checkpoint): origin, size, root hash, signature. It speaks of "
        "nobody and is meant to be kept elsewhere: with it a ledger that was cut or rewritten is found out."
    ),
    answer=Answer("The note.", media_type="text/plain", example=CHECKPOINT_NOTE),
)
