"""By which version of the terms each generation of the blind index was made; none for one of before this was kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "index_terms",
        sa.Column("k", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("terms", sa.Integer(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("k", name=op.f("pk_index_terms")),
    )


def downgrade() -> None:
    made = op.get_bind().execute(sa.text("SELECT count(*) FROM index_generations WHERE state IN ('making', 'made')"))
    if made.scalar_one():
        raise RuntimeError("the blind index was made anew of the values, which an earlier version cannot read")
    op.drop_table("index_terms")
