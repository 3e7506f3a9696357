"""Relations of subjects, supervisors of accounts, and roles that nobody may hold together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_EXEMPT = "('local', 'https://registry.invalid/development')"
_CONFLICTING = (
    ("approver", "auditor"),
    ("approver", "investigator"),
    ("approver", "security_admin"),
    ("auditor", "enroller"),
    ("auditor", "investigator"),
    ("auditor", "reader"),
    ("auditor", "records_officer"),
    ("auditor", "security_admin"),
    ("enroller", "investigator"),
    ("enroller", "reader"),
    ("enroller", "security_admin"),
    ("investigator", "reader"),
    ("investigator", "security_admin"),
    ("reader", "records_officer"),
    ("reader", "security_admin"),
)
# Roles stand in one text with a space between; no role's name is part of another's between spaces.
_HELD = " OR ".join(
    f"(' ' || NEW.roles || ' ' LIKE '% {one} %' AND ' ' || NEW.roles || ' ' LIKE '% {other} %')"
    for one, other in _CONFLICTING
)
_CONDITION = f"NEW.issuer NOT IN {_EXEMPT} AND ({_HELD})"

_SQLITE_TRIGGERS = tuple(
    f"""CREATE TRIGGER principals_duties_on_{event.lower()} BEFORE {event} ON principals WHEN {_CONDITION}
        BEGIN SELECT RAISE(ABORT, 'principals: conflicting roles'); END"""
    for event in ("INSERT", "UPDATE")
)
_POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION registry_refuse_roles() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'principals: conflicting roles'; END $$""",
    f"""CREATE TRIGGER principals_duties BEFORE INSERT OR UPDATE ON principals FOR EACH ROW
        WHEN ({_CONDITION}) EXECUTE FUNCTION registry_refuse_roles()""",
)


def upgrade() -> None:
    # Plain ADD COLUMN on both engines: a copied table would lose its triggers.
    op.add_column("subjects", sa.Column("ties", sa.LargeBinary(), nullable=True))
    op.add_column("principals", sa.Column("supervisor", sa.LargeBinary(), nullable=True))
    for statement in _POSTGRESQL_TRIGGERS if _on_postgresql() else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    if _on_postgresql():
        op.execute("DROP TRIGGER principals_duties ON principals")
        op.execute("DROP FUNCTION registry_refuse_roles()")
    else:
        op.execute("DROP TRIGGER principals_duties_on_insert")
        op.execute("DROP TRIGGER principals_duties_on_update")
    op.execute("ALTER TABLE principals DROP COLUMN supervisor")
    op.execute("ALTER TABLE subjects DROP COLUMN ties")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
