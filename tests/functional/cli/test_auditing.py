"""audit verify finds every change of the stored ledger and names the first bad entry; checkpoint; verify-bundle."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.audit.verify import CHUNK
from registry.bootstrap import opened
from registry.cli.auditing import verify_ledger, verify_tree
from registry.cli.demo.people import make_people
from registry.domain.errors import LedgerCorrupt
from registry.services.other_process import OtherProcess
from registry.settings import load_settings
from registry.transparency.offline import verify_bundle as offline
from tests.functional.cli.conftest import PEOPLE, Line
from tests.unit.transparency.cosigners import ed25519

Act = Callable[[sqlite3.Connection], object]
TARGET = 7  # an entry in the middle: the enrollment of one of the people


def unguarded(home: Path) -> sqlite3.Connection:
    """Open the file as somebody has it who stole or runs the machine: no triggers."""
    connection = sqlite3.connect(home / "registry.db", isolation_level=None)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    return connection


def flip(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def flip_cell(table: str, column: str, at: float) -> Act:
    def act(sql: sqlite3.Connection) -> None:
        (raw,) = sql.execute(f"SELECT {column} FROM {table} WHERE i = {TARGET}").fetchone()
        changed = flip(raw, int(at * (len(raw) - 1)))
        sql.execute(f"UPDATE {table} SET {column} = ? WHERE i = {TARGET}", (changed,))

    return act


def run(*statements: str) -> Act:
    def act(sql: sqlite3.Connection) -> None:
        for statement in statements:
            sql.execute(statement)

    return act


def shift_down(sql: sqlite3.Connection) -> None:
    """Delete an entry and renumber what comes behind it."""
    for table in ("ledger_leaf", "ledger_body"):
        sql.execute(f"DELETE FROM {table} WHERE i = {TARGET}")
        sql.execute(f"UPDATE {table} SET i = -i WHERE i > {TARGET}")
        sql.execute(f"UPDATE {table} SET i = -i - 1 WHERE i < 0")


def swap(*tables: str) -> Act:
    return run(
        *(
            f"UPDATE {table} SET i = {after} WHERE i = {before}"
            for table in tables
            for before, after in ((TARGET, -1), (TARGET + 1, TARGET), (-1, TARGET + 1))
        )
    )


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(flip_cell("ledger_leaf", "leaf", 0), id="first byte of a leaf"),
        pytest.param(flip_cell("ledger_leaf", "leaf", 0.5), id="a byte of a leaf"),
        pytest.param(flip_cell("ledger_leaf", "leaf", 1), id="last byte of a leaf"),
        pytest.param(flip_cell("ledger_body", "sealed", 0), id="first byte of an opening"),
        pytest.param(flip_cell("ledger_body", "sealed", 0.5), id="a byte of an opening"),
        pytest.param(flip_cell("ledger_body", "sealed", 1), id="last byte of an opening"),
        pytest.param(run(f"UPDATE ledger_body SET event = 'f{'0' * 31}' WHERE i = {TARGET}"), id="another event id"),
        pytest.param(run(f"UPDATE ledger_body SET key_epoch = 9 WHERE i = {TARGET}"), id="another key epoch"),
        pytest.param(run(f"DELETE FROM ledger_leaf WHERE i = {TARGET}"), id="a leaf deleted"),
        pytest.param(run(f"DELETE FROM ledger_body WHERE i = {TARGET}"), id="an opening's row deleted"),
        pytest.param(
            run(f"DELETE FROM ledger_body WHERE i = {TARGET}", f"DELETE FROM ledger_leaf WHERE i = {TARGET}"),
            id="an entry deleted",
        ),
        pytest.param(shift_down, id="an entry deleted, the rest renumbered"),
        pytest.param(swap("ledger_leaf", "ledger_body"), id="two entries swapped"),
        pytest.param(swap("ledger_leaf"), id="two leaves swapped"),
        pytest.param(swap("ledger_body"), id="two openings swapped"),
        pytest.param(
            run(f"DELETE FROM ledger_leaf WHERE i >= {TARGET}", f"DELETE FROM ledger_body WHERE i >= {TARGET}"),
            id="the tail cut",
        ),
    ],
)
def test_the_first_bad_entry_is_named(used: Line, act: Act) -> None:
    act(unguarded(used.home))
    told = used.json("audit", "verify", exits=1)
    assert (told["verified"], told["entry"]) == (False, TARGET)
    refused = used("audit", "verify", exits=1)
    assert refused.stderr.startswith(f"The ledger does NOT verify. Entry {TARGET}: ")
    assert refused.stdout == ""


def lose_posting(sql: sqlite3.Connection) -> None:
    (label,) = sql.execute("SELECT label FROM ledger_postings LIMIT 1 OFFSET 5").fetchone()
    sql.execute("DELETE FROM ledger_postings WHERE label = ?", (label,))


def change_posting(sql: sqlite3.Connection) -> None:
    label, value = sql.execute("SELECT label, value FROM ledger_postings LIMIT 1 OFFSET 5").fetchone()
    sql.execute("UPDATE ledger_postings SET value = ? WHERE label = ?", (flip(value, 9), label))


@pytest.mark.parametrize("act", [lose_posting, change_posting])
def test_the_entry_of_a_bad_posting_is_named(used: Line, act: Act) -> None:
    people = make_people(PEOPLE)
    act(unguarded(used.home))
    told = used.json("audit", "verify", exits=1)
    assert "posting" in told["what"]
    size = used_size(used)
    assert 0 < told["entry"] < size
    assert len(people) * 3 < size


def test_a_row_of_the_blind_index_that_is_gone_is_found(used: Line) -> None:
    unguarded(used.home).execute("DELETE FROM postings WHERE label = (SELECT max(label) FROM postings)")
    assert "blind index" in used.json("audit", "verify", exits=1)["what"]


def used_size(line: Line) -> int:
    return int(line.json("audit", "checkpoint")["checkpoint"].splitlines()[1])


def forget_subject(sql: sqlite3.Connection) -> None:
    sql.execute("PRAGMA foreign_keys = OFF")
    sql.execute("DELETE FROM subjects WHERE id = (SELECT id FROM subjects LIMIT 1)")


def roll_back_chain(sql: sqlite3.Connection) -> None:
    one, other = sql.execute("SELECT id FROM subjects LIMIT 2").fetchall()
    sql.execute("UPDATE subjects SET chain = (SELECT chain FROM subjects WHERE id = ?) WHERE id = ?", other + one)


def append_behind_the_head(sql: sqlite3.Connection) -> None:
    sql.execute(f"INSERT INTO ledger_leaf SELECT 1000, leaf FROM ledger_leaf WHERE i = {TARGET}")


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (forget_subject, "the row of its subject is missing"),
        (roll_back_chain, "the chain state of a subject was changed"),
        (append_behind_the_head, "it stands beyond the head"),
        (run("UPDATE ledger_head SET root = zeroblob(32)"), "head's root"),
        (run("UPDATE ledger_head SET edge = zeroblob(length(edge))"), "head's edge"),
        (run("UPDATE ledger_head SET checkpoint = replace(checkpoint, '=', '+')"), "checkpoint"),
        (run("UPDATE ledger_head SET n = n - 1"), "head"),
        (run("UPDATE ledger_head SET n = n + 1"), "it is missing"),
        (run("UPDATE ledger_head SET last_ms = 0"), "time"),
    ],
)
def test_what_stands_beside_the_entries_is_checked_too(used: Line, act: Act, what: str) -> None:
    act(unguarded(used.home))
    told = used.json("audit", "verify", exits=1)
    assert what in told["what"]


def test_the_tree_alone_is_checked_when_asked_for(used: Line) -> None:
    told = used.json("audit", "verify", "--tree")
    whole = used.json("audit", "verify")
    assert (told["verified"], told["checked"], whole["checked"]) == (True, "tree", "everything")
    assert (told["size"], told["root"]) == (whole["size"], whole["root"])
    assert "not checked: what entries say" in used("audit", "verify", "--tree").stdout
    sql = unguarded(used.home)
    run("UPDATE ledger_body SET sealed = zeroblob(300) WHERE i = 3")(sql)
    assert used.json("audit", "verify", "--tree")["verified"] is True
    assert used.json("audit", "verify", exits=1)["entry"] == 3
    append_behind_the_head(sql)
    assert "it stands beyond the head" in used.json("audit", "verify", "--tree", exits=1)["what"]
    run("DELETE FROM ledger_leaf WHERE i = 4")(sql)
    assert used.json("audit", "verify", "--tree", exits=1)["entry"] == 4


def test_a_sound_ledger(used: Line) -> None:
    told = used.json("audit", "verify")
    assert (told["verified"], told["subjects"]) == (True, PEOPLE)
    assert told["size"] == used_size(used)
    assert used("audit", "verify", "--workers", "2").stdout.startswith(f"{told['size']} entries verified")


def test_a_removed_opening_is_named(used: Line) -> None:
    unguarded(used.home).execute(f"UPDATE ledger_body SET sealed = NULL WHERE i = {TARGET}")
    told = used.json("audit", "verify", exits=1)
    assert told["entry"] == TARGET
    assert "opening was removed" in told["what"]


def test_another_profile_than_the_first_entry_says(used: Line) -> None:
    unguarded(used.home).execute("UPDATE registry_meta SET value = 'production' WHERE name = 'profile'")
    told = used.json("audit", "verify", exits=1)
    assert told["entry"] == 0
    assert "profile" in used("principal", "list", exits=3).stderr


@pytest.fixture
def long(line: Line) -> Line:
    """Give a ledger of more than two runs of entries."""
    with opened(load_settings(line.home, {})) as application:
        for _ in range(3):
            drafts = [EntryDraft(Kind.AUDIT_READ, {"detail": "filler"}) for _ in range(CHUNK - 500)]
            with application.database.write() as work:
                application.kernel.log.append(work.ledger, drafts)
                work.commit()
    return line


def test_several_processes_find_the_same(long: Line) -> None:
    with opened(load_settings(long.home, {})) as application:
        alone = verify_ledger(application, 1)
        together = verify_ledger(application, 2, parallel_from=1)
        tree = [verify_tree(application, workers, parallel_from=1) for workers in (1, 2)]
    assert together == alone
    assert tree[0] == tree[1]
    assert tree[0].root == alone.root
    assert alone.size > 2 * CHUNK


def test_several_processes_name_the_first_of_two_bad_entries(long: Line) -> None:
    first, second = 700, CHUNK + 700
    sql = unguarded(long.home)
    for index in (second, first):
        (raw,) = sql.execute("SELECT sealed FROM ledger_body WHERE i = ?", (index,)).fetchone()
        sql.execute("UPDATE ledger_body SET sealed = ? WHERE i = ?", (flip(raw, 40), index))
    sql.close()
    with opened(load_settings(long.home, {})) as application:
        for workers in (1, 2):
            with pytest.raises(LedgerCorrupt) as found:
                verify_ledger(application, workers, parallel_from=1)
            assert found.value.entry == first


def test_several_processes_name_the_first_of_two_bad_leaves(long: Line) -> None:
    first, second = 700, CHUNK + 700
    sql = unguarded(long.home)
    for index in (second, first):
        (raw,) = sql.execute("SELECT leaf FROM ledger_leaf WHERE i = ?", (index,)).fetchone()
        sql.execute("UPDATE ledger_leaf SET leaf = ? WHERE i = ?", (raw + b"\n", index))
    sql.close()
    with opened(load_settings(long.home, {})) as application:
        for workers in (1, 2):
            with pytest.raises(LedgerCorrupt, match="canonical") as found:
                verify_tree(application, workers, parallel_from=1)
            assert found.value.entry == first
    assert not active_children()


def test_runs_of_a_process_that_was_ended_are_checked_here(long: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    hands: list[OtherProcess[object]] = []
    started = OtherProcess.__init__

    def start_and_end(hand: OtherProcess[object], *given: Any) -> None:
        started(hand, *given)
        hands.append(hand)
        hand.end()

    with opened(load_settings(long.home, {})) as application:
        alone = verify_tree(application, 1)
        monkeypatch.setattr(OtherProcess, "__init__", start_and_end)
        assert verify_tree(application, 3, parallel_from=1) == alone
    assert len(hands) == 2


def test_the_checkpoint_is_signed_by_the_key_it_comes_with(used: Line) -> None:
    told = used.json("audit", "checkpoint")
    assert used("audit", "checkpoint").stdout == told["checkpoint"]
    assert told["vkey"].startswith(told["checkpoint"].splitlines()[0])


@pytest.fixture
def bundle(used: Line, tmp_path: Path) -> tuple[Line, Path, str]:
    path = tmp_path / "evidence.zip"
    used("trace", "-", "--evidence", path, stdin=make_people(PEOPLE)[0].cells["mobile_phone"])
    return used, path, used.json("audit", "checkpoint")["vkey"]


def test_a_bundle_verifies_without_a_registry(bundle: tuple[Line, Path, str], tmp_path: Path) -> None:
    line, path, vkey = bundle
    (tmp_path / "key").write_text(f"{vkey}\n")
    line.environment["REGISTRY_HOME"] = str(tmp_path / "none")
    told = line.json("verify-bundle", path, "--key-file", tmp_path / "key")
    assert told["verified"] is True
    assert told["problems"] == []
    assert told["gaps"] == []
    assert "VERIFIED" in line("verify-bundle", path, "--key", vkey).stdout
    assert told["size"] == offline.verify(path.read_bytes(), vkey).size


def test_a_bundle_verifies_by_a_policy(bundle: tuple[Line, Path, str], tmp_path: Path) -> None:
    line, path, vkey = bundle
    trusted, w = tmp_path / "trusted.policy", ed25519("union.example/w", 3)
    trusted.write_text(f"log {vkey}\nquorum none\n")
    assert line.json("verify-bundle", path, "--policy", trusted)["verified"] is True
    trusted.write_text(f"log {vkey}\nwitness union {w.vkey}\nquorum union\n")
    (problem,) = line.json("verify-bundle", path, "--policy", trusted, exits=1)["problems"]
    assert "not enough witnesses" in problem
    trusted.write_text("quorum union\n")
    assert "not a policy" in line("verify-bundle", path, "--policy", trusted, exits=2).stderr


def test_a_changed_bundle_is_refused(bundle: tuple[Line, Path, str]) -> None:
    line, path, vkey = bundle
    raw = path.read_bytes()
    path.write_bytes(flip(raw, len(raw) // 2))
    assert line.json("verify-bundle", path, "--key", vkey, exits=1)["problems"]
    assert "REFUSED" in line("verify-bundle", path, "--key", vkey, exits=1).stdout


def test_a_bundle_of_another_ledger_is_refused(bundle: tuple[Line, Path, str], tmp_path: Path) -> None:
    line, path, _ = bundle
    line("init", "--home", tmp_path / "other")
    vkey = line.json("audit", "checkpoint", "--home", tmp_path / "other")["vkey"]
    assert line.json("verify-bundle", path, "--key", vkey, exits=1)["verified"] is False


def test_a_bundle_needs_a_key_from_elsewhere(bundle: tuple[Line, Path, str], tmp_path: Path) -> None:
    line, path, vkey = bundle
    assert "--key or --key-file" in line("verify-bundle", path, exits=2).stderr
    assert "not a verifier key" in line("verify-bundle", path, "--key", "attic", exits=2).stderr
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    assert "not a verifier key" in line("verify-bundle", path, "--key-file", tmp_path / "key", exits=2).stderr
    both = line("verify-bundle", path, "--key", vkey, "--key-file", tmp_path / "key", exits=2)
    assert "--key or --key-file" in both.stderr
    assert "BUNDLE" in line("verify-bundle", "nowhere.zip", "--key", vkey, exits=2).stderr
