"""A registry's way to a real OpenBao server, with a clock that is moved by hand."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.domain.errors import KeyUnavailable
from registry.keys.openbao.keyring import OpenBaoKeyring
from registry.keys.openbao.session import Session
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.pause import PAUSE_SECONDS
from registry.keys.ports import WrappedKey
from tests.fakes.openbao import OpenBaoServer

CONTEXT = b"somebody"
KEY = bytes(range(32))


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float = PAUSE_SECONDS) -> None:
        self.now += seconds


@dataclass
class Bao:
    """A registry's way to the server, and the clock that it goes by."""

    server: OpenBaoServer
    settings: KeyServiceSettings
    session: Session
    clock: Hands
    ring: OpenBaoKeyring

    def wrap(self) -> WrappedKey:
        return self.ring.provider("data").wrap(CONTEXT, KEY)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        return self.ring.provider("data").unwrap(CONTEXT, wrapped)

    def refused(self, wrapped: WrappedKey) -> str:
        """Return the code of a refusal, after looking that it holds nothing secret."""
        with pytest.raises(KeyUnavailable) as caught:
            self.unwrap(wrapped)
        secrets = (self.settings.secret_id_file.read_text().strip(), self.server.root, "s.", "vault:v")
        assert not any(secret in caught.value.cause for secret in secrets)
        return caught.value.code


def bao_of(server: OpenBaoServer, folder: Path, settings: KeyServiceSettings | None = None) -> Bao:
    clock = Hands()
    chosen = server.set_up() if settings is None else settings
    session = Session(chosen, monotonic=clock)
    return Bao(server, chosen, session, clock, OpenBaoKeyring.create(folder / "keys", session))


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate of its own authority."""
    folder.mkdir()
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2")
    subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={name}")
    where = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run(["openssl", "req", "-x509", *kind, *subject, *where], check=True, capture_output=True)
    return certificate, key
