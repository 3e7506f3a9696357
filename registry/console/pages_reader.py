"""Looking people up: search, the lookup form, the card. A card is an answer to a form, never to a link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, may_step_up, shown, submitted
from registry.console.checks import CASE_RULE, DEPARTMENT_RULE, NOTE_RULE, Checks
from registry.console.errors import problem_of
from registry.console.forms import Form
from registry.console.pages import FieldError, render, with_receipt
from registry.console.render import shown_card, shown_hits
from registry.console.words import problem_words, purpose_choices, purpose_words, reason_words, waiting_words
from registry.domain.categories import Category
from registry.domain.ids import SubjectId, is_id
from registry.domain.principals import Role
from registry.domain.purposes import Purpose
from registry.policy.decide import QUOTA_EXCEEDED, STEP_UP_REQUIRED
from registry.services.disclose import NOT_FOUND, Answer, Disclosed, DisclosureAsk, Refused, Waiting
from registry.services.search import SearchAsk
from registry.text.rules.employee_number import employee_number_problem
from registry.text.rules.names import name_problem

_READERS = Gate(frozenset({Role.READER}), "disclose")
_SEARCHERS = Gate(frozenset({Role.READER, Role.ENROLLER, Role.INVESTIGATOR}), "search")

_HEADINGS = {NOT_FOUND: (404, "Not found"), QUOTA_EXCEEDED: (429, "Enough for today")}


def look_up_form(ask: Ask) -> Response:
    """Show the empty lookup form."""
    return _look_up_page(ask, Form())


def look_up(ask: Ask) -> Response:
    """Release one card, or say why not."""
    checks = Checks(ask.form)
    wanted = _wanted(ask, checks)
    if wanted is None:
        return _look_up_page(ask, ask.form, tuple(checks.errors))
    (answer,) = ask.application.disclose.disclose_many([(ask.caller, wanted)])
    return card_page(ask, answer, title="Protected values", again="/console/look-up")


def search_form(ask: Ask) -> Response:
    """Show the empty search form."""
    return _search_page(ask, Form())


def search(ask: Ask) -> Response:
    """Search, and offer the lookup form for who was found."""
    checks = Checks(ask.form)
    wanted = _search_ask(ask, checks)
    if wanted is None:
        return _search_page(ask, ask.form, tuple(checks.errors))
    found = ask.application.search.search(ask.caller, wanted)
    facts = _look_up_facts(ask, Form()) | {"title": "Search result", "found": found, "hits": shown_hits(found)}
    response = render(ask.request, "search_result", **facts, may_look_up=Role.READER in ask.principal.roles)
    return with_receipt(response, found.receipt)


def card_page(ask: Ask, answer: Answer, *, title: str, again: str) -> Response:
    """Show an answer: the values, or in plain words why there are none, and the receipt either way."""
    if isinstance(answer, Disclosed):
        facts: dict[str, Any] = {"values": shown_card(answer), "asked": _asked_words(ask.form)}
        return with_receipt(render(ask.request, "card", title=title, card=answer, again=again, **facts), answer.receipt)
    if isinstance(answer, Refused):
        status, heading = _HEADINGS.get(answer.reason, (403, "Refused"))
        sentences: tuple[str, ...] = (reason_words(answer.reason), "The request is in the ledger.")
    elif isinstance(answer, Waiting):
        status, heading = 202, "Waiting for approval"
        sentences = (waiting_words(answer.request), "Once it is approved, make the same lookup again.")
    else:
        problem = problem_of(answer.error)
        status, heading, sentences = problem.status, problem.heading, problem.sentences
    waiting = answer.request.id if isinstance(answer, Waiting) else None
    response = render(
        ask.request,
        "refused",
        status,
        title=heading,
        waiting=waiting,
        form=ask.form,
        sentences=sentences,
        receipt=answer.receipt,
        again=again,
        step_up=may_step_up(ask.request, isinstance(answer, Refused) and answer.reason == STEP_UP_REQUIRED),
    )
    return with_receipt(response, answer.receipt)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown("/console/look-up", look_up_form, _READERS),
        submitted("/console/look-up", look_up, _READERS),
        shown("/console/search", search_form, _SEARCHERS),
        submitted("/console/search", search, _SEARCHERS),
    ]


def _look_up_page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    facts = _look_up_facts(ask, form) | {"title": "Look up", "errors": errors}
    return render(ask.request, "look_up", 422 if errors else 200, **facts)


def _look_up_facts(ask: Ask, form: Form) -> dict[str, Any]:
    purposes = purpose_choices(ask.application.kernel.policy)
    return {"form": form, "categories": list(Category), "purposes": purposes}


def _asked_words(form: Form) -> str:
    """Say whose values were asked for and why: such a page stands open beside others. Empty for own values."""
    purpose = form.text("purpose")
    if not purpose:
        return ""
    number = form.text("employee_number")
    whose = "The person chosen on the search page" if form.text("subject") else f"Employee number {number}"
    return f"{whose}. Purpose: {purpose_words(purpose)}."


def _search_page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    return render(ask.request, "search", 422 if errors else 200, title="Search", form=form, errors=errors)


def _wanted(ask: Ask, checks: Checks) -> DisclosureAsk | None:
    subject = ask.form.text("subject")
    tag: bytes | None = None
    if not subject:
        number = checks.required("employee_number", "Employee number", employee_number_problem)
        tag = ask.application.kernel.number_tag(number)
    elif not is_id(subject):
        checks.refuse("subject", "Choose a person from the list.")
    categories = checks.several("categories", "Choose at least one kind of value.", Category)
    code = checks.one("purpose", "Choose a purpose.", ask.application.kernel.policy.codes)
    case = checks.optional("case", "Case reference", CASE_RULE)
    note = checks.optional("note", "Note", NOTE_RULE)
    if checks.errors or code is None:
        return None
    for problem in ask.application.kernel.policy.problems(Purpose(code, case, note)):
        checks.refuse(problem.pointer.removeprefix("/"), f"Your input {problem_words(problem.code)}.")
    if checks.errors:
        return None
    named = SubjectId(subject) if subject else None
    return DisclosureAsk(named, tag, categories, frozenset(), Purpose(code, case, note))


def _search_ask(ask: Ask, checks: Checks) -> SearchAsk | None:
    number = checks.optional("employee_number", "Employee number", employee_number_problem)
    given_name = checks.optional("given_name", "Given name", name_problem)
    family_name = checks.optional("family_name", "Family name", name_problem)
    department = checks.optional("department", "Department", DEPARTMENT_RULE)
    if checks.errors:
        return None
    if bool(number) == bool(given_name or family_name):
        checks.refuse("employee_number", "Enter either an employee number or a name.")
        return None
    if number:
        return ask.application.search.by_number(number)
    return ask.application.search.by_name(given_name, family_name, department)
