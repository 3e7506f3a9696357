"""Petitions: disputes, corrections, and where subjects want to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What somebody asked for stays as it was asked, and is answered once.
_ASKED = ("id", "kind", "principal", "created_at", "key_id", "wrapped_key", "about", "sealed_text")
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER petitions_no_delete BEFORE DELETE ON petitions
       BEGIN SELECT RAISE(ABORT, 'petitions is append-only'); END""",
    f"""CREATE TRIGGER petitions_answered_once BEFORE UPDATE ON petitions
       WHEN OLD.state <> 'open' OR NOT ({" AND ".join(f"NEW.{name} = OLD.{name}" for name in _ASKED)})
         OR NEW.sealed_value IS NOT OLD.sealed_value
       BEGIN SELECT RAISE(ABORT, 'petitions is append-only'); END""",
    """CREATE TRIGGER petitions_no_replace BEFORE INSERT ON petitions
       WHEN EXISTS (SELECT 1 FROM petitions WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'petitions is append-only'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER petitions_no_delete BEFORE DELETE OR TRUNCATE ON petitions
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
    f"""CREATE TRIGGER petitions_answered_once BEFORE UPDATE ON petitions FOR EACH ROW
       WHEN (OLD.state <> 'open' OR NOT ({" AND ".join(f"NEW.{name} = OLD.{name}" for name in _ASKED)})
         OR NEW.sealed_value IS DISTINCT FROM OLD.sealed_value)
       EXECUTE FUNCTION registry_refuse()""",
)


def upgrade() -> None:
    op.create_table(
        "petitions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("principal", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("answered_by", sa.String(length=32), nullable=True),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("about", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_value", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["answered_by"], ["principals.id"], name=op.f("fk_petitions_answered_by")),
        sa.ForeignKeyConstraint(["principal"], ["principals.id"], name=op.f("fk_petitions_principal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_petitions")),
    )
    with op.batch_alter_table("petitions", schema=None) as batch_op:
        batch_op.create_index("ix_petitions_kind_created", ["kind", "created_at"], unique=False)
    op.create_table(
        "contacts",
        sa.Column("label", sa.LargeBinary(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("about", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_contacts")),
        sqlite_with_rowid=False,
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL_TRIGGERS if postgresql else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("contacts")
    with op.batch_alter_table("petitions", schema=None) as batch_op:
        batch_op.drop_index("ix_petitions_kind_created")
    op.drop_table("petitions")
