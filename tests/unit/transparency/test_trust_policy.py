"""Trust policies: the form of the file, and which checkpoints a policy accepts."""

from __future__ import annotations

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.checkpoint import Checkpoint, checkpoint_text
from registry.transparency.note import format_vkey, verifier_key
from registry.transparency.trust_policy import Group, open_trusted, parse_policy
from tests.unit.transparency.cosigners import check_of, ed25519, lattice
from tests.unit.transparency.support import LEDGER, ORIGIN, STRANGER

W1, W2, W3 = (ed25519("w.example/1", 1), lattice("w.example/2", 2), ed25519("w.example/3", 3))
LOG = f"log {LEDGER.vkey}\n"
WITNESSES = "".join(f"witness w{n} {who.vkey}\n" for n, who in enumerate((W1, W2, W3), start=1))
SEEN = Checkpoint(ORIGIN, 15, bytes(range(32)))
SIGNED = LEDGER.sign(checkpoint_text(ORIGIN, 15, bytes(range(32))))


def test_a_policy_is_read() -> None:
    policy = parse_policy(
        f"# who we trust\n\n \t log\t{LEDGER.vkey}   https://registry.example/audit \n"
        f"witness one {W1.vkey} https://w.example\n\twitness two {W2.vkey}\n"
        "group both all one two\nquorum both".encode()
    )
    assert [(log.key, log.url) for log in policy.logs] == [(LEDGER.key, "https://registry.example/audit")]
    assert [(name, one.key, one.url) for name, one in policy.witnesses.items()] == [
        ("one", W1.key, "https://w.example"),
        ("two", W2.key, None),
    ]
    assert (policy.groups, policy.quorum) == ({"both": Group(2, ("one", "two"))}, "both")


@pytest.mark.parametrize(("threshold", "needs"), [("all", 3), ("any", 1), ("1", 1), ("2", 2), ("3", 3)])
def test_thresholds(threshold: str, needs: int) -> None:
    policy = parse_policy(f"{WITNESSES}group g {threshold} w1 w2 w3\nquorum g\n".encode())
    assert policy.groups["g"].needs == needs
    names = ["w1", "w2", "w3"]
    assert [policy.is_met_by(names[:count]) for count in range(4)] == [count >= needs for count in range(4)]


def test_groups_stand_in_groups() -> None:
    policy = parse_policy(f"{WITNESSES}group a any w1 w2\ngroup b all a w3\nquorum b\n".encode())
    assert policy.is_met_by({"w2", "w3"})
    assert not policy.is_met_by({"w1", "w2"})
    assert not policy.is_met_by({"w3"})


def test_limits_that_the_specification_recommends_are_kept() -> None:
    makers = [(f"w{n}", ed25519(f"w.example/{n}", n + 1)) for n in range(32)]
    lines = [f"witness {name} {who.vkey}" for name, who in makers]
    lines += [f"log {format_vkey(verifier_key(f'l{n}', ed25519('x', n + 100).key.public_key))}" for n in range(32)]
    lines += [f"group g{n} any w{n}" for n in range(32)]
    policy = parse_policy("\n".join([*lines, "quorum g31"]).encode())
    assert (len(policy.logs), len(policy.witnesses), len(policy.groups)) == (32, 32, 32)


HOSTILE = {
    "empty": "",
    "no quorum": WITNESSES,
    "two quorums": f"{WITNESSES}quorum w1\nquorum w1\n",
    "quorum before its witness": f"quorum w1\n{WITNESSES}",
    "quorum of nobody known": "quorum unknown\n",
    "quorum of two names": f"{WITNESSES}quorum w1 w2\n",
    "quorum without a name": f"{WITNESSES}quorum\n",
    "unknown word": f"{WITNESSES}quorum w1\nlogs x\n",
    "capitals": f"{WITNESSES}Quorum w1\n",
    "comment after words": f"{WITNESSES}quorum w1 # why\n",
    "comment after a witness": f"witness w {W1.vkey} https://w.example #why\nquorum w\n",
    "witness named none": f"witness none {W1.vkey}\nquorum none\n",
    "witness named all": f"witness all {W1.vkey}\nquorum all\n",
    "witness named like a comment": f"witness #w {W1.vkey}\nquorum none\n",
    "name twice": f"{WITNESSES}witness w1 {ed25519('x', 9).vkey}\nquorum w1\n",
    "group with a witness's name": f"{WITNESSES}group w1 any w2\nquorum w1\n",
    "group named any": f"{WITNESSES}group any any w2\nquorum any\n",
    "group of nobody": f"{WITNESSES}group g any\nquorum g\n",
    "group of itself": f"{WITNESSES}group g any g\nquorum g\n",
    "group of a later one": f"{WITNESSES}group g any h\ngroup h any w1\nquorum g\n",
    "group of none": f"{WITNESSES}group g any none\nquorum g\n",
    "member twice in one": f"{WITNESSES}group g 2 w1 w1\nquorum g\n",
    "member in two": f"{WITNESSES}group g any w1\ngroup h any w1 w2\nquorum h\n",
    **{f"threshold {k}": f"{WITNESSES}group g {k} w1 w2\nquorum g\n" for k in ("0", "3", "-1", "+1", "01", "1.0", "")},
    "key twice": f"{WITNESSES}witness w4 {W1.vkey}\nquorum w1\n",
    "key twice under another name": f"{WITNESSES}witness w4 {ed25519('other', 1).vkey}\nquorum w1\n",
    "log twice": f"{LOG}{LOG}quorum none\n",
    "a log that is its own witness": f"{LOG}witness w {ed25519('w', 1).vkey}\nquorum w\n".replace(
        LEDGER.vkey, format_vkey(verifier_key(ORIGIN, W1.key.public_key))
    ),
    "a log's key as a witness's": f"witness w {STRANGER.vkey}\nquorum w\n",
    "a witness's key as a log's": f"log {W1.vkey}\nquorum none\n",
    "no key": "log\nquorum none\n",
    "key of another id": f"{LOG}quorum none\n".replace(LEDGER.key.key_id.hex(), "00000000"),
    "one word too many": f"log {LEDGER.vkey} https://a.example x\nquorum none\n",
    "CRLF": f"{LOG}quorum none\r\n",
    "NUL": f"{LOG}quorum none\0\n",
    "DEL": f"{LOG}quorum none\x7f\n",
    "no-break space": f"{LOG}quorum\u00a0none\n",
    "control character in a comment": f"{LOG}# \x1b[2J\nquorum none\n",
    "DEL in a comment": f"{LOG}# \x7f\nquorum none\n",
    "witness without a key": "witness w\nquorum none\n",
    "witness of four words": f"witness w {W1.vkey} https://w.example x\nquorum w\n",
    "another word for a group": f"{WITNESSES}groups g any w1\nquorum g\n",
    "group of a log's key": f"{LOG}group g any {LEDGER.vkey}\nquorum none\n",
    "too long": f"{LOG}#{'x' * 65_536}\nquorum none\n",
    "too many lines": "".join(f"log {LEDGER.vkey}\n" for _ in range(200)),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_every_departure_is_refused(text: str) -> None:
    with pytest.raises(ProofRejected):
        parse_policy(text.encode())


def test_names_are_opaque_octets() -> None:
    policy = parse_policy(b"witness \xe2\x84\xaa\xff " + W1.vkey.encode() + b"\nquorum \xe2\x84\xaa\xff\n")
    assert policy.is_met_by(set(policy.witnesses))
    with pytest.raises(ProofRejected, match="before the line"):
        parse_policy(b"witness \xe2\x84\xaa " + W1.vkey.encode() + b"\nquorum K\n")
    with pytest.raises(ProofRejected, match="UTF-8"):
        parse_policy(b"log \xff" + LEDGER.vkey.encode() + b"\nquorum none\n")


TWO_OF_THREE = parse_policy(f"{LOG}{WITNESSES}group g 2 w1 w2 w3\nquorum g\n".encode())


def test_a_checkpoint_with_enough_cosignatures_is_trusted() -> None:
    trusted = open_trusted(SIGNED + W1.line(SEEN, 5) + W2.line(SEEN, 6), TWO_OF_THREE, check_of)
    assert trusted.checkpoint == SEEN
    assert {name: one.unix_s for name, one in trusted.cosignatures.items()} == {"w1": 5, "w2": 6}


@pytest.mark.parametrize(
    "note",
    [
        SIGNED,
        SIGNED + W1.line(SEEN),
        SIGNED + W1.line(SEEN) + ed25519("w.example/3", 4).line(SEEN),
        SIGNED + W1.line(SEEN) + W1.line(SEEN, 9),
        STRANGER.sign(checkpoint_text(ORIGIN, 15, bytes(range(32)))) + W1.line(SEEN) + W2.line(SEEN),
        SIGNED + W1.line(SEEN) + W2.line(Checkpoint(ORIGIN, 16, bytes(32))),
    ],
    ids=["none", "one", "one and a stranger of that name", "one twice", "not the ledger", "of another checkpoint"],
)
def test_too_few_or_false_ones_are_not(note: str) -> None:
    with pytest.raises(ProofRejected):
        open_trusted(note, TWO_OF_THREE, check_of)


def test_a_bad_line_of_a_listed_ledger_refuses_even_beside_a_good_one() -> None:
    second = lattice(ORIGIN, 9)
    policy = parse_policy(f"{LOG}log {second.vkey}\nquorum none\n".encode())
    assert open_trusted(SIGNED, policy, check_of).checkpoint == SEEN
    assert open_trusted(SIGNED + second.line(SEEN), policy, check_of).checkpoint == SEEN
    with pytest.raises(ProofRejected, match="does not verify"):
        open_trusted(SIGNED + second.line(Checkpoint(ORIGIN, 14, bytes(32))), policy, check_of)


def test_a_ledger_may_be_listed_by_its_ml_dsa_key_alone() -> None:
    second = lattice(ORIGIN, 9)
    policy = parse_policy(f"log {second.vkey}\nquorum none\n".encode())
    assert open_trusted(SIGNED + second.line(SEEN), policy, check_of).checkpoint == SEEN
    with pytest.raises(ProofRejected, match="no ledger"):
        open_trusted(SIGNED, policy, check_of)
