"""Generations of the blind index: under which secret a posting stands, and how far a change of secrets has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("postings", sa.Column("generation", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "index_generations",
        sa.Column("k", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("cursor", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("k", name=op.f("pk_index_generations")),
    )


def downgrade() -> None:
    later = op.get_bind().execute(sa.text("SELECT count(*) FROM index_generations WHERE k > 1")).scalar_one()
    if later:
        raise RuntimeError("the blind index stands under a later secret, which an earlier version cannot read")
    op.drop_table("index_generations")
    op.drop_column("postings", "generation")
