"""Petitions whose key is wrapped anew: what was asked and answered stays as it is."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEPT = ("id", "kind", "principal", "created_at", "about", "sealed_text")
_OPTIONAL = ("answered_by", "sealed_value", "sealed_note")
_KEY = ("key_id", "wrapped_key")


def upgrade() -> None:
    _replace(rewrapping=True)


def downgrade() -> None:
    _replace(rewrapping=False)


def _replace(*, rewrapping: bool) -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    same = "IS NOT DISTINCT FROM" if postgresql else "IS"
    kept = " AND ".join(f"NEW.{name} = OLD.{name}" for name in _KEPT)
    key = " AND ".join(f"NEW.{name} = OLD.{name}" for name in _KEY)
    answer = f"(OLD.state = 'open' AND {kept} AND {key} AND NEW.sealed_value {same} OLD.sealed_value)"
    whole = " AND ".join(f"NEW.{name} {same} OLD.{name}" for name in (*_OPTIONAL, "state", "guard"))
    allowed = f"{answer} OR ({kept} AND {whole})" if rewrapping else answer
    if postgresql:
        op.execute("DROP TRIGGER petitions_answered_once ON petitions")
        op.execute(
            f"""CREATE TRIGGER petitions_answered_once BEFORE UPDATE ON petitions FOR EACH ROW
                WHEN (NOT ({allowed})) EXECUTE FUNCTION registry_refuse()"""
        )
        return
    op.execute("DROP TRIGGER petitions_answered_once")
    op.execute(
        f"""CREATE TRIGGER petitions_answered_once BEFORE UPDATE ON petitions
            WHEN NOT ({allowed})
            BEGIN SELECT RAISE(ABORT, 'petitions is append-only'); END"""
    )
