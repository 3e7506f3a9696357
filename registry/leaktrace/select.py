"""Choosing whose values are opened: a strong full-value term alone, or two different fields standing together.

A term's weight is a fixed number of bits (minus log2 of the share of a national population that it fits), so that a
registry of 400 people works like one of a million. A name alone never opens anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.domain.ids import RecordId, SubjectId
from registry.leaktrace.reading import Reading
from registry.leaktrace.terms import Term, TermKind


@dataclass(frozen=True, slots=True)
class Hit:
    """What one posting says: a term belongs to this subject (and to this record of it, unless it is the name)."""

    subject: SubjectId
    record: RecordId | None


@dataclass(frozen=True, slots=True)
class _Weight:
    """How much a kind of term tells.

    Attributes:
        field: kinds of one field never add up.
        bits: population constant.
        opens: enough alone.
    """

    field: str
    bits: float
    opens: bool = False

    @property
    def suffices(self) -> bool:
        """Whether nothing else is needed: it opens alone, or is two fields in one term."""
        return self.opens or self.field == _JOINT


_JOINT = "child_school"
_CAPS = {"name": 8.0, "member": 8.0, "school": 9.0}  # fields whose weak terms add up, to so many bits
NEEDED_BITS = 13.0
MOST_HEALTH_WORDS = 2  # that count

WEIGHTS: dict[TermKind, _Weight] = {
    TermKind.NAME: _Weight("name", 8),
    TermKind.NAME_GIVEN: _Weight("name", 5),
    TermKind.NAME_FAMILY: _Weight("name", 5),
    TermKind.STREET: _Weight("address", 20, opens=True),
    TermKind.NUMBER_ZIP: _Weight("address", 20, opens=True),
    TermKind.NUMBER_CITY: _Weight("address", 16, opens=True),
    TermKind.NUMBER_SUFFIX: _Weight("address", 16, opens=True),
    TermKind.NUMBER_PREFIX: _Weight("address", 14, opens=True),
    TermKind.PHONE: _Weight("phone", 26, opens=True),
    TermKind.PHONE_LAST4: _Weight("phone_last4", 10),
    TermKind.SSN: _Weight("ssn", 28, opens=True),
    TermKind.SSN_LAST4: _Weight("ssn_last4", 10),
    TermKind.BIRTH_DATE: _Weight("birth_date", 12),
    TermKind.CARD: _Weight("card", 28, opens=True),
    TermKind.EMAIL: _Weight("email", 28, opens=True),
    TermKind.SCHOOL_HEAD: _Weight("school", 6),
    TermKind.SCHOOL_TAIL: _Weight("school", 6),
    TermKind.CHILD_SCHOOL_HEAD: _Weight(_JOINT, 15),  # two fields in one term
    TermKind.CHILD_SCHOOL_TAIL: _Weight(_JOINT, 15),
    TermKind.HEALTH_WORD: _Weight("health", 6),
    TermKind.MEMBER_GIVEN: _Weight("member", 5),
    TermKind.MEMBER_FAMILY: _Weight("member", 5),
    TermKind.PLATE: _Weight("plate", 20, opens=True),
}
_SUFFICES = 1
_MARKS = {name: 2 << place for place, name in enumerate(sorted({weight.field for weight in WEIGHTS.values()}))}


def select_subjects(reading: Reading, hits: Mapping[Term, Sequence[Hit]], *, limit: int) -> tuple[SubjectId, ...]:
    """Return whose values are to be opened and compared with the text, the surest first.

    Args:
        reading: the text's reading.
        hits: what the index said for the reading's terms; terms without a posting may be left out.
        limit: at most so many subjects.

    Returns:
        Subjects with a strong term, or with two fields (name and birth date, name and last four, a child's first name
        with its school ...) in the prose or in one table row.
    """
    evidence = _evidence(reading, hits)
    best: dict[SubjectId, float] = {}
    for (subject, scope), fields in evidence.items():
        bits = _enough(_members_apart(reading, scope, fields))
        if bits:
            best[subject] = max(bits, best.get(subject, 0.0))
    ranked = sorted(best, key=lambda subject: (-best[subject], subject))
    return tuple(ranked[:limit])


def _evidence(
    reading: Reading, hits: Mapping[Term, Sequence[Hit]]
) -> dict[tuple[SubjectId, int], dict[str, dict[Term, float]]]:
    """Return the terms of each subject in each scope, by field, where they may suffice.

    A common name has hundreds of holders in every row of a dump: most have nothing else there, and are left out first.
    """
    weighed = [
        (term, WEIGHTS[term.kind], found, reading.scopes(term))
        for term, found in hits.items()
        if found and term.kind in WEIGHTS
    ]
    seen: dict[int, dict[SubjectId, int]] = {}
    for _, weight, found, scopes in weighed:
        mark = _MARKS[weight.field] | (_SUFFICES if weight.suffices else 0)
        for scope in scopes:
            marks = seen.setdefault(scope, {})
            for hit in found:
                marks[hit.subject] = marks.get(hit.subject, 0) | mark
    evidence: dict[tuple[SubjectId, int], dict[str, dict[Term, float]]] = {
        (subject, scope): {}
        for scope, marks in seen.items()
        for subject, mark in marks.items()
        if mark & (mark - 1)  # two bits: two fields, or one and that it suffices
    }
    for term, weight, found, scopes in weighed:
        for scope in scopes:
            for hit in found:
                fields = evidence.get((hit.subject, scope))
                if fields is not None:
                    fields.setdefault(weight.field, {})[term] = weight.bits
    return evidence


def _members_apart(reading: Reading, scope: int, fields: dict[str, dict[Term, float]]) -> dict[str, dict[Term, float]]:
    """Leave out members whose name stands nowhere but where the subject's own does (a child of the same initials)."""
    if "name" not in fields or "member" not in fields:
        return fields
    whole = [term for term in fields["name"] if term.kind is TermKind.NAME]
    taken = [place for term in whole or fields["name"] for place in reading.places_in(term, scope)]
    apart = {
        term: bits
        for term, bits in fields["member"].items()
        if any(not any(place.overlaps(other) for other in taken) for place in reading.places_in(term, scope))
    }
    rest = {name: terms for name, terms in fields.items() if name != "member"}
    return rest | ({"member": apart} if apart else {})


def _enough(fields: Mapping[str, Mapping[Term, float]]) -> float:
    """Return the bits of one subject in one scope, or 0 when they do not suffice to open anything."""
    total = sum(_field_bits(name, terms) for name, terms in fields.items())
    strong = any(WEIGHTS[term.kind].opens for terms in fields.values() for term in terms)
    joint = _JOINT in fields
    if strong or joint or (len(fields) >= 2 and total >= NEEDED_BITS):
        return total
    return 0.0


def _field_bits(name: str, terms: Mapping[Term, float]) -> float:
    if name == "health":
        return sum(sorted(terms.values(), reverse=True)[:MOST_HEALTH_WORDS])
    if name in _CAPS:
        return min(_CAPS[name], sum(terms.values()))
    return max(terms.values())
