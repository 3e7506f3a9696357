"""audit answered: what the ledger says became of a lookup, and whether a file is what was answered."""

from __future__ import annotations

from pathlib import Path

import click

from registry.bootstrap import operator
from registry.cli.common import common, registry_at, write_json
from registry.services.outcomes import Became

_MOST = 64 << 20


@click.command()
@common
@click.argument("entry", type=click.IntRange(0))
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def answered(home: str | None, entry: int, file: Path | None, *, as_json: bool) -> None:
    """Tell whether the answer to the lookup of ENTRY was handed over, and whether FILE is that answer, byte for byte.

    The question is an entry. In production each server tells within a second or so; in development nothing is told.
    """
    shown = None
    if file is not None:
        with file.open("rb") as opened:
            shown = opened.read(_MOST)
    with registry_at(home) as application:
        became = application.outcomes.ask(entry, shown, operator=operator())
    if as_json:
        by, size = (None, None) if became.told is None else (became.told.entry, became.told.size)
        write_json({"entry": entry, "told": by, "size": size, "is_answer": became.is_answer})
    else:
        click.echo(_words(entry, became))


def _words(entry: int, became: Became) -> str:
    if became.told is None:
        return (
            f"No entry says that an answer to the lookup of entry {entry} was handed over: it may never have left. "
            "Nothing is told in development, was told by earlier versions, or is told once the entry was pruned."
        )
    told = f"Entry {became.told.entry} says that it was handed over, at most {became.told.size} bytes."
    if became.is_answer is None:
        return told
    return f"{told} The file is {'that answer' if became.is_answer else 'not that answer, or not all of it'}."
