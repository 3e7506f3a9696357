"""A key service is far away: a batch asks it once, and never while the ledger's head row is held."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from registry.domain.categories import Category
from registry.domain.enrollment import SubjectChanges
from registry.domain.errors import KeyUnavailable
from registry.domain.principals import Role
from registry.keys.data_keys import DataKeys
from registry.services.disclose import Disclosed, Failed
from registry.services.import_people import Existing, Outcome
from registry.services.trace import TraceAsk
from registry.services.update import UpdateAsk
from registry.storage.unit_of_work import SqlDatabase
from registry.text.intake import read_changes, read_enrollment
from tests.functional.services.homes import TODAY, Home, person


class Far:
    """Passes every call on, writes it down, and may be out of reach."""

    def __init__(self, provider: Any, is_writing: Callable[[], bool]) -> None:
        self.provider = provider
        self.is_writing = is_writing
        self.calls: list[tuple[str, int]] = []
        self.while_writing: list[str] = []
        self.is_down = False

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls.append((name, len(arguments[0]) if name.endswith("_many") else 1))
            if self.is_writing():
                self.while_writing.append(name)
            if self.is_down:
                raise KeyUnavailable("down", "key_service_unreachable")
            return getattr(self.provider, name)(*arguments)

        return call


@pytest.fixture
def far(home: Home, monkeypatch: pytest.MonkeyPatch) -> Far:
    writing = 0
    real = SqlDatabase.write

    @contextmanager
    def write(self: SqlDatabase) -> Iterator[Any]:
        nonlocal writing
        with real(self) as work:
            writing += 1
            try:
                yield work
            finally:
                writing -= 1

    monkeypatch.setattr(SqlDatabase, "write", write)
    between: Far | None = None
    for keys in (home.app.kernel.vault._keys, home.app.trace._cases._keys):
        assert isinstance(keys, DataKeys)
        between = between or Far(keys._provider, lambda: writing > 0)
        monkeypatch.setattr(keys, "_provider", between)
    assert between is not None
    return between


def forget(home: Home, far: Far) -> None:
    home.app.kernel.vault._keys.forget_all()
    far.calls.clear()


def test_a_batch_of_lookups_asks_once(home: Home, far: Far) -> None:
    subjects = [home.enroll(person(f"T-{number:04}")).subject for number in range(50)]
    reader = home.caller("reader", Role.READER)
    forget(home, far)
    asks = [(reader, home.ask(subject, Category.PHONE, Category.SSN)) for subject in subjects]
    assert all(isinstance(answer, Disclosed) for answer in home.app.disclose.disclose_many(asks))
    assert far.calls == [("unwrap_many", 50)]
    home.app.disclose.disclose_many(asks)
    assert far.calls == [("unwrap_many", 50)]
    assert far.while_writing == []


def test_nothing_asks_while_the_ledger_is_held(home: Home, far: Far) -> None:
    subject = home.enroll().subject
    hr, investigator = home.caller("hr", Role.ENROLLER), home.caller("tracer", Role.INVESTIGATOR)
    forget(home, far)
    body = {"add_family": [{"ref": "c2", "relation": "child", "given_name": "Nor", "family_name": "Brightwater"}]}
    changes: SubjectChanges = read_changes(body, today=TODAY)
    home.app.update.update(hr, UpdateAsk(subject, changes, None, TODAY))
    forget(home, far)
    again = [read_enrollment(person(title="Head ranger"), today=TODAY)]
    again += [read_enrollment(person(f"T-{number:04}"), today=TODAY) for number in range(1000, 1100)]
    imported = home.import_people(hr, again, Existing.UPDATE)
    assert [line.outcome for line in imported.outcomes] == [Outcome.UPDATED] + [Outcome.CREATED] * 100
    assert far.calls == [("wrap_many", 303), ("unwrap_many", 4)]
    forget(home, far)
    home.app.trace.trace(investigator, TraceAsk("Dana Brightwater, 741-12-3456, 1207 Larkspur Ave Apt 3"))
    assert [name for name, _ in far.calls] == ["unwrap_many", "wrap"]
    assert far.while_writing == []


def test_what_is_down_is_asked_once_more_for_each_value_and_told(home: Home, far: Far) -> None:
    known, other = home.enroll(person("T-0001")).subject, home.enroll(person("T-0002")).subject
    reader = home.caller("reader", Role.READER)
    forget(home, far)
    home.disclose(reader, home.ask(known, Category.PHONE))
    far.is_down = True
    asks = [(reader, home.ask(subject, Category.PHONE)) for subject in (known, other)]
    shown, failed = home.app.disclose.disclose_many(asks)
    assert isinstance(shown, Disclosed)  # its key was opened a moment ago
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, KeyUnavailable)
    assert failed.error.code == "key_service_unreachable"
    assert failed.receipt is not None
    assert home.entries()[-1].values["result"] == "failed"
    assert f"entry {failed.receipt.index} " in home.entries()[-1].values["detail"]
    far.is_down = False
    assert isinstance(home.disclose(reader, home.ask(other, Category.PHONE)), Disclosed)


def test_a_crowd_after_a_restart_asks_once_at_a_time(home: Home, far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once: one call is under way, and a key is asked for once."""
    subjects = [home.enroll(person(f"T-{number:04}")).subject for number in range(64)]
    reader = home.caller("reader", Role.READER)
    forget(home, far)
    under_way, most, real = 0, 0, far.provider.unwrap_many

    def slowly(items: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.02)
        under_way -= 1
        return real(items)

    monkeypatch.setattr(far, "provider", SimpleNamespace(unwrap_many=slowly))
    before = home.app.lane.figures().batches
    crowd = [home.app.lane.submit(reader, home.ask(subject, Category.PHONE)) for subject in subjects * 2]
    assert all(isinstance(one.result(60), Disclosed) for one in crowd)
    asked = [many for name, many in far.calls if name == "unwrap_many"]
    assert len(asked) == len(far.calls) <= home.app.lane.figures().batches - before
    assert (most, sum(asked)) == (1, len(subjects))
