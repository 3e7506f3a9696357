"""From a parsed JSON body to a release check. Nothing submitted is ever named."""

from __future__ import annotations

from datetime import date

from registry.api.bodies import id_problem, open_body, texts_of
from registry.api.file_bodies import read_file
from registry.domain.purposes import ReleasePurpose
from registry.services.release_check import ReleaseAsk
from registry.services.waivers import MOST_WAIVED, Waive
from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_line, one_of, paragraphs, reason_problem

_RELEASE_KEYS = frozenset({"file", "purpose", "waive"})
_WAIVE_KEYS = frozenset({"places", "reason"})
_PURPOSE_KEYS = frozenset({"code", "case", "note"})
_CODE = one_of(frozenset(ReleasePurpose))
_CASE = one_line(100)
_NOTE = paragraphs(1_000)


def read_release_check(document: object, *, today: date) -> ReleaseAsk:
    """Read ``{"file": {"content", "name"?, "media_type"?}, "purpose": {"code", "case"?, "note"?}, "waive"?}``.

    ``waive`` is ``{"places": [ids], "reason"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _RELEASE_KEYS, today)
    upload = read_file(body)
    code, case, note = "", "", ""
    if not body.has("purpose"):
        body.refuse("missing", "purpose")
    else:
        purpose = body.reading.open(body.member("purpose"), _PURPOSE_KEYS, "/purpose")
        if purpose is not None:
            code = purpose.required("code", _CODE)
            case, note = purpose.optional("case", _CASE), purpose.optional("note", _NOTE)
    waive = _waive(body) if body.has("waive") else None
    body.reading.finish()
    return ReleaseAsk(upload, ReleasePurpose(code), case, note, waive)


def _waive(body: ObjectReader) -> Waive | None:
    waive = body.reading.open(body.member("waive"), _WAIVE_KEYS, "/waive")
    if waive is None:
        return None
    places = frozenset(texts_of(waive, "places", id_problem, MOST_WAIVED))
    if not places:
        waive.refuse("missing", "places")
    return Waive(places, waive.required("reason", reason_problem))
