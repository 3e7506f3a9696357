"""Pages of the ledger as documents: what entries say, without a value of anybody's record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from registry.api.render import receipt_document
from registry.domain.clock import from_unix_ms, iso
from registry.services.entry_reading import ReadEntry
from registry.services.read_audit import EntryPage


def entry_page(page: EntryPage, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a page as it is answered; ``query`` is what was asked, for the address of the next one."""
    following = None if page.before is None else f"/v1/audit/entries?{urlencode({'before': page.before, **query})}"
    return {
        "entries": [entry_document(entry) for entry in page.entries],
        "next": following,
        "receipt": receipt_document(page.receipt),
    }


def entry_document(entry: ReadEntry) -> dict[str, Any]:
    """Return one entry; ``fields`` is null when what it said was removed."""
    said = None
    if entry.values is not None:
        said = {name: text for name, text in entry.values.items() if text and not name.startswith("record.")}
    return {
        "index": entry.index,
        "at": iso(from_unix_ms(entry.unix_ms)),
        "kind": entry.kind,
        "fields": said,
        "records": [
            {"record": line.record, "category": line.category, "version": line.version} for line in entry.records
        ],
    }
