"""Enrolling people: one at a time, or a file. Answers say what became of each line; no value is ever read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import Checks
from registry.console.forms import Form, Upload
from registry.console.pages import FieldError, render
from registry.console.words import problem_words
from registry.domain.categories import Category
from registry.domain.errors import Conflict, InvalidInput
from registry.services.enroll import ENROLLERS
from registry.services.import_file import ImportRun, Tally
from registry.services.import_people import Existing
from registry.text.csv_rows import UnreadRow, find_csv, find_ndjson
from registry.text.intake import read_enrollment

MAX_FILE_BYTES = 5 << 20
_MAX_BODY_BYTES = MAX_FILE_BYTES + (64 << 10)
_SHOWN_PROBLEMS = 500

# Fields of the form for one person: form field -> label.
_DIRECTORY = {
    "employee_number": "Employee number",
    "given_name": "Given name",
    "family_name": "Family name",
    "department": "Department",
    "title": "Title",
}
# Form field -> label, category, key of the category's value, and fixed parts of that value.
_RECORDS: dict[str, tuple[str, Category, str, dict[str, str]]] = {
    "home_address": ("Home address", Category.HOME_ADDRESS, "line", {}),
    "phone": ("Mobile phone", Category.PHONE, "number", {"kind": "mobile"}),
    "email": ("Private e-mail address", Category.EMAIL, "address", {}),
    "date_of_birth": ("Date of birth", Category.DATE_OF_BIRTH, "date", {}),
    "ssn": ("Social security number", Category.SSN, "number", {}),
}


def enroll_form(ask: Ask) -> Response:
    """Show both forms."""
    return _page(ask, Form())


def enroll(ask: Ask) -> Response:
    """Enroll one person."""
    try:
        person = read_enrollment(_document(ask.form), today=ask.today)
    except InvalidInput as refusal:
        return _page(ask, ask.form, _field_errors(ask.form, refusal))
    try:
        enrolled = ask.application.enroll.enroll(ask.caller, person, key=None)
    except Conflict:
        return _page(ask, ask.form, (FieldError("employee_number", "This employee number is enrolled already."),))
    receipt = enrolled.receipt
    ask.session.notice = (
        f"The person is enrolled with {len(enrolled.records)} protected values. "
        f"Receipt {receipt.code}, entry {receipt.index} of the ledger."
    )
    return RedirectResponse("/console/enroll", 303)


def import_file(ask: Ask) -> Response:
    """Enroll the people of a file, one transaction a batch."""
    checks = Checks(ask.form)
    rows = _rows(ask.form.upload("file"), checks)
    if checks.errors:
        return _page(ask, Form(), tuple(checks.errors))
    existing = Existing.UPDATE if ask.form.text("existing") == Existing.UPDATE else Existing.REJECT
    tally = Tally(_SHOWN_PROBLEMS)
    ImportRun(ask.application.import_people, ask.caller, existing, ask.today).run(rows, tally)
    problems = [(error.line, error.pointer or "/", problem_words(error.code)) for error in tally.errors]
    facts: dict[str, Any] = {"title": "Import result", "tally": tally, "problems": problems, "limit": _SHOWN_PROBLEMS}
    return render(ask.request, "imported", **facts)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown("/console/enroll", enroll_form, Gate(ENROLLERS, "enroll")),
        submitted("/console/enroll", enroll, Gate(ENROLLERS, "enroll")),
        submitted("/console/import", import_file, Gate(ENROLLERS, "import"), _MAX_BODY_BYTES),
    ]


def _page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    labels = {name: record[0] for name, record in _RECORDS.items()}
    facts = {"title": "Enroll", "form": form, "errors": errors, "directory": _DIRECTORY, "records": labels}
    return render(ask.request, "enroll", 422 if errors else 200, **facts)


def _document(form: Form) -> dict[str, Any]:
    document: dict[str, Any] = {name: form.text(name) for name in _DIRECTORY if form.text(name)}
    document["records"] = [
        {"category": category.value, "value": {**fixed, key: form.text(name)}}
        for name, (_, category, key, fixed) in _RECORDS.items()
        if form.text(name)
    ]
    return document


def _field_errors(form: Form, refusal: InvalidInput) -> list[FieldError]:
    """Name the form's fields by the pointers into the document that was made from them."""
    filled = [name for name in _RECORDS if form.text(name)]
    labels = _DIRECTORY | {name: record[0] for name, record in _RECORDS.items()}
    errors = []
    for problem in refusal.problems:
        first, _, rest = problem.pointer.removeprefix("/").partition("/")
        position = rest.partition("/")[0]
        is_record = first == "records" and position.isdecimal() and int(position) < len(filled)
        name = filled[int(position)] if is_record else first if first in labels else "employee_number"
        errors.append(FieldError(name, f"{labels[name]} {problem_words(problem.code)}."))
    return errors


def _rows(upload: Upload, checks: Checks) -> Iterator[UnreadRow]:
    name = upload.name.lower()
    if not upload.content:
        checks.refuse("file", "Choose a file that is not empty.")
    elif len(upload.content) > MAX_FILE_BYTES:
        checks.refuse("file", "The file is larger than 5 MB. Use the command line: registry import")
    elif name.endswith(".csv"):
        return find_csv(BytesIO(upload.content))
    elif name.endswith((".ndjson", ".jsonl")):
        return find_ndjson(BytesIO(upload.content))
    else:
        checks.refuse("file", "The file's name must end in .csv, .ndjson or .jsonl.")
    return iter(())
