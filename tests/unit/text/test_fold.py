from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text import fold
from registry.text.fold import fold_text, fold_word


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("Plain TEXT 12", "plain text 12"),
        ("Ｍａｐｌｅ １２", "maple 12"),
        ("𝐌𝐚𝐩𝐥𝐞 𝟙𝟚", "maple 12"),
        ("8️⃣1️⃣6️⃣", "816"),
        ("Ⓜⓐⓟⓛⓔ ⑫", "maple 12"),
        ("🅼🅰🅿🅻🅴", "maple"),
        ("٨١٦", "816"),
        ("M\u200ba\u00adp\u2060le", "maple"),
        ("Wal\u0301nut Ŝt", "walnut st"),
        ("O’Neil", "o'neil"),
        ("816–555‑0123", "816-555-0123"),
        ("a&amp;b &#49;2 &nbsp;c", "a&b 12  c"),
        ("<b>7</b>3<br>4", "73 4"),
        ('"Ren\\u00e9e" 1\\/2', '"renee" 1/2'),
        ("soft=\nbreak", "softbreak"),
    ],
)
def test_folds(raw: str, folded: str) -> None:
    assert fold_text(raw).text == folded


def test_mixed_scripts_are_read_by_their_looks_and_whole_words_transliterated() -> None:
    assert fold_word("Wаlnυt") == "walnut"  # Cyrillic a, Greek upsilon
    assert fold_word("Наталья Жукова") == "natalya zhukova"
    assert fold_word("Наталья-Smith") == "natalya-smith"


def test_quote_marks_at_line_begins_are_left_out() -> None:
    assert fold_text("12\n> Maple\n> > >> St > 3").text == "12\nmaple\nst > 3"


def test_times_of_captions_and_numbers_of_lines_are_left_out() -> None:
    cues = "7\n00:00:33,000 --> 00:00:35,500\nlives at 12\n\n8\n00:00:36,000 --> 00:00:38,500\nMaple St"
    assert fold_text(cues).text == "lives at 12\nmaple st"
    assert fold_text("00:33.000 --> 00:35.500 align:start\nat 12\n\n00:36.000 --> 00:38.500\nMaple St").text == (
        "at 12\nmaple st"
    )
    numbered = "\n".join(f"{number:>3}    Maple" for number in (24, 25, *range(1, 9)))
    assert fold_text(numbered).text == "\n".join(["maple"] * 10)


def test_numbers_that_do_not_count_lines_stay() -> None:
    few = "\n".join(f"{number}    Maple" for number in range(1, 8))  # a short list
    homes = "\n".join(f"{number}    Maple" for number in range(2, 40, 3))
    assert [fold_text(text).text for text in (few, homes)] == [few.lower(), homes.lower()]
    assert fold_text("12 --> 14 Maple").text == "12 --> 14 maple"


def test_spans_lead_back_to_the_raw_text() -> None:
    raw = "x &amp; Ｍａp\u200ble ☃ St"
    folded = fold_text(raw)
    start = folded.text.index("maple")
    first, last = folded.raw_span(start, start + 5)
    assert raw[first:last] == "Ｍａp\u200ble"


def test_capitals_are_seen_through_the_fold() -> None:
    folded = fold_text("é Ünal unal 李")
    assert [folded.is_upper(folded.text.index(word)) for word in ("unal", "e", "li")] == [True, False, True]


def test_repr_shows_nothing() -> None:
    assert "Maple" not in repr(fold_text("12 Maple St, René"))


def test_tags_of_data_part_words_and_keep_their_attributes() -> None:
    assert fold_text("<b>8</b>1<i>6</i>").text == "816"
    assert fold_text("<first>Ann</first><last>Roe</last>").text.split() == ["ann", "roe"]
    assert "roe" in fold_text('<row last="Roe"/>').text
    assert "blue" not in fold_text('<div class="blue">x</div>').text


@pytest.mark.parametrize(
    "text",
    [
        "x &amp; y",
        "a <b> c",
        "a <!-- b --> c",
        "\\u0041",
        "a\\nb",
        "a=\nb",
        "%41%42",
        "a+b",
        "exam-\nple",
        "p@ss",
        "p$ss",
        "l|2",
        "1!2",
        "shi*ley",
        "5$5",
        "1-!2",
        "513.$55.0146",
        "$13-555-0146",
        "1241 (S)outh",
        "5@5",
        "5&5",
        "#JaneDoe",
    ],
)
def test_every_way_of_a_special_sign_is_noticed_before_it_is_looked_for(text: str) -> None:
    assert fold._has_special(text)
    assert fold._SPECIAL_ASCII.search(text)


@given(st.text(alphabet="aZs S05()[]|!$@&#*+-=%<>\\/.;,\n\"'", max_size=24))
def test_no_special_sign_is_overlooked(text: str) -> None:
    assert fold._has_special(text) == (fold._SPECIAL_ASCII.search(text) is not None)


def test_a_sign_for_a_digit_is_read_where_the_text_begins() -> None:
    assert fold_text("$13-555-0146").text == "513-555-0146"
