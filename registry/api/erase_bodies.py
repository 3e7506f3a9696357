"""From a parsed JSON body to who is to be taken out, and to the answer. Nothing submitted is ever named."""

from __future__ import annotations

from datetime import date
from typing import Any

from registry.api.bodies import open_body
from registry.domain.ids import SubjectId
from registry.services.erase import Erased
from registry.services.erase_scope import ErasureAsk
from registry.text.rules.entries import ref_problem
from registry.text.rules.texts import one_line, reason_problem

_KEYS = frozenset({"member", "reason", "basis"})
BASIS = one_line(200)


def read_erasure(document: object, subject: SubjectId, *, today: date) -> ErasureAsk:
    """Read ``{"reason", "basis", "member"?}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _KEYS, today)
    reason, basis = body.required("reason", reason_problem), body.required("basis", BASIS)
    member = body.optional("member", ref_problem) or None
    body.reading.finish()
    return ErasureAsk(subject, member, reason, basis)


def erased_document(done: Erased) -> dict[str, Any]:
    """Return how much of what is gone, and how much of what stays; the receipt goes with it."""
    return {"subject": done.subject, "erased": dict(done.counts), "kept": dict(done.kept), "clean": done.is_clean}
