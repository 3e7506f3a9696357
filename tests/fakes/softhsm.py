"""Tokens of SoftHSM, which plays an HSM in software: one folder of tokens a process, thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from registry.keys.pkcs11.settings import TokenSettings

PIN = "1234-5678"
_NAMES = count(1)
_LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")


def library() -> Path | None:
    """Return SoftHSM's library, None where it is not installed."""
    found = [Path(path) for path in _LIBRARIES if Path(path).exists()]
    return found[0] if found and shutil.which("softhsm2-util") else None


class SoftHsm:
    """A folder of tokens. The library reads its configuration once a process, so one process has one of these."""

    def __init__(self, shared_object: Path) -> None:
        self.library = shared_object
        self.folder = Path(tempfile.mkdtemp(prefix="registry-hsm-"))
        self.tokens = self.folder / "tokens"
        self.tokens.mkdir()
        self.configuration = self.folder / "softhsm2.conf"
        lines = (f"directories.tokendir = {self.tokens}", "objectstore.backend = file", "log.level = ERROR")
        self.configuration.write_text("\n".join(lines) + "\n")

    @property
    def environment(self) -> dict[str, str]:
        return {"SOFTHSM2_CONF": str(self.configuration)}

    def set_up(self, **changed: Any) -> TokenSettings:
        """Make the token of a new registry, and return its settings."""
        label = f"registry-{next(_NAMES)}"
        self.run("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "8765-4321")
        pin_file = self.folder / f"{label}-pin"
        pin_file.write_text(f"{PIN}\n")
        pin_file.chmod(0o400)
        given = {"library": self.library, "token_label": label, "pin_file": pin_file}
        return TokenSettings(**{**given, **changed})

    def run(self, *words: str) -> None:
        """Have the administrator's program do something."""
        environment = {**os.environ, **self.environment}
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True, env=environment)

    def remove(self) -> None:
        shutil.rmtree(self.folder)
