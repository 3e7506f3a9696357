"""registry policy check, explain and changes, as they are used."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from registry.cli.main import main


def used(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), "policy", *arguments])


def test_the_shipped_policies_are_in_order(tmp_path: Path) -> None:
    result = used(tmp_path, "check", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["sound"], told["problems"]) == (0, True, [])
    assert len(told["sha256"]) == 64


def test_what_is_wrong_in_a_folder_is_told_by_file_line_and_policy(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "own.cedar").write_text(
        '// ours\n@id("own.x") @reason("not_permitted") @rank("5")\n'
        'forbid (principal, action == Action::"ask", resource) when { principal.rolls.contains(Role::"reader") };\n'
    )
    result = used(tmp_path, "check", str(folder))
    assert result.exit_code == 1
    assert "own.cedar:2: own.x: attribute `rolls` on entity type `User` not found" in result.stdout
    (tmp_path / "config.toml").write_text('[policy]\nfolder = "policies"\n')
    assert used(tmp_path, "check").exit_code == 1
    assert used(tmp_path, "explain", "--role", "reader").exit_code == 3
    made = CliRunner().invoke(main, ["--home", str(tmp_path), "init"])
    assert (made.exit_code, "own.cedar:2" in made.stderr, (tmp_path / "keys").exists()) == (3, True, False)
    (tmp_path / "config.toml").rename(tmp_path / "later.toml")
    assert CliRunner().invoke(main, ["--home", str(tmp_path), "init"]).exit_code == 0
    (tmp_path / "later.toml").rename(tmp_path / "config.toml")
    opened = CliRunner().invoke(main, ["--home", str(tmp_path), "principal", "list"])
    assert (opened.exit_code, "own.cedar:2" in opened.stderr) == (3, True)


def test_a_decision_is_explained(tmp_path: Path) -> None:
    ask = ("explain", "--role", "reader", "--purpose", "payroll", "--category", "ssn")
    permitted = json.loads(used(tmp_path, *ask, "--json").stdout)
    assert (permitted["decision"], permitted["form"]) == ("permitted", "as_entered")
    assert [rule["id"] for rule in permitted["rules"]] == ["purpose.payroll", "permit.reader", "form.full"]
    told = used(tmp_path, *ask, "--tier", "sealed", "--relation", "kin").stdout
    assert told.startswith("denied: conflict_of_interest\n  conflict.kin (conflicts.cedar:")
    assert "purpose.none (no policy applies)" in used(tmp_path, *ask, "--category", "health").stdout
    own = used(tmp_path, "explain", "--role", "subject", "--own")
    assert own.stdout.startswith("permitted")


def test_settings_of_the_policy_are_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[policy]\nsame_unit = true\n")
    told = used(tmp_path, "explain", "--role", "reader", "--purpose", "payroll", "--relation", "same_unit").stdout
    assert "conflict.same_unit" in told
    for wrong in (
        "[policy]\nfolders = 1\n",
        "[policy]\nsame_unit = 1\n",
        '[policy]\ncase_form = "("\n',
        "policy = 1\n",
    ):
        (tmp_path / "config.toml").write_text(wrong)
        assert used(tmp_path, "check").exit_code == 3


def doctored(home: Path) -> dict[str, str]:
    result = CliRunner().invoke(main, ["--home", str(home), "doctor", "--json"])
    (found,) = [check for check in json.loads(result.stdout)["checks"] if check["name"] == "policies"]
    return {"state": found["state"], "what": found["what"]}


def test_what_is_in_force_since_when_is_told(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["--home", str(tmp_path), "init"]).exit_code == 0
    (first,) = json.loads(used(tmp_path, "changes", "--json").stdout)
    assert (first["entry"], first["before"], first["after"][:6]) == (0, None, "cedar:")
    assert doctored(tmp_path) == {"state": "ok", "what": "those of config.toml are in force, since entry 0"}
    (tmp_path / "config.toml").write_text("[policy]\nsame_unit = true\n")
    assert doctored(tmp_path)["state"] == "finding"
    assert CliRunner().invoke(main, ["--home", str(tmp_path), "principal", "list"]).exit_code == 0  # opens it
    assert doctored(tmp_path)["what"] == "those of config.toml are in force, since entry 1"
    lines = used(tmp_path, "changes").stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["1", "0"]
    assert first["after"] in lines[1]
