"""keys split, unseal, lock, seal-ring: a keyring that opens only when several people bring their shares together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from registry.cli.common import common, settings_of, write_json
from registry.domain.clock import SystemClock
from registry.domain.errors import KeyUnavailable, MisconfiguredHome
from registry.keys.key_files import FILE_MODE, FOLDER_MODE
from registry.keys.split import unsealed
from registry.keys.split.keyring import seal_ring
from registry.keys.split.shares import LEAST_PASSPHRASE, UnsealKey, join, open_share, write_shares
from registry.keys.split.unsealed import SplitSettings

_PASSPHRASES = click.option(
    "--passphrase-file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="First line is the passphrase; one for each share, in their order. Else each holder is asked.",
)
_MOST_HOLDERS = 20
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@click.command()
@common
@click.option("--needed", type=click.IntRange(2, _MOST_HOLDERS), required=True, help="How many shares open the keys.")
@click.option("--holders", type=click.IntRange(2, _MOST_HOLDERS), required=True, help="How many shares are made.")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="New folder for the share files.")
@_PASSPHRASES
def split(home: str | None, needed: int, holders: int, folder: Path, files: Sequence[Path], *, as_json: bool) -> None:
    """Make an unseal key and split it into share files, each sealed with its holder's passphrase.

    The key itself is kept nowhere; needs no registry, and may be done on a machine without a network.
    """
    del home
    if needed > holders:
        raise click.UsageError("no more shares can be needed than there are holders")
    passphrases = _new_passphrases(holders, files)
    key = UnsealKey.make()
    try:
        shares = write_shares(key, needed, passphrases, SystemClock())
    except ValueError as error:
        raise MisconfiguredHome(str(error)) from None
    names = _write(folder, shares)
    if as_json:
        write_json({"unseal_key": key.key_id, "needed": needed, "shares": names})
        return
    click.echo(f"{key.key_id}: {needed} of these {holders} open it")
    for name in names:
        click.echo(f"  {name}")
    click.echo("Hand each file to its holder, and remove this folder; then: registry keys unseal", err=True)


@click.command()
@common
@click.argument("shares", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_PASSPHRASES
def unseal(home: str | None, shares: Sequence[Path], files: Sequence[Path], *, as_json: bool) -> None:
    """Open the keyring with SHARES until the machine stops, or until ``registry keys lock``."""
    settings = _unsealing(home)
    if files and len(files) != len(shares):
        raise click.UsageError("give one --passphrase-file for each share, or none")
    opened = []
    for number, path in enumerate(shares):
        words = _first_line(files[number]) if files else click.prompt(f"Passphrase of {path.name}", hide_input=True)
        opened.append(open_share(_read(path), words, path.name))
    key = join(opened)
    unsealed.unseal(settings.unseal_folder, key, SystemClock())
    if as_json:
        write_json({"unseal_key": key.key_id})
    else:
        click.echo(f"{key.key_id} is open until the machine stops, or: registry keys lock")


@click.command()
@common
def lock(home: str | None, *, as_json: bool) -> None:
    """Close what ``unseal`` opened. Servers that run have read their keys: stop them too."""
    closed = unsealed.lock(_unsealing(home).unseal_folder)
    if as_json:
        write_json({"closed": closed})
    else:
        click.echo(f"{closed} unseal keys closed; a server that runs keeps what it opened until it is stopped")


@click.command("seal-ring")
@common
@click.option("--under", "key_id", help="Which of several open unseal keys seals from now on.")
def seal(home: str | None, key_id: str | None, *, as_json: bool) -> None:
    """Seal the key files of a local keyring, or seal them under another unseal key. May be run again."""
    sealed = seal_ring(settings_of(home).keys, _unsealing(home), key_id)
    if as_json:
        write_json({"unseal_key": sealed})
        return
    click.echo(f"Every key file is sealed under {sealed}.")
    click.echo("Copies in the clear may be in backups of the folder and on the disk: destroy them.", err=True)


def _unsealing(home: str | None) -> SplitSettings:
    settings = settings_of(home).unsealing
    if settings is None:
        raise MisconfiguredHome('this registry\'s keyring is not split; see provider = "split" in docs/key-ceremony.md')
    return settings


def _new_passphrases(holders: int, files: Sequence[Path]) -> list[str]:
    if files and len(files) != holders:
        raise click.UsageError("give one --passphrase-file for each holder, or none")
    if files:
        return [_first_line(path) for path in files]
    return [
        click.prompt(
            f"Passphrase of holder {number} of {holders} ({LEAST_PASSPHRASE} characters at least)",
            hide_input=True,
            confirmation_prompt=True,
        )
        for number in range(1, holders + 1)
    ]


def _first_line(path: Path) -> str:
    return _read(path).decode("utf-8", "replace").splitlines()[0] if path.stat().st_size else ""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyUnavailable(f"{path.name} cannot be read: {error.strerror}") from None


def _write(folder: Path, shares: Sequence[bytes]) -> list[str]:
    """Write the share files into a new folder, each durable; nothing stays where one cannot be written."""
    written: list[Path] = []
    try:
        folder.mkdir(mode=FOLDER_MODE)
        for number, content in enumerate(shares, start=1):
            path = folder / f"share-{number}-of-{len(shares)}.txt"
            with os.fdopen(os.open(path, _NEW_FILE, FILE_MODE), "wb") as file:
                written.append(path)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise KeyUnavailable(f"{folder}: {error.strerror}; share files go into a new folder") from None
    return [str(path) for path in written]
