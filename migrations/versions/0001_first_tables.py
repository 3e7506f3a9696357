"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_SQLITE_TRIGGERS = (
    """CREATE TRIGGER ledger_leaf_no_update BEFORE UPDATE ON ledger_leaf
       BEGIN SELECT RAISE(ABORT, 'ledger_leaf is append-only'); END""",
    """CREATE TRIGGER ledger_leaf_no_delete BEFORE DELETE ON ledger_leaf
       BEGIN SELECT RAISE(ABORT, 'ledger_leaf is append-only'); END""",
    # INSERT OR REPLACE deletes without firing delete triggers (recursive_triggers is off), so it is met before.
    """CREATE TRIGGER ledger_leaf_no_replace BEFORE INSERT ON ledger_leaf
       WHEN EXISTS (SELECT 1 FROM ledger_leaf WHERE i = NEW.i)
       BEGIN SELECT RAISE(ABORT, 'ledger_leaf is append-only'); END""",
    """CREATE TRIGGER ledger_body_no_replace BEFORE INSERT ON ledger_body
       WHEN EXISTS (SELECT 1 FROM ledger_body WHERE i = NEW.i OR event = NEW.event)
       BEGIN SELECT RAISE(ABORT, 'ledger_body is append-only'); END""",
    """CREATE TRIGGER ledger_head_no_replace BEFORE INSERT ON ledger_head
       WHEN EXISTS (SELECT 1 FROM ledger_head WHERE k = NEW.k)
       BEGIN SELECT RAISE(ABORT, 'ledger_head only grows'); END""",
    """CREATE TRIGGER ledger_body_only_removal BEFORE UPDATE ON ledger_body
       WHEN NOT (NEW.i = OLD.i AND NEW.event = OLD.event AND NEW.key_epoch = OLD.key_epoch
                 AND OLD.sealed IS NOT NULL AND NEW.sealed IS NULL AND NEW.erased_at IS NOT NULL)
       BEGIN SELECT RAISE(ABORT, 'ledger_body: only an opening may be removed'); END""",
    """CREATE TRIGGER ledger_body_no_delete BEFORE DELETE ON ledger_body
       BEGIN SELECT RAISE(ABORT, 'ledger_body is append-only'); END""",
    """CREATE TRIGGER ledger_head_grows BEFORE UPDATE ON ledger_head
       WHEN NOT (NEW.k = OLD.k AND NEW.n > OLD.n AND NEW.last_ms >= OLD.last_ms)
       BEGIN SELECT RAISE(ABORT, 'ledger_head only grows'); END""",
    """CREATE TRIGGER ledger_head_no_delete BEFORE DELETE ON ledger_head
       BEGIN SELECT RAISE(ABORT, 'ledger_head only grows'); END""",
)

_POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION registry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$""",
    """CREATE TRIGGER ledger_leaf_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_leaf
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
    """CREATE TRIGGER ledger_body_no_delete BEFORE DELETE OR TRUNCATE ON ledger_body
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
    """CREATE TRIGGER ledger_body_only_removal BEFORE UPDATE ON ledger_body FOR EACH ROW
       WHEN (NOT (NEW.i = OLD.i AND NEW.event = OLD.event AND NEW.key_epoch = OLD.key_epoch
                  AND OLD.sealed IS NOT NULL AND NEW.sealed IS NULL AND NEW.erased_at IS NOT NULL))
       EXECUTE FUNCTION registry_refuse()""",
    """CREATE TRIGGER ledger_head_no_delete BEFORE DELETE OR TRUNCATE ON ledger_head
       FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse()""",
    """CREATE TRIGGER ledger_head_grows BEFORE UPDATE ON ledger_head FOR EACH ROW
       WHEN (NOT (NEW.k = OLD.k AND NEW.n > OLD.n AND NEW.last_ms >= OLD.last_ms))
       EXECUTE FUNCTION registry_refuse()""",
)


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.String(length=32), nullable=False),
        sa.Column("key_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("body_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key_tag", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_created_at"), ["created_at"], unique=False)

    op.create_table(
        "ledger_body",
        sa.Column("i", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("key_epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("i", name=op.f("pk_ledger_body")),
        sa.UniqueConstraint("event", name=op.f("uq_ledger_body_event")),
    )
    op.create_table(
        "ledger_head",
        sa.Column("k", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("k", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "index_state",
        sa.Column("k", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.LargeBinary(length=16), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("k", name=op.f("pk_index_state")),
    )
    op.create_table(
        "ledger_keys",
        sa.Column("key_epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key_epoch", name=op.f("pk_ledger_keys")),
    )
    op.create_table(
        "ledger_leaf",
        sa.Column("i", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("i", name=op.f("pk_ledger_leaf")),
    )
    op.create_table(
        "ledger_postings",
        sa.Column("label", sa.LargeBinary(length=16), nullable=False),
        sa.Column("value", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_ledger_postings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "postings",
        sa.Column("label", sa.LargeBinary(length=16), nullable=False),
        sa.Column("value", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_postings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "principals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("sub", sa.String(length=255), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("employee", sa.LargeBinary(), nullable=True),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_principals")),
        sa.UniqueConstraint("issuer", "sub", name=op.f("uq_principals_issuer")),
    )
    op.create_table(
        "registry_meta",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_registry_meta")),
    )
    op.create_table(
        "subjects",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("number_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("content_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("directory", sa.LargeBinary(), nullable=False),
        sa.Column("directory_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("directory_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
        sa.UniqueConstraint("number_tag", name=op.f("uq_subjects_number_tag")),
    )
    op.create_table(
        "persons",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("ref_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_persons_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_persons_subject"), ["subject"], unique=False)

    op.create_table(
        "traces",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("principal", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_report", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["principal"], ["principals.id"], name=op.f("fk_traces_principal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traces")),
    )
    with op.batch_alter_table("traces", schema=None) as batch_op:
        batch_op.create_index("ix_traces_principal_created", ["principal", "created_at"], unique=False)

    op.create_table(
        "records",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("slot_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tier", sa.String(length=12), nullable=False),
        sa.Column("mark_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name=op.f("fk_records_person")),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_records_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
    )
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_records_subject"), ["subject"], unique=False)

    op.create_table(
        "marks",
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("mark_version", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(length=12), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=True),
        sa.Column("starts_on", sa.String(length=10), nullable=True),
        sa.Column("ends_on", sa.String(length=10), nullable=True),
        sa.Column("review_on", sa.String(length=10), nullable=True),
        sa.Column("guard", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["records.id"], name=op.f("fk_marks_record")),
        sa.PrimaryKeyConstraint("record", "mark_version", name=op.f("pk_marks")),
    )
    op.create_table(
        "record_versions",
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("value_tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("mark_epoch", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(length=32), nullable=False),
        sa.Column("entered_via", sa.String(length=12), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["entered_by"], ["principals.id"], name=op.f("fk_record_versions_entered_by")),
        sa.ForeignKeyConstraint(["record"], ["records.id"], name=op.f("fk_record_versions_record")),
        sa.PrimaryKeyConstraint("record", "version", name=op.f("pk_record_versions")),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL_TRIGGERS if postgresql else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("record_versions")
    op.drop_table("marks")
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_records_subject"))

    op.drop_table("records")
    with op.batch_alter_table("traces", schema=None) as batch_op:
        batch_op.drop_index("ix_traces_principal_created")

    op.drop_table("traces")
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_persons_subject"))

    op.drop_table("persons")
    op.drop_table("subjects")
    op.drop_table("registry_meta")
    op.drop_table("principals")
    op.drop_table("postings")
    op.drop_table("ledger_postings")
    op.drop_table("ledger_leaf")
    op.drop_table("ledger_keys")
    op.drop_table("index_state")
    op.drop_table("ledger_head")
    op.drop_table("ledger_body")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_created_at"))

    op.drop_table("idempotency")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION registry_refuse()")
