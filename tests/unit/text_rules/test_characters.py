import pytest

from registry.text.rules.characters import character_problem
from registry.text.rules.texts import one_line, paragraphs

BASE = "Row{}an"


@pytest.mark.parametrize(
    ("character", "code"),
    [
        ("\x00", "control_character"),
        ("\x01", "control_character"),
        ("\x07", "control_character"),
        ("\x08", "control_character"),
        ("\t", "control_character"),
        ("\n", "control_character"),
        ("\x0b", "control_character"),
        ("\r", "control_character"),
        ("\r\n", "control_character"),
        ("\x1b[31m", "control_character"),
        ("\x7f", "control_character"),
        ("\x80", "control_character"),
        ("\x85", "control_character"),
        ("\x9b", "control_character"),
        ("\u2028", "control_character"),
        ("\u2029", "control_character"),
        ("\ud800", "lone_surrogate"),
        (chr(0xDFFF), "lone_surrogate"),
        ("\ufdd0", "noncharacter"),
        ("\ufdef", "noncharacter"),
        ("\ufffe", "noncharacter"),
        ("\uffff", "noncharacter"),
        ("\U0001fffe", "noncharacter"),
        ("\U0010ffff", "noncharacter"),
        *((mark, "bidi_control") for mark in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"),
        *((mark, "bidi_control") for mark in "\u2066\u2067\u2068\u2069"),
        ("\ue000", "private_use"),
        ("\uf8ff", "private_use"),
        ("\U000f0000", "private_use"),
        ("\U0010fffd", "private_use"),
        ("\u00ad", "invisible_character"),
        ("\u034f", "invisible_character"),
        ("\u115f", "invisible_character"),
        ("\u1160", "invisible_character"),
        ("\u17b4", "invisible_character"),
        ("\u180e", "invisible_character"),
        ("\u200b", "invisible_character"),
        ("\u2060", "invisible_character"),
        ("\u2061", "invisible_character"),
        ("\u206a", "invisible_character"),
        ("\u2800", "invisible_character"),
        ("\u3164", "invisible_character"),
        ("\ufeff", "invisible_character"),
        ("\uffa0", "invisible_character"),
        ("\ufff9", "invisible_character"),
        ("\ufffc", "invisible_character"),
        ("\U000e0041", "invisible_character"),
        ("\ufffd", "replacement_character"),
        ("\u0378", "unassigned_character"),
        ("\u200c", "joiner"),
        ("\u200d", "joiner"),
        ("\ufe0f", "variation_selector"),
        ("\U000e0100", "variation_selector"),
        ("\u0301" * 5, "too_many_marks"),
        ("\u0336\u0489\u20e3\u0353\u034d", "too_many_marks"),
    ],
)
def test_refused_anywhere_in_a_line(character, code):
    assert character_problem(BASE.format(character)) == code
    assert one_line(100)(BASE.format(character)) == code
    if not character.isspace():
        assert character_problem("Rowan" + character) is not None


def test_every_c0_and_c1_control_is_refused():
    for point in (*range(0x20), *range(0x7F, 0xA0)):
        assert character_problem(f"a{chr(point)}b") == "control_character"


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "e\u0301\u0302 Việt e\u0302\u0301",
        "\u05d1\u05bc\u05b0\u05e8\u05b5\u05d0\u05e9\u05b4\u05c1\u05d9\u05ea",
        "नूर क्\u200dष",
        "ශ්\u200dරී",
        "ന്\u200d",
        "می\u200cخواهم",
        "葛\U000e0100城",
        "ok ❤\ufe0f",
        "བསྒྲུབས",
        "\U00030000\U000323af",
        "田中さん",
        "½ 5\u00a0kg · €",
    ],
)
def test_real_writing_is_let_through(text):
    assert character_problem(text) is None


@pytest.mark.parametrize(
    "text",
    ["\u200dनूर", "नूर \u200dष", "नूर\u200c", "a\u200dn", "न\u200d\u200dष", "न\u200da", "🧑\u200d🌾"],
)
def test_joiners_elsewhere(text):
    assert character_problem(text) == "joiner"


def test_a_text_does_not_begin_with_a_mark():
    assert character_problem("\u0301Rowan") == "stray_mark"


def test_edges_and_length():
    rule = one_line(10)
    assert rule("ten letter") is None
    assert rule("eleven lett") == "too_long"
    assert rule(" x") == "surrounding_space"
    assert rule("x\u00a0") == "surrounding_space"
    assert rule("x\n") == "surrounding_space"
    assert rule("   ") == "empty"
    assert rule("\u3000") == "empty"
    assert rule("--- !") == "nothing_readable"


def test_paragraphs_may_break_but_hold_no_other_controls():
    rule = paragraphs(100)
    assert rule("one\n\ttwo\r\nthree") is None
    assert rule("one\rtwo") == "control_character"
    assert rule("one\r\r\ntwo") == "control_character"
    assert rule("one\x1b[2Jtwo") == "control_character"
    assert rule("one\x00two") == "control_character"
    assert rule("one\n") == "surrounding_space"
    assert rule("\r\n") == "empty"
