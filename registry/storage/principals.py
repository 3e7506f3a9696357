"""Principals, idempotency keys and traces."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, text, tuple_, update

from registry.domain.ids import PrincipalId, TraceId
from registry.domain.principals import Role
from registry.services.ports import CHANGED, IdempotencyRow, PrincipalRow
from registry.services.ports_cases import CasePartRow, TraceRow
from registry.storage.guards import RowGuard
from registry.storage.prepared import Prepared
from registry.storage.rows import MANY, chunks, trace_row
from registry.storage.tables import case_parts, idempotency, principals, traces

_NAMED = select(principals).where(principals.c.issuer == bindparam("iss"), principals.c.sub == bindparam("name"))
_BY_NAME = Prepared(_NAMED)
_BY_NAMES = Prepared(
    select(principals).where(principals.c.issuer == bindparam("iss"), principals.c.sub.in_(MANY)),
)
_LOCK = Prepared(_NAMED.with_for_update(key_share=True))
_LOCK_BY_ID = Prepared(select(principals).where(principals.c.id == bindparam("pid")).with_for_update(key_share=True))
_HOLD_PERSON = text("SELECT pg_advisory_xact_lock(hashtextextended(encode(:person, 'hex'), 24))")
# Parts of cases at a time: one may hold a whole text.
_FEW = 16
_BY_IDS = select(principals).where(principals.c.id.in_(MANY))


def _part(row: Row[Any]) -> CasePartRow:
    return CasePartRow(TraceId(row.trace), row.part, row.kind, row.created_at, row.sealed, row.entry)


class SqlPrincipals:
    """Principals on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def by_name(self, issuer: str, sub: str) -> PrincipalRow | None:
        return self._one(_BY_NAME.rows(self._connection, {"iss": issuer, "name": sub}))

    def by_names(self, names: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], PrincipalRow]:
        subs: dict[str, set[str]] = {}
        for issuer, sub in names:
            subs.setdefault(issuer, set()).add(sub)
        found = [
            self._row(row)
            for issuer, own in subs.items()
            for row in _BY_NAMES.rows_of(self._connection, sorted(own), {"iss": issuer})
        ]
        return {(row.issuer, row.sub): row for row in found}

    def lock(self, issuer: str, sub: str) -> PrincipalRow | None:
        return self._one(_LOCK.rows(self._connection, {"iss": issuer, "name": sub}))

    def lock_by_id(self, identifier: PrincipalId) -> PrincipalRow | None:
        return self._one(_LOCK_BY_ID.rows(self._connection, {"pid": identifier}))

    def hold_person(self, person_tag: bytes) -> None:
        # The lock that the trigger takes (0024): a row cannot be held that is yet to come. SQLite has one writer.
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(_HOLD_PERSON, {"person": person_tag})

    def by_ids(self, ids: Iterable[PrincipalId]) -> Mapping[PrincipalId, PrincipalRow]:
        return {
            PrincipalId(row.id): self._row(row)
            for part in chunks(set(ids))
            for row in self._connection.execute(_BY_IDS, {"many": part})
        }

    def listing(self) -> Sequence[PrincipalRow]:
        statement = select(principals).order_by(principals.c.issuer, principals.c.sub)
        return [self._row(row) for row in self._connection.execute(statement)]

    def insert(self, row: PrincipalRow) -> None:
        self._connection.execute(insert(principals), self._values(row))

    def update(self, row: PrincipalRow) -> None:
        self._connection.execute(update(principals).where(principals.c.id == row.id).values(**self._values(row)))

    def _values(self, row: PrincipalRow) -> dict[str, object]:
        return self._guard.guarded("principals", _columns(row))

    def _one(self, rows: Sequence[Sequence[Any]]) -> PrincipalRow | None:
        return self._row(rows[0]) if rows else None

    def _row(self, row: Sequence[Any]) -> PrincipalRow:
        identifier, issuer, sub, roles, employee, unit, state, created, guard, supervisor, person = row
        told = [*row[:7], supervisor, created, person]
        if self._guard.holds("principals", told, guard) or any(
            self._guard.holds("principals", before, guard) for before in _told_before(told)
        ):
            held, named = frozenset(map(Role, roles.split())), PrincipalId(identifier)
            return PrincipalRow(named, issuer, sub, held, employee, unit, state, supervisor, created, person)
        # One account's changed row must not stop the others' asks: it has no roles, so whatever it asks is refused.
        return PrincipalRow(PrincipalId(identifier), issuer, sub, frozenset(), None, "", CHANGED)


def _told_before(told: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """Return what the guard of a row covers that was written before guards covered all of today's columns.

    Before accounts were joined to a person it was everything else; before that not when an account was made, and a
    supervisor when there was one. Lists of other lengths have other tags: no row of today passes for one of then. What
    such a row says of its making is compared with the ledger by ``registry audit verify``. No such row has a person.
    """
    *columns, supervisor, created, person = told
    if person is not None:
        return ()
    return ([*columns, supervisor, created], columns if supervisor is None else [*columns, supervisor])


def _columns(row: PrincipalRow) -> dict[str, object]:
    return {
        "id": row.id,
        "issuer": row.issuer,
        "sub": row.sub,
        "roles": " ".join(sorted(role.value for role in row.roles)),
        "employee": row.employee,
        "unit": row.unit,
        "state": row.state,
        "supervisor": row.supervisor,
        "created_at": row.created_at,
        "person_tag": row.person_tag,
    }


class SqlIdempotency:
    """Idempotency keys on SQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, principal: PrincipalId, key_tag: bytes) -> IdempotencyRow | None:
        statement = select(idempotency).where(idempotency.c.principal == principal, idempotency.c.key_tag == key_tag)
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            return None
        return IdempotencyRow(PrincipalId(row.principal), row.key_tag, row.body_tag, row.outcome, row.created_at)

    def forget(self, row: IdempotencyRow) -> None:
        """Delete one row."""
        named = (idempotency.c.principal == row.principal, idempotency.c.key_tag == row.key_tag)
        self._connection.execute(delete(idempotency).where(*named))

    def forget_before(self, created_at: int, most: int) -> None:
        """Delete rows older than a moment in milliseconds, the oldest first, so many at most."""
        key = (idempotency.c.principal, idempotency.c.key_tag)
        # In one order, so that two writers do not wait for each other.
        oldest = select(*key).where(idempotency.c.created_at < created_at).order_by(idempotency.c.created_at, *key)
        self._connection.execute(delete(idempotency).where(tuple_(*key).in_(oldest.limit(most))))

    def put(self, row: IdempotencyRow) -> None:
        self._connection.execute(
            insert(idempotency),
            {
                "principal": row.principal,
                "key_tag": row.key_tag,
                "body_tag": row.body_tag,
                "outcome": row.outcome,
                "created_at": row.created_at,
            },
        )


class SqlTraces:
    """Traces on SQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, trace: TraceId) -> TraceRow | None:
        row = self._connection.execute(select(traces).where(traces.c.id == trace)).one_or_none()
        return None if row is None else trace_row(row)

    def of_principal(self, principal: PrincipalId, limit: int) -> Sequence[TraceRow]:
        statement = select(traces).where(traces.c.principal == principal)
        newest = statement.order_by(traces.c.created_at.desc(), traces.c.id).limit(limit)
        return [trace_row(row) for row in self._connection.execute(newest)]

    def insert(self, row: TraceRow) -> None:
        self._connection.execute(
            insert(traces),
            {
                "id": row.id,
                "principal": row.principal,
                "created_at": row.created_at,
                "key_id": row.case.key.key_id,
                "wrapped_key": row.case.key.blob,
                "sealed_text": row.case.text,
                "sealed_report": row.case.report,
            },
        )

    def parts_of(self, ids: Sequence[TraceId]) -> Sequence[CasePartRow]:
        statement = select(case_parts).where(case_parts.c.trace.in_(ids))
        rows = self._connection.execute(statement.order_by(case_parts.c.trace, case_parts.c.part))
        return [_part(row) for row in rows]

    def parts(self) -> Iterator[CasePartRow]:
        place = tuple_(case_parts.c.trace, case_parts.c.part)
        statement = select(case_parts).order_by(*place.clauses).limit(_FEW)
        after: tuple[str, int] = ("", 0)
        while rows := self._connection.execute(statement.where(place > after)).all():
            yield from map(_part, rows)
            after = (rows[-1].trace, rows[-1].part)

    def standing(self, ids: Collection[TraceId]) -> frozenset[TraceId]:
        found = [
            self._connection.execute(select(traces.c.id).where(traces.c.id.in_(some))).scalars()
            for some in chunks(sorted(ids))
        ]
        return frozenset(TraceId(one) for group in found for one in group)

    def insert_part(self, row: CasePartRow) -> None:
        told = {"trace": row.trace, "part": row.part, "kind": row.kind, "entry": row.entry}
        self._connection.execute(insert(case_parts), told | {"created_at": row.created_at, "sealed": row.sealed})
