"""Subjects that an HR system provisions: its names for them, sealed, and what it says of their employment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0018"
branch_labels = None
depends_on = None

# Whose it is stays so for ever, and what was removed stays removed: a name that comes back is a row of its own.
_KEPT = """NEW.id = OLD.id AND NEW.subject = OLD.subject AND NEW.person = OLD.person
                 AND NEW.created_at = OLD.created_at AND OLD.state <> 'removed'"""
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER provisions_no_delete BEFORE DELETE ON provisions
       BEGIN SELECT RAISE(ABORT, 'provisions is append-only'); END""",
    f"""CREATE TRIGGER provisions_kept BEFORE UPDATE ON provisions
       WHEN NOT ({_KEPT})
       BEGIN SELECT RAISE(ABORT, 'provisions is append-only'); END""",
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off), so it is met before.
    """CREATE TRIGGER provisions_no_replace BEFORE INSERT ON provisions
       WHEN EXISTS (SELECT 1 FROM provisions WHERE id = NEW.id OR user_tag = NEW.user_tag)
       BEGIN SELECT RAISE(ABORT, 'provisions is append-only'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER provisions_no_delete BEFORE DELETE OR TRUNCATE ON provisions
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
    f"""CREATE TRIGGER provisions_kept BEFORE UPDATE ON provisions FOR EACH ROW
       WHEN (NOT ({_KEPT}))
       EXECUTE FUNCTION registry_refuse()""",
)


def upgrade() -> None:
    op.create_table(
        "provisions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("user_tag", sa.LargeBinary(length=16), nullable=True),
        sa.Column("outside_tag", sa.LargeBinary(length=16), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("names", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_provisions_subject")),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name=op.f("fk_provisions_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisions")),
        sa.UniqueConstraint("user_tag", name=op.f("uq_provisions_user_tag")),
    )
    with op.batch_alter_table("provisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provisions_subject"), ["subject"], unique=False)
        batch_op.create_index(batch_op.f("ix_provisions_outside_tag"), ["outside_tag"], unique=False)
        batch_op.create_index(batch_op.f("ix_provisions_created"), ["created_at", "id"], unique=False)
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL_TRIGGERS if postgresql else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("provisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_provisions_created"))
        batch_op.drop_index(batch_op.f("ix_provisions_outside_tag"))
        batch_op.drop_index(batch_op.f("ix_provisions_subject"))
    op.drop_table("provisions")
