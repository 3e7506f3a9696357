"""The only place that builds objects. Importing it opens nothing; ``open_application`` opens one registry."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from registry.audit.bodies import BodyKeys
from registry.audit.chains import Chains
from registry.audit.entries import EntryDraft
from registry.audit.high_water import Compared, Standing, compare, mark_of
from registry.audit.kinds import Kind
from registry.audit.log import AuditLog, LogKeys
from registry.audit.ports import HeadRow
from registry.audit.verify import LedgerVerifier
from registry.crypto.derive import derive
from registry.crypto.hardening import harden_process
from registry.crypto.sign import SigningKey, verify_signature
from registry.domain.clock import Clock, SystemClock, unix_ms
from registry.domain.errors import AuditUnavailable, LedgerCorrupt, MisconfiguredHome, ProofRejected
from registry.domain.ids import PersonId, RegistryId, new_id
from registry.domain.principals import Claims, Role
from registry.identity.dev_issuer import DevelopmentIssuer, development_settings
from registry.identity.issuers import require_fit_for_profile
from registry.identity.jwks import JwksCache
from registry.identity.jwks_http import HttpFetch
from registry.identity.strangers import Strangers
from registry.identity.token_cache import VerifiedTokens
from registry.identity.tokens import TokenVerifier
from registry.keys.data_keys import DataKeys
from registry.keys.opening import keyring, load_keyring, make_keyring
from registry.keys.ports import Keyring
from registry.services.admissions import Admissions
from registry.services.check_rows import CheckRows
from registry.services.copies import Histories
from registry.services.disclose import Disclose
from registry.services.ending import Ending
from registry.services.enroll import Enroll
from registry.services.evidence import Evidence
from registry.services.idempotency import Idempotency
from registry.services.import_people import ImportPeople
from registry.services.kernel import Caller, Kernel
from registry.services.lane import Lane
from registry.services.match import MatchText
from registry.services.meters import Meters
from registry.services.principals import Grant, Principals
from registry.services.read_audit import ReadAudit
from registry.services.refusals import Refusals
from registry.services.resuming import Resuming
from registry.services.search import Search
from registry.services.trace import Trace
from registry.services.update import Update
from registry.settings import DEVELOPMENT, PROFILES, Settings
from registry.storage.guards import RowGuard, guard_key
from registry.storage.high_water import HighWaterFile, HighWaterKeeper
from registry.storage.migrate import current_revision, newest_revision, upgrade
from registry.storage.new_rows import RowPacker
from registry.storage.roles import set_up_roles
from registry.storage.unit_of_work import SqlDatabase, open_database
from registry.transparency.merkle import Edge
from registry.transparency.note import Verifier, VerifierKey, key_id_of, verifier_key
from registry.vault.blind_index import BlindIndex
from registry.vault.cases import CaseVault
from registry.vault.links import EmployeeLinks
from registry.vault.vault import Vault

LOCAL_ISSUER = "local"
# What the person at the keyboard of a development registry may do through the command line.
LOCAL_ROLES = frozenset({Role.ENROLLER, Role.READER, Role.INVESTIGATOR, Role.AUDITOR, Role.SECURITY_ADMIN})
_WRITER_LOCK = "writer.lock"
_FIRST_KEY_EPOCH = 1
_LEDGER_PERSON = PersonId("ledger-bodies")


@dataclass(frozen=True, slots=True)
class Application:
    """One opened registry: everything that the API, the console and the command line call."""

    settings: Settings
    profile: str
    kernel: Kernel
    database: SqlDatabase
    tokens: VerifiedTokens
    refusals: Refusals
    enroll: Enroll
    update: Update
    import_people: ImportPeople
    disclose: Disclose
    lane: Lane
    meters: Meters
    ending: Ending
    admissions: Admissions
    search: Search
    matcher: MatchText
    trace: Trace
    evidence: Evidence
    audit: ReadAudit
    principals: Principals
    ledger_verifier: LedgerVerifier
    row_check: CheckRows
    verifier: Verifier
    keyring: Keyring
    high_water: HighWaterKeeper | None = None
    strangers: Strangers = field(default_factory=lambda: Strangers(time.monotonic))

    @property
    def verifier_key(self) -> VerifierKey:
        """The key that the ledger's checkpoints verify with."""
        return self.verifier.key

    def close(self) -> None:
        """Answer the lookups that wait, write what is only counted, raise the high-water mark, close the database."""
        self.lane.close()
        try:
            self.refusals.close()
        finally:
            if self.high_water is not None:
                self.high_water.close()
            self.database.close()
            self.keyring.close()

    def compare_high_water(self) -> Compared:
        """Compare the database with the mark in the home folder.

        Raises:
            MisconfiguredHome: the mark cannot be read.
        """
        raw = HighWaterFile(self.settings.ledger).read()
        with self.database.reader() as reader:
            return compare(raw, reader, self.verifier)

    def readiness(self) -> Mapping[str, Callable[[], object]]:
        """Return the checks of what an answer needs: database, revision, keyring, the ledger's head, a new entry."""
        return {
            "database": lambda: _registry_of(self.database),
            "migrations": lambda: _demand_revision(self.database),
            "keyring": self.keyring.health,
            "ledger": self._demand_own_head,
            "entries": Resuming(self.kernel).demand_entries,
        }

    def _demand_own_head(self) -> None:
        head = _head_of(self.database)
        try:
            is_own = mark_of(head, self.verifier).edge.root() == head.root
        except (ProofRejected, LedgerCorrupt):
            is_own = False
        if not is_own:
            raise AuditUnavailable("head_mismatch")
        if self.high_water is not None and head.size < self.high_water.size:
            raise AuditUnavailable("rolled_back")

    def local_caller(self) -> Caller:
        """Return the person at the command line, as ``local:<user>``.

        Raises:
            MisconfiguredHome: not in the development profile.
        """
        if self.profile != DEVELOPMENT:
            raise MisconfiguredHome(
                "this works in the development profile only; in production set REGISTRY_URL and REGISTRY_TOKEN"
            )
        caller = Caller(Claims(LOCAL_ISSUER, _user(), None, "", "registry-cli", 0))
        self.principals.ensure(Grant(LOCAL_ISSUER, _user(), LOCAL_ROLES), operator=operator())
        return caller

    def development_issuer(self) -> DevelopmentIssuer:
        """Return the development issuer.

        Raises:
            MisconfiguredHome: not in the development profile.
        """
        return DevelopmentIssuer.load(self.settings.keys, self.profile)


def initialise(settings: Settings, profile: str, clock: Clock | None = None) -> bool:
    """Make a new registry, or finish one whose making was interrupted.

    Returns:
        True when it was made now, False when everything was there: a second run changes nothing.

    Raises:
        MisconfiguredHome: unknown profile, or the registry there has another one.
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
    database = open_database(settings.database_url, settings.ledger / _WRITER_LOCK)
    try:
        with database.read() as work:
            present = work.meta.get("profile")
        if present is not None:
            if present != profile:
                raise MisconfiguredHome(f"this registry was made with the profile {present}; it stays so for ever")
            with keyring(settings.keys, settings.key_service) as ring:
                _finish_first_mark(settings, ring, database)
            return False
        _first_time(settings, database, profile, now)
    finally:
        database.close()
    return True


def _first_time(settings: Settings, database: SqlDatabase, profile: str, clock: Clock) -> None:
    ring = make_keyring(settings.keys, settings.key_service, clock)
    try:
        if profile == DEVELOPMENT:
            DevelopmentIssuer.create(settings.keys, profile)
        key = guard_key(ring.secret("index"))
        with closing(open_database(settings.database_url, settings.ledger / _WRITER_LOCK, key)) as guarded:
            _first_entry(guarded, ring, profile, clock)
        _finish_first_mark(settings, ring, database)
    finally:
        ring.close()


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
    _demand_migrated(settings)
    return set_up_roles(settings.database_url)


def open_application(settings: Settings, clock: Clock | None = None) -> Application:
    """Open a registry for service.

    Raises:
        MisconfiguredHome: not initialised, not migrated, or the database is behind its high-water mark or differs.
        LedgerCorrupt: the profile is not the first entry's, or a row of the ledger is not readable.
        KeyUnavailable: the keyring is missing, damaged or readable by others.
    """
    application = _open(settings, clock)
    try:
        return replace(application, high_water=_keeper(application))
    except BaseException:
        application.close()
        raise


@contextmanager
def inspected(settings: Settings, clock: Clock | None = None) -> Iterator[Application]:
    """Open a registry for a block, to look at it: whatever its database is, and without keeping a mark of it."""
    application = _open(settings, clock)
    try:
        yield application
    finally:
        application.close()


def _open(settings: Settings, clock: Clock | None) -> Application:
    _demand_migrated(settings)
    harden_process()
    now = SystemClock() if clock is None else clock
    ring = load_keyring(settings.keys, settings.key_service)
    with ExitStack() as on_failure:
        on_failure.callback(ring.close)
        database = open_database(settings.database_url, settings.ledger / _WRITER_LOCK, guard_key(ring.secret("index")))
        on_failure.callback(database.close)
        application = _build(settings, ring, database, now)
        on_failure.pop_all()
    return application


@contextmanager
def opened(settings: Settings, clock: Clock | None = None) -> Iterator[Application]:
    """Open a registry for a block."""
    application = open_application(settings, clock)
    try:
        yield application
    finally:
        application.close()


def operator() -> str:
    """Name the operating system's user, for entries about what was done at the keyboard."""
    return f"local:{_user()}"


def ledger_verifier(ring: Keyring, origin: str) -> Verifier:
    """Return what checks the signatures of the ledger of a keyring."""
    public = ring.signing_key().public_bytes
    return Verifier(verifier_key(origin, public), _SignatureChecker(public))


def _build(settings: Settings, ring: Keyring, database: SqlDatabase, clock: Clock) -> Application:
    with database.read() as work:
        registry, origin, profile = (work.meta.get(name) or "" for name in ("registry", "origin", "profile"))
        wrapped = work.meta.body_keys()
    if not registry:
        raise MisconfiguredHome(f"no registry in {settings.home}; run: registry init")
    identifier = RegistryId(registry)
    body_keys = DataKeys(ring.provider("bodies"), identifier)
    bodies = BodyKeys(registry, {epoch: body_keys.open_key(_LEDGER_PERSON, key) for epoch, key in wrapped.items()})
    log = _log(ring, registry, origin, bodies, clock)
    kernel = Kernel(
        registry=identifier,
        database=database,
        log=log,
        vault=Vault(registry, DataKeys(ring.provider("data"), identifier, limits=settings.key_cache)),
        index=BlindIndex.of(ring.secret("index")),
        links=EmployeeLinks(registry, ring.secret("index")),
        packer=RowPacker(RowGuard(guard_key(ring.secret("index")))),
        clock=clock,
    )
    _demand_profile(kernel, profile)
    verifier = ledger_verifier(ring, origin)
    audit = ReadAudit(kernel)
    matcher = MatchText(kernel)
    issuers = settings.issuers
    if profile == DEVELOPMENT:
        issuers = (*issuers, development_settings(settings.keys, profile))
    require_fit_for_profile(issuers, profile)
    cases = CaseVault(registry, DataKeys(ring.provider("cases"), identifier, limits=settings.key_cache))
    disclose, meters = Disclose(kernel), Meters(unix_ms(clock.now()) / 1000)
    database.tell_commits(meters.committed)
    return Application(
        settings=settings,
        profile=profile,
        kernel=kernel,
        database=database,
        tokens=VerifiedTokens(TokenVerifier(issuers, JwksCache(HttpFetch()), clock), clock),
        refusals=Refusals(kernel, time.monotonic),
        enroll=Enroll(kernel, Idempotency(kernel, ring.secret("idempotency"))),
        update=Update(kernel),
        import_people=ImportPeople(kernel),
        disclose=disclose,
        lane=Lane(disclose, meters),
        meters=meters,
        ending=Ending(),
        admissions=Admissions(kernel),
        search=Search(kernel),
        matcher=matcher,
        trace=Trace(kernel, cases, matcher, Histories(audit)),
        evidence=Evidence(kernel, verifier.key),
        audit=audit,
        principals=Principals(kernel),
        ledger_verifier=LedgerVerifier(log, verifier),
        row_check=CheckRows(kernel),
        verifier=verifier,
        keyring=ring,
    )


def _keeper(application: Application) -> HighWaterKeeper:
    compared = application.compare_high_water()
    if compared.standing is not Standing.FOLLOWS:
        raise MisconfiguredHome(
            f"{compared.what}; nothing is served from it. Put the newest copy back, or state the loss and go on with:"
            " registry audit recover"
        )
    log = application.kernel.log
    return HighWaterKeeper(
        HighWaterFile(application.settings.ledger),
        partial(_head_of, application.database),
        application.verifier,
        log.seen,
    )


def _finish_first_mark(settings: Settings, ring: Keyring, database: SqlDatabase) -> None:
    """Keep the mark of a new registry; also when its making was interrupted before that. Later ones are kept in use."""
    file = HighWaterFile(settings.ledger)
    with database.read() as work:
        origin = work.meta.get("origin") or ""
    head = _head_of(database)
    if head.size == 1 and file.read() is None:
        try:
            file.replace(mark_of(head, ledger_verifier(ring, origin)))
        except OSError:
            raise MisconfiguredHome(f"{file.path} cannot be written; make the folder writable for this user") from None


class _NoteKey:
    """Signs checkpoints with the ledger's key."""

    def __init__(self, origin: str, signing: SigningKey) -> None:
        self._signing = signing
        self.key_id = key_id_of(origin, signing.public_bytes)

    def sign(self, message: bytes) -> bytes:
        """Return the signature."""
        return self._signing.sign(message)


class _SignatureChecker:
    """Checks signatures of one public key."""

    def __init__(self, public: bytes) -> None:
        self._public = public

    def __call__(self, signature: bytes, message: bytes, /) -> bool:
        try:
            verify_signature(self._public, message, signature)
        except ProofRejected:
            return False
        return True


def _log(ring: Keyring, registry: str, origin: str, bodies: BodyKeys, clock: Clock) -> AuditLog:
    chains = Chains(registry, ring.secret("index"))
    codes = derive(ring.secret("marks"), "registry/receipt-codes/v1")
    return AuditLog(origin, LogKeys(_NoteKey(origin, ring.signing_key()), bodies, chains, codes), clock)


def _first_entry(database: SqlDatabase, ring: Keyring, profile: str, clock: Clock) -> None:
    registry = new_id()
    origin = f"registry.invalid/{registry[:12]}/e1"
    key, wrapped = DataKeys(ring.provider("bodies"), RegistryId(registry)).new_key(_LEDGER_PERSON)
    log = _log(ring, registry, origin, BodyKeys(registry, {_FIRST_KEY_EPOCH: key}), clock)
    with database.write() as work:
        for name, value in (("registry", registry), ("origin", origin), ("profile", profile)):
            work.meta.put(name, value)
        work.meta.put_body_key(_FIRST_KEY_EPOCH, wrapped)
        work.index_state.create()
        work.meta.create_head(log.sign_head(1, Edge.empty(), unix_ms(clock.now())))
        values = {"principal": f"{'0' * 32} {operator()}", "result": profile, "detail": "a new registry"}
        log.append(work.ledger, [EntryDraft(Kind.INIT, values)])
        work.commit()


def _make_private(settings: Settings) -> None:
    database = settings.home / "registry.db"
    for path in (database, Path(f"{database}-wal"), Path(f"{database}-shm")):
        if path.exists():
            path.chmod(0o600)


def _demand_migrated(settings: Settings) -> None:
    url = settings.database_url
    engine_file = url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists()
    if engine_file or not settings.keys.exists():
        raise MisconfiguredHome(f"no registry in {settings.home}; run: registry init")
    if current_revision(settings.database_url) != newest_revision():
        raise MisconfiguredHome("the database is of another revision than this program; run: registry migrate")


def _demand_profile(kernel: Kernel, profile: str) -> None:
    with kernel.database.reader() as reader:
        rows = reader.entries([0])
    opening = kernel.log.opening(rows[0]) if rows else None
    if opening is None or opening.values["result"] != profile:
        raise LedgerCorrupt("the profile differs from the first entry's", 0)


def _demand_revision(database: SqlDatabase) -> None:
    with database.read() as work:
        if work.meta.revision() != newest_revision():
            raise AuditUnavailable("not_migrated")


def _registry_of(database: SqlDatabase) -> str | None:
    with database.read() as work:
        return work.meta.get("registry")


def _head_of(database: SqlDatabase) -> HeadRow:
    with database.reader() as reader:
        return reader.head()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
