"""The ledger's parts that need a key: signing its checkpoints, checking them, opening it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from registry.audit.bodies import BodyKeys
from registry.audit.chains import Chains
from registry.audit.log import AuditLog, LogKeys
from registry.audit.ports import HeadRow
from registry.bootstrap.signing import LedgerSigning
from registry.domain.clock import Clock
from registry.domain.errors import MisconfiguredHome, ProofRejected
from registry.services.anchors import Anchors
from registry.services.evidence import Outside
from registry.services.kernel import Kernel
from registry.services.mark_secrets import MarkSecrets
from registry.services.publish import Published, Publisher, Signing
from registry.services.witnesses import Panel, Witnesses
from registry.settings import Settings
from registry.storage.anchor_files import AnchorFiles
from registry.storage.tile_files import TileFiles
from registry.storage.unit_of_work import SqlDatabase
from registry.storage.witness_files import WitnessFiles
from registry.transparency.trust_policy import NO_QUORUM, PolicyLog, TrustPolicy, format_policy, parse_policy
from registry.witness.authority import AuthorityWire
from registry.witness.client import WitnessWire, demand_address


def open_log(chains: Chains, signing: LedgerSigning, bodies: BodyKeys, marks: MarkSecrets, clock: Clock) -> AuditLog:
    """Return the ledger with its keys."""
    return AuditLog(LogKeys(signing, bodies, chains, marks.code_key), clock)


def open_publisher(signing: LedgerSigning, kernel: Kernel, folder: Path) -> Publisher:
    """Return what gives out the ledger's checkpoints, tiles and proofs.

    Args:
        signing: the ledger's keys.
        kernel: the running registry.
        folder: of the ledger's side files.
    """
    return Publisher(kernel.database, kernel.clock, Signing(signing, signing.second), TileFiles(folder))


def open_witnesses(log: AuditLog, publisher: Publisher, settings: Settings, signing: LedgerSigning) -> Witnesses | None:
    """Return what asks the ledger's witnesses; None when there are none.

    Raises:
        MisconfiguredHome: the policy cannot be read, does not name this ledger, or a witness without an address.
    """
    path = settings.witness.policy
    if path is None:
        return None
    try:
        policy = parse_policy(path.read_bytes())
    except (OSError, ProofRejected) as error:
        what = str(error) if isinstance(error, ProofRejected) else "it cannot be read"
        raise MisconfiguredHome(f"{path} is no policy of witnesses: {what}") from None
    # A policy may lag behind an exchange of the key, and may be ahead of one that is announced.
    own = {signing.key, *(term.pair.key for term in signing.terms)}
    if own.isdisjoint(one.key for one in policy.logs) or not policy.witnesses:
        raise MisconfiguredHome(f"{path} must have this ledger's key (registry audit checkpoint --json) and a witness")
    addresses = {name: demand_address(one.url) for name, one in policy.witnesses.items()}
    panel = Panel(policy, addresses, settings.witness, signing)
    return Witnesses(log, publisher, panel, WitnessWire(), WitnessFiles(settings.ledger))


def open_anchors(settings: Settings, kernel: Kernel, newest: Callable[[], Published]) -> Anchors | None:
    """Return what has checkpoints time-stamped; None when no authority is set."""
    if not settings.anchors.authorities:
        return None
    return Anchors(kernel, settings.anchors, newest, AuthorityWire(), AnchorFiles(settings.ledger))


def outside_of(signing: LedgerSigning, publisher: Publisher, panel: Witnesses | None, folder: Path) -> Outside:
    """Return what evidence is cut from, with a policy that states the ledger's keys, its witnesses and their quorum."""
    policy = TrustPolicy((), {}, {}, NO_QUORUM) if panel is None else panel.policy

    def stated() -> str:
        pair = signing.pair
        return format_policy(replace(policy, logs=(PolicyLog(pair.key), PolicyLog(pair.second))))

    return Outside(publisher, panel, signing, stated, AnchorFiles(folder).kept, WitnessFiles(folder).seen)


def head_of(database: SqlDatabase) -> HeadRow:
    """Return the committed head."""
    with database.reader() as reader:
        return reader.head()
