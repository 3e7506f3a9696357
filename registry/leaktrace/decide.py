"""Deciding: which opened values stand in the text, by the truth rules of this room's README.

Identifying values (address, phone, SSN, card, e-mail, plate) count alone. Contextual ones (birth date, health, family,
school) need an anchor in the same prose or the same table row: the subject's full name or an identifying value. Last
four digits need the full name. In a table, parts of values need another exact value of the same person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from registry.domain.categories import Category
from registry.leaktrace.anchors import named_scopes
from registry.leaktrace.decide_contextual import contextual
from registry.leaktrace.decide_identifying import IDENTIFYING, identifying, last_four
from registry.leaktrace.dossier import Dossier, DossierRecord, Finding, Matching, Member, Span
from registry.leaktrace.sightings import ReadText, Sighting


def decide(text: ReadText, dossiers: Sequence[Dossier]) -> Matching:
    """Compare opened dossiers with a text.

    Args:
        text: what was read.
        dossiers: opened values of the selected subjects.

    Returns:
        Findings, one per subject, kind and member; and weaker ones that are only possible.
    """
    findings: list[Finding] = []
    possible: list[Finding] = []
    for dossier in dossiers:
        case = _Case(text, dossier)
        case.look()
        case.report(findings, possible)
    return Matching(tuple(findings), tuple(possible))


class _Case:
    """One dossier against one text."""

    def __init__(self, text: ReadText, dossier: Dossier) -> None:
        self._text = text
        self._dossier = dossier
        self._seen: list[list[Sighting]] = [[] for _ in dossier.records]
        self._named = named_scopes(text, dossier)

    def look(self) -> None:
        """Find every value: identifying ones first, for they anchor the others."""
        records = self._dossier.records
        for number, record in enumerate(records):
            if record.category in IDENTIFYING:
                self._seen[number].extend(identifying(self._text, record))
        exact = {seen.scope for seen in self._all() if seen.exact}
        self._drop_parts(exact.union([scope for scope, is_exact in self._named.items() if is_exact]))
        anchors = {seen.scope for seen in self._all() if seen.decided}.union(self._named)
        for number, record in enumerate(records):
            if record.category not in IDENTIFYING:
                self._seen[number].extend(contextual(self._text, self._dossier, record, anchors))
            elif record.category in {Category.SSN, Category.PHONE}:
                self._seen[number].extend(self._last_four(record, exact))
        self._confirm_children()

    def _all(self) -> Iterable[Sighting]:
        return chain.from_iterable(self._seen)

    def _drop_parts(self, supported: set[int]) -> None:
        """In tables, weaken parts of values that nothing exact supports."""
        for sightings in self._seen:
            for place, seen in enumerate(sightings):
                if not seen.exact and seen.scope and seen.scope not in supported:
                    sightings[place] = seen.weakened()

    def _last_four(self, record: DossierRecord, exact: set[int]) -> Iterable[Sighting]:
        for seen, labelled in last_four(self._text, record):
            named = self._named.get(seen.scope, False) and (seen.scope == 0 or seen.scope in exact or labelled)
            yield seen if named else seen.weakened()

    def _confirm_children(self) -> None:
        """A child's full name also counts beside its school."""
        schools: dict[str, set[int]] = {}
        for record, sightings in zip(self._dossier.records, self._seen, strict=True):
            if record.category is Category.SCHOOL and record.member and sightings:
                scopes = schools.setdefault(record.member, set())
                scopes.update(seen.scope for seen in sightings if seen.decided)
        if not schools:
            return
        for number, record in enumerate(self._dossier.records):
            beside = schools.get(record.member or "", set())
            if record.category is Category.FAMILY_MEMBER and beside:
                self._seen[number] = [
                    seen if seen.decided or seen.scope not in beside else _beside_school(seen)
                    for seen in self._seen[number]
                ]

    def report(self, findings: list[Finding], possible: list[Finding]) -> None:
        """Add one finding a kind and member; a kind that is decided is not listed as possible, too."""
        decided: dict[tuple[str, str | None], list[_Seen]] = {}
        others: dict[tuple[str, str | None], list[_Seen]] = {}
        for record, sightings in zip(self._dossier.records, self._seen, strict=True):
            for seen in sightings:
                group = decided if seen.decided else others
                group.setdefault((record.kind, record.member), []).append((record, seen))
        findings += [self._finding(seen) for seen in decided.values()]
        possible += [self._finding(seen) for key, seen in others.items() if key not in decided]

    def _finding(self, seen: list[_Seen]) -> Finding:
        record, best = max(seen, key=_confidence) if len(seen) > 1 else seen[0]
        return Finding(
            subject=self._dossier.subject,
            record=record.record,
            employee_number=self._dossier.employee_number,
            category=record.category,
            kind=record.kind,
            member=record.member,
            confidence=best.confidence,
            spans=_outermost({sighting.span for _, sighting in seen}) if len(seen) > 1 else (best.span,),
            reason=best.reason,
            is_tail=all(sighting.is_tail for _, sighting in seen),
        )


_Seen = tuple[DossierRecord, Sighting]


def _confidence(one: _Seen) -> float:
    return one[1].confidence


def _outermost(spans: set[Span]) -> tuple[Span, ...]:
    """Return the spans in order, without those inside another."""
    kept: list[Span] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or end > kept[-1][1]:
            kept.append((start, end))
    return tuple(kept)


def _beside_school(seen: Sighting) -> Sighting:
    return seen._replace(confidence=0.85, reason="the full name stands with the child's school", decided=True)


__all__ = ["Dossier", "DossierRecord", "Finding", "Matching", "Member", "decide"]
