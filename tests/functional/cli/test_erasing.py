"""``registry erase``, ``audit accounting`` and ``audit prune``: what leaves the registry, at the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from registry.cli.demo.people import make_people
from tests.functional.cli.conftest import PEOPLE, Line, far_line

WHY = ("--reason", "Left the service seven years ago", "--basis", "Records schedule 4, item 12")


def number_of(person: int = 0) -> str:
    return make_people(PEOPLE)[person].number


def test_somebody_is_erased_and_the_ledger_verifies(used: Line) -> None:
    number = number_of()
    assert used("erase", "--employee-number", number, *WHY, stdin="n\n", exits=130).stdout == ""
    told = used("erase", "--employee-number", number, *WHY, "--yes").stdout
    assert "erased: " in told
    assert "registry keys status" in told
    assert number not in told
    assert "verified" in used("audit", "verify").stdout
    waiting = [one for one in used.json("keys", "status") if one["erasures"]]
    assert {one["purpose"] for one in waiting} == {"data", "cases", "bodies"}
    assert all("complete only when it is destroyed; run: registry keys rotate" in one["next"] for one in waiting)
    used("erase", "--employee-number", number, *WHY, "--yes", exits=2)
    used("erase", "--employee-number", number_of(1), "--reason", "short", "--basis", "", "--yes", exits=2)
    assert used.json("erase", "--employee-number", number_of(1), *WHY, "--yes")["clean"] is True


def test_an_accounting_is_handed_over(used: Line) -> None:
    number = number_of()
    used("disclose", "--employee-number", number, "--category", "phone", "--purpose", "emergency_contact")
    document = used.json("audit", "accounting", "--employee-number", number)
    last = document["disclosures"][-1]
    assert (last["what"], last["purpose"]) == (["phone"], "emergency_contact")
    rows = list(csv.DictReader(io.StringIO(used("audit", "accounting", "--employee-number", number, "--csv").stdout)))
    assert len(rows) == len(document["disclosures"])
    assert (rows[-1]["what"], rows[-1]["entry"]) == ("phone", str(last["index"]))
    assert "disclosures since" in used("audit", "accounting", "--employee-number", number).stdout
    used("audit", "accounting", "--employee-number", number, "--since", "yesterday", exits=2)
    used("audit", "accounting", "--employee-number", number, "--csv", "--json", exits=2)


def test_nothing_young_is_pruned_and_the_setting_is_bounded(used: Line) -> None:
    told = used.json("audit", "prune", "--dry-run")
    assert (told["openings"], told["held"]) == (0, 0)
    assert used("audit", "prune", stdin="n\n", exits=130).stdout == ""
    assert "0 openings removed" in used("audit", "prune", "--yes").stdout
    (used.home / "config.toml").write_text("[retention]\nopenings_kept_days = 2191\n")
    assert "2192" in used("audit", "prune", "--dry-run", exits=3).stderr
    (used.home / "config.toml").write_text("[retention]\nkept = 3000\n")
    used("audit", "prune", "--dry-run", exits=3)


def test_it_is_done_over_http_as_well(quiet: None, used: Line, tmp_path: Path) -> None:
    number = number_of()
    with far_line(used, tmp_path / "nowhere", "enroller") as far:
        rows = far.json("audit", "accounting", "--employee-number", number)["disclosures"]
        assert len(rows) == 2
        done = far.json("erase", "--employee-number", number, *WHY, "--yes")
        assert (done["erased"]["persons"] > 0, done["clean"]) == (True, True)
        far("erase", "--employee-number", number, *WHY, "--yes", exits=2)
        far("audit", "accounting", "--employee-number", number, exits=2)
    assert "verified" in used("audit", "verify").stdout
