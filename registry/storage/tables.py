"""Every table. Values are sealed or keyed before they come here; this module holds no logic.

Times are whole milliseconds since 1970 (UTC) so that both engines store the same thing.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text
from sqlalchemy.schema import UniqueConstraint

from registry.storage.metadata import metadata

_ID = String(32)
# SQLite grows a row id only for INTEGER; PostgreSQL needs the wide type.
_INDEX = BigInteger().with_variant(Integer(), "sqlite")

registry_meta = Table(
    "registry_meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("person", _ID, nullable=False),  # the subject's own person, whose key seals the directory data
    Column("number_tag", LargeBinary(16), nullable=False, unique=True),  # keyed; employee numbers are unique anyway
    # Keyed over the whole last enrollment document; sealed under a generation of the index: kept_tags.py.
    Column("content_tag", LargeBinary(16), nullable=False),
    Column("directory", LargeBinary, nullable=False),
    Column("directory_digest", LargeBinary(32), nullable=False),
    Column("directory_version", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("version", Integer, nullable=False),  # the ETag
    Column("chain", LargeBinary, nullable=False),  # sealed: number of entries and index of the last one
    *(Column(name, BigInteger, nullable=False) for name in ("created_at", "updated_at")),
    Column("guard", LargeBinary(16), nullable=False),  # keyed over the columns that decisions read: guards.py
    Column("ties", LargeBinary),  # sealed: relatives, unit, supervisor, addresses
    Column("content_generation", Integer, nullable=False, server_default="1"),
)

# Directory data that updates replaced: what else somebody was called, and so is found by when they are erased.
former_directories = Table(
    "former_directories",
    metadata,
    Column("subject", _ID, ForeignKey("subjects.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
)

persons = Table(
    "persons",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("subject", _ID, ForeignKey("subjects.id"), nullable=False, index=True),
    Column("ref_tag", LargeBinary(16), nullable=False),  # keyed per subject; finds a household member again
    Column("key_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("guard", LargeBinary(16), nullable=False),  # whose person it is, and by which ref it is found again
)

provisions = Table(
    "provisions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("subject", _ID, ForeignKey("subjects.id"), nullable=False, index=True),
    Column("person", _ID, ForeignKey("persons.id"), nullable=False),  # the subject's own, whose key seals the names
    Column("user_tag", LargeBinary(16), unique=True),  # keyed
    Column("outside_tag", LargeBinary(16), index=True),  # keyed
    Column("state", String(12), nullable=False),
    Column("version", Integer, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("created_at", "updated_at")),
    Column("names", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("guard", LargeBinary(16), nullable=False),  # over what finds it again and what its names are
    Index("ix_provisions_created", "created_at", "id"),
)

# Tokens that are no longer taken: under a keyed label of a token's name, or of an account.
revocations = Table(
    "revocations",
    metadata,
    Column("label", LargeBinary(16), primary_key=True),
    Column("before", BigInteger, nullable=False),  # Unix seconds: issued until then
    Column("until", BigInteger, nullable=False, index=True),  # milliseconds; all of them have expired by then
    Column("guard", LargeBinary(16), nullable=False),
    sqlite_with_rowid=False,
)

# Names of tokens and proofs that are good once, and are used: under a keyed label.
used_names = Table(
    "used_names",
    metadata,
    Column("label", LargeBinary(16), primary_key=True),
    Column("until", BigInteger, nullable=False, index=True),  # milliseconds; nothing of that name is taken then
    sqlite_with_rowid=False,
)

# Units that an HR system keeps. Who is in one stands nowhere but in the sealed directory data of its people.
units = Table(
    "units",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name_tag", LargeBinary(16), unique=True),  # keyed; none once removed
    Column("outside_tag", LargeBinary(16), index=True),  # keyed
    Column("version", Integer, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("created_at", "updated_at")),
    Column("names", LargeBinary, nullable=False),  # sealed to id and version
    Column("guard", LargeBinary(16), nullable=False),
    Index("ix_units_created", "created_at", "id"),
)

records = Table(
    "records",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("subject", _ID, ForeignKey("subjects.id"), nullable=False, index=True),
    Column("person", _ID, ForeignKey("persons.id"), nullable=False),
    Column("category", String(20), nullable=False),
    Column("slot_tag", LargeBinary(16), nullable=False),  # keyed per subject: category, kind and member
    Column("version", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("tier", String(12), nullable=False),
    Column("mark_version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("guard", LargeBinary(16), nullable=False),  # keyed over the columns that decisions read: guards.py
)

record_versions = Table(
    "record_versions",
    metadata,
    Column("record", _ID, ForeignKey("records.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    # Keyed per subject, tells whether a value changed; sealed under a generation of the index: kept_tags.py.
    Column("value_tag", LargeBinary(16), nullable=False),
    Column("mark_epoch", Integer, nullable=False),  # generation of its secret, and openings of its draws
    Column("entered_by", _ID, ForeignKey("principals.id"), nullable=False),
    Column("entered_via", String(12), nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger),
    Column("tag_generation", Integer, nullable=False, server_default="1"),
)

marks = Table(
    "marks",
    metadata,
    Column("record", _ID, ForeignKey("records.id"), primary_key=True),
    Column("mark_version", Integer, primary_key=True),
    Column("tier", String(12), nullable=False),
    Column("basis", LargeBinary),  # sealed under the person's key; None when none was given
    *(Column(name, String(10)) for name in ("starts_on", "ends_on", "review_on")),
    Column("guard", LargeBinary(16), nullable=False),  # what the mark says
)

postings = Table(
    "postings",
    metadata,
    Column("label", LargeBinary(16), primary_key=True),
    Column("value", LargeBinary(32), nullable=False),
    Column("generation", Integer, nullable=False, server_default="1"),  # under which secret
    sqlite_with_rowid=False,
)

index_state = Table(
    "index_state",
    metadata,
    Column("k", Integer, primary_key=True, autoincrement=False),  # the generation; two rows while it is changed
    Column("n", BigInteger, nullable=False),  # size of the ledger when people were stored last
    Column("count", BigInteger, nullable=False),  # postings
    Column("total", LargeBinary(16), nullable=False),  # sum of keyed tags over them
    Column("guard", LargeBinary(16), nullable=False),  # over all of these
)

# From the second generation on: the first one's secret is made of the index key.
index_generations = Table(
    "index_generations",
    metadata,
    Column("k", Integer, primary_key=True, autoincrement=False),
    Column("state", String(8), nullable=False),  # copied or made of the values; being filled, or looked up in
    Column("cursor", String(32), nullable=False),  # the last subject whose values were read for it
    Column("key_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),  # its secret; bound to the generation
    Column("guard", LargeBinary(16), nullable=False),  # over the number, the state and the cursor
)

index_terms = Table(
    "index_terms",
    metadata,
    Column("k", Integer, primary_key=True, autoincrement=False),  # the generation
    Column("terms", Integer, nullable=False),  # the oldest version of them in it; no row: of before this was kept
    Column("guard", LargeBinary(16), nullable=False),
)

index_tags = Table(
    "index_tags",
    metadata,
    Column("k", Integer, primary_key=True, autoincrement=False),  # no kept tag is under an earlier generation
    Column("guard", LargeBinary(16), nullable=False),
)

principals = Table(
    "principals",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("issuer", String(255), nullable=False),
    Column("sub", String(255), nullable=False),
    Column("roles", Text, nullable=False),  # space separated
    Column("employee", LargeBinary),
    Column("unit", String(120), nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("guard", LargeBinary(16), nullable=False),  # keyed over the columns that decisions read: guards.py
    Column("supervisor", LargeBinary),  # sealed, as the own employee number
    Column("person_tag", LargeBinary(16), index=True),  # keyed: accounts of one person have one, and no subject has
    UniqueConstraint("issuer", "sub"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", _ID, primary_key=True),
    Column("key_tag", LargeBinary(16), primary_key=True),
    Column("body_tag", LargeBinary(16), nullable=False),
    Column("outcome", Text, nullable=False),  # ids and indexes only
    Column("created_at", BigInteger, nullable=False, index=True),
)

traces = Table(
    "traces",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("principal", _ID, ForeignKey("principals.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed_text", LargeBinary, nullable=False),
    Column("sealed_report", LargeBinary, nullable=False),
    Index("ix_traces_principal_created", "principal", "created_at"),
)

# What is added to a trace later. Rows are only added: an erasure of the trace takes them along.
case_parts = Table(
    "case_parts",
    metadata,
    Column("trace", _ID, ForeignKey("traces.id"), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),  # sealed to trace and part
    Column("kind", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("entry", BigInteger),  # none of what was added before migration 0031
)

# What was asked, and about whom, is in the entry alone; nothing here shows two requests to be about one subject.
requests = Table(
    "requests",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("principal", _ID, ForeignKey("principals.id"), nullable=False),
    Column("ask_tag", LargeBinary(16), nullable=False, index=True),  # keyed over principal, subject, records, purpose
    Column("entry", _INDEX, nullable=False),
    Column("needs", Integer, nullable=False),
    Column("needs_other_unit", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_at", BigInteger, nullable=False, index=True),
    Column("until", BigInteger, nullable=False),
    Column("guard", LargeBinary(16), nullable=False),
)

request_decisions = Table(
    "request_decisions",
    metadata,
    Column("request", _ID, ForeignKey("requests.id"), primary_key=True),
    Column("approver", _ID, ForeignKey("principals.id"), primary_key=True),
    Column("verdict", String(12), nullable=False),
    Column("is_other_unit", Integer, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("guard", LargeBinary(16), nullable=False),
)

# As with requests: whom it is about is in the entry alone.
break_glass = Table(
    "break_glass",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("principal", _ID, ForeignKey("principals.id"), nullable=False),
    Column("subject_tag", LargeBinary(16), nullable=False),  # keyed over id and subject
    Column("categories", Text, nullable=False),  # with spaces between
    Column("entry", _INDEX, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("created_at", "until", "review_by")),
    Column("finding", String(16), nullable=False),  # empty until it is reviewed
    Column("reviewer", _ID, ForeignKey("principals.id")),
    Column("reviewed_at", BigInteger),
    Column("guard", LargeBinary(16), nullable=False),
    Index("ix_break_glass_principal_until", "principal", "until"),
    Index("ix_break_glass_finding_review_by", "finding", "review_by"),
)

# What subjects asked for: disputes of entries and corrections of records.
petitions = Table(
    "petitions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("principal", _ID, ForeignKey("principals.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("answered_by", _ID, ForeignKey("principals.id")),
    Column("key_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("about", LargeBinary, nullable=False),  # sealed: whose it is, and which entry or record
    Column("sealed_text", LargeBinary, nullable=False),
    Column("sealed_value", LargeBinary),
    Column("sealed_note", LargeBinary),
    Column("guard", LargeBinary(16), nullable=False),  # over what decisions read: guards.py
    Index("ix_petitions_kind_created", "kind", "created_at"),
)

# Where a subject wants to be told: under a keyed label, so that no row says whose it is.
contacts = Table(
    "contacts",
    metadata,
    Column("label", LargeBinary(16), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("id", _ID, nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("about", LargeBinary, nullable=False),  # sealed: whose it is, and of which kind
    Column("sealed", LargeBinary, nullable=False),
    Column("guard", LargeBinary(16), nullable=False),  # over all of these but the key
    sqlite_with_rowid=False,
)

ledger_leaf = Table(
    "ledger_leaf",
    metadata,
    Column("i", _INDEX, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
)

ledger_body = Table(
    "ledger_body",
    metadata,
    Column("i", _INDEX, primary_key=True, autoincrement=False),
    Column("event", _ID, nullable=False, unique=True),
    Column("key_epoch", Integer, nullable=False),
    Column("sealed", LargeBinary),
    Column("erased_at", BigInteger),
)

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("k", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("edge", LargeBinary, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("mark_generation", Integer, nullable=False, server_default="0"),  # exchanges of the secret of marks
)

mark_generations = Table(
    "mark_generations",
    metadata,
    Column("k", Integer, primary_key=True, autoincrement=False),
    # After which entry it is in force, and whether for record versions of before too.
    *(Column(name, BigInteger, nullable=False) for name in ("entry", "redraws")),
    Column("key_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),  # its secret; bound to the generation
    Column("guard", LargeBinary(16), nullable=False),  # over the number, the entry and what it is in force for
)

ledger_keys = Table(
    "ledger_keys",
    metadata,
    Column("key_epoch", Integer, primary_key=True, autoincrement=False),
    Column("key_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
)

# Which entries speak of a subject: counter-labelled, so that nothing at rest shows two entries to be about one subject.
ledger_postings = Table(
    "ledger_postings",
    metadata,
    Column("label", LargeBinary(16), primary_key=True),
    Column("value", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

# Small sets of keyed tags, each under a keyed label: whom an account was shown today, which values were tried.
tallies = Table(
    "tallies",
    metadata,
    Column("label", LargeBinary(16), primary_key=True),
    Column("day", Integer, nullable=False, index=True),  # days since 1970 (UTC), of the last change
    Column("tags", LargeBinary, nullable=False),  # 12 bytes each: 8 of the tag, 4 of the day it was added
    Column("guard", LargeBinary(16), nullable=False),  # over all of these
    sqlite_with_rowid=False,
)

# A limit that somebody raised for one account and purpose until a time.
quota_unlocks = Table(
    "quota_unlocks",
    metadata,
    Column("principal", _ID, ForeignKey("principals.id"), primary_key=True),
    Column("purpose", String(40), primary_key=True),
    Column("most", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("granted_by", _ID, ForeignKey("principals.id"), nullable=False),
    Column("guard", LargeBinary(16), nullable=False),  # over all of these
)

# What reviewers found of the lookups of a week's sample.
sample_reviews = Table(
    "sample_reviews",
    metadata,
    Column("entry", _INDEX, primary_key=True, autoincrement=False),  # of the lookup
    Column("finding", String(16), nullable=False),
    Column("reviewer", _ID, ForeignKey("principals.id"), nullable=False),
    Column("reviewed_at", BigInteger, nullable=False),
    Column("guard", LargeBinary(16), nullable=False),  # over all of these
)

# Which policies are in force, and which settings of control; which entry said so of each.
policy_in_force = Table(
    "policy_in_force",
    metadata,
    Column("k", Integer, primary_key=True, autoincrement=False),  # 1 policies, 2 settings, 3 agreed on
    Column("version", String(80), nullable=False),
    Column("entry", _INDEX, nullable=False),
    Column("guard", LargeBinary(16), nullable=False),  # over all of these
)

# Keyed labels of decoys and nothing else: no subject, no time, no order of rows.
decoys = Table(
    "decoys",
    metadata,
    Column("label", LargeBinary(16), primary_key=True),
    sqlite_with_rowid=False,
)

# Notices that wait to be sent. A row goes when its notice is sent; what it says and to whom is sealed.
outbox = Table(
    "outbox",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("event", _ID, ForeignKey("ledger_body.event"), nullable=False),  # the entry that it speaks of
    Column("channel", String(12), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("queued_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Index("ix_outbox_channel", "channel", "state", "due_at"),
)

# How far what is done again and again has come: digests, reminders.
notice_marks = Table(
    "notice_marks",
    metadata,
    Column("name", String(12), primary_key=True),
    Column("day", Integer, nullable=False),
    Column("through", BigInteger, nullable=False),
)

# As with requests: whom a hold is about is in its entry alone.
holds = Table(
    "holds",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("principal", _ID, ForeignKey("principals.id"), nullable=False),
    Column("entry", _INDEX, nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("settled_by", _ID, ForeignKey("principals.id")),
    Column("settled_at", BigInteger),
    Column("guard", LargeBinary(16), nullable=False),
    Column("confirmed_by", _ID, ForeignKey("principals.id")),
    Column("confirmed_at", BigInteger),
    Index("ix_holds_state", "state", "until"),
    Index("ix_holds_created_at", "created_at"),
)

# When somebody was erased, and which entry says so: what keys are kept for backups from before.
erasures = Table(
    "erasures",
    metadata,
    Column("entry", _INDEX, primary_key=True, autoincrement=False),
    Column("erased_at", BigInteger, nullable=False),
    Column("guard", LargeBinary(16), nullable=False),  # over all of these
)
