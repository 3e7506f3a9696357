"""What leaves the registry: checkpoints whose root was made anew, tiles, bundles, proofs."""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path

import pytest

from registry.crypto.sign_lattice import verify_lattice_signature
from registry.domain.errors import AuditUnavailable, LedgerCorrupt, NotFound
from registry.services.publish import Publisher
from registry.storage.tile_files import TileFiles
from registry.transparency.checkpoint import open_checkpoint
from registry.transparency.cosignature import Cosigner, open_cosignatures
from registry.transparency.leaf import leaf_hash
from registry.transparency.note import SIGNATURE_BYTES
from registry.transparency.proofs import Tree, verify_consistency
from registry.transparency.tiles import Tile, bundles_of, read_bundle_of_entries, read_hashes, tiles_of
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home
from tests.unit.transparency.cosigners import check_of


def publisher_of(home: Home) -> Publisher:
    return home.app.tiles.publisher


def another(home: Home) -> Publisher:
    """Return a publisher as a new process has it: without memory, over the same rows and files."""
    known = publisher_of(home)
    return Publisher(known._database, known._clock, known._signing, TileFiles(home.app.settings.ledger))


def tree_of(home: Home) -> Tree:
    return Tree([leaf_hash(row.leaf) for row in home.rows()])


def folder(home: Home) -> Path:
    return home.app.settings.ledger / "tiles"


def test_what_is_published_is_signed_twice(home: Home) -> None:
    published = publisher_of(home).publish()
    origin = home.app.kernel.log.origin
    assert open_checkpoint(published.note, home.app.signing, origin) == published.checkpoint
    key = home.app.signing.pair.second
    (second,) = open_cosignatures(published.note, (Cosigner(key, check_of(key)),), origin)
    assert second.unix_s == int(home.clock.now().timestamp())
    assert published.checkpoint.root == tree_of(home).root()
    assert len(published.note.splitlines()) == 6
    # The two keys are two: neither verifies under the other's type.
    assert key.public_key[:32] != home.app.verifier_key.public_key
    with pytest.raises(Exception, match="wrong length"):
        verify_lattice_signature(key.public_key, b"", bytes(SIGNATURE_BYTES))


def test_nothing_new_is_signed_while_nothing_was_appended(home: Home) -> None:
    publisher = publisher_of(home)
    first = publisher.publish()
    assert publisher.publish() is first
    grow(home, first.checkpoint.size + 1)
    assert publisher.publish().checkpoint.size == first.checkpoint.size + 1


def test_tiles_and_bundles_are_those_of_the_rows(home: Home) -> None:
    grow(home, 300)
    publisher = publisher_of(home)
    grow(home, 700)
    tree, rows = tree_of(home), home.rows()
    for tile in tiles_of(700):
        hashes = read_hashes(publisher.tile(tile), tile.width)
        assert list(hashes) == [tree.complete(8 * (tile.level or 0), place) for place in range(tile.start, tile.stop)]
    for bundle in bundles_of(700):
        leaves = read_bundle_of_entries(publisher.tile(bundle), bundle.width)
        assert list(leaves) == [row.leaf for row in rows[bundle.start : bundle.stop]]
    assert read_hashes(publisher.tile(Tile(0, 1, 44)), 44) == tuple(leaf_hash(row.leaf) for row in rows[256:300])


@pytest.mark.parametrize("tile", [Tile(0, 0, 256), Tile(0, 1, 1), Tile(1, 0, 1), Tile(None, 0), Tile(63, 0, 1)])
def test_what_the_ledger_does_not_have_is_not_found(home: Home, tile: Tile) -> None:
    grow(home, 255)
    with pytest.raises(NotFound):
        publisher_of(home).tile(tile)


@pytest.mark.parametrize("old", [0, 1, 255, 256, 300, 600])
def test_a_proof_leads_from_an_earlier_tree_to_the_published_one(home: Home, old: int) -> None:
    grow(home, 600)
    publisher, tree = publisher_of(home), tree_of(home)
    new = publisher.publish().checkpoint
    grow(home, 620)
    proof = publisher.proof(old, new)
    assert publisher.root(old) == tree.root(old)
    verify_consistency(old_size=old, new_size=new.size, old_root=tree.root(old), new_root=new.root, proof=proof)
    with pytest.raises(NotFound):
        publisher.proof(601, new)


def test_a_changed_leaf_does_not_leave(home: Home) -> None:
    grow(home, 300)
    home.sql().execute("UPDATE ledger_leaf SET leaf = ? WHERE i = 7", (home.rows()[8].leaf,))
    with pytest.raises(AuditUnavailable, match="head_mismatch"):
        publisher_of(home).publish()
    with pytest.raises(AuditUnavailable, match="head_mismatch"):
        publisher_of(home).tile(Tile(0, 0, 5))


def test_a_leaf_that_is_gone_does_not_leave(home: Home) -> None:
    grow(home, 20)
    home.sql().execute("DELETE FROM ledger_leaf WHERE i = 7")
    with pytest.raises(AuditUnavailable, match="head_mismatch"):
        publisher_of(home).publish()


def test_a_leaf_that_is_changed_after_it_was_published_is_named(home: Home) -> None:
    grow(home, 300)
    publisher = publisher_of(home)
    bundle = publisher.tile(Tile(None, 0))
    home.sql().execute("UPDATE ledger_leaf SET leaf = ? WHERE i = 7", (home.rows()[8].leaf,))
    with pytest.raises(LedgerCorrupt, match="entry 7"):
        publisher.tile(Tile(None, 0))
    assert publisher.tile(Tile(None, 0, 7)) == bundle[: len(publisher.tile(Tile(None, 0, 7)))]
    home.sql().execute("DELETE FROM ledger_leaf WHERE i = 9")
    with pytest.raises(LedgerCorrupt, match="missing"):
        publisher.tile(Tile(None, 0, 10))


def test_a_head_of_somebody_else_does_not_leave(home: Home) -> None:
    home.sql().execute("UPDATE ledger_head SET checkpoint = replace(checkpoint, '=', '+')")
    with pytest.raises(AuditUnavailable, match="head_mismatch"):
        publisher_of(home).publish()


def test_an_older_state_does_not_leave_again(home: Home) -> None:
    grow(home, 20)
    sql = home.sql()
    names = "epoch, n, edge, root, checkpoint, last_ms"
    older = sql.execute(f"SELECT {names} FROM ledger_head").fetchone()
    grow(home, 21)
    publisher = publisher_of(home)
    publisher.publish()
    sql.execute("DELETE FROM ledger_body WHERE i = 20")
    sql.execute("DELETE FROM ledger_leaf WHERE i = 20")
    sql.execute("UPDATE ledger_head SET " + ", ".join(f"{name} = ?" for name in names.split(", ")), tuple(older))
    with pytest.raises(AuditUnavailable, match="rolled_back"):
        publisher.publish()


def test_full_tiles_are_files_and_a_new_process_goes_on_from_them(home: Home) -> None:
    grow(home, 600)
    first = publisher_of(home).publish().checkpoint
    names = sorted(str(path.relative_to(folder(home))) for path in folder(home).rglob("*") if path.is_file())
    assert names == ["0/000", "0/001"]
    assert {path.stat().st_mode & 0o777 for path in folder(home).rglob("*") if path.is_file()} == {0o600}
    assert folder(home).stat().st_mode & 0o777 == 0o700
    assert another(home).publish().checkpoint == first
    shutil.rmtree(folder(home))
    assert another(home).publish().checkpoint == first
    assert sorted(path.name for path in (folder(home) / "0").iterdir()) == ["000", "001"]


@pytest.mark.parametrize("damage", ["changed", "cut", "other"])
def test_damaged_tiles_are_kept_aside_and_made_anew_from_the_leaves(home: Home, damage: str) -> None:
    grow(home, 600)
    first = publisher_of(home).publish().checkpoint
    path = folder(home) / "0" / "001"
    good = path.read_bytes()
    path.write_bytes({"changed": good[:-1] + bytes([good[-1] ^ 1]), "cut": good[:-32], "other": bytes(8_192)}[damage])
    publisher = another(home)
    assert publisher.publish().checkpoint == first
    assert publisher.tile(Tile(0, 1)) == good
    kept = list(home.app.settings.ledger.glob("tiles.set-aside-*"))
    assert len(kept) == (0 if damage == "cut" else 1)


def test_a_tile_that_is_changed_or_gone_while_in_use_gives_no_false_proof(home: Home) -> None:
    grow(home, 600)
    publisher, tree = publisher_of(home), tree_of(home)
    new = publisher.publish().checkpoint
    path = folder(home) / "0" / "000"
    path.write_bytes(bytes(8_192))
    assert publisher.proof(100, new) == tree.consistency_proof(100)
    path.unlink()
    assert publisher.proof(100, new) == tree.consistency_proof(100)


@pytest.mark.parametrize("good", [0, 1, 2])
def test_a_checkpoint_whose_tiles_cannot_be_written_does_not_leave(
    home: Home, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    """It fails twice in a row, after some tiles were written; what was half done is not gone on with."""
    grow(home, 300)
    publisher = publisher_of(home)
    publisher.publish()
    grow(home, 1_900)
    for _ in range(2):
        calls = count()

        def full(_: int, calls: count[int] = calls) -> None:
            if next(calls) >= good:
                raise OSError(28, "no space")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(AuditUnavailable, match="disk_full"):
                publisher.publish()
    tree = tree_of(home)
    assert publisher.publish().checkpoint.root == tree.root()
    for tile in tiles_of(1_900):
        hashes = read_hashes(publisher.tile(tile), tile.width)
        assert list(hashes) == [tree.complete(8 * (tile.level or 0), place) for place in range(tile.start, tile.stop)]
