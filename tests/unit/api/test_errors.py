"""Every error has its own answer, and no answer holds the error's text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from registry.api.errors import _TABLE, INTERNAL, problem_of
from registry.api.problems import TITLES
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import (
    AccessDenied,
    ApprovalNeeded,
    AuditUnavailable,
    Busy,
    Conflict,
    Contended,
    EnvelopeRejected,
    InvalidInput,
    KeyUnavailable,
    LedgerCorrupt,
    MisconfiguredHome,
    NotDurable,
    NotFound,
    ProofRejected,
    ReceiptRefused,
    RegistryError,
    StatementRefused,
    TokenRefused,
    TokenTakenBack,
    UnreadableDocument,
    UploadRefused,
)
from registry.domain.ids import RequestId

MARK = "Zq7marker"
ANSWERS: tuple[tuple[RegistryError, int, str], ...] = (
    (TokenRefused(MARK), 401, "token_refused"),
    (TokenTakenBack(4), 401, "token_refused"),
    (AccessDenied("not_permitted", 4), 403, "access_denied"),
    (ApprovalNeeded(RequestId("0" * 32), 1, 0, 4), 403, "access_denied"),
    (UnreadableDocument("not_json"), 400, "not_json"),
    (UnreadableDocument("too_large"), 413, "too_large"),
    (UploadRefused("broken_pdf", 4), 400, "broken_pdf"),
    (InvalidInput([FieldProblem("/a", "missing")]), 422, "invalid"),
    (NotFound(MARK), 404, "not_found"),
    (Conflict("exists"), 409, "exists"),
    (AuditUnavailable("disk_full"), 503, "audit_unavailable"),
    (NotDurable(), 503, "audit_unavailable"),
    (Contended(), 503, "audit_unavailable"),
    (StatementRefused(MARK), 500, "internal"),
    (Busy(MARK), 503, "busy"),
    (KeyUnavailable(MARK), 503, "key_unavailable"),
    (MisconfiguredHome(MARK), 503, "misconfigured"),
    (EnvelopeRejected(MARK), 500, "record_unreadable"),
    (ReceiptRefused(MARK), 500, "receipt_refused"),
    (LedgerCorrupt(MARK, 4), 500, "ledger_corrupt"),
    (ProofRejected(MARK), 500, "ledger_corrupt"),
)


def kinds(error: type[RegistryError]) -> Iterator[type[RegistryError]]:
    for child in error.__subclasses__():
        if child.__module__ == "registry.domain.errors":
            yield child
        yield from kinds(child)


def test_the_table_has_every_error() -> None:
    assert set(_TABLE) == set(kinds(RegistryError)) == {type(error) for error, _, _ in ANSWERS}


@pytest.mark.parametrize(("error", "status", "code"), ANSWERS, ids=lambda value: type(value).__name__)
def test_an_error_has_its_answer(error: RegistryError, status: int, code: str) -> None:
    problem = problem_of(error)
    document = problem.document()
    assert (problem.status, document["code"], document["title"]) == (status, code, TITLES[status])
    assert MARK not in str(document)
    assert ("Retry-After" in problem.headers) is (status == 503)


def test_what_a_caller_may_do_something_about_is_said() -> None:
    assert problem_of(AuditUnavailable("disk_full")).document()["cause"] == "disk_full"
    assert problem_of(NotDurable()).document()["cause"] == "not_durable"
    assert problem_of(Busy()).document()["cause"] == "too_many_requests"
    assert problem_of(AccessDenied("approval_required", 4)).document()["reason"] == "approval_required"
    errors: Any = problem_of(InvalidInput([FieldProblem("/a", "missing")])).document()["errors"]
    assert errors == [{"pointer": "/a", "code": "missing"}]


def test_an_error_of_a_kind_nobody_thought_of() -> None:
    class Later(NotFound):
        pass

    class Other(RegistryError):
        pass

    assert problem_of(Later(MARK)).status == 404
    assert problem_of(Other(MARK)) == INTERNAL
