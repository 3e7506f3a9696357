"""Making a registry, its tables and its accounts; finishing one whose making was interrupted."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from registry.audit.bodies import BodyKeys
from registry.audit.chains import Chains
from registry.audit.entries import EntryDraft
from registry.audit.high_water import mark_of
from registry.audit.kinds import Kind
from registry.bootstrap.application import operator
from registry.bootstrap.checks import demand_migrated
from registry.bootstrap.ledger import head_of, open_log
from registry.bootstrap.opening import WRITER_LOCK
from registry.bootstrap.signing import LedgerSigning
from registry.domain.clock import Clock, SystemClock, unix_ms
from registry.domain.errors import MisconfiguredHome
from registry.domain.ids import RegistryId, new_id
from registry.identity.dev_issuer import DevelopmentIssuer
from registry.keys.data_keys import DataKeys
from registry.keys.mark_keys import MarkKeys
from registry.keys.opening import keyring, make_keyring
from registry.keys.ports import Keyring
from registry.leaktrace.terms import TERMS_VERSION
from registry.policy.engine import load_policy
from registry.services.controls import Controls
from registry.services.key_life import LEDGER_OWNER
from registry.services.mark_secrets import MarkSecrets
from registry.services.ports_policy import PolicyRow
from registry.settings import DEVELOPMENT, PROFILES, Settings
from registry.storage.dead_rows import ClearedRows, clear_dead_rows
from registry.storage.guards import guard_key
from registry.storage.high_water import HighWaterFile
from registry.storage.migrate import current_revision, newest_revision, upgrade
from registry.storage.roles import set_up_roles
from registry.storage.unit_of_work import SqlDatabase, open_database
from registry.transparency.merkle import Edge

_FIRST_KEY_EPOCH = 1


def initialise(settings: Settings, profile: str, clock: Clock | None = None) -> bool:
    """Make a new registry, or finish one whose making was interrupted.

    Returns:
        True when it was made now, False when everything was there: a second run changes nothing.

    Raises:
        MisconfiguredHome: unknown profile, the registry there has another one, or the policies are not in order.
        KeyUnavailable: the key folder is damaged, or keys are missing for an existing database.
    """
    if profile not in PROFILES:
        raise MisconfiguredHome("the profile is development or production")
    now = SystemClock() if clock is None else clock
    try:
        for folder in (settings.home, settings.ledger):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise MisconfiguredHome(f"the folder {settings.home} cannot be made; choose another with --home") from None
    upgrade(settings.database_url)
    _make_private(settings)
    database = open_database(settings.database_url, settings.ledger / WRITER_LOCK)
    try:
        with database.read() as work:
            present = work.meta.get("profile")
        if present is not None:
            if present != profile:
                raise MisconfiguredHome(f"this registry was made with the profile {present}; it stays so for ever")
            with keyring(settings.keys, settings.custody) as ring:
                _finish_first_mark(settings, ring, database, now)
            return False
        _first_time(settings, database, profile, now)
    finally:
        database.close()
    return True


def migrate_database(settings: Settings) -> tuple[str | None, str]:
    """Bring a registry's database to the newest revision; returns the revisions before and after.

    Raises:
        MisconfiguredHome: there is no registry.
    """
    if not settings.keys.exists():
        raise MisconfiguredHome(f"no registry in {settings.home}; run: registry init")
    before = current_revision(settings.database_url)
    upgrade(settings.database_url)
    return before, newest_revision()


def grant_database_roles(settings: Settings) -> tuple[str, ...]:
    """Make PostgreSQL's roles and give each its rights; returns their names, the one that serves first.

    Raises:
        MisconfiguredHome: the database is not PostgreSQL, or of another revision.
    """
    demand_migrated(settings)
    return set_up_roles(settings.database_url)


def clear_database(settings: Settings) -> ClearedRows:
    """Make the tables' files anew, so that nothing that was erased lies in them; as their owner, on PostgreSQL.

    Raises:
        MisconfiguredHome: the database is not PostgreSQL, or of another revision.
        AuditUnavailable: the account may not do it, or somebody held a table for too long.
    """
    demand_migrated(settings)
    return clear_dead_rows(settings.database_url)


def _first_time(settings: Settings, database: SqlDatabase, profile: str, clock: Clock) -> None:
    first = _First(profile, load_policy(settings.policy).version, settings.controls(profile))
    ring = make_keyring(settings.keys, settings.custody, clock)
    try:
        if profile == DEVELOPMENT:
            DevelopmentIssuer.create(settings.keys, profile)
        key = guard_key(ring.secret("index"))
        with closing(open_database(settings.database_url, settings.ledger / WRITER_LOCK, key)) as guarded:
            _first_entry(guarded, ring, first, clock)
        _finish_first_mark(settings, ring, database, clock)
    finally:
        ring.close()


class _First(NamedTuple):
    """What a registry is from its first entry on."""

    profile: str
    policies: str
    controls: Controls


def _first_entry(database: SqlDatabase, ring: Keyring, first: _First, clock: Clock) -> None:
    registry = RegistryId(new_id())
    origin = f"registry.invalid/{registry[:12]}/e1"
    key, wrapped = DataKeys(ring.provider("bodies"), registry).new_key(LEDGER_OWNER)
    signing = LedgerSigning(origin, ring, clock)
    bodies, chains = BodyKeys(registry, {_FIRST_KEY_EPOCH: key}), Chains(registry, ring.secret("index"))
    marks = MarkSecrets(ring.secret("marks"), MarkKeys(ring.provider("bodies"), registry), database.mark_generations_at)
    log = open_log(chains, signing, bodies, marks, clock)
    with database.write() as work:
        for name, value in (("registry", registry), ("origin", origin), ("profile", first.profile)):
            work.meta.put(name, value)
        work.meta.put_body_key(_FIRST_KEY_EPOCH, wrapped)
        work.index_state.create(TERMS_VERSION)
        work.meta.create_head(log.sign_head(1, Edge.empty(), unix_ms(clock.now())))
        values = {"principal": f"{'0' * 32} {operator()}", "result": first.profile}
        values["detail"] = f"a new registry; {first.controls.text}"
        (made,) = log.append(work.ledger, [EntryDraft(Kind.INIT, values | {"rules": first.policies})])
        work.policies.put(PolicyRow(first.policies, made.index))
        work.policies.put_controls(PolicyRow(first.controls.version, made.index))
        work.commit()


def _finish_first_mark(settings: Settings, ring: Keyring, database: SqlDatabase, clock: Clock) -> None:
    """Keep the mark of a new registry; also when its making was interrupted before that. Later ones are kept in use."""
    file = HighWaterFile(settings.ledger)
    with database.read() as work:
        origin = work.meta.get("origin") or ""
    head = head_of(database)
    if head.size == 1 and file.read() is None:
        try:
            file.replace(mark_of(head, LedgerSigning(origin, ring, clock)))
        except OSError:
            raise MisconfiguredHome(f"{file.path} cannot be written; make the folder writable for this user") from None


def _make_private(settings: Settings) -> None:
    database = settings.home / "registry.db"
    for path in (database, Path(f"{database}-wal"), Path(f"{database}-shm")):
        if path.exists():
            path.chmod(0o600)
