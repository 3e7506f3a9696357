"""Checking a deployment: each thing that service rests on, and what to do about what is not as it should be.

Looks and writes nothing. Checks that need an opened registry are left out when it cannot be opened, and say so.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from registry.audit.high_water import Standing, mark_of
from registry.audit.log import CLOCK_TOLERANCE_MS
from registry.audit.verify import check_chunk
from registry.bootstrap import Application, inspected
from registry.crypto.hardening import harden_process
from registry.domain.clock import unix_ms
from registry.domain.errors import AuditUnavailable, ProofRejected, RegistryError
from registry.keys.opening import keyring
from registry.keys.ports import PROVIDER_PURPOSES
from registry.settings import DEVELOPMENT, NO_SECURITY_CONTACT, Settings
from registry.storage.backup import engine_of, is_there
from registry.storage.high_water import HighWaterFile
from registry.storage.migrate import current_revision, newest_revision

FREE_BYTES = 1 << 30
_PRIVATE = 0o077  # what group and others may not have
_ROOM = 2  # the disk must hold the database this many times: a backup and a migration need as much again


class State(StrEnum):
    """What a check gave."""

    OK = "ok"
    FINDING = "finding"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: short and stable.
        state: what it gave.
        what: what was found, in words.
        mend: what to do; empty when there is nothing to do.
    """

    name: str
    state: State
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look at.

    Attributes:
        host: the address that ``serve`` is given.
        entries: how many of the newest entries are checked one by one.
    """

    host: str = "127.0.0.1"
    entries: int = 1_000


class _Finding(Exception):
    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def examine(settings: Settings, plan: Plan) -> tuple[Check, ...]:
    """Run every check, whatever the others give."""
    before = [_run(name, partial(check, settings)) for name, check in _ON_FILES.items()]
    return (*before, *_on_the_registry(settings, plan))


def _on_the_registry(settings: Settings, plan: Plan) -> Iterator[Check]:
    try:
        with inspected(settings) as application:
            yield Check("opens", State.OK, f"registry of the {application.profile} profile")
            for name, check in _ON_REGISTRY.items():
                yield _run(name, partial(check, application, plan))
    except RegistryError as error:
        yield _failed("opens", error)
        for name in _ON_REGISTRY:
            yield Check(name, State.NOT_CHECKED, "the registry cannot be opened")


def _run(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, State.OK, check())
    except _Finding as finding:
        return Check(name, State.FINDING, finding.what, finding.mend)
    except RegistryError as error:
        return _failed(name, error)
    except OSError as error:
        return Check(name, State.FINDING, f"cannot be read: {error.strerror}", "mend owner and mode for this user")


def _failed(name: str, error: RegistryError) -> Check:
    unavailable = isinstance(error, AuditUnavailable)
    what = f"the database is not available ({error})" if unavailable else str(error) or type(error).__name__
    return Check(name, State.FINDING, what, "see docs/operations.md, When something is refused")


# ---- files ----


def _home(settings: Settings) -> str:
    for path in (settings.home, settings.ledger):
        _demand_private(path)
    for path in (settings.config, *settings.home.glob("registry.db*")):
        if path.exists() and (path != settings.config or stat.S_IMODE(path.stat().st_mode) & 0o022):
            _demand_private(path)
    return "folders and files are this user's alone"


def _demand_private(path: Path) -> None:
    if not path.exists():
        raise _Finding(f"{path} is not there", "registry init, or give the right --home")
    facts = path.stat()
    if facts.st_uid != os.geteuid():
        raise _Finding(f"{path} belongs to user id {facts.st_uid}", "run as its owner, or chown it")
    if stat.S_IMODE(facts.st_mode) & _PRIVATE:
        raise _Finding(f"{path} is open to others", f"chmod {'700' if path.is_dir() else '600'} {path}")


def _keys(settings: Settings) -> str:
    with keyring(settings.keys, settings.key_service) as ring:
        for purpose in PROVIDER_PURPOSES:
            ring.provider(purpose).health()
        return f"{len(ring.key_ids())} keys are there, and wrap and unwrap"


def _database(settings: Settings) -> str:
    # Connecting sets what durability rests on, reads it back, and refuses a database that does not keep it.
    if not is_there(settings.database_url):
        raise _Finding("there is no database", "registry init, registry restore, or give the right --home")
    found, needed = current_revision(settings.database_url), newest_revision()
    if found != needed:
        raise _Finding(f"tables of revision {found}, this program needs {needed}", "registry migrate")
    return f"{engine_of(settings.database_url)} at revision {found} keeps the settings that durability needs"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free
    size = sum(path.stat().st_size for path in settings.home.glob("registry.db*"))
    wanted = max(FREE_BYTES, _ROOM * size)
    if free < wanted:
        raise _Finding(f"{free >> 20} MiB are free, {wanted >> 20} are wanted", "free space, or move the home folder")
    return f"{free >> 20} MiB are free"


def _leftovers(settings: Settings) -> str:
    found = sorted(path.name for path in settings.home.glob("registry.db.re*"))
    if found:
        raise _Finding(f"former databases lie here: {', '.join(found)}", "keep them elsewhere or remove them")
    return "no former database lies in the home folder"


def _process(_settings: Settings) -> str:
    got = harden_process()
    if not (got.core_dumps_off and got.not_dumpable):
        raise _Finding("a crash could write keys to disk", "set the limit of core dumps to 0 for this user")
    return "core dumps are off"


# ---- the opened registry ----


def _profile(application: Application, plan: Plan) -> str:
    if application.profile != DEVELOPMENT:
        return "production"
    if application.settings.issuers:
        raise _Finding(
            "the development profile, with issuers of real tokens",
            "make a registry with: registry init --profile production",
        )
    if not _is_loopback(plan.host):
        raise _Finding(
            f"the development profile, to listen on {plan.host}: anybody here can make tokens for any role",
            "serve it on 127.0.0.1, or make a registry with: registry init --profile production",
        )
    return "development, on loopback: for trying out, never for real records"


def _issuers(application: Application, _plan: Plan) -> str:
    if application.profile != DEVELOPMENT and not application.settings.issuers:
        raise _Finding("no issuer of tokens, so nobody can be answered", "name one under [[issuers]] in config.toml")
    return f"{len(application.settings.issuers)} in config.toml"


def _contact(application: Application, _plan: Plan) -> str:
    if application.settings.security_contact != NO_SECURITY_CONTACT:
        return "a security contact is published"
    if application.profile == DEVELOPMENT:
        return "none is set; in production one is wanted"
    raise _Finding("security.txt names an address that nobody owns", "set security_contact in config.toml")


def _user(application: Application, _plan: Plan) -> str:
    if application.profile != DEVELOPMENT and os.geteuid() == 0:
        raise _Finding("runs as root", "run it as a user of its own that owns the home folder")
    return f"user id {os.geteuid()}"


def _clock(application: Application, _plan: Plan) -> str:
    with application.database.reader() as reader:
        last = reader.head().last_ms
    behind = last - unix_ms(application.kernel.clock.now())
    if behind > CLOCK_TOLERANCE_MS:
        raise _Finding(
            f"this machine's clock is {behind // 1000} s behind the newest entry",
            "set the clock; never edit the ledger",
        )
    return f"the newest entry is {max(0, -behind) // 1000} s old"


def _head(application: Application, _plan: Plan) -> str:
    with application.database.reader() as reader:
        head = reader.head()
    try:
        mark_of(head, application.verifier)
    except ProofRejected as error:
        raise _Finding(f"the ledger's head is not ours: {error}", "keep the files; registry audit verify") from None
    return f"signed over {head.size} entries"


def _entries(application: Application, plan: Plan) -> str:
    with application.database.reader() as reader:
        size = reader.head().size
        start = max(0, size - plan.entries)
        rows = list(reader.scan(start, size))
        beyond = next(iter(reader.scan(size, size + 1)), None)
    checked = check_chunk(application.kernel.log, start, rows)
    fault = checked.fault
    if fault is None and len(rows) < size - start:
        fault = (start + len(rows), "it is missing")
    if fault is None and beyond is not None:
        fault = (beyond.index, "it stands beyond the head")
    if fault is not None:
        raise _Finding(f"entry {fault[0]}: {fault[1]}", "keep the files; registry audit verify")
    return f"the newest {len(rows)} say what their leaves commit to; registry audit verify checks all {size}"


def _high_water(application: Application, _plan: Plan) -> str:
    file = HighWaterFile(application.settings.ledger)
    compared = application.compare_high_water()
    if compared.standing is not Standing.FOLLOWS or compared.mark is None:
        raise _Finding(compared.what, "put the newest copy back; is it lost, registry audit recover")
    _demand_private(file.path)
    return f"{compared.mark.size} of {compared.head.size} entries are under the mark"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_ON_FILES: dict[str, Callable[[Settings], str]] = {
    "home": _home,
    "keys": _keys,
    "database": _database,
    "disk": _disk,
    "leftovers": _leftovers,
    "process": _process,
}
_ON_REGISTRY: dict[str, Callable[[Application, Plan], str]] = {
    "profile": _profile,
    "issuers": _issuers,
    "security_contact": _contact,
    "user": _user,
    "clock": _clock,
    "head": _head,
    "entries": _entries,
    "high_water": _high_water,
}
