"""A long table read by its columns, beside the same table read freely: the same values of the same people."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest

from benchmarks.finding.dumps import FORMATS, UNSEEN_FORMATS, WIDER_FORMATS, dump_leaks
from benchmarks.finding.matcher import Registry, people_of
from benchmarks.finding.texts import DEVELOPMENT, UNSEEN, WIDER, Half
from benchmarks.finding.world import Somebody, make_world
from benchmarks.finding.writings import HOMES, PHONES, SSNS
from registry.leaktrace.dossier import Finding
from registry.leaktrace.reading import Reading, read_parts, read_text
from registry.leaktrace.terms import TermKind, health_key
from registry.text.columns import kinds_of
from registry.text.tables import find_rows

PEOPLE = 120


def by_columns(text: str) -> Iterable[Reading]:
    return read_parts(text, rows_at_once=16, long=20)


def keys(findings: Iterable[Finding]) -> set[tuple[str, str, str | None]]:
    return {(one.employee_number, one.kind, one.member) for one in findings}


@pytest.mark.parametrize(
    ("half", "formats"), [(DEVELOPMENT, FORMATS), (WIDER, WIDER_FORMATS), (UNSEEN, UNSEEN_FORMATS)]
)
def test_the_same_is_found_in_dumps_of_every_format(half: Half, formats: dict[str, object]) -> None:
    world = make_world(half.seed, PEOPLE)
    registry = Registry(people_of(world.enrolled))
    found = 0
    for leak in dump_leaks(world, half, formats, 1):  # type: ignore[arg-type]  # a mapping of writers
        freely, read = registry.match(leak.text), registry.match_parts(by_columns(leak.text))
        assert keys(read.findings) == keys(freely.findings), leak.name
        found += len(read.findings)
    assert found > PEOPLE


HEAD = ("staff_id", "first_name", "last_name", "address", "phone", "ssn", "born", "email")


def cells_of(one: Somebody, rng: Random) -> list[str]:
    born = f"{one.born.month:02}/{one.born.day:02}/{one.born.year}"
    home = HOMES["short"](one.home, rng)
    return [
        str(rng.randint(1, 90_000)), one.given, one.family, home, PHONES["dashes"](one.mobile), SSNS["dashes"](one.ssn),
        born, one.email,
    ]  # fmt: skip


def spoilt(cells: list[str], rng: Random) -> list[str]:
    """Spoil one cell, as careless hands and text recognition do."""
    place = rng.randrange(1, len(cells))
    cell = cells[place]
    how = rng.randrange(5)
    if how == 0 and len(cell) > 6:  # a letter wrong
        at = next((at for at in range(2, len(cell)) if cell[at].isalpha()), 2)
        cell = cell[:at] + rng.choice("aeiou") + cell[at + 1 :] if cell[at].isalpha() else cell
    elif how == 1:
        cell = cell.replace("0", "O").replace("1", "l")
    elif how == 2:
        cell = cell.upper()
    elif how == 3:
        cell = f"{cell} (old: {cells[4]})"
    else:  # in the wrong column
        cells[0], cell = cell, cells[0]
    return [*cells[:place], cell, *cells[place + 1 :]]


@pytest.mark.parametrize("share", [0.0, 0.04, 0.3])
@pytest.mark.parametrize("heading", [True, False])
def test_the_same_is_found_where_cells_are_spoilt(share: float, *, heading: bool) -> None:
    rng = Random(5)
    world = make_world(11, PEOPLE)
    registry = Registry(people_of(world.enrolled))
    table = [cells_of(one, rng) for one in world.enrolled]
    rows = [spoilt(cells, rng) if rng.random() < share else cells for cells in table]
    text = "\n".join("|".join(cells) for cells in ([list(HEAD), *rows] if heading else rows))
    kinds = kinds_of(text, find_rows(text))
    assert kinds or share > 0.04
    freely, read = registry.match(text), registry.match_parts(by_columns(text))
    lost = keys(freely.findings) - keys(read.findings)
    assert not lost
    assert not keys(read.findings) - keys(freely.findings)
    assert len(read.findings) > PEOPLE * 4


def terms_of(text: str, kind: TermKind) -> set[str]:
    return {term.text for reading in by_columns(text) for term in reading.places if term.kind is kind}


def table(column: str, cells: list[str]) -> str:
    return "\n".join(["id,name," + column, *(f"{n},Pat Roe{chr(97 + n % 26)},{cell}" for n, cell in enumerate(cells))])


def test_a_column_says_which_part_of_a_date_is_the_day() -> None:
    days = [f"{n + 1:02}/04/1980" for n in range(28)]
    assert "1980-04-03" in terms_of(table("born", days), TermKind.BIRTH_DATE)
    assert "1980-03-04" not in terms_of(table("born", days), TermKind.BIRTH_DATE)
    months = [f"04/{n + 1:02}/1980" for n in range(28)]
    assert terms_of(table("born", months), TermKind.BIRTH_DATE) == {f"1980-04-{n + 1:02}" for n in range(28)}


def test_a_cell_that_is_not_what_its_column_holds_is_read_freely() -> None:
    phones = [f"816-555-01{n:02}" for n in range(40)]
    phones[7] = "ask for jo, 913 555 0177 or jo@example.org"
    text = table("phone", phones)
    assert "9135550177" in terms_of(text, TermKind.PHONE)
    assert "jo@example.org" in terms_of(text, TermKind.EMAIL)


def test_a_table_of_few_rows_is_read_freely() -> None:
    text = table("phone", [f"816-555-01{n:02}" for n in range(40)])
    assert [reading.places for reading in read_parts(text)] == [read_text(text).places]


@pytest.mark.parametrize(
    ("column", "cells", "kind", "wanted"),
    [
        ("Plate number", [f"ABC-{1000 + n}" for n in range(40)], TermKind.PLATE, "ABC1007"),
        ("license_plate_no", [f"ABC-{1000 + n}" for n in range(40)], TermKind.PLATE, "ABC1007"),
        ("employee car", [f"ABC-{1000 + n}" for n in range(40)], TermKind.PLATE, "ABC1007"),
        ("SSN last 4 no", [f"{1000 + n}" for n in range(40)], TermKind.SSN_LAST4, "1007"),
        ("employee ssn4", [f"{1000 + n}" for n in range(40)], TermKind.SSN_LAST4, "1007"),
        ("employee dob", [f"198002{n % 27 + 1:02}" for n in range(40)], TermKind.BIRTH_DATE, "1980-02-08"),
        ("staff no", [f"02{n % 27 + 1:02}1980" for n in range(40)], TermKind.BIRTH_DATE, "1980-02-08"),
        ("staff no", [f"ABC-{1000 + n}" for n in range(40)], TermKind.PLATE, "ABC1007"),
        ("first name", [f"{name} Elementary" for name in ("Lincoln", "Garner") * 20], TermKind.SCHOOL_HEAD, ""),
        ("School name", [f"{name} Elementary" for name in ("Lincoln", "Garner") * 20], TermKind.SCHOOL_HEAD, ""),
        ("child school", [f"{name} Elementary" for name in ("Lincoln", "Garner") * 20], TermKind.SCHOOL_HEAD, ""),
        ("member condition", ["Epilepsy", "Migraine"] * 20, TermKind.HEALTH_WORD, health_key("epilepsy")),
        ("state of health", ["Epilepsy", "Migraine"] * 20, TermKind.HEALTH_WORD, health_key("epilepsy")),
    ],
)
def test_no_name_of_a_column_hides_the_values_in_it(column: str, cells: list[str], kind: TermKind, wanted: str) -> None:
    """Whoever posts a table chooses its headings: what is read freely under another one is read under this one too."""
    rows = [f"{n},651-555-{1000 + n},{cell}" for n, cell in enumerate(cells)]
    text = "\n".join([f"id,phone,{column}", *rows])
    free = {term.text.lower() for term in read_text(text).places if term.kind is kind}
    assert any(wanted.lower() in one for one in free)
    assert {one.lower() for one in terms_of(text, kind)} >= free, column
