"""A release check as JSON, the same by HTTP and on the command line."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from registry.documents.formats import MEDIA_TYPES
from registry.documents.model import Place
from registry.services.release_check import ReleaseChecked, ReleasePlace


def release_document(checked: ReleaseChecked) -> dict[str, Any]:
    """Return what was found, what was not read, and the copy in base64; without the receipt."""
    copy = checked.copy
    is_made = copy is not None and not copy.problem
    return {
        "format": checked.form,
        "clean": checked.is_clean,
        "places": [_place(place) for place in checked.places],
        "unread": [{"what": one.what, "may_hide": one.may_hide, "at": _at(one.place)} for one in checked.unread],
        "redacted": None
        if copy is None or not is_made
        else {"media_type": MEDIA_TYPES[checked.form], "content": b64encode(copy.content).decode("ascii")},
        "not_redacted": None if copy is None or is_made else copy.problem,
    }


def _place(place: ReleasePlace) -> dict[str, Any]:
    return {
        "place": place.id,
        "category": place.category.value,
        "kind": place.kind,
        "certain": place.is_certain,
        "waived": place.is_waived,
        "confidence": place.confidence,
        "reason": place.reason,
        "at": _at(place.at),
    }


def _at(place: Place) -> list[list[str | int]]:
    return [[name, value] for name, value in place]
