"""What cases need of a database: traces, and what was added to them; see ``ports``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.domain.ids import PrincipalId, TraceId
from registry.vault.cases import SealedCase


@dataclass(frozen=True, slots=True)
class CasePartRow:
    """What was added to a trace, sealed under its key; ``part`` counts on, ``entry`` is None where rows named none."""

    trace: TraceId
    part: int
    kind: str
    created_at: int
    sealed: bytes
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One trace, sealed under a key of its own."""

    id: TraceId
    principal: PrincipalId
    created_at: int
    case: SealedCase


class Traces(Protocol):
    def get(self, trace: TraceId) -> TraceRow | None: ...
    def of_principal(self, principal: PrincipalId, limit: int) -> Sequence[TraceRow]: ...
    def insert(self, row: TraceRow) -> None: ...
    def parts_of(self, ids: Sequence[TraceId]) -> Sequence[CasePartRow]: ...
    def insert_part(self, row: CasePartRow) -> None: ...
    def parts(self) -> Iterator[CasePartRow]:
        """Yield what was added to all cases, in the order of traces and parts."""
        ...

    def standing(self, ids: Collection[TraceId]) -> frozenset[TraceId]: ...
