from __future__ import annotations

import pytest

from registry.text.names import name_key, name_words
from registry.text.nearness import key_distance, looks_alike, word_distance
from registry.text.schools import is_trigger, levels, school_key, school_word
from registry.text.words import plain, skeleton
from tests.unit.text.test_digits import words_of


def test_spaced_letters_become_words() -> None:
    assert words_of("at 3 7 0  W  M A P L E  R D now").texts == ["at", "370", "w", "maple", "rd", "now"]
    assert words_of("M-a-p-l-e, a b").texts == ["maple", "a", "b"]


def test_apostrophes_join_and_possessives_go() -> None:
    assert words_of("O'Neil's house, D’Arcy").texts == ["oneil", "house", "darcy"]


@pytest.mark.parametrize(
    ("written", "word"), [("m4pl3", "maple"), ("8r00k", "brook"), ("2b", "2b"), ("123rd", "123th")]
)
def test_digits_inside_words_read_as_letters(written: str, word: str) -> None:
    assert plain(written) == word


@pytest.mark.parametrize(
    ("one", "other"), [("hill", "hi11"), ("carmel", "carrnel"), ("willow", "wilow"), ("dana", "danna")]
)
def test_skeletons_agree(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_word_distance_counts_letters_never_digits() -> None:
    assert word_distance("otter", "otter") == 0
    assert word_distance("otter", "ottre") == 1
    assert word_distance("neuropathy", "neuropahty") == 1
    assert word_distance("right", "left") is None
    assert word_distance("12", "13") is None
    assert word_distance("127th", "128th") is None
    assert word_distance("elm", "ely") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hypertension", "hypotension"),
        ("internal", "external"),
        ("specified", "unspecified"),
        ("unilateral", "bilateral"),
    ],
)
def test_opposites_are_not_typos(one: str, other: str) -> None:
    assert word_distance(one, other) is None
    assert word_distance(other, one) is None


def test_letters_that_recognition_confuses() -> None:
    assert looks_alike("merrick", "mekrick")
    assert not looks_alike("merrick", "mexrick")
    assert key_distance("thornbury", "thoknbuky", 1) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Renée", "O'Neil"), ("RENEE", "ONEIL")),
        (("Mary-Ann", "de la Cruz"), ("Mary Ann", "De La Cruz")),
        (("Наталья", "Жукова"), ("natalya", "zhukova")),
    ],
)
def test_same_name_same_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert name_key(name_words(one[0]), name_words(one[1])) == name_key(name_words(other[0]), name_words(other[1]))


def test_school_names() -> None:
    assert school_key(name_words("Otter Creek Elem.")) == school_key(name_words("OTTER CREEK ELEMENTARY SCHOOL"))
    assert school_key(name_words("Otter Creek Elem.")) != school_key(name_words("Otter Ridge Elem."))
    assert school_key(name_words("Alternative School")) == school_key(["alternative"])
    assert school_key(name_words("Middle School")) != ""
    assert levels(name_words("Otter Creek Jr. High")) == {"middle"}
    assert levels(name_words("Otter Creek Sr. High School")) == {"high"}
    assert levels(name_words("High Point Elem.")) == {"elementary"}
    assert [school_word(word) for word in ("5r", "hgh", "elme", "lementary", "hugh", "riddle")] == [
        "sr",
        "high",
        "elem",
        "elementary",
        "",
        "",
    ]
    assert [is_trigger(word) for word in ("elem", "mixdle", "h1gh", "5ch00l", "maple")] == [
        True,
        True,
        True,
        True,
        False,
    ]
