"""The key ceremony of docs/key-ceremony.md, step by step at the command line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from registry.keys.split.keyring import in_the_clear
from tests.functional.cli.conftest import Line, line_for

pytestmark = pytest.mark.usefixtures("cheap_and_in_memory")

WORDS = ("correct horse battery", "staple under the bed", "seven grey herons fly")
GUIDE = Path(__file__).parents[3] / "docs" / "key-ceremony.md"


@pytest.fixture
def passphrases(tmp_path: Path) -> list[str]:
    """Return the options that name the holders' passphrase files."""
    options = []
    for number, words in enumerate(WORDS, start=1):
        path = tmp_path / f"words-{number}"
        path.write_text(f"{words}\n")
        options += ["--passphrase-file", str(path)]
    return options


def split(line: Line, tmp_path: Path, passphrases: list[str], name: str = "shares") -> dict[str, Any]:
    found: dict[str, Any] = line.json(
        "keys", "split", "--needed", "2", "--holders", "3", "--to", tmp_path / name, *passphrases
    )
    return found


def configure(home: Path, folder: Path) -> None:
    home.mkdir(exist_ok=True)
    with (home / "config.toml").open("a") as file:
        file.write(f'[keys]\nprovider = "split"\nunseal_folder = "{folder}"\n')


def unseal(line: Line, made: dict[str, Any], passphrases: list[str], *places: int) -> Any:
    options = [word for place in places for word in passphrases[2 * place - 2 : 2 * place]]
    return line.json("keys", "unseal", *(made["shares"][place - 1] for place in places), *options)


def test_a_new_registry_whose_keys_were_never_in_the_clear(tmp_path: Path, passphrases: list[str]) -> None:
    line = line_for(tmp_path / "home")
    made = split(line, tmp_path, passphrases)
    assert [Path(share).stat().st_mode & 0o777 for share in made["shares"]] == [0o600] * 3
    configure(line.home, tmp_path / "open")
    assert "registry keys unseal" in line("init", exits=3).stderr
    assert unseal(line, made, passphrases, 1, 3) == {"unseal_key": made["unseal_key"]}
    line("init")
    assert in_the_clear(line.home / "keys") == [path.name for path in (line.home / "keys").glob("issuer*.key")]
    line("doctor", exits=None)
    assert line.json("keys", "lock") == {"closed": 1}
    assert "registry keys unseal" in line("keys", "status", exits=3).stderr
    unseal(line, made, passphrases, 2, 3)
    assert "current" in line("keys", "status").stdout


def test_a_registry_in_use_is_sealed_and_opens_what_it_held(used: Line, tmp_path: Path, passphrases: list[str]) -> None:
    before = used.json("keys", "status")
    made = split(used, tmp_path, passphrases)
    configure(used.home, tmp_path / "open")
    unseal(used, made, passphrases, 1, 2)
    assert used.json("keys", "seal-ring") == {"unseal_key": made["unseal_key"]}
    assert used.json("keys", "status") == before
    assert "verified" in used("audit", "verify").stdout
    # A machine is lost, and the folder's backup with two holders is all there is.
    backup = tmp_path / "backup-of-keys"
    shutil.copytree(used.home / "keys", backup)
    used.json("keys", "lock")
    shutil.rmtree(used.home / "keys")
    shutil.copytree(backup, used.home / "keys")
    unseal(used, made, passphrases, 3, 2)
    assert "verified" in used("audit", "verify").stdout


def test_after_a_loss_of_the_machine_no_one_person_begins_a_new_origin(
    used: Line, tmp_path: Path, passphrases: list[str]
) -> None:
    """The mark is gone with the machine, so the ledger goes on under another name; its key opens to two holders."""
    made = split(used, tmp_path, passphrases)
    configure(used.home, tmp_path / "open")
    unseal(used, made, passphrases, 1, 2)
    used("keys", "seal-ring")
    before = used.json("audit", "checkpoint")
    (used.home / "ledger" / "high-water").unlink()
    used.json("keys", "lock")
    recover = ("audit", "recover", "--reason", "The machine was lost")
    assert "registry keys unseal" in used(*recover, exits=3).stderr
    alone = ("keys", "unseal", made["shares"][0], *passphrases[:2])
    assert used(*alone, exits=None).exit_code != 0
    assert "registry keys unseal" in used(*recover, exits=3).stderr
    unseal(used, made, passphrases, 3, 2)
    assert used.json("audit", "checkpoint") == before
    used(*recover)
    assert used.json("audit", "checkpoint")["keys"][0]["until"] is not None


def test_a_holder_who_leaves_opens_nothing_more(used: Line, tmp_path: Path, passphrases: list[str]) -> None:
    first = split(used, tmp_path, passphrases)
    configure(used.home, tmp_path / "open")
    unseal(used, first, passphrases, 1, 2)
    used("keys", "seal-ring")
    second = split(used, tmp_path, passphrases, "again")
    unseal(used, second, passphrases, 1, 2)
    used("keys", "seal-ring", "--under", second["unseal_key"])
    used("keys", "lock")
    unseal(used, first, passphrases, 1, 2)
    assert f"is sealed under {second['unseal_key']}" in used("keys", "status", exits=3).stderr


def test_holders_are_asked_where_no_files_are_named(tmp_path: Path) -> None:
    line = line_for(tmp_path / "home")
    typed = "".join(f"{words}\n{words}\n" for words in WORDS)
    told = line("keys", "split", "--needed", "2", "--holders", "3", "--to", tmp_path / "shares", stdin=typed)
    assert not any(words in told.output for words in WORDS)
    configure(line.home, tmp_path / "open")
    shares_of = sorted((tmp_path / "shares").iterdir())
    wrong = line("keys", "unseal", *shares_of[:2], stdin=f"{WORDS[0]}\n{WORDS[0]}\n", exits=3)
    assert "share-2-of-3.txt does not open with this passphrase" in wrong.stderr
    assert not (tmp_path / "open").exists()
    line("keys", "unseal", *shares_of[:2], stdin=f"{WORDS[0]}\n{WORDS[1]}\n")
    assert len(list((tmp_path / "open").iterdir())) == 1


def test_what_is_refused(tmp_path: Path, passphrases: list[str]) -> None:
    line = line_for(tmp_path / "home")
    several = ("keys", "split", "--holders", "3", "--to", tmp_path / "shares")
    assert "no more shares can be needed" in line(*several, "--needed", "4", *passphrases, exits=2).output
    assert "for each holder, or none" in line(*several, "--needed", "2", *passphrases[:2], exits=2).output
    twice = [*passphrases[:4], *passphrases[:2]]
    assert "passphrase of their own" in line(*several, "--needed", "2", *twice, exits=None).output
    assert not (tmp_path / "shares").exists()
    split(line, tmp_path, passphrases)
    assert "into a new folder" in line(*several, "--needed", "2", *passphrases, exits=3).stderr
    assert "keyring is not split" in line("keys", "lock", exits=None).output
    configure(line.home, tmp_path / "open")
    (tmp_path / "empty").write_text("")
    assert line("keys", "unseal", tmp_path / "empty", stdin="words of a holder\n", exits=3).stderr


def test_the_guide_shows_these_commands() -> None:
    told = set(re.findall(r"^registry keys ([a-z-]+)", GUIDE.read_text(), re.MULTILINE))
    assert told >= {"split", "unseal", "lock", "seal-ring", "rotate", "rewrap", "status"}
    # What cannot be undone stands in a sentence, where nobody copies it with the rest.
    assert "shred" not in told
    assert "`registry keys shred KEY_ID`" in GUIDE.read_text()
