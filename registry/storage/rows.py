"""Between SQL rows and the frozen values that services know. Rows never leave this room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import BindParameter, bindparam

from registry.domain.ids import PersonId, PrincipalId, RecordId, SubjectId, TraceId
from registry.domain.marks import Tier
from registry.keys.ports import WrappedKey
from registry.services.ports import MarkRow, PersonRow, VersionRow
from registry.services.ports_cases import TraceRow
from registry.vault.cases import SealedCase

T = TypeVar("T")
# Stands for a list of values in a prepared statement: ``column.in_(MANY)``, run with ``{"many": values}``. Statements
# are built once: building one costs more than running it.
MANY: BindParameter[Any] = bindparam("many", expanding=True)
# Below SQLite's and PostgreSQL's limits on bound parameters, with room for statements that bind two a row.
IN_CHUNK = 5_000


def chunks(items: Iterable[T], size: int = IN_CHUNK) -> Iterator[Sequence[T]]:
    """Yield the items in lists of at most ``size``; nothing for no items."""
    gathered = list(items)
    for start in range(0, len(gathered), size):
        yield gathered[start : start + size]


def person_row(row: Any) -> PersonRow:
    """Read a person."""
    return PersonRow(PersonId(row.id), SubjectId(row.subject), row.ref_tag, WrappedKey(row.key_id, row.wrapped_key))


def version_row(row: Any) -> VersionRow:
    """Read a version's history."""
    return VersionRow(
        record=RecordId(row.record),
        version=row.version,
        entered_by=PrincipalId(row.entered_by),
        entered_via=row.entered_via,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def mark_row(row: Any) -> MarkRow:
    """Read a mark."""
    return MarkRow(
        record=RecordId(row.record),
        mark_version=row.mark_version,
        tier=Tier(row.tier),
        basis=row.basis,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        review_on=row.review_on,
    )


def trace_row(row: Any) -> TraceRow:
    """Read a trace."""
    trace, principal = TraceId(row.id), PrincipalId(row.principal)
    key = WrappedKey(row.key_id, row.wrapped_key)
    return TraceRow(
        trace, principal, row.created_at, SealedCase(trace, principal, key, row.sealed_text, row.sealed_report)
    )
