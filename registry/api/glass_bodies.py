"""From a parsed JSON body to an emergency or the review of one. Nothing submitted is ever named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from registry.api.bodies import open_body, subject_or_number, texts_of
from registry.domain.break_glass import Finding
from registry.domain.categories import Category
from registry.domain.ids import BreakGlassId
from registry.services.break_glass import Emergency, Judgement
from registry.text.rules.texts import one_line, one_of, reason_problem

_EMERGENCY_KEYS = frozenset({"subject", "employee_number", "categories", "reason", "case"})
_REVIEW_KEYS = frozenset({"finding", "note"})
_CATEGORY = one_of(frozenset(Category))
_FINDING = one_of(frozenset(Finding))
_CASE = one_line(100)


def read_emergency(document: object, number_tag: Callable[[str], bytes], *, today: date) -> Emergency:
    """Read ``{"subject"|"employee_number", "categories", "reason", "case"?}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _EMERGENCY_KEYS, today)
    subject, number = subject_or_number(body)
    if not body.has("categories") or body.member("categories") == []:
        body.refuse("missing", "categories")
    categories = frozenset(Category(text) for text in texts_of(body, "categories", _CATEGORY, len(Category)))
    reason = body.required("reason", reason_problem)
    case = "" if body.member("case") == "" else body.optional("case", _CASE)
    body.reading.finish()
    tag = number_tag(number) if number else None
    return Emergency(subject, tag, categories, reason, case)


def read_review(document: object, emergency: BreakGlassId, *, today: date) -> Judgement:
    """Read ``{"finding", "note"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _REVIEW_KEYS, today)
    finding = body.required("finding", _FINDING)
    note = body.required("note", reason_problem)
    body.reading.finish()
    return Judgement(emergency, Finding(finding), note)
