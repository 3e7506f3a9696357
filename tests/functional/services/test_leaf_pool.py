"""Leaves checked by several processes on each engine: each does its part, and what one finds is told."""

from __future__ import annotations

from multiprocessing import active_children

import pytest

from registry.audit.check_run import ChunkChecked, check_leaves
from registry.cli import auditing
from registry.cli.auditing import verify_tree
from registry.domain.errors import LedgerCorrupt
from registry.upkeep.leaf_pool import checked_together
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home

SIZE, RUN, OTHERS, AHEAD = 200, 8, 2, 3  # a full run is a whole subtree
SPANS = [(start, start + RUN) for start in range(0, SIZE, RUN)]


@pytest.fixture
def grown(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Give a ledger of 200 entries, parted into runs of eight."""
    grow(home, SIZE)
    monkeypatch.setattr(auditing, "spans", lambda _size: SPANS)
    return home


def checked_here(home: Home, span: tuple[int, int]) -> ChunkChecked:
    with home.app.database.reader() as reader:
        return check_leaves(span[0], reader.leaves(*span))


def test_every_process_does_its_part_and_all_is_as_one_finds_it(grown: Home) -> None:
    here: list[tuple[int, int]] = []

    def check(span: tuple[int, int]) -> ChunkChecked:
        here.append(span)
        return checked_here(grown, span)

    together = list(checked_together(check, grown.app.settings.database_url, SPANS, OTHERS))
    assert together == [checked_here(grown, span) for span in SPANS]
    assert SPANS[OTHERS * AHEAD] in here  # it works itself as well
    # A run that another process was given is checked here only if that process was ended.
    assert set(SPANS[: OTHERS * AHEAD]).isdisjoint(here)
    assert verify_tree(grown.app, 1 + OTHERS, parallel_from=1) == verify_tree(grown.app, 1)
    assert not active_children()


@pytest.mark.parametrize("bad", [25, 50, 195])
def test_what_any_of_them_finds_is_told(grown: Home, bad: int) -> None:
    """Entry 25 is in a run of another process, entry 50 in the first run of this one."""
    sql = grown.sql()
    (leaf,) = sql.execute(f"SELECT leaf FROM ledger_leaf WHERE i = {bad + 1}").fetchone()
    sql.execute("UPDATE ledger_leaf SET leaf = ? WHERE i = ?", (bytes(leaf) + b"\n", bad))
    for workers in (1, 1 + OTHERS):
        with pytest.raises(LedgerCorrupt) as found:
            verify_tree(grown.app, workers, parallel_from=1)
        assert found.value.entry == bad
    assert not active_children()
