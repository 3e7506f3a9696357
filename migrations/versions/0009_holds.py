"""Holds on notices to subjects, and how far digests and reminders have come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# On record for ever. A hold is confirmed or refused once, and ended once; what is over stays over.
_KEPT = """NEW.id = OLD.id AND NEW.principal = OLD.principal AND NEW.entry = OLD.entry
                 AND NEW.created_at = OLD.created_at AND NEW.until = OLD.until
                 AND (OLD.state = 'pending' OR (OLD.state = 'confirmed' AND NEW.state = 'ended'))"""
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER holds_no_delete BEFORE DELETE ON holds
       BEGIN SELECT RAISE(ABORT, 'holds is append-only'); END""",
    f"""CREATE TRIGGER holds_settled_once BEFORE UPDATE ON holds
       WHEN NOT ({_KEPT})
       BEGIN SELECT RAISE(ABORT, 'holds is append-only'); END""",
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off), so it is met before.
    """CREATE TRIGGER holds_no_replace BEFORE INSERT ON holds
       WHEN EXISTS (SELECT 1 FROM holds WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'holds is append-only'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER holds_no_delete BEFORE DELETE OR TRUNCATE ON holds
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
    f"""CREATE TRIGGER holds_settled_once BEFORE UPDATE ON holds FOR EACH ROW
       WHEN (NOT ({_KEPT}))
       EXECUTE FUNCTION registry_refuse()""",
)


def upgrade() -> None:
    op.create_table(
        "notice_marks",
        sa.Column("name", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notice_marks")),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("principal", sa.String(length=32), nullable=False),
        sa.Column("entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("settled_by", sa.String(length=32), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["principal"], ["principals.id"], name=op.f("fk_holds_principal")),
        sa.ForeignKeyConstraint(["settled_by"], ["principals.id"], name=op.f("fk_holds_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holds_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_holds_state"), ["state", "until"], unique=False)
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL_TRIGGERS if postgresql else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_holds_state"))
        batch_op.drop_index(batch_op.f("ix_holds_created_at"))
    op.drop_table("holds")
    op.drop_table("notice_marks")
