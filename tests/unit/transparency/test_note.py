"""Signed notes: the undecided cases of the specification are decided here, one test each."""

from __future__ import annotations

import base64

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Verifier,
    format_vkey,
    key_id_of,
    open_note,
    parse_vkey,
    sign_note,
    signature_line,
    split_note,
    verifier_key,
)
from tests.unit.transparency.support import LEDGER, ORIGIN, STRANGER, WITNESS

TEXT = "first\n\nthird\n"
NOTE = LEDGER.sign(TEXT)
LINE = NOTE.removeprefix(TEXT + "\n")
FORGED = signature_line(ORIGIN, LEDGER.key.key_id, bytes(64))
OTHER = WITNESS.sign(TEXT).removeprefix(TEXT + "\n")
KNOWN = (LEDGER.verifier,)


def test_a_signed_note_opens() -> None:
    opened = open_note(NOTE, KNOWN)
    assert opened.text == TEXT
    assert [(line.name, line.key_id) for line in opened.signed_by] == [(ORIGIN, LEDGER.key.key_id)]
    assert opened.unverified == ()
    assert open_note(NOTE.encode(), KNOWN) == opened


def test_the_text_may_hold_blank_lines() -> None:
    assert split_note("a\n\nb\n\n" + LINE)[0] == "a\n\nb\n"


def test_lines_of_unknown_keys_are_kept_apart() -> None:
    opened = open_note(TEXT + "\n" + OTHER + LINE + OTHER, KNOWN)
    assert [line.name for line in opened.signed_by] == [ORIGIN]
    assert [line.name for line in opened.unverified] == [WITNESS.key.name] * 2


def test_several_known_keys_are_all_verified() -> None:
    opened = open_note(NOTE + OTHER, (WITNESS.verifier, LEDGER.verifier))
    assert [line.name for line in opened.signed_by] == [ORIGIN, WITNESS.key.name]


def test_a_key_of_the_same_name_but_another_id_is_unknown() -> None:
    with pytest.raises(ProofRejected, match="no known key"):
        open_note(STRANGER.sign(TEXT), KNOWN)


@pytest.mark.parametrize(
    "lines", [LINE + LINE, LINE + FORGED, FORGED + LINE, FORGED], ids=["twice", "good+forged", "forged+good", "forged"]
)
def test_a_known_key_signs_once_and_well(lines: str) -> None:
    with pytest.raises(ProofRejected, match="known key"):
        open_note(TEXT + "\n" + lines, KNOWN)


def test_a_known_line_of_the_wrong_length_is_refused_before_the_check() -> None:
    def never(signature: bytes, message: bytes, /) -> bool:
        raise AssertionError

    short = base64.b64encode(LEDGER.key.key_id + bytes(63)).decode()
    with pytest.raises(ProofRejected, match="does not verify"):
        open_note(f"{TEXT}\n— {ORIGIN} {short}\n", (Verifier(LEDGER.key, never),))


def test_a_check_that_answers_anything_but_true_refuses() -> None:
    class Silent:
        def __call__(self, signature: bytes, message: bytes, /) -> bool:
            return None  # type: ignore[return-value]  # what a function does that reports failure by raising

    with pytest.raises(ProofRejected, match="does not verify"):
        open_note(NOTE, (Verifier(LEDGER.key, Silent()),))


def test_verifiers_of_the_same_name_and_id_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="share"):
        open_note(NOTE, (LEDGER.verifier, LEDGER.verifier))


SIGNATURE = LINE.split(" ")[2].strip()
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
STRAY_BITS = SIGNATURE[:-2] + ALPHABET[ALPHABET.index(SIGNATURE[-2]) + 1] + "="
URL_SAFE = base64.urlsafe_b64encode(base64.b64decode(SIGNATURE)).decode()
HOSTILE = {
    "empty": "",
    "text only": TEXT,
    "no signature": TEXT + "\n",
    "no blank line": TEXT + LINE,
    "no final line end": NOTE[:-1],
    "text after signatures": NOTE + "x\n",
    "blank line after signatures": NOTE + "\n",
    "CRLF": NOTE.replace("\n", "\r\n"),
    "CRLF in the text": NOTE.replace("first\n", "first\r\n"),
    "NUL": NOTE.replace("first", "first\0"),
    "tab": NOTE.replace("first", "first\t"),
    "escape": NOTE.replace("first", "first\x1b"),
    "hyphen": NOTE.replace("—", "-"),
    "en dash": NOTE.replace("—", "\u2013"),
    "no dash": NOTE.replace("— ", ""),
    "double space": NOTE.replace("— ", "—  "),
    "double space before signature": NOTE.replace(f"{ORIGIN} ", f"{ORIGIN}  "),
    "space at the end": NOTE[:-1] + " \n",
    "no-break space": NOTE.replace("— ", "—\u00a0"),
    "no name": NOTE.replace(f"— {ORIGIN} ", "—  "),
    "plus in the name": NOTE.replace(f"— {ORIGIN}", "— a+b"),
    "U+0085 in the name": NOTE.replace(f"— {ORIGIN}", "— a\u0085b"),
    "url-safe base64": NOTE.replace(SIGNATURE, URL_SAFE),
    "stray bits": NOTE.replace(SIGNATURE, STRAY_BITS),
    "no padding": NOTE.replace(SIGNATURE, SIGNATURE.rstrip("=")),
    "more padding": NOTE.replace(SIGNATURE, SIGNATURE + "="),
    "spaced base64": NOTE.replace(SIGNATURE, SIGNATURE[:8] + "\u2003" + SIGNATURE[8:]),
    "key id only": NOTE.replace(SIGNATURE, base64.b64encode(LEDGER.key.key_id).decode()),
    "malformed line of an unknown key": NOTE + "— someone not-base64\n",
    "key id only, of an unknown key": NOTE + "— someone AAAAAA==\n",
    "plus in an unknown name": NOTE + "— a+b AAAAAAAA\n",
    "U+0085 in an unknown name": NOTE + "— a\u0085b AAAAAAAA\n",
    "lone surrogate": NOTE.replace("first", "\ud800"),
    "too many signatures": TEXT + "\n" + LINE + OTHER * MAX_SIGNATURES,
    "too long": LEDGER.sign("x" * MAX_NOTE_BYTES + "\n"),
}


@pytest.mark.parametrize("note", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_notes_are_refused(note: str) -> None:
    assert note != NOTE
    with pytest.raises(ProofRejected):
        open_note(note, KNOWN)


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(ProofRejected, match="UTF-8"):
        open_note(NOTE.encode().replace(b"first", b"fir\xffst"), KNOWN)
    with pytest.raises(ProofRejected, match="UTF-8"):
        open_note(NOTE.encode().replace(b"first", b"fir\xc0\x80st"), KNOWN)  # an overlong NUL


def test_as_many_signatures_as_the_specification_demands_are_read() -> None:
    assert len(open_note(TEXT + "\n" + OTHER * (MAX_SIGNATURES - 1) + LINE, KNOWN).unverified) == MAX_SIGNATURES - 1


@pytest.mark.parametrize("text", ["", "no line end", "a\rb\n", "tab\t\n"])
def test_a_text_that_no_note_can_have_is_not_signed(text: str) -> None:
    with pytest.raises(ProofRejected):
        LEDGER.sign(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2028b", "a\ud800"])
def test_a_name_that_no_key_can_have_is_refused(name: str) -> None:
    with pytest.raises(ProofRejected):
        verifier_key(name, LEDGER.key.public_key)
    with pytest.raises(ProofRejected):
        sign_note(TEXT, name, LEDGER.key.key_id, LEDGER.private.sign)


@pytest.mark.parametrize(("key_id", "signature"), [(b"abc", bytes(64)), (b"abcd", bytes(63)), (b"abcde", bytes(64))])
def test_a_signature_line_has_fixed_widths(key_id: bytes, signature: bytes) -> None:
    with pytest.raises(ProofRejected):
        signature_line(ORIGIN, key_id, signature)


def test_a_verifier_key_is_read_back() -> None:
    assert parse_vkey(format_vkey(LEDGER.key)) == LEDGER.key
    assert LEDGER.key.key_id == key_id_of(ORIGIN, LEDGER.key.public_key)


@pytest.mark.parametrize("kind", [0, 2, 4, 5, 6, 255])
def test_keys_of_other_types_are_refused(kind: int) -> None:
    typed = base64.b64encode(bytes([kind]) + LEDGER.key.public_key).decode()
    with pytest.raises(ProofRejected, match="not an Ed25519"):
        parse_vkey(f"{ORIGIN}+{LEDGER.key.key_id.hex()}+{typed}")


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        LEDGER.vkey + " ",
        LEDGER.vkey + "\n",
        " " + LEDGER.vkey,
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # right but for its capitals
        LEDGER.vkey.replace(LEDGER.key.key_id.hex(), "00000000"),
        LEDGER.vkey.replace("registry", "Registry"),
        LEDGER.vkey + "=",
        LEDGER.vkey[:-1],
        STRANGER.vkey.replace(STRANGER.key.key_id.hex(), LEDGER.key.key_id.hex()),
    ],
)
def test_no_other_text_is_a_verifier_key(vkey: str) -> None:
    with pytest.raises(ProofRejected):
        parse_vkey(vkey)


# Points of small order in every encoding, and y coordinates at or above the prime (RFC 8032 section 5.1.3).
P = 2**255 - 19
SMALL = [0, 1, P - 1, P, P + 1]
SMALL += [
    int.from_bytes(bytes.fromhex(point), "little")
    for point in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
]


@pytest.mark.parametrize("y", [*SMALL, P + 3, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, 1])
def test_keys_of_small_order_and_other_spellings_are_refused(y: int, sign: int) -> None:
    public_key = (y | sign << 255).to_bytes(32, "little")
    with pytest.raises(ProofRejected, match="small order or not a point in canonical form"):
        verifier_key(ORIGIN, public_key)


def test_a_key_that_is_no_point_is_refused() -> None:
    with pytest.raises(ProofRejected, match="not a point"):
        verifier_key(ORIGIN, b"\x02" + bytes(31))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_public_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ProofRejected, match="32 bytes"):
        verifier_key(ORIGIN, b"\x03" * length)
