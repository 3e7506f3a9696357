"""What the registry publishes, read and verified by programs that we did not write; changed, they must refuse it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import metamorphic_log
import pytest
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tlog import InclusionProofInvalid

from registry.cli.auditing import verify_ledger
from registry.services.publish import Published
from registry.transparency.cosignature import format_cosigner
from registry.transparency.leaf import leaf_hash
from registry.transparency.note import format_vkey
from registry.transparency.tiles import Tile, bundles_of, tiles_of
from tests.functional.services.growth import AT_ONCE, append_beside, grow
from tests.functional.services.homes import Home
from tests.functional.services.panels import Line, panel_for, witness_for

PROCESSES = 4


def write(home: Home, folder: Path, published: Published) -> None:
    """Write the published tree as a folder, as a reader over HTTP would find it."""
    (folder / "checkpoint").write_text(published.note, "utf-8")
    size = published.checkpoint.size
    for tile in (*tiles_of(size), *bundles_of(size)):
        path = folder / "tile" / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(home.app.tiles.publisher.tile(tile))


@pytest.fixture
def tree(sqlite_home: Home, tmp_path: Path) -> tuple[Home, Path, Published]:
    grow(sqlite_home, 1_500)
    line = Line(witness_for(sqlite_home, tmp_path / "witness"))
    panel = panel_for(sqlite_home, line)
    panel.round(sqlite_home.clock)
    published = panel.published()
    folder = tmp_path / "tree"
    folder.mkdir()
    write(sqlite_home, folder, published)
    return sqlite_home, folder, published


def reader_of(folder: Path) -> TilesReader:
    reader = TilesReader(LocalBackend(folder))
    reader.get_checkpoint()
    return reader


def test_a_reader_of_tiles_agrees_on_every_leaf_proof_and_signature(tree: tuple[Home, Path, Published]) -> None:
    home, folder, published = tree
    reader, checkpoint = reader_of(folder), reader_of(folder).get_checkpoint()
    for vkey in (format_vkey(home.app.verifier_key), format_cosigner(home.app.signing.pair.second)):
        checkpoint.verify(Vkey.from_string(vkey))
    assert reader.calculate_root_hash() == published.checkpoint.root
    rows = home.rows()
    for index in (0, 255, 256, 1_023, 1_499):
        assert reader.get_entry(index) == rows[index].leaf
        proof = reader.get_inclusion_proof(index, 1_500)
        proof.check(leaf_hash(rows[index].leaf), published.checkpoint.root)
    for old in (1, 256, 700, 1_499):
        proof = reader.get_consistency_proof(old, 1_500)
        proof.check(home.app.tiles.publisher.root(old), published.checkpoint.root)


def test_a_strict_verifier_in_another_language_agrees(tree: tuple[Home, Path, Published]) -> None:
    home, _, published = tree
    vkeys = [format_vkey(home.app.verifier_key)]
    head = metamorphic_log.checkpoint_verify(published.note, vkeys)
    assert (head.size, head.root) == (1_500, published.checkpoint.root)
    assert metamorphic_log.verify_signed_note(published.note, vkeys) == 1
    proved = home.app.tiles.publisher._tiles.tree()  # type: ignore[union-attr]  # it was published a moment ago
    for index in (0, 255, 256, 1_499):
        leaf = leaf_hash(home.rows()[index].leaf)
        proof = list(proved.inclusion_proof(index))
        metamorphic_log.checkpoint_verify_inclusion(published.note, vkeys, index, leaf, proof)
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.checkpoint_verify_inclusion(published.note, vkeys, index + 1, leaf, proof)
    root = published.checkpoint.root
    for old in (1, 256, 700):
        consistency = list(home.app.tiles.publisher.proof(old, published.checkpoint))
        metamorphic_log.verify_consistency(old, 1_500, consistency, home.app.tiles.publisher.root(old), root)
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.verify_consistency(old, 1_500, consistency, bytes(32), root)


def flipped(path: Path, at: int = 40) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


TAMPERING: dict[str, Callable[[Path], Any]] = {
    "a hash of a full tile": lambda folder: flipped(folder / "tile/0/002"),
    "a hash of a partial tile": lambda folder: flipped(folder / "tile/0/005.p/220"),
    "a hash of the level above": lambda folder: flipped(folder / "tile/1/000.p/5"),
    "two tiles exchanged": lambda folder: (folder / "tile/0/002").replace(folder / "tile/0/003"),
    "the root": lambda folder: flipped(folder / "checkpoint", len("registry.invalid/0123456789ab/e1\n1500\n") + 4),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_a_tree_that_was_changed_is_refused_by_others_too(tree: tuple[Home, Path, Published], how: str) -> None:
    home, folder, published = tree
    TAMPERING[how](folder)
    vkey = format_vkey(home.app.verifier_key)
    if how == "the root":
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.checkpoint_verify((folder / "checkpoint").read_text("utf-8", "replace"), [vkey])
        return
    # A reader that proves every 256th entry meets every tile.
    rows, refused = home.rows(), 0
    for index in range(0, 1_500, 256):
        try:
            proof = reader_of(folder).get_inclusion_proof(index, 1_500)
            proof.check(leaf_hash(rows[index].leaf), published.checkpoint.root)
        except (InclusionProofInvalid, ValueError, RuntimeError, IndexError):
            refused += 1
    assert refused


@pytest.mark.slow
def test_seventy_thousand_entries_of_four_processes_are_read_by_others(sqlite_home: Home, tmp_path: Path) -> None:
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        shares = list(pool.map(append_beside, [sqlite_home.app.settings.home] * PROCESSES, [17_250] * PROCESSES))
    began = sorted(place for share in shares for place in share)
    assert len(began) == len(set(began)) == PROCESSES * 17_250 // AT_ONCE
    owner = {place: number for number, share in enumerate(shares) for place in share}
    assert sum(owner[one] != owner[next_] for one, next_ in pairwise(began)) >= PROCESSES  # they took turns
    grow(sqlite_home, 70_000)
    assert verify_ledger(sqlite_home.app, 2).size == 70_000
    published, rows = sqlite_home.app.tiles.publisher.publish(), sqlite_home.rows()
    root, vkeys = published.checkpoint.root, [format_vkey(sqlite_home.app.verifier_key)]
    write(sqlite_home, tmp_path, published)
    reader = reader_of(tmp_path)
    assert reader.calculate_root_hash() == root
    assert metamorphic_log.checkpoint_verify(published.note, vkeys).root == root
    tree = sqlite_home.app.tiles.publisher._tiles.tree()  # type: ignore[union-attr]  # it was published a moment ago
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        leaf = leaf_hash(rows[index].leaf)
        reader.get_inclusion_proof(index, 70_000).check(leaf, root)
        proof = list(tree.inclusion_proof(index))
        metamorphic_log.checkpoint_verify_inclusion(published.note, vkeys, index, leaf, proof)
    assert Tile(2, 0, 1).is_in(70_000)
    flipped(tmp_path / "tile/0/100")  # the hash of its second entry, which the proof of its first one needs
    with pytest.raises(InclusionProofInvalid):
        reader_of(tmp_path).get_inclusion_proof(25_600, 70_000).check(leaf_hash(rows[25_600].leaf), root)
