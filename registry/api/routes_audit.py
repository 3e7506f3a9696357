"""The ledger for auditors: entries a page at a time, and the published tree (c2sp.org/tlog-tiles)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_audit as described
from registry.api.asking import Ask, without_body
from registry.api.queries import page_answer, page_of, query_of
from registry.audit.kinds import Kind
from registry.domain.clock import from_unix_ms, iso
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput, NotFound, ProofRejected
from registry.services.read_audit import AUDITORS, ReadEntry
from registry.transparency.tiles import Tile, parse_tile

router = APIRouter()

_QUERY_KEYS = frozenset({"before", "limit", "kind"})
_KINDS = frozenset(Kind)

EntriesAsk = Annotated[Ask, Depends(without_body(AUDITORS, "entries"))]
TileAsk = Annotated[Ask, Depends(without_body(AUDITORS, "tiles"))]
CheckpointAsk = Annotated[Ask, Depends(without_body(AUDITORS, "checkpoint"))]


@dataclass(frozen=True, slots=True)
class PageAsk:
    """Which entries: below an index, so many, of one kind or of all."""

    before: int | None
    limit: int
    kind: Kind | None


@router.get("/v1/audit/entries", **described.ENTRIES.options())
def entries(ask: EntriesAsk) -> Response:
    wanted = _page_ask(ask)
    page = ask.application.audit.page(ask.caller, before=wanted.before, limit=wanted.limit, kind=wanted.kind)
    following = None if page.before is None else _link(wanted, page.before)
    return page_answer({"entries": [_entry(entry) for entry in page.entries]}, following, page.receipt)


@router.get("/audit/checkpoint", **described.CHECKPOINT.options())
def checkpoint(ask: CheckpointAsk) -> Response:
    return Response(ask.application.tiles.checkpoint().note, 200, media_type="text/plain; charset=utf-8")


@router.get("/audit/tile/{path:path}", **described.TILE.options())
def tile(ask: TileAsk, path: str) -> Response:
    wanted = _tile_of(ask, path)
    raw = ask.application.tiles.tile(ask.principal, wanted)
    return Response(raw, 200, media_type="application/octet-stream")


def _tile_of(ask: Ask, path: str) -> Tile:
    """Read which tile. A path has one spelling, so one that is written with escapes is none."""
    if b"%" in ask.request.scope.get("raw_path", b""):
        raise NotFound
    try:
        return parse_tile(path)
    except ProofRejected:
        raise NotFound from None


def _page_ask(ask: Ask) -> PageAsk:
    problems: list[FieldProblem] = []
    given = query_of(ask.request, _QUERY_KEYS, problems)
    before, limit = page_of(given, problems)
    kind = given.get("kind")
    if kind is not None and kind not in _KINDS:
        problems.append(FieldProblem("/query/kind", "not_one_of"))
    if problems:
        raise InvalidInput(problems[:50])
    return PageAsk(before, limit, None if kind is None else Kind(kind))


def read_before(ask: Ask) -> int | None:
    """Read ``before``, the only parameter of the query.

    Raises:
        InvalidInput: with all problems.
    """
    problems: list[FieldProblem] = []
    before, _ = page_of(query_of(ask.request, frozenset({"before"}), problems), problems)
    if problems:
        raise InvalidInput(problems[:50])
    return before


def _link(wanted: PageAsk, before: int) -> str:
    query: dict[str, Any] = {"before": before, "limit": wanted.limit}
    if wanted.kind is not None:
        query["kind"] = wanted.kind.value
    return f"/v1/audit/entries?{urlencode(query)}"


def _entry(entry: ReadEntry) -> dict[str, Any]:
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
