"""A witness's key as text."""

from __future__ import annotations

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.checkpoint import Checkpoint
from registry.transparency.cosignature import Cosigner, cosign, open_cosignatures
from registry.witness.keys import check_of, new_key, read_key
from tests.unit.transparency.support import LEDGER, ORIGIN

NAME = "witness.example/w1"
TEXT = new_key(NAME)


def test_a_new_key_cosigns() -> None:
    made = read_key(TEXT)
    seen = Checkpoint(ORIGIN, 15, bytes(range(32)))
    note = LEDGER.sign(f"{ORIGIN}\n15\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    note += cosign(made.key, seen, 7, made.sign)
    (found,) = open_cosignatures(note, (Cosigner(made.key, check_of(made.key)),), ORIGIN)
    assert (made.key.name, found.unix_s) == (NAME, 7)
    assert new_key(NAME) != TEXT


def test_no_part_of_a_key_is_one() -> None:
    parts = {TEXT[i:j] for i in range(0, len(TEXT), 7) for j in range(i, len(TEXT) + 1)} - {TEXT}
    for part in parts:
        with pytest.raises(ProofRejected):
            read_key(part)


def test_no_changed_character_leaves_a_key() -> None:
    for position, character in enumerate(TEXT):
        with pytest.raises(ProofRejected):
            read_key(TEXT[:position] + chr(ord(character) + 1) + TEXT[position + 1 :])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_no_key_can_have_is_refused(name: str) -> None:
    with pytest.raises(ProofRejected):
        new_key(name)


def test_a_note_tool_s_ordinary_key_is_no_witness_s() -> None:
    """The published test key of golang.org/x/mod: type 01, which signs other things."""
    with pytest.raises(ProofRejected, match="not a witness's key"):
        read_key("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
