"""Roles of PostgreSQL: what the server, its upkeep and its migrations may each do, and nothing more.

They are group roles that cannot log in; accounts are made members of them. Who serves can neither change an entry nor
drop the triggers that forbid it, because the tables are not theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from registry.domain.errors import MisconfiguredHome
from registry.storage.engine import open_engine
from registry.storage.failures import named_failures

APPLICATION = "registry_application"
RETENTION = "registry_retention"
ERASURE = "registry_erasure"
MIGRATION = "registry_migration"
_VERSION_TABLE = "alembic_version"
_REWRAP = "SELECT, UPDATE (key_id, wrapped_key)"
_REMOVE = "SELECT, UPDATE (sealed, erased_at)"
_ERASE = "SELECT, UPDATE, DELETE"
_TAKE = "SELECT, DELETE"
# Each table once; tests/functional/storage/test_roles.py finds one that is missing.
GRANTS: Mapping[str, Mapping[str, str]] = {
    APPLICATION: {
        "registry_meta": "SELECT",
        "subjects": "SELECT, INSERT, UPDATE",
        "former_directories": "SELECT, INSERT",
        "persons": "SELECT, INSERT",
        "records": "SELECT, INSERT, UPDATE",
        "record_versions": "SELECT, INSERT, UPDATE",
        "marks": "SELECT, INSERT",
        "postings": "SELECT, INSERT",
        "index_state": "SELECT, UPDATE",
        "index_generations": "SELECT",
        "index_terms": "SELECT",
        "index_tags": "SELECT",
        "mark_generations": "SELECT",
        "principals": "SELECT, INSERT, UPDATE",
        "idempotency": "SELECT, INSERT, DELETE",
        "traces": "SELECT, INSERT",
        "case_parts": "SELECT, INSERT",
        "tallies": "SELECT, INSERT, UPDATE, DELETE",
        "quota_unlocks": "SELECT, INSERT, UPDATE",
        "sample_reviews": "SELECT, INSERT, UPDATE",
        "policy_in_force": "SELECT, INSERT, UPDATE",
        "decoys": "SELECT, INSERT, DELETE",
        "requests": "SELECT, INSERT, UPDATE",
        "request_decisions": "SELECT, INSERT",
        "break_glass": "SELECT, INSERT, UPDATE",
        "outbox": "SELECT, INSERT, UPDATE, DELETE",
        "petitions": "SELECT, INSERT, UPDATE",
        "contacts": "SELECT, INSERT, UPDATE",
        "provisions": "SELECT, INSERT, UPDATE",
        "units": "SELECT, INSERT, UPDATE",
        "revocations": "SELECT, INSERT, UPDATE, DELETE",
        "used_names": "SELECT, INSERT, DELETE",
        "notice_marks": "SELECT, INSERT, UPDATE",
        "holds": "SELECT, INSERT, UPDATE",
        "ledger_leaf": "SELECT, INSERT",
        "ledger_body": "SELECT, INSERT",
        "ledger_head": "SELECT, UPDATE",
        "ledger_keys": "SELECT",
        "ledger_postings": "SELECT, INSERT",
        "erasures": "SELECT",
        _VERSION_TABLE: "SELECT",
    },
    # What is kept for a time only, and keys that are wrapped anew: a server that was broken into can destroy none.
    RETENTION: {
        "idempotency": "SELECT, DELETE",
        "persons": _REWRAP,
        "traces": _REWRAP,
        "petitions": _REWRAP,
        "contacts": _REWRAP,
        "ledger_keys": _REWRAP,
        "index_generations": _REWRAP,
        "mark_generations": f"{_REWRAP}, INSERT",
        "ledger_body": _REMOVE,
    },
    # Taking people out. Whoever does that appends its entry too, and so is a member of the first role beside this one.
    ERASURE: {
        "subjects": _ERASE,
        "former_directories": _TAKE,
        "persons": _TAKE,
        "records": _TAKE,
        "record_versions": _TAKE,
        "marks": _TAKE,
        "postings": _ERASE,
        # The index under another secret: the postings under the one before are removed.
        "index_state": "SELECT, INSERT, DELETE",
        "index_generations": "SELECT, INSERT, UPDATE, DELETE",
        "index_terms": "SELECT, INSERT, DELETE",
        "index_tags": "SELECT, INSERT, DELETE",
        "traces": _TAKE,
        "case_parts": _ERASE,
        "petitions": _ERASE,
        "contacts": _TAKE,
        "provisions": _ERASE,
        "ledger_body": _REMOVE,
        "ledger_postings": _TAKE,
        "erasures": "SELECT, INSERT",
    },
}
_ROLES = (*GRANTS, MIGRATION)


def set_up_roles(url: str) -> tuple[str, ...]:
    """Make the roles that are missing, and give each exactly its rights on the registry's tables.

    Args:
        url: address of the migrated database, as an account that owns it and may create roles.

    Returns:
        The names of the roles.

    Raises:
        MisconfiguredHome: the database is not PostgreSQL.
        AuditUnavailable: ``not_granted``: the account may not do this; nothing was changed.
    """
    engine = open_engine(url)
    try:
        if engine.dialect.name != "postgresql":
            raise MisconfiguredHome("only PostgreSQL has roles; SQLite's file is guarded by its owner and mode")
        with named_failures(), engine.begin() as connection:
            for statement in _statements(connection):
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
    return _ROLES


def _statements(connection: Connection) -> Iterator[str]:
    quote = connection.dialect.identifier_preparer.quote
    database = quote(str(connection.exec_driver_sql("SELECT current_database()").scalar_one()))
    present = set(connection.exec_driver_sql("SELECT rolname FROM pg_roles").scalars())
    for role in _ROLES:
        if role not in present:
            yield f"CREATE ROLE {role} NOLOGIN"
    yield f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"
    yield "REVOKE ALL ON SCHEMA public FROM PUBLIC"
    yield f"GRANT CONNECT ON DATABASE {database} TO {', '.join(_ROLES)}"
    yield f"GRANT USAGE ON SCHEMA public TO {', '.join(_ROLES)}"
    yield f"GRANT CREATE ON SCHEMA public TO {MIGRATION}"
    yield f"GRANT {MIGRATION} TO CURRENT_USER"
    for table in GRANTS[APPLICATION]:
        # From PUBLIC too, and before the owner changes: afterwards it is no longer ours to say.
        yield f"REVOKE ALL ON {table} FROM PUBLIC, {', '.join(GRANTS)}"
        yield f"ALTER TABLE {table} OWNER TO {MIGRATION}"
    yield f"ALTER FUNCTION registry_refuse() OWNER TO {MIGRATION}"
    yield f"ALTER FUNCTION registry_keep_tallies() OWNER TO {MIGRATION}"
    yield f"ALTER FUNCTION registry_keep_revocations() OWNER TO {MIGRATION}"
    yield f"ALTER FUNCTION registry_refuse_roles() OWNER TO {MIGRATION}"
    yield f"ALTER FUNCTION registry_refuse_person() OWNER TO {MIGRATION}"
    for role, grants in GRANTS.items():
        for table, rights in grants.items():
            yield f"GRANT {rights} ON {table} TO {role}"
