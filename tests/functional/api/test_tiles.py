"""The tree over HTTP, as c2sp.org/tlog-tiles has it, and the entries of who reads it."""

from __future__ import annotations

import pytest

from registry.domain.principals import Role
from registry.services import windows
from registry.transparency.checkpoint import open_checkpoint
from registry.transparency.leaf import leaf_hash
from registry.transparency.tiles import Tile, TiledTree, bundles_of, read_bundle_of_entries, read_hashes
from tests.functional.api.conftest import Site
from tests.functional.services.growth import grow


def details(site: Site) -> list[str]:
    return [(entry.values or {})["detail"] for entry in site.home.entries() if entry.kind == "audit-read"]


def test_a_stranger_s_program_can_check_the_whole_tree(site: Site) -> None:
    grow(site.home, 700)
    headers = site.as_(Role.AUDITOR)
    note = site.http.get("/audit/checkpoint", headers=headers).text
    checkpoint = open_checkpoint(note, site.home.app.signing, site.home.app.kernel.log.origin)

    def fetch(tile: Tile) -> bytes:
        answer = site.http.get(f"/audit/tile/{tile.path}", headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/octet-stream"
        # What a cache answers would be read without an entry.
        assert answer.headers["cache-control"] == "no-store"
        return answer.content

    tree = TiledTree(checkpoint.size, lambda tile: read_hashes(fetch(tile), tile.width))
    assert tree.root() == checkpoint.root
    leaves = [leaf for tile in bundles_of(checkpoint.size) for leaf in read_bundle_of_entries(fetch(tile), tile.width)]
    assert [leaf_hash(leaf) for leaf in leaves] == [tree.complete(0, index) for index in range(checkpoint.size)]


def test_reading_is_an_entry_the_first_at_once_and_the_rest_of_a_minute_together(site: Site) -> None:
    headers = site.as_(Role.AUDITOR)
    for _ in range(5):
        assert site.http.get("/audit/tile/0/000.p/1", headers=headers).status_code == 200
    assert details(site) == ["tiles; count 1"]
    assert site.http.get("/audit/tile/entries/000.p/1", headers=headers).status_code == 200
    assert details(site) == ["tiles; count 1", "entry bundles; count 1"]
    assert (site.last().values or {})["principal"].endswith("#the auditor")
    site.home.app.tiles.close()
    assert details(site) == ["tiles; count 1", "entry bundles; count 1", "tiles; count 4"]


def test_no_tile_is_given_whose_entry_cannot_be_written(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = site.as_(Role.AUDITOR)
    assert site.http.get("/audit/checkpoint", headers=headers).status_code == 200
    monkeypatch.setattr(windows, "AGAIN_SECONDS", 60.0)
    sql = site.home.sql()
    (edge,) = sql.execute("SELECT edge FROM ledger_head").fetchone()
    sql.execute("UPDATE ledger_head SET edge = x'00'")
    for _ in range(2):
        answer = site.http.get("/audit/tile/0/000.p/1", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "audit_unavailable")
    sql.execute("UPDATE ledger_head SET edge = ?", (edge,))
    site.home.app.tiles.close()
    assert details(site) == ["tiles; count 2"]


@pytest.mark.parametrize(
    "path",
    [
        *("0/000", "0/001.p/1", "1/000.p/1", "9/000.p/1", "entries/000", "0/000.p/255"),
        *("", "0", "00/000.p/1", "0/00.p/1", "0/x000/000.p/1", "0/000.p/0", "0/000.p/01", "0/000.p/256", "0/000.P/1"),
        *("entries", "entries/", "%30/000.p/1", "0%2f000.p/1", "0/..%2f000.p/1", "0/000.p/1%00", "0/000.p/1/"),
    ],
)
def test_every_other_name_is_not_found(site: Site, path: str) -> None:
    answer = site.http.get(f"/audit/tile/{path}", headers=site.as_(Role.AUDITOR))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_row_that_was_changed_is_no_answer(site: Site) -> None:
    headers = site.as_(Role.AUDITOR)
    assert site.http.get("/audit/tile/entries/000.p/1", headers=headers).status_code == 200
    site.home.sql().execute("UPDATE ledger_leaf SET leaf = ? WHERE i = 0", (site.home.rows()[1].leaf,))
    answer = site.http.get("/audit/tile/entries/000.p/1", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "ledger_corrupt")
