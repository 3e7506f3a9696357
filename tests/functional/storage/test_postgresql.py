"""PostgreSQL as it must be: durable settings demanded and kept, failures named, nothing told of what was stored."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.bootstrap import Application, initialise, open_application
from registry.domain.errors import AuditUnavailable, Contended, MisconfiguredHome, StatementRefused
from registry.settings import DEVELOPMENT, load_settings
from registry.storage.engine import open_engine, open_read_only
from registry.storage.failures import cause_of, is_contention, named_failures
from registry.storage.migrate import current_revision, upgrade
from tests.fakes.postgres import PostgresServer, binaries
from tests.functional.storage.conftest import Place


@pytest.fixture
def engine(place: Place) -> Iterator[Engine]:
    opened = open_engine(place.url)
    yield opened
    opened.dispose()


def shown(engine: Engine, *names: str) -> dict[str, str]:
    with engine.connect() as connection:
        return {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in names}


def test_every_connection_has_the_settings_that_durability_needs(place: Place, engine: Engine) -> None:
    wanted = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "server_encoding": "UTF8"}
    limits = {"lock_timeout": "15s", "statement_timeout": "30s", "idle_in_transaction_session_timeout": "1min"}
    assert shown(engine, *wanted, *limits, "transaction_isolation") == {
        **wanted,
        **limits,
        "transaction_isolation": "read committed",
    }
    reading = open_read_only(place.url)
    assert shown(reading, "transaction_isolation", "transaction_read_only") == {
        "transaction_isolation": "repeatable read",
        "transaction_read_only": "on",
    }
    reading.dispose()


@pytest.fixture(scope="module")
def careless() -> Iterator[Callable[..., PostgresServer]]:
    """Start servers whose settings risk what was acknowledged."""
    programs = binaries()
    if programs is None:
        pytest.skip("NOT TESTED ON POSTGRESQL")
    started: list[PostgresServer] = []

    def start(**settings: str) -> PostgresServer:
        started.append(PostgresServer(programs, settings))
        started[-1].start()
        return started[-1]

    yield start
    for server in started:
        server.remove()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(
    careless: Callable[..., PostgresServer], setting: str, tmp_path: Path
) -> None:
    server = careless(**{setting: "off"})
    name = server.create_database()
    with pytest.raises(MisconfiguredHome, match=setting):
        initialise(load_settings(tmp_path / "home", {"REGISTRY_DATABASE_URL": server.url(name)}), DEVELOPMENT)
    with server.admin(name) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_role_that_does_not_wait_for_the_disk_is_refused(place: Place) -> None:
    with place.server.admin() as connection:
        connection.execute(f"ALTER DATABASE {place.database} SET synchronous_commit = off")
    with pytest.raises(MisconfiguredHome, match="synchronous_commit"):
        open_application(place.settings)


def test_a_later_change_does_not_reach_an_open_connection(place: Place, engine: Engine) -> None:
    with engine.connect() as connection:
        with place.server.admin() as admin:
            admin.execute("ALTER SYSTEM SET synchronous_commit = off")
            admin.execute("SELECT pg_reload_conf()")
        try:
            time.sleep(0.2)
            assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
        finally:
            with place.server.admin() as admin:
                admin.execute("ALTER SYSTEM RESET synchronous_commit")
                admin.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("address", ["postgresql+asyncpg://x/y", "postgresql+psycopg2://x/y", "postgres://x/y"])
def test_other_drivers_are_refused_without_repeating_the_address(address: str) -> None:
    with pytest.raises(MisconfiguredHome) as refused:
        open_engine(address.replace("//", "//somebody:hunter2@"))
    assert "hunter2" not in str(refused.value)


def test_the_short_address_means_the_same_driver(place: Place) -> None:
    assert current_revision(place.url.replace("postgresql+psycopg:", "postgresql:")) is not None


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (errors.DiskFull(), "disk_full"),
        (errors.ReadOnlySqlTransaction(), "read_only"),
        (errors.LockNotAvailable(), "locked"),
        (errors.QueryCanceled(), "timed_out"),
        (errors.AdminShutdown(), "connection_lost"),
        (errors.CrashShutdown(), "connection_lost"),
        (errors.CannotConnectNow(), "connection_lost"),
        (errors.ConnectionFailure(), "connection_lost"),
        (errors.ProtocolViolation(), "connection_lost"),
        (errors.IdleInTransactionSessionTimeout(), "connection_lost"),
        (psycopg.OperationalError(), "connection_lost"),
        (errors.ConnectionTimeout(), "connection_lost"),
        (errors.TooManyConnections(), "connections_exhausted"),
        (errors.InsufficientPrivilege(), "not_granted"),
        (errors.UndefinedTable(), "not_migrated"),
        (errors.UndefinedColumn(), "not_migrated"),
        (errors.IoError(), "storage_error"),
        (errors.DataCorrupted(), "storage_error"),
        (errors.InternalError_(), "storage_error"),
        (errors.OutOfMemory(), "storage_error"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_failures_are_named(error: psycopg.Error, cause: str) -> None:
    assert cause_of(error) == cause
    assert not is_contention(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.ForeignKeyViolation(),
        errors.NotNullViolation(),
        errors.CheckViolation(),
        errors.RaiseException(),
        errors.StringDataRightTruncation(),
        errors.NumericValueOutOfRange(),
        errors.SyntaxError(),
        psycopg.DataError(),
        psycopg.ProgrammingError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_faults_of_ours_are_not_blamed_on_the_disk(error: psycopg.Error) -> None:
    assert cause_of(error) is None
    assert not is_contention(error)


@pytest.mark.parametrize(
    "error", [errors.SerializationFailure(), errors.DeadlockDetected(), errors.UniqueViolation()], ids=repr
)
def test_what_lost_against_another_transaction_is_told_apart(error: psycopg.Error) -> None:
    assert is_contention(error)
    with pytest.raises(Contended), named_failures():
        raise DBAPIError("INSERT", {}, error)


def test_readers_cannot_write(place: Place) -> None:
    engine = open_read_only(place.url)
    with pytest.raises(AuditUnavailable) as refused, named_failures(), engine.connect() as connection:
        connection.execute(text("DELETE FROM postings"))
    assert refused.value.cause == "read_only"
    engine.dispose()


def test_a_lock_that_is_never_given_is_named(place: Place, engine: Engine) -> None:
    statement = text("SELECT n FROM ledger_head FOR UPDATE")
    with engine.begin() as holding, engine.connect() as waiting:
        holding.execute(statement)
        waiting.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(AuditUnavailable) as refused, named_failures():
            waiting.execute(statement)
    assert refused.value.cause == "locked"


def test_a_database_without_tables_is_named(postgres: PostgresServer) -> None:
    name = postgres.create_database()
    engine = open_engine(postgres.url(name))
    with pytest.raises(AuditUnavailable) as refused, named_failures(), engine.connect() as connection:
        connection.execute(text("SELECT * FROM ledger_head"))
    assert refused.value.cause == "not_migrated"
    engine.dispose()
    postgres.drop_database(name)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuditUnavailable) as refused:
        upgrade(f"postgresql+psycopg://registry@/none?host={tmp_path}")
    assert refused.value.cause == "connection_lost"


def test_no_failure_quotes_a_row(place: Place, engine: Engine) -> None:
    insert = text("INSERT INTO registry_meta VALUES (:name, 'Larkspur')")
    with engine.begin() as connection:
        connection.execute(insert, {"name": "Brightwater"})
    for name in ("Brightwater", "Brightwater" * 9, "Brightwater\0"):
        with pytest.raises((Contended, StatementRefused)) as refused, named_failures(), engine.begin() as connection:
            connection.execute(insert, {"name": name})
        assert "Bright" not in f"{refused.value} {refused.value!r}"
        assert refused.value.__suppress_context__


def test_a_restarted_server_is_found_again_by_the_next_ask(place: Place, engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    for backend in place.server.backends(place.database):
        with place.server.admin() as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [backend])
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_connection_cut_in_a_transaction_is_named_and_nothing_is_kept(place: Place) -> None:
    application = open_application(place.settings)
    with application.database.write() as work:
        work.meta.put("half", "done")
        cut(place)
        with pytest.raises(AuditUnavailable) as lost:
            work.commit()
    assert lost.value.cause == "connection_lost"
    assert not isinstance(lost.value, Contended)
    with application.database.read() as work:
        assert work.meta.get("half") is None
    application.close()


def cut(place: Place) -> None:
    with place.server.admin() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [place.database])
    while place.server.backends(place.database):
        time.sleep(0.01)


def test_two_deadlocked_transactions_end_with_one_that_lost(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO registry_meta VALUES ('a', ''), ('b', '')"))
    meeting = threading.Barrier(2)
    ended: list[str] = []

    def lock(first: str, second: str) -> None:
        statement = text("SELECT 1 FROM registry_meta WHERE name = :name FOR UPDATE")
        try:
            with named_failures(), engine.begin() as connection:
                connection.execute(statement, {"name": first})
                meeting.wait()
                connection.execute(statement, {"name": second})
            ended.append("done")
        except Contended:
            ended.append("lost")

    threads = [threading.Thread(target=lock, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["done", "lost"]


@pytest.fixture
def small_disk(place: Place, tmp_path: Path) -> Iterator[str]:
    """A database on a disk of its own with a few free megabytes."""
    folder = place.server.folder / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("not allowed to mount a small disk")
    place.server.own(folder)
    with place.server.admin() as admin:
        admin.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        admin.execute(f"CREATE DATABASE small TEMPLATE {place.database} OWNER registry TABLESPACE small")
    # Room to remove something again: on a disk that is full to the last byte, that fails as well.
    (folder / "ballast").write_bytes(bytes(4 << 20))
    yield place.server.url("small")
    place.server.drop_database("small")
    with place.server.admin() as admin:
        admin.execute("DROP TABLESPACE small")
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def test_a_full_disk_is_named_and_service_comes_back_with_room(place: Place, small_disk: str) -> None:
    application = open_application(load_settings(place.home, {"REGISTRY_DATABASE_URL": small_disk}))
    fill_up(place.server, "small")
    with pytest.raises(AuditUnavailable) as full:
        append(application, *["x" * 4_000] * 500)
    assert full.value.cause == "disk_full"
    (place.server.folder / "small" / "ballast").unlink()
    with place.server.admin("small") as admin:
        admin.execute("DROP TABLE filler")
    append(application)
    application.close()


def fill_up(server: PostgresServer, database: str) -> None:
    with server.admin(database) as admin:
        admin.execute("CREATE TABLE filler (line text)")
        for rows in (20_000, 2_000, 200, 20):
            with suppress(errors.DiskFull):
                while True:
                    admin.execute("INSERT INTO filler SELECT md5(i::text) FROM generate_series(1, %s) i", [rows])


def append(application: Application, *notes: str) -> None:
    for note in notes or [""]:
        with application.database.write() as work:
            pendings = application.kernel.log.append(work.ledger, [EntryDraft(Kind.SEARCH, {"note": note})])
            work.commit()
        application.kernel.mint(pendings)
