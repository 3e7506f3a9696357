"""PostgreSQL's roles: who serves can do what serving needs (the services' tests run so) and cannot touch the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import psycopg
import pytest
from psycopg import errors

from registry.bootstrap import grant_database_roles, initialise, open_application
from registry.domain.errors import AuditUnavailable, MisconfiguredHome
from registry.settings import DEVELOPMENT, Settings, load_settings
from registry.storage.engine import open_engine
from registry.storage.migrate import current_revision, downgrade, newest_revision, upgrade
from registry.storage.roles import APPLICATION, ERASURE, GRANTS, MIGRATION, RETENTION, set_up_roles
from registry.storage.tables import metadata
from tests.fakes.postgres import ADMINISTRATOR
from tests.functional.storage.conftest import Place

SERVES, KEEPS, ERASES, MIGRATES = "registry_server", "registry_keeper", "registry_eraser_alone", "registry_migrator"


@pytest.fixture
def parted(place: Place) -> Place:
    """A registry whose database has its roles, and an account for each."""
    assert grant_database_roles(as_account(place, ADMINISTRATOR)) == (APPLICATION, RETENTION, ERASURE, MIGRATION)
    for account, role in ((SERVES, APPLICATION), (KEEPS, RETENTION), (MIGRATES, MIGRATION)):
        place.server.create_login(account, role)
    return place


def as_account(place: Place, account: str) -> Settings:
    return load_settings(place.home, {"REGISTRY_DATABASE_URL": place.server.url(place.database, account)})


def connected(place: Place, account: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(f"host={place.server.folder} user={account} dbname={place.database}", autocommit=True)


@pytest.fixture
def serving(parted: Place) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with connected(parted, SERVES) as connection:
        yield connection


def test_every_table_has_its_grants() -> None:
    assert set(GRANTS[APPLICATION]) == {*metadata.tables, "alembic_version"}
    assert set(GRANTS[RETENTION]) | set(GRANTS[ERASURE]) <= set(metadata.tables)


NOT_FOR_SERVING = [
    "UPDATE ledger_leaf SET leaf = ''",
    "DELETE FROM ledger_leaf",
    "TRUNCATE ledger_leaf",
    "UPDATE ledger_body SET sealed = NULL, erased_at = 1",
    "DELETE FROM ledger_body",
    "INSERT INTO ledger_head SELECT 2, epoch, n, edge, root, checkpoint, last_ms FROM ledger_head",
    "DELETE FROM ledger_head",
    "DELETE FROM ledger_postings",
    "UPDATE ledger_postings SET value = ''",
    "UPDATE ledger_keys SET key_id = ''",
    "UPDATE persons SET wrapped_key = ''",
    "UPDATE traces SET wrapped_key = ''",
    "UPDATE registry_meta SET value = ''",
    "DELETE FROM principals",
    "DELETE FROM subjects",
    "DELETE FROM record_versions",
    "DELETE FROM persons",
    "UPDATE postings SET value = ''",
    "DELETE FROM traces",
    "INSERT INTO erasures VALUES (0, 0, '')",
    "UPDATE alembic_version SET version_num = '0'",
    "DROP TRIGGER ledger_leaf_append_only ON ledger_leaf",
    "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL",
    "CREATE OR REPLACE FUNCTION registry_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "DROP TABLE postings",
    "CREATE TABLE beside (i int)",
    "CREATE TEMP TABLE ledger_leaf (i int)",
    "SELECT i FROM ledger_leaf FOR UPDATE",
    "INSERT INTO registry_meta VALUES ('profile', 'development')",
    "INSERT INTO ledger_keys SELECT 2, key_id, wrapped_key FROM ledger_keys",
    "DELETE FROM records",
    "DELETE FROM marks",
    "UPDATE idempotency SET outcome = ''",
    "TRUNCATE idempotency",
    "DELETE FROM traces",
    "UPDATE marks SET tier = 'none'",
    "ALTER TABLE ledger_leaf OWNER TO registry_server",
    "COPY ledger_leaf TO PROGRAM 'cat'",
    "CREATE ROLE beside",
    "CREATE DATABASE beside",
    "CREATE SCHEMA beside",
    f"SET ROLE {RETENTION}",
    "SET session_replication_role = replica",
    f"SET ROLE {MIGRATION}",
]


def allowed(connection: psycopg.Connection[tuple[object, ...]], statements: Sequence[str]) -> list[str]:
    """Return those statements that this account was let do."""
    done = []
    for statement in statements:
        with suppress(errors.InsufficientPrivilege):
            connection.execute(statement)
            done.append(statement)
    return done


def test_who_serves_cannot(serving: psycopg.Connection[tuple[object, ...]]) -> None:
    assert allowed(serving, NOT_FOR_SERVING) == []


def test_who_serves_opens_the_registry_and_may_not_migrate_it(parted: Place) -> None:
    settings = as_account(parted, SERVES)
    open_application(settings).close()
    assert initialise(settings, DEVELOPMENT) is False  # a second run changes nothing
    with pytest.raises(AuditUnavailable) as refused:
        downgrade(settings.database_url, "base")
    assert refused.value.cause == "not_granted"


def test_who_migrates_can_go_down_and_up(parted: Place) -> None:
    url = as_account(parted, MIGRATES).database_url
    downgrade(url, "base")
    upgrade(url)
    set_up_roles(parted.server.url(parted.database, ADMINISTRATOR))
    assert current_revision(url) == newest_revision()


NOT_FOR_KEEPING = [
    "DELETE FROM ledger_body",
    "UPDATE ledger_body SET event = ''",
    "UPDATE ledger_body SET key_epoch = 2",
    "UPDATE idempotency SET outcome = ''",
    "INSERT INTO idempotency SELECT * FROM idempotency",
    "TRUNCATE idempotency",
    "CREATE TABLE beside (i int)",
    f"SET ROLE {APPLICATION}",
    f"SET ROLE {MIGRATION}",
]


def test_who_keeps_order_sees_and_removes_old_keys_of_writes_only(parted: Place) -> None:
    with connected(parted, KEEPS) as connection:
        connection.execute("DELETE FROM idempotency WHERE created_at < 5")
        rewrapped = set(GRANTS[RETENTION]) - {"idempotency", "ledger_body"}
        others = set(metadata.tables) - {"idempotency"}
        first = ("DELETE FROM", "TRUNCATE", "DROP TABLE")
        assert allowed(connection, [f"{words} {table}" for table in others for words in first]) == []
        assert allowed(connection, [f"SELECT 1 FROM {table}" for table in others - set(GRANTS[RETENTION])]) == []
        for table in rewrapped:
            connection.execute(f"UPDATE {table} SET key_id = key_id, wrapped_key = wrapped_key")
            beside = [
                column.name for column in metadata.tables[table].c if column.name not in ("key_id", "wrapped_key")
            ]
            assert allowed(connection, [f"UPDATE {table} SET {name} = {name}" for name in beside]) == []
        assert allowed(connection, NOT_FOR_KEEPING) == []


NOT_FOR_ERASING = [
    "UPDATE ledger_leaf SET leaf = ''",
    "DELETE FROM ledger_leaf",
    "DELETE FROM ledger_body",
    "UPDATE ledger_body SET event = ''",
    "UPDATE ledger_body SET key_epoch = 2",
    "UPDATE ledger_head SET n = 0",
    "UPDATE erasures SET erased_at = 0",
    "DELETE FROM erasures",
    "UPDATE principals SET roles = ''",
    "DELETE FROM requests",
    "DELETE FROM holds",
    "UPDATE marks SET tier = 'none'",
    "UPDATE records SET tier = 'none'",
    f"SET ROLE {APPLICATION}",
]


def test_who_erases_rewrites_no_history(parted: Place) -> None:
    parted.server.create_login(ERASES, ERASURE)
    with connected(parted, ERASES) as connection:
        assert allowed(connection, NOT_FOR_ERASING) == []
        connection.execute("DELETE FROM persons")
        with pytest.raises(errors.RaiseException):
            connection.execute("UPDATE ledger_body SET sealed = ''")


NOT_FOR_MIGRATING = [
    "SET session_replication_role = replica",  # would switch every trigger off unseen
    "ALTER SYSTEM SET fsync = off",
    "SELECT pg_reload_conf()",
    "SELECT pg_read_file('postgresql.conf')",
    "COPY ledger_leaf TO PROGRAM 'cat'",
    "COPY ledger_leaf TO '/tmp/leaves'",
    "CREATE ROLE beside",
    "CREATE DATABASE beside",
    "CREATE EXTENSION file_fdw",
    f"GRANT {APPLICATION} TO {KEEPS}",
    "SELECT * FROM pg_authid",
]


def test_who_migrates_is_master_of_the_tables_and_of_nothing_else(parted: Place) -> None:
    with connected(parted, MIGRATES) as connection:
        assert allowed(connection, NOT_FOR_MIGRATING) == []


def test_even_who_migrates_meets_the_triggers(parted: Place) -> None:
    """Whoever owns the tables can take the triggers away, and that is then seen; nobody passes them by mistake."""
    with connected(parted, MIGRATES) as connection:
        for statement in (
            "UPDATE ledger_leaf SET leaf = ''",
            "DELETE FROM ledger_leaf",
            "TRUNCATE ledger_leaf CASCADE",
        ):
            with pytest.raises(errors.RaiseException):
                connection.execute(statement)


def test_strangers_on_the_same_server_do_not_get_in(parted: Place) -> None:
    with parted.server.admin() as admin:
        admin.execute("CREATE ROLE stranger LOGIN")
    try:
        engine = open_engine(parted.server.url(parted.database, "stranger"))
        with pytest.raises(Exception, match="permission denied for database"):
            engine.connect()
        engine.dispose()
    finally:
        with parted.server.admin() as admin:
            admin.execute("DROP ROLE stranger")


def test_a_second_run_takes_back_what_was_given_too_much(parted: Place) -> None:
    with parted.server.admin(parted.database) as admin:
        admin.execute(f"GRANT ALL ON ledger_leaf TO {APPLICATION}, PUBLIC")
    grant_database_roles(as_account(parted, ADMINISTRATOR))
    with parted.server.admin(parted.database) as admin:
        query = "SELECT has_table_privilege(%s, 'ledger_leaf', 'DELETE')"
        assert admin.execute(query, [SERVES]).fetchone() == (False,)


def test_an_account_without_the_right_changes_nothing(place: Place) -> None:
    place.server.create_login("nobody_special", "pg_monitor")
    with pytest.raises(AuditUnavailable) as refused:
        set_up_roles(place.server.url(place.database, "nobody_special"))
    assert refused.value.cause == "not_granted"


def test_sqlite_has_no_roles(place: Place) -> None:
    with pytest.raises(MisconfiguredHome):
        set_up_roles(f"sqlite:///{place.home / 'x.db'}")
