"""Kinds of tampering, each done to a registry that was lived in, and the check that finds it, by its own words.

Where what outsiders read is tampered with, two programs that are not ours must refuse it as well.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import metamorphic_log
import pytest
from tlog_scales.tlog import InclusionProof, InclusionProofInvalid

from registry.bootstrap import opened
from registry.transparency._codec import base64_bytes, base64_text
from registry.transparency.leaf import leaf_hash
from tests.architecture.source import ROOT
from tests.fakes.clock import TestClock
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home
from tests.functional.services.tampered import (
    CHANGED,
    OLDER,
    SIZE,
    Scene,
    by_bundle,
    by_comparing,
    by_fsck,
    by_next_entry,
    by_publisher,
    by_start,
    by_verify,
    by_witness,
    copy_of,
    lived_in,
    rebuilt,
    resealed,
    stolen_note,
    tree_of,
)
from tests.unit.transparency.bundles import sealed_anew
from tests.unit.transparency.support import Signer

AT = 120
_L = 2**252 + 27742317777372353535851937790883648493


@dataclass(frozen=True)
class Tampering:
    """What is done, which check finds it and in which words; ``index`` of the leaf that others are shown."""

    act: Callable[[Scene], None]
    check: Callable[[Scene], str]
    words: str
    index: int | None = None


def run(*statements: str) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        with scene.sql() as sql:
            for statement in statements:
                sql.execute(statement)

    return act


def leaf_with(change: Callable[[bytes], bytes]) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        changed = change(scene.rows()[AT])
        with scene.sql() as sql:
            sql.execute("UPDATE ledger_leaf SET leaf = ? WHERE i = ?", (changed, AT))

    return act


def commitment_with_a_flipped_bit(leaf: bytes) -> bytes:
    lines = leaf.decode().split("\n")
    raw = bytearray(base64_bytes(lines[3]) or b"")
    raw[7] ^= 1
    return "\n".join([*lines[:3], base64_text(bytes(raw)), ""]).encode()


def minute_later(leaf: bytes) -> bytes:
    lines = leaf.decode().split("\n")
    return "\n".join([lines[0], str(int(lines[1]) + 60_000), *lines[2:]]).encode()


def of_another_kind(leaf: bytes) -> bytes:
    return leaf.replace(b"\noutcome\n", b"\ndeny\n")


def shifted(table: str, by: int, above: int) -> tuple[str, str]:
    """Renumber rows: first out of the way, so that no two have one number meanwhile."""
    away = 1_000_000
    return (
        f"UPDATE {table} SET i = i + {away} WHERE i > {above}",
        f"UPDATE {table} SET i = i - {away} + {by} WHERE i > {away}",
    )


RENUMBERED = (
    f"DELETE FROM ledger_leaf WHERE i = {AT}",
    f"DELETE FROM ledger_body WHERE i = {AT}",
    *shifted("ledger_leaf", -1, AT),
    *shifted("ledger_body", -1, AT),
)
SLIPPED_IN = (
    *shifted("ledger_leaf", 1, AT - 1),
    *shifted("ledger_body", 1, AT - 1),
    f"INSERT INTO ledger_leaf SELECT {AT}, leaf FROM ledger_leaf WHERE i = {AT + 1}",
    f"INSERT INTO ledger_body SELECT {AT}, '{'f' * 32}', key_epoch, sealed, NULL FROM ledger_body WHERE i = {AT + 1}",
)


def swapped(table: str, column: str) -> tuple[str, ...]:
    one, other = f"(SELECT {column} FROM {table} WHERE i = {AT})", f"(SELECT {column} FROM {table} WHERE i = {AT + 1})"
    return (
        f"CREATE TEMP TABLE kept AS SELECT {one} AS a, {other} AS b",
        f"UPDATE {table} SET {column} = (SELECT b FROM kept) WHERE i = {AT}",
        f"UPDATE {table} SET {column} = (SELECT a FROM kept) WHERE i = {AT + 1}",
    )


def older_database(scene: Scene) -> None:
    shutil.copy(scene.older / "registry.db", scene.path / "registry.db")
    for left in scene.path.glob("registry.db-*"):
        left.unlink()


def older_head(scene: Scene) -> None:
    """Cut the tail off, and put the rightly signed head of before back."""
    with scene.sql() as sql:
        sql.execute("ATTACH ? AS older", (str(scene.older / "registry.db"),))
        sql.execute("DELETE FROM ledger_leaf WHERE i >= ?", (OLDER,))
        sql.execute("DELETE FROM ledger_body WHERE i >= ?", (OLDER,))
        sql.execute("DELETE FROM main.ledger_head")
        sql.execute("INSERT INTO main.ledger_head SELECT * FROM older.ledger_head")


def other_history(size: int) -> Callable[[Scene], None]:
    """Write the last entries anew with database, key, mark and tiles in hand, to some size."""

    def act(scene: Scene) -> None:
        rebuilt(scene, SIZE - 20)
        with opened(scene.settings, TestClock()) as application:
            grow(Home(application, TestClock()), size)
        shutil.rmtree(scene.path / "ledger" / "witness", ignore_errors=True)

    return act


def two_faces(scene: Scene) -> None:
    scene.shown.append(scene.published.note.split("\n")[2])
    other_history(SIZE)(scene)
    with scene.looked_at() as application:
        note = application.tiles.publisher.publish().note
    assert note.split("\n")[1] == str(SIZE)
    scene.shown.append(note.split("\n")[2])


def count_of_before(scene: Scene) -> None:
    with scene.sql() as sql:
        sql.execute("ATTACH ? AS older", (str(scene.older / "registry.db"),))
        sql.execute("UPDATE subjects SET chain = (SELECT chain FROM older.subjects s WHERE s.id = subjects.id)")


def head_with_root(scene: Scene) -> None:
    with scene.sql() as sql:
        sql.execute("UPDATE ledger_head SET root = zeroblob(32)")


def head_with_edge(scene: Scene) -> None:
    with scene.sql() as sql:
        (edge,) = sql.execute("SELECT edge FROM ledger_head").fetchone()
        sql.execute("UPDATE ledger_head SET edge = ?", (bytes([edge[0] ^ 1]) + edge[1:],))


def rows_and_head_without_the_key(scene: Scene) -> None:
    """Change a leaf, and make edge, root and the text of the checkpoint fit; the signature cannot."""
    leaf_with(minute_later)(scene)
    root = tree_of(scene.rows()).root()
    with scene.sql() as sql:
        (note,) = sql.execute("SELECT checkpoint FROM ledger_head").fetchone()
        lines = note.split("\n")
        lines[2] = base64_text(root)
        sql.execute("UPDATE ledger_head SET root = ?, checkpoint = ?", (root, "\n".join(lines)))


def former_key_in_the_head(scene: Scene) -> None:
    with scene.sql() as sql:
        sql.execute("UPDATE ledger_head SET checkpoint = ?", (stolen_note(scene, SIZE),))


def term_with_another_size(scene: Scene) -> None:
    (path,) = (scene.path / "keys").glob("ledger-*.term")
    path.write_bytes(path.read_bytes().replace(f"size: {CHANGED + 1}".encode(), f"size: {SIZE}".encode()))


def mark_of_before(scene: Scene) -> None:
    shutil.copy(scene.older / "ledger" / "high-water", scene.path / "ledger" / "high-water")
    older_database(scene)


def flipped_file(name: str, at: int = 40) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        path = scene.path / "ledger" / name
        raw = bytearray(path.read_bytes())
        raw[at] ^= 1
        path.write_bytes(raw)

    return act


def tile_of_a_longer_ledger(scene: Scene) -> None:
    tiles = scene.path / "ledger" / "tiles"
    shutil.copy(tiles / "0" / "000", tiles / "0" / "001")


def opening_of_another(scene: Scene) -> None:
    one, other, _ = scene.lookups
    members = scene.members()
    document = json.loads(members[f"entries/{other}.open.json"])
    document |= {"index": one, "leaf_sha256": json.loads(members[f"entries/{one}.open.json"])["leaf_sha256"]}
    resealed(scene, f"entries/{one}.open.json", (json.dumps(document, indent=1) + "\n").encode())


def salt_changed(scene: Scene) -> None:
    name = f"entries/{scene.lookups[0]}.open.json"
    document = json.loads(scene.members()[name])
    salt = document["fields"]["purpose"]["salt"]
    document["fields"]["purpose"]["salt"] = salt[:-1] + ("0" if salt[-1] != "0" else "1")
    resealed(scene, name, (json.dumps(document, indent=1) + "\n").encode())


def value_changed(scene: Scene) -> None:
    name = f"entries/{scene.lookups[0]}.open.json"
    document = json.loads(scene.members()[name])
    document["fields"]["purpose"]["value"] = "payroll"
    resealed(scene, name, (json.dumps(document, indent=1) + "\n").encode())


def proof_changed(scene: Scene) -> None:
    name = f"entries/{scene.lookups[0]}.tlog-proof"
    lines = scene.members()[name].split(b"\n")
    lines[3], lines[4] = lines[4], lines[3]
    resealed(scene, name, b"\n".join(lines))


def middle_left_out(scene: Scene) -> None:
    members = {
        name: data
        for name, data in scene.members().items()
        if not name.startswith(f"entries/{scene.lookups[1]}.") and name != "manifest.sha256"
    }
    scene.bundle = sealed_anew(members)


def checkpoint_with(change: Callable[[Scene, str], str]) -> Callable[[Scene], None]:
    """Put another checkpoint into the bundle, and into every proof of it."""

    def act(scene: Scene) -> None:
        members = scene.members()
        before = members["checkpoint"].decode()
        after = change(scene, before)
        assert after != before
        scene.bundle = sealed_anew(
            {
                name: data.replace(before.encode(), after.encode()) if name.startswith("entries/") else data
                for name, data in members.items()
            }
            | {"checkpoint": after.encode()}
        )

    return act


def signed_twice(_: Scene, note: str) -> str:
    return note + note.split("\n\n")[1].split("\n", maxsplit=1)[0] + "\n"


def with_another_s(_: Scene, note: str) -> str:
    """Add the group's order to the signature's second half: the same statement, another spelling."""
    line = note.split("\n\n")[1].split("\n", maxsplit=1)[0]
    raw = base64_bytes(line.split(" ")[2]) or b""
    s = int.from_bytes(raw[36:68], "little") + _L
    return note.replace(line, f"{' '.join(line.split(' ')[:2])} {base64_text(raw[:36] + s.to_bytes(32, 'little'))}")


def key_of_its_own(scene: Scene) -> None:
    """State another key in the bundle: who takes keys from there would be convinced of anything."""
    name = scene.published.checkpoint.origin
    resealed(scene, "policy", scene.members()["policy"].replace(name.encode(), b"registry.invalid/other/e1"))
    scene.vkey = Signer.named(name, b"\x09" * 32).vkey


LEAF = f"entry {AT}: its opening was changed or belongs to another entry"
TAMPERINGS: dict[str, Tampering] = {
    # the database's rows
    "a bit of a commitment is flipped": Tampering(leaf_with(commitment_with_a_flipped_bit), by_verify, LEAF, AT),
    "the time of an entry is changed": Tampering(leaf_with(minute_later), by_verify, LEAF, AT),
    "the kind of an entry is changed": Tampering(leaf_with(of_another_kind), by_verify, LEAF, AT),
    "two leaves are exchanged": Tampering(run(*swapped("ledger_leaf", "leaf")), by_verify, LEAF, AT),
    "two openings are exchanged": Tampering(run(*swapped("ledger_body", "sealed")), by_verify, LEAF),
    "an opening is removed": Tampering(
        run(f"UPDATE ledger_body SET sealed = NULL WHERE i = {AT}"), by_verify, f"entry {AT}: its opening was removed"
    ),
    "an entry is deleted": Tampering(
        run(f"DELETE FROM ledger_leaf WHERE i = {AT}"), by_verify, f"entry {AT}: it is missing"
    ),
    "an entry is deleted and the rest renumbered": Tampering(run(*RENUMBERED), by_verify, LEAF, AT),
    "an entry is slipped in": Tampering(run(*SLIPPED_IN), by_verify, "its event id differs"),
    "an entry is put behind the head": Tampering(
        run(f"INSERT INTO ledger_leaf SELECT {SIZE}, leaf FROM ledger_leaf WHERE i = {AT}"),
        by_verify,
        f"entry {SIZE}: it stands beyond the head",
    ),
    "an event id is changed": Tampering(
        run(f"UPDATE ledger_body SET event = '{'e' * 32}' WHERE i = {AT}"), by_verify, "its event id differs"
    ),
    "a subject's posting is deleted": Tampering(
        run("DELETE FROM ledger_postings WHERE label = (SELECT max(label) FROM ledger_postings)"), by_verify, "posting"
    ),
    "a subject's count is put back": Tampering(count_of_before, by_verify, "not as many as the sealed state counts"),
    # the head
    "the head's root is changed": Tampering(head_with_root, by_next_entry, "head_mismatch"),
    "the head's edge is changed": Tampering(head_with_edge, by_next_entry, "head_mismatch"),
    "rows and head are rewritten without the key": Tampering(
        rows_and_head_without_the_key, by_next_entry, "head_mismatch"
    ),
    "the head is signed with a former key": Tampering(former_key_in_the_head, by_next_entry, "head_mismatch"),
    "the tail is cut and the head of before put back": Tampering(older_head, by_start, "it is an older state"),
    "an older copy of the database is put back": Tampering(older_database, by_start, "it is an older state"),
    "a leaf is changed before it is published": Tampering(leaf_with(minute_later), by_publisher, "it is not the one"),
    # what is kept beside it
    "the high-water mark is deleted": Tampering(
        lambda scene: (scene.path / "ledger" / "high-water").unlink(), by_start, "there is no high-water mark"
    ),
    "the high-water mark is changed": Tampering(flipped_file("high-water"), by_start, "the high-water mark is damaged"),
    "what is kept of a former key is changed": Tampering(term_with_another_size, by_start, "checksum does not fit"),
    "a tile is changed": Tampering(flipped_file("tiles/0/000"), by_fsck, "tiles: not as the leaves give them"),
    "a tile of a longer ledger is put there": Tampering(tile_of_a_longer_ledger, by_fsck, "tiles: of no tree"),
    "the cosigned checkpoint is changed": Tampering(flipped_file("witness/cosigned", 60), by_fsck, "witness: "),
    # everything on the machine, with the key
    "database and mark are put back together": Tampering(mark_of_before, by_witness, "rolled_back"),
    "history is rewritten to a shorter one": Tampering(other_history(SIZE - 10), by_witness, "rolled_back"),
    "history is rewritten to one as long": Tampering(other_history(SIZE), by_witness, "forked"),
    "history is rewritten to a longer one": Tampering(other_history(SIZE + 30), by_witness, "forked"),
    "two faces are shown": Tampering(two_faces, by_comparing, "two roots of one size"),
    # evidence
    "an opening is that of another entry": Tampering(opening_of_another, by_bundle, "not what the ledger committed to"),
    "a salt is changed": Tampering(salt_changed, by_bundle, "field purpose: the opened value is not what"),
    "an opened value is changed": Tampering(value_changed, by_bundle, "field purpose: the opened value is not what"),
    "hashes of a proof are exchanged": Tampering(proof_changed, by_bundle, "does not lead to the signed root"),
    "a lookup in the middle is left out": Tampering(middle_left_out, by_bundle, "gap: 1 entries before entry"),
    "the checkpoint is signed with a former key": Tampering(
        checkpoint_with(lambda scene, _: stolen_note(scene, SIZE)), by_bundle, "is not signed (once) by the key"
    ),
    "the checkpoint's signature has another spelling": Tampering(
        checkpoint_with(with_another_s), by_bundle, "signature does not verify"
    ),
    "the checkpoint is signed twice": Tampering(checkpoint_with(signed_twice), by_bundle, "signed more than once"),
    "the bundle brings its own key": Tampering(key_of_its_own, by_bundle, "you gave a key that is none of those"),
}


@pytest.fixture(scope="module")
def true(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return lived_in(template, tmp_path_factory.mktemp("lived"))


@pytest.fixture
def scene(true: Scene, tmp_path: Path) -> Scene:
    return copy_of(true, tmp_path / "copy")


def test_nothing_is_found_where_nothing_was_done(scene: Scene) -> None:
    for check in (by_verify, by_fsck, by_publisher, by_bundle, by_witness, by_start, by_next_entry):
        assert (check.__name__, check(scene)) == (check.__name__, "")


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_each_is_found_by_its_own_check(scene: Scene, kind: str) -> None:
    done = TAMPERINGS[kind]
    done.act(scene)
    assert done.words in done.check(scene)
    if done.index is not None:
        _others_refuse(scene, done.index)


def _others_refuse(scene: Scene, index: int) -> None:
    """Show two programs that are not ours the changed leaf, with the true proof and with one of the changed tree."""
    rows, note = scene.rows(), scene.published.note
    hashed, root = leaf_hash(rows[index]), scene.published.checkpoint.root
    proofs = [scene.proofs[index]]
    if len(rows) == SIZE:
        proofs.append(tree_of(rows).inclusion_proof(index, SIZE))
    for proof in proofs:
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.checkpoint_verify_inclusion(note, [scene.vkey], index, hashed, list(proof))
        with pytest.raises(InclusionProofInvalid):
            InclusionProof(index, SIZE, list(proof)).check(hashed, root)


def test_the_page_lists_each() -> None:
    page = (ROOT / "docs" / "ledger.md").read_text("utf-8")
    table = page.partition("## Kinds of tampering")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:2] == "| "]
    listed = {row[0]: (row[1], row[2]) for row in rows[1:]}
    assert list(listed) == list(TAMPERINGS)
    for kind, (found_by, others) in listed.items():
        done = TAMPERINGS[kind]
        words = (done.check.__doc__ or "").partition(",")[0].strip("`. ").replace("`", "")
        assert (kind, found_by.replace("`", "")) == (kind, words)
        assert (kind, others) == (kind, "yes" if done.index is not None else "-")
    assert len(TAMPERINGS) >= 30
    assert f"`test_tamperings.py::{test_each_is_found_by_its_own_check.__name__}`" in page
