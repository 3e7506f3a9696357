"""A provisioned subject as a SCIM user, and which of its attributes somebody wants to see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from registry.api.render import provisioned_texts
from registry.api.scim.answers import refuse
from registry.api.scim.names import BASE, CORE, ENTERPRISE, attribute_of, subs_of
from registry.api.scim.users import UserDraft
from registry.domain.clock import from_unix_ms, iso
from registry.services.ports_provisions import ProvisionRow, ProvisionState
from registry.services.provision import Provisioned, Seen

MOST_ATTRIBUTES = 50
_ALWAYS = frozenset({"id", "schemas"})
Place = tuple[str, str]  # key of a document, and key within it or an empty text


def etag_of(version: int) -> str:
    """Return the entity tag of a version."""
    return f'W/"{version}"'


def location_of(row: ProvisionRow) -> str:
    """Return where a user is found."""
    return f"{BASE}/Users/{row.id}"


def seen_document(seen: Seen) -> dict[str, Any]:
    """Return a user as it was read."""
    return _user(seen.row, seen.version, provisioned_texts(seen))


def written_document(written: Provisioned, draft: UserDraft) -> dict[str, Any]:
    """Return a user as a whole document wrote it; nothing is opened for that."""
    texts = {
        "user_name": draft.user_name,
        "outside_id": draft.outside_id,
        "given_name": draft.given_name,
        "family_name": draft.family_name,
        "title": draft.title,
        "employee_number": draft.employee_number,
        "department": draft.department,
    }
    return _user(written.row, written.version, {name: text or "" for name, text in texts.items()})


def _user(row: ProvisionRow, version: int, texts: Mapping[str, str]) -> dict[str, Any]:
    names = {"givenName": texts["given_name"], "familyName": texts["family_name"]}
    work = {"employeeNumber": texts["employee_number"], "department": texts["department"]}
    shown = " ".join(text for text in names.values() if text)
    document = {
        "schemas": [CORE, ENTERPRISE],
        "id": row.id,
        "externalId": texts["outside_id"],
        "userName": texts["user_name"],
        "name": {name: text for name, text in names.items() if text},
        "displayName": shown,
        "title": texts["title"],
        "active": row.state is ProvisionState.EMPLOYED,
        ENTERPRISE: {name: text for name, text in work.items() if text},
        "meta": {
            "resourceType": "User",
            "created": iso(from_unix_ms(row.created_at)),
            "lastModified": iso(from_unix_ms(row.updated_at)),
            "location": location_of(row),
            "version": etag_of(version),
        },
    }
    return {name: value for name, value in document.items() if value != ""}


class Selection:
    """Which attributes an answer shows (RFC 7644 section 3.9)."""

    def __init__(
        self, wanted: Collection[str], unwanted: Collection[str], place_of: Callable[[str], Place | None] | None = None
    ) -> None:
        """Take the names of ``attributes`` and ``excludedAttributes``, and where a document has them (a user's).

        Raises:
            HttpRefusal: 400: both are given, or too many.
        """
        if wanted and unwanted:
            refuse("body", "attributes or excludedAttributes, not both")
        if len(wanted) + len(unwanted) > MOST_ATTRIBUTES:
            refuse("too_many", f"at most {MOST_ATTRIBUTES} attributes")
        known = place_of or user_place
        self._wanted = {place for name in wanted if (place := known(name)) is not None}
        self._unwanted = {place for name in unwanted if (place := known(name)) is not None}
        self._is_chosen = bool(wanted)

    def of(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return what of a document is to be shown."""
        shown: dict[str, Any] = {}
        for name, value in document.items():
            if name in _ALWAYS:
                shown[name] = value
            elif isinstance(value, dict):
                inner = {sub: text for sub, text in value.items() if self.shows((name, sub))}
                shown |= {name: inner} if inner else {}
            elif self.shows((name, "")):
                shown[name] = value
        return shown

    def shows(self, place: Place) -> bool:
        """Tell whether an attribute, or a key within it, is shown."""
        whole = (place[0], "")
        if self._is_chosen:
            return place in self._wanted or whole in self._wanted
        return place not in self._unwanted and whole not in self._unwanted


def user_place(name: str) -> Place | None:
    """Return where in a document an attribute stands: key and key within it; None for one that is never shown."""
    known = attribute_of(name)
    if known is not None:
        urn, attribute = known
        return (attribute, "") if urn == CORE else (urn, attribute)
    outer, _, inner = name.rpartition(".")
    within = attribute_of(outer)
    if within is None or within[0] != CORE:
        return None
    if within[1] == "meta":
        return "meta", inner
    sub = subs_of(CORE, within[1]).get(inner.casefold())
    return None if sub is None else (within[1], sub)
