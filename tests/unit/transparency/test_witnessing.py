"""What a witness answers, case by case of the specification, and the bodies on the way."""

from __future__ import annotations

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.checkpoint import Checkpoint, checkpoint_text
from registry.transparency.leaf import leaf_hash
from registry.transparency.merkle import EMPTY_ROOT
from registry.transparency.proofs import Tree
from registry.transparency.witness_wire import (
    AddCheckpoint,
    format_add_checkpoint,
    monitoring_path,
    parse_add_checkpoint,
    parse_size_answer,
    size_answer,
)
from registry.transparency.witnessing import Judgement, Seen, judge, origin_of
from tests.unit.transparency.support import LEDGER, ORIGIN, STRANGER, WITNESS, Signer

TREE = Tree([leaf_hash(b"%d" % i) for i in range(20)])
FORK = Tree([leaf_hash(b"%d" % (i if i != 3 else 99)) for i in range(20)])


def at(size: int, tree: Tree = TREE) -> Checkpoint:
    return Checkpoint(ORIGIN, size, tree.root(size))


def note(size: int, tree: Tree = TREE, signer: Signer = LEDGER) -> str:
    return signer.sign(checkpoint_text(ORIGIN, size, tree.root(size)))


def body(old: int, new: int, tree: Tree = TREE, signed: str | None = None) -> bytes:
    proof = tree.consistency_proof(old, new) if old <= new else ()
    return format_add_checkpoint(AddCheckpoint(old, proof, signed or note(new, tree)))


def judged(raw: bytes, latest: Checkpoint | None = None) -> Judgement:
    return judge(raw, {ORIGIN: (LEDGER.verifier,)}, lambda _: None if latest is None else Seen(latest))


def test_the_body_of_the_specification_is_read_and_written() -> None:
    example = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
        "\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+"
        "zyWE+xeMcTOAYQ8=\n"
    ).encode()
    asked = parse_add_checkpoint(example)
    assert (asked.old_size, len(asked.proof)) == (20852014, 4)
    assert format_add_checkpoint(asked) == example
    assert origin_of(example) == "example.com/behind-the-sofa"


GOOD = body(8, 15)
FIRST_HASH = GOOD.split(b"\n")[1]
MALFORMED = {
    "empty": b"",
    "no old line": GOOD.removeprefix(b"old 8\n"),
    "no blank line": GOOD.replace(b"\n\n", b"\n"),
    "capital": GOOD.replace(b"old", b"Old"),
    "two spaces": GOOD.replace(b"old ", b"old  "),
    **{f"old {size!r}": GOOD.replace(b"old 8", b"old " + size) for size in (b"08", b"+8", b"-8", b"", b"8 ", b"1_0")},
    "old beyond 63 bits": GOOD.replace(b"old 8", b"old 9223372036854775808"),
    "CRLF": GOOD.replace(b"\n", b"\r\n"),
    "a hash of 31 bytes": GOOD.replace(FIRST_HASH, b"AAAA" * 10 + b"AA=="),
    "a hash without padding": GOOD.replace(FIRST_HASH, FIRST_HASH.rstrip(b"=")),
    "64 hashes": GOOD.replace(FIRST_HASH, b"\n".join([FIRST_HASH] * 64)),
    "no note": GOOD[: GOOD.index(b"\n\n") + 2],
    "no signature": GOOD[: GOOD.index("—".encode())],
    "no final line end": GOOD[:-1],
    "not UTF-8": GOOD + b"\xff",
    "old above the checkpoint": body(16, 15),
    "a signed extension line": body(8, 15, signed=LEDGER.sign(checkpoint_text(ORIGIN, 15, TREE.root(15)) + "x\n")),
    "a signed size with a zero before": body(
        8, 15, signed=LEDGER.sign(note(15).split("\n\n")[0].replace("15", "015") + "\n")
    ),
    "one line": body(8, 15, signed=LEDGER.sign(f"{ORIGIN}\n")),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_requests_are_400(raw: bytes) -> None:
    assert judged(raw, at(8)).status == 400
    assert not judged(raw, at(8)).is_evidence


def test_an_unknown_origin_is_404() -> None:
    other = Signer.named("registry.example/audit/e2", bytes(range(32)))
    signed = other.sign(checkpoint_text("registry.example/audit/e2", 15, TREE.root(15)))
    assert judged(body(8, 15, signed=signed), at(8)).status == 404
    # The first blank line ends the proof, so what stands behind it is a note whose first line is a hash.
    assert judged(GOOD.replace(b"old 8\n", b"old 8\n\n"), at(8)).status == 404


@pytest.mark.parametrize(
    "signed",
    [
        note(15, signer=STRANGER),
        WITNESS.sign(checkpoint_text(ORIGIN, 15, TREE.root(15))),
        note(15).replace("\n15\n", "\n16\n"),
        note(15) + note(15).rpartition("\n\n")[2],
    ],
    ids=["another key", "another name", "a signature that fails", "the key twice"],
)
def test_a_checkpoint_that_the_ledger_did_not_sign_is_403(signed: str) -> None:
    assert judged(body(8, 15, signed=signed), at(8)).status == 403


@pytest.mark.parametrize(("old", "latest"), [(0, 8), (7, 8), (9, 8), (8, 15), (8, 0)])
def test_another_old_size_is_409_with_the_witness_s_own(old: int, latest: int) -> None:
    found = judged(body(old, 15), at(latest) if latest else None)
    assert (found.status, found.latest.size, found.is_evidence) == (409, latest, False)


def test_the_first_checkpoint_needs_no_proof_and_may_have_none() -> None:
    assert judged(body(0, 15)).status == 200
    with_proof = format_add_checkpoint(AddCheckpoint(0, (bytes(32),), note(15)))
    found = judged(with_proof)
    assert (found.status, found.is_evidence) == (422, False)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (8, 15), (7, 20), (8, 8), (15, 16)])
def test_a_continuation_is_200(old: int, new: int) -> None:
    found = judged(body(old, new), at(old))
    assert (found.status, found.checkpoint, found.latest) == (200, at(new), at(old))


@pytest.mark.parametrize(("old", "new"), [(8, 15), (4, 4), (15, 15), (5, 20)])
def test_another_history_is_422_and_evidence(old: int, new: int) -> None:
    found = judged(body(old, new, FORK), at(old))
    assert (found.status, found.is_evidence, found.checkpoint) == (422, True, at(new, FORK))


@pytest.mark.parametrize("proof", [(), (bytes(32),), TREE.consistency_proof(8, 15)[:-1], TREE.consistency_proof(7, 15)])
def test_a_proof_that_does_not_lead_there_is_422(proof: tuple[bytes, ...]) -> None:
    assert judged(format_add_checkpoint(AddCheckpoint(8, proof, note(15))), at(8)).status == 422


def test_a_second_root_of_the_cosigned_size_is_evidence_whatever_old_size_came_with_it() -> None:
    found = judged(body(4, 15, FORK), at(15))
    assert (found.status, found.is_evidence) == (409, True)


def test_the_empty_tree_has_one_root() -> None:
    signed = LEDGER.sign(checkpoint_text(ORIGIN, 0, EMPTY_ROOT))
    assert judged(format_add_checkpoint(AddCheckpoint(0, (), signed))).status == 200
    other = LEDGER.sign(checkpoint_text(ORIGIN, 1, bytes(32)).replace("\n1\n", "\n0\n"))
    assert judged(format_add_checkpoint(AddCheckpoint(0, (), other))).status == 422


def test_sizes_are_answered_in_one_line() -> None:
    assert parse_size_answer(size_answer(15).encode()) == 15
    for raw in (b"", b"15", b"15\n\n", b"015\n", b"-1\n", b" 15\n", b"9223372036854775808\n", b"\xff\n"):
        with pytest.raises(ProofRejected, match="canonical"):
            parse_size_answer(raw)


def test_where_a_witness_shows_what_it_saw() -> None:
    assert monitoring_path("example.com/log") == (
        "4d3203c8f35cdf600e475f55fede6081a703d3d322f208865fca2ec4f0e030f8/checkpoint"
    )


@pytest.mark.parametrize(("old", "count"), [(-1, 0), (2**63, 0), (0, 64)])
def test_nothing_out_of_shape_is_asked(old: int, count: int) -> None:
    with pytest.raises(ValueError, match="out of shape"):
        format_add_checkpoint(AddCheckpoint(old, (bytes(32),) * count, note(15)))
