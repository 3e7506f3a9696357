"""Erasures: which entries they are, names that were replaced, and petitions that may go once they are empty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KEPT = ("id", "kind", "principal", "created_at", "about", "sealed_text")
_OPTIONAL = ("answered_by", "sealed_value", "sealed_note")
_KEY = ("key_id", "wrapped_key")
_EMPTIED = ("wrapped_key", "about", "sealed_text")
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER erasures_no_update BEFORE UPDATE ON erasures
       BEGIN SELECT RAISE(ABORT, 'erasures is append-only'); END""",
    """CREATE TRIGGER erasures_no_delete BEFORE DELETE ON erasures
       BEGIN SELECT RAISE(ABORT, 'erasures is append-only'); END""",
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off), so it is met before.
    """CREATE TRIGGER erasures_no_replace BEFORE INSERT ON erasures
       WHEN EXISTS (SELECT 1 FROM erasures WHERE entry = NEW.entry)
       BEGIN SELECT RAISE(ABORT, 'erasures is append-only'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER erasures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON erasures
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
)


def upgrade() -> None:
    op.create_table(
        "former_directories",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_former_directories_subject")),
        sa.PrimaryKeyConstraint("subject", "version", name=op.f("pk_former_directories")),
    )
    op.create_table(
        "erasures",
        sa.Column("entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_erasures")),
    )
    for statement in _POSTGRESQL_TRIGGERS if _on_postgresql() else _SQLITE_TRIGGERS:
        op.execute(statement)
    _replace(erasing=True)


def downgrade() -> None:
    _replace(erasing=False)
    op.drop_table("erasures")
    op.drop_table("former_directories")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _replace(*, erasing: bool) -> None:
    """Let a petition be emptied, and only an empty one be deleted."""
    same = "IS NOT DISTINCT FROM" if _on_postgresql() else "IS"
    nothing = r"'\x'::bytea" if _on_postgresql() else "x''"
    kept = " AND ".join(f"NEW.{name} = OLD.{name}" for name in _KEPT)
    key = " AND ".join(f"NEW.{name} = OLD.{name}" for name in _KEY)
    answer = f"(OLD.state = 'open' AND {kept} AND {key} AND NEW.sealed_value {same} OLD.sealed_value)"
    whole = " AND ".join(f"NEW.{name} {same} OLD.{name}" for name in (*_OPTIONAL, "state", "guard"))
    empty = " AND ".join(f"NEW.{name} = {nothing}" for name in _EMPTIED)
    emptied = f"(NEW.state = 'erased' AND {empty} AND NEW.sealed_value IS NULL AND NEW.sealed_note IS NULL)"
    allowed = f"{answer} OR ({kept} AND {whole})" + (f" OR {emptied}" if erasing else "")
    goes = f"OLD.state = 'erased' AND OLD.sealed_text = {nothing}" if erasing else ""
    for statement in _of_postgresql(allowed, goes) if _on_postgresql() else _of_sqlite(allowed, goes):
        op.execute(statement)


def _of_sqlite(allowed: str, goes: str) -> tuple[str, ...]:
    refused = "BEGIN SELECT RAISE(ABORT, 'petitions is append-only'); END"
    when = f"WHEN NOT ({goes})" if goes else ""
    return (
        "DROP TRIGGER petitions_answered_once",
        "DROP TRIGGER petitions_no_delete",
        f"CREATE TRIGGER petitions_answered_once BEFORE UPDATE ON petitions WHEN NOT ({allowed}) {refused}",
        f"CREATE TRIGGER petitions_no_delete BEFORE DELETE ON petitions {when} {refused}",
    )


def _of_postgresql(allowed: str, goes: str) -> tuple[str, ...]:
    refused = "EXECUTE FUNCTION registry_refuse()"
    dropped = tuple(f"DROP TRIGGER {name} ON petitions" for name in ("petitions_answered_once", "petitions_no_delete"))
    updates = f"""CREATE TRIGGER petitions_answered_once BEFORE UPDATE ON petitions FOR EACH ROW
                  WHEN (NOT ({allowed})) {refused}"""
    if not goes:
        deletes = "CREATE TRIGGER petitions_no_delete BEFORE DELETE OR TRUNCATE ON petitions FOR EACH STATEMENT"
        return (*dropped, updates, f"{deletes} {refused}")
    return (
        *dropped,
        "DROP TRIGGER IF EXISTS petitions_no_truncate ON petitions",
        updates,
        f"CREATE TRIGGER petitions_no_delete BEFORE DELETE ON petitions FOR EACH ROW WHEN (NOT ({goes})) {refused}",
        f"CREATE TRIGGER petitions_no_truncate BEFORE TRUNCATE ON petitions FOR EACH STATEMENT {refused}",
    )
