"""Choosing whose values are opened: a strong full-value term alone, or two different fields standing together.

A term's weight is a fixed number of bits (minus log2 of the share of a national population that it fits), so that a
registry of 400 people works like one of a million. A name alone never opens anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from registry.domain.ids import SubjectId
from registry.leaktrace.reading import Reading
from registry.leaktrace.terms import Term, TermKind


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


Hits = Mapping[Term, AbstractSet[SubjectId]]
_Asked = tuple[Term, _Weight, AbstractSet[SubjectId]]


def select_subjects(reading: Reading, hits: Hits, *, limit: int) -> tuple[SubjectId, ...]:
    """Return whose values are to be opened and compared with the text, the surest first.

    Args:
        reading: the text's reading.
        hits: whose terms they are, of the reading's terms, as the index said; terms of nobody may be left out.
        limit: at most so many subjects.

    Returns:
        Subjects with a strong term, or with two fields (name and birth date, name and last four, a child's first name
        with its school ...) in the prose or in one table row.
    """
    best: dict[SubjectId, float] = {}
    for scope, asked in _by_scope(reading, hits).items():
        known: dict[int, float] = {}  # whoever has the same terms in one scope has the same bits
        for subject in _likely(asked):
            own = sum([1 << place for place, (_, _, found) in enumerate(asked) if subject in found])
            bits = known.get(own)
            if bits is None:
                bits = known[own] = _bits(reading, scope, [one for place, one in enumerate(asked) if own >> place & 1])
            if bits:
                best[subject] = max(bits, best.get(subject, 0.0))
    ranked = sorted(best, key=lambda subject: (-best[subject], subject))
    return tuple(ranked[:limit])


def _by_scope(reading: Reading, hits: Hits) -> dict[int, list[_Asked]]:
    scopes: dict[int, list[_Asked]] = {}
    for term, found in hits.items():
        weight = WEIGHTS.get(term.kind)
        if found and weight is not None:
            asked = (term, weight, found)
            for scope in reading.scopes(term):
                scopes.setdefault(scope, []).append(asked)
    return scopes


def _likely(asked: Sequence[_Asked]) -> AbstractSet[SubjectId]:
    """Return who has a term that suffices, or terms of two fields.

    A common name has hundreds of holders in every row of a dump: most have nothing else there. So they are left out by
    sets, and nothing is worked out for them.
    """
    likely: set[SubjectId] = set()
    fields: dict[str, AbstractSet[SubjectId]] = {}
    for _, weight, found in asked:
        if weight.suffices:
            likely |= found
        known = fields.get(weight.field)
        fields[weight.field] = found if known is None else known | found
    seen: AbstractSet[SubjectId] = frozenset()
    for place, found in enumerate(sorted(fields.values(), key=len), 1):
        likely |= seen & found
        if place < len(fields):
            seen = seen | found
    return likely


def _bits(reading: Reading, scope: int, asked: Sequence[_Asked]) -> float:
    fields: dict[str, dict[Term, float]] = {}
    for term, weight, _ in asked:
        fields.setdefault(weight.field, {})[term] = weight.bits
    return _enough(_members_apart(reading, scope, fields))


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
