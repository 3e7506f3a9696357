"""OpenAPI descriptions of the routes of routes_audit."""

from __future__ import annotations

from registry.api.describe import Answer, Operation, path, query, ref
from registry.api.describe_links import AFTER_PAGE
from registry.api.samples import CHECKPOINT_NOTE, ENTRY_PAGE
from registry.api.schema_parts import PURPOSE

_WORD = {"type": "string", "pattern": "^[a-z][a-z_]{0,39}$"}

ENTRIES = Operation(
    id="listEntries",
    tag="audit",
    summary="Read the ledger, newest entries first",
    description=(
        "Role `auditor`. A page of entries with what they say; follow `next` (also in the header `Link`) until it is "
        "null. Reading a page is itself an entry, so the newest page is never the same twice; `before` keeps a walk "
        "steady. Filters hold together. With any of them a page looks at 4,000 entries at most: it may hold few or "
        "none, and `next` goes on. What was asked for is committed in the entry of the reading."
    ),
    answer=Answer("A page.", "EntryPage", ("Audit-Receipt", "Link"), example=ENTRY_PAGE, links=AFTER_PAGE),
    errors=(422,),
    parameters=(
        query("before", "Only entries with a smaller index.", {"type": "integer", "minimum": 0}),
        query("limit", "Entries a page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        query("kind", "Only entries of this kind.", ref("EntryKind")),
        query("principal", "Only what this account said, by its id.", ref("Id")),
        query("subject", "Only entries about this subject, by its id.", ref("Id")),
        query("category", "Only entries that name a record of this category.", ref("Category")),
        query("purpose", "Only entries for this purpose.", PURPOSE),
        query("outcome", "Only entries whose result begins with this word: `permitted`, `denied` ...", _WORD),
        query("from", "Only entries from this moment on.", {"type": "string", "format": "date-time"}),
        query("to", "Only entries before this moment.", {"type": "string", "format": "date-time"}),
    ),
)

CHECKPOINT = Operation(
    id="getCheckpoint",
    tag="audit",
    summary="Give the signed checkpoint of the ledger's head",
    description=(
        "Role `auditor`. A signed note (c2sp.org/tlog-checkpoint): origin, size, root hash, a signature with Ed25519 "
        "and one with ML-DSA-44. Its root was made anew from the leaves as they are read back. It speaks of nobody and "
        "is meant to be kept elsewhere: with it a ledger that was cut or rewritten is found out."
    ),
    answer=Answer("The note.", media_type="text/plain", example=CHECKPOINT_NOTE),
)

TILE = Operation(
    id="getTile",
    tag="audit",
    summary="Give a tile of hashes, or a bundle of entries",
    description=(
        "Role `auditor`. The tree as c2sp.org/tlog-tiles has it: `/audit/tile/<L>/<N>[.p/<W>]` are hashes, "
        "`/audit/tile/entries/<N>[.p/<W>]` the leaves themselves, `<N>` written like `x001/234`. Any program for that "
        "format reads them, with the checkpoint of `/audit/checkpoint`. A leaf shows time, kind and commitments, no "
        "value. Another spelling of a name is 404. Reading is an entry: the first tile in a minute at once, the others "
        "of the minute as one entry with their number."
    ),
    answer=Answer("The tile.", media_type="application/octet-stream"),
    errors=(404,),
    parameters=(path("path", "Name of the tile: level and index.", {"type": "string", "examples": ["0/000.p/22"]}),),
)
