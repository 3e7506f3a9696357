"""audit answered: what became of a lookup, and whether a file is what was answered."""

from __future__ import annotations

from pathlib import Path

from registry.bootstrap import opened
from registry.domain.categories import Category
from registry.domain.principals import Role
from registry.services.disclose import Disclosed
from registry.services.outcomes import Outcomes, released_by, releases
from registry.settings import load_settings
from tests.fakes.clock import TestClock
from tests.functional.cli.conftest import line_for
from tests.functional.services.homes import Home

ANSWER = b'{"value":{"number":"816-555-0142"}}'


def test_a_file_is_the_answer_of_one_lookup_and_of_no_other(tmp_path: Path) -> None:
    line = line_for(tmp_path / "home")
    line("init")
    with opened(load_settings(line.home, {})) as application:
        home, scope = Home(application, TestClock()), dict[str, object]()
        subject, reader = home.enroll().subject, home.caller("reader", Role.READER)
        for _ in range(2):
            card = home.disclose(reader, home.ask(subject, Category.PHONE))
            assert isinstance(card, Disclosed)
            releases(scope, card, ANSWER)
        first, second = (one.entry for one in released_by(scope))
        outcomes = Outcomes(application.kernel, is_told=True)
        outcomes.handed_over(released_by(scope)[:1])
        outcomes.flush()
        size = len(home.entries())
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_bytes(ANSWER)
    wrong.write_bytes(ANSWER + b"\n")
    told = {"entry": first, "told": size - 1, "size": 64}
    assert line.json("audit", "answered", first, right) == told | {"is_answer": True}
    assert line.json("audit", "answered", first, wrong) == told | {"is_answer": False}
    assert line.json("audit", "answered", first) == told | {"is_answer": None}
    nothing = {"entry": second, "told": None, "size": None, "is_answer": None}
    assert line.json("audit", "answered", second, right) == nothing
    assert "The file is that answer." in line("audit", "answered", first, right).stdout
    untold = line("audit", "answered", second).stdout
    assert "it may never have left" in untold
    assert "earlier versions" in untold  # no word of which may be left out: somebody is suspected by it
    # Each question is an entry, and names who asked; one about an entry that is not there too.
    line("audit", "answered", 10_000, exits=2)
    with opened(load_settings(line.home, {})) as application:
        asked = [entry.values or {} for entry in Home(application, TestClock()).entries()[size:]]
    assert [one["request"] for one in asked] == [
        f"entry {at}" for at in (first, first, first, second, first, second)
    ] + ["entry 10000"]
    assert all(one["principal"].partition(" ")[2].startswith("local:") for one in asked)
