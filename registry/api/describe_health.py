"""OpenAPI descriptions of the routes of routes_health."""

from __future__ import annotations

from registry.api.describe import Answer, Operation

POINTERS = {"service": "registry", "openapi": "/openapi.json", "ready": "/readyz"}

POINTER = Operation(
    id="getPointers",
    tag="operation",
    summary="Say where to go on",
    description="No token. For whoever opens the bare address.",
    answer=Answer("Where this document and the health are.", "Pointers", example=POINTERS),
    is_public=True,
)

HEALTHZ = Operation(
    id="isAlive",
    tag="operation",
    summary="Tell that the process runs",
    description="No token, no I/O.",
    answer=Answer("It runs.", "Alive", example={"status": "ok"}),
    is_public=True,
)

_CHECKS = ("database", "migrations", "keyring", "ledger", "entries", "issuers")

READYZ = Operation(
    id="isReady",
    tag="operation",
    summary="Tell that requests can be answered",
    description="No token. Tries the database, its revision, the keyring, the ledger's head and, when the last entry "
    "could not be written, a new one, and whether any issuer's keys can be had; at most twice a second. 503 names what "
    "failed and the cause, in fixed words; `ending` when the server is about to stop.",
    answer=Answer(
        "All there.",
        "Ready",
        example={"status": "ready", "checks": dict.fromkeys(_CHECKS, "ok")},
    ),
    errors=(503,),
    is_public=True,
)

SECURITY_TXT = Operation(
    id="getSecurityTxt",
    tag="operation",
    summary="Say where to report a weakness",
    description="RFC 9116. No token.",
    answer=Answer("The file.", media_type="text/plain"),
    is_public=True,
)
