"""Revocations and units that the database itself keeps: they only grow, and go when nothing rests on them any more."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# As long as a revocation is kept, milliseconds (services/revoke.py). Whatever ended so long before the newest one was
# made may go: that needs no clock, of which a database has another one than the program.
_KEPT_MS = 87_000_000
# A revocation is only ever widened.
_WIDER = "NEW.label = OLD.label AND NEW.before >= OLD.before AND NEW.until >= OLD.until"
_ENDED = f"OLD.until < (SELECT max(until) FROM revocations) - {_KEPT_MS}"  # noqa: S608  # a number of ours
# What was removed stays removed, and no version is written twice.
_NEXT = """NEW.id = OLD.id AND NEW.created_at = OLD.created_at AND NEW.version = OLD.version + 1
                 AND OLD.name_tag IS NOT NULL"""


def _sqlite(name: str, when: str, table: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {when} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"


_SQLITE_TRIGGERS = (
    _sqlite("revocations_kept", f"DELETE ON revocations WHEN NOT ({_ENDED})", "revocations"),
    _sqlite("revocations_only_wider", f"UPDATE ON revocations WHEN NOT ({_WIDER})", "revocations"),
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off), so it is met before.
    _sqlite(
        "revocations_no_replace",
        "INSERT ON revocations WHEN EXISTS (SELECT 1 FROM revocations WHERE label = NEW.label)",
        "revocations",
    ),
    _sqlite("units_no_delete", "DELETE ON units", "units"),
    _sqlite("units_only_next", f"UPDATE ON units WHEN NOT ({_NEXT})", "units"),
    _sqlite(
        "units_no_replace",
        "INSERT ON units WHEN EXISTS (SELECT 1 FROM units WHERE id = NEW.id OR name_tag = NEW.name_tag)",
        "units",
    ),
)
_POSTGRESQL_TRIGGERS = (
    # The condition of a trigger may ask no other row, so a function does.
    f"""CREATE FUNCTION registry_keep_revocations() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF {_ENDED} THEN RETURN OLD; END IF;
          RAISE EXCEPTION 'revocations is append-only' USING ERRCODE = '23514';
        END $$""",
    """CREATE TRIGGER revocations_kept BEFORE DELETE ON revocations FOR EACH ROW
       EXECUTE FUNCTION registry_keep_revocations()""",
    f"""CREATE TRIGGER revocations_only_wider BEFORE UPDATE ON revocations FOR EACH ROW
        WHEN (NOT ({_WIDER})) EXECUTE FUNCTION registry_refuse()""",
    """CREATE TRIGGER revocations_no_truncate BEFORE TRUNCATE ON revocations FOR EACH STATEMENT
       EXECUTE FUNCTION registry_refuse()""",
    """CREATE TRIGGER units_no_delete BEFORE DELETE OR TRUNCATE ON units FOR EACH STATEMENT
       EXECUTE FUNCTION registry_refuse()""",
    f"""CREATE TRIGGER units_only_next BEFORE UPDATE ON units FOR EACH ROW
        WHEN (NOT ({_NEXT})) EXECUTE FUNCTION registry_refuse()""",
)
_NAMES = {
    "revocations": ("kept", "only_wider", "no_replace", "no_truncate"),
    "units": ("no_delete", "only_next", "no_replace"),
}


def upgrade() -> None:
    for statement in _POSTGRESQL_TRIGGERS if _on_postgresql() else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    for table, names in _NAMES.items():
        for name in names:
            of = f" ON {table}" if _on_postgresql() else ""
            op.execute(f"DROP TRIGGER IF EXISTS {table}_{name}{of}")
    if _on_postgresql():
        op.execute("DROP FUNCTION registry_keep_revocations()")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
