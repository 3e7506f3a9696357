"""Brakes: counters, raised limits, decoys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A month of counts is kept, whoever asks: less would make a brake forget.
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER tallies_kept BEFORE DELETE ON tallies
       WHEN OLD.day >= (SELECT max(day) FROM tallies) - 31
       BEGIN SELECT RAISE(ABORT, 'tallies only grows for a month'); END""",
    """CREATE TRIGGER tallies_only_later BEFORE UPDATE ON tallies
       WHEN NOT (NEW.label = OLD.label AND NEW.day >= OLD.day)
       BEGIN SELECT RAISE(ABORT, 'tallies only grows'); END""",
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off), so it is met before.
    """CREATE TRIGGER tallies_no_replace BEFORE INSERT ON tallies
       WHEN EXISTS (SELECT 1 FROM tallies WHERE label = NEW.label)
       BEGIN SELECT RAISE(ABORT, 'tallies only grows'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION registry_keep_tallies() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF OLD.day >= (SELECT max(day) FROM tallies) - 31 THEN
           RAISE EXCEPTION 'tallies only grows for a month';
         END IF;
         RETURN OLD;
       END $$""",
    """CREATE TRIGGER tallies_kept BEFORE DELETE ON tallies
       FOR EACH ROW EXECUTE FUNCTION registry_keep_tallies()""",
    """CREATE TRIGGER tallies_only_later BEFORE UPDATE ON tallies FOR EACH ROW
       WHEN (NOT (NEW.label = OLD.label AND NEW.day >= OLD.day))
       EXECUTE FUNCTION registry_refuse()""",
)


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("label", sa.LargeBinary(length=16), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("tags", sa.LargeBinary(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_tallies")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tallies_day"), ["day"], unique=False)
    op.create_table(
        "quota_unlocks",
        sa.Column("principal", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("granted_by", sa.String(length=32), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["granted_by"], ["principals.id"], name=op.f("fk_quota_unlocks_granted_by")),
        sa.ForeignKeyConstraint(["principal"], ["principals.id"], name=op.f("fk_quota_unlocks_principal")),
        sa.PrimaryKeyConstraint("principal", "purpose", name=op.f("pk_quota_unlocks")),
    )
    op.create_table(
        "decoys",
        sa.Column("label", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_decoys")),
        sqlite_with_rowid=False,
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL_TRIGGERS if postgresql else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("decoys")
    op.drop_table("quota_unlocks")
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tallies_day"))
    op.drop_table("tallies")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION registry_keep_tallies()")
