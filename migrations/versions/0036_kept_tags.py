"""Under which generation of the blind index the tags of values and of documents stand; all so far under the first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subjects", sa.Column("content_generation", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("record_versions", sa.Column("tag_generation", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "index_tags",
        sa.Column("k", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("k", name=op.f("pk_index_tags")),
    )


def downgrade() -> None:
    for table, column in (("subjects", "content_generation"), ("record_versions", "tag_generation")):
        later = sa.select(sa.literal(1)).select_from(sa.table(table)).where(sa.column(column) > 1).limit(1)
        if op.get_bind().execute(later).first() is not None:
            raise RuntimeError(
                "keyed tags stand under a later secret of the index, which an earlier version cannot read"
            )
    op.drop_table("index_tags")
    op.drop_column("record_versions", "tag_generation")
    op.drop_column("subjects", "content_generation")
