"""A listing's query, read strictly (a page that is not what was asked for would be taken for all), and its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from registry.api.problems import json_answer
from registry.api.render import receipt_document
from registry.domain.enrollment import FieldProblem
from registry.services.kernel import ReceiptView
from registry.services.read_audit import MAX_PAGE

DEFAULT_PAGE = 50
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


def query_of(request: Request, names: frozenset[str], problems: list[FieldProblem]) -> Mapping[str, str]:
    """Return the query's members by name; note unknown and repeated ones."""
    query = request.query_params.multi_items()
    problems += [FieldProblem("/query", "unknown_key") for name, _ in query if name not in names]
    given = dict(query)
    if len(given) != len(query):
        problems.append(FieldProblem("/query", "repeated"))
    return given


def page_of(given: Mapping[str, str], problems: list[FieldProblem]) -> tuple[int | None, int]:
    """Return ``before`` and ``limit``; note what is wrong with them."""
    before, limit = _whole(given, "before", problems), _whole(given, "limit", problems)
    if limit is not None and not 1 <= limit <= MAX_PAGE:
        problems.append(FieldProblem("/query/limit", "out_of_range"))
    return before, DEFAULT_PAGE if limit is None else limit


def page_answer(document: Mapping[str, Any], following: str | None, receipt: ReceiptView) -> Response:
    """Return a page, with the path and query of the next one (None: no more) and the receipt of reading it."""
    headers = {"Audit-Receipt": receipt.header}
    if following is not None:
        headers["Link"] = f'<{following}>; rel="next"'
    return json_answer({**document, "next": following, "receipt": receipt_document(receipt)}, headers=headers)


def _whole(given: Mapping[str, str], key: str, problems: list[FieldProblem]) -> int | None:
    text = given.get(key)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) is None:
        problems.append(FieldProblem(f"/query/{key}", "not_a_number"))
        return None
    return int(text)
