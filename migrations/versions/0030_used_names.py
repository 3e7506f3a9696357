"""Names of tokens and proofs that were good once and are used: under keyed labels, until none can be as old."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_names",
        sa.Column("label", sa.LargeBinary(length=16), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_used_names")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("used_names", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_used_names_until"), ["until"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("used_names", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_used_names_until"))
    op.drop_table("used_names")
