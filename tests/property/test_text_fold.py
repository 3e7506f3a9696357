"""Folding of any text: ASCII only, and every folded character knows where it came from."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from registry.text.fold import fold_text
from registry.text.words import skeleton, split_words

texts = st.text(max_size=200) | st.lists(
    st.sampled_from(
        [
            "&amp;",
            "&#65;",
            "<br>",
            "<b>",
            "\\u0041",
            "\n> ",
            "=\n",
            "Ж",
            "é",
            "e\u0301",
            "\u200b",
            "Ａ",
            "😀",
            "a",
            " ",
            "8️⃣",
        ]
    ),
    max_size=40,
).map("".join)


@given(texts)
def test_the_map_is_whole_and_in_order(raw):
    folded = fold_text(raw)
    assert folded.text.isascii()
    assert folded.text == folded.text.lower()
    if not folded.starts:
        assert len(folded.text) in {0, len(raw)}
        return
    assert len(folded.starts) == len(folded.ends) == len(folded.text)
    assert all(0 <= start < end <= len(raw) for start, end in zip(folded.starts, folded.ends, strict=True))
    assert all(left <= right for left, right in pairwise(folded.starts))


@given(texts)
def test_plain_characters_keep_their_place(raw):
    folded = fold_text("mark one " + raw)
    assert folded.text.startswith("mark one ")
    assert folded.raw_span(0, 8) == (0, 8)


@given(texts)
def test_words_lie_inside_their_pieces(raw):
    folded = fold_text(raw)
    words = split_words(folded, [(0, len(folded.text))])
    assert all(left <= right for left, right in pairwise(words.starts))
    for index in range(len(words.texts)):
        start, end = folded.raw_span(words.starts[index], words.ends[index])
        assert 0 <= start < end <= len(raw)
        assert skeleton(words.texts[index])
