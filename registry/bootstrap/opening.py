"""Opening a registry: every object is built here and joined to the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from registry.audit.bodies import BodyKeys
from registry.audit.chains import Chains
from registry.audit.high_water import Standing
from registry.audit.verify import LedgerVerifier
from registry.bootstrap.application import Application, erased_list, operator
from registry.bootstrap.checks import demand_known_purposes, demand_migrated
from registry.bootstrap.erasing import demand_erased_stay, list_erased
from registry.bootstrap.ledger import (
    head_of,
    open_log,
    open_publisher,
    open_witnesses,
    outside_of,
)
from registry.bootstrap.reading_process import ReadingProcess
from registry.bootstrap.signing import LedgerSigning
from registry.crypto.hardening import harden_process
from registry.documents.ocr import Tesseract
from registry.domain.clock import Clock, SystemClock, unix_ms
from registry.domain.duties import LOCAL_ISSUER
from registry.domain.errors import KeyUnavailable, LedgerCorrupt, MisconfiguredHome
from registry.domain.ids import RegistryId
from registry.identity.dev_issuer import development_settings
from registry.identity.issuer_keys import IssuerKeys
from registry.identity.issuers import IssuerSettings, require_fit_for_profile
from registry.identity.jwks import JwksCache
from registry.identity.jwks_http import HttpFetch
from registry.identity.possession import Possession, Terms
from registry.identity.sign_in import SignIn
from registry.identity.token_cache import VerifiedTokens
from registry.identity.tokens import TokenVerifier
from registry.keys.data_keys import DataKeys
from registry.keys.index_keys import IndexKeys
from registry.keys.mark_keys import MarkKeys
from registry.keys.opening import load_keyring
from registry.keys.ports import Keyring
from registry.notify.mail import Mail
from registry.notify.secret_files import read_secret
from registry.notify.settings import NotifySettings
from registry.notify.webhooks import Webhook
from registry.policy.engine import load_policy
from registry.services.admissions import Admissions
from registry.services.approvals import Approvals
from registry.services.brakes import BrakeLimits
from registry.services.break_glass import BreakGlass
from registry.services.check_rows import CheckRows
from registry.services.check_value import CheckValue
from registry.services.contact import Contacts
from registry.services.copies import Histories
from registry.services.decoys import Decoys
from registry.services.digests import Digests
from registry.services.disclose import Disclose
from registry.services.ending import Ending
from registry.services.enroll import Enroll
from registry.services.enumeration import Enumeration
from registry.services.evidence import Evidence
from registry.services.flag_budget import FlagSpending
from registry.services.holds import Holds
from registry.services.idempotency import Idempotency
from registry.services.import_people import ImportPeople
from registry.services.kernel import Kernel, UnmarkedCopies
from registry.services.key_life import LEDGER_OWNER
from registry.services.lane import Lane
from registry.services.leaver_report import LeaverReport
from registry.services.mark_secrets import MarkSecrets
from registry.services.match import MatchText
from registry.services.meters import Meters
from registry.services.outcomes import Outcomes
from registry.services.outlets import Channel, Outlets
from registry.services.petition_answers import PetitionAnswers
from registry.services.petitions import PetitionFiles, Petitions
from registry.services.policy_changes import PolicyChanges
from registry.services.principals import Principals
from registry.services.read_audit import ReadAudit
from registry.services.read_tiles import ReadTiles
from registry.services.refusals import Refusals
from registry.services.release_check import ReleaseCheck
from registry.services.review_sample import ReviewSample
from registry.services.search import Search
from registry.services.send_notices import SendNotices, Transport
from registry.services.trace import Matchers, Trace
from registry.services.unlock import Unlock
from registry.services.unusual import UnusualAccess
from registry.services.update import Update
from registry.services.use_once import UseOnce
from registry.services.value_searches import ValueSearches
from registry.settings import DEVELOPMENT, PRODUCTION, Settings
from registry.storage.guards import RowGuard, guard_key
from registry.storage.high_water import HighWaterFile, HighWaterKeeper
from registry.storage.new_rows import RowPacker
from registry.storage.unit_of_work import SqlDatabase, open_database
from registry.vault.blind_index import BlindIndex
from registry.vault.cases import CaseVault
from registry.vault.links import EmployeeLinks, NoticeSeal
from registry.vault.petitions import PetitionVault
from registry.vault.ties import SubjectTies
from registry.vault.vault import Vault

WRITER_LOCK = "writer.lock"


def open_application(settings: Settings, clock: Clock | None = None) -> Application:
    """Open a registry for service.

    Raises:
        MisconfiguredHome: not initialised, not migrated, the database is behind its high-water mark or differs, or
            people who were erased stand in it.
        LedgerCorrupt: the profile is not the first entry's, or a row of the ledger is not readable.
        AuditUnavailable: its policies are not those in force, and the ledger does not take the entry that says so.
        KeyUnavailable: the keyring is missing, damaged or readable by others.
    """
    application = _open(settings, clock)
    try:
        application = replace(application, high_water=_keeper(application))
        list_erased(application)
        demand_erased_stay(application)
        application.policy_changes.note(operator=operator())
        application.policy_changes.note_controls(operator=operator())
    except BaseException:
        application.close()
        raise
    return application


@contextmanager
def inspected(settings: Settings, clock: Clock | None = None) -> Iterator[Application]:
    """Open a registry for a block, to look at it: whatever its database is, and without keeping a mark of it."""
    application = _open(settings, clock)
    try:
        yield application
    finally:
        application.close()


@contextmanager
def opened(settings: Settings, clock: Clock | None = None) -> Iterator[Application]:
    """Open a registry for a block."""
    application = open_application(settings, clock)
    try:
        yield application
    finally:
        application.close()


def _open(settings: Settings, clock: Clock | None) -> Application:
    demand_migrated(settings)
    harden_process()
    now = SystemClock() if clock is None else clock
    ring = load_keyring(settings.keys, settings.custody)
    with ExitStack() as on_failure:
        on_failure.callback(ring.close)
        database = open_database(settings.database_url, settings.ledger / WRITER_LOCK, guard_key(ring.secret("index")))
        on_failure.callback(database.close)
        application = _build(settings, ring, database, now)
        on_failure.pop_all()
    return application


def _kernel(
    settings: Settings, ring: Keyring, database: SqlDatabase, clock: Clock
) -> tuple[Kernel, str, LedgerSigning]:
    """Return the parts of the registry that is in the database, its profile, and what signs its ledger."""
    with database.read() as work:
        registry, origin, profile = (work.meta.get(name) or "" for name in ("registry", "origin", "profile"))
        wrapped = work.meta.body_keys()
    if not registry:
        raise MisconfiguredHome(f"no registry in {settings.home}; run: registry init")
    identifier = RegistryId(registry)
    body_keys = DataKeys(ring.provider("bodies"), identifier)
    bodies = BodyKeys(registry, {epoch: body_keys.open_key(LEDGER_OWNER, key) for epoch, key in wrapped.items()})
    signing = LedgerSigning(origin, ring, clock)
    _finish_origin(database, signing)
    marks = MarkSecrets(
        ring.secret("marks"), MarkKeys(ring.provider("bodies"), identifier), database.mark_generations_at
    )
    log = open_log(Chains(registry, ring.secret("index")), signing, bodies, marks, clock)
    policy = load_policy(settings.policy)
    demand_known_purposes(policy, settings.limits(profile))
    kernel = Kernel(
        registry=identifier,
        database=database,
        log=log,
        vault=Vault(
            registry,
            DataKeys(ring.provider("data"), identifier, limits=settings.key_cache, erased=erased_list(settings, ring)),
        ),
        index=BlindIndex.of(ring.secret("index"), IndexKeys(ring.provider("bodies"), identifier)),
        links=EmployeeLinks(registry, ring.secret("index")),
        policy=policy,
        rules=settings.rules(profile),
        ties=SubjectTies(registry, ring.secret("index")),
        packer=RowPacker(RowGuard(guard_key(ring.secret("index")))),
        clock=clock,
        marks=marks,
        unmarked=UnmarkedCopies(settings.unmarked_clients, for_all=profile == DEVELOPMENT),
        canaries=settings.canaries,
        outlets=Outlets(NoticeSeal(registry, ring.secret("index")), _channels(settings.notify)),
    )
    database.open_tags_with(kernel.index.tag_seal)
    _demand_profile(kernel, profile)
    return kernel, profile, signing


def _finish_origin(database: SqlDatabase, signing: LedgerSigning) -> None:
    """Let the keys take over with which a new origin was begun, when that was cut off behind its entry."""
    note = head_of(database).checkpoint
    if not note.startswith(f"{signing.origin}\n"):
        signing.caught_up(note)


def _matchers(kernel: Kernel, matcher: MatchText, limits: BrakeLimits) -> Matchers:
    """Make what reads texts for traces and release checks."""
    spending = FlagSpending(kernel, limits.strong_traces_per_year)
    return Matchers(matcher, Enumeration(kernel, limits, LOCAL_ISSUER), spending, Tesseract.installed())


def _meters(database: SqlDatabase, clock: Clock) -> Meters:
    meters = Meters(unix_ms(clock.now()) / 1000)
    database.tell_commits(meters.committed)
    return meters


def _build(settings: Settings, ring: Keyring, database: SqlDatabase, clock: Clock) -> Application:
    kernel, profile, signing = _kernel(settings, ring, database, clock)
    audit, matcher = ReadAudit(kernel), MatchText(kernel, ReadingProcess())
    case_keys = DataKeys(ring.provider("cases"), kernel.registry, limits=settings.key_cache)
    letters = PetitionVault(kernel.registry, case_keys, ring.secret("index"))
    keys = Idempotency(kernel, ring.secret("idempotency"))
    publisher = open_publisher(signing, kernel, settings.ledger)
    panel = open_witnesses(kernel.log, publisher, settings, signing)
    checks, matchers = CheckValue(kernel, limits := settings.limits(profile)), _matchers(kernel, matcher, limits)
    (tokens, issuer_keys, sign_in), files = _identity(settings, profile, clock), PetitionFiles(kernel, letters, keys)
    disclose, update, meters = Disclose(kernel, limits), Update(kernel), _meters(database, clock)
    return Application(
        settings=settings,
        profile=profile,
        kernel=kernel,
        database=database,
        tokens=tokens,
        issuer_keys=issuer_keys,
        possession=Possession(tokens, Terms(settings.issuers, settings.public_url), clock, UseOnce(kernel)),
        refusals=Refusals(kernel, time.monotonic),
        enroll=Enroll(kernel, keys),
        update=update,
        import_people=ImportPeople(kernel),
        disclose=disclose,
        lane=Lane(disclose, meters),
        outcomes=Outcomes(kernel, is_told=profile == PRODUCTION),
        meters=meters,
        ending=Ending(),
        admissions=Admissions(kernel),
        search=Search(kernel, checks),
        matcher=matcher,
        trace=Trace(kernel, CaseVault(kernel.registry, case_keys), matchers, Histories(audit)),
        release_check=ReleaseCheck(kernel, matchers, limits),
        check_value=checks,
        value_searches=ValueSearches(kernel, audit, checks),
        unusual=UnusualAccess(kernel, audit, limits),
        review_sample=ReviewSample(kernel, audit),
        evidence=Evidence(kernel, outside_of(signing, publisher, panel, settings.ledger)),
        audit=audit,
        approvals=Approvals(kernel, audit),
        break_glass=BreakGlass(kernel, audit),
        petitions=Petitions(kernel, files, audit),
        petition_answers=PetitionAnswers(kernel, files, audit, update),
        contacts=(contacts := Contacts(kernel, letters)),
        principals=Principals(kernel),
        policy_changes=PolicyChanges(kernel, audit, settings.controls(profile)),
        unlock=Unlock(kernel),
        decoys=Decoys(kernel),
        leaver_report=LeaverReport(kernel, audit),
        notices=SendNotices(kernel, _transports(settings.notify, contacts), meters),
        digests=Digests(kernel),
        holds=Holds(kernel),
        ledger_verifier=LedgerVerifier(kernel.log, signing),
        row_check=CheckRows(kernel, letters, signing),
        signing=signing,
        keyring=ring,
        tiles=ReadTiles(kernel, publisher, publisher.publish if panel is None else panel.published, time.monotonic),
        witnesses=panel,
        sign_in=sign_in,
    )


def _channels(settings: NotifySettings) -> tuple[Channel, ...]:
    # Every recipient by webhook: who is behind an id is known to whoever receives them.
    webhook = () if settings.webhook is None else (Channel(Webhook.name, lambda _recipient: True),)
    mail = () if settings.mail is None else (Channel(Mail.name, settings.mail.addresses.__contains__, by_contact=True),)
    return (*webhook, *mail)


def _transports(settings: NotifySettings, contacts: Contacts) -> tuple[Transport, ...]:
    webhook = () if settings.webhook is None else (Webhook(settings.webhook),)
    mail = () if settings.mail is None else (Mail(settings.mail, contacts.mailbox_of, settings.portal),)
    return (*webhook, *mail)


def _identity(settings: Settings, profile: str, clock: Clock) -> tuple[VerifiedTokens, IssuerKeys, SignIn | None]:
    web = HttpFetch()
    issuers, keys = _issuers(settings, profile), JwksCache(web)
    tokens = VerifiedTokens(TokenVerifier(issuers, keys, clock), clock)
    return tokens, IssuerKeys(keys, issuers), _sign_in(settings, profile, keys, web, clock)


def _sign_in(settings: Settings, profile: str, keys: JwksCache, web: HttpFetch, clock: Clock) -> SignIn | None:
    if settings.sign_in is None:
        return None
    if profile != DEVELOPMENT:
        raise MisconfiguredHome(
            f"config.toml: the {profile} profile serves no console to sign in to; take out [sign_in]"
        )
    file = settings.sign_in.client_secret_file
    return SignIn(settings.sign_in, keys, web, clock, None if file is None else partial(_secret, file))


def _secret(file: Path) -> str:
    try:
        return read_secret(file)
    except (OSError, ValueError) as error:
        raise KeyUnavailable(f"sign_in: client_secret_file: {error}") from None


def _issuers(settings: Settings, profile: str) -> tuple[IssuerSettings, ...]:
    issuers = settings.issuers
    if profile == DEVELOPMENT:
        issuers = (*issuers, development_settings(settings.keys, profile))
    require_fit_for_profile(issuers, profile)
    return issuers


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
        partial(head_of, application.database),
        application.signing,
        log.seen,
    )


def _demand_profile(kernel: Kernel, profile: str) -> None:
    with kernel.database.reader() as reader:
        rows = reader.entries([0])
    opening = kernel.log.opening(rows[0]) if rows else None
    if opening is None or opening.values["result"] != profile:
        raise LedgerCorrupt("the profile differs from the first entry's", 0)
