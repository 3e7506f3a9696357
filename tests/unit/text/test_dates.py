from __future__ import annotations

import pytest

from registry.text.dates import canonical_date, dates_in, month_of
from tests.unit.text.test_digits import words_of


def dates(raw: str) -> set[str]:
    return {iso for iso, _, _ in dates_in(words_of(raw))}


@pytest.mark.parametrize(
    "raw",
    [
        "1961-04-27", "1961/04/27", "19610427", "4/27/1961", "04-27-1961", "4.27.61",
        "27/4/1961", "27.04.1961", "61-04-27",
        "April 27, 1961", "april 27th, 1961", "Apr. 27, '61", "27 April 1961", "27th of April, 1961", "27-APR-61",
        "27APR1961", "1961 April 27", "Thursday, 27 April 1961", "April twenty-seventh, nineteen sixty-one",
        "the twenty-seventh of April nineteen sixty one", "1 9 6 1 - 0 4 - 2 7", "1961-04-27T08:15:00Z",
        "4 slash 27 slash 1961", "April 27,\n1961", "１９６１-０４-２７",
        "I961-O4-27", "z7-apr-1961", "27 Apk 1961", "27 Apirl 1961",
        "19b10427", "196lO427", "l9610427", "19610427000000Z", "19610427T0815", "April27, 1961",
        "Month: 4 Day: 27 Year: 1961",
    ],
)  # fmt: skip
def test_one_date_however_written(raw: str) -> None:
    assert "1961-04-27" in dates(f"born {raw} in town")


def test_month_first_unless_the_day_is_over_twelve() -> None:
    assert dates("5/6/1967") == {"1967-05-06"}
    assert dates("13/6/1967") == {"1967-06-13"}


def test_two_digit_years_turn_at_1947() -> None:
    assert dates("6/5/47") == {"1947-06-05"}
    assert dates("6/5/46") == {"2046-06-05"}


def test_spoken_years_after_2000() -> None:
    assert dates("June fourth, two thousand four") >= {"2004-06-04"}
    assert dates("June 4, two thousand and nine") >= {"2009-06-04"}


@pytest.mark.parametrize("raw", ["April 1961", "27 April", "1961", "13/13/1961", "2/30/1961", "may 5 people 1961"])
def test_no_full_date(raw: str) -> None:
    assert dates(raw) == set()


def test_a_date_is_not_cut_out_of_another() -> None:
    assert dates("2024-01-15 10:30") == {"2024-01-15"}


def test_months() -> None:
    assert (month_of("sept"), month_of("0ctober"), month_of("febuary"), month_of("mark"), month_of("maple")) == (
        9,
        10,
        2,
        0,
        0,
    )


def test_canonical_date() -> None:
    assert canonical_date(" 1961-04-27 ") == "1961-04-27"
    assert canonical_date("27.4.1961") is None
