"""Reading and deciding over any text: no crash, spans inside the text, and noise neither hides nor invents a value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.leaktrace.reading import read_text
from tests.unit.leaktrace.people import INDEX, kinds

FRAGMENTS = [
    "816", "555", "0123", "-", " ", "\n", ",", ";", "|", "\t", '"', "Dana", "O'Neil", "1234", "Thornbury", "Ave", "MO",
    "Kansas City", "64118", "born", "April", "27", "1961", "five", "double", "dot", "Otter", "Creek", "Elem.", "Mia",
    "School", "xxx-xx-", "6789", "last 4", "{", "}", ":", "(", ")", "INSERT INTO t VALUES (", "<tr><td>", "#", "@",
    "at",     "４", "ж", "S5", "l", "o",
]  # fmt: skip
scraps = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join) | st.text(max_size=200)


@given(scraps)
def test_any_text_is_read_and_decided(text):
    found = INDEX.match(text)
    for finding in (*found.findings, *found.possible):
        assert 0 < finding.confidence <= 1
        assert finding.spans
        assert all(0 <= start < end <= len(text) for start, end in finding.spans)


@given(scraps)
def test_reading_is_repeatable(text):
    assert read_text(text).terms == read_text(text).terms


SEPARATORS = st.sampled_from(["-", ".", " ", "/", "", "–", "_", " - ", " dot ", "[dot]", " (dash) ", "\\", "-\n"])
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORDS = dict(zip("0123456789", _NAMES, strict=True))


def write_digits(digits: str, how: str) -> str:
    if how == "words":
        return " ".join(WORDS[digit] for digit in digits)
    if how == "spaced":
        return " ".join(digits)
    if how == "wide":
        return "".join(chr(ord(digit) + 0xFEE0) for digit in digits)
    if how == "math":
        return "".join(chr(0x1D7CE + int(digit)) for digit in digits)
    if how == "keycaps":
        return "".join(digit + "\ufe0f\u20e3" for digit in digits)
    return "".join(digit + "\u200b" for digit in digits)


@st.composite
def noised_ssn(draw, digits):
    how = draw(st.sampled_from(["groups", "words", "spaced", "wide", "math", "keycaps", "invisible"]))
    if how == "groups":
        separator = draw(SEPARATORS)
        return separator.join((digits[:3], digits[3:5], digits[5:]))
    return write_digits(digits, how)


@given(st.data())
def test_a_number_is_found_in_any_writing_and_never_another(data):
    written = data.draw(noised_ssn("736456789"))
    assert kinds(f"noted {written} there") == {"ssn"}
    place = data.draw(st.integers(0, 8))
    digit = data.draw(st.sampled_from([char for char in "0123456789" if char != "736456789"[place]]))
    other = "736456789"[:place] + digit + "736456789"[place + 1 :]
    assert kinds(f"noted {data.draw(noised_ssn(other))} there") == set()


LETTERS = [index for index, char in enumerate("1234 Thornbury") if char.isalpha()]


@given(
    st.sampled_from(LETTERS),
    st.sampled_from("abcdefghijklmnopqrstuvwxyz"),
    st.sampled_from(["change", "add", "drop", "double"]),
)
def test_one_wrong_letter_does_not_hide_an_address(place, letter, how):
    street = "1234 Thornbury"
    tail = {"change": letter, "add": street[place] + letter, "drop": "", "double": street[place] * 2}[how]
    written = street[:place] + tail + street[place + 1 :]
    assert kinds(f"at {written} Ave, Kansas City, MO 64118 now") == {"home_address"}


@given(st.integers(1, 99999).filter(lambda number: number != 1234))
def test_another_house_number_is_another_address(number):
    assert kinds(f"at {number} Thornbury Ave, Kansas City, MO 64118 now") == set()
