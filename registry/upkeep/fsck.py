"""Checking what the ledger keeps beside its database, and mending what follows from the leaves.

The leaves are verified first, by the caller: all that is here rests on them. Mended is only what can be made anew from
them, or asked for again: tiles, unfinished files, a damaged copy of a cosignature. What says that the ledger was longer
or another one is evidence: it is named and left where it is. A leaf is never written, and neither is the database.

Each mending writes only what lacks, so a run that was cut off is gone on with by running it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from registry.audit.high_water import Standing
from registry.audit.ports import EntryReader
from registry.bootstrap import Application, erase_again
from registry.domain.errors import KeyUnavailable, ProofRejected
from registry.storage.anchor_files import AnchorFiles
from registry.storage.tile_files import TileFiles
from registry.storage.witness_files import WitnessFiles
from registry.transparency.checkpoint import Checkpoint, open_own
from registry.transparency.growing import GrowingTiles
from registry.transparency.leaf import leaf_hash
from registry.transparency.merkle import Edge
from registry.transparency.tiles import Tile, parse_tile

# Files of 8 kB are written in milliseconds; one that is removed under its writer costs that writer one more try.
UNFINISHED_SECONDS = 60.0
_AT_ONCE = 2_048
_KEEP = "Put the file of a copy back: a time-stamp cannot be asked for again"
_RESTORE = (
    "Keep everything as it is, it is evidence; then put the newest copy back, or go on with: registry audit recover"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as the leaves say.

    Attributes:
        part: ``tiles``, ``high_water``, ``witness``, ``anchors``, ``erased`` or ``unfinished``.
        what: what is wrong.
        advice: what a person should do, where it cannot be mended here.
        mend: makes it right; None where that is not for a program to do.
    """

    part: str
    what: str
    advice: str = ""
    mend: Callable[[], object] | None = None


def faults_of(application: Application) -> Iterator[Fault]:
    """Yield what is wrong beside the database, of a registry whose ledger was verified.

    Raises:
        AuditUnavailable: a file or the database cannot be read.
        MisconfiguredHome: the high-water mark cannot be read.
    """
    yield from _high_water(application)
    yield from _witness(application)
    yield from _anchors(application)
    yield from _tiles(application)
    yield from _erased(application)
    yield from _unfinished(application.settings.ledger, application.kernel.clock.now().timestamp())


def _high_water(application: Application) -> Iterator[Fault]:
    compared = application.compare_high_water()
    if compared.standing is not Standing.FOLLOWS:
        yield Fault("high_water", compared.what, _RESTORE)


def _witness(application: Application) -> Iterator[Fault]:
    files = WitnessFiles(application.settings.ledger)
    alarm = files.alarm()
    if alarm is not None:
        yield Fault("witness", f"a witness's alarm stands: {alarm.cause}", _RESTORE)
    note = files.cosigned()
    if note is None:
        return
    try:
        cosigned = open_own(note, application.signing)
    except ProofRejected:
        yield Fault("witness", "the cosigned checkpoint is damaged", mend=files.forget_cosigned)
        return
    with application.database.reader() as reader:
        what = _contradiction(reader, cosigned, "a witness cosigned")
    if what is not None:
        yield Fault("witness", what, _RESTORE)


def _anchors(application: Application) -> Iterator[Fault]:
    for kept in AnchorFiles(application.settings.ledger).kept():
        try:
            stamped = open_own(kept.note, application.signing)
        except ProofRejected:
            yield Fault("anchors", f"the time-stamped checkpoint of {kept.size} entries is damaged", _KEEP)
            continue
        with application.database.reader() as reader:
            what = _contradiction(reader, stamped, "an authority stamped")
        if what is not None:
            yield Fault("anchors", what, _RESTORE)


def _contradiction(reader: EntryReader, cosigned: Checkpoint, who: str) -> str | None:
    size = reader.head().size
    if size < cosigned.size:
        return f"{who} {cosigned.size} entries where there are {size}"
    edge = Edge.empty()
    for hashes in _leaf_hashes(reader, cosigned.size):
        edge = edge.extend(hashes)
    return None if edge.root() == cosigned.root else f"{who} another tree of {cosigned.size} entries"


def _tiles(application: Application) -> Iterator[Fault]:
    files = TileFiles(application.settings.ledger)
    # Listed before the ledger is looked at: in use it only grows, so what is listed is in it.
    kept = set(files.names())
    last = _last_of_each_level(kept)
    missing: list[str] = []
    changed: list[str] = []

    def compare(tile: Tile, raw: bytes) -> None:
        if tile.path in kept:
            kept.remove(tile.path)
            changed.extend([tile.path] * (files.get(tile) != raw))
        elif tile.index < last.get(tile.level, 0):  # after the last one: not written yet
            missing.append(tile.path)

    with application.database.reader() as reader:
        _grow(reader, GrowingTiles(compare, _none))
    if changed:
        mend = partial(_make_anew, application, files)
        yield Fault("tiles", f"not as the leaves give them: {_some(changed)}", mend=mend)
    elif missing:
        yield Fault(
            "tiles", f"missing before later ones: {_some(missing)}", mend=partial(_complete, application, files)
        )
    if kept:
        yield Fault("tiles", f"of no tree that these leaves have: {_some(sorted(kept))}", _RESTORE)


def _erased(application: Application) -> Iterator[Fault]:
    """Compare the list of who was erased with what entries say, and with who is there."""
    again, erased = erase_again(application), application.erased
    try:
        unlisted = again.unlisted()
    except KeyUnavailable as error:
        yield Fault("erased", error.cause, mend=partial(_list_anew, application))
        return
    if unlisted:
        what = f"{len(unlisted)} who were erased are not on the list beside the keys"
        yield Fault("erased", what, mend=partial(erased.add, unlisted))
    returned = again.returned()
    if returned:
        what = f"{len(returned)} who were erased are in the database: an older one was put back"
        yield Fault("erased", what, "They are not opened; take them out again with: registry audit recover")


def _list_anew(application: Application) -> None:
    application.erased.set_aside()
    application.erased.add(erase_again(application).unlisted())


def _last_of_each_level(names: Iterable[str]) -> dict[int | None, int]:
    last: dict[int | None, int] = {}
    for name in names:
        try:
            tile = parse_tile(name)
        except ProofRejected:
            continue  # told as one that no tree has
        last[tile.level] = max(tile.index, last.get(tile.level, 0))
    return last


def _make_anew(application: Application, files: TileFiles) -> None:
    files.set_aside()
    _complete(application, files)


def _complete(application: Application, files: TileFiles) -> None:
    with application.database.reader() as reader:
        _grow(reader, GrowingTiles(files.put, files.get))


def _grow(reader: EntryReader, tiles: GrowingTiles) -> None:
    for hashes in _leaf_hashes(reader, reader.head().size):
        tiles.extend(hashes)


def _leaf_hashes(reader: EntryReader, size: int) -> Iterator[Sequence[bytes]]:
    rows = iter(reader.scan(0, size))
    while hashes := [leaf_hash(row.leaf) for row in islice(rows, _AT_ONCE)]:
        yield hashes


def _none(_tile: Tile) -> None:
    return None


def _unfinished(folder: Path, now: float) -> Iterator[Fault]:
    before = now - UNFINISHED_SECONDS
    left = [path for path in sorted(folder.rglob(".*.unfinished")) if path.lstat().st_mtime < before]
    if left:
        what = f"left by a write that was cut off: {_some([str(path.relative_to(folder)) for path in left])}"
        yield Fault("unfinished", what, mend=partial(_remove, left))


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
