"""Disputes and corrections: a subject's own, and those who answer them. What was written is an answer to a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, cast

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import PETITION_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render, with_receipt
from registry.console.words import problem_words
from registry.domain.categories import Category
from registry.domain.errors import InvalidInput, NotFound
from registry.domain.ids import EntryIndex, PetitionId, RecordId
from registry.services.petition_answers import Reply
from registry.services.petitions import (
    ACCEPTED,
    CORRECTION,
    DISPUTE,
    NOT_UPHELD,
    OPEN,
    REFUSED,
    UPHELD,
    Correction,
    Petition,
    Sort,
)
from registry.services.read_audit import SUBJECTS, OwnRecord

OWN = "/console/me/petitions"
ANSWERS: Mapping[str, Sort] = {"disputes": DISPUTE, "corrections": CORRECTION}
_SORTS: Mapping[str, Sort] = {sort.word: sort for sort in ANSWERS.values()}
_MOST_DIGITS = 15

# The parts of a proposed value: category -> (key, label), the first one needed.
_PARTS: Mapping[Category, Sequence[tuple[str, str]]] = {
    Category.HOME_ADDRESS: [("line", "Address, in one line")],
    Category.PHONE: [("number", "Number"), ("kind", "Kind: home, mobile or work")],
    Category.EMAIL: [("address", "Address")],
    Category.SSN: [("number", "Number")],
    Category.DATE_OF_BIRTH: [("date", "Date, such as 1984-02-29")],
    Category.SCHOOL: [("name", "Name of the school"), ("city", "City")],
    Category.HEALTH: [("statement", "Statement")],
    Category.VEHICLE_PLATE: [("plate", "Plate"), ("state", "State, such as MO")],
}


class Finding(StrEnum):
    """What may be answered to either sort."""

    UPHELD = UPHELD
    NOT_UPHELD = NOT_UPHELD
    ACCEPTED = ACCEPTED
    REFUSED = REFUSED


_FINDINGS: Mapping[str, Sequence[tuple[Finding, str]]] = {
    DISPUTE.word: [
        (Finding.UPHELD, "Upheld: it should not have happened"),
        (Finding.NOT_UPHELD, "Not upheld: it was in order"),
    ],
    CORRECTION.word: [
        (Finding.ACCEPTED, "Accept: a proposed value becomes the record's value now"),
        (Finding.REFUSED, "Refuse: the record stays as it is"),
    ],
}


def own(ask: Ask) -> Response:
    """List the own disputes and corrections."""
    service = ask.application.petitions
    listed = [(sort, service.own(ask.caller, sort)) for sort in (DISPUTE, CORRECTION)]
    return render(ask.request, "petitions_own", title="Disputes and corrections", listed=listed)


def own_text(ask: Ask) -> Response:
    """Show an own petition and its answer."""
    sort = _sort(ask)
    written = ask.application.petitions.reveal(ask.caller, sort, PetitionId(ask.path_id("petition")))
    facts: dict[str, Any] = {"title": f"Your {sort.word}", "written": written, "again": OWN}
    return with_receipt(render(ask.request, "petition", **facts, answering=False), written.receipt)


def dispute_form(ask: Ask) -> Response:
    """Show the form to dispute an entry."""
    return _dispute_page(ask, Form())


def dispute(ask: Ask) -> Response:
    """File a dispute."""
    checks = Checks(ask.form)
    text = checks.required("text", "What is wrong", PETITION_RULE)
    if checks.errors:
        return _dispute_page(ask, ask.form, tuple(checks.errors))
    receipt = ask.application.petitions.dispute(ask.caller, EntryIndex(_index(ask)), text).receipt
    return ask.done("The dispute is filed. An auditor will answer it.", receipt, OWN)


def correction_form(ask: Ask) -> Response:
    """Show the form to have a record corrected."""
    return _correction_page(ask, _own_record(ask), Form())


def correct(ask: Ask) -> Response:
    """Ask for a correction."""
    record, checks = _own_record(ask), Checks(ask.form)
    text = checks.required("text", "What is wrong", PETITION_RULE)
    parts = {key: ask.form.text(f"value_{key}") for key, _ in _PARTS.get(record.category, ())}
    value = cast("dict[str, object]", {key: part for key, part in parts.items() if part})
    if checks.errors:
        return _correction_page(ask, record, ask.form, tuple(checks.errors))
    wanted = Correction(RecordId(record.record), text, value or None)
    try:
        receipt = ask.application.petitions.correct(ask.caller, wanted).receipt
    except InvalidInput as refusal:
        return _correction_page(ask, record, ask.form, _value_errors(record, refusal))
    return ask.done("The correction is asked for. An enroller will answer it.", receipt, OWN)


def waiting(ask: Ask) -> Response:
    """List everybody's petitions of the sort that the address names."""
    name, sort = _answered(ask)
    listed = ask.application.petition_answers.listing(ask.caller, sort)
    return render(ask.request, "petitions", title=name.capitalize(), listed=listed, sort=sort, place=name)


def text(ask: Ask) -> Response:
    """Show what was written, with the form to answer."""
    return _answer_page(ask, Form())


def answer(ask: Ask) -> Response:
    """Answer once and for all."""
    name, sort = _answered(ask)
    checks = Checks(ask.form)
    finding = checks.one("finding", "Choose an answer.", Finding)
    note = checks.required("note", "Note", PETITION_RULE)
    if finding and finding not in {one for one, _ in _FINDINGS[sort.word]}:
        checks.refuse("finding", "Choose an answer.")
    if checks.errors or finding is None:
        return _answer_page(ask, ask.form, tuple(checks.errors))
    service, petition = ask.application.petition_answers, PetitionId(ask.path_id("petition"))
    if finding is Finding.ACCEPTED:
        receipt = service.accept(ask.caller, petition, note)
    else:
        receipt = service.answer(ask.caller, sort, petition, Reply(finding.value, note))
    return ask.done("The answer is recorded, and the subject can read it.", receipt, f"/console/{name}")


def routes() -> list[Route]:
    """Return the routes of this module."""
    made = [
        shown(OWN, own, Gate(SUBJECTS, "own petitions")),
        submitted(f"{OWN}/{{sort}}/{{petition}}", own_text, Gate(SUBJECTS, "own petitions")),
        shown("/console/me/accounting/{index}/dispute", dispute_form, Gate(SUBJECTS, "dispute")),
        submitted("/console/me/accounting/{index}/dispute", dispute, Gate(SUBJECTS, "dispute")),
        shown("/console/me/records/{record}/correct", correction_form, Gate(SUBJECTS, "correction")),
        submitted("/console/me/records/{record}/correct", correct, Gate(SUBJECTS, "correction")),
    ]
    for name, sort in ANSWERS.items():
        made += [
            shown(f"/console/{name}", waiting, Gate(sort.answerers, name)),
            submitted(f"/console/{name}/{{petition}}/text", text, Gate(sort.answerers, name)),
            submitted(f"/console/{name}/{{petition}}", answer, Gate(sort.answerers, f"answer a {sort.word}")),
        ]
    return made


def is_correctable(category: Category) -> bool:
    """Tell whether the right value of a category can be proposed on a page."""
    return category in _PARTS


def _sort(ask: Ask) -> Sort:
    sort = _SORTS.get(str(ask.request.path_params["sort"]))
    if sort is None:
        raise NotFound
    return sort


def _answered(ask: Ask) -> tuple[str, Sort]:
    name = ask.request.url.path.split("/")[2]
    return name, ANSWERS[name]


def _index(ask: Ask) -> int:
    text = str(ask.request.path_params["index"])
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise NotFound
    return int(text)


def _own_record(ask: Ask) -> OwnRecord:
    """Find an own record: reading the list is an entry, as on the page that led here."""
    wanted = ask.path_id("record")
    _, records, _ = ask.application.audit.own_records(ask.caller)
    found = next((one for one in records if one.record == wanted), None)
    if found is None:
        raise NotFound
    return found


def _dispute_page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    facts = {"title": "Dispute an entry", "index": _index(ask), "form": form, "errors": errors}
    return render(ask.request, "dispute", 422 if errors else 200, **facts)


def _correction_page(ask: Ask, record: OwnRecord, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    facts: dict[str, Any] = {"title": "Ask for a correction", "record": record, "form": form, "errors": errors}
    facts["parts_of_value"] = _PARTS.get(record.category, ())
    return render(ask.request, "correction", 422 if errors else 200, **facts)


def _value_errors(record: OwnRecord, refusal: InvalidInput) -> list[FieldError]:
    """Name the form's fields by the pointers into the value; a missing part by the part itself."""
    labels = dict(_PARTS[record.category])
    first = next(iter(labels))
    found = []
    for problem in refusal.problems:
        key = problem.pointer.rpartition("/")[2]
        named = key if key in labels else first
        found.append(FieldError(f"value_{named}", f"{labels[named]} {problem_words(problem.code)}."))
    return found


def _answer_page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    name, sort = _answered(ask)
    petition = PetitionId(ask.path_id("petition"))
    written = ask.application.petition_answers.reveal(ask.caller, sort, petition)
    listed: Sequence[Petition] = ask.application.petition_answers.listing(ask.caller, sort)
    found = next((one for one in listed if one.id == petition), None)
    facts: dict[str, Any] = {"title": sort.word.capitalize(), "written": written, "again": f"/console/{name}"}
    facts |= {"petition": found, "form": form, "errors": errors, "findings": _FINDINGS[sort.word]}
    facts |= {"answering": found is None or found.state == OPEN, "place": name, "id": petition}
    return with_receipt(render(ask.request, "petition", 422 if errors else 200, **facts), written.receipt)
