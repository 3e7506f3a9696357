"""From a parsed JSON body to a petition, an answer or a contact. Nothing submitted is ever named."""

from __future__ import annotations

from datetime import date

from registry.api.bodies import id_problem, open_body
from registry.domain.ids import EntryIndex, RecordId
from registry.services.contact import CONTACT_KINDS, Contact, contact_rule
from registry.services.petitions import MOST_TEXT, NOT_UPHELD, UPHELD, Correction
from registry.text.rules.texts import one_of, paragraphs

MOST_INDEX = (1 << 53) - 1
FINDINGS = (UPHELD, NOT_UPHELD)

_TEXT = paragraphs(MOST_TEXT)


def read_dispute(document: object, *, today: date) -> tuple[EntryIndex, str]:
    """Read ``{"entry", "text"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, frozenset({"entry", "text"}), today)
    entry = body.member("entry")
    if not body.has("entry"):
        body.refuse("missing", "entry")
    elif not isinstance(entry, int) or isinstance(entry, bool):
        body.refuse("wrong_type", "entry")
    elif not 0 <= entry <= MOST_INDEX:
        body.refuse("out_of_range", "entry")
    text = body.required("text", _TEXT)
    body.reading.finish()
    return EntryIndex(entry if isinstance(entry, int) else 0), text


def read_correction(document: object, *, today: date) -> Correction:
    """Read ``{"record", "text", "value"?}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, frozenset({"record", "text", "value"}), today)
    record = body.required("record", id_problem)
    text = body.required("text", _TEXT)
    value = body.member("value")
    if body.has("value") and not isinstance(value, dict):
        body.refuse("wrong_type", "value")
    body.reading.finish()
    return Correction(RecordId(record), text, value if isinstance(value, dict) else None)


def read_answer(document: object, *, today: date) -> tuple[str, str]:
    """Read ``{"finding", "note"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, frozenset({"finding", "note"}), today)
    finding = body.required("finding", one_of(frozenset(FINDINGS)))
    note = body.required("note", _TEXT)
    body.reading.finish()
    return finding, note


def read_note(document: object, *, today: date) -> str:
    """Read ``{"note"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, frozenset({"note"}), today)
    note = body.required("note", _TEXT)
    body.reading.finish()
    return note


def read_contact(document: object, *, today: date) -> Contact:
    """Read ``{"kind", "value"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, frozenset({"kind", "value"}), today)
    kind = body.required("kind", one_of(frozenset(CONTACT_KINDS)))
    value = body.required("value", contact_rule(kind))
    body.reading.finish()
    return Contact(kind, value)
