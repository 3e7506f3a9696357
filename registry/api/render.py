"""Where plaintext leaves its wrapper for an HTTP answer. The only module of this room that calls ``expose()``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from starlette.responses import Response

from registry.api.problems import json_answer
from registry.domain.approvals import State
from registry.domain.categories import Category
from registry.domain.clock import from_unix_ms, iso
from registry.domain.errors import ApprovalNeeded
from registry.domain.ids import RecordId, RequestId, SubjectId
from registry.services.disclose import Disclosed, Waiting
from registry.services.kernel import ReceiptView
from registry.services.provision import Seen
from registry.services.search import Found
from registry.services.values import shown_form

_HIT_KEYS = ("given_name", "family_name", "department", "title")


class Revealed(Protocol):
    """An opened value, as a service hands it over."""

    record: RecordId
    subject: SubjectId
    category: str
    version: int
    member: str | None

    def expose(self) -> Mapping[str, str]: ...


def receipt_document(receipt: ReceiptView) -> dict[str, Any]:
    """Return a receipt as answers show it."""
    return {"origin": receipt.origin, "index": receipt.index, "size": receipt.size, "code": receipt.code}


def receipted(document: Mapping[str, Any], receipt: ReceiptView, status: int = 200) -> Response:
    """Answer a document with the receipt of its entry, in the body and in the header."""
    whole = {**document, "receipt": receipt_document(receipt)}
    return json_answer(whole, status, headers={"Audit-Receipt": receipt.header})


def card_document(card: Disclosed) -> dict[str, Any]:
    """Return a released card, values as they were enrolled."""
    return {
        "disclosure": card.disclosure,
        "subject": card.subject,
        "form": card.form,
        "records": [_record(field) for field in card.fields],
        "receipt": receipt_document(card.receipt),
    }


def waiting_document(waiting: Waiting) -> dict[str, Any]:
    """Return a lookup that other people have to approve first."""
    row = waiting.request
    needs = {"approvals": row.needs, "other_unit": row.needs_other_unit}
    return _waiting(row.id, needs, row.until, waiting.receipt)


def needed_document(error: ApprovalNeeded, receipt: ReceiptView) -> dict[str, Any]:
    """Return what is under dual control and waits for another person, in the same form."""
    return _waiting(error.request, {"approvals": error.approvals, "other_unit": False}, error.until_ms, receipt)


def _waiting(request: RequestId, needs: dict[str, Any], until_ms: int, receipt: ReceiptView) -> dict[str, Any]:
    return {
        "request": request,
        "state": State.PENDING.value,
        "needs": needs,
        "expires_at": iso(from_unix_ms(until_ms)),
        "receipt": receipt_document(receipt),
    }


def hits_document(found: Found) -> dict[str, Any]:
    """Return what a search found: names, departments and titles, nothing else of anybody."""
    return {
        "hits": [{"subject": hit.subject, **_directory(hit)} for hit in found.hits],
        "truncated": found.is_cut,
        "receipt": receipt_document(found.receipt),
    }


def provisioned_texts(seen: Seen) -> dict[str, str]:
    """Return a provisioned subject's directory data and the names that the HR system knows them by, of one entry."""
    return {**seen.directory.expose(), **seen.names.expose()}


def _directory(hit: Revealed) -> dict[str, str]:
    value = hit.expose()
    return {key: value[key] for key in _HIT_KEYS}


def _record(field: Revealed) -> dict[str, Any]:
    category = _CATEGORIES[field.category]
    value = shown_form(category, field.expose())
    return {
        "record": field.record,
        "category": field.category,
        "member": field.member,
        "version": field.version,
        "value": value,
        "display": display(category, value),
    }


def display(category: Category, value: Mapping[str, str]) -> str:
    """Write a value in one line for people."""
    return " ".join(_DISPLAYS[category](value).split())


def _address(value: Mapping[str, str]) -> str:
    if "line" in value:
        return value["line"]
    street = " ".join(value[key] for key in ("street", "unit") if value.get(key))
    region = " ".join(value[key] for key in ("state", "postal_code") if value.get(key))
    return ", ".join(part for part in (street, value.get("city", ""), region) if part)


def _person(value: Mapping[str, str]) -> str:
    name = " ".join(value[key] for key in ("given_name", "family_name") if value.get(key))
    return f"{name} ({value['relation']})"


_CATEGORIES: Mapping[str, Category] = {category.value: category for category in Category}
_DISPLAYS: Mapping[Category, Callable[[Mapping[str, str]], str]] = {
    Category.HOME_ADDRESS: _address,
    Category.PHONE: lambda value: f"{value['number']} ({value['kind']})",
    Category.EMAIL: lambda value: value["address"],
    Category.SSN: lambda value: value["number"],
    Category.DATE_OF_BIRTH: lambda value: value["date"],
    Category.PAYMENT_CARD: lambda value: f"ending in {value['last_four']}",
    Category.SCHOOL: lambda value: ", ".join(value[key] for key in ("name", "city") if value.get(key)),
    Category.HEALTH: lambda value: value["statement"],
    Category.FAMILY_MEMBER: _person,
    Category.VEHICLE_PLATE: lambda value: f"{value['plate']} ({value['state']})",
}
