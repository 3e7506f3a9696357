"""Which policies are in force."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_in_force",
        sa.Column("k", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("k", name=op.f("pk_policy_in_force")),
    )


def downgrade() -> None:
    op.drop_table("policy_in_force")
