"""drill: a made-up leak from copies that were really served, and what is left of it."""

from __future__ import annotations

import ast
from pathlib import Path
from random import Random

import pytest

from registry.bootstrap import opened
from registry.cli.drill import channels
from registry.cli.drill.channels import CHANNELS, NORMALISED, OUTSIDE, RETYPED, VERBATIM, Card, write
from registry.cli.drill.people import made_up
from registry.cli.drill.pictures import is_recogniser_here, photographed
from registry.services.entry_reading import ReadEntry
from registry.settings import load_settings
from tests.functional.cli.conftest import Line

CARD = Card("Avery Ashgrove", ("41207 N. Mallow Ave. Apt. 5, Drill Hollow, Missouri 00003", "816.555.0142"))


def entries_of(line: Line) -> list[ReadEntry]:
    with opened(load_settings(line.home)) as application, application.database.reader() as reader:
        return [application.audit.read(row) for row in reader.scan(0, reader.head().size)]


def test_what_is_from_outside_has_nothing_of_a_copys_writing() -> None:
    """Whatever stood on a screen, the same directory's text comes of it."""
    lines = (
        ("41207 N. 9TH AVE., Apt. 5, DRILL HOLLOW Missouri 00003", "1.(816).555.0142"),
        ("41207 North Ninth Avenue # 5, Drill Hollow, Mo., 00003", "+1 816 555 0142"),
    )
    for seed in range(40):
        texts = {write(OUTSIDE, [Card("Avery Ashgrove", those)], Random(seed)) for those in lines}
        assert len(texts) == 1, texts


def test_a_leak_of_each_kind_and_what_is_said_of_it(used: Line) -> None:
    before = len(entries_of(used))
    told = used.json(
        *("drill", "--channel", VERBATIM, "--channel", OUTSIDE, "--rounds", "1", "--accounts", "3", "--people", "4")
    )
    verbatim, outside = told["channels"]
    assert (verbatim["channel"], outside["channel"]) == (VERBATIM, OUTSIDE)
    assert (verbatim["flagged"], verbatim["first"], verbatim["values_found"]) == (1, 1, 1.0)
    assert verbatim["bounds"][0] < 1e-3
    assert (outside["flagged"], outside["leads"], outside["first"], outside["wrong_flags"]) == (0, 0, 0, 0)
    assert told["left_out"] == []
    new = entries_of(used)[before:]
    lookups = [entry for entry in new if entry.kind == "disclose"]
    assert len(lookups) == 2 * 3 * 4
    assert {(entry.values or {})["note"] for entry in lookups} == {f"drill {told['drill']}"}
    grants = [entry.values or {} for entry in new if entry.kind == "grant"]
    assert len([one for one in grants if f"drill {told['drill']}" in one["principal"]]) == 6
    used("audit", "verify")


def test_people_and_accounts_are_ended_and_nobody_elses_are_touched(used: Line) -> None:
    with opened(load_settings(used.home)) as application:
        accounts = {row.id: row for row in application.principals.listing()}
    told = used.json("drill", "--channel", VERBATIM, "--rounds", "1", "--accounts", "2", "--people", "1")
    with opened(load_settings(used.home)) as application:
        after = {row.id: row for row in application.principals.listing()}
        drilled = [row for identifier, row in after.items() if identifier not in accounts]
        assert len(drilled) == 2
        assert all(row.sub.startswith("drill/") and not row.roles for row in drilled)
        assert {identifier: row for identifier, row in after.items() if identifier in accounts} == accounts
    person = made_up(told["drill"], 0)
    lookup = ("--employee-number", person["employee_number"], "--category", "phone", "--purpose", "emergency_contact")
    assert used.json("disclose", *lookup)["records"] == []


def test_a_drill_that_fails_in_the_middle_ends_what_it_made(used: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.cli.drill.rounds.write", lambda *_: 1 / 0)
    used("drill", "--channel", VERBATIM, "--rounds", "1", "--accounts", "2", "--people", "1", exits=3)
    with opened(load_settings(used.home)) as application:
        assert not [row for row in application.principals.listing() if row.sub.startswith("drill/") and row.roles]
    assert entries_of(used)[-3].kind == "update"


@pytest.mark.skipif(not is_recogniser_here(), reason="no text recogniser on this machine")
def test_a_photographed_text_is_read_again() -> None:
    assert "816.555.0142" in photographed(write(VERBATIM, [CARD], Random(1)))


def test_without_a_recogniser_pictures_are_left_out_and_said_so(used: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.cli.drilling.is_recogniser_here", lambda: False)
    told = used.json(
        "drill", "--channel", "ocr", "--channel", OUTSIDE, "--rounds", "1", "--accounts", "2", "--people", "1"
    )
    assert (told["left_out"], [one["channel"] for one in told["channels"]]) == (["ocr"], [OUTSIDE])


def test_channels_change_the_writing_and_never_a_digit() -> None:
    digits = "".join(char for char in "".join(CARD.lines) if char.isdigit())
    for channel in CHANNELS:
        for seed in range(20):
            text = write(channel, [CARD], Random(seed))
            told = "".join(char for char in text if char.isdigit())
            assert sorted(told) == sorted(digits), channel
    assert write(VERBATIM, [CARD], Random(1)) == "\n".join((CARD.name, *CARD.lines))
    tidied = "AVERY ASHGROVE\n41207 N MALLOW AVE APT 5, DRILL HOLLOW, MO 00003\n(816) 555-0142"
    assert write(NORMALISED, [CARD], Random(1)) == tidied
    assert len({write(RETYPED, [CARD], Random(seed)) for seed in range(20)}) > 10


def test_what_carries_a_text_on_takes_nothing_from_what_reads_it() -> None:
    tree = ast.parse(Path(channels.__file__).read_text("utf-8"))
    named = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named += [one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names]
    assert not [name for name in named if name.startswith("registry")]
