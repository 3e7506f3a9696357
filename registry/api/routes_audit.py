"""The ledger for auditors: entries a page at a time, and the signed checkpoint of its head."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_audit as described
from registry.api.asking import Ask, without_body
from registry.api.problems import json_answer
from registry.api.render import receipt_document
from registry.audit.kinds import Kind
from registry.domain.clock import from_unix_ms, iso
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.services.read_audit import AUDITORS, MAX_PAGE, ReadEntry

router = APIRouter()

DEFAULT_PAGE = 50
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_KINDS = frozenset(Kind)

EntriesAsk = Annotated[Ask, Depends(without_body(AUDITORS, "entries"))]
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
    document = {
        "entries": [_entry(entry) for entry in page.entries],
        "next": following,
        "receipt": receipt_document(page.receipt),
    }
    headers = {"Audit-Receipt": page.receipt.header}
    if following is not None:
        headers["Link"] = f'<{following}>; rel="next"'
    return json_answer(document, headers=headers)


@router.get("/audit/checkpoint", **described.CHECKPOINT.options())
def checkpoint(ask: CheckpointAsk) -> Response:
    return Response(ask.application.audit.checkpoint(), 200, media_type="text/plain; charset=utf-8")


def _page_ask(ask: Ask) -> PageAsk:
    """Read the query strictly; a page that is not what was asked for would be taken for all there is."""
    query = ask.request.query_params.multi_items()
    problems = [FieldProblem("/query", "unknown_key") for name, _ in query if name not in {"before", "limit", "kind"}]
    given = dict(query)
    if len(given) != len(query):
        problems.append(FieldProblem("/query", "repeated"))
    before = _whole(given, "before", problems)
    limit = _whole(given, "limit", problems)
    if limit is not None and not 1 <= limit <= MAX_PAGE:
        problems.append(FieldProblem("/query/limit", "out_of_range"))
    kind = given.get("kind")
    if kind is not None and kind not in _KINDS:
        problems.append(FieldProblem("/query/kind", "not_one_of"))
    if problems:
        raise InvalidInput(problems[:50])
    return PageAsk(before, DEFAULT_PAGE if limit is None else limit, None if kind is None else Kind(kind))


def read_before(ask: Ask) -> int | None:
    """Read ``before``, the only parameter of the query.

    Raises:
        InvalidInput: with all problems.
    """
    query = ask.request.query_params.multi_items()
    problems = [FieldProblem("/query", "unknown_key") for name, _ in query if name != "before"]
    given = dict(query)
    if len(given) != len(query):
        problems.append(FieldProblem("/query", "repeated"))
    before = _whole(given, "before", problems)
    if problems:
        raise InvalidInput(problems[:50])
    return before


def _whole(given: Mapping[str, str], key: str, problems: list[FieldProblem]) -> int | None:
    text = given.get(key)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) is None:
        problems.append(FieldProblem(f"/query/{key}", "not_a_number"))
        return None
    return int(text)


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
