"""What reviewers found of the lookups of a week's sample."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sample_reviews",
        sa.Column("entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("finding", sa.String(length=16), nullable=False),
        sa.Column("reviewer", sa.String(length=32), nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["reviewer"], ["principals.id"], name=op.f("fk_sample_reviews_reviewer")),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_sample_reviews")),
    )


def downgrade() -> None:
    op.drop_table("sample_reviews")
