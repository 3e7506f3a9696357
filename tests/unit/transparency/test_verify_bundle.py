"""The stand-alone verifier: what it accepts, what it refuses and what it says of it."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from registry.transparency.bundle import BundleEntry, EvidenceBundle, write_bundle
from registry.transparency.checkpoint import checkpoint_text
from registry.transparency.offline import verify_bundle
from registry.transparency.offline.verify_bundle import BadKey, read_zip, report, verify
from tests.unit.transparency.bundles import bundle_with, opening_with, sealed_anew
from tests.unit.transparency.cosigners import lattice
from tests.unit.transparency.support import (
    CHAIN,
    LEDGER,
    ORIGIN,
    START_MS,
    STRANGER,
    SUBJECT,
    WITNESS,
    Ledger,
    Signer,
    example_bundle,
    example_ledger,
)

EXAMPLE = example_bundle()
MEMBERS = read_zip(EXAMPLE)
CHECKPOINT = MEMBERS["checkpoint"].decode()


def problems(bundle: bytes, vkey: str = LEDGER.vkey) -> str:
    return "\n".join(verify(bundle, vkey).problems)


def test_the_example_verifies() -> None:
    verdict = verify(EXAMPLE, LEDGER.vkey)
    assert verdict.problems == []
    assert verdict.verified
    assert (verdict.origin, verdict.size) == (ORIGIN, 10)
    assert [(entry.index, entry.kind, entry.unix_ms - START_MS) for entry in verdict.entries] == [
        (0, "disclose", 0),
        (3, "disclose", 3_000),
        (4, "disclose", 4_000),
    ]
    assert verdict.entries[0].fields == {"subject": SUBJECT, "counter": "1", "previous": "-", "purpose": "payroll"}
    assert "record.0" in verdict.entries[2].withheld
    assert verdict.checked == [
        "the manifest lists exactly the 16 other files, unchanged",
        "the checkpoint (10 entries) is signed by the key you gave",
        "3 entries stand in that ledger at their indexes, as committed",
        "8 opened fields are what the ledger committed to",
        "2 links of subjects' chains agree with each other",
    ]


def test_the_report_says_what_was_and_what_was_not_verified() -> None:
    text = report(verify(EXAMPLE, LEDGER.vkey))
    assert text.startswith("VERIFIED\n")
    assert "3 entries stand in that ledger" in text
    assert "2 links of subjects' chains agree" in text
    assert "README.txt, policy, report.json" in text
    assert "note: café \\u202e\\n\n" in text
    assert all(character.isprintable() or character == "\n" for character in text)


def test_a_refused_bundle_says_so_first() -> None:
    assert report(verify(EXAMPLE, STRANGER.vkey)).startswith("REFUSED")


# --- the key


def test_the_key_comes_from_the_caller_never_from_the_bundle() -> None:
    """A forger signs a whole bundle, its policy included, with a key of the same name."""
    ledger = example_ledger()
    forged = ledger.bundle(ledger.entry(0))
    note = ledger.checkpoint(STRANGER)
    raw = write_bundle(type(forged)(STRANGER.key, note, forged.entries))
    assert verify(raw, STRANGER.vkey).verified
    assert "not signed" in problems(raw)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "x",
        ORIGIN,
        LEDGER.vkey + "=",
        LEDGER.vkey[:-1],
        LEDGER.vkey.replace(LEDGER.key.key_id.hex(), "00000000"),
        LEDGER.vkey.replace("/e1", "/e2"),
        # Bytes that are not UTF-8 come from a command line like this.
        *(LEDGER.vkey.replace("/e1", f"/{chr(code)}") for code in (0xD800, 0xDCFF, 0xDFFF)),
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_no_key_is_refused(vkey: str) -> None:
    with pytest.raises(BadKey):
        verify(EXAMPLE, vkey)


def _vkey(name: str, raw: bytes) -> str:
    """Return a verifier key with the right key id, whatever is in it."""
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8]
    return f"{name}+{key_id}+{base64.b64encode(raw).decode()}"


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a b", b"\x01" + LEDGER.key.public_key),
        ("", b"\x01" + LEDGER.key.public_key),
        ("a\x01b", b"\x01" + LEDGER.key.public_key),
        (ORIGIN, b"\x04" + LEDGER.key.public_key),
        (ORIGIN, b"\x06" + LEDGER.key.public_key),
        (ORIGIN, b"\x01" + LEDGER.key.public_key[:-1]),
        (ORIGIN, b"\x01" + LEDGER.key.public_key + b"x"),
        (ORIGIN, b"\x01\x01" + bytes(31)),  # the neutral point
        (ORIGIN, b"\x01" + b"\xff" * 32),
        (ORIGIN, b"\x01\x02" + bytes(31)),  # not on the curve
    ],
)
def test_a_key_of_another_kind_is_refused_though_its_id_is_right(name: str, raw: bytes) -> None:
    assert _vkey(ORIGIN, b"\x01" + LEDGER.key.public_key) == LEDGER.vkey
    with pytest.raises(BadKey):
        verify(EXAMPLE, _vkey(name, raw))


def test_a_name_may_be_of_any_script() -> None:
    assert "not signed" in problems(EXAMPLE, _vkey("\U0001f512", b"\x01" + LEDGER.key.public_key))


def test_a_key_of_another_ledger_refuses() -> None:
    other = Signer.named("registry.example/audit/e2", bytes(range(32)))
    assert "not signed" in problems(EXAMPLE, other.vkey)


def test_keys_of_other_ledgers_do_no_harm_in_a_policy() -> None:
    """Neither is this ledger's second key asked of it, nor are they several keys of one kind."""
    others = Signer.named("other.example/audit/e1", bytes(range(3, 35))).vkey, lattice("other.example/audit/e1", 3).vkey
    trust = verify_bundle.Trust([verify_bundle.parse_key(key) for key in (LEDGER.vkey, *others)])
    assert verify(EXAMPLE, trust).problems == []


def test_a_former_key_signs_up_to_the_size_that_the_reader_says() -> None:
    """Of two keys of one kind the reader says which size one of them may sign; it is this one that signed."""
    former, present = verify_bundle.parse_key(LEDGER.vkey), verify_bundle.parse_key(STRANGER.vkey)

    def found(size: int, *keys: verify_bundle.Key) -> str:
        trust = verify_bundle.Trust(list(keys), until={former.key_id.hex(): size})
        return "\n".join(verify(EXAMPLE, trust).problems)

    assert found(10, present, former) == ""
    assert "not signed" in found(9, present, former)
    assert found(10, former) == ""
    assert found(9, former) == "the checkpoint has more entries than any key that you trust may sign"


# --- the checkpoint


def _resigned(note: str) -> bytes:
    """Return the example bundle with another checkpoint in every place where it stands."""
    return sealed_anew({name: data.replace(CHECKPOINT.encode(), note.encode()) for name, data in MEMBERS.items()})


TEXT = CHECKPOINT.rpartition("\n\n")[0] + "\n"


def test_another_signature_on_the_checkpoint_is_counted_but_not_trusted() -> None:
    verdict = verify(_resigned(CHECKPOINT + WITNESS.sign(TEXT).rpartition("\n\n")[2]), LEDGER.vkey)
    assert verdict.verified
    assert any(line.startswith("1 further signatures") for line in verdict.not_checked)
    verdict = verify(_resigned(CHECKPOINT + "\u2014 x AAAAAAA=\n"), f" {LEDGER.vkey}\n")
    assert (verdict.verified, any("1 further signatures" in line for line in verdict.not_checked)) == (True, True)


SIGNATURE = LEDGER.key.key_id + LEDGER.private.sign(TEXT.encode())
LONGER = f"\u2014 {ORIGIN} {base64.b64encode(SIGNATURE + bytes(1)).decode()}\n"  # of the same number S
FORGED = LEDGER.sign("other\n").rpartition("\n\n")[2]
SIGNED_TWICE = CHECKPOINT + CHECKPOINT.rpartition("\n\n")[2]


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        (TEXT + "\n" + FORGED, "does not verify"),
        (TEXT + "\n" + LONGER, "does not verify"),
        (CHECKPOINT + FORGED, "once"),
        (SIGNED_TWICE, "once"),
        (WITNESS.sign(TEXT), "not signed"),
        (TEXT, "no signature"),
        (CHECKPOINT[:-1], "line end"),
        (CHECKPOINT.replace("\n", "\r\n"), "control character"),
        (CHECKPOINT + "- x y\n", "malformed"),
        (CHECKPOINT + "— x AAAA\n", "malformed"),
        (CHECKPOINT + "— x AAAAAA==\n", "malformed"),  # a key id, and no signature
        (CHECKPOINT + "— x\n", "malformed"),
        (CHECKPOINT + "— x AAAAAAAA AAAAAAAA\n", "malformed"),
        (CHECKPOINT + "— a+b AAAAAAAA\n", "malformed"),
        (CHECKPOINT + "— a\u0085b AAAAAAAA\n", "malformed"),
        (CHECKPOINT + WITNESS.sign(TEXT).rpartition("\n\n")[2] * 64, "malformed"),
        (LEDGER.sign(TEXT + "extension\n"), "three lines"),
        (LEDGER.sign(TEXT.replace("/e1", "/e2")), "another ledger"),
        (LEDGER.sign(TEXT.replace("\n10\n", "\n010\n")), "canonical"),
        (LEDGER.sign(TEXT.replace("\n10\n", "\n0\n")), "canonical"),
        (LEDGER.sign(TEXT.replace("=", "")), "canonical"),
        (LEDGER.sign(TEXT.replace("\n10\n", "\n17\n")), "root"),
        (LEDGER.sign(TEXT.replace("\n10\n", "\n3\n")), "below the size"),
        ("x" * 300_000, "too long"),
    ],
)
def test_a_wrong_checkpoint_is_refused(note: str, problem: str) -> None:
    assert problem in problems(_resigned(note))


def test_a_checkpoint_that_is_not_utf8_is_refused() -> None:
    assert "UTF-8" in problems(bundle_with({"checkpoint": b"\xff" + MEMBERS["checkpoint"]}))


# --- leaves, proofs and openings


def test_entries_that_change_places_are_refused() -> None:
    swapped = {
        "entries/0.leaf": MEMBERS["entries/3.leaf"],
        "entries/3.leaf": MEMBERS["entries/0.leaf"],
    }
    assert problems(bundle_with(swapped)).count("does not lead to the signed root") == 2


def test_openings_that_change_places_are_refused() -> None:
    swapped = {"entries/0.open.json": MEMBERS["entries/3.open.json"]}
    assert "opening is of another entry" in problems(bundle_with(swapped))


def test_an_opening_that_claims_another_place_is_still_refused() -> None:
    document = json.loads(MEMBERS["entries/3.open.json"])
    own = json.loads(MEMBERS["entries/0.open.json"])
    moved = json.dumps({**own, "fields": document["fields"]}).encode()
    assert "not what the ledger committed to" in problems(bundle_with({"entries/0.open.json": moved}))


PROOF = MEMBERS["entries/3.tlog-proof"]


@pytest.mark.parametrize(
    "proof",
    [
        PROOF.replace(b"@v1", b"@v2"),
        PROOF.replace(b"index 3", b"index 4"),
        PROOF.replace(b"index 3", b"index 03"),
        PROOF.replace(b"index 3", b"extra AA==\nindex 3"),
        PROOF.replace(b"index 3\n", b"index 3\n\n"),
        PROOF.replace(b"index 3\n", b"index 3\n" + b"A" * 43 + b"=\n"),
        PROOF.replace(b"index 3\n", b"index 3\n" + (b"A" * 43 + b"=\n") * 63),
        PROOF.replace(b"index 3\n", b"index 3\n!\n"),
        PROOF.replace(b"\n\n", b"\n", 1),
        PROOF[:-1],
        b"",
        b"\xff",
        MEMBERS["entries/4.tlog-proof"],
    ],
)
def test_a_wrong_proof_is_refused(proof: bytes) -> None:
    assert proof != PROOF
    assert "entry 3" in problems(bundle_with({"entries/3.tlog-proof": proof}))


def test_a_proof_that_is_too_long_is_refused_though_it_leads_to_the_root() -> None:
    """A dishonest ledger signs size 1 with the root of two leaves, to show the second one as its first."""
    ledger = Ledger()
    ledger.add({})
    ledger.add({})
    second, proof = ledger.leaves[1], ledger.tree().inclusion_proof(1)
    note = LEDGER.sign(checkpoint_text(ORIGIN, 1, ledger.tree().root()))
    raw = write_bundle(EvidenceBundle(LEDGER.key, note, (BundleEntry(0, second, proof),)))
    assert "too long" in problems(raw)


def test_only_32_bytes_are_a_hash_of_a_proof() -> None:
    """A dishonest ledger signs a root over something that is no node."""
    leaf, short = GOOD_LEAF, b"x" * 31
    root = hashlib.sha256(b"\x01" + hashlib.sha256(b"\x00" + leaf).digest() + short).digest()
    note = LEDGER.sign(checkpoint_text(ORIGIN, 2, root))
    members = read_zip(write_bundle(EvidenceBundle(LEDGER.key, note, (BundleEntry(0, leaf, (bytes(32),)),))))
    name, line = "entries/0.tlog-proof", base64.b64encode(short)
    proof = members[name].replace(base64.b64encode(bytes(32)), line)
    assert line in proof
    assert "malformed or too long" in problems(sealed_anew({**members, name: proof}))


GOOD_LEAF = example_ledger().leaves[0]


def _ledger_with_leaf(leaf: bytes) -> bytes:
    """Return a bundle whose only entry is any bytes at all, properly logged and signed."""
    ledger = Ledger()
    ledger.leaves.append(leaf)
    ledger.values.append({})
    return write_bundle(ledger.bundle(ledger.entry(0)))


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"\xff",
        GOOD_LEAF + b"\n",
        GOOD_LEAF[:-1],
        GOOD_LEAF + b"x",
        GOOD_LEAF.replace(b"v1", b"v2"),
        GOOD_LEAF.replace(b"disclose", b"Disclose"),
        GOOD_LEAF.replace(b"disclose", b"\x1b[2J"),
        GOOD_LEAF.replace(b"\n1700", b"\n01700"),
        GOOD_LEAF.replace(b"\n1700", b"\n-1700"),
        GOOD_LEAF.split(b"disclose\n")[0] + b"disclose\n" + b"A" * 44 + b"\n",
        GOOD_LEAF.split(b"disclose\n")[0] + b"disclose\n\n",
        GOOD_LEAF.split(b"disclose\n")[0] + b"disclose\n" + b"A" * 688 + b"\n",  # 16 commitments and 4 bytes
        b"alog/v1\n1\nx\n!!!!\n",
        GOOD_LEAF.replace(b"\n1700000000000\n", b"\n9223372036854775808\n"),
        b"alog/v1\n1\nx\n" + base64.b64encode(bytes(32 * 1_517)) + b"\n",  # a record more than there may be
        b"alog/v1\n1\nx\n" + b"A" * 65_520 + b"\n",
        b"alog/v1\n1\nx\n" + b"A" * 65_536 + b"\n",
    ],
)
def test_a_leaf_of_another_form_is_refused_though_it_was_logged(leaf: bytes) -> None:
    assert "entry 0: the leaf" in problems(_ledger_with_leaf(leaf)) or "UTF-8" in problems(_ledger_with_leaf(leaf))


def test_a_leaf_has_room_for_all_records() -> None:
    assert problems(_ledger_with_leaf(b"alog/v1\n1\nx\n" + base64.b64encode(bytes(32 * 1_516)) + b"\n")) == ""


SALT = json.loads(MEMBERS["entries/0.open.json"])["fields"]["purpose"]["salt"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"fields": {"purpose": {"salt": SALT, "value": "benefits"}}}, "committed to"),
        ({"fields": {"purpose": {"salt": "00" * 32, "value": "payroll"}}}, "committed to"),
        ({"fields": {"case": {"salt": SALT, "value": ""}}}, "committed to"),
        ({"fields": {"nonsense": {"salt": SALT, "value": ""}}}, "does not have"),
        ({"fields": {"record.7": {"salt": SALT, "value": ""}}}, "does not have"),
        ({"fields": {"purpose": {"salt": SALT.upper(), "value": "payroll"}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT[:-2], "value": "payroll"}}}, "malformed"),
        ({"fields": {"purpose": {"salt": None, "value": "payroll"}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT, "text": "payroll"}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT, "value": 7}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT, "value": "payroll", "hex": ""}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT, "hex": b"payroll".hex()}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT, "hex": "f"}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT, "hex": "FF"}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT, "hex": 99}}}, "malformed"),
        ({"fields": {"purpose": {"salt": SALT, "value": "\ud800"}}}, "malformed"),
        ({"fields": {"purpose": "payroll"}}, "malformed"),
        ({"fields": {"purpose": [SALT, "payroll"]}}, "malformed"),
        ({"index": 3}, "another entry"),
        ({"index": "0"}, "another entry"),
        ({"index": False}, "another entry"),
        ({"index": 0.0}, "another entry"),
        ({"leaf_sha256": "00" * 32}, "another entry"),
        ({"more": 1}, "malformed"),
    ],
)
def test_a_wrong_opening_is_refused(changes: dict[str, object], problem: str) -> None:
    assert problem in problems(opening_with(0, **changes))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"null",
        b'{"index":0,"index":0}',
        b'{"index":NaN}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"\xff{}",
        "\ufeff{}".encode(),
        b'{"index":' + b"9" * 10_000 + b"}",
        MEMBERS["entries/0.open.json"].replace(b'"purpose"', b'"counter"'),
        MEMBERS["entries/0.open.json"].replace(b'"index": 0', b'"index": 0, "index": 0'),
        MEMBERS["entries/0.open.json"] + b"x",
    ],
)
def test_hostile_json_is_refused(document: bytes) -> None:
    assert "entry 0: " in problems(bundle_with({"entries/0.open.json": document}))


def test_an_opening_has_one_spelling() -> None:
    """Another space or escape would say the same, and be a byte that counts for nothing."""
    opening = MEMBERS["entries/0.open.json"]
    for other in (opening.replace(b": ", b":  ", 1), opening + b"\n", opening.replace(b'"index"', b'"\\u0069ndex"')):
        assert "one canonical form" in problems(bundle_with({"entries/0.open.json": other}))


def test_a_very_long_opening_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = max(len(raw) for name, raw in MEMBERS.items() if name.endswith(".open.json"))
    monkeypatch.setattr(verify_bundle, "MAX_OPENING_BYTES", longest)
    assert problems(EXAMPLE) == ""
    monkeypatch.setattr(verify_bundle, "MAX_OPENING_BYTES", longest - 1)
    assert "too long" in problems(EXAMPLE)


def test_a_very_long_checkpoint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_bundle, "MAX_NOTE_BYTES", len(MEMBERS["checkpoint"]))
    assert problems(EXAMPLE) == ""
    monkeypatch.setattr(verify_bundle, "MAX_NOTE_BYTES", len(MEMBERS["checkpoint"]) - 1)
    assert problems(EXAMPLE) == "the checkpoint is too long"


# --- chains


def _chained(*links: tuple[str, str, str], times: tuple[int, ...] = ()) -> bytes:
    """Return a bundle of a ledger in which each entry has these subject, counter and previous fields, all opened."""
    ledger = Ledger()
    for number, link in enumerate(links):
        ledger.add(dict(zip(CHAIN, link, strict=True)), ms=times[number] if times else 0)
    return write_bundle(ledger.bundle(*(ledger.entry(index, *CHAIN) for index in range(len(links)))))


def test_a_lookup_left_out_in_the_middle_shows() -> None:
    ledger = example_ledger()
    verdict = verify(write_bundle(ledger.bundle(ledger.entry(0, *CHAIN), ledger.entry(8, *CHAIN))), LEDGER.vkey)
    assert verdict.verified
    assert verdict.gaps == [f"2 entries before entry 8 about subject {SUBJECT}"]
    assert "Missing in this bundle" in report(verdict)


def test_a_lookup_left_out_at_the_start_shows() -> None:
    ledger = example_ledger()
    verdict = verify(write_bundle(ledger.bundle(ledger.entry(3, *CHAIN))), LEDGER.vkey)
    assert verdict.gaps == [f"1 entries before entry 3 about subject {SUBJECT}"]


def test_chains_of_several_subjects_are_followed_apart() -> None:
    bundle = _chained(("a b", "1 1", "- -"), ("b", "2", "0"), ("b a", "3 2", "1 0"), ("", "", ""))
    verdict = verify(bundle, LEDGER.vkey)
    assert (verdict.problems, verdict.gaps) == ([], [])
    assert "5 links of subjects' chains agree with each other" in verdict.checked


@pytest.mark.parametrize(
    "links",
    [
        [("a", "1", "-"), ("a", "1", "-")],
        [("a", "1", "-"), ("a", "2", "-")],
        [("a", "2", "-"), ("b", "1", "-")],
        [("a", "1", "0"), ("b", "1", "-")],
        [("a", "2", "0"), ("a", "1", "-")],
        [("a", "1", "-"), ("b", "1", "-"), ("a", "2", "1")],
        [("a", "1", "-"), ("b", "1", "-"), ("a", "2", "2")],
        [("a", "1", "-"), ("b", "1", "-"), ("a", "3", "0")],
        [("a", "1", "-"), ("b", "1", "-"), ("a", "3", "7")],
        [("b", "1", "-"), ("a", "3", "0")],
        [("a", "0", "-")],
        [("a", "01", "-")],
        [("a", "one", "-")],
        [("a", "1", "")],
        [("a", "", "-")],
        [("a", "1", "minus")],
        [("a b", "1", "-")],
        [("a a", "1 2", "- 0")],
        [("a", "1", "-"), ("a a", "2 3", "0 0")],
        [("a", "1", "-"), ("a a", "2 3", "0 1")],
        [("a", "1 1", "- -")],
        [("a b", "1 1", "-")],
        [("1", "1", "")],
        [("1", "1", "1")],
        [("", "", "0")],
        [("a", "", "")],
        [("", "1", "")],
        [("", "1", "-")] * 2,
    ],
)
def test_chains_that_contradict_themselves_are_refused(links: list[tuple[str, str, str]]) -> None:
    verdict = verify(_chained(*links), LEDGER.vkey)
    assert verdict.problems
    assert not any("chains agree" in line for line in verdict.checked)


def test_time_that_stands_still_is_time() -> None:
    verdict = verify(_chained(("", "", ""), ("", "", ""), times=(1_000, 0)), LEDGER.vkey)
    assert (verdict.problems, [line for line in verdict.checked if "chains" in line]) == ([], [])


def test_time_that_runs_backwards_is_refused() -> None:
    assert "before that of an earlier entry" in problems(_chained(("", "", ""), ("", "", ""), times=(2_000, 0)))
