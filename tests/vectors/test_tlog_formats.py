"""Known answers for cosignatures, tiles, proofs and policies: other implementations' and the specifications' own."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from registry.crypto.sign_lattice import LatticeKey
from registry.domain.errors import ProofRejected
from registry.transparency.cosignature import Cosigner, open_cosignatures, parse_cosigner
from registry.transparency.leaf import leaf_hash
from registry.transparency.proofs import Tree
from registry.transparency.tiles import HEIGHT, Tile, TiledTree, parse_tile
from registry.transparency.tlog_proof import format_tlog_proof, parse_tlog_proof
from registry.transparency.trust_policy import parse_policy
from tests.unit.transparency.cosigners import check_of
from tests.vectors.test_transparency import DECIMAL_ROOTS, FOO_NOTE

COSIGNATURES = json.loads((Path(__file__).parent / "cosignatures.json").read_text("utf-8"))
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


def test_the_verifier_key_of_a_cosigner_in_use() -> None:
    key = parse_cosigner(REMORA)
    assert (key.name, key.kind, key.key_id.hex()) == ("remora.n621.de", 0x04, "da77ade7")


def test_an_ml_dsa_44_cosignature_of_another_implementation() -> None:
    key = parse_cosigner(COSIGNATURES["vkey"])
    assert LatticeKey(bytes.fromhex(COSIGNATURES["seed"])).public_bytes == key.public_key
    cosigner = Cosigner(key, check_of(key))
    (found,) = open_cosignatures(COSIGNATURES["note"], (cosigner,), "registry.example/audit/e1")
    assert found.unix_s == COSIGNATURES["unix_s"]


def test_the_tile_index_of_the_specification() -> None:
    assert parse_tile("0/x001/x234/067").index == 1_234_067


def test_roots_from_tiles_across_tile_boundaries() -> None:
    tree = Tree([leaf_hash(b"%d" % i) for i in range(70_000)])

    def read(tile: Tile) -> list[bytes]:
        return [tree.complete(HEIGHT * (tile.level or 0), place) for place in range(tile.start, tile.stop)]

    for size, root in DECIMAL_ROOTS.items():
        assert TiledTree(size, read).root() == base64.b64decode(root)


# transparency-dev/formats, proof/tlog_proof_test.go (Apache-2.0). Its notes are placeholders; ours must be notes.
PROOFS = {
    "missing header": "wrong-header\nindex 0\n\n",
    "invalid extra data encoding": "c2sp.org/tlog-proof@v1\nextra !!notbase64!!\nindex 0\n\n",
    "missing index": "c2sp.org/tlog-proof@v1\n\n\n",
    "index is no number": "c2sp.org/tlog-proof@v1\nindex notanumber\n\n",
    "index is negative": "c2sp.org/tlog-proof@v1\nindex -5\n\n",
    "invalid hash base64": "c2sp.org/tlog-proof@v1\nindex 0\n!!notbase64!!\n\n",
    "incorrect hash length": f"c2sp.org/tlog-proof@v1\nindex 0\n{base64.b64encode(bytes(64)).decode()}\n\n",
    "a line that is too long": f"c2sp.org/tlog-proof@v1\nindex 0\n{'a' * 66_560}\n",
}


@pytest.mark.parametrize("text", PROOFS.values(), ids=PROOFS.keys())
def test_proofs_that_formats_refuses(text: str) -> None:
    with pytest.raises(ProofRejected):
        parse_tlog_proof(text + FOO_NOTE)


def test_a_proof_with_extra_data_is_read_back() -> None:
    text = f"c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 5\n{base64.b64encode(bytes(32)).decode()}\n\n{FOO_NOTE}"
    proof = parse_tlog_proof(text)
    assert (proof.index, proof.extra, len(proof.hashes)) == (5, b"extra", 1)
    assert format_tlog_proof(proof) == text


# The same, witness/witness_policy_test.go, with keys of the type that the specification asks of witnesses.
W1 = f"witness w1 {REMORA} https://example.com/remora"
POLICIES = {
    "no quorum": W1,
    "unknown quorum component": "quorum unknown",
    "duplicate component name": f"{W1}\n{W1}\nquorum w1",
    "negative threshold": f"{W1}\ngroup g1 -1 w1\nquorum g1",
    "witness name is keyword": f"witness all {REMORA} https://example.com/remora",
    "group name is keyword": "group none 1 witness",
    # Accepted there; the specification asks a cosigner's key of witnesses, and knows no comment behind words.
    "witness with a log's key": (
        "witness w1 sigsum.org+e4ade967+AZuUY6B08pW3QVHu8uvsrxWPcAv9nykap2Nb4oxCee+r https://sigsum.org/witness/\n"
        "quorum w1"
    ),
    "comment behind words": f"{W1} #comment\nquorum w1",
}


@pytest.mark.parametrize("text", POLICIES.values(), ids=POLICIES.keys())
def test_policies_that_are_refused(text: str) -> None:
    with pytest.raises(ProofRejected):
        parse_policy(text.encode())


def test_whitespace_and_comments_of_a_policy() -> None:
    text = f"\n\n# comment\n  witness   w1\t{REMORA}     https://example.com/remora\n\t #comment\n"
    text += "group  g1 all  w1\n\n\t quorum g1\n"
    assert parse_policy(text.encode()).is_met_by({"w1"})
