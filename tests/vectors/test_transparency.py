"""Known answers of the transparency room: other implementations' and our own. Add, never edit."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.domain.errors import ProofRejected
from registry.transparency.checkpoint import checkpoint_text, open_checkpoint
from registry.transparency.fields import RecordLine, variant_commitment
from registry.transparency.leaf import encode_joined, join_commitments, leaf_hash, node_hash, parse_leaf, salt_of
from registry.transparency.merkle import EMPTY_ROOT, Edge, root_of
from registry.transparency.note import key_id_of, open_note, parse_vkey, sign_note
from registry.transparency.offline.verify_bundle import BadKey, ed25519_verifies, parse_key
from registry.transparency.proofs import Tree, verify_consistency, verify_inclusion
from tests.unit.transparency.support import verifier_of

HERE = Path(__file__).parent


def load(name: str) -> Any:
    return json.loads((HERE / name).read_text("utf-8"))


def b64(text: str) -> bytes:
    return base64.b64decode(text)


# --- RFC 6962 hashing and trees (transparency-dev/merkle, rfc6962_test.go and testonly/constants.go)

INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_hashes_of_nothing_a_leaf_and_a_node() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == ROOTS[0]
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    assert leaf_hash(b"hello world") == b64("TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=")


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_of_the_eight_leaves(size: int) -> None:
    hashes = [leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]
    assert root_of(hashes).hex() == ROOTS[size - 1]
    assert Edge.empty().extend(hashes).root().hex() == ROOTS[size - 1]
    assert Tree(hashes).root().hex() == ROOTS[size - 1]


def test_consistency_of_two_with_five() -> None:
    steps = (b64("Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4="), b64("vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="))
    first, second = (
        b64("+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="),
        b64("Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ="),
    )
    tree = Tree([leaf_hash(bytes.fromhex(text)) for text in INPUTS])
    assert (tree.root(2), tree.root(5), tree.consistency_proof(2, 5)) == (first, second, steps)
    verify_consistency(old_size=2, new_size=5, old_root=first, new_root=second, proof=steps)


# Leaf i is the ASCII decimal of i; agreed between four implementations, across tile boundaries.
DECIMAL_ROOTS = {
    1: "2zQm6HgGjSjSabbIcXIyLOU3K2V1bQeJAB00g19gHAM=",
    255: "Mvhbyqh9e80Fco8J6a66NQumovczgwCH8Fl2goSL5cs=",
    256: "goUV0DPBnYyQHzfsy4rtkZZncDSG+NL/8c9wQDIcXbE=",
    257: "HtoEmkNR2G92JSvX7At3Rq11t/oDFq1fVB29pFijEsQ=",
    65535: "dPE6Dhp1aJNy77mQz2jGZORMdj2TBIRJVbLq/2JOjfE=",
    65536: "8CXQbtgEhZ/SdKG9rK3W5I6odjSqkeHtsgFD+UmM0Cs=",
    65537: "3IeVol/UvVKguE9jn9MTm6FggkAj0YjkKOtdsPPOIho=",
    70000: "Gkzfy2Y3SgwNy+9JrL1JdtE+6GT7PLJB/JQ8rQTwL34=",
}


def test_roots_across_tile_boundaries() -> None:
    hashes = [leaf_hash(b"%d" % i) for i in range(70_000)]
    tree = Tree(hashes)
    edge = Edge.empty()
    for size, root in DECIMAL_ROOTS.items():
        edge = edge.extend(hashes[edge.size : size])
        assert tree.root(size) == edge.root() == root_of(hashes[:size]) == b64(root)


MERKLE = load("merkle_proofs.json")
# The one case judged otherwise: two equal "roots" that are no hashes are refused here (only 32 bytes are a hash).
STRICTER = {"additional/sizes-are-equal-one-and-proof-is-empty"}


@pytest.mark.parametrize("row", MERKLE["inclusion"], ids=lambda row: row[0])
def test_inclusion_proofs_of_merkle(row: list[Any]) -> None:
    name, index, size, root, leaf, proof, refused = row
    given = {"index": index, "size": size, "leaf_hash": b64(leaf), "proof": [b64(x) for x in proof], "root": b64(root)}
    assert _refuses(verify_inclusion, given) == (refused or name in STRICTER)


@pytest.mark.parametrize("row", MERKLE["consistency"], ids=lambda row: row[0])
def test_consistency_proofs_of_merkle(row: list[Any]) -> None:
    name, old_size, new_size, old_root, new_root, proof, refused = row
    given = {"old_size": old_size, "new_size": new_size, "proof": [b64(x) for x in proof]}
    given |= {"old_root": b64(old_root), "new_root": b64(new_root)}
    assert _refuses(verify_consistency, given) == (refused or name in STRICTER)


def _refuses(verify: Any, given: dict[str, Any]) -> bool:
    try:
        verify(**given)
    except ProofRejected:
        return True
    return False


# --- signed notes and checkpoints

FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def test_the_example_of_the_signed_note_specification() -> None:
    key = parse_vkey(FOO)
    assert open_note(FOO_NOTE, [verifier_of(key)]).text == "This is an example message.\n"
    assert parse_key(FOO) == (key.name, key.key_id, 1, key.public_key)
    assert key_id_of(key.name, key.public_key).hex() == "530d903a"


TESSERA = load("tessera_log.json")


def test_another_log_s_checkpoints_open_and_fit_its_leaves() -> None:
    verifier = verifier_of(parse_vkey(TESSERA["vkey"]))
    hashes = [leaf_hash(text.encode()) for text in TESSERA["leaves"]]
    for size, note in enumerate(TESSERA["checkpoints"]):
        checkpoint = open_checkpoint(note, verifier, TESSERA["origin"])
        assert (checkpoint.size, checkpoint.root) == (size, root_of(hashes[:size]))


def test_another_log_s_checkpoints_are_signed_byte_for_byte() -> None:
    name, key_id, encoded = TESSERA["published_test_skey"].removeprefix("PRIVATE+KEY+").split("+", 2)
    private = Ed25519PrivateKey.from_private_bytes(b64(encoded)[1:])
    hashes = [leaf_hash(text.encode()) for text in TESSERA["leaves"]]
    for size, note in enumerate(TESSERA["checkpoints"]):
        text = checkpoint_text(name, size, root_of(hashes[:size]))
        assert sign_note(text, name, bytes.fromhex(key_id), private.sign) == note


NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def _is_key(vkey: str) -> bool:
    """Tell whether the room reads a key; the stand-alone verifier must say the same."""
    try:
        parse_vkey(vkey)
    except ProofRejected:
        with pytest.raises(BadKey):
            parse_key(vkey)
        return False
    assert parse_key(vkey)
    return True


def test_no_part_of_a_verifier_key_is_one() -> None:
    assert _is_key(NEUMANN)
    parts = {NEUMANN[i:j] for i in range(len(NEUMANN)) for j in range(i, len(NEUMANN) + 1)} - {NEUMANN}
    assert [part for part in parts if _is_key(part)] == []


def test_no_changed_byte_leaves_a_verifier_key() -> None:
    for position, character in enumerate(NEUMANN):
        assert not _is_key(NEUMANN[:position] + chr(ord(character) + 1) + NEUMANN[position + 1 :])


# --- Ed25519 (RFC 8032 section 7.1), the stand-alone verifier's

# public key, message, signature: the first three cases
RFC8032 = """
d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
-
e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c
72
92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025
af82
6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
"""
RFC8032_LINES = [bytes.fromhex(line.strip("-")) for line in RFC8032.splitlines()[1:]]


@pytest.mark.parametrize("case", [0, 1, 2])
def test_the_signatures_of_rfc_8032(case: int) -> None:
    key, message, signature = RFC8032_LINES[3 * case : 3 * case + 3]
    assert ed25519_verifies(key, signature, message)
    assert not ed25519_verifies(key, signature, message + b"x")


# --- our own formats, version 1

SEED = bytes(range(32))
LEAF_V1 = load("leaf_v1.json")


def test_salts_and_leaf_of_version_1() -> None:
    fields = LEAF_V1["fields"]
    assert {name: salt_of(SEED, name).hex() for name in fields} == LEAF_V1["salts"]
    commitments = join_commitments(SEED, tuple(fields), [value.encode() for value in fields.values()])
    leaf = encode_joined(LEAF_V1["unix_ms"], LEAF_V1["kind"], commitments)
    assert leaf.decode() == LEAF_V1["leaf"]
    assert leaf_hash(leaf).hex() == LEAF_V1["leaf_hash"]
    assert [each.hex() for each in parse_leaf(leaf).commitments] == LEAF_V1["commitments"]


def test_record_line_of_version_1() -> None:
    line = RecordLine.parse(LEAF_V1["fields"]["record.0"].encode())
    assert (line.category, line.version, line.ciphertext_digest) == ("home_address", 3, sha256(b"ciphertext").digest())
    assert line.variant_commitment == variant_commitment(b"\x01\x02", 1, 7, SEED)
