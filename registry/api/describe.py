"""How a route is described in OpenAPI: everything by hand, so that the document says what the code does.

What FastAPI would write of its own accord promises its own 422 body and knows nothing of bodies that are read strictly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from registry.api.problems import PROBLEM_JSON, TITLES

_RECEIPT_HEADER = {
    "description": "Origin, index and size of the entry in the ledger, between single spaces.",
    "schema": {"type": "string", "examples": ["registry.invalid/0123456789ab/e1 17 18"]},
}
HEADERS: Mapping[str, Any] = {
    "Audit-Receipt": _RECEIPT_HEADER,
    "ETag": {"description": 'The subject\'s version in quotes, for `If-Match`: `"1"`.', "schema": {"type": "string"}},
    "Location": {"description": "Path of what was created.", "schema": {"type": "string"}},
    "Link": {"description": 'The next page, `rel="next"`; absent on the last one.', "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` when this repeats the answer of an earlier request with the same key.",
        "schema": {"type": "string", "const": "true"},
    },
    "Content-Disposition": {"description": "A file name to save under.", "schema": {"type": "string"}},
}
_RETRY_AFTER = {"description": "Seconds to wait before trying again.", "schema": {"type": "integer"}}
_REASONS: Mapping[int, str] = {
    400: "The body is not readable JSON, has a key twice, or a header has the wrong form. `code` says which.",
    401: "No token, or one that is not accepted. The refusal is in the ledger; the reason is not told. `receipt` names "
    "the entry of a token that was taken back.",
    403: "Refused by role, purpose or relation. `reason` says which, `receipt` names the entry.",
    404: "Unknown, or not yours: the two look the same.",
    408: "The body did not arrive in time.",
    409: "It exists already (`exists`), has changed since it was read (`changed`), the key came with another body "
    "(`key_reused`), a request is settled or over (`decided`, `expired`), a hold renews others without a word of why "
    "or for longer than may be (`renewal`, `held_too_long`, `another_approver`), or reviews are late or too many wait "
    "(`review_overdue`, `reviews_waiting`).",
    413: "The body is too large.",
    415: "The body is not of the media type described here, in UTF-8 without content encoding.",
    422: "The document breaks its rules; `errors` lists place and code of each, never a value.",
    429: "A limit of the day is used up (`quota_exceeded`). Nothing was released; `receipt` names the entry. Somebody "
    "else can raise the limit: `POST /v1/principals/{principal}/unlock`.",
    500: "A fault of the registry. Nothing of a value is in the answer.",
    503: "`audit_unavailable` (the ledger takes no entry, so nothing was done or decrypted), `key_unavailable` or "
    "`busy`. Nothing was changed; try again.",
}
_EXAMPLES: Mapping[int, Mapping[str, Any]] = {
    400: {"code": "duplicate_key"},
    401: {"code": "token_refused"},
    403: {"code": "access_denied", "reason": "not_permitted"},
    404: {"code": "not_found"},
    408: {"code": "body_too_slow"},
    409: {"code": "changed"},
    413: {"code": "too_large"},
    415: {"code": "not_application_json"},
    422: {"code": "invalid", "errors": [{"pointer": "/purpose/code", "code": "not_one_of"}]},
    429: {"code": "quota_exceeded", "retry_after": 21_600},
    500: {"code": "internal"},
    503: {"code": "audit_unavailable", "cause": "disk_full"},
}
_ALWAYS = (401, 403, 500, 503)


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON body: name of its schema, and examples by name."""

    schema: str
    examples: Mapping[str, Mapping[str, Any]]
    statuses: tuple[int, ...] = (400, 408, 413, 415, 422)

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI request body object."""
        examples = {name: {"value": value} for name, value in self.examples.items()}
        return {"required": True, "content": {"application/json": {"schema": ref(self.schema), "examples": examples}}}


@dataclass(frozen=True, slots=True)
class FileBody:
    """A body that is read line by line: media type -> description and example."""

    forms: Mapping[str, tuple[str, str]]
    statuses: tuple[int, ...] = (408, 413, 415, 422)

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI request body object."""
        content = {
            media_type: {"schema": {"type": "string", "description": what}, "example": example}
            for media_type, (what, example) in self.forms.items()
        }
        return {"required": True, "content": content}


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer.

    Attributes:
        description: what it is.
        schema: name of its schema; None for another media type than JSON.
        headers: names in ``HEADERS``.
        media_type: of the content.
        example: one, made up.
        links: what may be asked next, see ``link``.
    """

    description: str
    schema: str | None = None
    headers: Sequence[str] = ()
    media_type: str = "application/json"
    example: Any = None
    links: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI response object."""
        content: dict[str, Any] = {"schema": {"type": "string"}}
        if self.schema is not None:
            content = {"schema": ref(self.schema)}
        if self.example is not None:
            content["example"] = self.example
        document: dict[str, Any] = {"description": self.description, "content": {self.media_type: content}}
        if self.headers:
            document["headers"] = {name: HEADERS[name] for name in self.headers}
        if self.links:
            document["links"] = {name: dict(target) for name, target in self.links.items()}
        return document


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        id, tag, summary, description: as OpenAPI has them.
        status: of the good answer.
        answer: the good answer.
            also: good answers of another status.
        errors: error statuses besides those that every protected route, or every route with a body, has.
        body: its body.
        parameters: path, query and header parameters.
        is_public: needs no token.
    """

    id: str
    tag: str
    summary: str
    description: str
    answer: Answer
    status: int = 200
    errors: tuple[int, ...] = ()
    body: Body | FileBody | None = None
    parameters: tuple[Mapping[str, Any], ...] = ()
    also: Mapping[int, Answer] = field(default_factory=dict)
    is_public: bool = False

    def options(self) -> dict[str, Any]:
        """Return what a route's decorator is given."""
        return {
            "operation_id": self.id,
            "status_code": self.status,
            "response_class": Response,
            "response_model": None,
            "openapi_extra": self.document(),
        }

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI operation object."""
        good = {self.status: self.answer, **self.also}
        responses = {
            **{status: answer.document() for status, answer in good.items()},
            **{status: _problem(status) for status in self.statuses()},
        }
        document: dict[str, Any] = {
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
            "security": [] if self.is_public else [{"bearer": []}],
            "responses": {str(status): responses[status] for status in sorted(responses)},
        }
        if self.parameters:
            document["parameters"] = [dict(parameter) for parameter in self.parameters]
        if self.body is not None:
            document["requestBody"] = self.body.document()
        return document

    def statuses(self) -> list[int]:
        """Return every error status that the operation documents."""
        statuses = set(self.errors)
        if not self.is_public:
            statuses |= set(_ALWAYS)
        if self.body is not None:
            statuses |= set(self.body.statuses)
        return sorted(statuses)


def ref(schema: str) -> dict[str, str]:
    """Return a reference to a named schema."""
    return {"$ref": f"#/components/schemas/{schema}"}


def path_id(name: str, what: str) -> dict[str, Any]:
    """Describe an identifier in the path."""
    return {"name": name, "in": "path", "required": True, "description": what, "schema": ref("Id")}


def path(name: str, what: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a parameter of the path that is no identifier."""
    return {"name": name, "in": "path", "required": True, "description": what, "schema": dict(schema)}


def query(name: str, what: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a query parameter."""
    return {"name": name, "in": "query", "required": False, "description": what, "schema": dict(schema)}


def header(name: str, what: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a request header."""
    return {"name": name, "in": "header", "required": False, "description": what, "schema": dict(schema)}


IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "1 to 200 visible ASCII characters, the same for every repetition of this one write.",
    {"type": "string", "pattern": "^[!-~]{1,200}$"},
)


def link(operation: str, what: str, *, body: Any = None, **parameters: str) -> dict[str, Any]:
    """Describe what an answer leads to, with runtime expressions such as ``$response.body#/subject``."""
    target: dict[str, Any] = {"operationId": operation, "description": what}
    if parameters:
        target["parameters"] = parameters
    return target if body is None else {**target, "requestBody": body}


def _problem(status: int) -> dict[str, Any]:
    example = {"type": "about:blank", "title": TITLES[status], "status": status, **_EXAMPLES[status]}
    document: dict[str, Any] = {
        "description": _REASONS[status],
        "content": {PROBLEM_JSON: {"schema": ref("Problem"), "example": example}},
    }
    if status in (HTTP_TOO_MANY, HTTP_UNAVAILABLE):
        document["headers"] = {"Retry-After": _RETRY_AFTER}
    if status == HTTP_UNAUTHORIZED:
        challenge = {
            "description": '`Bearer` or `DPoP`; with `error="invalid_token"` unless there was no token.',
            "schema": {"type": "string"},
        }
        document["headers"] = {"WWW-Authenticate": challenge}
    return document


HTTP_UNAUTHORIZED = 401
HTTP_TOO_MANY = 429
HTTP_UNAVAILABLE = 503
