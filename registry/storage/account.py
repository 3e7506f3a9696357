"""As whom the program speaks to PostgreSQL, what that account could do beyond serving, and over what."""

from __future__ import annotations

from dataclasses import dataclass

from registry.storage.failures import named_failures
from registry.storage.roles import APPLICATION, GRANTS
from registry.storage.unit_of_work import SqlDatabase

_FACTS = """
SELECT current_user, r.rolsuper, r.rolcreaterole OR r.rolcreatedb,
  EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 'ledger_leaf' AND pg_has_role(current_user, tableowner, 'MEMBER')),
  inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1'
    OR coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),
  (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM pg_roles r WHERE r.rolname = current_user
"""
_POWERS = ("is a superuser", "may make roles or databases", "owns the tables, and so could drop the triggers")


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a connection has.

    Attributes:
        name: of the account.
        powers: what it could do beyond serving, in words.
        lacks: tables on which it lacks a right that serving needs.
        is_private: the connection is on this machine or encrypted.
        clock_ms: the server's time.
    """

    name: str
    powers: tuple[str, ...]
    lacks: tuple[str, ...]
    is_private: bool
    clock_ms: int


def account_of(database: SqlDatabase) -> Account | None:
    """Return the account that serves; None when the database has none, being a file.

    Raises:
        AuditUnavailable: the database does not answer.
    """
    if database.engine.dialect.name != "postgresql":
        return None
    with named_failures(), database.engine.connect() as connection:
        name, *has, is_private, clock_ms = connection.exec_driver_sql(_FACTS).one()
        lacks = tuple(
            table
            for table, rights in GRANTS[APPLICATION].items()
            for right in rights.split(", ")
            if not connection.exec_driver_sql(f"SELECT has_table_privilege('{table}', '{right}')").scalar_one()
        )
    powers = tuple(power for power, is_had in zip(_POWERS, has, strict=True) if is_had)
    return Account(name, powers, tuple(dict.fromkeys(lacks)), is_private, clock_ms)
