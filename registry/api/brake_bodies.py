"""From a parsed JSON body to an ask: raised limits, lifted locks, decoys, checks. Nothing submitted is ever named."""

from __future__ import annotations

from datetime import datetime

from registry.api.bodies import moment_problem, open_body, texts_of, value_of
from registry.domain.categories import Category
from registry.domain.purposes import PurposeCode
from registry.services.check_value import CHECKABLE
from registry.services.unlock import LONGEST_UNLOCK, MOST_SUBJECTS, RaisedLimit
from registry.services.value_searches import ValueAsk
from registry.text.moments import read_moment
from registry.text.rules.employee_number import employee_number_problem
from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_line, one_of, paragraphs, reason_problem

MOST_DECOYS = 500

_LIFTED = ("lock", "brake")
_UNLOCK_KEYS = frozenset({"purpose", "limit", "until", *_LIFTED, "reason"})
_DECOY_KEYS = frozenset({"employee_numbers", "remove"})
_CHECK_KEYS = frozenset({"category", "value"})
_VALUE_ASK_KEYS = _CHECK_KEYS | {"case", "note", "before"}
_CASE = one_line(100)
_NOTE = paragraphs(1_000)
_CHECKABLE = one_of(frozenset(CHECKABLE))


def read_unlock(document: object, *, known: frozenset[PurposeCode], now: datetime) -> tuple[RaisedLimit | str, str]:
    """Read ``{"purpose", "limit", "until", "reason"}``, or ``{"lock": true, "reason"}``, or the same with ``brake``.

    ``known`` are the codes of purposes.

    Returns:
        The raised limit, or ``lock`` or ``brake`` for what is to be lifted; and the reason.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _UNLOCK_KEYS, now.date())
    reason = body.required("reason", reason_problem)
    is_limit = any(body.has(key) for key in ("purpose", "limit", "until"))
    lifted = [key for key in _LIFTED if body.has(key)]
    if len(lifted) + is_limit != 1:
        body.refuse("exactly_one")
    for key in lifted:
        if body.member(key) is not True:
            body.refuse("not_true", key)
    raised = _raised(body, now, reason, known) if is_limit else "".join(lifted)
    body.reading.finish()
    return raised, reason


def read_decoys(document: object, *, now: datetime) -> tuple[tuple[str, ...], bool]:
    """Read ``{"employee_numbers": [...], "remove"?: true}``.

    Returns:
        The employee numbers, and whether they are decoys no more.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _DECOY_KEYS, now.date())
    if not body.has("employee_numbers"):
        body.refuse("missing", "employee_numbers")
    if body.member("employee_numbers") == []:
        body.refuse("empty", "employee_numbers")
    numbers = tuple(texts_of(body, "employee_numbers", employee_number_problem, MOST_DECOYS))
    if body.has("remove") and body.member("remove") is not True:
        body.refuse("not_true", "remove")
    body.reading.finish()
    return numbers, body.has("remove")


def read_check(document: object, *, now: datetime) -> tuple[Category, dict[str, str]]:
    """Read ``{"category", "value"}`` of a value that may be protected.

    Raises:
        InvalidInput: with all problems.
    """
    return value_of(open_body(document, _CHECK_KEYS, now.date()), _CHECKABLE)


def read_value_ask(document: object, *, now: datetime) -> ValueAsk:
    """Read ``{"category", "value", "case", "note"?, "before"?}`` of a value that somebody may have asked for.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _VALUE_ASK_KEYS, now.date())
    case, note = body.required("case", _CASE), body.optional("note", _NOTE)
    before = body.member("before")
    if body.has("before") and (not isinstance(before, int) or isinstance(before, bool)):
        body.refuse("wrong_type", "before")
    elif isinstance(before, int) and not 0 <= before < 2**63:
        body.refuse("out_of_range", "before")
    category, value = value_of(body, _CHECKABLE)
    return ValueAsk(category, value, case or "", note or "", before if isinstance(before, int) else None)


def _raised(body: ObjectReader, now: datetime, reason: str, known: frozenset[PurposeCode]) -> RaisedLimit:
    code = body.required("purpose", one_of(known))
    until = read_moment(body.required("until", moment_problem)) or now
    if body.has("until") and not now < until <= now + LONGEST_UNLOCK:
        body.refuse("out_of_range", "until")
    limit = body.member("limit")
    if not body.has("limit"):
        body.refuse("missing", "limit")
    elif not isinstance(limit, int) or isinstance(limit, bool):
        body.refuse("wrong_type", "limit")
    elif not 1 <= limit <= MOST_SUBJECTS:
        body.refuse("out_of_range", "limit")
    most = limit if isinstance(limit, int) else 1
    return RaisedLimit(PurposeCode(code or ""), most, until, reason)
