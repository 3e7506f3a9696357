"""The database itself refuses to change what the ledger holds, and roles that nobody may hold together."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from registry.services.revoke import KEPT_MS
from registry.storage.engine import open_engine
from registry.storage.migrate import upgrade
from tests.fakes.postgres import translated

EVENT = "0123456789abcdef0123456789abcdef"
ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 32
# Each trigger, and a statement that it alone refuses.
ON_SQLITE = {
    "ledger_leaf_no_update": "UPDATE ledger_leaf SET leaf = x'00' WHERE i = 0",
    "ledger_leaf_no_delete": "DELETE FROM ledger_leaf WHERE i = 0",
    "ledger_body_no_delete": "DELETE FROM ledger_body WHERE i = 0",
    "ledger_body_only_removal": "UPDATE ledger_body SET sealed = x'00' WHERE i = 0",
    "ledger_head_no_delete": "DELETE FROM ledger_head",
    "ledger_head_grows": "UPDATE ledger_head SET n = 1, root = zeroblob(32)",
    "ledger_leaf_no_replace": "INSERT OR REPLACE INTO ledger_leaf VALUES (0, x'00')",
    "ledger_body_no_replace": f"INSERT OR REPLACE INTO ledger_body VALUES (0, '{EVENT}', 1, x'00', NULL)",
    "tallies_kept": "DELETE FROM tallies WHERE label = x'01'",
    "tallies_only_later": "UPDATE tallies SET day = 99",
    "petitions_no_delete": "DELETE FROM petitions",
    "petitions_answered_once": "UPDATE petitions SET sealed_text = x'00' WHERE id = 'new'",
    "petitions_no_replace": "INSERT OR REPLACE INTO petitions SELECT * FROM petitions WHERE id = 'new'",
    "tallies_no_replace": "INSERT OR REPLACE INTO tallies VALUES (x'01', 100, x'', x'')",
    "requests_no_delete": f"DELETE FROM requests WHERE id = '{TWO}'",
    "requests_settled_once": "UPDATE requests SET needs = 0",
    "requests_no_replace": (
        f"INSERT OR REPLACE INTO requests VALUES ('{ONE}', '{ONE}', x'', 0, 0, 0, 'approved', 0, 0, x'')"
    ),
    "request_decisions_no_delete": "DELETE FROM request_decisions",
    "request_decisions_no_update": "UPDATE request_decisions SET verdict = 'approve'",
    "request_decisions_no_replace": (
        f"INSERT OR REPLACE INTO request_decisions VALUES ('{ONE}', '{ONE}', 'approve', 1, 0, x'')"
    ),
    "break_glass_no_delete": "DELETE FROM break_glass",
    "break_glass_reviewed_once": "UPDATE break_glass SET until = 99",
    "break_glass_no_replace": (
        f"INSERT OR REPLACE INTO break_glass VALUES "
        f"('{ONE}', '{ONE}', x'', 'phone', 0, 0, 99, 99, 'justified', NULL, NULL, x'')"
    ),
    "holds_no_delete": "DELETE FROM holds",
    "holds_settled_once": "UPDATE holds SET until = 99",
    "holds_no_replace": (
        f"INSERT OR REPLACE INTO holds VALUES ('{ONE}', '{ONE}', 0, 'ended', 0, 99, NULL, NULL, x'', NULL, NULL)"
    ),
    "erasures_no_update": "UPDATE erasures SET erased_at = 9",
    "erasures_no_delete": "DELETE FROM erasures",
    "erasures_no_replace": "INSERT OR REPLACE INTO erasures VALUES (3, 9, x'')",
    "provisions_no_delete": "DELETE FROM provisions",
    "provisions_kept": "UPDATE provisions SET created_at = 9",
    "provisions_no_replace": (
        f"INSERT OR REPLACE INTO provisions VALUES "
        f"('{TWO}', '{ONE}', '{ONE}', x'01', NULL, 'employed', 1, 0, 0, x'', x'', x'')"
    ),
    "revocations_kept": "DELETE FROM revocations WHERE label = x'01'",
    "revocations_only_wider": "UPDATE revocations SET before = 4 WHERE label = x'01'",
    "revocations_no_replace": "INSERT OR REPLACE INTO revocations VALUES (x'01', 0, 0, x'')",
    "used_names_kept": "DELETE FROM used_names WHERE label = x'01'",
    "used_names_no_update": "UPDATE used_names SET until = 0 WHERE label = x'01'",
    "case_parts_kept": "DELETE FROM case_parts WHERE part = 3",
    "case_parts_only_emptied": "UPDATE case_parts SET kind = 'note' WHERE part = 3",
    "case_parts_no_replace": f"INSERT OR REPLACE INTO case_parts VALUES ('{ONE}', 3, 'note', 0, x'01', 7)",
    "units_no_delete": "DELETE FROM units",
    "units_only_next": f"UPDATE units SET names = x'01' WHERE id = '{ONE}'",
    "units_no_replace": f"INSERT OR REPLACE INTO units VALUES ('{THREE}', x'01', NULL, 1, 0, 0, x'', x'')",
    "ledger_head_no_replace": "INSERT OR REPLACE INTO ledger_head VALUES (1, 1, 0, x'', zeroblob(32), '', 10, 0)",
}
ON_POSTGRESQL = {
    "ledger_leaf_append_only": "UPDATE ledger_leaf SET leaf = x'00' WHERE i = 0",
    "ledger_body_no_delete": "DELETE FROM ledger_body WHERE i = 0",
    "ledger_body_only_removal": "UPDATE ledger_body SET sealed = x'00' WHERE i = 0",
    "ledger_head_no_delete": "DELETE FROM ledger_head",
    "ledger_head_grows": "UPDATE ledger_head SET n = 1, root = zeroblob(32)",
    "petitions_no_delete": "DELETE FROM petitions",
    "petitions_answered_once": "UPDATE petitions SET sealed_text = x'00' WHERE id = 'new'",
    "tallies_kept": "DELETE FROM tallies WHERE label = x'01'",
    "tallies_only_later": "UPDATE tallies SET day = 99",
    "requests_no_delete": f"DELETE FROM requests WHERE id = '{TWO}'",
    "requests_settled_once": "UPDATE requests SET needs = 0",
    "break_glass_no_delete": "DELETE FROM break_glass",
    "break_glass_reviewed_once": "UPDATE break_glass SET until = 99",
    "holds_no_delete": "DELETE FROM holds",
    "holds_settled_once": "UPDATE holds SET until = 99",
    "petitions_no_truncate": "TRUNCATE petitions",
    "provisions_no_truncate": "TRUNCATE provisions",
    "erasures_append_only": "UPDATE erasures SET erased_at = 9",
    "provisions_no_delete": "DELETE FROM provisions",
    "provisions_kept": "UPDATE provisions SET created_at = 9",
    "revocations_kept": "DELETE FROM revocations WHERE label = x'01'",
    "revocations_only_wider": "UPDATE revocations SET before = 4 WHERE label = x'01'",
    "revocations_no_truncate": "TRUNCATE revocations",
    "used_names_kept": "DELETE FROM used_names WHERE label = x'01'",
    "used_names_no_update": "UPDATE used_names SET until = 0 WHERE label = x'01'",
    "used_names_no_truncate": "TRUNCATE used_names",
    "case_parts_kept": "DELETE FROM case_parts WHERE part = 3",
    "case_parts_only_emptied": "UPDATE case_parts SET kind = 'note' WHERE part = 3",
    "case_parts_no_truncate": "TRUNCATE case_parts",
    "units_no_delete": "DELETE FROM units",
    "units_only_next": f"UPDATE units SET names = x'01' WHERE id = '{ONE}'",
    "request_decisions_append_only": "UPDATE request_decisions SET verdict = 'approve'",
}
# Roles that nobody may hold together: each trigger, and a statement that it alone refuses.
_PRINCIPAL = "INSERT INTO principals (id, issuer, sub, roles, unit, state, created_at, guard)"
_BOTH = f"{_PRINCIPAL} VALUES ('{EVENT}', 'https://sign-in.example', 'both', 'enroller reader', '', 'active', 0, x'00')"
_ADDED = "UPDATE principals SET roles = 'enroller reader subject' WHERE sub = 'hr'"
ON_SQLITE |= {"principals_duties_on_insert": _BOTH, "principals_duties_on_update": _ADDED}
ON_POSTGRESQL |= {"principals_duties": _ADDED}
# Nor through two accounts of one person: there is one that enrolls, under this tag.
_PERSON = "x'05'"
_APART = (
    _PRINCIPAL.replace("guard)", "guard, person_tag)")
    + f" VALUES ('{EVENT}', 'https://sign-in.example', 'second', 'reader', '', 'active', 0, x'00', {_PERSON})"
)
_JOINED = f"UPDATE principals SET person_tag = {_PERSON}, roles = 'auditor' WHERE sub = 'p'"
ON_SQLITE |= {"principals_person_on_insert": _APART, "principals_person_on_update": _JOINED}
ON_POSTGRESQL |= {"principals_person": _JOINED}
REFUSED = {"sqlite": ON_SQLITE, "postgresql": ON_POSTGRESQL}
# A trigger that leaves a row out without a word, and the statement that would have it otherwise.
LEFT_OUT = {
    "sqlite": {"used_names_no_replace": "INSERT OR REPLACE INTO used_names VALUES (x'01', 0)"},
    "postgresql": {},
}
ONLY_ON_POSTGRESQL = (
    "DELETE FROM request_decisions",
    "TRUNCATE request_decisions",
    "TRUNCATE requests CASCADE",
    "DELETE FROM ledger_leaf WHERE i = 0",
    "TRUNCATE ledger_leaf",
    "DELETE FROM erasures",
    "TRUNCATE erasures",
    "TRUNCATE ledger_body, outbox",  # whose rows name entries
    "TRUNCATE ledger_head",
    "TRUNCATE units",
    "INSERT INTO ledger_leaf VALUES (0, x'00') ON CONFLICT (i) DO UPDATE SET leaf = x'00'",
    "INSERT INTO ledger_head VALUES (1, 1, 0, x'', zeroblob(32), '', 10, 0) ON CONFLICT (k) DO UPDATE SET n = 0",
)
ALSO_REFUSED = (
    f"DELETE FROM revocations WHERE until = {KEPT_MS + 1_000}",  # to the millisecond
    "UPDATE revocations SET until = until - 1",
    "UPDATE revocations SET label = x'03'",
    f"UPDATE units SET version = 3 WHERE id = '{TWO}'",  # what was removed stays removed
    "UPDATE case_parts SET sealed = x'02' WHERE part = 3",
    "UPDATE case_parts SET sealed = x'', created_at = 1 WHERE part = 3",
    "UPDATE case_parts SET sealed = x'', entry = 9 WHERE part = 3",
    f"UPDATE units SET version = 3 WHERE id = '{ONE}'",
    f"UPDATE units SET version = 2, created_at = 9 WHERE id = '{ONE}'",
    "UPDATE break_glass SET principal = 'x'",
    "UPDATE holds SET principal = 'x'",
    f"UPDATE provisions SET state = 'employed' WHERE id = '{THREE}'",  # what was removed stays removed
    f"UPDATE holds SET state = 'pending' WHERE id = '{TWO}'",
    f"UPDATE holds SET state = 'confirmed', settled_at = 6 WHERE id = '{TWO}'",
    f"UPDATE holds SET state = 'ended', confirmed_at = 6 WHERE id = '{THREE}'",
    f"UPDATE holds SET state = 'ended', confirmed_at = NULL WHERE id = '{THREE}'",
    "UPDATE break_glass SET review_by = 99",
    "UPDATE break_glass SET categories = 'health', finding = 'justified'",
    f"UPDATE requests SET state = 'used' WHERE id = '{ONE}'",  # before it was approved
    f"UPDATE requests SET state = 'pending' WHERE id = '{THREE}'",
    f"UPDATE requests SET state = 'refused' WHERE id = '{THREE}'",
    f"UPDATE requests SET state = 'used', until = 99 WHERE id = '{THREE}'",
    "UPDATE requests SET principal = 'x'",
    "UPDATE requests SET ask_tag = x'01'",
    "UPDATE requests SET needs_other_unit = 1",
    "UPDATE requests SET entry = 9, state = 'approved'",
    "UPDATE petitions SET state = 'open' WHERE id = 'old'",  # answered once and for all
    "UPDATE petitions SET sealed_value = x'00' WHERE id = 'new'",
    "UPDATE petitions SET key_id = 'l', wrapped_key = x'02', sealed_note = x'02' WHERE id = 'old'",
    "UPDATE petitions SET wrapped_key = x'02', state = 'upheld' WHERE id = 'new'",
    "UPDATE petitions SET wrapped_key = x'02', guard = x'02' WHERE id = 'old'",
    "UPDATE petitions SET about = x'00' WHERE id = 'new'",
    "DELETE FROM petitions WHERE id = 'old'",  # before it is empty
    f"UPDATE provisions SET state = 'erased', names = x'', user_tag = x'05' WHERE id = '{THREE}'",
    "UPDATE petitions SET state = 'erased', sealed_text = x'' WHERE id = 'new'",
    "UPDATE petitions SET state = 'upheld', wrapped_key = x'', about = x'', sealed_text = x'' WHERE id = 'new'",
    "UPDATE tallies SET label = x'02', tags = x''",
    "UPDATE ledger_leaf SET i = 7 WHERE i = 0",
    "UPDATE ledger_body SET sealed = NULL WHERE i = 0",  # a removal is dated
    "UPDATE ledger_body SET event = 'x', sealed = NULL, erased_at = 5 WHERE i = 0",
    "UPDATE ledger_body SET key_epoch = 2, sealed = NULL, erased_at = 5 WHERE i = 0",
    "UPDATE ledger_body SET sealed = x'00', erased_at = NULL WHERE i = 1",  # an opening never comes back
    "UPDATE ledger_head SET n = 0, last_ms = 20",
    "UPDATE ledger_head SET n = 3, last_ms = 9",
    _BOTH,
    *(
        f"UPDATE principals SET roles = '{roles}' WHERE sub = 'hr'"
        for roles in ("auditor reader", "auditor enroller", "reader security_admin subject", "approver investigator")
    ),
    "UPDATE principals SET issuer = 'https://sign-in.example' WHERE sub = 'dev'",
    _APART,
    _JOINED.replace("auditor", "subject investigator"),
)
ALLOWED = (
    "DELETE FROM revocations WHERE label = x'00'",  # had ended when the newest was made
    "UPDATE revocations SET before = 6, until = until + 1 WHERE label = x'01'",
    "DELETE FROM used_names WHERE label = x'00'",  # has ended
    f"UPDATE units SET version = 2, name_tag = NULL, names = x'01' WHERE id = '{ONE}'",
    "UPDATE case_parts SET sealed = x'' WHERE part = 3",
    "DELETE FROM case_parts WHERE part = 4",
    "UPDATE petitions SET state = 'erased', wrapped_key = x'', about = x'', sealed_text = x'' WHERE id = 'old'",
    "DELETE FROM petitions WHERE id = 'empty'",
    f"UPDATE provisions SET state = 'erased', names = x'', user_tag = NULL, outside_tag = NULL WHERE id = '{THREE}'",
    f"UPDATE requests SET state = 'approved', until = 99 WHERE id = '{ONE}'",
    f"UPDATE requests SET state = 'used' WHERE id = '{THREE}'",
    "UPDATE break_glass SET finding = 'justified', reviewed_at = 5",
    "UPDATE petitions SET state = 'upheld', answered_by = 'p', sealed_note = x'00', guard = x'01' WHERE id = 'new'",
    "UPDATE petitions SET key_id = 'l', wrapped_key = x'02' WHERE id = 'old'",
    "UPDATE petitions SET key_id = 'l', wrapped_key = x'02' WHERE id = 'new'",
    f"UPDATE holds SET state = 'confirmed', settled_at = 5 WHERE id = '{ONE}'",
    f"UPDATE provisions SET state = 'left', names = x'01', version = 2, user_tag = x'02' WHERE id = '{ONE}'",
    f"UPDATE holds SET state = 'ended', settled_at = 5 WHERE id = '{TWO}'",
    "UPDATE tallies SET tags = x'00', day = 101 WHERE label = x'01'",
    "DELETE FROM tallies WHERE label = x'00'",  # a month before the newest
    "UPDATE ledger_body SET sealed = NULL, erased_at = 5 WHERE i = 0",
    "UPDATE ledger_head SET n = 3, last_ms = 10",
    "INSERT INTO ledger_leaf VALUES (2, x'02')",
    "UPDATE principals SET roles = 'approver reader subject' WHERE sub = 'hr'",
    "UPDATE principals SET roles = 'auditor enroller reader security_admin' WHERE sub = 'dev'",
    f"UPDATE principals SET person_tag = {_PERSON}, roles = 'approver subject' WHERE sub = 'p'",
    f"UPDATE principals SET person_tag = {_PERSON} WHERE sub = 'dev'",
    "UPDATE principals SET person_tag = x'06', roles = 'auditor' WHERE sub = 'p'",
)


TABLES = (
    "principals",
    "ledger_leaf",
    "ledger_body",
    "ledger_head",
    "tallies",
    "requests",
    "request_decisions",
    "break_glass",
    "holds",
    "provisions",
    "petitions",
    "erasures",
    "revocations",
    "used_names",
    "units",
    "case_parts",
    "requests",
    "request_decisions",
)
TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    upgrade(url)
    engine = open_engine(url).execution_options(write=True)
    with engine.connect() as opened:
        for index in (0, 1):
            run(opened, "INSERT INTO ledger_leaf VALUES (?, x'01')", index)
            run(
                opened,
                "INSERT INTO ledger_body (i, event, key_epoch, sealed) VALUES (?, ?, 1, ?)",
                index,
                f"{EVENT[1:]}{index}",
                b"\x01" if index == 0 else None,
            )
        run(opened, "INSERT INTO ledger_head VALUES (1, 1, 2, x'', zeroblob(32), '', 10, 0)")
        for label, day in ((b"\x00", 60), (b"\x01", 100)):
            run(opened, "INSERT INTO tallies VALUES (?, ?, x'', x'')", label, day)
        for sub, issuer, roles in (
            ("hr", "https://sign-in.example", "enroller"),
            ("dev", "https://registry.invalid/development", "enroller reader"),
        ):
            values = (sub.rjust(32, "0"), issuer, sub, roles, b"\x00")
            run(opened, f"{_PRINCIPAL} VALUES (?, ?, ?, ?, '', 'active', 0, ?)", *values)
        run(opened, f"UPDATE principals SET person_tag = {_PERSON} WHERE sub = 'hr'")
        run(opened, f"{_PRINCIPAL} VALUES ('{ONE}', 'i', 's', '', '', 'active', 0, x'')")
        for request in (ONE, TWO):
            run(opened, f"INSERT INTO requests VALUES ('{request}', '{ONE}', x'', 5, 1, 0, 'pending', 0, 9, x'')")
        run(opened, f"INSERT INTO requests VALUES ('{THREE}', '{ONE}', x'', 5, 1, 0, 'approved', 0, 9, x'')")
        run(opened, f"INSERT INTO request_decisions VALUES ('{ONE}', '{ONE}', 'refuse', 0, 0, x'')")
        run(opened, f"INSERT INTO break_glass VALUES ('{ONE}', '{ONE}', x'', 'phone', 6, 0, 9, 9, '', NULL, NULL, x'')")
        run(opened, f"{_PRINCIPAL} VALUES ('p', 'i', 'p', '', '', 'active', 0, x'')")
        for identifier, state in (("new", "open"), ("old", "upheld")):
            row = "(?, 'dispute', 'p', 1, ?, NULL, 'k', x'01', x'01', x'01', NULL, NULL, x'')"
            run(opened, f"INSERT INTO petitions VALUES {row}", identifier, state)
        row = "('empty', 'dispute', 'p', 1, 'erased', NULL, 'k', x'', x'', x'', NULL, NULL, x'')"
        run(opened, f"INSERT INTO petitions VALUES {row}")
        run(opened, "INSERT INTO erasures VALUES (3, 5, x'')")
        newest = 2 * KEPT_MS + 1_000  # it was made when the middle one had one more millisecond
        for label, until in ((b"\x00", KEPT_MS + 999), (b"\x01", KEPT_MS + 1_000), (b"\x02", newest)):
            run(opened, "INSERT INTO revocations VALUES (?, 5, ?, x'')", label, until)
        for label, until in ((b"\x00", time.time() - 60), (b"\x01", time.time() + 3_600)):
            run(opened, "INSERT INTO used_names VALUES (?, ?)", label, int(until * 1_000))
        for unit, tag, version in ((ONE, "x'01'", 1), (TWO, "NULL", 2)):
            run(opened, f"INSERT INTO units VALUES ('{unit}', {tag}, NULL, {version}, 0, 0, x'', x'')")
        sealed = f"'{ONE}', '{ONE}', x'', x'', x'', x'', 1, 'active', 1, x'', 0, 0, x'', NULL, 1"
        run(opened, f"INSERT INTO subjects VALUES ({sealed})")
        run(opened, f"INSERT INTO persons VALUES ('{ONE}', '{ONE}', x'', 'k', x'', x'')")
        for provision, tag, state in ((ONE, "x'01'", "employed"), (THREE, "NULL", "removed")):
            row = f"'{provision}', '{ONE}', '{ONE}', {tag}, NULL, '{state}', 1, 0, 0, x'', x'', x''"
            run(opened, f"INSERT INTO provisions VALUES ({row})")
        run(opened, f"INSERT INTO traces VALUES ('{ONE}', '{ONE}', 0, 'k', x'', x'', x'')")
        for part, sealed in ((3, "x'01'"), (4, "x''")):
            run(opened, f"INSERT INTO case_parts VALUES ('{ONE}', {part}, 'reply', 0, {sealed}, 7)")
        for hold, state, since in ((ONE, "pending", "NULL"), (TWO, "confirmed", "NULL"), (THREE, "confirmed", "5")):
            row = f"'{hold}', '{ONE}', 7, '{state}', 0, 9, NULL, NULL, x'', NULL, {since}"
            run(opened, f"INSERT INTO holds VALUES ({row})")
        yield opened
    engine.dispose()


def run(connection: Connection, statement: str, *values: object) -> int:
    """Run a statement as somebody with a connection would, and return how many rows it touched."""
    if connection.dialect.name == "postgresql":
        statement = translated(statement)
    return connection.exec_driver_sql(statement, values).rowcount


def on_both(*statements: str) -> list[tuple[str, str]]:
    return [(engine, statement) for engine in REFUSED for statement in statements]


@pytest.mark.parametrize(
    ("url", "statement"),
    [
        *(("sqlite", statement) for statement in ON_SQLITE.values()),
        *(("postgresql", statement) for statement in (*ON_POSTGRESQL.values(), *ONLY_ON_POSTGRESQL)),
        *on_both(*ALSO_REFUSED),
    ],
    indirect=["url"],
)
def test_a_change_is_refused(connection: Connection, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"append-only|only grows|only an opening|conflicting roles"):
        run(connection, statement)


@pytest.mark.parametrize("statement", ALLOWED)
def test_growth_and_the_removal_of_an_opening_are_allowed(connection: Connection, statement: str) -> None:
    assert run(connection, statement) == 1


@pytest.mark.parametrize(
    ("url", "trigger", "statement"),
    [(engine, trigger, statement) for engine, each in REFUSED.items() for trigger, statement in each.items()],
    indirect=["url"],
)
def test_it_is_the_trigger_that_refuses(connection: Connection, trigger: str, statement: str) -> None:
    table = max((name for name in TABLES if trigger.startswith(name)), key=len)
    run(connection, f"DROP TRIGGER {trigger}" + (f" ON {table}" if connection.dialect.name == "postgresql" else ""))
    assert run(connection, statement) != 0  # -1: TRUNCATE does not count


def test_no_trigger_is_without_a_test(connection: Connection) -> None:
    engine = connection.dialect.name
    assert set(connection.exec_driver_sql(TRIGGERS[engine]).scalars()) == {*REFUSED[engine], *LEFT_OUT[engine]}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_used_name_is_not_replaced_by_one_that_has_ended(connection: Connection) -> None:
    ended = "SELECT count(*) FROM used_names WHERE label = x'01' AND until = 0"
    ((trigger, statement),) = LEFT_OUT["sqlite"].items()
    run(connection, statement)
    assert connection.exec_driver_sql(ended).scalar_one() == 0
    run(connection, f"DROP TRIGGER {trigger}")
    run(connection, statement)
    assert connection.exec_driver_sql(ended).scalar_one() == 1
