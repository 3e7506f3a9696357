"""Commands that speak HTTP: to the registry at REGISTRY_URL, with the token in REGISTRY_TOKEN."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from registry.domain.enrollment import FieldProblem
from registry.domain.errors import (
    AccessDenied,
    ApprovalNeeded,
    AuditUnavailable,
    Busy,
    Conflict,
    InvalidInput,
    MisconfiguredHome,
    NotFound,
    RegistryError,
    TokenRefused,
    TokenTakenBack,
    UploadRefused,
)
from registry.domain.ids import RequestId
from registry.identity.issuers import require_safe_url

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 600.0  # a server that is busy with others takes its time for thousands of lines
_UNPROCESSABLE = 422
_CONFLICTS = ("legal_hold", "reviews_waiting", "changed", "below_strong", "nothing_drawn", "exists")
_UNREADABLE = frozenset({400, 413, 415})  # with a receipt: a document, not the request
_JSON = "application/json, application/problem+json"


@dataclass(frozen=True, slots=True)
class Remote:
    """One registry somewhere else, and who asks it."""

    url: str
    token: str = field(repr=False)

    def post(self, path: str, content: bytes, media_type: str) -> Mapping[str, Any]:
        """Send a body and return the JSON object that comes back.

        Raises:
            RegistryError: as the same command in process would; ``MisconfiguredHome`` when nobody answers, or
                not as a registry does.
        """
        answer = self._ask("POST", path, content, {"Content-Type": media_type, "Accept": _JSON})
        document = _object(answer)
        if answer.is_success:
            return document
        raise _error(answer.status_code, document)

    def delete(self, path: str, content: bytes) -> Mapping[str, Any]:
        """Ask for something to be destroyed, and return the JSON object that comes back.

        Raises:
            RegistryError: as ``post``; ``ApprovalNeeded`` when somebody else has to approve it first.
        """
        answer = self._ask("DELETE", path, content, {"Content-Type": "application/json", "Accept": _JSON})
        document = _object(answer)
        if answer.status_code == httpx2.codes.ACCEPTED:
            raise waiting(document)
        if answer.is_success:
            return document
        raise _error(answer.status_code, document)

    def fetch(self, path: str) -> bytes:
        """Return a file.

        Raises:
            RegistryError: as ``post``.
        """
        answer = self._ask("GET", path, b"", {"Accept": "*/*"})
        if answer.status_code == httpx2.codes.ACCEPTED:
            raise waiting(_object(answer))
        if answer.is_success:
            return answer.content
        raise _error(answer.status_code, _object(answer))

    def _ask(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        sent = {**headers, "Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}
        timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        tls: ssl.SSLContext | bool = ssl.create_default_context() if self.url.startswith("https:") else False
        try:
            # trust_env off: a proxy variable would choose who reads the values, .netrc would replace the token.
            with httpx2.Client(verify=tls, timeout=timeout, follow_redirects=False, trust_env=False) as client:
                return client.request(method, self.url.rstrip("/") + path, content=content, headers=sent)
        except httpx2.HTTPError as failure:
            raise MisconfiguredHome(
                f"the registry at REGISTRY_URL does not answer ({type(failure).__name__})"
            ) from None


def remote(environment: Mapping[str, str] | None = None) -> Remote | None:
    """Return the registry that REGISTRY_URL names, None when it names none.

    Raises:
        MisconfiguredHome: the address is neither https nor loopback, or there is no token to use there.
    """
    seen = os.environ if environment is None else environment
    url, token = seen.get("REGISTRY_URL", ""), seen.get("REGISTRY_TOKEN", "").strip()
    if not url:
        return None
    try:
        require_safe_url(url)
    except MisconfiguredHome:
        raise MisconfiguredHome("REGISTRY_URL must be an https: address, or one of this machine") from None
    if not token or not token.isascii() or not token.isprintable():
        raise MisconfiguredHome("REGISTRY_URL is set: put an access token for it into REGISTRY_TOKEN")
    return Remote(url, token)


def waiting(document: Mapping[str, Any]) -> ApprovalNeeded:
    """Return the error of an answer that says who has to approve first."""
    receipt = document.get("receipt") or {}
    return ApprovalNeeded(RequestId(str(document.get("request", ""))), 1, 0, int(receipt.get("index", 0)))


def _object(answer: httpx2.Response) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise MisconfiguredHome(f"what answers at REGISTRY_URL is no registry (status {answer.status_code})")
    return document


def _error(status: int, problem: Mapping[str, Any]) -> RegistryError:
    code = str(problem.get("code", ""))
    if status == _UNPROCESSABLE:
        errors = problem.get("errors") or [{"pointer": "", "code": code}]
        return InvalidInput([FieldProblem(str(one["pointer"]), str(one["code"])) for one in errors])
    if status in _UNREADABLE and "receipt" in problem:
        return UploadRefused(code, problem["receipt"].get("index", 0))
    if status == httpx2.codes.UNAUTHORIZED and "receipt" in problem:
        return TokenTakenBack(problem["receipt"].get("index", 0))
    if status == httpx2.codes.FORBIDDEN:
        return AccessDenied(str(problem.get("reason", "")), (problem.get("receipt") or {}).get("index", 0))
    if status == httpx2.codes.SERVICE_UNAVAILABLE and code == "audit_unavailable":
        return AuditUnavailable(str(problem.get("cause", "")))
    plain = {
        (401, "token_refused"): TokenRefused("refused_by_server"),
        (404, "not_found"): NotFound(),
        **{(409, one): Conflict(one) for one in _CONFLICTS},
        (503, "busy"): Busy(),
    }
    other = MisconfiguredHome(f"the registry at REGISTRY_URL refused: status {status}, {code}")
    return plain.get((status, code), other)
