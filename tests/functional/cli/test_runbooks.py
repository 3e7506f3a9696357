"""The runbooks of docs/key-ceremony.md and docs/operations.md, from start to end, as they stand there.

Put in for what they leave open: folders (below the test's own), ids of keys, names of shares, and a registry of the
development profile, where nobody else approves, but where the page is about two persons. Passphrases are typed, but
cost little; the unseal folder counts as one in memory.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.api.server import serving
from registry.bootstrap import opened
from registry.cli.demo.people import make_people
from registry.keys.split.keyring import in_the_clear
from registry.services import key_life
from registry.settings import load_settings
from tests.functional.cli.conftest import PEOPLE, Line, line_for
from tests.functional.cli.runbooks import CEREMONY, DOCS, OPERATIONS, Place, Shell, block, blocks, sentence

pytestmark = pytest.mark.usefixtures("cheap_and_in_memory")

HOLDERS = [f"holder {number}, fourteen herons" for number in range(1, 6)]
TWICE = "".join(f"{words}\n{words}\n" for words in HOLDERS)

SPLIT = Place(CEREMONY, "The ceremony", "registry keys split")
UNSEAL = Place(CEREMONY, "The ceremony", "registry keys unseal")
SEAL = Place(CEREMONY, "The ceremony", "registry keys seal-ring")
TAKE_OVER = Place(CEREMONY, "The ceremony", "registry keys rotate data")
LOCK = Place(CEREMONY, "Every day", "registry keys lock")
LEAVES = Place(CEREMONY, "A holder leaves, or a share may have been seen", "registry keys split")
EXCHANGE = Place(OPERATIONS, "Keys", "registry keys status")
BY_TWO = Place(OPERATIONS, "Keys", "curl")
LEDGER = Place(OPERATIONS, "Keys", "registry keys rotate ledger --announce")
INDEX = Place(OPERATIONS, "The blind index", "registry backup")
REBUILD = Place(OPERATIONS, "The blind index", "registry keys rebuild-index")
MARKS = Place(OPERATIONS, "Marks and receipt codes", "registry keys rotate marks  ")
REDRAW = Place(OPERATIONS, "Marks and receipt codes", "registry keys rotate marks --redraw")
BACKUP = Place(OPERATIONS, "Backup and restore", "registry backup")
CHECKPOINT = Place(OPERATIONS, "After a restore", "registry audit checkpoint")
RECOVER = Place(OPERATIONS, "The high-water mark", "registry audit verify")
WITNESS = Place(OPERATIONS, "Witnesses", "registry audit witness init")
RUN = (SPLIT, UNSEAL, SEAL, TAKE_OVER, LOCK, LEAVES, EXCHANGE, BY_TWO, LEDGER, INDEX, MARKS, REDRAW, BACKUP, CHECKPOINT)
RUN += (REBUILD, RECOVER, WITNESS)
SHRED = ["registry", "keys", "shred"]
RECIPES = "a script: tests/functional/upkeep/test_recipes.py runs it"
SETTINGS = "settings, no commands"
# Blocks that nothing here runs, and why.
NOT_RUN = {
    Place(OPERATIONS, "From an empty machine to service", "useradd"): "makes a system account; installs from the net",
    Place(
        OPERATIONS, "Who may act", "registry principal grant"
    ): "test_hr_guide.py runs the guide's, which is the same",
    Place(
        OPERATIONS, "Who may act", "// parking.cedar"
    ): "a policy; tests/functional/api/test_purposes.py has its like",
    Place(OPERATIONS, "Several processes and machines", "registry serve"): "serves on; tests/processes/test_workers.py",
    Place(OPERATIONS, "OpenBao as the key service", "registry key-service setup"): (
        "needs OpenBao and root; tests/functional/deploy and keys/test_served_with_openbao.py run what it prints"
    ),
    Place(OPERATIONS, "Reconciling unwraps", "registry key-service auditor-policy"): (
        "needs OpenBao's program as its administrator; tests/functional/keys/test_reconcile.py does the same over HTTP"
    ),
    Place(
        OPERATIONS, "AWS KMS", "aws kms create-key"
    ): "needs an account of AWS; tests/fakes/kms.py asks moto the same",
    Place(OPERATIONS, "AWS KMS", "[keys]"): SETTINGS,
    Place(OPERATIONS, "PKCS#11", "softhsm2-util"): "needs root; tests/fakes/softhsm.py runs its first line",
    Place(OPERATIONS, "PKCS#11", "[keys]"): SETTINGS,
    Place(OPERATIONS, "PostgreSQL", "createdb"): "serves on; tests/functional/cli/test_on_postgresql.py has its steps",
    Place(OPERATIONS, "Witnesses", "log <"): SETTINGS,
    Place(OPERATIONS, "An older backup after an erasure", "#!/bin/sh"): RECIPES,
    Place(OPERATIONS, "Every night", "#!/bin/sh"): RECIPES,
}


def test_every_block_is_run_or_said_why_not() -> None:
    """A block that is gone, was changed in its first words, or is new has to be looked at."""
    places = (*RUN, *NOT_RUN)
    for found in blocks():
        named = [place for place in places if found.is_at(place)]
        assert len(named) == 1, f"{found.page}, {found.heading}: {found.lines[0]}"
    for place in places:
        assert block(place), place
    here = Path(__file__).read_text("utf-8")
    names = [name for name, what in globals().items() if isinstance(what, Place)]
    assert not [name for name in names if f"block({name})" not in here]


@pytest.fixture
def _ten_minutes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_life, "SETTLING", key_life.SETTLING * 0)


@pytest.fixture
def shell(used: Line, tmp_path: Path) -> Iterator[Shell]:
    """Put somebody at the machine of a registry in use, whose home is ``/srv/registry`` on the page."""
    yield at(used, tmp_path)
    assert used.json("audit", "verify")["verified"]
    assert used.json("audit", "fsck")["faults"] == []


def at(line: Line, folder: Path) -> Shell:
    (folder / "safe").mkdir()
    (folder / "carriers").mkdir()
    given = {"/srv/registry/keys": str(line.home / "keys"), "/safe/place/": f"{folder / 'safe'}/"}
    given |= {"/media/ceremony": str(folder / "ceremony"), "/run/registry": str(folder / "open")}
    (folder / "ceremony").mkdir()
    (folder / "backup").mkdir()
    return Shell(line, folder / "carriers", given | {"/backup/": f"{folder / 'backup'}/"})


def settled(shell: Shell) -> None:
    """Write the settings that the page of the ceremony says."""
    (settings,) = re.findall(r"```toml\n(\[keys\]\n.*?)```", (DOCS / f"{CEREMONY}.md").read_text("utf-8"), re.DOTALL)
    shell.line.home.mkdir(exist_ok=True)
    with (shell.line.home / "config.toml").open("a") as file:
        file.write(settings.replace("/run/registry", shell.given["/run/registry"]))


def holders_of(shell: Shell, told: str) -> str:
    """Give each share to its holder and destroy the folder; returns the id of the unseal key, as it is written down."""
    for file in (folder := Path(shell.given["/media/ceremony"]) / "shares").iterdir():
        file.replace(shell.folder / file.name)
    folder.rmdir()
    return str(re.findall(r"^(unseal-[0-9a-f]{16}): 3 of these 5 open it$", told, re.MULTILINE)[0])


def words_of(*numbers: int) -> dict[str, str]:
    return {"registry keys unseal": "".join(f"{HOLDERS[number - 1]}\n" for number in numbers)}


def wrapping(line: Line, purpose: str) -> list[dict[str, Any]]:
    return [one for one in line.json("keys", "status") if one["purpose"] == purpose]


def looked_up(line: Line, person: int = 0) -> str:
    number = make_people(PEOPLE)[person].number
    asked = ("--employee-number", number, "--category", "phone", "--purpose", "emergency_contact")
    return line("disclose", *asked).stdout.partition("\nreceipt ")[0]


def found_in(line: Line, text: str) -> list[str]:
    """Return what a trace finds by the blind index."""
    people = line.json("trace", "-", stdin=text)["report"]["people"]
    return [finding["kind"] for person in people for finding in person["findings"]]


def test_the_ceremony_of_a_new_registry(tmp_path: Path) -> None:
    shell = at(line_for(tmp_path / "home"), tmp_path)
    (told,) = shell.run(*block(SPLIT), typed={"registry keys split": TWICE})
    key = holders_of(shell, told)
    settled(shell)
    opened, _ = shell.run(*block(UNSEAL), typed=words_of(1, 2, 4))
    assert key in opened
    clear = {path.name for path in (shell.line.home / "keys").glob("issuer*.key")}
    assert set(in_the_clear(shell.line.home / "keys")) == clear
    shell.run(*block(LOCK))
    assert "registry keys unseal" in shell.refused("registry keys status")


@pytest.mark.usefixtures("_ten_minutes_later")
def test_the_ceremony_of_a_registry_in_use_a_holder_who_leaves_and_the_drill(shell: Shell, tmp_path: Path) -> None:
    line, answer = shell.line, looked_up(shell.line)
    before = line.json("keys", "status")
    (told,) = shell.run(*block(SPLIT), typed={"registry keys split": TWICE})
    first = holders_of(shell, told)
    settled(shell)
    shell.run(block(UNSEAL)[0], typed=words_of(1, 2, 4))
    sealed, status = shell.run(*block(SEAL))
    assert first in sealed
    assert all(one["key"] in status for one in before)
    assert line.json("keys", "status") == before
    cleartext = wrapping(line, "data")[0]["key"]
    shell.given |= {"KEY_ID": cleartext}
    shell.run(*block(TAKE_OVER))
    shell.run(sentence(CEREMONY, "The ceremony", "registry keys shred"), typed={"registry keys shred": "y\n"})
    assert cleartext not in [one["key"] for one in wrapping(line, "data")]
    shell.run(
        *(sentence(CEREMONY, "The ceremony", f"registry keys {what}") for what in ("rotate marks", "rekey-index"))
    )
    assert looked_up(line) == answer

    begins, opens, seals, locks, again = block(LEAVES)
    former = {path.name: path.read_bytes() for path in shell.folder.glob("share-*")}
    (told,) = shell.run(begins, typed={"registry keys split": TWICE})
    second = holders_of(shell, told)
    assert second != first
    shell.given |= {"unseal ...": "unseal share-2-of-5.txt share-3-of-5.txt share-5-of-5.txt", "unseal-...": second}
    shell.run(opens, seals, locks, again, typed=words_of(2, 3, 5))
    assert looked_up(line) == answer

    # The drill: a machine that nobody uses, other holders, one lookup.
    backup = tmp_path / "night"
    line("backup", backup)
    (tmp_path / "drill").mkdir()
    other = at(line_for(tmp_path / "drill" / "home"), tmp_path / "drill")
    line("keys", "lock")
    other.line("restore", backup)
    shutil.copytree(line.home / "keys", other.line.home / "keys")
    shutil.copy(line.home / "config.toml", other.line.home)
    assert "registry keys unseal" in other.line("audit", "verify", exits=3).stderr
    for name, content in former.items():  # former holders open nothing of it
        (other.folder / name).write_bytes(content)
    other.run(block(UNSEAL)[0], typed=words_of(1, 2, 4))
    assert f"is sealed under {second}" in other.refused("registry audit verify")
    other.run(*block(LOCK))
    shutil.copytree(shell.folder, other.folder, dirs_exist_ok=True)
    other.run(block(UNSEAL)[0], typed=words_of(1, 2, 4))
    other.line("audit", "verify")
    other.line("audit", "recover", "--reason", "drill")
    assert looked_up(other.line)
    other.run(*block(LOCK))
    shell.run(block(UNSEAL)[0], typed=words_of(1, 2, 4))


@pytest.mark.usefixtures("_ten_minutes_later")
def test_what_wraps_is_exchanged(shell: Shell, tmp_path: Path) -> None:
    line, answer = shell.line, looked_up(shell.line)
    status, rotate, copy, rewrap, told = block(EXCHANGE)
    former = {one["purpose"]: one["key"] for one in line.json("keys", "status")}
    shell.run(status, *(rotate.replace("rotate data", f"rotate {what}") for what in ("data", "cases", "bodies")))
    shell.run(copy, rewrap)
    (said,) = shell.run(told)
    assert all(former[what] in said for what in ("data", "cases", "bodies"))
    assert re.search(rf"{former['data']}.*\n.*until", said), said
    older = tmp_path / "older"
    line("backup", older)
    shell.given |= {"KEY_ID": former["data"]}
    shell.run(sentence(OPERATIONS, "Keys", "registry keys shred"), typed={"registry keys shred": "y\n"})
    assert former["data"] not in [one["key"] for one in wrapping(line, "data")]
    assert (tmp_path / "safe" / "keys" / "keyring").exists()
    assert looked_up(line) == answer


def test_no_block_destroys_what_somebody_who_copies_it_whole_still_needs() -> None:
    """A key is destroyed weeks after the rest of its block was done: not by a line of it."""
    assert not [one for found in blocks() for one in found.lines if one.split("#")[0].split()[:3] == SHRED]


@pytest.mark.usefixtures("quiet")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: the calls of two persons NOT checked")
def test_two_persons_exchange_what_wraps(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    line = shell.line
    with (line.home / "config.toml").open("a") as file:
        file.write('[approvals]\ndual_control = ["keys"]\n')
    names = {"security_admin": "keeper", "approver": "second", "reader": "clerk"}
    token = {role: line("token", "--sub", name, "--role", role).stdout.strip() for role, name in names.items()}
    former = wrapping(line, "data")[0]["key"]
    ask, look, approve, rotate = block(BY_TWO)
    assert "takes two persons" in shell.refused(rotate)
    with opened(load_settings(line.home, {})) as application, serving(application) as url:
        monkeypatch.setenv("REGISTRY_URL", url)
        monkeypatch.setenv("TOKEN", token["security_admin"])
        (told,) = shell.run(ask)
        shell.given |= {"REQUEST": json.loads(told)["request"]}
        for role in ("security_admin", "reader"):
            monkeypatch.setenv("TOKEN", token[role])
            with pytest.raises(AssertionError, match="curl: "):
                shell.run(approve)
        assert "takes two persons" in shell.refused(rotate)
        monkeypatch.setenv("TOKEN", token["approver"])
        seen, _ = shell.run(look, approve)
        about = json.loads(seen)
        assert (about["state"], about["reason"]) == ("pending", "yearly exchange")
        assert "rotate data" in about["about"]
    shell.run(rotate)
    assert wrapping(line, "data")[0]["key"] != former
    assert "takes two persons" in shell.refused(rotate)  # each approval is for one


def test_the_ledgers_key_is_exchanged(shell: Shell, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shell.line("backup", before)
    announce, copy, rotate, backup, again = block(LEDGER)
    (told,) = shell.run(announce)
    vkeys = [line for line in told.splitlines() if re.match(r"\S+\+[0-9a-f]{8}\+", line)]
    assert len(vkeys) == 2, told
    shell.run(copy, rotate, backup, again)
    keys = shell.line.json("audit", "checkpoint")["keys"]
    assert [keys[-1]["vkey"], keys[-1]["second"]] == vkeys
    assert list((shell.line.home / "keys").glob("ledger-*.term"))
    assert (tmp_path / "safe" / "keys" / "keyring").read_bytes() == (shell.line.home / "keys" / "keyring").read_bytes()
    # "A backup from before the change verifies and can be read; recover refuses to go on with it."
    other = line_for(tmp_path / "elsewhere")
    other("restore", before)
    shutil.copytree(shell.line.home / "keys", other.home / "keys")
    assert other.json("audit", "verify")["verified"]
    assert other("audit", "recover", "--reason", "again", exits=None).exit_code != 0


def test_a_stolen_key_of_the_ledger_is_replaced(shell: Shell) -> None:
    shell.run(sentence(OPERATIONS, "Keys", "registry audit checkpoint --json"))
    stolen = shell.line.json("audit", "checkpoint")["keys"][-1]["vkey"]
    shell.given |= {"KEY_ID": stolen.split("+")[1]}
    compromise = sentence(OPERATIONS, "Keys", "registry audit compromise KEY_ID --since")
    (told,) = shell.run(compromise)
    vkey = shell.line.json("audit", "checkpoint")["keys"][-1]["vkey"]
    assert vkey != stolen
    assert vkey in told.splitlines()
    assert "--until" in told
    again = shell.line(*shell._words(shell._filled(compromise)), exits=None)
    assert "nothing" in again.output, again.output


def test_the_blind_index_goes_under_another_secret(shell: Shell) -> None:
    answer = looked_up(shell.line)
    found = found_in(shell.line, answer)
    assert found
    told = shell.run(*(one for one in block(INDEX) if "PostgreSQL only" not in one))
    assert len(told) == 5
    assert looked_up(shell.line) == answer
    assert found_in(shell.line, answer) == found


def test_the_blind_index_is_made_anew(shell: Shell) -> None:
    answer = looked_up(shell.line)
    found = found_in(shell.line, answer)
    assert found
    shell.run(*(one for one in block(REBUILD) if "PostgreSQL only" not in one))
    assert found_in(shell.line, answer) == found


def test_marks_are_exchanged(shell: Shell) -> None:
    shell.run(*block(MARKS), *block(REDRAW))
    assert "copies" in shell.line("audit", "entries", "--kind", "keys").stdout


def test_a_loss_is_stated_and_gone_on_from(shell: Shell, tmp_path: Path) -> None:
    shell.run(*block(BACKUP), *block(CHECKPOINT))
    (kept,) = shell.folder.glob("checkpoint-*.txt")
    assert kept.read_text() == shell.line("audit", "checkpoint").stdout
    looked_up(shell.line)
    (backup,) = (tmp_path / "backup").iterdir()
    shell.line("restore", backup, "--replace")
    verify, recover = block(RECOVER)
    shell.run(verify, recover)
    assert shell.line.json("audit", "checkpoint")["keys"][0]["until"] is not None
    for former in shell.line.home.glob("registry.db.replaced-*"):  # evidence, until somebody removes it
        former.unlink()


def test_who_was_erased_stays_out_of_an_older_backup(shell: Shell, tmp_path: Path) -> None:
    shell.run(*block(BACKUP))
    (backup,) = (tmp_path / "backup").iterdir()
    shell.given |= {"KC-004211": make_people(PEOPLE)[0].number, "DIR": str(backup)}
    erase = sentence(OPERATIONS, "Erase a person", "registry erase --employee-number")
    (told,) = shell.run(erase, typed={"registry erase": "y\n"})
    assert "erased" in told
    heading = "An older backup after an erasure"
    restore, fsck = sentence(OPERATIONS, heading, "registry restore DIR"), "registry audit fsck"
    shell.run(restore)
    assert "1" in shell.refused(fsck)
    (told,) = shell.run(sentence(OPERATIONS, heading, "registry audit recover --reason").replace("...", "Disk lost"))
    assert "1" in told
    asked = ("--employee-number", shell.given["KC-004211"], "--category", "phone", "--purpose", "emergency_contact")
    shell.line("disclose", *asked, exits=2)
    looked_up(shell.line, 1)
    shell.run(fsck)


def test_a_witness_is_made(shell: Shell, tmp_path: Path) -> None:
    vkey = shell.line.json("audit", "checkpoint")["keys"][-1]["vkey"]
    shell.given |= {"<verifier key of the ledger>": vkey, "/var/lib/witness": str(tmp_path / "witness")}
    (told,) = shell.run(block(WITNESS)[0])  # the next one serves on
    assert "witness.inspector.example/w1+" in told
