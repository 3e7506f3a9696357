"""Cosignatures: both types, and every case that the specification leaves open."""

from __future__ import annotations

import base64

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.checkpoint import Checkpoint, checkpoint_text, open_checkpoint
from registry.transparency.cosignature import (
    ED25519_COSIGNATURE,
    ML_DSA_44,
    CosignerKey,
    cosign,
    cosigner_key,
    format_cosigner,
    message_of,
    open_cosignatures,
    parse_cosigner,
)
from registry.transparency.note import key_id_of
from tests.unit.transparency.cosigners import MadeUp, ed25519, lattice
from tests.unit.transparency.support import LEDGER, ORIGIN

ROOT = bytes(range(32))
SEEN = Checkpoint(ORIGIN, 15, ROOT)
TEXT = checkpoint_text(ORIGIN, 15, ROOT)
SIGNED = LEDGER.sign(TEXT)
AT = 1_700_000_000
ONE, TWO, THIRD = (
    ed25519("witness.example/w1", 7),
    lattice("witness.example/w2", 8),
    ed25519("witness.example/w3", 9),
)
BOTH = pytest.mark.parametrize("who", [ONE, TWO], ids=["ed25519", "ml-dsa-44"])


def changed(line: str, at: int) -> str:
    name, encoded = line[2:-1].split(" ")
    raw = bytearray(base64.b64decode(encoded))
    raw[at] ^= 1
    return f"— {name} {base64.b64encode(raw).decode()}\n"


@BOTH
def test_a_cosignature_opens_and_tells_its_time(who: MadeUp) -> None:
    (found,) = open_cosignatures(SIGNED + who.line(SEEN, AT), (who.cosigner,), ORIGIN)
    assert (found.key, found.unix_s) == (who.key, AT)


def test_the_ledger_s_own_line_still_opens_among_others() -> None:
    note = SIGNED + ONE.line(SEEN) + TWO.line(SEEN)
    assert open_checkpoint(note, LEDGER.verifier, ORIGIN) == SEEN
    assert [one.key for one in open_cosignatures(note, (TWO.cosigner, ONE.cosigner), ORIGIN)] == [ONE.key, TWO.key]


def test_lines_of_unknown_cosigners_are_ignored() -> None:
    note = SIGNED + ONE.line(SEEN) + THIRD.line(SEEN)
    assert [one.key for one in open_cosignatures(note, (ONE.cosigner,), ORIGIN)] == [ONE.key]
    assert open_cosignatures(SIGNED, (ONE.cosigner, TWO.cosigner), ORIGIN) == ()


def test_the_messages_are_those_of_the_specification() -> None:
    assert message_of(ONE.key, SEEN, 1679315147) == f"cosignature/v1\ntime 1679315147\n{TEXT}".encode()
    assert message_of(TWO.key, SEEN, 1679315147) == (
        b"subtree/v1\n\0\x12witness.example/w2"
        + (1679315147).to_bytes(8, "big")
        + b"\x19registry.example/audit/e1"
        + bytes(8)
        + (15).to_bytes(8, "big")
        + ROOT
    )


@BOTH
@pytest.mark.parametrize("at", [4, 11, 12, -1], ids=["time", "time's end", "signature", "signature's end"])
def test_a_changed_line_of_a_known_cosigner_refuses_the_note(who: MadeUp, at: int) -> None:
    with pytest.raises(ProofRejected, match="does not verify"):
        open_cosignatures(SIGNED + changed(who.line(SEEN), at), (who.cosigner,), ORIGIN)


@BOTH
def test_a_cosignature_is_of_one_checkpoint_only(who: MadeUp) -> None:
    for other in (Checkpoint(ORIGIN, 16, ROOT), Checkpoint(ORIGIN, 15, ROOT[::-1])):
        with pytest.raises(ProofRejected, match="does not verify"):
            open_cosignatures(SIGNED + who.line(other), (who.cosigner,), ORIGIN)


@BOTH
def test_a_known_cosigner_signs_once(who: MadeUp) -> None:
    line = who.line(SEEN)
    for second in (line, changed(line, -1), who.line(SEEN, AT + 1)):
        with pytest.raises(ProofRejected, match="more than once"):
            open_cosignatures(SIGNED + line + second, (who.cosigner,), ORIGIN)


@BOTH
def test_a_time_of_zero_and_one_beyond_63_bits_are_none(who: MadeUp) -> None:
    line = who.line(SEEN)
    name, encoded = line[2:-1].split(" ")
    raw = base64.b64decode(encoded)
    for time in (bytes(8), b"\x80" + bytes(7)):
        forged = f"— {name} {base64.b64encode(raw[:4] + time + raw[12:]).decode()}\n"
        with pytest.raises(ProofRejected, match="does not verify"):
            open_cosignatures(SIGNED + forged, (who.cosigner,), ORIGIN)
    for unix_s in (0, -1, 2**63):
        with pytest.raises(ValueError, match="above zero"):
            message_of(who.key, SEEN, unix_s)


@BOTH
def test_a_signature_without_a_time_is_none(who: MadeUp) -> None:
    name, encoded = who.line(SEEN)[2:-1].split(" ")
    raw = base64.b64decode(encoded)
    bare = f"— {name} {base64.b64encode(raw[:4] + raw[12:]).decode()}\n"
    with pytest.raises(ProofRejected, match="does not verify"):
        open_cosignatures(SIGNED + bare, (who.cosigner,), ORIGIN)


def test_the_name_of_an_ml_dsa_cosigner_is_signed() -> None:
    renamed = CosignerKey("witness.example/w9", ML_DSA_44, TWO.key.key_id, TWO.key.public_key)
    line = TWO.line(SEEN).replace("w2", "w9")
    with pytest.raises(ProofRejected, match="does not verify"):
        open_cosignatures(SIGNED + line, (type(TWO.cosigner)(renamed, TWO.cosigner.check),), ORIGIN)


def test_two_cosigners_of_one_place_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="share"):
        open_cosignatures(SIGNED, (ONE.cosigner, ONE.cosigner), ORIGIN)


@pytest.mark.parametrize("text", [TEXT + "extension\n", TEXT.replace("15", "015"), TEXT.replace("/e1", "/e2")])
def test_only_a_checkpoint_of_that_ledger_is_opened(text: str) -> None:
    with pytest.raises(ProofRejected):
        open_cosignatures(LEDGER.sign(text), (ONE.cosigner,), ORIGIN)


@BOTH
def test_keys_are_read_back(who: MadeUp) -> None:
    assert parse_cosigner(format_cosigner(who.key)) == who.key


def vkey(name: str, kind: int, public: bytes) -> str:
    encoded = base64.b64encode(bytes([kind]) + public).decode()
    return f"{name}+{key_id_of(name, public, kind).hex()}+{encoded}"


@pytest.mark.parametrize("kind", [0, 1, 2, 5, 6, 255])
def test_an_ed25519_key_of_another_type_is_no_cosigner_s(kind: int) -> None:
    with pytest.raises(ProofRejected, match="not a cosigner's key"):
        parse_cosigner(vkey(ONE.key.name, kind, ONE.key.public_key))


@pytest.mark.parametrize("length", [0, 31, 33, 1_311, 1_313])
@pytest.mark.parametrize("kind", [ED25519_COSIGNATURE, ML_DSA_44])
def test_a_key_of_another_length_is_no_cosigner_s(kind: int, length: int) -> None:
    with pytest.raises(ProofRejected, match="not a cosigner's key"):
        parse_cosigner(vkey("w", kind, bytes(length)))


def test_weak_points_bad_names_and_foreign_ids_are_refused() -> None:
    with pytest.raises(ProofRejected, match="small order"):
        parse_cosigner(vkey("w", ED25519_COSIGNATURE, bytes(32)))
    with pytest.raises(ProofRejected, match="key name"):
        parse_cosigner(vkey("a b", ED25519_COSIGNATURE, ONE.key.public_key))
    with pytest.raises(ProofRejected, match="does not belong"):
        parse_cosigner(ONE.vkey.replace(ONE.key.key_id.hex(), "00000000"))
    # The key id of the same key as a log's differs from its id as a cosigner's.
    assert key_id_of(ONE.key.name, ONE.key.public_key) != ONE.key.key_id


def test_names_and_origins_of_ml_dsa_messages_end_at_255_bytes() -> None:
    assert cosigner_key("w" * 255, ML_DSA_44, TWO.key.public_key)
    with pytest.raises(ProofRejected, match="255"):
        cosigner_key("w" * 256, ML_DSA_44, TWO.key.public_key)
    with pytest.raises(ProofRejected, match="too long"):
        message_of(TWO.key, Checkpoint("o" * 256, 15, ROOT), AT)
    assert message_of(ONE.key, Checkpoint("o" * 256, 15, ROOT), AT)


@BOTH
def test_a_signature_of_a_wrong_length_is_not_written(who: MadeUp) -> None:
    with pytest.raises(ValueError, match="as long as"):
        cosign(who.key, SEEN, AT, lambda _: bytes(63))
