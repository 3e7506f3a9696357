"""Bundles under a cosigned checkpoint: whose word is enough, older checkpoints, and what an attacker can change."""

from __future__ import annotations

import base64
import random
from hashlib import sha256

import pytest

from registry.crypto.sign_lattice import LatticeKey
from registry.transparency.bundle import OlderCheckpoint, read_bundle, write_bundle
from registry.transparency.checkpoint import Checkpoint, checkpoint_text
from registry.transparency.offline import verify_bundle
from registry.transparency.offline.verify_bundle import (
    SECTIONS,
    Rejected,
    Trust,
    parse_policy,
    read_zip,
    report,
    sections_of,
    verify,
)
from registry.transparency.offline.verify_bundle import _check_consistency as check_consistency
from registry.transparency.proofs import Tree
from tests.unit.transparency.bundles import sealed_anew
from tests.unit.transparency.cosigned import (
    MEMBERS,
    POLICY,
    PROVEN,
    SECOND,
    SEEN_AT,
    TRUST,
    UNSIGNED,
    W1,
    W2,
    cosigned_bundle,
    mended,
    note_of,
    older,
    repaired,
)
from tests.unit.transparency.support import CHAIN, LEDGER, ORIGIN, Ledger, example_ledger
from tests.unit.transparency.test_trust_policy import HOSTILE
from tests.unit.transparency.variants import flipped, remember, verdict_of

BUNDLE = cosigned_bundle()
# Errors of container and manifest: an attacker repairs these, so they prove nothing.
OF_THE_CONTAINER = ("manifest", "the zip", "lacks a file")


def problems(bundle: bytes, trust: Trust | str = TRUST) -> str:
    return "\n".join(verify(bundle, trust).problems)


def without_lines(name: str, member: str = "checkpoint") -> bytes:
    """Return the bundle with a cosigner's line taken out of a checkpoint."""
    kept = [line for line in MEMBERS[member].decode().splitlines(keepends=True) if f"\u2014 {name} " not in line]
    return repaired(MEMBERS, member, "".join(kept).encode())


def test_a_cosigned_bundle_verifies_by_a_policy() -> None:
    verdict = verify(BUNDLE, TRUST)
    assert verdict.problems == []
    assert verdict.cosigned == {"union": SEEN_AT, "inspector": SEEN_AT}
    text = report(verdict)
    assert "witness union cosigned it at 2023-11-14T22:15:00Z" in text
    assert "others saw the same one" not in text
    assert "the checkpoint continues that of 7 entries, which is signed too; witness union" in text


def test_equal_content_is_equal_bytes_and_is_read_back() -> None:
    bundle = read_bundle(BUNDLE)
    assert write_bundle(bundle) == BUNDLE
    assert (bundle.policy, [old.size for old in bundle.history]) == (POLICY, [4, 7])


def test_a_key_alone_says_that_witnesses_were_not_looked_at() -> None:
    verdict = verify(BUNDLE, LEDGER.vkey)
    assert verdict.verified
    assert (
        "3 further signatures on the checkpoint, of keys that you did not give, and that others saw the same one: "
        "give --policy with witnesses you trust"
    ) in verdict.not_checked


@pytest.mark.parametrize("missing", [W1.key.name, W2.key.name])
def test_a_quorum_that_is_not_met_is_refused(missing: str) -> None:
    assert "not enough witnesses" in problems(without_lines(missing))
    one_is_enough = parse_policy(POLICY.replace("group outside all", "group outside any"))
    assert problems(without_lines(missing), one_is_enough) == ""


def test_a_missing_second_signature_is_refused_when_its_key_is_given() -> None:
    lines = MEMBERS["checkpoint"].decode().splitlines(keepends=True)
    cut = repaired(
        MEMBERS, "checkpoint", "".join(line for line in lines if len(line) < 3_000 or W2.key.name in line).encode()
    )
    assert "lacks the Ed25519 or the ML-DSA-44" in problems(cut)
    assert problems(cut, LEDGER.vkey) == ""


def test_the_second_signature_alone_is_enough_on_the_day_that_ed25519_falls() -> None:
    assert problems(BUNDLE, SECOND.vkey) == ""
    assert "not verify" in problems(BUNDLE, _other_second())


def _other_second() -> Trust:
    """A forger's key under the id of the ledger's second one."""
    (_, second) = TRUST.keys
    return Trust([second._replace(public_key=LatticeKey(bytes([99]) * 32).public_bytes)])


def test_a_witness_s_line_of_another_checkpoint_is_refused() -> None:
    """The line of a known witness over 7 entries does not vouch for 10."""
    seven = [line for line in note_of(example_ledger(), 7).splitlines(keepends=True) if W1.key.name in line]
    ten = [line for line in MEMBERS["checkpoint"].decode().splitlines(keepends=True) if W1.key.name in line]
    moved = MEMBERS["checkpoint"].decode().replace(ten[0], seven[0])
    assert "the cosignature of witness union does not verify" in problems(
        repaired(MEMBERS, "checkpoint", moved.encode())
    )
    twice = MEMBERS["checkpoint"].decode() + ten[0]
    assert "more than once" in problems(repaired(MEMBERS, "checkpoint", twice.encode()))


@pytest.mark.parametrize("unix_s", [0, 2**63])
def test_a_cosignature_states_a_time(unix_s: int) -> None:
    root = example_ledger().tree().root()
    text, line = checkpoint_text(ORIGIN, 10, root), W1.line(Checkpoint(ORIGIN, 10, root), SEEN_AT)
    signature = W1.private_sign(f"cosignature/v1\ntime {unix_s}\n{text}".encode())
    raw = W1.key.key_id + unix_s.to_bytes(8, "big") + signature
    other = f"\u2014 {W1.key.name} {base64.b64encode(raw).decode()}\n"
    moved = MEMBERS["checkpoint"].decode().replace(line, other)
    assert other in moved
    found = problems(repaired(MEMBERS, "checkpoint", moved.encode()))
    assert "the cosignature of witness union does not verify" in found


@pytest.mark.parametrize(("one", "other"), [("\n10\n", "\n010\n"), ("\n10\n", "\nten\n"), ("=\n\n", "!\n\n")])
def test_what_the_second_key_alone_did_not_sign_is_refused_in_good_order(one: str, other: str) -> None:
    note = MEMBERS["checkpoint"].decode()
    assert one in note
    found = problems(repaired(MEMBERS, "checkpoint", note.replace(one, other).encode()), SECOND.vkey)
    assert "does not verify under the key" in found


# --- policies


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_every_departure_of_a_policy_is_refused(text: str) -> None:
    for given in (text, f"log {LEDGER.vkey}\n{text}"):
        with pytest.raises(ValueError, match=r"policy|key"):
            parse_policy(given)


def test_a_name_that_no_cosignature_has_room_for_verifies_nothing() -> None:
    """A cosignature of ML-DSA-44 has one byte for the length of a name."""
    name, raw = "w" * 256, b"\x06" + W2.key.public_key
    key_id = sha256(name.encode() + b"\n" + raw).digest()[:4]
    vkey = f"{name}+{key_id.hex()}+{base64.b64encode(raw).decode()}"
    policy = parse_policy(POLICY.replace(W2.vkey, vkey))
    line = key_id + SEEN_AT.to_bytes(8, "big") + bytes(2_420)
    note = MEMBERS["checkpoint"].decode() + f"\u2014 {name} {base64.b64encode(line).decode()}\n"
    found = problems(repaired(MEMBERS, "checkpoint", note.encode()), policy)
    assert found == "the cosignature of witness inspector does not verify"


def test_a_policy_has_a_few_hundred_lines_at_most() -> None:
    assert parse_policy("\n" * 500 + POLICY) == TRUST
    with pytest.raises(ValueError, match="too long"):
        parse_policy("\n" * 512 + POLICY)


def test_the_longest_policy_and_a_witness_s_address_are_read() -> None:
    with_address = POLICY.replace(f"witness union {W1.vkey}", f"witness union {W1.vkey} https://union.example/w1")
    assert with_address != POLICY
    assert parse_policy(with_address) == TRUST
    assert parse_policy(f"{POLICY}#{'x' * (65_535 - len(POLICY))}") == TRUST
    with pytest.raises(ValueError, match="too long"):
        parse_policy(f"{POLICY}#{'x' * (65_536 - len(POLICY))}")
    assert parse_policy(POLICY + "\n" * (512 - len(POLICY.split("\n")))) == TRUST
    with pytest.raises(ValueError, match="too long"):
        parse_policy(POLICY + "\n" * (513 - len(POLICY.split("\n"))))


def test_groups_stand_in_groups() -> None:
    text = f"# ours\n{POLICY.split('group')[0]}group a any union\ngroup b 2\ta inspector\nquorum b"
    assert problems(BUNDLE, parse_policy(text)) == ""
    assert "not enough" in problems(without_lines(W2.key.name), parse_policy(text))


# --- older checkpoints


def _with_history(*history: OlderCheckpoint) -> bytes:
    ledger = example_ledger()
    bundle = ledger.bundle(ledger.entry(0, *CHAIN))
    return write_bundle(type(bundle)(LEDGER.key, note_of(ledger, 10), bundle.entries, {}, history))


@pytest.mark.parametrize("old", range(1, 11))
def test_every_older_checkpoint_is_continued(old: int) -> None:
    verdict = verify(_with_history(older(example_ledger(), old, 10)), TRUST)
    assert verdict.problems == []
    assert any(f"continues that of {old} entries" in line for line in verdict.checked)


def test_every_size_is_continued_and_by_its_own_hashes_alone() -> None:
    ledger = Ledger()
    for _ in range(33):
        ledger.add({})
    hashes, other = ledger.tree_hashes(33), bytes(32)
    roots = [Tree(hashes[:size]).root() for size in range(34)]
    for new in range(1, 34):
        for old in range(1, new + 1):
            proof = list(Tree(hashes[:new]).consistency_proof(old, new))
            check_consistency((old, roots[old]), (new, roots[new]), proof)
            changed = [[*proof[:at], other, *proof[at + 1 :]] for at in range(len(proof))]
            for wrong in (*changed, *([proof[:-1]] if proof else []), [*proof, other]):
                with pytest.raises(Rejected, match=r"does not lead|too short|too long"):
                    check_consistency((old, roots[old]), (new, roots[new]), wrong)


def test_a_rewritten_ledger_does_not_continue_what_was_signed_before() -> None:
    """The operator with every key rewrites entry 2; the older checkpoint is the one that others hold."""
    other = Ledger()
    for index in range(10):
        other.add({"event": f"{index + 100 * (index == 2):032x}"}, records=index % 3)
    proof = example_ledger().tree().consistency_proof(4, 10)
    forged = OlderCheckpoint(4, note_of(other, 4), proof)
    assert "does not lead to the signed root" in problems(_with_history(forged))


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def test_an_older_root_is_led_to_as_well() -> None:
    """A dishonest ledger has signed another root of 7 entries; the proof leads to the present one alone."""
    true = older(example_ledger(), 7, 10)
    forged = OlderCheckpoint(7, note_of(example_ledger(), 7, root=bytes(32)), true.hashes)
    found = problems(_with_history(forged))
    assert found == "older checkpoint of 7 entries: the consistency proof does not lead to the signed root"


def test_one_root_is_not_that_of_two_sizes() -> None:
    """A dishonest ledger signs the root of 4 entries as that of 10, so that no hash leads from one to the other."""
    ledger = example_ledger()
    root = Tree(ledger.tree_hashes(4)).root()
    bundle = ledger.bundle(ledger.entry(0, *CHAIN))
    same = OlderCheckpoint(4, note_of(ledger, 4), ())
    raw = write_bundle(type(bundle)(LEDGER.key, note_of(ledger, 10, root=root), bundle.entries, {}, (same,)))
    assert problems(raw) == "older checkpoint of 4 entries: the consistency proof does not lead to the signed root"


def test_only_32_bytes_are_a_hash_of_a_consistency_proof() -> None:
    """A dishonest ledger has signed, as the root of 6 entries, a node that has a byte of its neighbour."""
    ledger = Ledger()
    for _ in range(8):
        ledger.add({})
    middle, last, first = Tree(ledger.tree_hashes(8)).consistency_proof(6, 8)
    moved = middle + last[:1]
    forged = OlderCheckpoint(6, note_of(ledger, 6, root=_node(first, moved)), (bytes(32), bytes(32), first))
    bundle = ledger.bundle(ledger.entry(0, *CHAIN))
    members = read_zip(write_bundle(type(bundle)(LEDGER.key, note_of(ledger, 8), bundle.entries, {}, (forged,))))
    hashes = "".join(f"{base64.b64encode(each).decode()}\n" for each in (moved, last[1:], first))
    proof = f"consistency/v1\n6 8\n{hashes}".encode()
    found = problems(sealed_anew({**members, "history/6.proof": proof}))
    assert found == "older checkpoint of 6 entries: the consistency proof is malformed"


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("history/4.proof", lambda raw: raw.replace(b"4 10", b"7 10"), "another size"),
        ("history/4.proof", lambda raw: raw.replace(b"v1", b"v2"), "another size"),
        ("history/4.proof", lambda raw: raw[:-1], "malformed"),
        ("history/4.proof", lambda raw: raw + b"A" * 43 + b"=\n", "too long"),
        ("history/4.proof", lambda _: MEMBERS["history/7.proof"].replace(b"7 10", b"4 10"), "too long"),
        ("history/4.proof", lambda raw: raw.replace(raw[20:24], b"AAAA"), "does not lead"),
        ("history/4.proof", lambda _: b"consistency/v1\n4 10\n", "does not lead"),
        ("history/7.proof", lambda _: b"consistency/v1\n7 10\n", "too short"),
        ("history/4.checkpoint", lambda _: MEMBERS["history/7.checkpoint"], "another size"),
        ("history/4.checkpoint", lambda raw: raw[:-8] + b"AAAAAA=\n", "verify"),
    ],
)
def test_a_wrong_older_checkpoint_is_refused(name: str, change: object, problem: str) -> None:
    assert callable(change)
    found = problems(repaired(MEMBERS, name, change(MEMBERS[name])))
    assert found.startswith("older checkpoint of ")
    assert problem in found


@pytest.mark.parametrize("missing", [W1.key.name, W2.key.name])
def test_an_older_checkpoint_needs_its_quorum_too(missing: str) -> None:
    found = problems(without_lines(missing, "history/4.checkpoint"))
    assert found == "older checkpoint of 4 entries: not enough witnesses of your policy have cosigned it"


def test_two_roots_of_one_size_do_not_continue_each_other() -> None:
    ledger = example_ledger()
    forged = OlderCheckpoint(10, note_of(ledger, 10, root=bytes(32)), ())
    assert "does not lead to the signed root" in problems(_with_history(forged))
    padded = OlderCheckpoint(10, note_of(ledger, 10), (bytes(32),))
    assert "does not lead to the signed root" in problems(_with_history(padded))


def test_an_older_checkpoint_has_no_more_entries() -> None:
    """A dishonest ledger signs one root for two sizes, so that nothing has to be hashed."""
    ledger = example_ledger()
    forged = OlderCheckpoint(16, note_of(ledger, 16, root=ledger.tree().root()), ())
    assert "it is of another size" in problems(_with_history(forged))


# --- time-stamps
STATES_2024 = b"\x18\x0f20240131235959Z"


def test_a_time_beyond_the_calendar_is_told_as_a_number() -> None:
    ledger, year_10000 = example_ledger(), 253_402_300_800
    checkpoint = Checkpoint(ORIGIN, 10, ledger.tree().root())
    for unix_s, told in ((year_10000 - 1, "9999-12-31T23:59:59Z"), (year_10000, str(year_10000)), (2**62, str(2**62))):
        changed = note_of(ledger, 10).replace(W1.line(checkpoint, SEEN_AT), W1.line(checkpoint, unix_s))
        verdict = verify(repaired(MEMBERS, "checkpoint", changed.encode()), TRUST)
        assert f"witness union cosigned it at {told}" in verdict.checked


def _stamped(token: bytes, note: bytes = MEMBERS["history/4.checkpoint"]) -> bytes:
    """Return the bundle with a token over a checkpoint of 4 entries: the checkpoint's digest, then these bytes."""
    parts = {"checkpoint": note, "proof": MEMBERS["history/4.proof"], "tsa.tsr": sha256(note).digest() + token}
    members = {**MEMBERS, **{f"stamps/4.{name}": raw for name, raw in parts.items()}}
    return sealed_anew({**members, SECTIONS: sections_of(members)})


def test_a_time_stamp_is_told_and_how_it_is_verified() -> None:
    verdict = verify(_stamped(STATES_2024), TRUST)
    assert verdict.problems == []
    assert "the time-stamp stamps/4.tsa.tsr, which states 2024-01-31T23:59:59Z" in "\n".join(verdict.not_checked)


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        (b"", "the time-stamp stamps/4.tsa.tsr is of something else"),
        (STATES_2024[2:], "the time-stamp stamps/4.tsa.tsr is of something else"),
        (STATES_2024.replace(b"0131", b"1331"), "the time-stamp stamps/4.tsa.tsr states no time"),
    ],
)
def test_a_time_stamp_states_a_time(token: bytes, problem: str) -> None:
    assert problem in problems(_stamped(token))


def test_tokens_belong_to_the_checkpoint_of_their_size() -> None:
    parts = {name: raw for name, raw in read_zip(_stamped(STATES_2024)).items() if name != "sections"}
    note = MEMBERS["history/7.checkpoint"]
    seven = {"checkpoint": note, "proof": MEMBERS["history/7.proof"], "tsa.tsr": sha256(note).digest() + STATES_2024}
    members = {**parts, **{f"stamps/7.{name}": raw for name, raw in seven.items()}}
    verdict = verify(sealed_anew({**members, SECTIONS: sections_of(members)}), TRUST)
    assert verdict.problems == []
    told = [line.partition(",")[0] for line in verdict.not_checked if "time-stamp" in line]
    assert told == ["the time-stamp stamps/4.tsa.tsr", "the time-stamp stamps/7.tsa.tsr"]
    without = {name: raw for name, raw in read_zip(_stamped(STATES_2024)).items() if not name.endswith(".tsr")}
    assert problems(sealed_anew(without)) == "a time-stamped checkpoint lacks its proof"


def test_a_time_stamped_checkpoint_is_of_its_size() -> None:
    """A dishonest ledger signs the root of 4 entries as that of 7."""
    note = note_of(example_ledger(), 7, root=Tree(example_ledger().tree_hashes(4)).root())
    assert problems(_stamped(STATES_2024, note.encode())).endswith("it is of another size")
    note = note_of(example_ledger(), 4, root=bytes(32))
    assert problems(_stamped(STATES_2024, note.encode())) == (
        "time-stamped checkpoint of 4 entries: the consistency proof does not lead to the signed root"
    )


# --- sections


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        (b"evidence bundle, version 2\nentries/v1\nhistory/v1\nattribution/v1\n", "newer one may"),
        (b"evidence bundle, version 2\nentries/v2\nhistory/v1\n", "newer one may"),
        (b"evidence bundle, version 2\nentries/v1\n", "does not fit"),
        (b"evidence bundle, version 2\nhistory/v1\nentries/v1\n", "does not fit"),
        (b"evidence bundle, version 3\nentries/v1\nhistory/v1\n", "does not fit"),
    ],
)
def test_what_a_verifier_does_not_know_it_refuses(stated: bytes, problem: str) -> None:
    assert problem in problems(repaired(MEMBERS, "sections", stated))


def test_an_older_checkpoint_comes_with_its_proof() -> None:
    members = {name: raw for name, raw in MEMBERS.items() if name != "history/4.proof"}
    assert "lacks its proof" in problems(sealed_anew(members))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("marks/claims.json", "a file about marks is missing"),
        ("stamps/4.checkpoint", "a time-stamped checkpoint lacks its proof"),
        ("stamps/4.authority.tsr", "a time-stamped checkpoint lacks its proof"),
        ("keys/4.leaf", "a change of the ledger's key lacks a part"),
        ("origins/4.leaf", "a change of the ledger's key lacks a part"),
        ("compromises/4.leaf", "a change of the ledger's key lacks a part"),
    ],
)
def test_a_section_is_whole_or_not_there(name: str, problem: str) -> None:
    members = {**MEMBERS, name: b"{}\n"}
    assert problem in problems(sealed_anew({**members, SECTIONS: sections_of(members)}))


def test_a_bundle_of_version_1_still_verifies() -> None:
    members = {n: raw for n, raw in MEMBERS.items() if not n.startswith(("history/", "sections", "CERTIFICATION"))}
    assert problems(sealed_anew(members)) == ""
    with_history = {name: raw for name, raw in MEMBERS.items() if name != "sections"}
    assert "does not state" in problems(sealed_anew(with_history))


# --- the attacker who changes any byte and repairs the rest


def _must_fail(name: str, position: int) -> None:
    found = "\n".join(verdict_of(mended(MEMBERS, name, flipped(MEMBERS[name], position)), TRUST).problems)
    assert found, f"byte {position} of {name} can be changed"
    assert not any(word in found for word in OF_THE_CONTAINER), found


@pytest.mark.parametrize("name", PROVEN)
def test_a_changed_byte_fails_by_its_own_proof(name: str, rng: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    position = rng.randrange(len(MEMBERS[name]))
    assert problems(repaired(MEMBERS, name, flipped(MEMBERS[name], position))) != ""
    remember(monkeypatch)
    assert verdict_of(MEMBERS, TRUST).problems == []
    for position in rng.sample(range(len(MEMBERS[name])), 12):
        _must_fail(name, position)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_every_changed_byte_fails_by_its_own_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    remember(monkeypatch)
    for name in PROVEN:
        for position in range(len(MEMBERS[name])):
            _must_fail(name, position)


def test_only_words_are_unsigned() -> None:
    assert [name for name in read_zip(BUNDLE) if UNSIGNED.fullmatch(name)] == [
        "CERTIFICATION.md",
        "README.txt",
        "manifest.sha256",
        "policy",
        "report.json",
        "verify_bundle.py",
    ]
    assert not issubclass(Rejected, verify_bundle.BadKey)
