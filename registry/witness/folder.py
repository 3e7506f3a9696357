"""What a witness keeps, in a folder of its own: its key, whom it watches, what it cosigned last, and evidence.

key        its private key, mode 0600
policy     the ledgers that it watches (``log`` lines of c2sp.org/tlog-policy; of one ledger the newest key last)
state      the last cosigned checkpoint of each; made by ``init`` and never again, because a witness that forgot is none
evidence/  requests that show two histories, with the checkpoint that they contradict
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from registry.domain.errors import MisconfiguredHome, ProofRejected
from registry.transparency.note import Verifier, VerifierKey, format_vkey
from registry.transparency.trust_policy import parse_policy
from registry.witness.keys import WitnessKey, check_of, new_key, read_key

KEY, POLICY, STATE, EVIDENCE = "key", "policy", "state", "evidence"
_VERSION = "registry-witness-state/v1"
_MAX_BYTES = 1 << 24
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS = 0o077


def create(path: Path, name: str, logs: Sequence[VerifierKey]) -> WitnessKey:
    """Make a witness's folder.

    Args:
        path: a folder that does not exist or is empty.
        name: the witness's name, such as ``witness.inspector.example/w1``.
        logs: keys of the ledgers to watch.

    Raises:
        MisconfiguredHome: there is something in the folder, or it cannot be written.
        ProofRejected: the name cannot be a key's.
    """
    text = new_key(name)
    policy = "".join(f"log {format_vkey(key)}\n" for key in logs) + "quorum none\n"
    try:
        path.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise MisconfiguredHome(f"{path} is not empty; a witness is made in a folder of its own")
        for file, content in ((KEY, text + "\n"), (POLICY, policy), (STATE, _rendered({}))):
            _write(path, file, content.encode(), _NEW)
        (path / EVIDENCE).mkdir(_FOLDER_MODE)
    except OSError:
        raise MisconfiguredHome(f"{path} cannot be written") from None
    return read_key(text)


class WitnessFolder:
    """An existing witness's folder."""

    def __init__(self, path: Path) -> None:
        """Read key and policy.

        Raises:
            MisconfiguredHome: a part is missing, damaged or readable by others.
        """
        self._path = path
        try:
            if (path / KEY).stat().st_mode & _OTHERS:
                raise MisconfiguredHome(f"{path / KEY} can be read by others; chmod 600")
            self.key = read_key((path / KEY).read_text("utf-8").removesuffix("\n"))
            policy = parse_policy((path / POLICY).read_bytes())
        except (OSError, ValueError, ProofRejected):
            raise MisconfiguredHome(f"{path} is no witness's folder, or key or policy are damaged") from None
        keys = [log.key for log in policy.logs if isinstance(log.key, VerifierKey)]
        # Of one ledger several, in the file's order: keys that took over from each other.
        self.logs: Mapping[str, tuple[Verifier, ...]] = {
            name: tuple(Verifier(key, check_of(key)) for key in keys if key.name == name)
            for name in dict.fromkeys(key.name for key in keys)
        }
        if len(keys) != len(policy.logs) or not self.logs:
            raise MisconfiguredHome(f"{path / POLICY} names ledgers by their Ed25519 keys")
        self.notes()

    def notes(self) -> dict[str, str]:
        """Return the last cosigned checkpoint of each ledger by its origin.

        Raises:
            MisconfiguredHome: the state is missing or damaged; nothing is cosigned then.
        """
        try:
            raw = (self._path / STATE).read_bytes()
            document: Any = json.loads(raw)
            notes = dict(document["notes"])
        except (OSError, ValueError, KeyError, TypeError):
            raise MisconfiguredHome(
                f"{self._path / STATE} is missing or damaged: this witness must not go on"
            ) from None
        if len(raw) > _MAX_BYTES or _rendered(notes).encode() != raw:
            raise MisconfiguredHome(f"{self._path / STATE} is missing or damaged: this witness must not go on")
        return notes

    def store(self, notes: Mapping[str, str]) -> None:
        """Replace the state, durably; whole or not at all.

        Raises:
            OSError: the disk.
        """
        _write(self._path, f".{STATE}.unfinished", _rendered(notes).encode(), _WRITE)
        (self._path / f".{STATE}.unfinished").replace(self._path / STATE)
        _sync(self._path)

    def keep_evidence(self, unix_ms: int, request: bytes, cosigned: str) -> None:
        """Keep a request that shows two histories, and the checkpoint that was cosigned.

        Raises:
            OSError: the disk.
        """
        folder = self._path / EVIDENCE
        number = 1 + sum(1 for _ in folder.iterdir())
        content = request + b"\n--- cosigned before ---\n" + cosigned.encode()
        _write(folder, f"{number:06d}-{unix_ms}.txt", content, _NEW)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder against a second witness with the same key.

        Raises:
            MisconfiguredHome: there is one.
        """
        folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise MisconfiguredHome(f"a witness runs in {self._path} already") from None
        finally:
            os.close(folder)


def _rendered(notes: Mapping[str, str]) -> str:
    return json.dumps({"version": _VERSION, "notes": dict(sorted(notes.items()))}, ensure_ascii=False, indent=1) + "\n"


def _write(folder: Path, name: str, content: bytes, how: int) -> None:
    file = os.open(folder / name, how, _FILE_MODE)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(file)
    _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
