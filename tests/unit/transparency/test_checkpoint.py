"""Checkpoints."""

from __future__ import annotations

import base64

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.checkpoint import Checkpoint, checkpoint_text, open_checkpoint, parse_checkpoint
from registry.transparency.merkle import EMPTY_ROOT
from tests.unit.transparency.support import LEDGER, ORIGIN, WITNESS, Signer

ROOT = b"\xfb\xff" + bytes(range(30))
TEXT = checkpoint_text(ORIGIN, 15, ROOT)
ROOT64 = base64.b64encode(ROOT).decode()


def test_a_checkpoint_is_what_the_format_says() -> None:
    assert f"{ORIGIN}\n15\n{ROOT64}\n" == TEXT
    assert open_checkpoint(LEDGER.sign(TEXT), LEDGER.verifier, ORIGIN) == Checkpoint(ORIGIN, 15, ROOT)


def test_further_signatures_do_no_harm() -> None:
    cosigned = LEDGER.sign(TEXT) + WITNESS.sign(TEXT).removeprefix(TEXT + "\n")
    assert open_checkpoint(cosigned, LEDGER.verifier, ORIGIN).size == 15


def test_the_empty_tree_has_one_root() -> None:
    text = checkpoint_text(ORIGIN, 0, EMPTY_ROOT)
    assert parse_checkpoint(text, ORIGIN) == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    with pytest.raises(ValueError, match="empty tree"):
        checkpoint_text(ORIGIN, 0, ROOT)
    with pytest.raises(ProofRejected, match="empty tree"):
        parse_checkpoint(f"{ORIGIN}\n0\n{ROOT64}\n", ORIGIN)


SIZES = [
    "015",
    "+15",
    " 15",
    "15 ",
    "1_5",
    "\u0661\u0665",
    "-15",
    "0x15",
    "1e1",
    "",
    "18446744073709551616",
    str(2**63),
]
HOSTILE = {
    **{f"size {size!r}": TEXT.replace("15", size) for size in SIZES},
    "other origin": TEXT.replace("/e1", "/e2"),
    "no origin": TEXT.removeprefix(ORIGIN),
    "url-safe root": TEXT.replace(ROOT64, base64.urlsafe_b64encode(ROOT).decode()),
    "unpadded root": TEXT.replace("=", ""),
    "root with stray bits": TEXT.replace(ROOT64, ROOT64[:-2] + "1="),
    "spaced root": TEXT.replace(ROOT64, ROOT64[:4] + " " + ROOT64[4:]),
    "31-byte root": TEXT.replace(ROOT64, base64.b64encode(ROOT[:31]).decode()),
    "33-byte root": TEXT.replace(ROOT64, base64.b64encode(ROOT + b"x").decode()),
    "no root": TEXT.replace(ROOT64, ""),
    "two lines": f"{ORIGIN}\n15\n",
    "extension line": TEXT + "extension\n",
    "U+0085 extension line": TEXT + "\u0085\n",
    "blank line inside": TEXT.replace("\n15", "\n\n15"),
    "blank line after": TEXT + "\n",
    "no final line end": TEXT[:-1],
    "line separator for line end": TEXT.replace("\n15\n", "\n15\u2028"),
    "CR": TEXT.replace("15\n", "15\r\n"),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_refused_even_when_signed(text: str) -> None:
    assert text != TEXT
    with pytest.raises(ProofRejected):
        parse_checkpoint(text, ORIGIN)
    if text.endswith("\n") and "\r" not in text:
        with pytest.raises(ProofRejected):
            open_checkpoint(LEDGER.sign(text), LEDGER.verifier, ORIGIN)


def test_the_key_s_name_is_the_origin() -> None:
    other = Signer.named("registry.example/audit/e2", bytes(range(32)))
    with pytest.raises(ProofRejected, match="another ledger"):
        open_checkpoint(other.sign(TEXT), other.verifier, ORIGIN)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, ROOT),
        ("a b", 1, ROOT),
        ("a+b", 1, ROOT),
        ("a\nb", 1, ROOT),
        (ORIGIN, -1, ROOT),
        (ORIGIN, 2**63, ROOT),
        (ORIGIN, 1, ROOT[:31]),
        (ORIGIN, 1, b""),
    ],
)
def test_nothing_out_of_shape_is_stated(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(ValueError):
        checkpoint_text(origin, size, root)


@pytest.mark.parametrize("origin", ["", "a b"])
def test_no_checkpoint_is_of_an_impossible_origin(origin: str) -> None:
    with pytest.raises(ProofRejected):
        parse_checkpoint(TEXT.replace(ORIGIN, origin), origin)
