"""Terms: the exact keys under which an enrolled value is found again, and under which a text asks for it.

A term is a kind and a canonical text. The caller keys it (one key per kind) before it is stored or looked up, so that
a term here is a secret-free recipe and never rests in the clear. One enrolled person has about twenty terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from registry.domain.categories import Category
from registry.text.addresses import Address, city_key, parse_address, street_key
from registry.text.cards import canonical_card
from registry.text.common_words import NO_DIAGNOSIS, SMALL
from registry.text.dates import canonical_date
from registry.text.emails import canonical_email
from registry.text.names import initial, name_key, name_words
from registry.text.phones import canonical_phone
from registry.text.plates import canonical_plate
from registry.text.schools import stem_words
from registry.text.ssn import canonical_ssn
from registry.text.words import blur, letters, skeleton

# Raised whenever a value gets other terms than before: an index that an earlier version made finds it by the former
# ones until it is made anew. 2: homes without commas are taken apart where a street type tells, and more spellings of
# a school's kind are no part of its own name.
TERMS_VERSION = 2
HEALTH_WORDS = 3  # of a statement that are terms
HEALTH_WORD_LENGTH = 5  # letters at least
# Letters at either end of a name that make a weak key: fewer of a short name, so that one wrong letter leaves an end.
PART_SIZES = (2, 3)
SHORT_NAME = 7  # letters from which a name counts as long


class TermKind(StrEnum):
    """What a term says. The codes are part of the stored postings: never reuse one."""

    __hash__ = str.__hash__  # an enumeration's own is a call in Python, and a dump has a million terms

    NAME = "N1"  # full name
    NAME_GIVEN = "N2"  # given name and the family name's initial
    NAME_FAMILY = "N3"  # family name and the given name's initial
    FAMILY_NAME = "N4"  # family name alone; for directory search only
    STREET = "A1"  # house number and street name
    NUMBER_ZIP = "A2"  # house number and ZIP
    NUMBER_CITY = "A3"  # house number and city
    NUMBER_SUFFIX = "A4"  # house number and the last letters of the street's name
    NUMBER_PREFIX = "A5"  # house number and the first letters of the street's name
    PHONE = "P1"  # ten digits
    PHONE_LAST4 = "P4"
    SSN = "S1"  # nine digits
    SSN_LAST4 = "S4"
    BIRTH_DATE = "D0"
    CARD = "C1"  # the whole number
    EMAIL = "E1"
    SCHOOL = "H0"  # a school's own name; only within a reading, never stored: H4 and H5 together say as much
    SCHOOL_HEAD = "H4"  # the first letters of a school's own name
    SCHOOL_TAIL = "H5"  # the last ones
    CHILD_SCHOOL_HEAD = "H2"  # a child's first name and the first letters of its school
    CHILD_SCHOOL_TAIL = "H3"  # the same with the last letters
    HEALTH_WORD = "HW"  # one long word of a statement
    MEMBER_GIVEN = "F2"  # a household member's given name and the family name's initial
    MEMBER_FAMILY = "F3"  # a household member's family name and the given name's initial
    PLATE = "V1"


class Term(NamedTuple):
    """One key. A tuple and not a dataclass: a dump makes and hashes a million of them.

    Attributes:
        kind: which; keyed apart from other kinds.
        text: canonical text; personal, so it is not shown.
    """

    kind: TermKind
    text: str

    def __repr__(self) -> str:
        """Show the kind; the text is somebody's."""
        return f"Term(kind={self.kind!r})"


@dataclass(frozen=True, slots=True)
class PersonNames:
    """Whose record it is: the household member's names, or the subject's own."""

    given_name: str = field(repr=False)
    family_name: str = field(repr=False)


def directory_terms(given_name: str, family_name: str) -> frozenset[Term]:
    """Return the terms of a subject's name: for the trace, and for a search by full or family name."""
    given, family = name_words(given_name), name_words(family_name)
    if not given or not family:
        return frozenset()
    return frozenset(
        {
            full_name_term(given, family),
            Term(TermKind.NAME_GIVEN, f"{letters(given)}|{initial(family)}"),
            Term(TermKind.NAME_FAMILY, f"{initial(given)}|{letters(family)}"),
            family_name_term(family_name),
        }
    )


def full_name_term(given: list[str], family: list[str]) -> Term:
    """Return the term of a full name."""
    return Term(TermKind.NAME, name_key(given, family))


def family_name_term(family_name: str) -> Term:
    """Return the term of a family name alone. No text asks for it; it serves the directory search."""
    return Term(TermKind.FAMILY_NAME, letters(name_words(family_name)))


def record_terms(category: Category, value: Mapping[str, str], *, owner: PersonNames) -> frozenset[Term]:
    """Return the terms of one record as enrolled.

    Args:
        category: the record's category.
        value: its value; for a payment card ``{"number"}`` with the whole number, known at enrollment only.
        owner: the household member that the record belongs to, or the subject.

    Returns:
        Its terms; none when the value has no canonical form.
    """
    return frozenset(_MAKERS[category](value, owner))


def search_terms(category: Category, value: Mapping[str, str]) -> frozenset[Term]:
    """Return the one strong term that stands for a whole value, for a search by value.

    Only categories whose full-value term identifies somebody have one: address, phone, number, card, e-mail, plate.
    A hit still has to be compared with the opened value by the caller.
    """
    strong = {TermKind.STREET, TermKind.PHONE, TermKind.SSN, TermKind.CARD, TermKind.EMAIL, TermKind.PLATE}
    terms = record_terms(category, value, owner=PersonNames("", ""))
    return frozenset(term for term in terms if term.kind in strong) or frozenset(
        term for term in terms if term.kind is TermKind.NUMBER_ZIP
    )


def member_terms(given: list[str], family: list[str]) -> tuple[Term, Term]:
    """Return the terms of a household member's full name; a wrong letter in one name leaves the other's term."""
    return (
        Term(TermKind.MEMBER_GIVEN, f"{letters(given)}|{initial(family)}"),
        Term(TermKind.MEMBER_FAMILY, f"{initial(given)}|{letters(family)}"),
    )


def health_words(statement: str) -> list[str]:
    """Return the words of a health statement in order, folded; small words left out."""
    return [word for word in name_words(statement) if word not in SMALL]


def health_keys(statement: str) -> list[str]:
    """Return the statement's longest words, as skeletons: those that tell most."""
    words = health_words(statement)
    long_words = [word for word in words if len(word) >= HEALTH_WORD_LENGTH and word not in NO_DIAGNOSIS] or words
    return [health_key(word) for word in sorted(set(long_words), key=lambda word: (-len(word), word))[:HEALTH_WORDS]]


def health_key(word: str) -> str:
    """Return the key of one word of a statement."""
    return blur(skeleton(word))


def is_vague(word: str) -> bool:
    """Tell whether a word stands in so many statements that it tells nothing."""
    return word in NO_DIAGNOSIS


def _one(kind: TermKind, text: str | None) -> Iterable[Term]:
    return [Term(kind, text)] if text else []


def _with_last4(kind: TermKind, last4: TermKind, digits: str | None) -> Iterable[Term]:
    return [Term(kind, digits), Term(last4, digits[-4:])] if digits else []


def address_terms(address: Address) -> Iterable[Term]:
    """Yield the terms of an address that was taken apart."""
    if not address.number:
        return
    key = street_key(address.street) if address.street else ""
    if key:
        yield Term(TermKind.STREET, f"{address.number}|{key}")
        yield from number_part_terms(address.number, key, part_size(key))
    if address.zip5:
        yield Term(TermKind.NUMBER_ZIP, f"{address.number}|{address.zip5}")
    if address.city:
        yield Term(TermKind.NUMBER_CITY, f"{address.number}|{city_key(address.city)}")


def _school_terms(name: str, owner: PersonNames) -> Iterable[Term]:
    words = name_words(name)
    if not words:
        return
    stem = letters(stem_words(words))
    yield from school_part_terms(stem, part_size(stem))
    child = letters(name_words(owner.given_name))
    if child:
        yield from child_school_terms(child, stem, part_size(stem))


def part_size(key: str) -> int:
    """Return how many letters at either end of an enrolled name are its weak keys. A text asks for both sizes."""
    return PART_SIZES[len(key) >= SHORT_NAME]


def number_part_terms(number: str, key: str, size: int) -> tuple[Term, Term]:
    """Return the terms of a house number and either end of a street's name."""
    return (
        Term(TermKind.NUMBER_PREFIX, f"{number}|{blur(key[:size])}"),
        Term(TermKind.NUMBER_SUFFIX, f"{number}|{blur(key[-size:])}"),
    )


def school_part_terms(key: str, size: int) -> tuple[Term, Term]:
    """Return the terms of either end of a school's own name, one letter more than with a child's name."""
    return (
        Term(TermKind.SCHOOL_HEAD, blur(key[: size + 1])),
        Term(TermKind.SCHOOL_TAIL, blur(key[-size - 1 :])),
    )


def child_school_terms(child: str, key: str, size: int) -> tuple[Term, Term]:
    """Return the joint terms of a child's first name and either end of its school's own name."""
    return (
        Term(TermKind.CHILD_SCHOOL_HEAD, f"{child}|{blur(key[:size])}"),
        Term(TermKind.CHILD_SCHOOL_TAIL, f"{child}|{blur(key[-size:])}"),
    )


_Maker = Callable[[Mapping[str, str], PersonNames], Iterable[Term]]
_MAKERS: dict[Category, _Maker] = {
    Category.HOME_ADDRESS: lambda value, _: address_terms(parse_address(value)),
    Category.PHONE: lambda value, _: _with_last4(
        TermKind.PHONE, TermKind.PHONE_LAST4, canonical_phone(value["number"])
    ),
    Category.SSN: lambda value, _: _with_last4(TermKind.SSN, TermKind.SSN_LAST4, canonical_ssn(value["number"])),
    Category.EMAIL: lambda value, _: _one(TermKind.EMAIL, canonical_email(value["address"])),
    Category.DATE_OF_BIRTH: lambda value, _: _one(TermKind.BIRTH_DATE, canonical_date(value["date"])),
    Category.PAYMENT_CARD: lambda value, _: _one(TermKind.CARD, canonical_card(value.get("number", ""))),
    Category.VEHICLE_PLATE: lambda value, _: _one(TermKind.PLATE, canonical_plate(value["plate"])),
    Category.SCHOOL: lambda value, owner: _school_terms(value["name"], owner),
    Category.HEALTH: lambda value, _: (Term(TermKind.HEALTH_WORD, word) for word in health_keys(value["statement"])),
    Category.FAMILY_MEMBER: lambda value, _: member_terms(
        name_words(value["given_name"]), name_words(value["family_name"])
    ),
}
