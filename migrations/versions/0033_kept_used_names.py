"""Used names that the database itself keeps until they have ended by its own clock."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# Names end after minutes and after a day in one table, so the newest row's end tells nothing about the others'.
_NOW_MS = {
    "sqlite": "CAST(strftime('%s', 'now') AS INTEGER) * 1000",
    "postgresql": "extract(epoch FROM clock_timestamp()) * 1000",
}
_NAMES = {"sqlite": ("kept", "no_update", "no_replace"), "postgresql": ("kept", "no_update", "no_truncate")}


def upgrade() -> None:
    engine = op.get_bind().dialect.name
    held = f"OLD.until >= {_NOW_MS[engine]}"
    if engine == "postgresql":
        for name, when in (
            ("kept", f"DELETE ON used_names FOR EACH ROW WHEN ({held})"),
            ("no_update", "UPDATE ON used_names FOR EACH ROW"),
            ("no_truncate", "TRUNCATE ON used_names FOR EACH STATEMENT"),
        ):
            op.execute(f"CREATE TRIGGER used_names_{name} BEFORE {when} EXECUTE FUNCTION registry_refuse()")
        return
    for name, when in (("kept", f"DELETE ON used_names WHEN {held}"), ("no_update", "UPDATE ON used_names")):
        op.execute(
            f"""CREATE TRIGGER used_names_{name} BEFORE {when}
                BEGIN SELECT RAISE(ABORT, 'used_names is append-only'); END"""
        )
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off). That a name is used again
    # is no error, so the second row is left out and the first one stays.
    op.execute(
        """CREATE TRIGGER used_names_no_replace BEFORE INSERT ON used_names
           WHEN EXISTS (SELECT 1 FROM used_names WHERE label = NEW.label)
           BEGIN SELECT RAISE(IGNORE); END"""
    )


def downgrade() -> None:
    engine = op.get_bind().dialect.name
    for name in _NAMES[engine]:
        op.execute(f"DROP TRIGGER used_names_{name}" + (" ON used_names" if engine == "postgresql" else ""))
