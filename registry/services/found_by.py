"""What people are found by: the terms of everything that is stored of them, made as when it was stored.

The blind index does not tell whose a posting is, so whoever erases from it, or copies it under another secret, opens
every value once more, under entries. A value stands under terms with every name that its owner ever had. A card's whole
number is not kept; its list is named in the sealed value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from registry.audit.receipt import Receipt
from registry.domain.categories import Category
from registry.domain.enrollment import Enrollment
from registry.domain.ids import PersonId, RecordId
from registry.leaktrace.terms import PersonNames, record_terms
from registry.services.ports import SubjectRow, Work
from registry.services.values import index_terms, list_of_card, shown_form, subject_terms
from registry.transparency.fields import RecordLine
from registry.vault.blind_index import Posting
from registry.vault.erased_postings import TermKey
from registry.vault.sealed import DIRECTORY, SealedField

LINES_PER_ENTRY = 1_000


class Receipts:
    """Hands out for each line in turn the receipt that covers it."""

    def __init__(self, receipts: Sequence[Receipt]) -> None:
        self._receipts = receipts
        self._done = 0

    def next(self) -> Receipt:
        """Return the receipt of the next line."""
        receipt = self._receipts[self._done // LINES_PER_ENTRY]
        self._done += 1
        return receipt


class FoundBy:
    """The terms of everything that was opened."""

    def __init__(self) -> None:
        self._names: dict[PersonId, list[PersonNames]] = {}
        self._values: list[tuple[SealedField, Mapping[str, str]]] = []
        self._made: list[tuple[Posting, list[frozenset[TermKey]]]] | None = None

    def take(self, one: SealedField, value: Mapping[str, str]) -> None:
        """Add a value, and the names that it gives its owner."""
        if one.category in (DIRECTORY, Category.FAMILY_MEMBER):
            self._names.setdefault(one.person, []).append(PersonNames(value["given_name"], value["family_name"]))
        self._values.append((one, value))

    def names(self) -> set[TermKey]:
        """Return every term."""
        return {key for _, ways in self._all() for way in ways for key in way}

    def postings(self) -> set[tuple[TermKey, Posting]]:
        """Return every posting: each version under all its terms, with every name that its owner ever had."""
        return {(key, posting) for posting, ways in self._all() for way in ways for key in way}

    def unfound(self, there: set[tuple[TermKey, Posting]]) -> int:
        """Count the versions that do not stand under all their terms, whichever name they were stored with."""
        return sum(
            not any(all((key, posting) in there for key in way) for way in ways) for posting, ways in self._all()
        )

    def _all(self) -> list[tuple[Posting, list[frozenset[TermKey]]]]:
        if self._made is None:
            self._made = [(Posting(one.record, one.version), self._ways(one, value)) for one, value in self._values]
        return self._made

    def _ways(self, one: SealedField, value: Mapping[str, str]) -> list[frozenset[TermKey]]:
        """Return the terms that a version may have been stored with, one set for each name of its owner."""
        if one.category == DIRECTORY:
            return [frozenset(subject_terms(_document(value)))]
        category = Category(one.category)
        if category is Category.PAYMENT_CARD:
            named = list_of_card(value)
            return [] if named is None else [frozenset({named})]
        names = self._names.get(one.person) or [PersonNames("", "")]
        entered = shown_form(category, value)
        return [frozenset(index_terms(record_terms(category, entered, owner=name))) for name in names]


def versions_of(work: Work, records: Sequence[RecordId]) -> list[SealedField]:
    """Return every version of some records, sealed, by record and version."""
    pairs = [(row.record, row.version) for row in work.records.versions_of(records)]
    return sorted(work.records.sealed_versions(pairs), key=lambda one: (one.record, one.version))


def directories_of(work: Work, now: SubjectRow) -> list[SealedField]:
    """Return a subject's directory data, sealed, as it is and as it ever was."""
    present = now.directory
    former = (
        SealedField(
            RecordId(now.id), now.id, present.person, DIRECTORY, row.version, row.sealed, row.digest, present.key
        )
        for row in work.erasures.former_directories(now.id)
    )
    return [present, *former]


def _document(value: Mapping[str, str]) -> Enrollment:
    return Enrollment(
        employee_number=value["employee_number"],
        given_name=value["given_name"],
        family_name=value["family_name"],
        department=value["department"],
        title=value["title"],
    )


def parted(lines: Iterable[RecordLine]) -> Iterator[tuple[RecordLine, ...]]:
    """Yield lines in as many as one entry takes."""
    left = iter(lines)
    while part := tuple(islice(left, LINES_PER_ENTRY)):
        yield part
