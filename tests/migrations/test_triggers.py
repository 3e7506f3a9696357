"""The database itself refuses to change what the ledger holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from registry.storage.engine import open_engine
from registry.storage.migrate import upgrade

EVENT = "0123456789abcdef0123456789abcdef"
REFUSED = {
    "ledger_leaf_no_update": "UPDATE ledger_leaf SET leaf = x'00' WHERE i = 0",
    "ledger_leaf_no_delete": "DELETE FROM ledger_leaf WHERE i = 0",
    "ledger_body_no_delete": "DELETE FROM ledger_body WHERE i = 0",
    "ledger_body_only_removal": "UPDATE ledger_body SET sealed = x'00' WHERE i = 0",
    "ledger_head_no_delete": "DELETE FROM ledger_head",
    "ledger_head_grows": "UPDATE ledger_head SET n = 1, root = zeroblob(32)",
    "ledger_leaf_no_replace": "INSERT OR REPLACE INTO ledger_leaf VALUES (0, x'00')",
    "ledger_body_no_replace": f"INSERT OR REPLACE INTO ledger_body VALUES (0, '{EVENT}', 1, x'00', NULL)",
    "ledger_head_no_replace": "INSERT OR REPLACE INTO ledger_head VALUES (1, 1, 0, x'', zeroblob(32), '', 10)",
}
ALSO_REFUSED = (
    "UPDATE ledger_leaf SET i = 7 WHERE i = 0",
    "UPDATE ledger_body SET sealed = NULL WHERE i = 0",  # a removal is dated
    "UPDATE ledger_body SET event = 'x', sealed = NULL, erased_at = 5 WHERE i = 0",
    "UPDATE ledger_body SET key_epoch = 2, sealed = NULL, erased_at = 5 WHERE i = 0",
    "UPDATE ledger_body SET sealed = x'00', erased_at = NULL WHERE i = 1",  # an opening never comes back
    "UPDATE ledger_head SET n = 0, last_ms = 20",
    "UPDATE ledger_head SET n = 3, last_ms = 9",
)
ALLOWED = (
    "UPDATE ledger_body SET sealed = NULL, erased_at = 5 WHERE i = 0",
    "UPDATE ledger_head SET n = 3, last_ms = 10",
    "INSERT INTO ledger_leaf VALUES (2, x'02')",
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    upgrade(url)
    engine = open_engine(url).execution_options(write=True)
    with engine.connect() as opened:
        for index in (0, 1):
            opened.exec_driver_sql("INSERT INTO ledger_leaf VALUES (?, x'01')", (index,))
            opened.exec_driver_sql(
                "INSERT INTO ledger_body (i, event, key_epoch, sealed) VALUES (?, ?, 1, ?)",
                (index, f"{EVENT[1:]}{index}", b"\x01" if index == 0 else None),
            )
        opened.exec_driver_sql("INSERT INTO ledger_head VALUES (1, 1, 2, x'', zeroblob(32), '', 10)")
        yield opened
    engine.dispose()


@pytest.mark.parametrize("statement", [*REFUSED.values(), *ALSO_REFUSED])
def test_a_change_is_refused(connection: Connection, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"append-only|only grows|only an opening"):
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("statement", ALLOWED)
def test_growth_and_the_removal_of_an_opening_are_allowed(connection: Connection, statement: str) -> None:
    assert connection.exec_driver_sql(statement).rowcount == 1


@pytest.mark.parametrize(("trigger", "statement"), REFUSED.items())
def test_it_is_the_trigger_that_refuses(connection: Connection, trigger: str, statement: str) -> None:
    connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
    assert connection.exec_driver_sql(statement).rowcount == 1


def test_no_trigger_is_without_a_test(connection: Connection) -> None:
    named = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars()
    assert set(named) == set(REFUSED)
