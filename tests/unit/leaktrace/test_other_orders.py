"""Texts whose characters do not stand in the order in which they are read: columns of prose, turned tables."""

from __future__ import annotations

import time

import pytest

from registry.domain.categories import Category
from registry.leaktrace import reading_orders
from registry.text.side_by_side import columns_of_prose
from registry.text.turned import turned_rows
from tests.unit.leaktrace.people import DANA, Index, Person

_OTHERS = tuple(
    Person(
        f"00060{number}",
        given,
        family,
        (),
        (
            (Category.HOME_ADDRESS, {"line": f"{number}417 {street}, Gary, IN 46402"}, None),
            (Category.PHONE, {"kind": "mobile", "number": f"219-555-010{number}"}, None),
            (Category.DATE_OF_BIRTH, {"date": f"197{number}-03-2{number}"}, None),
        ),
    )
    for number, (given, family, street) in enumerate(
        (
            ("Iris", "Vandermolen", "Copperfield Ln"),
            ("Otto", "Brightwater", "Old Tannery Rd"),
            ("Nell", "Quist", "Elm St"),
        ),
        1,
    )
)
PEOPLE = Index((DANA, *_OTHERS))


def found(text: str) -> set[tuple[str, str]]:
    return {(one.subject, one.kind) for one in PEOPLE.match(text).findings}


_LEFT = """the council heard from several people
who had come to speak about the house at
1234 N. Thorn-
bury Ave., which has been
empty since the summer, and was told that
one may call (816) 555-
0123 after six, as the clerk
has done before without any answer at all."""
_RIGHT = """a second matter was the bridge, which was
closed in the spring and will stay so. It
was said that Otto
Brightwater lives at 2417
Old Tannery Rd in Gary and was born on
March 22,
1972, and that nobody had
asked him whether he would like a bridge."""


@pytest.mark.parametrize("between", ["spaces", "tab"])
def test_values_that_break_over_lines_of_a_column_are_found(between: str) -> None:
    lines = zip(_LEFT.splitlines(), _RIGHT.splitlines(), strict=True)
    text = "\n".join(f"{left:46}{right}" if between == "spaces" else f"{left}\t{right}" for left, right in lines)
    other = _OTHERS[1].subject
    assert found(text) == {
        (DANA.subject, "home_address"),
        (DANA.subject, "phone:mobile"),
        (other, "home_address"),
        (other, "date_of_birth"),
    }
    for finding in PEOPLE.match(f"before\n\n{text}\n\nafter").findings:
        assert len(finding.spans) == len(set(finding.spans))
        if finding.kind == "phone:mobile":
            ((start, end),) = finding.spans
            assert f"before\n\n{text}"[start:end].startswith("(816) 555-")


def test_a_line_of_one_column_stays_in_it() -> None:
    left, right = _LEFT.splitlines(), _RIGHT.splitlines()
    text = "\n".join(f"{one:46}{two}" for one, two in zip(left, ["", *right[:-1]], strict=True))
    assert (DANA.subject, "home_address") in found(text)
    assert (_OTHERS[1].subject, "home_address") in found(text)


def test_lines_of_one_column_are_not_joined_with_the_other() -> None:
    left = ["nobody said anything of the number", "that was 1234", "or so", "the last of the lines is here, too"]
    right = [
        "which was not the one that he meant",
        "as one may see",
        "N Thornbury Ave is long",
        "and goes on to the end",
    ]
    text = "\n".join(f"{one:40}{two}" for one, two in zip(left, right, strict=True))
    assert found(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"Ada Example{n}      1234 North Oak Street      Dayton" for n in range(9)),
        "\n".join(f"name{n}\tvalue of it" for n in range(9)),
        "one line\n" * 20,
    ],
)
def test_tables_and_plain_lines_are_no_columns_of_prose(text: str) -> None:
    assert list(columns_of_prose(text)) == []


def turned(*, names: bool = False, dates: tuple[int, ...] = (0, 1, 2)) -> list[list[str]]:
    rows = [[f"{one.given} {one.family}" for one in _OTHERS]]
    rows.append([str(one.records[0][1]["line"]) for one in _OTHERS])
    rows.append([str(one.records[1][1]["number"]) for one in _OTHERS])
    rows.append([str(_OTHERS[at].records[2][1]["date"]) for at in dates])
    return [[name, *row] for name, row in zip(("Name", "Home", "Cell", "Born"), rows, strict=True)] if names else rows


def written(rows: list[list[str]], delimiter: str) -> str:
    return "\n".join(delimiter.join(f'"{cell}"' if delimiter == "," else cell for cell in row) for row in rows)


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", ","])
@pytest.mark.parametrize("names", [False, True])
def test_a_column_of_a_turned_table_is_a_person(delimiter: str, *, names: bool) -> None:
    text = f"Staff\n\n{written(turned(names=names), delimiter)}\n"
    kinds = ("home_address", "phone:mobile", "date_of_birth")
    assert found(text) == {(one.subject, kind) for one in _OTHERS for kind in kinds}


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_a_date_in_the_column_of_somebody_else_is_not_theirs(delimiter: str) -> None:
    text = written(turned(dates=(1, 2, 0)), delimiter)
    assert "date_of_birth" not in {kind for _, kind in found(text)}


def test_a_table_that_is_not_turned_is_read_by_its_rows() -> None:
    rows = [list(row) for row in zip(*turned(dates=(1, 2, 0)), strict=True)] * 2
    assert turned_rows(written(rows, "\t")) == []
    assert "date_of_birth" not in {kind for _, kind in found(written(rows, "\t"))}


@pytest.mark.parametrize(
    "text",
    [
        "\t" * 150_000,
        "a\tb\n" * 40_000,
        "a   b\r" * 40_000,
        "the one of it   the other of it\r" * 20_000,
        ("x;" * 400 + "\n") * 240,
        '"' * 190_000,
        " " * 190_000 + "\t",
    ],
)
def test_hostile_layouts_take_no_time(text: str) -> None:
    begin = time.process_time()
    list(columns_of_prose(text))
    turned_rows(text)
    assert time.process_time() - begin < 2.0


_NAMES = "Ann Lee,Bo Day,Cy Fox,Di Rey"
_DAYS = "2001-01-02,2001-01-03,2001-01-04,2001-01-05"
_CALLS = "219-555-0101,219-555-0102,219-555-0103,219-555-0104"
_MAILS = "a@x.example,b@x.example,c@x.example,d@x.example"


@pytest.mark.parametrize(
    "text",
    [
        "a,b,c,d\n1,2,3,4\n5,6,7,8",  # two kinds of lines
        f"{_DAYS}\n{_CALLS}\n{_MAILS}",  # nobody's
        f"{_NAMES},Ed Poe\n{_DAYS},\n{_CALLS},",  # somebody of whom nothing is said
        f"{_NAMES}\n{_DAYS}\n{_CALLS}" + "\n" * 300,
    ],
)
def test_other_tables_are_not_turned(text: str) -> None:
    assert turned_rows(f"{_NAMES}\n{_DAYS}\n{_CALLS}")
    assert turned_rows(text) == []


def side_by_side(left: list[str], right: list[str]) -> list[str]:
    text = "\n".join(f"{one:46}{two}" for one, two in zip(left, right, strict=True))
    return [" ".join(text[start:end] for start, end in column) for column in columns_of_prose(text)]


def test_few_lines_or_whole_sentences_side_by_side_are_no_columns() -> None:
    left, right = _LEFT.splitlines(), _RIGHT.splitlines()
    assert len(side_by_side(left, right)) == 2
    assert side_by_side(left[:3], right[:3]) == []
    sentences = ["The quick dog runs away.", "Nobody saw it there.", "Its owner came home.", "All was well then."]
    assert side_by_side(sentences * 2, sentences * 2) == []


def test_a_line_of_one_column_alone_belongs_where_it_begins() -> None:
    left, right = _LEFT.splitlines(), _RIGHT.splitlines()
    first, second = side_by_side([*left[:5], "", *left[5:]], [*right[:5], "and a line more", *right[5:]])
    assert "and a line more" in second
    assert "and a line more" not in first


def test_a_very_long_text_is_read_in_its_own_order_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{_NAMES}\n{_DAYS}\n{_CALLS}"
    assert list(reading_orders.other_orders(text, 0))
    monkeypatch.setattr(reading_orders, "_MOST_CHARACTERS", len(text) - 1)
    assert list(reading_orders.other_orders(text, 0)) == []
