"""The ledger's parts that need a key: signing its checkpoints, checking them, opening it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from registry.audit.bodies import BodyKeys
from registry.audit.chains import Chains
from registry.audit.log import AuditLog, LogKeys
from registry.audit.ports import HeadRow
from registry.crypto.derive import derive
from registry.crypto.sign import SigningKey, verify_signature
from registry.domain.clock import Clock
from registry.domain.errors import MisconfiguredHome, ProofRejected
from registry.keys.ports import Keyring
from registry.services.evidence import Outside
from registry.services.kernel import Kernel
from registry.services.publish import Publisher, Signing
from registry.services.witnesses import Panel, Witnesses
from registry.settings import Settings
from registry.storage.tile_files import TileFiles
from registry.storage.unit_of_work import SqlDatabase
from registry.storage.witness_files import WitnessFiles
from registry.transparency.checkpoint import Checkpoint
from registry.transparency.cosignature import ML_DSA_44, CosignerKey, cosign, cosigner_key
from registry.transparency.note import Verifier, key_id_of, verifier_key
from registry.transparency.trust_policy import NO_QUORUM, PolicyLog, TrustPolicy, format_policy, parse_policy
from registry.witness.client import WitnessWire, demand_address


def open_log(ring: Keyring, registry: str, origin: str, bodies: BodyKeys, clock: Clock) -> AuditLog:
    """Return the ledger with its keys."""
    chains = Chains(registry, ring.secret("index"))
    codes = derive(ring.secret("marks"), "registry/receipt-codes/v1")
    return AuditLog(origin, LogKeys(_NoteKey(origin, ring.signing_key()), bodies, chains, codes), clock)


def ledger_verifier(ring: Keyring, origin: str) -> Verifier:
    """Return what checks the signatures of the ledger of a keyring."""
    public = ring.signing_key().public_bytes
    return Verifier(verifier_key(origin, public), _SignatureChecker(public))


def second_key(ring: Keyring, origin: str) -> CosignerKey:
    """Return the public key of the second signature on published checkpoints: ML-DSA-44, under the ledger's name."""
    return cosigner_key(origin, ML_DSA_44, ring.lattice_key().public_bytes)


def open_publisher(ring: Keyring, kernel: Kernel, folder: Path) -> Publisher:
    """Return what gives out the ledger's checkpoints, tiles and proofs.

    Args:
        ring: the registry's keys.
        kernel: the running registry.
        folder: of the ledger's side files.
    """
    origin = kernel.log.origin
    private, public = ring.lattice_key(), second_key(ring, origin)

    def second(checkpoint: Checkpoint, unix_s: int) -> str:
        return cosign(public, checkpoint, unix_s, private.sign)

    signing = Signing(ledger_verifier(ring, origin), second)
    return Publisher(kernel.database, kernel.clock, signing, TileFiles(folder))


def open_witnesses(log: AuditLog, publisher: Publisher, settings: Settings, verifier: Verifier) -> Witnesses | None:
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
    if verifier.key not in [one.key for one in policy.logs] or not policy.witnesses:
        raise MisconfiguredHome(f"{path} must have this ledger's key (registry audit checkpoint --json) and a witness")
    addresses = {name: demand_address(one.url) for name, one in policy.witnesses.items()}
    panel = Panel(policy, addresses, settings.witness, verifier)
    return Witnesses(log, publisher, panel, WitnessWire(), WitnessFiles(settings.ledger))


def outside_of(ring: Keyring, origin: str, publisher: Publisher, panel: Witnesses | None) -> Outside:
    """Return what evidence is cut from, with a policy that states the ledger's keys, its witnesses and their quorum."""
    policy = TrustPolicy((), {}, {}, NO_QUORUM) if panel is None else panel.policy
    logs = (PolicyLog(ledger_verifier(ring, origin).key), PolicyLog(second_key(ring, origin)))
    return Outside(publisher, panel, format_policy(replace(policy, logs=logs)))


def head_of(database: SqlDatabase) -> HeadRow:
    """Return the committed head."""
    with database.reader() as reader:
        return reader.head()


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
