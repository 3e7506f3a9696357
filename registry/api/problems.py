"""Problem documents (RFC 9457) and plain JSON answers: the only two ways in which a route answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from starlette.responses import Response

PROBLEM_JSON = "application/problem+json"

# RFC 9457: with the type about:blank the title is the status phrase. Python 3.11 knows the old names of 413 and 422.
TITLES: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error answer says.

    Attributes:
        status: HTTP status.
        code: short stable code; the only thing a program should branch on besides the status.
        members: further members of the document; never a submitted value.
        headers: further headers.
    """

    status: int
    code: str
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the problem document."""
        title = TITLES.get(self.status, "Error")
        return {"type": "about:blank", "title": title, "status": self.status, "code": self.code, **self.members}

    def response(self) -> Response:
        """Return the answer."""
        return Response(orjson.dumps(self.document()), self.status, dict(self.headers), PROBLEM_JSON)

    def saying(self, **members: Any) -> Problem:
        """Return the same problem with further members."""
        return replace(self, members={**self.members, **members})


class HttpRefusal(Exception):
    """A request that is refused for its HTTP form, before any service is asked.

    Attributes:
        problem: the answer.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def json_answer(document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(json_bytes(document), status, dict(headers or {}), "application/json")


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a document as it is answered."""
    return orjson.dumps(document)
