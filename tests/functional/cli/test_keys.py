"""``registry keys``: a year of a key's life at the command line, and what is refused on the way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from registry.services import key_life
from registry.transparency.offline import verify_bundle
from tests.functional.cli.conftest import Line, line_for

VERIFIER = verify_bundle.__file__


def of_purpose(line: Line, purpose: str) -> list[dict[str, Any]]:
    return [one for one in line.json("keys", "status") if one["purpose"] == purpose]


def test_a_key_is_exchanged_and_destroyed(used: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = of_purpose(used, "data")
    assert first["stored"] > 0
    assert "run: registry keys rewrap" not in used("keys", "status").stdout
    fresh = used.json("keys", "rotate", "data")["current"]
    assert fresh in used("keys", "status").stdout
    assert "run: registry keys rewrap" in used("keys", "status").stdout
    assert used.json("keys", "rewrap") == {"rewrapped": first["stored"], "failed": 0}
    assert "0 stored keys wrapped anew, 0 do not open" in used("keys", "rewrap").stdout
    current, former = of_purpose(used, "data")
    assert (current["key"], current["stored"], current["outdated"]) == (fresh, first["stored"], 0)
    assert (former["key"], former["stored"]) == (first["key"], 0)
    assert former["retired"] <= former["unused"] < former["destroy_from"]
    refused = used("keys", "shred", first["key"], "--yes", exits=3)
    assert "less than 10 minutes ago" in refused.stderr
    monkeypatch.setattr(key_life, "SETTLING", key_life.SETTLING * 0)
    assert first["key"] in used("keys", "shred", first["key"], stdin="n\n", exits=130).output
    assert used.json("keys", "shred", first["key"], "--yes") == {"destroyed": first["key"]}
    assert [one["key"] for one in of_purpose(used, "data")] == [fresh]
    assert "verified" in used("audit", "verify").stdout


def test_only_what_wraps_is_exchanged(line: Line) -> None:
    for purpose in ("index", "everything"):
        assert "is not one of 'data', 'bodies', 'cases', 'ledger'" in line("keys", "rotate", purpose, exits=2).output
    assert "only the ledger's key is announced" in line("keys", "rotate", "data", "--announce", exits=2).output
    (index,) = of_purpose(line, "index")
    assert index["stored"] is None
    assert "no earlier key" in line("keys", "shred", index["key"], "--yes", exits=3).stderr


def test_the_ledger_s_key_is_announced_and_takes_over(used: Line, tmp_path: Path) -> None:
    before = used.json("audit", "checkpoint")["vkey"]
    announced = used.json("keys", "rotate", "ledger", "--announce")
    assert "then: registry keys rotate ledger" in used("keys", "rotate", "ledger", "--announce").stderr
    assert used.json("audit", "checkpoint")["vkey"] == before
    done = used.json("keys", "rotate", "ledger")
    assert (done["vkey"], done["second"]) == (announced["vkey"], announced["second"])
    assert done["former"] == before
    after = used.json("audit", "checkpoint")
    assert [(one["vkey"], one["until"]) for one in after["keys"]] == [(before, done["size"]), (done["vkey"], None)]
    assert "verified" in used("audit", "verify").stdout
    assert "no faults" in used("audit", "fsck").stdout
    used("doctor", exits=None)
    (tmp_path / "leak").write_text("call 816-555-0100", "utf-8")
    bundle = tmp_path / "evidence.zip"
    used("trace", tmp_path / "leak", "--evidence", bundle)
    for key in (before, done["vkey"]):
        assert used.json("verify-bundle", bundle, "--key", key)["verified"]
    former = before.split("+")[1]
    refused = used.json("verify-bundle", bundle, "--key", before, "--until", f"{former}=1", exits=1)
    assert refused["problems"] == ["the key that you trust may not sign the change to the ledger's present key"]
    assert "--until takes KEY_ID=SIZE" in used("verify-bundle", bundle, "--key", before, "--until", "x", exits=2).output
    alone = subprocess.run(
        [sys.executable, "-I", VERIFIER, bundle, "--key", before, "--until", f"{former}={done['size']}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (alone.returncode, "the ledger's key was exchanged" in alone.stdout) == (0, True)


def test_a_backup_from_before_the_change_is_told_from_one_after(used: Line, tmp_path: Path) -> None:
    used("backup", tmp_path / "before")
    used("keys", "rotate", "ledger")
    used("backup", tmp_path / "after")
    shutil.copytree(used.home / "keys", tmp_path / "other" / "keys")
    (tmp_path / "other").chmod(0o700)
    other = line_for(tmp_path / "other")
    assert other.json("restore", tmp_path / "before")["standing"] == "missing"
    assert other.json("restore", tmp_path / "after", "--replace")["standing"] == "missing"
    assert other.json("audit", "recover", "--reason", "drill")["standing"] == "missing"
    assert "verified" in other("audit", "verify").stdout


def test_a_state_from_before_the_change_is_not_gone_on_with(used: Line, tmp_path: Path) -> None:
    used("backup", tmp_path / "before")
    size = used.json("keys", "rotate", "ledger")["size"]
    assert used.json("restore", tmp_path / "before", "--replace")["standing"] == "behind"
    refused = used("audit", "recover", "--reason", "the machine is gone", exits=None)
    assert refused.exit_code != 0
    assert f"exchanged at {size} entries" in refused.output


def test_a_stolen_key_of_the_ledger_is_replaced(used: Line, tmp_path: Path) -> None:
    before = used.json("audit", "checkpoint")["vkey"]
    key_id, reason = before.split("+")[1], ("--reason", "a copy of the folder was found")
    since = ("--since", "2026-01-31T00:00:00Z")
    assert "Missing option '--reason'" in used("audit", "compromise", key_id, *since, exits=2).output
    assert "--since" in used("audit", "compromise", key_id, "--since", "yesterday", *reason, exits=2).output
    assert "KEY_ID" in used("audit", "compromise", "ffffffff", *since, *reason, exits=2).output
    later = ("--since", "9000-01-01")
    assert "--since" in used("audit", "compromise", key_id, *later, *reason, exits=2).output
    done = used.json("audit", "compromise", key_id, *since, *reason)
    assert (done["replaced"], done["trusted"], done["until"][0]) == (True, 0, f"--until {key_id}=0")
    assert done["vkey"] == used.json("audit", "checkpoint")["vkey"] != before
    again = used("audit", "compromise", key_id, *since, *reason)
    assert f"Nothing to do: {key_id} signs nothing since entry {done['entry']}" in again.stdout
    assert used.json("audit", "compromise", key_id, *since, *reason)["replaced"] is False
    assert "verified" in used("audit", "verify").stdout
    assert "no faults" in used("audit", "fsck").stdout
    (tmp_path / "leak").write_text("call 816-555-0100", "utf-8")
    bundle = tmp_path / "evidence.zip"
    used("trace", tmp_path / "leak", "--evidence", bundle)
    assert used.json("verify-bundle", bundle, "--key", done["vkey"])["verified"]
    (problem,) = used.json("verify-bundle", bundle, "--key", before, exits=1)["problems"]
    assert problem.startswith("the key that you trust was compromised")
    alone = [sys.executable, "-I", VERIFIER, bundle, "--key", done["vkey"], *done["until"][0].split()]
    told = subprocess.run(alone, capture_output=True, text=True, check=False)
    assert (told.returncode, "was compromised, suspected since 2026-01-31T00:00:00Z" in told.stdout) == (0, True)
    human = used("audit", "compromise", done["vkey"].split("+")[1], *since, *reason)
    assert "signs this ledger no more" in human.stdout
    assert "in place of the one with" in human.stderr
