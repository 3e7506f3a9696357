"""Which keyring a registry has: its own files, files that several people open together, or OpenBao's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.domain.clock import Clock
from registry.keys.local import LocalKeyring
from registry.keys.openbao.keyring import OpenBaoKeyring
from registry.keys.openbao.session import Session
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.ports import Keyring
from registry.keys.ring_folder import is_finished
from registry.keys.split.keyring import SplitKeyring
from registry.keys.split.unsealed import SplitSettings

# Who keeps the keys, when not the files of the home folder alone.
Custody = KeyServiceSettings | SplitSettings | None


def load_keyring(folder: Path, custody: Custody) -> Keyring:
    """Open the keyring of a registry; its caller closes it.

    Args:
        folder: the key folder.
        custody: the key service, or where unseal keys are open; None for the local ring.

    Raises:
        KeyUnavailable: a file is missing, damaged, or of another kind of ring, the ring is locked, or the key service
            does not serve.
    """
    if custody is None:
        return LocalKeyring.load(folder)
    if isinstance(custody, SplitSettings):
        return SplitKeyring.opened(folder, custody)
    session = Session(custody)
    try:
        return OpenBaoKeyring.load(folder, session)
    except BaseException:
        session.close()
        raise


def make_keyring(folder: Path, custody: Custody, clock: Clock) -> Keyring:
    """Make the keyring of a new registry, finish one, or open the one that is there; its caller closes it.

    Raises:
        KeyUnavailable: as ``load_keyring``, or the disk refuses.
    """
    if is_finished(folder):  # without a registry: the making was interrupted between the two
        return load_keyring(folder, custody)
    if custody is None:
        return LocalKeyring.create(folder, clock=clock)
    if isinstance(custody, SplitSettings):
        return SplitKeyring.made(folder, custody, clock)
    session = Session(custody)
    try:
        return OpenBaoKeyring.create(folder, session, clock=clock)
    except BaseException:
        session.close()
        raise


@contextmanager
def keyring(folder: Path, custody: Custody) -> Iterator[Keyring]:
    """Open the keyring of a registry for a block; see ``load_keyring``."""
    ring = load_keyring(folder, custody)
    try:
        yield ring
    finally:
        ring.close()
