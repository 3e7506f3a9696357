"""A tag key makes the tags of ``keyed_tag``."""

from __future__ import annotations

import pickle

import pytest

from registry.crypto.tags import TagKey, keyed_tag

KEY = bytes(range(32))


@pytest.mark.parametrize("length", [8, 16, 32])
@pytest.mark.parametrize("data", [b"", b"x", bytes(200)])
def test_a_tag_key_gives_the_same_tags(length: int, data: bytes) -> None:
    assert TagKey(KEY, "registry/test/v1", length=length).tag(data) == keyed_tag(
        KEY, "registry/test/v1", data, length=length
    )


@pytest.mark.parametrize(
    ("key", "domain", "length"), [(b"short", "a", 16), (KEY, "", 16), (KEY, "a", 7), (KEY, "a", 33)]
)
def test_what_keyed_tag_refuses_a_tag_key_refuses(key: bytes, domain: str, length: int) -> None:
    with pytest.raises(ValueError, match="tag"):
        TagKey(key, domain, length=length)


def test_a_tag_key_is_not_shown_and_not_pickled() -> None:
    key = TagKey(KEY, "registry/test/v1")
    assert repr(key) == "TagKey(***)"
    with pytest.raises(TypeError):
        pickle.dumps(key)
