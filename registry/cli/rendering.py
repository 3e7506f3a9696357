"""Showing opened values on the terminal: the command line's one place that exposes them."""

from __future__ import annotations

from collections.abc import Iterator

from registry.domain.categories import Category
from registry.services.disclose import Disclosed
from registry.services.values import shown_form


def card(answer: Disclosed) -> dict[str, object]:
    """Return a released card as a JSON document."""
    return {
        "disclosure": answer.disclosure,
        "subject": answer.subject,
        "form": answer.form,
        "records": [
            {
                "record": field.record,
                "category": field.category,
                "member": field.member,
                "version": field.version,
                "value": shown_form(Category(field.category), field.expose()),
            }
            for field in answer.fields
        ],
        "receipt": {
            "origin": answer.receipt.origin,
            "index": answer.receipt.index,
            "size": answer.receipt.size,
            "code": answer.receipt.code,
        },
    }


def card_lines(answer: Disclosed) -> Iterator[str]:
    """Yield a released card as lines of text."""
    for field in answer.fields:
        whose = f" ({field.member})" if field.member else ""
        yield f"{field.category}{whose}: {', '.join(shown_form(Category(field.category), field.expose()).values())}"
    yield f"receipt {answer.receipt.code}: entry {answer.receipt.index} of {answer.receipt.origin}"
