"""SCIM answers: the media type, lists, errors that name places and codes and never a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from registry.api.errors import failure_response
from registry.api.problems import HttpRefusal, Problem
from registry.api.scim.names import ERROR, LIST
from registry.bootstrap import Application
from registry.domain.errors import RegistryError
from registry.services.kernel import ReceiptView

SCIM_JSON = "application/scim+json"
SCIM_BODY = re.compile(r'application/(?:scim\+)?json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE)
# What our codes are among the words of RFC 7644, section 3.12.
_TYPES: Mapping[str, str] = {
    "exists": "uniqueness",
    "immutable": "mutability",
    "invalid": "invalidValue",
    "filter": "invalidFilter",
    "no_target": "noTarget",
    "path": "invalidPath",
    "mutability": "mutability",
    "too_many": "tooMany",
}
_STATUS = {"changed": 412, "immutable": 400}
_UNREADABLE = frozenset({400, 413, 415})


def scim_answer(document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a SCIM answer."""
    return Response(orjson.dumps(document), status, dict(headers or {}), SCIM_JSON)


class Listed(NamedTuple):
    """Resources of a page, how many there are in all, and the receipt of reading them."""

    resources: Sequence[Mapping[str, Any]]
    total: int
    receipt: ReceiptView


def list_answer(listed: Listed, start: int) -> Response:
    """Return a page as an answer; ``start`` is the place of the first, from 1."""
    document = list_document(listed.resources, listed.total, start)
    return scim_answer(document, headers={"Audit-Receipt": listed.receipt.header})


def list_document(resources: Sequence[Mapping[str, Any]], total: int, start: int = 1) -> dict[str, Any]:
    """Return a list with what of it is shown.

    Args:
        resources: those of this page.
        total: of all pages.
        start: place of the first, from 1.
    """
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }


def refuse(code: str, detail: str) -> NoReturn:
    """Refuse a request for its form.

    Args:
        code: what is wrong.
        detail: in words of ours; never what was sent.

    Raises:
        HttpRefusal: 400.
    """
    raise HttpRefusal(Problem(400, code, {"detail": detail}))


def error_document(problem: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return a problem document as an error of SCIM, with its status."""
    status, code = int(problem["status"]), str(problem["code"])
    kind = _TYPES.get(code, "invalidSyntax" if status in _UNREADABLE else "")
    status = 400 if status == 422 else _STATUS.get(code, status)
    document: dict[str, Any] = {"schemas": [ERROR], "status": str(status), "detail": _detail(problem)}
    if kind:
        document["scimType"] = kind
    return status, document


def _detail(problem: Mapping[str, Any]) -> str:
    if "errors" in problem:
        return "; ".join(f"{each['pointer'] or '/'}: {each['code']}" for each in problem["errors"])
    told = problem.get("detail") or problem.get("cause") or problem.get("reason")
    return f"{problem['code']}: {told}" if told else str(problem["code"])


class ScimRoute(APIRoute):
    """A route whose errors are SCIM's, with the headers that they have everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler, so that what it refuses is answered in SCIM's form."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except (HttpRefusal, RegistryError) as error:
                return _refused(request.app.state.application, error)

        return answered


def answer_of(application: Application, handle: Callable[[], Response]) -> Response:
    """Return what a handler answers, or its refusal in SCIM's form."""
    try:
        return handle()
    except (HttpRefusal, RegistryError) as error:
        return _refused(application, error)


def _refused(application: Application, error: HttpRefusal | RegistryError) -> Response:
    if isinstance(error, HttpRefusal):
        return scim_error(error.problem.response())
    return scim_error(failure_response(application, error))


def scim_error(response: Response) -> Response:
    """Return an error answer in SCIM's form, with its headers; what is no error stays as it is."""
    problem = orjson.loads(response.body)
    if "code" not in problem:  # not an error: it waits for another person
        return response
    status, document = error_document(problem)
    kept = {name: text for name, text in response.headers.items() if name not in {"content-type", "content-length"}}
    return scim_answer(document, status, kept)
