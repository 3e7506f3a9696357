"""Provisions of somebody who is erased: emptied, and only an empty one may go."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_KEPT = """NEW.id = OLD.id AND NEW.subject = OLD.subject AND NEW.person = OLD.person
                 AND NEW.created_at = OLD.created_at AND OLD.state <> 'removed'"""


def upgrade() -> None:
    nothing = r"'\x'::bytea" if _on_postgresql() else "x''"
    emptied = f"NEW.names = {nothing} AND NEW.user_tag IS NULL AND NEW.outside_tag IS NULL"
    _replace(f"({_KEPT}) OR (NEW.state = 'erased' AND {emptied})", f"OLD.state = 'erased' AND OLD.names = {nothing}")


def downgrade() -> None:
    _replace(_KEPT, "")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _replace(allowed: str, goes: str) -> None:
    for statement in _of_postgresql(allowed, goes) if _on_postgresql() else _of_sqlite(allowed, goes):
        op.execute(statement)


def _of_sqlite(allowed: str, goes: str) -> tuple[str, ...]:
    refused = "BEGIN SELECT RAISE(ABORT, 'provisions is append-only'); END"
    when = f"WHEN NOT ({goes})" if goes else ""
    return (
        "DROP TRIGGER provisions_kept",
        "DROP TRIGGER provisions_no_delete",
        f"CREATE TRIGGER provisions_kept BEFORE UPDATE ON provisions WHEN NOT ({allowed}) {refused}",
        f"CREATE TRIGGER provisions_no_delete BEFORE DELETE ON provisions {when} {refused}",
    )


def _of_postgresql(allowed: str, goes: str) -> tuple[str, ...]:
    refused = "EXECUTE FUNCTION registry_refuse()"
    updates = (
        f"CREATE TRIGGER provisions_kept BEFORE UPDATE ON provisions FOR EACH ROW WHEN (NOT ({allowed})) {refused}"
    )
    dropped = ("DROP TRIGGER provisions_kept ON provisions", "DROP TRIGGER provisions_no_delete ON provisions")
    if not goes:
        deletes = "CREATE TRIGGER provisions_no_delete BEFORE DELETE OR TRUNCATE ON provisions FOR EACH STATEMENT"
        return (*dropped, "DROP TRIGGER provisions_no_truncate ON provisions", updates, f"{deletes} {refused}")
    return (
        *dropped,
        updates,
        f"CREATE TRIGGER provisions_no_delete BEFORE DELETE ON provisions FOR EACH ROW WHEN (NOT ({goes})) {refused}",
        f"CREATE TRIGGER provisions_no_truncate BEFORE TRUNCATE ON provisions FOR EACH STATEMENT {refused}",
    )
