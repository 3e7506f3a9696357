"""Requests that are used up: what was approved is done once."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KEPT = """NEW.id = OLD.id AND NEW.principal = OLD.principal AND NEW.ask_tag = OLD.ask_tag
                 AND NEW.entry = OLD.entry AND NEW.needs = OLD.needs AND NEW.needs_other_unit = OLD.needs_other_unit
                 AND NEW.created_at = OLD.created_at"""
_BEFORE = f"{_KEPT} AND OLD.state = 'pending'"
_SETTLED_ONCE = f"{_BEFORE} AND NEW.state IN ('approved', 'refused')"
_THEN_USED = f"{_KEPT} AND NEW.until = OLD.until AND OLD.state = 'approved' AND NEW.state = 'used'"


def upgrade() -> None:
    _replace(f"({_SETTLED_ONCE}) OR ({_THEN_USED})")


def downgrade() -> None:
    _replace(_BEFORE)


def _replace(allowed: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER requests_settled_once ON requests")
        op.execute(
            f"""CREATE TRIGGER requests_settled_once BEFORE UPDATE ON requests FOR EACH ROW
                WHEN (NOT ({allowed})) EXECUTE FUNCTION registry_refuse()"""
        )
        return
    op.execute("DROP TRIGGER requests_settled_once")
    op.execute(
        f"""CREATE TRIGGER requests_settled_once BEFORE UPDATE ON requests
            WHEN NOT ({allowed})
            BEGIN SELECT RAISE(ABORT, 'requests is append-only'); END"""
    )
