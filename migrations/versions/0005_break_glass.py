"""Cards opened in an emergency, and what reviews found of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# On record for ever, and reviewed once.
_KEPT = """NEW.id = OLD.id AND NEW.principal = OLD.principal AND NEW.subject_tag = OLD.subject_tag
                 AND NEW.categories = OLD.categories AND NEW.entry = OLD.entry AND NEW.created_at = OLD.created_at
                 AND NEW.until = OLD.until AND NEW.review_by = OLD.review_by AND OLD.finding = ''"""
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER break_glass_no_delete BEFORE DELETE ON break_glass
       BEGIN SELECT RAISE(ABORT, 'break_glass is append-only'); END""",
    f"""CREATE TRIGGER break_glass_reviewed_once BEFORE UPDATE ON break_glass
       WHEN NOT ({_KEPT})
       BEGIN SELECT RAISE(ABORT, 'break_glass is append-only'); END""",
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off), so it is met before.
    """CREATE TRIGGER break_glass_no_replace BEFORE INSERT ON break_glass
       WHEN EXISTS (SELECT 1 FROM break_glass WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'break_glass is append-only'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER break_glass_no_delete BEFORE DELETE OR TRUNCATE ON break_glass
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
    f"""CREATE TRIGGER break_glass_reviewed_once BEFORE UPDATE ON break_glass FOR EACH ROW
       WHEN (NOT ({_KEPT}))
       EXECUTE FUNCTION registry_refuse()""",
)


def upgrade() -> None:
    op.create_table(
        "break_glass",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("principal", sa.String(length=32), nullable=False),
        sa.Column("subject_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("review_by", sa.BigInteger(), nullable=False),
        sa.Column("finding", sa.String(length=16), nullable=False),
        sa.Column("reviewer", sa.String(length=32), nullable=True),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["principal"], ["principals.id"], name=op.f("fk_break_glass_principal")),
        sa.ForeignKeyConstraint(["reviewer"], ["principals.id"], name=op.f("fk_break_glass_reviewer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    with op.batch_alter_table("break_glass", schema=None) as batch_op:
        batch_op.create_index("ix_break_glass_principal_until", ["principal", "until"], unique=False)
        batch_op.create_index("ix_break_glass_finding_review_by", ["finding", "review_by"], unique=False)
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL_TRIGGERS if postgresql else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("break_glass")
