"""What part of the registry a dump covers, and which of its columns point outside."""

from __future__ import annotations

from registry.domain.principals import Role
from registry.leaktrace.coverage import Coverage
from registry.services.trace import TraceAsk
from tests.functional.services.homes import Home, person
from tests.functional.services.test_brakes import limited

GIVEN = ("Ada", "Blake", "Casey", "Drew", "Emery", "Finley", "Gray", "Harper", "Indigo", "Jules")
COLOURS = ("teal", "amber", "olive", "coral", "ivory", "slate", "ochre", "mauve", "beige", "umber")


def number(one: int) -> str:
    return f"816-555-01{one:02}"


def enroll(home: Home, count: int = 10) -> None:
    for one in range(count):
        phone = {"category": "phone", "value": {"kind": "mobile", "number": number(one)}}
        unit = "Parks" if one < 7 else "Police"
        named = {"given_name": GIVEN[one], "family_name": "Quist", "department": unit, "family": []}
        home.enroll(person(f"T-{one:04}", records=[phone], **named))


def dump(*found: int, strangers: int = 4) -> str:
    rows = [f"{GIVEN[one]} Quist,Parks,{number(one)},{COLOURS[one]}" for one in found]
    rows += [f"Nobody Known,Parks,202-555-01{one:02},red" for one in range(strangers)]
    return "\n".join(["name,department,phone,favourite", *rows])


def covered(home: Home, text: str, name: str = "ivy") -> Coverage | None:
    return home.app.trace.trace(home.caller(name, Role.INVESTIGATOR), TraceAsk(text)).stored.report.coverage


def test_units_kinds_and_columns_are_counted(home: Home) -> None:
    enroll(home)
    coverage = covered(home, dump(0, 1, 2, 3, 4, 7))
    assert coverage is not None
    assert coverage.people == 6
    assert [(one.unit, one.found, one.enrolled) for one in coverage.units] == [("Parks", 5, 7)]
    assert coverage.in_other_units == 1
    assert coverage.kinds == (("phone:mobile", 6),)
    (table,) = coverage.tables
    assert (table.rows, table.found_rows) == (10, 6)
    assert [(one.number, one.filled, one.holds, one.is_outside) for one in table.columns] == [
        (1, 6, (("directory", 6),), False),
        (2, 6, (("directory", 5),), False),  # one of them is of another department than the dump says
        (3, 6, (("phone:mobile", 6),), False),
        (4, 6, (), True),
    ]


def test_parts_of_a_long_dump_add_up(sqlite_home: Home) -> None:
    enroll(sqlite_home)
    lines = dump(0, 1, 2, strangers=0).splitlines()
    filler = [f"Nobody Known,Parks,303-555-01{one % 100:02},red" for one in range(600)]
    last = dump(3, 4, 5, strangers=0).splitlines()[1:]
    coverage = covered(sqlite_home, "\n".join([*lines, *filler, *last]))
    assert coverage is not None
    assert (coverage.people, coverage.tables[0].rows, coverage.tables[0].found_rows) == (6, 606, 6)


def test_few_people_and_prose_are_not_counted(sqlite_home: Home) -> None:
    enroll(sqlite_home)
    assert covered(sqlite_home, dump(0, 1, 2, 3)) is None
    assert covered(sqlite_home, ". ".join(f"Call {GIVEN[one]} Quist at {number(one)}" for one in range(8))) is None


def test_no_count_tells_what_the_brake_holds_back(sqlite_home: Home) -> None:
    enroll(sqlite_home)
    with limited(sqlite_home, candidates=1) as braked:
        assert covered(braked, dump(0, 1, 2, 3, 4, 5)) is not None
        tried = [f"{GIVEN[0]} Quist,Parks,202-555-019{one},red" for one in range(4)]
        assert covered(braked, "\n".join([dump(0, 1, 2, 3, 4, 5), *tried]), "prober") is None


def test_the_report_says_so_in_its_forms(sqlite_home: Home) -> None:
    from registry.reports.as_json import report_document
    from registry.reports.as_text import render_text

    enroll(sqlite_home)
    traced = sqlite_home.app.trace.trace(sqlite_home.caller("ivy", Role.INVESTIGATOR), TraceAsk(dump(0, 1, 2, 3, 4)))
    report = sqlite_home.app.trace.get(sqlite_home.caller("ivy", Role.INVESTIGATOR), traced.trace).report
    assert report_document(report)["coverage"]["tables"][0]["columns"][3]["outside"] is True
    text = render_text(report)
    assert "not from here" in text
    assert "5 of 7 (0.71)" in text
    assert not any(value in text for value in (*COLOURS[:5], number(0), "favourite"))
