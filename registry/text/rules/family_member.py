"""``family_member``: ``{"relation", "given_name", "family_name"}``, made from a ``family`` entry."""

from __future__ import annotations

from registry.domain.enrollment import Relation
from registry.text.rules.names import name_problem
from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_of

KEYS = frozenset({"relation", "given_name", "family_name"})

RELATION_RULE = one_of(frozenset(Relation))


def check_family_member(value: ObjectReader) -> None:
    value.required("relation", RELATION_RULE)
    read_names(value)


def read_names(person: ObjectReader) -> tuple[str, str]:
    """Return given and family name. One of them may be left out: many people have a single name."""
    if not (person.has("given_name") or person.has("family_name")):
        person.refuse("missing", "family_name")
    return person.optional("given_name", name_problem), person.optional("family_name", name_problem)
