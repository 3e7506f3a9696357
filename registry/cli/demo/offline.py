"""Verifying the evidence as an outsider would: another process, one file of the standard library, the ledger's key."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from registry.cli.demo.desk import StepFailed
from registry.transparency.offline.verify_bundle import read_zip, write_zip

VERIFIED = 0
REFUSED = 1
_SECONDS = 120
_MANIFEST = "manifest.sha256"


def verify_apart(folder: Path, bundle: str, vkey: str) -> tuple[int, dict[str, Any]]:
    """Run the stand-alone verifier of a folder in a process that has nothing else.

    Args:
        folder: holds ``verify_bundle.py`` and the bundle.
        bundle: the bundle's name there.
        vkey: the ledger's verifier key.

    Returns:
        The exit code, and the verdict as the verifier's JSON says it.

    Raises:
        StepFailed: it did not run, or said nothing readable.
    """
    # -I: no environment, no user folder; -S: no installed packages, so this package cannot help it.
    command = [sys.executable, "-I", "-S", "verify_bundle.py", bundle, "--key", vkey, "--json"]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter and a file that was just written; no text from outside
            command, cwd=folder, env={}, capture_output=True, timeout=_SECONDS, check=False
        )
        verdict = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise StepFailed("the stand-alone verifier gave no verdict") from None
    return done.returncode, verdict


def flip_one_bit(bundle: bytes, entry: int) -> bytes:
    """Return the bundle's bytes with one bit changed, in the leaf of an entry.

    Raises:
        StepFailed: the entry is not in the bundle.
    """
    leaf = _leaf(read_zip(bundle), entry)
    # Members are stored uncompressed, so a leaf's bytes stand in the file as they are.
    at = bundle.index(leaf) + len(leaf) // 2
    return bundle[:at] + bytes([bundle[at] ^ 1]) + bundle[at + 1 :]


def flip_and_mend(bundle: bytes, entry: int) -> bytes:
    """Return a bundle with the same bit changed and everything made to fit that needs no key: manifest and zip.

    Raises:
        StepFailed: the entry is not in the bundle.
    """
    members = read_zip(bundle)
    leaf = bytearray(_leaf(members, entry))
    leaf[len(leaf) // 2] ^= 1  # there it is part of a commitment
    members[f"entries/{entry}.leaf"] = bytes(leaf)
    listed = sorted(name for name in members if name != _MANIFEST)
    members[_MANIFEST] = "".join(f"{sha256(members[name]).hexdigest()}  {name}\n" for name in listed).encode()
    return write_zip(members)


def _leaf(members: Mapping[str, bytes], entry: int) -> bytes:
    leaf = members.get(f"entries/{entry}.leaf")
    if leaf is None:
        raise StepFailed("the entry of the leaked copy is not in the bundle")
    return leaf
