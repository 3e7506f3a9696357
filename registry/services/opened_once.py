"""Who was opened for one text: in a dump the same people come again and again, and each is opened under one entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from registry.domain.ids import RecordId, SubjectId
from registry.leaktrace.dossier import Dossier

# Opened people of whom nothing was found, kept for the next parts: some 20 MB.
MOST_OTHERS = 3_000
# Found people with all that was worked out about them, some 5 KB each; the others are kept as they were opened. Working
# it out again for everybody in every part of a dump takes as long as comparing them.
_MOST_READY = 20_000

_Version = tuple[RecordId, int]


class OpenedOnce:
    """Dossiers by subject. Lives as long as the matching of one text."""

    def __init__(self, *, most_others: int = MOST_OTHERS) -> None:
        self._found: dict[SubjectId, Dossier] = {}
        self._others: dict[SubjectId, Dossier] = {}
        self._ready: dict[SubjectId, None] = {}
        self._most_others = most_others

    def of(
        self, subjects: Iterable[SubjectId], pointed: Mapping[SubjectId, AbstractSet[_Version]]
    ) -> dict[SubjectId, Dossier]:
        """Return whom of some subjects need not be opened again.

        Args:
            subjects: whose values are to be compared.
            pointed: the versions of their records that the index points to: all of them have to be open.
        """
        known = {subject: dossier for subject in subjects if (dossier := self._known(subject)) is not None}
        return {
            subject: dossier
            for subject, dossier in known.items()
            if pointed.get(subject, frozenset()) <= _versions_of(dossier)
        }

    def older(self, subject: SubjectId) -> set[_Version]:
        """Return the versions of a subject that were open: who is opened again, is opened with them."""
        dossier = self._known(subject)
        return set() if dossier is None else _versions_of(dossier)

    def keep(self, dossiers: Iterable[Dossier], found: AbstractSet[SubjectId]) -> None:
        """Keep whom one part compared: those who were found for good, of the others the last ones."""
        for dossier in dossiers:
            subject = dossier.subject
            if subject in found or subject in self._found:
                self._others.pop(subject, None)
                self._found[subject] = dossier
                self._ready.pop(subject, None)
                self._ready[subject] = None
            else:
                self._others.pop(subject, None)
                self._others[subject] = dossier
        while len(self._others) > self._most_others:
            del self._others[next(iter(self._others))]
        while len(self._ready) > _MOST_READY:
            oldest = next(iter(self._ready))
            del self._ready[oldest]
            self._found[oldest].slim()

    def found(self) -> list[Dossier]:
        """Return who was found in the text."""
        return list(self._found.values())

    def versions(self) -> dict[RecordId, tuple[int, ...]]:
        """Return the versions that were compared, of each record of who was found."""
        numbers: dict[RecordId, set[int]] = {}
        for dossier in self._found.values():
            for record, version in _versions_of(dossier):
                numbers.setdefault(record, set()).add(version)
        return {record: tuple(sorted(of)) for record, of in numbers.items()}

    def _known(self, subject: SubjectId) -> Dossier | None:
        return self._found.get(subject) or self._others.get(subject)


def _versions_of(dossier: Dossier) -> set[_Version]:
    return {(record.record, record.version) for record in dossier.records}
