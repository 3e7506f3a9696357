"""Which keyring a registry has: its own files, files that several people open together, or a key service's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.domain.clock import Clock
from registry.domain.errors import MisconfiguredHome
from registry.keys.configured import Custody, RemoteSettings
from registry.keys.kms.settings import KmsSettings
from registry.keys.local import LocalKeyring
from registry.keys.openbao.keyring import OpenBaoKeyring
from registry.keys.openbao.session import Session
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.pkcs11.settings import TokenSettings
from registry.keys.ports import Keyring
from registry.keys.ring_folder import is_finished
from registry.keys.service.keyring import ServiceKeyring
from registry.keys.service.ports import KeyService
from registry.keys.split.keyring import SplitKeyring
from registry.keys.split.unsealed import SplitSettings


def load_keyring(folder: Path, custody: Custody) -> Keyring:
    """Open the keyring of a registry; its caller closes it.

    Args:
        folder: the key folder.
        custody: the key service, or where unseal keys are open; None for the local ring.

    Raises:
        KeyUnavailable: a file is missing, damaged, or of another kind of ring, the ring is locked, or the key service
            does not serve.
        MisconfiguredHome: the package that speaks to the key service is not installed.
    """
    if custody is None:
        return LocalKeyring.load(folder)
    if isinstance(custody, SplitSettings):
        return SplitKeyring.opened(folder, custody)
    return _of_service(
        custody,
        lambda session: OpenBaoKeyring.load(folder, session),
        lambda service: ServiceKeyring.load(folder, service),
    )


def make_keyring(folder: Path, custody: Custody, clock: Clock) -> Keyring:
    """Make the keyring of a new registry, finish one, or open the one that is there; its caller closes it.

    Raises:
        KeyUnavailable: as ``load_keyring``, or the disk refuses.
        MisconfiguredHome: as ``load_keyring``.
    """
    if is_finished(folder):  # without a registry: the making was interrupted between the two
        return load_keyring(folder, custody)
    if custody is None:
        return LocalKeyring.create(folder, clock=clock)
    if isinstance(custody, SplitSettings):
        return SplitKeyring.made(folder, custody, clock)
    return _of_service(
        custody,
        lambda session: OpenBaoKeyring.create(folder, session, clock=clock),
        lambda service: ServiceKeyring.create(folder, service, clock=clock),
    )


@contextmanager
def keyring(folder: Path, custody: Custody) -> Iterator[Keyring]:
    """Open the keyring of a registry for a block; see ``load_keyring``."""
    ring = load_keyring(folder, custody)
    try:
        yield ring
    finally:
        ring.close()


def open_service(settings: KmsSettings | TokenSettings) -> KeyService:
    """Return the way to a key service that knows single keys; its caller closes it.

    Raises:
        MisconfiguredHome: the package that speaks to it is not installed.
        KeyUnavailable: its own library or configuration cannot be used.
    """
    try:
        # Imported here because neither package need be installed, and one of them takes longer than most commands.
        if isinstance(settings, KmsSettings):
            from registry.keys.kms.service import KmsService  # noqa: PLC0415 # see above

            return KmsService(settings)
        from registry.keys.pkcs11.service import TokenService  # noqa: PLC0415 # see above
    except ModuleNotFoundError as error:
        extra = "aws" if isinstance(settings, KmsSettings) else "pkcs11"
        why = f"keys: this provider needs a package more ({error.name}): pip install 'protected-registry[{extra}]'"
        raise MisconfiguredHome(why) from None
    return TokenService(settings)


def _of_service(
    settings: RemoteSettings,
    with_session: Callable[[Session], Keyring],
    with_service: Callable[[KeyService], Keyring],
) -> Keyring:
    """Make a keyring with a way to its key service, which is closed when there is none."""
    if isinstance(settings, KeyServiceSettings):
        session = Session(settings)
        try:
            return with_session(session)
        except BaseException:
            session.close()
            raise
    service = open_service(settings)
    try:
        return with_service(service)
    except BaseException:
        service.close()
        raise
