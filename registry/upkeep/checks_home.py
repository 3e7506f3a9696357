"""Checks that need no opened registry: the home folder, its keys, the key service, the database, disk and process."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from registry.crypto.hardening import harden_process
from registry.domain.errors import KeyUnavailable, MisconfiguredHome
from registry.keys.causes import DISABLED, FORBIDDEN, LOCKED, SEALED, THROTTLED, UNREACHABLE, WRONG_KEY
from registry.keys.configured import RemoteSettings
from registry.keys.kms.settings import KmsSettings
from registry.keys.openbao.rights import excess
from registry.keys.openbao.session import Session
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.opening import keyring, open_service
from registry.keys.pkcs11.settings import TokenSettings
from registry.keys.ports import PROVIDER_PURPOSES
from registry.keys.split.keyring import in_the_clear
from registry.settings import Settings
from registry.storage.backup import engine_of, is_there
from registry.storage.migrate import current_revision, newest_revision
from registry.upkeep.checks import Finding

FREE_BYTES = 1 << 30
_PRIVATE = 0o077  # what group and others may not have
_WRITABLE_BY_OTHERS = 0o022
_ROOM = 2  # the disk must hold the database this many times: a backup and a migration need as much again
_MENDING: Mapping[str, str] = {
    SEALED: "unseal it: bao operator unseal; with a seal of its own, restart it and read its log",
    UNREACHABLE: "is it running? Then look at address, ca_file and the network between",
    FORBIDDEN: "compare secret id, role and policy with: registry key-service setup",
    THROTTLED: "raise its rate limit for this registry",
    WRONG_KEY: "put its newest state back; never make a key under that name",
}
_KMS_MENDING: Mapping[str, str] = {
    DISABLED: "enable the key, or cancel its deletion: aws kms enable-key, aws kms cancel-key-deletion",
    UNREACHABLE: "look at region, endpoint, ca_file and the network between",
    FORBIDDEN: "compare role, credentials and key policy with docs/operations.md; aws sts get-caller-identity",
    THROTTLED: "ask AWS for a higher request quota of KMS, or raise cache_seconds",
    WRONG_KEY: "give the key that this registry was made with; never move the alias without registry keys rotate",
}
_TOKEN_MENDING: Mapping[str, str] = {
    LOCKED: "have the security officer of the token unlock the PIN",
    UNREACHABLE: "plug the token in, or start its service; look at library and token_label",
    FORBIDDEN: "correct the PIN in pin_file; a refused PIN is not tried again until the file changes",
    WRONG_KEY: "put the token's keys back from its own backup; never make a key under their label",
}


def installed(settings: Settings) -> str:
    for path in (settings.home, settings.ledger):
        if not path.is_dir():
            raise Finding(f"{path} is not there", "registry init, or give the right --home")
    if not settings.keys.exists():
        raise Finding(f"{settings.keys} is not there", "put the keys back; for a new registry, registry init")
    return f"a registry is in {settings.home}"


def home(settings: Settings) -> str:
    for path in (settings.home, settings.ledger):
        demand_private(path)
    for path in (settings.config, *settings.home.glob("registry.db*")):
        is_readable_fine = path == settings.config and not stat.S_IMODE(_mode(path)) & _WRITABLE_BY_OTHERS
        if path.exists() and not is_readable_fine:
            demand_private(path)
    return "folders and files are this user's alone"


def demand_private(path: Path) -> None:
    """Find what is not this user's alone."""
    facts = path.stat()
    if facts.st_uid != os.geteuid():
        raise Finding(f"{path} belongs to user id {facts.st_uid}", "run as its owner, or chown it")
    if stat.S_IMODE(facts.st_mode) & _PRIVATE:
        raise Finding(f"{path} is open to others", f"chmod {'700' if path.is_dir() else '600'} {path}")


def key_service(settings: Settings) -> str:
    service = settings.key_service
    if service is None:
        return "none: the keys are files in the home folder" + (", sealed" if settings.unsealing else "")
    try:
        return _open_bao(service) if isinstance(service, KeyServiceSettings) else _single_keys(service)
    except KeyUnavailable as error:
        raise Finding(error.cause, _mending(service, error.code)) from None
    except MisconfiguredHome as error:
        raise Finding(str(error), "install it") from None


def _open_bao(service: KeyServiceSettings) -> str:
    session = Session(service)
    try:
        wide = excess(session)
    finally:
        session.close()
    if wide:
        raise Finding(
            f"at the key service this registry may do more than it needs, at {', '.join(wide)}",
            "give its role what `registry key-service policy` prints, and no other policy",
            serves=True,
        )
    return f"{service.address} answers, and lets this registry wrap and unwrap and no more"


def _single_keys(service: KmsSettings | TokenSettings) -> str:
    way = open_service(service)
    try:
        return way.look()
    finally:
        way.close()


def _mending(service: RemoteSettings, code: str) -> str:
    if isinstance(service, KeyServiceSettings):
        return _MENDING.get(code, "look into the log of OpenBao")
    if isinstance(service, KmsSettings):
        return _KMS_MENDING.get(code, "look at AWS KMS, and at its state of health")
    return _TOKEN_MENDING.get(code, "look at the token with its maker's tools")


def keys(settings: Settings) -> str:
    with keyring(settings.keys, settings.custody) as ring:
        for purpose in PROVIDER_PURPOSES:
            ring.provider(purpose).health()
        if settings.unsealing is not None and (clear := in_the_clear(settings.keys)):
            raise Finding(f"{', '.join(clear)}: not sealed yet", "registry keys seal-ring")
        return f"{len(ring.key_ids())} keys are there, and wrap and unwrap"


def database(settings: Settings) -> str:
    # Connecting sets what durability rests on, reads it back, and refuses a database that does not keep it.
    if not is_there(settings.database_url):
        raise Finding("there is no database", "registry init, registry restore, or give the right --home")
    found, needed = current_revision(settings.database_url), newest_revision()
    if found != needed:
        raise Finding(f"tables of revision {found}, this program needs {needed}", "registry migrate")
    return f"{engine_of(settings.database_url)} at revision {found} keeps the settings that durability needs"


def disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free
    size = sum(path.stat().st_size for path in settings.home.glob("registry.db*"))
    wanted = max(FREE_BYTES, _ROOM * size)
    if free < wanted:
        raise Finding(f"{free >> 20} MiB are free, {wanted >> 20} are wanted", "free space, or move the home folder")
    return f"{free >> 20} MiB are free"


def leftovers(settings: Settings) -> str:
    found = sorted(path.name for path in settings.home.glob("registry.db.re*"))
    if found:
        raise Finding(f"former databases lie here: {', '.join(found)}", "keep them elsewhere or remove them")
    return "no former database lies in the home folder"


def process(_settings: Settings) -> str:
    got = harden_process()
    if not (got.core_dumps_off and got.not_dumpable):
        raise Finding("a crash could write keys to disk", "set the limit of core dumps to 0 for this user")
    return "core dumps are off"


def _mode(path: Path) -> int:
    return path.stat().st_mode if path.exists() else 0
