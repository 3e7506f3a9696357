"""Exchanges of the secret of marks: after which entry each is in force, and whether for earlier versions too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ledger_head", sa.Column("mark_generation", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "mark_generations",
        sa.Column("k", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("redraws", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("k", name=op.f("pk_mark_generations")),
    )


def downgrade() -> None:
    many = op.get_bind().execute(sa.text("SELECT count(*) FROM mark_generations")).scalar_one()
    if many:
        raise RuntimeError("the secret of marks was exchanged, and an earlier version cannot read what it drew since")
    op.drop_table("mark_generations")
    op.drop_column("ledger_head", "mark_generation")
