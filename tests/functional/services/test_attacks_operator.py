"""Whoever runs the registry rewrites history, with database, key, high-water mark and tiles in hand.

Everything on the machine agrees with the rewritten ledger. What a witness of another organisation remembers does not.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.audit.high_water import Standing
from registry.bootstrap import open_application
from registry.cli.auditing import verify_ledger
from registry.domain.errors import AuditUnavailable
from registry.settings import load_settings
from registry.transparency.checkpoint import open_checkpoint
from registry.witness.client import Answer
from tests.fakes.clock import TestClock
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home
from tests.functional.services.panels import Line, panel_for, witness_for

SEEN = 400


@contextmanager
def at(path: Path) -> Iterator[Home]:
    clock = TestClock()
    home = Home(open_application(load_settings(path, {"REGISTRY_DATABASE_URL": ""}), clock), clock)
    try:
        yield home
    finally:
        home.close()


@pytest.fixture
def true(template: Path, tmp_path: Path) -> tuple[Path, Line]:
    """A registry whose witness has cosigned 400 entries, and a copy from before."""
    path = tmp_path / "true"
    shutil.copytree(template, path)
    with at(path) as home:
        grow(home, 100)
    shutil.copytree(path, tmp_path / "before")
    with at(path) as home:
        grow(home, SEEN)
        line = Line(witness_for(home, tmp_path / "witness"))
        (asked,) = panel_for(home, line).round(home.clock)
        assert asked.failure == ""
    return path, line


def rewritten(true: Path, size: int) -> Path:
    """Return a home with the same keys, in which other things happened from entry 100 on."""
    path = true.with_name("before")
    with at(path) as home:
        grow(home, size)
    return path


@pytest.mark.parametrize(
    ("size", "cause"), [(300, "rolled_back"), (SEEN, "forked"), (SEEN + 1, "forked"), (900, "forked")]
)
def test_only_the_witness_notices_and_it_does(true: tuple[Path, Line], size: int, cause: str) -> None:
    path, line = true
    with at(rewritten(path, size)) as home:
        # Nothing on the machine shows it: every check of our own is content, and entries are taken.
        assert verify_ledger(home.app, 1).size == size
        assert home.app.compare_high_water().standing is Standing.FOLLOWS
        assert home.app.tiles.publisher.publish().checkpoint.size == size
        grow(home, size)
        panel = panel_for(home, line)
        assert panel.contradictions() == {"w": cause}
        (asked,) = panel.round(home.clock)
        assert asked.failure == cause
        with pytest.raises(AuditUnavailable, match=cause):
            grow(home, size + 1)
        _check_evidence(home)


def _check_evidence(home: Home) -> None:
    """The evidence stands alone: two checkpoints with the ledger's own signature that cannot both be true."""
    (kept,) = (home.app.settings.ledger / "witness").glob("evidence-*")
    seen, _, ours = kept.read_text("utf-8").partition("\n--- what this registry has ---\n")
    origin = home.app.kernel.log.origin
    theirs, own = (open_checkpoint(note, home.app.signing, origin) for note in (seen, ours))
    assert theirs.size == SEEN
    if own.size >= theirs.size:
        assert home.app.tiles.publisher.root(theirs.size) != theirs.root


def test_a_restart_does_not_help_and_neither_does_deleting_what_is_kept(true: tuple[Path, Line]) -> None:
    path, line = true
    other = rewritten(path, 500)
    for _ in range(2):
        with at(other) as home:
            (asked,) = panel_for(home, line).round(home.clock)
            assert asked.failure == "forked"
            with pytest.raises(AuditUnavailable, match="forked"):
                grow(home, 600)
        shutil.rmtree(other / "ledger" / "witness")


def test_a_witness_that_falls_silent_ends_no_alarm(true: tuple[Path, Line]) -> None:
    """Whoever rewrote history might cut the line to the witness that has noticed."""
    path, line = true
    with at(rewritten(path, 500)) as home:
        panel = panel_for(home, line)
        panel.round(home.clock)
        line.submitted = lambda _: Answer(503, b"")
        for _ in range(2):
            assert panel.round(home.clock)[0].failure == "refused 503"
            with pytest.raises(AuditUnavailable, match="forked"):
                grow(home, 501)


def test_service_comes_back_with_the_true_ledger_and_the_evidence_stays(true: tuple[Path, Line]) -> None:
    path, line = true
    other = rewritten(path, 500)
    with at(other) as home:
        panel_for(home, line).round(home.clock)
    shutil.copytree(other / "ledger" / "witness", path / "ledger" / "witness", dirs_exist_ok=True)
    with at(path) as home:
        panel = panel_for(home, line)
        assert panel.standing(home.clock).alarm is not None
        (asked,) = panel.round(home.clock)
        assert (asked.failure, panel.standing(home.clock).alarm) == ("", None)
        grow(home, SEEN + 1)
        assert len(list((path / "ledger" / "witness").glob("evidence-*"))) == 1


def test_two_faces_are_found_out_by_two_readers_who_compare(true: tuple[Path, Line]) -> None:
    """A split view: each face has its own signed checkpoint, and the witness cosigns one branch only."""
    path, line = true
    with at(path) as home:
        one = panel_for(home, line).published().checkpoint
    with at(rewritten(path, SEEN)) as home:
        (asked,) = panel_for(home, line).round(home.clock)
        other = home.app.tiles.publisher.publish().checkpoint
        assert asked.line == ""
    assert (one.size, one.root == other.root) == (other.size, False)
