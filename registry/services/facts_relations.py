"""How each who asks stands to each they ask about, for a whole batch: one statement more, and none for strangers.

Declared on either side counts. Who asks is known by the employee number of their account; the number of somebody who
is not enrolled counts as soon as a subject declares it, and their own ties once they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from registry.crypto.tags import equal
from registry.domain.principals import Principal
from registry.policy.decide import Relation
from registry.services.kernel import Kernel, is_own
from registry.services.ports import SubjectRow, Work
from registry.services.ties import unit_tag
from registry.vault.ties import Tie, TieKind

_OF_PEOPLE = MappingProxyType(
    {
        TieKind.MEMBER: Relation.HOUSEHOLD,
        TieKind.HOUSEHOLD: Relation.HOUSEHOLD,
        TieKind.KIN: Relation.KIN,
        TieKind.FORMER_PARTNER: Relation.FORMER_PARTNER,
    }
)
# A relation says what the subject is to who asks.
_NAMED_BY_SUBJECT = {**_OF_PEOPLE, TieKind.SUPERVISOR: Relation.SUBORDINATE}
_NAMED_BY_ASKER = {**_OF_PEOPLE, TieKind.SUPERVISOR: Relation.SUPERVISOR}


# Who may not look somebody up for being close to them may not let others do so either, nor judge what was done.
CLOSE = frozenset({Relation.HOUSEHOLD, Relation.KIN, Relation.FORMER_PARTNER, Relation.SAME_ADDRESS})


class Relations:
    """The relations of a batch's principals."""

    def __init__(self, kernel: Kernel, work: Work, principals: Sequence[Principal]) -> None:
        self._kernel = kernel
        self._work = work
        self._tags = {tag for principal in principals if (tag := principal.employee_tag) is not None}

    def between(self, principal: Principal, subject: SubjectRow) -> frozenset[Relation]:
        """Return every relation between who asks and a subject."""
        own, unit = principal.employee_tag, principal.unit
        if own is None and principal.supervisor_tag is None and not unit:
            return frozenset()
        ties = self._kernel.ties.open(subject.id, subject.ties)
        found: set[Relation] = set()
        if own is not None:
            mine = self._askers.get(own, ())
            found.update(_named(ties, own, _NAMED_BY_SUBJECT), _named(mine, subject.number_tag, _NAMED_BY_ASKER))
            if _addresses(ties) & _addresses(mine):
                found.add(Relation.SAME_ADDRESS)
        if principal.supervisor_tag is not None and equal(principal.supervisor_tag, subject.number_tag):
            found.add(Relation.SUPERVISOR)
        if unit and Tie(TieKind.UNIT, unit_tag(self._kernel.index, unit)) in ties:
            found.add(Relation.SAME_UNIT)
        return frozenset(found)

    @cached_property
    def _askers(self) -> Mapping[bytes, tuple[Tie, ...]]:
        """The own ties of who asks, by the tag of their number."""
        found = self._work.subjects.ties_of(self._tags)
        return {tag: self._kernel.ties.open(subject, ties) for tag, (subject, ties) in found.items()}


def is_close(kernel: Kernel, work: Work, principal: Principal, subjects: Iterable[SubjectRow]) -> bool:
    """Tell whether one of some subjects is the principal, or of the same family or home."""
    relations = Relations(kernel, work, [principal])
    return any(is_own(principal, one) or relations.between(principal, one) & CLOSE for one in subjects)


def _named(ties: Sequence[Tie], number_tag: bytes, kinds: Mapping[TieKind, Relation]) -> set[Relation]:
    return {kinds[tie.kind] for tie in ties if tie.kind in kinds and equal(tie.tag, number_tag)}


def _addresses(ties: Sequence[Tie]) -> set[bytes]:
    return {tie.tag for tie in ties if tie.kind is TieKind.ADDRESS}
