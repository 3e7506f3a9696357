"""From a parsed JSON body to a hold. Nothing submitted is ever named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from registry.api.bodies import open_body, subject_or_number, texts_of
from registry.domain.holds import LONGEST_DAYS, LONGEST_LEGAL_DAYS, Statement
from registry.domain.purposes import PurposeCode
from registry.services.holds import HoldAsk
from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_line, one_of, reason_problem

_KEYS = frozenset(
    {"subject", "employee_number", "purposes", "days", "statement", "asked_by", "reason", "case", "legal"}
)
_STATEMENT = one_of(frozenset(Statement))
_LINE = one_line(100)


def read_hold(
    document: object, number_tag: Callable[[str], bytes], *, known: frozenset[PurposeCode], today: date
) -> HoldAsk:
    """Read ``{"subject"|"employee_number", "purposes"?, "days", "statement", "asked_by", "reason", "case"?}``.

    With ``"legal": true`` it is a legal hold, which names no purposes.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _KEYS, today)
    subject, number = subject_or_number(body)
    if body.member("purposes") == []:
        body.refuse("empty", "purposes")
    purposes = frozenset(map(PurposeCode, texts_of(body, "purposes", one_of(known), len(known))))
    told = body.required("statement", _STATEMENT)
    statement = Statement(told) if told else Statement.ORAL
    is_legal = body.member("legal") is True
    if body.has("legal") and not isinstance(body.member("legal"), bool):
        body.refuse("wrong_type", "legal")
    if is_legal and body.has("purposes"):
        body.refuse("exactly_one")
    days = _days(body, LONGEST_LEGAL_DAYS if is_legal else LONGEST_DAYS[statement])
    asked_by, reason = body.required("asked_by", _LINE), body.required("reason", reason_problem)
    case = "" if body.member("case") == "" else body.optional("case", _LINE)
    body.reading.finish()
    tag = number_tag(number) if number else None
    return HoldAsk(subject, tag, purposes, days, statement, asked_by, reason, case, is_legal)


def _days(body: ObjectReader, most: int) -> int:
    days = body.member("days")
    if not body.has("days"):
        body.refuse("missing", "days")
    elif not isinstance(days, int) or isinstance(days, bool):
        body.refuse("wrong_type", "days")
    elif not 1 <= days <= most:
        body.refuse("out_of_range", "days")
    return days if isinstance(days, int) else 1
