"""What is added to a case names its entry, and is kept as it was written; it goes once it is empty, with its trace."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_SIZE = {"sqlite": "length", "postgresql": "octet_length"}
_SAME = {"sqlite": "IS", "postgresql": "IS NOT DISTINCT FROM"}
_REPLACED = "EXISTS (SELECT 1 FROM case_parts WHERE trace = NEW.trace AND part = NEW.part)"
_NAMES = {"sqlite": ("kept", "only_emptied", "no_replace"), "postgresql": ("kept", "only_emptied", "no_truncate")}


def upgrade() -> None:
    # Plain ADD COLUMN on both engines. Of what was added before this revision no row names its entry.
    op.execute("ALTER TABLE case_parts ADD COLUMN entry BIGINT")
    engine = op.get_bind().dialect.name
    emptied = f"""{_SIZE[engine]}(NEW.sealed) = 0 AND NEW.trace = OLD.trace AND NEW.part = OLD.part
                  AND NEW.kind = OLD.kind AND NEW.created_at = OLD.created_at AND NEW.entry {_SAME[engine]} OLD.entry"""
    held = f"{_SIZE[engine]}(OLD.sealed) > 0"
    if engine == "postgresql":
        for name, when, condition in (
            ("kept", "DELETE", held),
            ("only_emptied", "UPDATE", f"NOT ({emptied})"),
        ):
            op.execute(
                f"""CREATE TRIGGER case_parts_{name} BEFORE {when} ON case_parts FOR EACH ROW
                    WHEN ({condition}) EXECUTE FUNCTION registry_refuse()"""
            )
        op.execute(
            """CREATE TRIGGER case_parts_no_truncate BEFORE TRUNCATE ON case_parts FOR EACH STATEMENT
               EXECUTE FUNCTION registry_refuse()"""
        )
        return
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off), so it is met before.
    for name, when, condition in (
        ("kept", "DELETE", held),
        ("only_emptied", "UPDATE", f"NOT ({emptied})"),
        ("no_replace", "INSERT", _REPLACED),
    ):
        op.execute(
            f"""CREATE TRIGGER case_parts_{name} BEFORE {when} ON case_parts WHEN {condition}
                BEGIN SELECT RAISE(ABORT, 'case_parts is append-only'); END"""
        )


def downgrade() -> None:
    engine = op.get_bind().dialect.name
    for name in _NAMES[engine]:
        op.execute(f"DROP TRIGGER case_parts_{name}" + (" ON case_parts" if engine == "postgresql" else ""))
    op.execute("ALTER TABLE case_parts DROP COLUMN entry")
