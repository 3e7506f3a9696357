"""Statements of the hot paths: compiled once, run on the driver's own cursor.

Compiling and running a statement through SQLAlchemy's machinery costs 60 to 90 us where the driver takes 5 to 15; a
lookup makes a dozen. The statement stays an expression over ``tables``; only its running is ours. Values are bound,
never written into a text, and what comes back are tuples in the order of the selected columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import BindParameter, Connection, Integer, LargeBinary, String
from sqlalchemy.engine.interfaces import Compiled, Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from registry.storage.rows import IN_CHUNK, MANY, chunks

_MANY = str(MANY.key)


class Prepared:
    """One statement, ready to run on either engine inside a transaction that was begun."""

    __slots__ = ("_columns", "_forms", "_statement")

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> None:
        """Take a statement.

        Args:
            statement: with no list among its values, or with ``MANY`` as the only one; beside that, other values too.
            columns: of an INSERT, those that are given.
        """
        self._statement = statement
        self._columns = columns
        self._forms: dict[tuple[str, int], _Form] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """Run it and return all rows."""
        given = values or {}
        form = self._form(connection.dialect, 0)
        found: Sequence[tuple[Any, ...]] = driver_cursor(connection).execute(form.text, form.bound(given)).fetchall()
        return found

    def rows_of(
        self, connection: Connection, many: Iterable[Any], values: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Run it for the values that stand for ``MANY``, and those given beside it; none for no values."""
        found: list[tuple[Any, ...]] = []
        for part in chunks(many, IN_CHUNK):
            padded = _padded(part)
            form = self._form(connection.dialect, len(padded))
            found += driver_cursor(connection).execute(form.text, form.bound_to(padded, values or {})).fetchall()
        return found

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Run it once for its effect."""
        form = self._form(connection.dialect, 0)
        driver_cursor(connection).execute(form.text, form.bound(values))

    def run_each(self, connection: Connection, values: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of the value sets."""
        form = self._form(connection.dialect, 0)
        driver_cursor(connection).executemany(form.text, [form.bound(one) for one in values])

    def _form(self, dialect: Dialect, length: int) -> _Form:
        form = self._forms.get((dialect.name, length))
        if form is None:
            compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
            form = self._forms[dialect.name, length] = _Form(compiled, length)
        return form


class _Form:
    """A statement's text for one dialect and one length of its list, and where each value goes."""

    __slots__ = ("_names", "_order", "text")

    def __init__(self, compiled: Compiled, length: int) -> None:
        if not isinstance(compiled, SQLCompiler) or not all(map(_is_plain, compiled.binds.values())):
            raise TypeError("a prepared statement binds texts, whole numbers and bytes")
        names = {name: [name] * length if name == _MANY else name for name in compiled.params}
        expanded = compiled.construct_expanded_state(names)
        self.text = expanded.statement
        # Every value was given as its own name, so what stands in a place is the name of what goes there.
        self._order = tuple(expanded.positional_parameters) if compiled.positional else None
        self._names = tuple(expanded.parameters)

    def bound(self, values: Mapping[str, Any]) -> Sequence[Any] | Mapping[str, Any]:
        """Arrange named values as the driver wants them."""
        return values if self._order is None else [values[name] for name in self._order]

    def bound_to(self, many: Sequence[Any], values: Mapping[str, Any]) -> Sequence[Any] | Mapping[str, Any]:
        """Arrange the values of the one list, and those that have names of their own."""
        if self._order is None:
            own = [name for name in self._names if name not in values] if values else self._names
            return {**values, **dict(zip(own, many, strict=True))}
        if not values:
            return many
        each = iter(many)
        return [values[name] if name in values else next(each) for name in self._order]


def _is_plain(bound: BindParameter[Any]) -> bool:
    """Tell whether both drivers take the values of this type, and give them back, as they are."""
    return isinstance(bound.type, String | Integer | LargeBinary)


def together(connection: Connection) -> AbstractContextManager[object]:
    """Send the statements of a block without waiting for each one's answer, where the driver can.

    On PostgreSQL that is one round trip instead of one for each; failures are raised at the end of the block, or in it.
    """
    driver_cursor(connection)
    pipeline = getattr(connection.connection.driver_connection, "pipeline", None)
    return nullcontext() if pipeline is None else pipeline()


def driver_cursor(connection: Connection) -> Any:
    """Return a cursor of the driver, in the transaction of this connection; its errors are those of the driver."""
    if not connection.in_transaction():
        connection.begin()
    return connection.connection.cursor()


def _padded(values: Sequence[Any]) -> Sequence[Any]:
    """Repeat the last value up to a power of two, so that few texts serve every length."""
    wanted = min(1 << (len(values) - 1).bit_length(), IN_CHUNK)
    return [*values, *[values[-1]] * (wanted - len(values))]
