"""From an enrolled value to what is sealed, tagged and indexed."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from registry.domain.categories import Category, kind_of
from registry.domain.enrollment import Enrollment
from registry.domain.ids import SubjectId
from registry.leaktrace.terms import PersonNames, Term, directory_terms, full_name_term, record_terms
from registry.text.addresses import canonical_address
from registry.text.names import name_words
from registry.vault.blind_index import BlindIndex, IndexTerm

CANONICAL = "canonical"
_LIST = "list"
_HIDDEN: Mapping[Category, tuple[str, ...]] = {
    Category.PAYMENT_CARD: ("digest", _LIST),
    Category.HOME_ADDRESS: (CANONICAL,),
}
_NOBODY = PersonNames("", "")
_encode = json.JSONEncoder(ensure_ascii=False).encode  # made once: json.dumps makes one for every call


@dataclass(frozen=True, slots=True)
class Prepared:
    """One value ready to be stored.

    Attributes:
        stored: what is sealed.
        value_tag, slot_tag: keyed per subject; equal values of two people give different tags.
        terms: what the value is found by.
    """

    stored: Mapping[str, str] = field(repr=False)
    value_tag: bytes
    slot_tag: bytes
    terms: tuple[IndexTerm, ...]


def prepare(
    index: BlindIndex, subject: SubjectId, category: Category, value: Mapping[str, str], owner: Owner
) -> Prepared:
    """Prepare one valid value of a subject's household."""
    return Prepared(
        stored=stored_form(index, category, value),
        value_tag=subject_tag(index, subject, "value", [category, owner.member, sorted(value.items())]),
        slot_tag=subject_tag(index, subject, "slot", [category, owner.member, kind_of(category, value)]),
        terms=tuple(sorted(index_terms(record_terms(category, value, owner=owner.names)))),
    )


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose value it is: the member's ref (empty for the subject) and names for terms that join value and name."""

    member: str = field(repr=False)
    names: PersonNames = field(repr=False)


def stored_form(index: BlindIndex, category: Category, value: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is sealed: the value as given, with its canonical form beside an address.

    A payment card is kept match-only: last four digits and a keyed digest, never a number that could be revealed; and
    the list of the blind index that it stands in, for erasing it there.
    """
    if category is Category.PAYMENT_CARD:
        digits = card_digits(value["number"])
        stored = {"last_four": digits[-4:], "digest": card_digest(index, digits)}
        terms = index_terms(record_terms(category, value, owner=_NOBODY))
        return stored | {_LIST: one.hex() for one in map(index.keys_of, terms)}  # noqa: B035 - at most one term
    if category is Category.HOME_ADDRESS:
        return {**value, CANONICAL: canonical_address(value)}
    return value


def shown_form(category: Category, stored: Mapping[str, str]) -> dict[str, str]:
    """Return the part of a stored value that an answer may hold: as enrolled."""
    hidden = _HIDDEN.get(category)
    return dict(stored) if hidden is None else {name: text for name, text in stored.items() if name not in hidden}


def list_of_card(stored: Mapping[str, str]) -> bytes | None:
    """Return the keys of the list that a stored card stands in; None for one that was stored before they were kept."""
    return bytes.fromhex(stored[_LIST]) if _LIST in stored else None


def card_digits(number: str) -> str:
    """Return the digits of a card number as written."""
    return "".join(character for character in number if character.isdigit())


def card_digest(index: BlindIndex, digits: str) -> str:
    """Return the keyed digest by which a card number is compared."""
    return index.tag("payment-card", digits.encode()).hex()


def subject_tag(index: BlindIndex, subject: SubjectId, what: str, parts: object) -> bytes:
    """Return a keyed tag over parts, different for every subject."""
    return index.tag(f"subject-{what}", _encode([subject, parts]).encode())


def subject_terms(person: Enrollment) -> list[IndexTerm]:
    """Return the terms a subject's directory data is found by, in a fixed order."""
    terms = index_terms(directory_terms(person.given_name, person.family_name))
    if not person.department:  # left a unit, and joined none yet
        return sorted(terms)
    within = name_in_department_term(person.given_name, person.family_name, person.department)
    return sorted(terms | {department_term(person.department), within})


def name_in_department_term(given_name: str, family_name: str, department: str) -> IndexTerm:
    """Return the term of a full name within a department.

    One list of its own: a common name's and a department's would have to be read to their ends to be compared.
    """
    name = full_name_term(name_words(given_name), name_words(family_name))
    return IndexTerm("NAME_DEPT", f"{name.text}|{department_term(department).text}")


def department_term(department: str) -> IndexTerm:
    """Return the term of a department: case, width and spacing do not matter."""
    return IndexTerm("DEPT", " ".join(unicodedata.normalize("NFKC", department).casefold().split()))


def index_terms(terms: Iterable[Term]) -> frozenset[IndexTerm]:
    """Turn matching terms into keyed ones."""
    return frozenset(IndexTerm(term.kind._value_, term.text) for term in terms)
