"""Requests for approval, and what approvers said to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# On record for ever; a request is settled once, and what an approver said stays said.
_SQLITE_TRIGGERS = (
    """CREATE TRIGGER requests_no_delete BEFORE DELETE ON requests
       BEGIN SELECT RAISE(ABORT, 'requests is append-only'); END""",
    """CREATE TRIGGER requests_settled_once BEFORE UPDATE ON requests
       WHEN NOT (NEW.id = OLD.id AND NEW.principal = OLD.principal AND NEW.ask_tag = OLD.ask_tag
                 AND NEW.entry = OLD.entry AND NEW.needs = OLD.needs AND NEW.needs_other_unit = OLD.needs_other_unit
                 AND NEW.created_at = OLD.created_at AND OLD.state = 'pending')
       BEGIN SELECT RAISE(ABORT, 'requests is append-only'); END""",
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off), so it is met before.
    """CREATE TRIGGER requests_no_replace BEFORE INSERT ON requests
       WHEN EXISTS (SELECT 1 FROM requests WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'requests is append-only'); END""",
    """CREATE TRIGGER request_decisions_no_delete BEFORE DELETE ON request_decisions
       BEGIN SELECT RAISE(ABORT, 'request_decisions is append-only'); END""",
    """CREATE TRIGGER request_decisions_no_update BEFORE UPDATE ON request_decisions
       BEGIN SELECT RAISE(ABORT, 'request_decisions is append-only'); END""",
    """CREATE TRIGGER request_decisions_no_replace BEFORE INSERT ON request_decisions
       WHEN EXISTS (SELECT 1 FROM request_decisions WHERE request = NEW.request AND approver = NEW.approver)
       BEGIN SELECT RAISE(ABORT, 'request_decisions is append-only'); END""",
)
_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER requests_no_delete BEFORE DELETE OR TRUNCATE ON requests
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
    """CREATE TRIGGER requests_settled_once BEFORE UPDATE ON requests FOR EACH ROW
       WHEN (NOT (NEW.id = OLD.id AND NEW.principal = OLD.principal AND NEW.ask_tag = OLD.ask_tag
                  AND NEW.entry = OLD.entry AND NEW.needs = OLD.needs AND NEW.needs_other_unit = OLD.needs_other_unit
                  AND NEW.created_at = OLD.created_at AND OLD.state = 'pending'))
       EXECUTE FUNCTION registry_refuse()""",
    """CREATE TRIGGER request_decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON request_decisions
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
)


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("principal", sa.String(length=32), nullable=False),
        sa.Column("ask_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("needs", sa.Integer(), nullable=False),
        sa.Column("needs_other_unit", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["principal"], ["principals.id"], name=op.f("fk_requests_principal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_requests_ask_tag"), ["ask_tag"], unique=False)
        batch_op.create_index(batch_op.f("ix_requests_created_at"), ["created_at"], unique=False)
    op.create_table(
        "request_decisions",
        sa.Column("request", sa.String(length=32), nullable=False),
        sa.Column("approver", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("is_other_unit", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["approver"], ["principals.id"], name=op.f("fk_request_decisions_approver")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_request_decisions_request")),
        sa.PrimaryKeyConstraint("request", "approver", name=op.f("pk_request_decisions")),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL_TRIGGERS if postgresql else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("request_decisions")
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_requests_created_at"))
        batch_op.drop_index(batch_op.f("ix_requests_ask_tag"))
    op.drop_table("requests")
