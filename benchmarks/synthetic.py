"""Making a registry large in seconds per 100,000 people, without enrolling them.

Whoever is looked up, enrolled, searched or traced in a measurement was imported like everybody. Between them stand
rows that nothing of a measurement opens: each a copy of a real person's rows with ids, tags and labels of its own, and
random bytes as long as the sealed ones. Their entries have leaves of the right form, and the tree over them, its root
and its checkpoint are real, so every index, every table and the ledger are as deep as those of a registry of that size.
What cannot be done with such a registry is opening or verifying what stands in it.
"""

from __future__ import annotations

import os
import sqlite3
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Protocol

import psycopg

from benchmarks.registries import Registry
from registry.audit.high_water import mark_of
from registry.audit.kinds import Kind
from registry.audit.ports import HeadRow
from registry.bootstrap import opened
from registry.storage.high_water import HighWaterFile
from registry.storage.metadata import metadata
from registry.transparency.leaf import COMMITMENT_BYTES, leaf_hash, parse_leaf
from registry.transparency.merkle import Edge
from registry.vault.generations import FIRST
from tests.fakes.postgres import PostgresServer

_TEMPLATES = 64
_PEOPLE_AT_ONCE = 20_000
_ENTRIES_AT_ONCE = 1_000_000
# Entries up to here are as long as a lookup's; those beyond are of the shortest kind, or 10^7 of them fill a disk.
_LONG_ENTRIES = 1_000_000
_OF_PERSON = ("subjects", "persons", "records", "record_versions", "marks")
_CACHE_KIB = 1 << 20


Row = Sequence[Any]


class Loader(Protocol):
    """A database, past everything that guards it."""

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        """Return rows."""
        ...

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Insert many rows in the table's column order."""
        ...

    def set_head(self, head: HeadRow) -> None:
        """Replace the ledger's head and make everything durable."""
        ...


class SqliteLoader:
    """SQLite without waiting for the disk."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for setting in (
            f"cache_size=-{_CACHE_KIB}",
            "synchronous=OFF",
            "foreign_keys=OFF",
            "wal_autocheckpoint=100000",
        ):
            self._connection.execute(f"PRAGMA {setting}")

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        """Return rows."""
        return self._connection.execute(statement).fetchall()

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Insert many rows."""
        places = ", ".join("?" for _ in metadata.tables[table].columns)
        self._connection.execute("BEGIN")
        self._connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
        self._connection.execute("COMMIT")

    def set_head(self, head: HeadRow) -> None:
        """Replace the head; bring the log into the database."""
        statement = "UPDATE ledger_head SET epoch=?, n=?, edge=?, root=?, checkpoint=?, last_ms=?"
        self._connection.execute(statement, _head_values(head))
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()


class PostgresLoader:
    """PostgreSQL as its administrator, without foreign keys and triggers."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        address = f"host={server.folder} user=postgres dbname={database}"
        self._connection = psycopg.connect(address, autocommit=True)
        self._connection.execute("SET session_replication_role = replica")

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        """Return rows."""
        return self._connection.execute(statement.encode()).fetchall()

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Copy many rows."""
        names = [column.name for column in metadata.tables[table].columns]
        statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
        types = self._types(table, names)
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def _types(self, table: str, names: Sequence[str]) -> list[str]:
        query = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
        types: dict[str, str] = dict(self._connection.execute(query, [table]).fetchall())
        return [types[name] for name in names]

    def set_head(self, head: HeadRow) -> None:
        """Replace the head; leave the tables as days of service would: analysed, and on disk."""
        statement = "UPDATE ledger_head SET epoch=%s, n=%s, edge=%s, root=%s, checkpoint=%s, last_ms=%s"
        self._connection.execute(statement, _head_values(head))
        self._connection.execute("VACUUM ANALYZE")
        self._connection.execute("CHECKPOINT")
        self._connection.close()


@dataclass(frozen=True, slots=True)
class _Template:
    """One real person's rows by table, and how many postings it has."""

    rows: dict[str, list[tuple[Any, ...]]]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What an entry of a kind looks like: length of its commitments and of its sealed opening."""

    kind: Kind
    commitments: int
    sealed: int


def loader_of(registry: Registry, server: PostgresServer | None) -> Loader:
    """Open the database of a registry that nothing serves now."""
    if server is None:
        return SqliteLoader(registry.settings.home / "registry.db")
    database = registry.settings.database_url.partition("@/")[2].partition("?")[0]
    return PostgresLoader(server, database)


def grow(registry: Registry, people: int, entries: int, server: PostgresServer | None = None) -> None:
    """Add people, one entry each, and then entries until there are so many.

    Args:
        registry: one with real people in it, that nothing serves now.
        people: how many to add.
        entries: how many the ledger is to have.
        server: where its database is, unless on SQLite.
    """
    loader = loader_of(registry, server)
    with opened(registry.settings) as application:
        log, verifier = application.kernel.log, application.signing
        with application.database.reader() as reader:
            head = reader.head()
    templates, per_person = _templates(loader)
    filling = _Filling(loader, head)
    for many in _parts(people, _PEOPLE_AT_ONCE):
        _load_people(loader, islice(cycle(templates), many))
        _load_postings(loader, "postings", many * per_person)
        filling.add(many, _shape(loader, Kind.ENROLL))
    for kind, until in ((Kind.DISCLOSE, min(entries, _LONG_ENTRIES)), (Kind.GRANT, entries)):
        for many in _parts(until - filling.edge.size, _ENTRIES_AT_ONCE):
            filling.add(many, _shape(loader, kind))
    new_head = log.sign_head(head.epoch, filling.edge, head.last_ms)
    loader.set_head(new_head)
    HighWaterFile(registry.settings.ledger).replace(mark_of(new_head, verifier))


class _Filling:
    """The ledger while entries are added."""

    def __init__(self, loader: Loader, head: HeadRow) -> None:
        self._loader = loader
        self._time = head.last_ms
        self.edge = Edge.from_bytes(head.size, head.edge)

    def add(self, many: int, shape: _Shape) -> None:
        """Add entries of one shape, a posting each."""
        start = b"alog/v1\n%d\n%s\n" % (self._time, shape.kind.value.encode())
        leaves = [start + b64encode(os.urandom(shape.commitments)) + b"\n" for _ in range(many)]
        parse_leaf(leaves[0])
        first = self.edge.size
        self._loader.load("ledger_leaf", enumerate(leaves, first))
        # In the order of their ids: the index over them is as deep, and is made without jumping about in it.
        events = sorted(os.urandom(16).hex() for _ in range(many))
        bodies = ((first + place, event, 1, os.urandom(shape.sealed), None) for place, event in enumerate(events))
        self._loader.load("ledger_body", bodies)
        _load_postings(self._loader, "ledger_postings", many)
        self.edge = self.edge.extend(leaf_hash(leaf) for leaf in leaves)


def _head_values(head: HeadRow) -> Row:
    return (head.epoch, head.size, head.edge, head.root, head.checkpoint, head.last_ms)


def _shape(loader: Loader, kind: Kind) -> _Shape:
    """Look at the newest real entry of a kind."""
    statement = "SELECT l.leaf, length(b.sealed) FROM ledger_leaf l JOIN ledger_body b ON b.i = l.i WHERE l.i < 60000"
    for leaf, sealed in loader.select(f"{statement} ORDER BY l.i DESC"):
        parsed = parse_leaf(bytes(leaf))
        if parsed.kind == kind:
            return _Shape(kind, len(parsed.commitments) * COMMITMENT_BYTES, sealed)
    raise ValueError(f"the registry has no entry of the kind {kind}")


def _templates(loader: Loader) -> tuple[list[_Template], int]:
    """Take some real people as patterns, and count the postings of one."""
    chosen = loader.select(f"SELECT id FROM subjects ORDER BY created_at LIMIT {_TEMPLATES}")
    templates = [_template(loader, subject) for (subject,) in chosen]
    ((people, postings),) = loader.select("SELECT (SELECT count(*) FROM subjects), (SELECT count(*) FROM postings)")
    return templates, postings // people


def _template(loader: Loader, subject: str) -> _Template:
    of_subject = f"(SELECT id FROM records WHERE subject = '{subject}')"
    wheres = (f"id = '{subject}'", *[f"subject = '{subject}'"] * 2, *[f"record IN {of_subject}"] * 2)
    rows = {}
    for table, where in zip(_OF_PERSON, wheres, strict=True):
        names = ", ".join(column.name for column in metadata.tables[table].columns)
        rows[table] = loader.select(f"SELECT {names} FROM {table} WHERE {where}")
    ids = tuple(row[0] for table in ("subjects", "persons", "records") for row in rows[table])
    return _Template(rows, ids)


def _load_people(loader: Loader, templates: Iterable[_Template]) -> None:
    gathered: dict[str, list[Row]] = {table: [] for table in _OF_PERSON}
    for template in templates:
        ids = {known: os.urandom(16).hex() for known in template.ids}
        for table, rows in template.rows.items():
            gathered[table] += [[_another(value, ids) for value in row] for row in rows]
    for table, made in gathered.items():
        loader.load(table, made)


def _another(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, bytes):
        return os.urandom(len(value))
    return ids.get(value, value) if isinstance(value, str) else value


def _load_postings(loader: Loader, table: str, many: int) -> None:
    rows = sorted(os.urandom(16) for _ in range(many))
    generation = (FIRST,) if table == "postings" else ()
    loader.load(table, ((label, os.urandom(32), *generation) for label in rows))


def _parts(total: int, most: int) -> Iterator[int]:
    for start in range(0, total, most):
        yield min(most, total - start)
