"""The manifest of a backup: what is in it, and how large and which bytes each file is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from registry.domain.errors import MisconfiguredHome, UnreadableDocument
from registry.text.strict_json import parse_json
from registry.upkeep.evidence_files import is_evidence

NAME = "manifest.json"
FORMAT = "registry-backup/v2"
# The first one had nothing from beside the database.
_FORMATS = ("registry-backup/v1", FORMAT)
KEYS = "The keys are not in this backup. Keep the folder keys/ of the home folder offline, apart from it."
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        format: its version.
        made: RFC 3339 time.
        engine: sqlite or postgresql.
        revision: of the tables.
        registry, origin, profile: which registry it is.
        entries: of its ledger.
        files: name to ``{"bytes", "sha256"}``; evidence from beside the database by its path.
        keys: says in words that none are in it.
    """

    format: str
    made: str
    engine: str
    revision: str
    registry: str
    origin: str
    profile: str
    entries: int
    files: Mapping[str, Mapping[str, Any]]
    keys: str = KEYS

    def render(self) -> bytes:
        """Return the text of the file."""
        return json.dumps(asdict(self), indent=2).encode() + b"\n"


def describe_file(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


def read_manifest(folder: Path) -> Manifest:
    """Read a backup's manifest, and check every file against it.

    Raises:
        MisconfiguredHome: not a complete backup, of an unknown version, or a file is not as it was written.
    """
    manifest = parse_manifest(folder)
    for name, wanted in manifest.files.items():
        if Path(name).name != name and not is_evidence(name):
            raise MisconfiguredHome(f"{folder / NAME} is damaged")
        try:
            found = describe_file(folder / name)
        except OSError:
            raise MisconfiguredHome(f"{folder / name} cannot be read; the backup is not complete") from None
        if found != wanted:
            raise MisconfiguredHome(f"{folder / name} is not as it was written; use another backup")
    return manifest


def parse_manifest(folder: Path) -> Manifest:
    """Read a backup's manifest alone.

    Raises:
        MisconfiguredHome: it cannot be read, or is of an unknown version.
    """
    try:
        document = parse_json((folder / NAME).read_bytes())
    except (OSError, UnreadableDocument):
        raise MisconfiguredHome(f"{folder} is not a complete backup: its {NAME} cannot be read") from None
    return _typed(document, folder)


def _typed(document: object, folder: Path) -> Manifest:
    known = {field.name: field.type for field in fields(Manifest)}
    if not isinstance(document, dict) or document.get("format") not in _FORMATS:
        raise MisconfiguredHome(f"{folder} is not a backup of the form {FORMAT}")
    kinds: Mapping[str, type] = {"str": str, "int": int}
    is_typed = document.keys() == known.keys() and all(
        isinstance(document[name], kinds.get(str(kind), dict)) for name, kind in known.items()
    )
    if not is_typed:
        raise MisconfiguredHome(f"{folder / NAME} is damaged")
    return Manifest(**document)
