"""Sealing tags: a permutation of 16 bytes under a key, and nothing else."""

from __future__ import annotations

import pickle

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from registry.crypto.tag_seal import TAG_BYTES, TagSeal

SECRET = bytes(range(32))
TAGS = [number.to_bytes(TAG_BYTES, "big") for number in (*range(100), 2**127, 2**128 - 1)]


def test_what_was_sealed_opens_and_is_as_long() -> None:
    seal = TagSeal(SECRET)
    sealed = [seal.seal(tag) for tag in TAGS]
    assert [seal.open(one) for one in sealed] == TAGS
    assert {len(one) for one in sealed} == {TAG_BYTES}
    assert len(set(sealed)) == len(TAGS)
    assert not set(sealed) & set(TAGS)


def test_the_same_secret_gives_the_same_and_another_one_something_else() -> None:
    assert [TagSeal(SECRET).seal(tag) for tag in TAGS] == [TagSeal(SECRET).seal(tag) for tag in TAGS]
    others = TagSeal(bytes(32))
    assert not [tag for tag in TAGS if others.open(TagSeal(SECRET).seal(tag)) == tag]


def test_it_is_one_block_of_aes_as_the_page_says() -> None:
    """Written out a second time, through another mode: one block of CBC without what is before it is the same."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = HKDF(SHA256(), 32, None, b"registry/kept-tags/v1").derive(SECRET)
    for tag in TAGS:
        encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
        assert encryptor.update(tag) == TagSeal(SECRET).seal(tag)
    # Written with openssl: HKDF-SHA256 and AES-256 of sixteen zero bytes.
    assert TagSeal(SECRET).seal(bytes(16)).hex() == "c857259e789b1127aa8ac65233038b41"


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_only_one_block_is_taken(length: int) -> None:
    for act in (TagSeal(SECRET).seal, TagSeal(SECRET).open):
        with pytest.raises(ValueError, match="16 bytes"):
            act(bytes(length))


def test_it_is_not_shown_and_not_pickled() -> None:
    assert repr(TagSeal(SECRET)) == "TagSeal(***)"
    with pytest.raises(TypeError):
        pickle.dumps(TagSeal(SECRET))
