from __future__ import annotations

import pytest

from registry.domain.errors import TokenRefused
from registry.identity.shown import ShownToken, shown_token


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("Bearer abc.def.ghi", "abc.def.ghi"),
        ("bearer abc", "abc"),
        ("BEARER a-b_c~d+e/f==", "a-b_c~d+e/f=="),
        ("DPoP abc.def.ghi", "abc.def.ghi"),
        ("dpop abc", "abc"),
    ],
)
def test_one_plain_header_gives_its_token(value: str, token: str) -> None:
    assert shown_token([value]) == ShownToken(token, is_bound=value[0] in "Dd")


def test_no_header_is_missing() -> None:
    with pytest.raises(TokenRefused) as caught:
        shown_token([])
    assert caught.value.reason == "missing"


@pytest.mark.parametrize(
    "values",
    [
        ["Bearer abc", "Bearer abc"],
        ["Bearer abc", "Basic eA=="],
        [""],
        ["Bearer"],
        ["Bearer "],
        ["Bearer  abc"],
        ["Bearer\tabc"],
        [" Bearer abc"],
        ["Bearer abc "],
        ["Bearer abc\n"],
        ["Bearer abc\r\nX: y"],
        ["Bearer abc def"],
        ["Bearer abc,Bearer def"],
        ["Bearer abc, Bearer def"],
        ["Bearer =abc"],
        ["Bearer a=b"],
        ['Bearer "abc"'],
        ["Bearer token=abc"],
        ["Bearer: abc"],
        ["Bearer abc\x00"],
        ["Bearer \u00e5bc"],
        ["\u212aearer abc"],
        ["Basic YWJjOmRlZg=="],
        ["DPoP  abc"],
        ["DPoP \u212a"],
        ["Bearer \u017f"],
        ["DPoP abc", "Bearer abc"],
        ["Token abc"],
        ["abc.def.ghi"],
    ],
)
def test_anything_else_is_malformed(values: list[str]) -> None:
    with pytest.raises(TokenRefused) as caught:
        shown_token(values)
    assert caught.value.reason == "malformed"
