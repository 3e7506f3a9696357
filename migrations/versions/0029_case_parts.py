"""What is added to a trace later: notes, replies, and how its case stands; each sealed, none changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_parts",
        sa.Column("trace", sa.String(length=32), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["trace"], ["traces.id"], name=op.f("fk_case_parts_trace_traces")),
        sa.PrimaryKeyConstraint("trace", "part", name=op.f("pk_case_parts")),
    )


def downgrade() -> None:
    op.drop_table("case_parts")
