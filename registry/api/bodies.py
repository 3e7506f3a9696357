"""From a parsed JSON body to an ask: disclosures, searches, traces and grants. Nothing submitted is ever named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from registry.domain.categories import Category
from registry.domain.errors import InvalidInput
from registry.domain.ids import RecordId, SubjectId, is_id
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode, is_hl7_code, is_purpose_code
from registry.identity.claims import is_plain_text
from registry.policy.decide import Form
from registry.services.principals import Grant, Move
from registry.services.revoke import TokenName
from registry.text.moments import read_moment
from registry.text.rules.employee_number import employee_number_problem
from registry.text.rules.family_member import read_names
from registry.text.rules.reading import ObjectReader, Reading, TextRule
from registry.text.rules.texts import one_line, one_of, paragraphs, reason_problem
from registry.text.rules.values import read_value

MAX_ITEMS = 500
MAX_RECORDS = 200
_ID_LENGTH = 32

_CARD_KEYS = frozenset({"subject", "employee_number", "categories", "records"})
_WHOLE_KEYS = frozenset({"purpose", "form"})
_OWN_KEYS = frozenset({"categories", "records", "form"})
_PURPOSE_KEYS = frozenset({"code", "case", "note"})
_SEARCH_KEYS = frozenset({"employee_number", "given_name", "family_name", "department", "value"})
_REASON_KEYS = frozenset({"reason"})
_WORD_KEYS = frozenset({"note"})
_GRANT_KEYS = frozenset({"issuer", "sub", "roles", "employee_number", "unit", "supervisor"})
_TOKEN_KEYS = frozenset({"issuer", "token_id"})
_MOVE_KEYS = frozenset({"roles", "unit", "supervisor"})

_CATEGORY = one_of(frozenset(Category))
_CATEGORIES = {category.value: category for category in Category}
_NO_PURPOSE = PurposeCode("")
_FORM = one_of(frozenset(Form))
_OWN_FORM = one_of(frozenset({Form.AS_ENTERED}))
_ROLE = one_of(frozenset(Role))
_CASE = one_line(100)
_NOTE = paragraphs(1_000)
_DEPARTMENT = one_line(120)
_UNIT = one_line(120)


@dataclass(frozen=True, slots=True)
class CardAsk:
    """Which card: of whom, and which categories or records of it."""

    subject: SubjectId | None
    employee_number: str | None = field(repr=False)
    categories: frozenset[Category]
    records: frozenset[RecordId]
    form: Form = Form.MARKED


@dataclass(frozen=True, slots=True)
class SearchBody:
    """What a search goes by: exactly one of a number, a name (with or without department), a department, a value."""

    employee_number: str = field(default="", repr=False)
    given_name: str = field(default="", repr=False)
    family_name: str = field(default="", repr=False)
    department: str = field(default="", repr=False)
    category: Category | None = None
    value: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_disclosure(document: object, *, today: date) -> tuple[CardAsk, Purpose]:
    """Read ``{"subject"|"employee_number", "categories"|"records", "purpose":{"code","case","note"}, "form"?}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _CARD_KEYS | _WHOLE_KEYS, today)
    subject, number = subject_or_number(body)
    categories, records = _wanted(body)
    purpose, form = _purpose(body), _form(body)
    body.reading.finish()
    return CardAsk(subject, number, categories, records, form), purpose


def read_batch(document: object, *, today: date) -> tuple[tuple[CardAsk, ...], Purpose]:
    """Read ``{"items":[{"subject"|"employee_number", "categories"|"records"}], "purpose":{...}, "form"?}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _WHOLE_KEYS | {"items"}, today)
    items = body.member("items")
    if not body.has("items") or items == []:
        body.refuse("missing", "items")
    cards = tuple(_card(item) for item in body.items("items", _CARD_KEYS, MAX_ITEMS))
    purpose = _purpose(body)
    form = _form(body)
    body.reading.finish()
    return tuple(replace(card, form=form) for card in cards), purpose


def read_own_disclosure(document: object, *, today: date) -> tuple[frozenset[Category], frozenset[RecordId]]:
    """Read ``{"categories"?|"records"?, "form"?}`` of a subject's ask for the own card; neither means everything.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _OWN_KEYS, today)
    categories, records = frozenset(Category), frozenset[RecordId]()
    if body.has("categories") or body.has("records"):
        categories, records = _wanted(body)
    body.optional("form", _OWN_FORM)
    body.reading.finish()
    return categories, records


def read_search(document: object, *, today: date) -> SearchBody:
    """Read one of ``{"employee_number"}``, ``{"given_name","family_name","department"?}``, ``{"department"}``,
    ``{"value":{"category","value":{...}}}``.

    Raises:
        InvalidInput: with all problems; ``exactly_one`` when it is none of them or several.
    """  # noqa: D205 - the shapes belong together
    body = open_body(document, _SEARCH_KEYS, today)
    is_named = body.has("given_name") or body.has("family_name")
    ways = [body.has("employee_number"), is_named, body.has("department") and not is_named, body.has("value")]
    if ways.count(True) != 1 or (body.has("department") and (ways[0] or ways[3])):
        body.refuse("exactly_one")
        body.reading.finish()
    found = SearchBody()
    if ways[0]:
        found = SearchBody(employee_number=body.required("employee_number", employee_number_problem))
    elif ways[3]:
        found = _searched_value(body, today)
    else:
        given_name, family_name = read_names(body) if is_named else ("", "")
        found = SearchBody("", given_name, family_name, body.optional("department", _DEPARTMENT))
    body.reading.finish()
    return found


def read_word(document: object, *, today: date) -> str:
    """Read ``{"note"?}`` of an approver's word.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _WORD_KEYS, today)
    note = loose(body, "note", _NOTE)
    body.reading.finish()
    return note


def read_reason(document: object, *, today: date) -> str:
    """Read ``{"reason"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _REASON_KEYS, today)
    reason = body.required("reason", reason_problem)
    body.reading.finish()
    return reason


def read_grant(document: object, *, today: date) -> Grant:
    """Read ``{"issuer", "sub", "roles", "employee_number"?, "unit"?, "supervisor"?}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _GRANT_KEYS, today)
    issuer = body.required("issuer", _plain_problem)
    sub = body.required("sub", _plain_problem)
    if not body.has("roles"):
        body.refuse("missing", "roles")
    roles = frozenset(Role(role) for role in texts_of(body, "roles", _ROLE, len(Role)))
    number = body.optional("employee_number", employee_number_problem)
    unit = loose(body, "unit", _UNIT)
    supervisor = body.optional("supervisor", employee_number_problem)
    body.reading.finish()
    return Grant(issuer, sub, roles, number or None, unit, supervisor or None)


def read_token_name(document: object, *, today: date) -> TokenName:
    """Read ``{"issuer", "token_id"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _TOKEN_KEYS, today)
    issuer, token_id = body.required("issuer", _plain_problem), body.required("token_id", _plain_problem)
    body.reading.finish()
    return TokenName(issuer, token_id)


def read_move(document: object, *, today: date) -> Move:
    """Read ``{"unit"?, "supervisor"?, "roles"?}``, of which one must be there; an empty text takes away.

    Raises:
        InvalidInput: with all problems; ``no_changes`` for an empty object.
    """
    body = open_body(document, _MOVE_KEYS, today)
    if not any(body.has(key) for key in _MOVE_KEYS):
        body.refuse("no_changes")
    roles = frozenset(Role(role) for role in texts_of(body, "roles", _ROLE, len(Role)))
    unit = loose(body, "unit", _UNIT)
    supervisor = loose(body, "supervisor", employee_number_problem)
    body.reading.finish()
    return Move(
        roles if body.has("roles") else None,
        unit if body.has("unit") else None,
        supervisor if body.has("supervisor") else None,
    )


def open_body(document: object, keys: frozenset[str], today: date) -> ObjectReader:
    """Take a document as an object with these keys only.

    Raises:
        InvalidInput: it is none.
    """
    reading = Reading(today)
    body = reading.open(document, keys, "")
    if body is None:
        raise InvalidInput(reading.problems)
    return body


def _card(body: ObjectReader) -> CardAsk:
    subject, number = subject_or_number(body)
    categories, records = _wanted(body)
    return CardAsk(subject, number, categories, records)


def subject_or_number(body: ObjectReader) -> tuple[SubjectId | None, str | None]:
    """Read whom a body is about: ``subject`` or ``employee_number``, one of them; a wrong one is a problem of it."""
    if body.has("subject") == body.has("employee_number"):
        body.refuse("exactly_one")
    subject = body.optional("subject", id_problem)
    number = body.optional("employee_number", employee_number_problem)
    return SubjectId(subject) if subject else None, number or None


def _wanted(body: ObjectReader) -> tuple[frozenset[Category], frozenset[RecordId]]:
    if body.has("categories") == body.has("records"):
        body.refuse("exactly_one")
        return frozenset(), frozenset()
    usual = _usual_categories(body.member("categories"))
    if usual is not None:
        return usual, frozenset()
    key = "categories" if body.has("categories") else "records"
    if body.member(key) == []:
        body.refuse("empty", key)
    categories = frozenset(Category(text) for text in texts_of(body, "categories", _CATEGORY, len(Category)))
    records = frozenset(RecordId(text) for text in texts_of(body, "records", id_problem, MAX_RECORDS))
    return categories, records


def _usual_categories(given: object) -> frozenset[Category] | None:
    """Return a list of categories as a set; None when there is anything to find fault with, or no list."""
    if not isinstance(given, list) or not given or not all(isinstance(text, str) for text in given):
        return None
    found = frozenset(map(_CATEGORIES.get, given))
    is_whole = len(found) == len(given) and None not in found
    return found if is_whole else None  # type: ignore[return-value]  # no None is among them


def _form(body: ObjectReader) -> Form:
    if not body.has("form"):
        return Form.MARKED
    given = body.optional("form", _FORM)
    return Form(given) if given else Form.MARKED


def _purpose(body: ObjectReader) -> Purpose:
    if not body.has("purpose"):
        body.refuse("missing", "purpose")
        return Purpose(_NO_PURPOSE)
    purpose = body.reading.open(body.member("purpose"), _PURPOSE_KEYS, f"{body.pointer}/purpose")
    if purpose is None:
        return Purpose(_NO_PURPOSE)
    code = purpose.required("code", _code_problem)
    case, note = loose(purpose, "case", _CASE), loose(purpose, "note", _NOTE)
    return Purpose(PurposeCode(code or _NO_PURPOSE), case, note)


def _code_problem(text: str) -> str | None:
    # Which there are, the policy knows; here the form alone is looked at.
    return None if is_purpose_code(text) or is_hl7_code(text) else "not_one_of"


def _searched_value(body: ObjectReader, today: date) -> SearchBody:
    holder = Reading(today).open(body.member("value"), frozenset({"category", "value"}), "/value")
    if holder is None:
        body.refuse("wrong_type", "value")
        return SearchBody()
    category, value = value_of(holder, _CATEGORY)
    return SearchBody(category=category, value=value)


def value_of(holder: ObjectReader, categories: TextRule) -> tuple[Category, dict[str, str]]:
    """Read ``{"category", "value"}``, the last members of a document.

    Raises:
        InvalidInput: with all problems of the document.
    """
    named = holder.required("category", categories)
    if not holder.has("value"):
        holder.refuse("missing", "value")
    value: dict[str, str] = {}
    if named and holder.has("value"):
        value = read_value(Category(named), holder.member("value"), f"{holder.pointer}/value", holder.reading)
    holder.reading.finish()
    return Category(named), value


def texts_of(body: ObjectReader, key: str, rule: TextRule, limit: int) -> Iterator[str]:
    """Yield the texts of a list that keep the rule, no text twice; an absent list is an empty one."""
    value = body.member(key)
    if not body.has(key):
        return
    if not isinstance(value, list):
        body.refuse("wrong_type", key)
        return
    if len(value) > limit:
        body.refuse("too_many", key)
        return
    seen: set[str] = set()
    for position, text in enumerate(value):
        code = "wrong_type" if not isinstance(text, str) else rule(text) if text not in seen else "repeated"
        if code is not None:
            body.refuse(code, f"{key}/{position}")
            continue
        seen.add(text)
        yield text


def loose(body: ObjectReader, key: str, rule: TextRule) -> str:
    """Return a text that may be absent or empty, which mean the same."""
    return "" if body.member(key) == "" else body.optional(key, rule)


def id_problem(text: str) -> str | None:
    """Tell what is wrong with the identifier of a row."""
    return None if is_id(text) and len(text) == _ID_LENGTH else "id_form"


def _plain_problem(text: str) -> str | None:
    return None if is_plain_text(text) else "not_plain_text"


def moment_problem(text: str) -> str | None:
    """Tell whether a text is a time with an offset."""
    return None if read_moment(text) is not None else "not_a_moment"
