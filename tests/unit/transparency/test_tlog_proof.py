"""Offline proofs in the C2SP text form."""

from __future__ import annotations

import base64

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.leaf import leaf_hash
from registry.transparency.tlog_proof import (
    MAX_EXTRA_BYTES,
    TlogProof,
    format_tlog_proof,
    parse_tlog_proof,
    verify_tlog_proof,
)
from tests.unit.transparency.support import LEDGER, ORIGIN, STRANGER, example_ledger

EXAMPLE = example_ledger()
PROOF = TlogProof(4, EXAMPLE.tree().inclusion_proof(4), EXAMPLE.checkpoint())
TEXT = format_tlog_proof(PROOF)
FIRST = base64.b64encode(PROOF.hashes[0]).decode()


def test_a_proof_is_what_the_format_says() -> None:
    hashes = "".join(base64.b64encode(each).decode() + "\n" for each in PROOF.hashes)
    assert f"c2sp.org/tlog-proof@v1\nindex 4\n{hashes}\n{PROOF.checkpoint}" == TEXT


@pytest.mark.parametrize(
    "proof",
    [
        PROOF,
        TlogProof(0, (), PROOF.checkpoint),
        TlogProof(2**63 - 1, PROOF.hashes * 15, PROOF.checkpoint, b""),
        TlogProof(0, (), PROOF.checkpoint, b"extra information"),
    ],
)
def test_a_proof_is_read_back(proof: TlogProof) -> None:
    assert parse_tlog_proof(format_tlog_proof(proof)) == proof


def test_a_proof_verifies_for_its_leaf_alone() -> None:
    parsed = parse_tlog_proof(TEXT)
    assert verify_tlog_proof(parsed, leaf_hash(EXAMPLE.leaves[4]), LEDGER.verifier, ORIGIN).size == 10
    with pytest.raises(ProofRejected, match="root"):
        verify_tlog_proof(parsed, leaf_hash(EXAMPLE.leaves[5]), LEDGER.verifier, ORIGIN)


def test_a_proof_of_another_key_or_origin_is_refused() -> None:
    leaf = leaf_hash(EXAMPLE.leaves[4])
    with pytest.raises(ProofRejected):
        verify_tlog_proof(PROOF, leaf, STRANGER.verifier, ORIGIN)
    with pytest.raises(ProofRejected):
        verify_tlog_proof(PROOF, leaf, LEDGER.verifier, "registry.example/audit/e2")


HOSTILE = {
    "empty": "",
    "wrong header": TEXT.replace("@v1", "@v2"),
    "no index": TEXT.replace("index 4\n", ""),
    "index not a number": TEXT.replace("index 4", "index four"),
    "negative index": TEXT.replace("index 4", "index -4"),
    "index with zeros": TEXT.replace("index 4", "index 04"),
    "index with spaces": TEXT.replace("index 4", "index  4"),
    "index too large": TEXT.replace("index 4", f"index {2**63}"),
    "index twice": TEXT.replace("index 4\n", "index 4\nindex 4\n"),
    "bad extra": TEXT.replace("index 4", "extra !!\nindex 4"),
    "extra without a space": TEXT.replace("index 4", "extra\nindex 4"),
    "extra twice": TEXT.replace("index 4", "extra AA==\nextra AA==\nindex 4"),
    "extra after index": TEXT.replace("index 4\n", "index 4\nextra AA==\n"),
    "extra too long": TEXT.replace("index", f"extra {base64.b64encode(bytes(MAX_EXTRA_BYTES + 1)).decode()}\nindex"),
    "hash not base64": TEXT.replace(FIRST, "!!"),
    "hash of 64 bytes": TEXT.replace(FIRST, base64.b64encode(bytes(64)).decode()),
    "hash unpadded": TEXT.replace(FIRST, FIRST.rstrip("=")),
    "too many hashes": TEXT.replace(FIRST + "\n", (FIRST + "\n") * 64),
    "no blank line": TEXT.replace("\n\nregistry", "\nregistry"),
    "no checkpoint": TEXT.split("\n\n", maxsplit=1)[0] + "\n\n",
    "checkpoint without signature": TEXT.rpartition("\n\n")[0] + "\n",
    "CRLF": TEXT.replace("\n", "\r\n"),
    "leading blank line": "\n" + TEXT,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_proofs_are_refused(text: str) -> None:
    assert text != TEXT
    with pytest.raises(ProofRejected):
        parse_tlog_proof(text)


@pytest.mark.parametrize("proof", [TlogProof(-1, (), ""), TlogProof(2**63, (), ""), TlogProof(0, (b"x",), "")])
def test_nothing_out_of_shape_is_written(proof: TlogProof) -> None:
    with pytest.raises(ValueError):
        format_tlog_proof(proof)
