"""Bulk: several operations in one request, each by the handler that its own request would have had."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from registry.api.asking import Ask, json_body
from registry.api.problems import HttpRefusal, Problem
from registry.api.scim import routes_groups, routes_users
from registry.api.scim.answers import SCIM_BODY, ScimRoute, answer_of, scim_answer, scim_error
from registry.api.scim.bulk import CIRCULAR, MOST_BYTES, Done, Operation, carry_out, read_bulk
from registry.api.scim.names import BASE, BULK_ANSWER
from registry.services.enroll import ENROLLERS

router = APIRouter(route_class=ScimRoute, include_in_schema=False)

BulkAsk = Annotated[Ask, Depends(json_body(ENROLLERS, "provision", MOST_BYTES, form=SCIM_BODY))]
Handler = Callable[[Ask], Response]
# What a resource is called in a path -> its name among a route's parameters, and who handles which method.
_HANDLERS: Mapping[str, tuple[str, Mapping[str, Handler]]] = {
    "Users": (
        "user",
        {
            "POST": routes_users.create,
            "PUT": routes_users.replace_user,
            "PATCH": routes_users.patch,
            "DELETE": routes_users.remove,
        },
    ),
    "Groups": (
        "group",
        {
            "POST": routes_groups.create,
            "PUT": routes_groups.replace_group,
            "PATCH": routes_groups.patch,
            "DELETE": routes_groups.remove,
        },
    ),
}
_RECEIPT = "audit-receipt"
_WAITS = 202  # for another person, as the answer says


@router.post(f"{BASE}/Bulk")
def bulk(ask: BulkAsk) -> Response:
    bundle = _Bundle(ask)
    carry_out(read_bulk(ask.document()), bundle.do, bundle.skip)
    told = [document for _, document in sorted(bundle.told.items())]
    # The last receipt: its tree holds the entries of all.
    headers = {"Audit-Receipt": bundle.receipt} if bundle.receipt else {}
    return scim_answer({"schemas": [BULK_ANSWER], "Operations": told}, headers=headers)


@dataclass(slots=True)
class _Bundle:
    """What the operations of one request are answered, by their places."""

    ask: Ask
    told: dict[int, dict[str, Any]] = field(default_factory=dict)
    receipt: str = ""

    def do(self, place: int, operation: Operation) -> Done:
        """Do one; what it refuses is its own answer and costs no other one theirs."""
        response = answer_of(self.ask.application, lambda: _handled(self.ask, operation))
        self.receipt = response.headers.get(_RECEIPT) or self.receipt
        return self._told(place, operation, response)

    def skip(self, place: int, operation: Operation, reason: str) -> Done:
        """Say of one that it was not tried."""
        problem = Problem(409 if reason == CIRCULAR else 400, "invalid", {"detail": f"bulkId: {reason}"})
        return self._told(place, operation, scim_error(problem.response()))

    def _told(self, place: int, operation: Operation, response: Response) -> Done:
        document: dict[str, Any] = {"method": operation.method, "status": str(response.status_code)}
        where = response.headers.get("location", "")
        if operation.target and not operation.references:
            where = where or f"{BASE}/{operation.endpoint}/{operation.target}"
        told = {"bulkId": operation.bulk_id, "location": where, "version": response.headers.get("etag", "")}
        document |= {name: text for name, text in told.items() if text}
        done = Done(response.status_code, where.rpartition("/")[2])
        if response.status_code == _WAITS or done.is_error:
            document["response"] = json.loads(bytes(response.body))
        self.told[place] = document
        return done


def _handled(ask: Ask, operation: Operation) -> Response:
    if operation.endpoint not in _HANDLERS:
        raise HttpRefusal(Problem(404, "not_found"))
    parameter, handlers = _HANDLERS[operation.endpoint]
    headers = [(b"if-match", operation.version.encode())] if operation.version else []
    scope = {
        "type": "http",
        "app": ask.request.app,
        "headers": headers,
        "query_string": b"",
        "path_params": {parameter: operation.target},
    }
    body = json.dumps(operation.data).encode()
    return handlers[operation.method](
        Ask(ask.application, ask.caller, ask.principal, Request(scope), body, max(MOST_BYTES, len(body)))
    )
