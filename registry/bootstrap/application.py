"""One opened registry: everything that the API, the console and the command line call."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from registry.audit.high_water import Compared, compare, mark_of
from registry.audit.verify import LedgerVerifier
from registry.bootstrap.checks import demand_revision, registry_of
from registry.bootstrap.ledger import head_of, open_anchors
from registry.bootstrap.signing import LedgerSigning
from registry.domain.duties import LOCAL_ISSUER
from registry.domain.errors import AuditUnavailable, LedgerCorrupt, MisconfiguredHome, ProofRejected
from registry.domain.principals import Claims, Role
from registry.identity.dev_issuer import DevelopmentIssuer
from registry.identity.issuer_keys import IssuerKeys
from registry.identity.possession import Possession
from registry.identity.sign_in import SignIn
from registry.identity.strangers import Strangers
from registry.identity.token_cache import VerifiedTokens
from registry.keys.data_keys import DataKeys
from registry.keys.erased import ErasedList
from registry.keys.ports import Keyring
from registry.services.accounting import Accountings
from registry.services.admissions import Admissions
from registry.services.anchors import Anchors
from registry.services.approvals import Approvals
from registry.services.awaiting import Awaiting
from registry.services.break_glass import BreakGlass
from registry.services.check_rows import CheckRows
from registry.services.check_value import CheckValue
from registry.services.compromises import Suspected, suspected_of
from registry.services.contact import Contacts
from registry.services.decoys import Decoys
from registry.services.digests import Digests
from registry.services.disclose import Disclose
from registry.services.ending import Ending
from registry.services.enroll import Enroll
from registry.services.erase import Erase
from registry.services.evidence import Evidence
from registry.services.heartbeat import Heartbeat
from registry.services.holds import Holds
from registry.services.import_people import ImportPeople
from registry.services.kernel import Caller, Kernel
from registry.services.key_changes import KeyChanges
from registry.services.lane import Lane
from registry.services.later_items import LaterItems
from registry.services.leaver_report import LeaverReport
from registry.services.match import MatchText
from registry.services.meters import Meters
from registry.services.outcomes import Outcomes
from registry.services.petition_answers import PetitionAnswers
from registry.services.petitions import Petitions
from registry.services.policy_changes import PolicyChanges
from registry.services.principals import Grant, Principals
from registry.services.provision import Provision
from registry.services.read_audit import ReadAudit
from registry.services.read_tiles import ReadTiles
from registry.services.refusals import Refusals
from registry.services.release_check import ReleaseCheck
from registry.services.resuming import Resuming
from registry.services.retention import Retention
from registry.services.review_sample import ReviewSample
from registry.services.revoke import Revoke
from registry.services.search import Search
from registry.services.send_notices import SendNotices
from registry.services.trace import Trace
from registry.services.units import Units
from registry.services.unlock import Unlock
from registry.services.unusual import UnusualAccess
from registry.services.update import Update
from registry.services.value_searches import ValueSearches
from registry.services.witnesses import Witnesses
from registry.settings import DEVELOPMENT, Settings
from registry.storage.high_water import HighWaterFile, HighWaterKeeper
from registry.storage.unit_of_work import SqlDatabase
from registry.transparency.note import VerifierKey
from registry.vault.cases import CaseVault
from registry.vault.unit_names import UnitNames

_ALWAYS = 2**53
# What the person at the keyboard of a development registry may do through the command line.
LOCAL_ROLES = frozenset({Role.ENROLLER, Role.READER, Role.INVESTIGATOR, Role.AUDITOR, Role.SECURITY_ADMIN})


@dataclass(frozen=True, slots=True)
class Application:
    """One opened registry: everything that the API, the console and the command line call."""

    settings: Settings
    profile: str
    kernel: Kernel
    database: SqlDatabase
    tokens: VerifiedTokens
    possession: Possession
    issuer_keys: IssuerKeys
    refusals: Refusals
    enroll: Enroll
    update: Update
    import_people: ImportPeople
    disclose: Disclose
    lane: Lane
    outcomes: Outcomes
    meters: Meters
    ending: Ending
    admissions: Admissions
    search: Search
    matcher: MatchText
    trace: Trace
    check_value: CheckValue
    value_searches: ValueSearches
    release_check: ReleaseCheck
    unusual: UnusualAccess
    review_sample: ReviewSample
    evidence: Evidence
    audit: ReadAudit
    approvals: Approvals
    break_glass: BreakGlass
    petitions: Petitions
    petition_answers: PetitionAnswers
    contacts: Contacts
    principals: Principals
    policy_changes: PolicyChanges
    unlock: Unlock
    decoys: Decoys
    leaver_report: LeaverReport
    notices: SendNotices
    digests: Digests
    holds: Holds
    ledger_verifier: LedgerVerifier
    row_check: CheckRows
    signing: LedgerSigning
    keyring: Keyring
    tiles: ReadTiles
    witnesses: Witnesses | None
    sign_in: SignIn | None = None
    high_water: HighWaterKeeper | None = None
    strangers: Strangers = field(default_factory=lambda: Strangers(time.monotonic))

    @property
    def later_items(self) -> LaterItems:
        """Adds what is seen later to cases of traces."""
        return LaterItems(self.kernel, self.trace)

    @property
    def awaiting(self) -> Awaiting:
        """What waits for whoever signs in to the console."""
        return Awaiting(self.kernel, self.review_sample)

    @property
    def accountings(self) -> Accountings:
        """What produces accountings of disclosures."""
        return Accountings(self.kernel, self.audit)

    @property
    def retention(self) -> Retention:
        """What removes what old entries say."""
        return Retention(self.kernel, self.settings.openings_kept)

    @property
    def erase(self) -> Erase:
        """What takes people out; made when it is asked for, which is seldom."""
        keys = DataKeys(self.keyring.provider("cases"), self.kernel.registry)
        return Erase(self.kernel, CaseVault(self.kernel.registry, keys), self.erased)

    @property
    def erased(self) -> ErasedList:
        """Who was erased."""
        return erased_list(self.settings, self.keyring)

    @property
    def anchors(self) -> Anchors | None:
        """What has checkpoints time-stamped; None when no authority is set."""
        return open_anchors(self.settings, self.kernel, self.tiles.checkpoint)

    @property
    def heartbeat(self) -> Heartbeat:
        """What makes an entry where there was none for a while."""
        return Heartbeat(self.kernel, self.settings.heartbeat(self.profile))

    @property
    def key_changes(self) -> KeyChanges:
        """Asks for changes of keys, and uses up what was approved."""
        return KeyChanges(self.kernel, self.audit)

    @property
    def provision(self) -> Provision:
        """People whom an HR system keeps up to date."""
        return Provision(self.kernel, self.enroll, self.update)

    @property
    def revoke(self) -> Revoke:
        """Takes tokens back."""
        return Revoke(self.kernel)

    @property
    def units(self) -> Units:
        """Units that an HR system keeps."""
        names = UnitNames(self.kernel.registry, self.keyring.secret("index"))
        return Units(self.kernel, self.update, names)

    @property
    def verifier_key(self) -> VerifierKey:
        """The key that the ledger's checkpoints verify with now."""
        return self.signing.key

    @property
    def suspected(self) -> tuple[Suspected, ...]:
        """The compromised ones of the ledger's former keys, oldest first."""
        with self.database.reader() as reader:
            return suspected_of(
                self.signing.terms, reader.entries, lambda row: (self.audit.read(row).values or {}).get("result", "")
            )

    def close(self) -> None:
        """Answer the lookups that wait, write what is only counted, raise the high-water mark, close the database.

        What cannot be done keeps nothing else from being done; then the last error is raised.
        """
        with ExitStack() as last_first:
            last_first.callback(self.keyring.close)
            last_first.callback(self.database.close)
            if self.high_water is not None:
                last_first.callback(self.high_water.close)
            last_first.callback(self.tiles.close)
            last_first.callback(self.refusals.close)
            last_first.callback(self.outcomes.flush)
            self.lane.close()

    def compare_high_water(self) -> Compared:
        """Compare the database with the mark in the home folder.

        Raises:
            MisconfiguredHome: the mark cannot be read.
        """
        raw = HighWaterFile(self.settings.ledger).read()
        with self.database.reader() as reader:
            return compare(raw, reader, self.signing)

    def readiness(self) -> Mapping[str, Callable[[], object]]:
        """Return the checks of what an answer needs: database, revision, keyring, ledger, an entry, issuers' keys."""
        return {
            "database": lambda: registry_of(self.database),
            "migrations": lambda: demand_revision(self.database),
            "keyring": self.keyring.health,
            "ledger": self._demand_own_head,
            "entries": Resuming(self.kernel).demand_entries,
            "issuers": self.issuer_keys.demand_any,
        }

    def _demand_own_head(self) -> None:
        self.kernel.log.demand_going()
        head = head_of(self.database)
        try:
            is_own = mark_of(head, self.signing).edge.root() == head.root
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
        # Who may read this home's keys sits at the machine: there is no stronger sign-in to ask for.
        claims = Claims(LOCAL_ISSUER, user_name(), None, "", "registry-cli", 0, step_up_until=_ALWAYS)
        caller = Caller(claims)
        self.principals.ensure(Grant(LOCAL_ISSUER, user_name(), LOCAL_ROLES), operator=operator())
        return caller

    def development_issuer(self) -> DevelopmentIssuer:
        """Return the development issuer.

        Raises:
            MisconfiguredHome: not in the development profile.
        """
        return DevelopmentIssuer.load(self.settings.keys, self.profile)


def operator() -> str:
    """Name the operating system's user, for entries about what was done at the keyboard."""
    return f"local:{user_name()}"


def user_name() -> str:
    """Name the operating system's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def erased_list(settings: Settings, ring: Keyring) -> ErasedList:
    """Return the list of who was erased, beside the keys; the secret of its tags is never exchanged."""
    return ErasedList(settings.keys, ring.secret("index"))
