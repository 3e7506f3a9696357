"""Every revision goes up and down with rows in every table; the newest one is what the code's tables say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Integer, LargeBinary, MetaData, Table, insert, inspect, select
from sqlalchemy.types import TypeEngine

from registry.domain.errors import MisconfiguredHome
from registry.storage.engine import open_engine
from registry.storage.migrate import current_revision, downgrade, migrations_folder, newest_revision, upgrade
from registry.storage.tables import metadata

SCRIPTS = ScriptDirectory(str(migrations_folder()))
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]
BASE = "base"
LEFT_BEHIND = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}


@contextmanager
def open_for_writing(url: str) -> Iterator[Connection]:
    engine = open_engine(url).execution_options(write=True)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def reflected(connection: Connection) -> list[Table]:
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def made_up(kind: TypeEngine[object]) -> object:
    if isinstance(kind, LargeBinary):
        return b"\x01" * 32
    if isinstance(kind, Integer):
        return 1
    return "0123456789abcdef0123456789abcdef"[: getattr(kind, "length", None)]


def fill(url: str) -> dict[str, int]:
    """Put one made-up row into each table and return the rows of each."""
    with open_for_writing(url) as connection:
        tables = reflected(connection)
        for table in tables:
            connection.execute(insert(table).values({column.name: made_up(column.type) for column in table.columns}))
    return count(url)


def count(url: str) -> dict[str, int]:
    with open_for_writing(url) as connection:
        return {table.name: len(connection.execute(select(table)).all()) for table in reflected(connection)}


def test_revisions_are_one_line() -> None:
    assert len(SCRIPTS.get_heads()) == 1
    assert len(SCRIPTS.get_bases()) == 1
    assert REVISIONS[-1] == newest_revision()
    assert len(REVISIONS) == len(list((migrations_folder() / "versions").glob("*.py")))


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_revision_goes_up_and_down_with_data(url: str, revision: str) -> None:
    before = REVISIONS[REVISIONS.index(revision) - 1] if revision != REVISIONS[0] else BASE
    if before != BASE:
        upgrade(url, before)
        fill(url)
    upgrade(url, revision)
    assert current_revision(url) == revision
    rows = count(url) if before != BASE else fill(url)
    assert rows
    assert set(rows.values()) <= {0, 1}
    downgrade(url, before)
    assert current_revision(url) == (None if before == BASE else before)
    upgrade(url, revision)
    assert set(count(url)) == set(rows)


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_written_at_any_revision_reach_the_newest(url: str, revision: str) -> None:
    upgrade(url, revision)
    written = fill(url)
    upgrade(url)
    kept = count(url)
    assert {name: kept[name] for name in written if name in kept} == {
        name: rows for name, rows in written.items() if name in kept
    }


def test_down_to_nothing_leaves_nothing(url: str) -> None:
    upgrade(url)
    fill(url)
    # What was drawn under a later secret no earlier version can read: the way down refuses, and takes nothing away.
    with pytest.raises(RuntimeError, match="the secret of marks was exchanged"):
        downgrade(url, BASE)
    with open_for_writing(url) as connection:
        connection.exec_driver_sql("DELETE FROM mark_generations")
    downgrade(url, BASE)
    with open_for_writing(url) as connection:
        assert reflected(connection) == []
        assert inspect(connection).get_view_names() == []
        assert connection.exec_driver_sql(LEFT_BEHIND[connection.dialect.name]).all() == []


def test_an_index_that_was_made_of_the_values_does_not_go_down(url: str) -> None:
    upgrade(url)
    with open_for_writing(url) as connection:
        connection.exec_driver_sql(
            "INSERT INTO index_generations (k, state, cursor, key_id, wrapped_key, guard)"
            " VALUES (2, 'made', '', 'bodies-1', 'x', 'x')"
            if connection.dialect.name == "sqlite"
            else "INSERT INTO index_generations (k, state, cursor, key_id, wrapped_key, guard)"
            " VALUES (2, 'made', '', 'bodies-1', '\\x00', '\\x00')"
        )
    with pytest.raises(RuntimeError, match="made anew of the values"):
        downgrade(url, "0034")
    assert current_revision(url) == REVISIONS[-1]


@pytest.mark.parametrize(
    ("table", "column"), [("subjects", "content_generation"), ("record_versions", "tag_generation")]
)
def test_tags_under_a_later_secret_do_not_go_down(url: str, table: str, column: str) -> None:
    upgrade(url, "0036")
    fill(url)
    with open_for_writing(url) as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {column} = 2")
    with pytest.raises(RuntimeError, match="later secret of the index"):
        downgrade(url, "0035")
    assert current_revision(url) == "0036"
    with open_for_writing(url) as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {column} = 1")
    downgrade(url, "0035")
    assert count(url)[table] == 1


def test_tags_that_were_there_are_under_the_first_secret(url: str) -> None:
    upgrade(url, "0035")
    fill(url)
    upgrade(url, "0036")
    with open_for_writing(url) as connection:
        found = [
            connection.exec_driver_sql("SELECT content_generation FROM subjects").scalars().all(),
            connection.exec_driver_sql("SELECT tag_generation FROM record_versions").scalars().all(),
        ]
    assert found == [[1], [1]]


def test_the_newest_revision_is_what_the_tables_say(url: str) -> None:
    upgrade(url)
    with open_for_writing(url) as connection:
        assert differences(connection) == []


def test_a_difference_is_found(url: str) -> None:
    upgrade(url)
    with open_for_writing(url) as connection:
        connection.exec_driver_sql("ALTER TABLE subjects ADD COLUMN forgotten INTEGER")
        connection.exec_driver_sql("DROP TABLE idempotency")
        assert len(differences(connection)) >= 2


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def test_upgrading_twice_changes_nothing(url: str) -> None:
    upgrade(url)
    rows = fill(url)
    upgrade(url)
    assert count(url) == rows


@pytest.mark.parametrize("path", sorted((migrations_folder() / "versions").glob("*.py")), ids=lambda path: path.stem)
def test_a_migration_is_a_snapshot_that_imports_nothing_of_ours(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name for name in imported if name.split(".")[0] == "registry"} == set()


def test_another_engine_is_refused() -> None:
    with pytest.raises(MisconfiguredHome):
        upgrade("mysql://127.0.0.1/x")
