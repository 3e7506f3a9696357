"""The ledger for auditors: entries a page at a time, and the published tree (c2sp.org/tlog-tiles)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_audit as described
from registry.api.accounting_bodies import accounting_document, read_accounting
from registry.api.asking import Ask, json_body, without_body
from registry.api.describe_accounting import PRODUCE
from registry.api.entry_documents import entry_page
from registry.api.queries import page_answer, page_of, query_of
from registry.api.render import receipted
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput, NotFound, ProofRejected
from registry.services.accounting import PRODUCERS
from registry.services.entry_filter import EntryFilter
from registry.services.entry_query import FILTERS, filter_of
from registry.services.read_audit import AUDITORS
from registry.transparency.tiles import Tile, parse_tile

router = APIRouter()


EntriesAsk = Annotated[Ask, Depends(without_body(AUDITORS, "entries"))]
AccountingAsk = Annotated[Ask, Depends(json_body(PRODUCERS, "accounting of disclosures"))]
TileAsk = Annotated[Ask, Depends(without_body(AUDITORS, "tiles"))]
CheckpointAsk = Annotated[Ask, Depends(without_body(AUDITORS, "checkpoint"))]


@dataclass(frozen=True, slots=True)
class PageAsk:
    """Which entries: below an index, so many, and what they must be, also as it was asked."""

    before: int | None
    limit: int
    wanted: EntryFilter
    query: Mapping[str, str]


@router.get("/v1/audit/entries", **described.ENTRIES.options())
def entries(ask: EntriesAsk) -> Response:
    wanted = _page_ask(ask)
    page = ask.application.audit.page(ask.caller, before=wanted.before, limit=wanted.limit, wanted=wanted.wanted)
    document = entry_page(page, {"limit": str(wanted.limit), **wanted.query})
    return page_answer(document, document["next"], page.receipt)


@router.post("/v1/audit/accountings", **PRODUCE.options())
def accounting(ask: AccountingAsk) -> Response:
    asked = read_accounting(ask.document(), ask.application.kernel.number_tag, today=ask.today)
    found = ask.application.accountings.produce(ask.caller, asked)
    return receipted(accounting_document(found), found.receipt)


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
    given = query_of(ask.request, frozenset({"before", "limit", *FILTERS}), problems)
    before, limit = page_of(given, problems)
    wanted = filter_of(given, problems)
    if problems:
        raise InvalidInput(problems[:50])
    return PageAsk(before, limit, wanted, {name: given[name] for name in FILTERS if name in given})


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
