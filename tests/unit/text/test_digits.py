from __future__ import annotations

import pytest

from registry.text.cards import canonical_card, luhn
from registry.text.digits import MAX_READINGS, digit_chains, digit_readings, runs_of
from registry.text.emails import canonical_email, emails_in
from registry.text.fold import fold_text
from registry.text.phones import canonical_phone
from registry.text.plates import canonical_plate, plates_in
from registry.text.ssn import canonical_ssn
from registry.text.words import Words, split_words


def words_of(raw: str) -> Words:
    folded = fold_text(raw)
    return split_words(folded, [(0, len(folded.text))])


def runs(raw: str, length: int) -> set[str]:
    return {
        reading
        for chain in digit_chains(words_of(raw))
        for run in runs_of(chain, frozenset({length}))
        for reading in run.readings
    }


@pytest.mark.parametrize(
    "raw",
    [
        "816-555-0123", "(816) 555 0123", "816.555.0123", "816/555/0123", "8165550123", "816_555_0123",
        "816\\555\\0123",
        "816 - 555 - 0123", "816, 555, 0123", "816-555-\n0123", "(816)(555)(0123)", "8 1 6 5 5 5 0 1 2 3",
        "8-1-6-5-5-5-0-1-2-3", "8 1 6  5 5 5  0 1 2 3", "eight one six five five five zero one two three",
        "eight-one-six-five-five-five-oh-one-two-three", "eight sixteen, triple five, oh one twenty three",
        "816 five five five 0123", "816 dot 555 dot 0123", "816[dot]555[dot]0123", "816 (dash) 555 (dash) 0123",
        "８１６-５５５-０１２３", "8️⃣1️⃣6️⃣5️⃣5️⃣5️⃣0️⃣1️⃣2️⃣3️⃣", "٨١٦٥٥٥٠١٢٣",
        "8l6-5S5-OlZ3", "816 SSS 0123", "<b>816</b>-555-0123",
        "816.555.0123x5",
    ],
)  # fmt: skip
def test_ten_digits_however_written(raw: str) -> None:
    assert "8165550123" in runs(f"call {raw} today", 10)


@pytest.mark.parametrize(
    "raw", ["816-555-0132", "816-555-012", "816-555\n\n0123", "816 and 555 and 0123", "in 816; 555: 0123 people"]
)
def test_other_or_apart_digits_are_not_the_number(raw: str) -> None:
    assert "8165550123" not in runs(raw, 10)


def test_a_spoken_number_is_not_cut_out_of_a_longer_one() -> None:
    assert runs("seven three six four five six seven eight nine one", 9) == set()


def test_digits_stand_for_themselves_and_readings_are_bounded() -> None:
    assert digit_readings("735") == ("735",)
    assert set(digit_readings("b2")) == {"62", "82"}
    assert digit_readings("maple") == ()
    assert len(digit_readings("5s5b5g5z5s5b")) == MAX_READINGS


def test_canonical_forms() -> None:
    assert canonical_phone("+1 (816) 555-0123 ext. 44") == "8165550123"
    assert canonical_phone("816.555.0123 x5") == "8165550123"
    assert canonical_phone("555-0123") is None
    assert canonical_ssn("736 45 6789") == "736456789"
    assert canonical_ssn("736-45-678") is None
    assert canonical_card("4111 1111 1111 1111") == "4111111111111111"
    assert canonical_card("4111") is None
    assert canonical_email("Dana.ONeil@Example.org ") == "dana.oneil@example.org"
    assert canonical_plate("abc-O123") == "abc0123"
    assert canonical_plate("x") is None


def test_luhn() -> None:
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")


@pytest.mark.parametrize(
    "raw",
    ["d.oneil@example.org", "D.ONeil@Example.Org", "d dot oneil at example dot org", "d.oneil [at] example [dot] org",
     "d.oneil(at)example.org", "<d.oneil@example.org>"],
)  # fmt: skip
def test_emails(raw: str) -> None:
    assert [address for address, _, _ in emails_in(fold_text(f"write to: {raw}, ok").text)] == ["d.oneil@example.org"]


def test_plates_need_letters_and_digits() -> None:
    assert [plate for plate, _, _ in plates_in("plate xyz 789 seen")] == ["xyz789"]
    assert list(plates_in("in 2024 we met")) == []
