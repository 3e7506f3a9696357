"""``registry keys rekey-index`` at the command line: the steps of the runbook, what it prints, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.bootstrap import opened
from registry.cli.rekeying import pace
from registry.domain.ids import new_id
from registry.services import index_change as service
from registry.settings import load_settings
from registry.vault.blind_index import IndexTerm, Posting
from tests.functional.cli.conftest import Line


def test_the_steps_of_the_runbook(used: Line, tmp_path: Path) -> None:
    used("backup", str(tmp_path / "before"))
    before = used.json("keys", "rekey-index", "--status")
    assert (before["generation"], before["copied"], before["former"], before["next"]) == (1, None, None, "")
    done = used.json("keys", "rekey-index")
    assert done == {"generation": 2, "postings": before["postings"], "unopened": 0, "clean": True}
    assert (
        used("keys", "rekey-index", "--status").stdout
        == f"generation 2 with {done['postings']} postings is looked up in\n"
    )
    assert "verified" in used("audit", "verify").stdout
    used("backup", str(tmp_path / "after"))
    said = used("keys", "rekey-index").stdout
    assert said == f"generation 3 with {done['postings']} postings is looked up in, the one before is removed\n"


def test_how_far_it_is_stands_in_the_status(used: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = used.json("keys", "rekey-index", "--status")["postings"]
    monkeypatch.setattr(service, "AT_ONCE", 1)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr("registry.cli.rekeying._Progress.__call__", stop)
        used("keys", "rekey-index", exits=130)
    now = used.json("keys", "rekey-index", "--status")
    assert 0 < now["copied"] < now["postings"] == whole
    said = used("keys", "rekey-index", "--status").stdout
    assert f"{now['copied']} postings are in the next" in said
    assert "run: registry keys rekey-index" in said
    assert used.json("keys", "rekey-index")["generation"] == 2


def test_postings_of_no_value_are_refused_with_their_number(used: Line) -> None:
    with opened(load_settings(used.home, {})) as application, application.database.write() as work:
        application.kernel.add_postings(work, [(IndexTerm("N1", "nobody at all"), Posting(new_id(), 1))])
        work.commit()
    assert "--without 1" in used("keys", "rekey-index", exits=3).stderr
    assert used.json("keys", "rekey-index", "--without", "1")["generation"] == 2


@pytest.mark.parametrize(
    ("done", "lately", "told"),
    [
        (0, (0, 0.0), "postings copied: 0 of 1000"),
        (500, (400, 10.0), "postings copied: 500 of 1000, 40 a second, 12 s left"),
        (100, (1, 1.0), "postings copied: 100 of 1000, 1 a second, 15 min left"),
        (100, (1, 10.0), "postings copied: 100 of 1000, 0 a second, 2.5 h left"),
        (1000, (1, 1.0), "postings copied: 1000 of 1000, 1 a second, 0 s left"),
    ],
)
def test_the_pace_is_told(done: int, lately: tuple[int, float], told: str) -> None:
    assert pace("copied", done, 1000, lately) == told
