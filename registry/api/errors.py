"""One table from every error of this program to its HTTP answer. No answer holds a value or an exception's text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from starlette.responses import Response

from registry.api.problems import Problem, json_answer
from registry.api.render import needed_document, receipt_document
from registry.bootstrap import Application
from registry.domain import errors
from registry.identity.refusals import Refusal
from registry.policy.decide import APPROVAL_REQUIRED

RETRY_SECONDS = 5
# Of what cannot be read, where it is not the sender's document that is wrong.
_STATUSES = {"too_large": 413, "image_too_slow": 413, "ocr_unavailable": 415}
_RETRY = {"Retry-After": str(RETRY_SECONDS)}


def _token_refused(error: errors.TokenRefused) -> Problem:
    # One answer for every reason: the reason is for the ledger, not for who guesses tokens.
    challenge = 'Bearer realm="registry"'
    if error.is_of_proof:
        challenge = 'DPoP realm="registry", algs="ES256 RS256"'
    headers = {"WWW-Authenticate": challenge}
    if error.nonce:  # RFC 9449, section 9: what to do about it is no secret
        headers = {"WWW-Authenticate": f'{challenge}, error="use_dpop_nonce"', "DPoP-Nonce": error.nonce}
    elif error.reason != Refusal.MISSING:  # RFC 6750, section 3.1: no word of it to who showed nothing
        headers = {"WWW-Authenticate": f'{challenge}, error="invalid_token"'}
    return Problem(401, "token_refused", headers=headers)


def _access_denied(error: errors.AccessDenied) -> Problem:
    return Problem(403, "access_denied", {"reason": error.reason})


def _unreadable(error: errors.UnreadableDocument) -> Problem:
    return Problem(_STATUSES.get(error.code, 400), error.code)


def _invalid(error: errors.InvalidInput) -> Problem:
    problems = [{"pointer": problem.pointer, "code": problem.code} for problem in error.problems]
    return Problem(422, "invalid", {"errors": problems})


def _audit_unavailable(error: errors.AuditUnavailable) -> Problem:
    return Problem(503, "audit_unavailable", {"cause": error.cause}, _RETRY)


_TABLE: Mapping[type[errors.RegistryError], Callable[[Any], Problem]] = {
    errors.TokenRefused: _token_refused,
    errors.TokenTakenBack: _token_refused,
    errors.AccessDenied: _access_denied,
    errors.UnreadableDocument: _unreadable,
    errors.UploadRefused: _unreadable,
    errors.InvalidInput: _invalid,
    # Answered with 202 where a request is answered as a whole; this is for a part of one.
    errors.ApprovalNeeded: lambda _: Problem(403, "access_denied", {"reason": APPROVAL_REQUIRED}),
    errors.NotFound: lambda _: Problem(404, "not_found"),
    errors.Conflict: lambda error: Problem(409, error.code),
    errors.AuditUnavailable: _audit_unavailable,
    errors.NotDurable: _audit_unavailable,
    errors.Contended: _audit_unavailable,
    errors.Busy: lambda _: Problem(503, "busy", {"cause": "too_many_requests"}, _RETRY),
    # The cause in words is for the operator's log: it names key ids and paths.
    errors.KeyUnavailable: lambda error: Problem(503, "key_unavailable", {"cause": error.code}, _RETRY),
    # So does this one's.
    errors.MisconfiguredHome: lambda _: Problem(503, "misconfigured", headers=_RETRY),
    errors.EnvelopeRejected: lambda _: Problem(500, "record_unreadable"),
    errors.ReceiptRefused: lambda _: Problem(500, "receipt_refused"),
    errors.StatementRefused: lambda _: Problem(500, "internal"),
    errors.LedgerCorrupt: lambda _: Problem(500, "ledger_corrupt"),
    errors.ProofRejected: lambda _: Problem(500, "ledger_corrupt"),
}

INTERNAL = Problem(500, "internal")

log = structlog.get_logger("registry.api")


def failure_response(application: Application, error: errors.RegistryError) -> Response:
    """Return the HTTP answer to an error, with the receipt of the entry that a refusal has."""
    if isinstance(error, errors.ApprovalNeeded):
        receipt = application.kernel.view(error.entry, error.entry + 1)
        headers = {"Location": f"/v1/requests/{error.request}", "Audit-Receipt": receipt.header}
        return json_answer(needed_document(error, receipt), 202, headers)
    problem = problem_of(error)
    if isinstance(error, errors.KeyUnavailable):
        log.error("key unavailable", cause=error.cause)
    if isinstance(error, errors.AccessDenied | errors.TokenTakenBack | errors.UploadRefused):
        # A refusal is appended alone, so its entry was the last one of the tree that it was committed with.
        receipt = application.kernel.view(error.entry, error.entry + 1)
        response = problem.saying(receipt=receipt_document(receipt)).response()
        response.headers["Audit-Receipt"] = receipt.header
        return response
    return problem.response()


def problem_of(error: errors.RegistryError) -> Problem:
    """Return the answer to an error; the nearest named ancestor's when the error itself is not in the table."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            return _TABLE[kind](error)
    return INTERNAL
