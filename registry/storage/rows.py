"""Between SQL rows and the frozen values that services know. Rows never leave this room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import BindParameter, bindparam

from registry.domain.categories import Category
from registry.domain.ids import PersonId, PrincipalId, RecordId, SubjectId, TraceId
from registry.domain.marks import Tier
from registry.domain.principals import Role
from registry.keys.ports import WrappedKey
from registry.services.ports import MarkRow, PersonRow, PrincipalRow, RecordRow, SubjectRow, TraceRow, VersionRow
from registry.vault.cases import SealedCase
from registry.vault.sealed import DIRECTORY, SealedField

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


def subject_row(row: Any) -> SubjectRow:
    """Read a subject joined with its own person."""
    directory = SealedField(
        record=RecordId(row.id),
        subject=SubjectId(row.id),
        person=PersonId(row.person),
        category=DIRECTORY,
        version=row.directory_version,
        sealed=row.directory,
        digest=row.directory_digest,
        key=WrappedKey(row.key_id, row.wrapped_key),
    )
    return SubjectRow(SubjectId(row.id), row.number_tag, row.content_tag, directory, row.state, row.version)


def person_row(row: Any) -> PersonRow:
    """Read a person."""
    return PersonRow(PersonId(row.id), SubjectId(row.subject), row.ref_tag, WrappedKey(row.key_id, row.wrapped_key))


def sealed_field(row: Any) -> SealedField:
    """Read a record version joined with its record and person."""
    return SealedField(
        record=RecordId(row.record),
        subject=SubjectId(row.subject),
        person=PersonId(row.person),
        category=row.category,
        version=row.version,
        sealed=row.sealed,
        digest=row.digest,
        key=WrappedKey(row.key_id, row.wrapped_key),
    )


def record_row(row: Any) -> RecordRow:
    """Read a record joined with its current version and person."""
    return RecordRow(
        id=RecordId(row.record),
        subject=SubjectId(row.subject),
        person=PersonId(row.person),
        category=Category(row.category),
        slot_tag=row.slot_tag,
        value_tag=row.value_tag,
        tier=Tier(row.tier),
        mark_version=row.mark_version,
        state=row.state,
        field=sealed_field(row),
    )


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


def principal_row(row: Any) -> PrincipalRow:
    """Read a principal."""
    return PrincipalRow(
        id=PrincipalId(row.id),
        issuer=row.issuer,
        sub=row.sub,
        roles=frozenset(Role(word) for word in row.roles.split()),
        employee=row.employee,
        unit=row.unit,
        state=row.state,
    )


def trace_row(row: Any) -> TraceRow:
    """Read a trace."""
    trace, principal = TraceId(row.id), PrincipalId(row.principal)
    key = WrappedKey(row.key_id, row.wrapped_key)
    return TraceRow(
        trace, principal, row.created_at, SealedCase(trace, principal, key, row.sealed_text, row.sealed_report)
    )
