"""Entries about many people are opened once in a trace, and say the same as when they are opened for each."""

from __future__ import annotations

import pytest

from registry.audit.kinds import Kind
from registry.domain.ids import SubjectId
from registry.services.copies import Histories
from registry.services.entry_reading import ReadEntry, SharedEntries, places_in
from registry.services.read_audit import ReadAudit
from tests.functional.services.homes import Home
from tests.functional.services.test_marked_copies import people, post, readers, served, traced


def traced_together(home: Home, many: int) -> list[SubjectId]:
    """Trace one text about several people: the entries that open their values and that keep it name them all."""
    subjects = people(home, many)
    (reader,) = readers(home, 1)
    report = traced(home, post([served(home, reader, subject) for subject in subjects]))
    assert len(report.people) == many
    return sorted(subjects)


def test_an_entry_about_many_is_opened_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = traced_together(home, 4)
    opened: list[int] = []
    real = ReadAudit.read

    def read(self: ReadAudit, row: object) -> ReadEntry:
        entry = real(self, row)  # type: ignore[arg-type]  # a row, as it is given
        opened.append(entry.index)
        return entry

    monkeypatch.setattr(ReadAudit, "read", read)
    with home.app.database.reader() as reader:
        histories = Histories(home.app.audit).read(reader, {one: {} for one in subjects}, below=10_000)
        alone = [Histories(home.app.audit).read(reader, {one: {}}, below=10_000)[0] for one in subjects]
    assert histories == alone
    assert [history.gaps for history in histories] == [()] * 4
    shared = {index for history in histories for index in history.entries}
    one_by_one = sum(len(history.entries) for history in alone)
    assert len(opened) == len(shared) + one_by_one
    assert len(shared) < one_by_one


def entry(index: int, subjects: str, counters: str) -> ReadEntry:
    values = {"subject": subjects, "counter": counters, "previous": " ".join("-" for _ in counters.split(" "))}
    return ReadEntry(index, 0, Kind.OPEN, values, ())


def test_the_last_few_are_kept_and_those_of_one_person_are_not() -> None:
    shared = SharedEntries()
    for index in range(70):
        shared.keep(entry(index, "a b", "1 2"))
        shared.known([0])
    shared.keep(entry(70, "a", "1"))
    assert sorted(shared.known(range(71))) == [0, *range(7, 70)]


def test_an_entry_that_does_not_count_each_of_its_subjects_places_nobody() -> None:
    assert places_in(entry(1, "a b", "1 2")) == {"a": ("1", "-"), "b": ("2", "-")}
    assert places_in(entry(1, "a b", "1")) == {}
    assert places_in(entry(1, "a b a", "1 2 3"))["a"] == ("1", "-")
    assert places_in(ReadEntry(1, 0, Kind.OPEN, None, ())) == {}
