"""Roles that nobody may hold together, not through two accounts either."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
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


def _holds(row: str, role: str) -> str:
    return f"' ' || {row}.roles || ' ' LIKE '% {role} %'"


# Each account by itself is held by the trigger of 0003.
_APART = " OR ".join(
    f"(({_holds('NEW', one)}) AND ({_holds('other', two)}))" for pair in _CONFLICTING for one, two in (pair, pair[::-1])
)
_OTHERS = f"""SELECT 1 FROM principals AS other WHERE other.person_tag = NEW.person_tag AND other.id <> NEW.id
              AND other.issuer NOT IN {_EXEMPT} AND ({_APART})"""  # noqa: S608 - words of this file alone
_CONDITION = f"NEW.person_tag IS NOT NULL AND NEW.issuer NOT IN {_EXEMPT}"

_SQLITE_TRIGGERS = tuple(
    f"""CREATE TRIGGER principals_person_on_{event.lower()} BEFORE {event} ON principals
        WHEN {_CONDITION} AND EXISTS ({_OTHERS})
        BEGIN SELECT RAISE(ABORT, 'principals: conflicting roles of one person'); END"""
    for event in ("INSERT", "UPDATE")
)
# Two transactions that give one person two roles at once see nothing of each other: the second waits for the first,
# and what it looks at then is as the first left it.
_POSTGRESQL_TRIGGERS = (
    f"""CREATE FUNCTION registry_refuse_person() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_advisory_xact_lock(hashtextextended(encode(NEW.person_tag, 'hex'), 24));
          IF EXISTS ({_OTHERS}) THEN
            RAISE EXCEPTION 'principals: conflicting roles of one person';
          END IF;
          RETURN NEW;
        END $$""",
    f"""CREATE TRIGGER principals_person BEFORE INSERT OR UPDATE ON principals FOR EACH ROW
        WHEN ({_CONDITION}) EXECUTE FUNCTION registry_refuse_person()""",
)


def upgrade() -> None:
    # Plain ADD COLUMN on both engines: a copied table would lose its triggers.
    op.add_column("principals", sa.Column("person_tag", sa.LargeBinary(length=16), nullable=True))
    op.create_index("ix_principals_person_tag", "principals", ["person_tag"])
    for statement in _POSTGRESQL_TRIGGERS if _on_postgresql() else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    if _on_postgresql():
        op.execute("DROP TRIGGER principals_person ON principals")
        op.execute("DROP FUNCTION registry_refuse_person()")
    else:
        op.execute("DROP TRIGGER principals_person_on_insert")
        op.execute("DROP TRIGGER principals_person_on_update")
    op.drop_index("ix_principals_person_tag", "principals")
    op.execute("ALTER TABLE principals DROP COLUMN person_tag")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
