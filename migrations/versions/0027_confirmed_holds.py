"""Holds keep on whose word they were in force, and since when, also once they are ended: renewals are counted.

Of a hold that was ended before this revision nobody knows that any more here; it is not counted.
"""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_KEPT = """NEW.id = OLD.id AND NEW.principal = OLD.principal AND NEW.entry = OLD.entry
                 AND NEW.created_at = OLD.created_at AND NEW.until = OLD.until
                 AND (OLD.state = 'pending' OR (OLD.state = 'confirmed' AND NEW.state = 'ended'))"""
_SAME = {"sqlite": "IS", "postgresql": "IS NOT DISTINCT FROM"}


def upgrade() -> None:
    # Plain ADD COLUMN on both engines: a copied table would lose its triggers.
    op.execute(
        "ALTER TABLE holds ADD COLUMN confirmed_by VARCHAR(32) "
        "CONSTRAINT fk_holds_confirmed_by REFERENCES principals (id)"
    )
    op.execute("ALTER TABLE holds ADD COLUMN confirmed_at BIGINT")
    same = _SAME[op.get_bind().dialect.name]
    _settled_once(
        f"""{_KEPT}
                 AND (OLD.confirmed_at IS NULL OR (NEW.confirmed_by {same} OLD.confirmed_by
                                                   AND NEW.confirmed_at {same} OLD.confirmed_at))"""
    )


def downgrade() -> None:
    _settled_once(_KEPT)
    op.execute("ALTER TABLE holds DROP COLUMN confirmed_at")
    op.execute("ALTER TABLE holds DROP COLUMN confirmed_by")


def _settled_once(kept: str) -> None:
    """Put the trigger anew by which a hold is settled once."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER holds_settled_once ON holds")
        op.execute(
            f"""CREATE TRIGGER holds_settled_once BEFORE UPDATE ON holds FOR EACH ROW
                WHEN (NOT ({kept})) EXECUTE FUNCTION registry_refuse()"""
        )
        return
    op.execute("DROP TRIGGER holds_settled_once")
    op.execute(
        f"""CREATE TRIGGER holds_settled_once BEFORE UPDATE ON holds
            WHEN NOT ({kept})
            BEGIN SELECT RAISE(ABORT, 'holds is append-only'); END"""
    )
