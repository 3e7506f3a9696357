"""Trust policies (c2sp.org/tlog-policy): which ledgers, which witnesses, and how many of them must have cosigned.

Read as octets, as the specification says. Decided on the strict side, each with a test:

* A log's key is Ed25519 (01) or ML-DSA-44 (06), a witness's is a cosigner's (04 or 06); an 01 key is no witness's.
* A comment is a line of its own; after other words a ``#`` is one more word, and one too many.
* The same public key twice is a duplicate, under whatever name or type, within the logs and within the witnesses; a
  key that is a log's and a witness's is refused too: nobody vouches for themselves.
* ``all``, ``any`` and ``none`` name nothing, nor does a word that begins with ``#``. A threshold is canonical decimal.
* A member stands in one group only, and once. The last line may lack its line end. At most 64 KiB and 128 lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from registry.domain.errors import ProofRejected
from registry.transparency._codec import decimal
from registry.transparency.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from registry.transparency.cosignature import (
    ML_DSA_44,
    Cosignature,
    Cosigner,
    CosignerKey,
    format_cosigner,
    open_cosignatures,
    parse_cosigner,
)
from registry.transparency.note import (
    SignatureCheck,
    Verifier,
    VerifierKey,
    format_vkey,
    parse_vkey,
    split_note,
    split_vkey,
)

NO_QUORUM = "none"
MAX_POLICY_BYTES = 65_536
_MAX_LINES = 128
_RESERVED = frozenset({"all", "any", NO_QUORUM})

LogKey = VerifierKey | CosignerKey


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A ledger that is accepted; its key's name is its origin."""

    key: LogKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness: its name in the policy, its key, and where it is asked (its submission prefix)."""

    name: str
    key: CosignerKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group that has witnessed when ``needs`` of its members have."""

    needs: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """A policy.

    Attributes:
        logs: accepted ledgers.
        witnesses: by name, in the file's order.
        groups: by name.
        quorum: the witness or group that must have witnessed; ``none`` for nobody.
    """

    logs: tuple[PolicyLog, ...]
    witnesses: Mapping[str, PolicyWitness]
    groups: Mapping[str, Group]
    quorum: str

    def is_met_by(self, names: Collection[str]) -> bool:
        """Tell whether the cosignatures of these witnesses are enough."""
        return self.quorum == NO_QUORUM or self._has_witnessed(self.quorum, names)

    def _has_witnessed(self, name: str, names: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in names
        return sum(self._has_witnessed(member, names) for member in group.members) >= group.needs


@dataclass(frozen=True, slots=True)
class Trusted:
    """A checkpoint that a policy accepts, with the verified cosignatures by the witness's name in the policy."""

    checkpoint: Checkpoint
    cosignatures: Mapping[str, Cosignature]


# Gives the means to check the signatures of a key; ``crypto`` has it.
CheckOf = Callable[[LogKey], SignatureCheck]


@dataclass(slots=True)
class _Reading:
    """A policy while it is read."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: dict[str, PolicyWitness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str | None = None
    grouped: set[str] = field(default_factory=set)
    keys: set[bytes] = field(default_factory=set)

    def read(self, words: Sequence[str]) -> None:
        readers = {"log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum}
        if words[0] not in readers:
            raise ProofRejected("a line of the policy begins with none of log, witness, group, quorum")
        readers[words[0]](words[1:])

    def _log(self, words: Sequence[str]) -> None:
        if len(words) not in (1, 2):
            raise ProofRejected("a log line is: log <vkey> [<url>]")
        kind = split_vkey(_utf8(words[0]))[2]
        key = parse_cosigner(_utf8(words[0])) if kind == ML_DSA_44 else parse_vkey(_utf8(words[0]))
        self._demand_new_key(key.public_key)
        self.logs.append(PolicyLog(key, *map(_utf8, words[1:])))

    def _witness(self, words: Sequence[str]) -> None:
        if len(words) not in (2, 3):
            raise ProofRejected("a witness line is: witness <name> <vkey> [<url>]")
        name = self._new_name(words[0])
        key = parse_cosigner(_utf8(words[1]))
        self._demand_new_key(key.public_key)
        self.witnesses[name] = PolicyWitness(name, key, *map(_utf8, words[2:]))

    def _group(self, words: Sequence[str]) -> None:
        if len(words) < 3:
            raise ProofRejected("a group line is: group <name> all|any|<k> <name>...")
        name, threshold, *members = words
        self._new_name(name)
        for member in members:
            self._demand_defined(member)
            if member in self.grouped:
                raise ProofRejected("a member stands in more than one group, or twice in one")
            self.grouped.add(member)
        needs = {"all": len(members), "any": 1}.get(threshold, decimal(threshold))
        if needs is None or not 1 <= needs <= len(members):
            raise ProofRejected("a group needs at least one and at most all of its members")
        self.groups[name] = Group(needs, tuple(members))

    def _quorum(self, words: Sequence[str]) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise ProofRejected("a policy has exactly one line: quorum <name>")
        if words[0] != NO_QUORUM:
            self._demand_defined(words[0])
        self.quorum = words[0]

    def _new_name(self, name: str) -> str:
        if name in _RESERVED or name.startswith("#") or name in self.witnesses or name in self.groups:
            raise ProofRejected("a name of the policy is reserved or taken")
        return name

    def _demand_defined(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise ProofRejected("a name is used before the line that defines it")

    def _demand_new_key(self, public_key: bytes) -> None:
        if public_key in self.keys:
            raise ProofRejected("a public key stands in the policy twice")
        self.keys.add(public_key)


def parse_policy(raw: bytes) -> TrustPolicy:
    """Read a policy file.

    Raises:
        ProofRejected: any departure from the format, in words without what stands in the file.
    """
    if len(raw) > MAX_POLICY_BYTES or any((byte < 0x20 and byte not in b"\t\n") or byte == 0x7F for byte in raw):
        raise ProofRejected("the policy is too long or holds a control character")
    # One character an octet: names are opaque, whatever their encoding.
    lines = [line.replace("\t", " ").strip(" ") for line in raw.decode("latin-1").split("\n")]
    stated = [line for line in lines if line and not line.startswith("#")]
    if len(stated) > _MAX_LINES:
        raise ProofRejected("the policy has too many lines")
    reading = _Reading()
    for line in stated:
        reading.read([word for word in line.split(" ") if word])
    if reading.quorum is None:
        raise ProofRejected("a policy has exactly one line: quorum <name>")
    return TrustPolicy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)


def format_policy(policy: TrustPolicy) -> str:
    """Return the text of a policy, without the addresses of ledgers and witnesses."""
    logs = [
        f"log {format_cosigner(log.key) if isinstance(log.key, CosignerKey) else format_vkey(log.key)}"
        for log in policy.logs
    ]
    witnesses = [f"witness {name} {format_cosigner(one.key)}" for name, one in policy.witnesses.items()]
    groups = [f"group {name} {one.needs} {' '.join(one.members)}" for name, one in policy.groups.items()]
    return "".join(f"{line}\n" for line in (*logs, *witnesses, *groups, f"quorum {policy.quorum}"))


def open_trusted(note: str | bytes, policy: TrustPolicy, check_of: CheckOf) -> Trusted:
    """Verify a checkpoint by a policy: signed by one of its ledgers, cosigned as its quorum demands.

    Args:
        note: the complete note.
        policy: by which.
        check_of: gives the means to check the signatures of a key.

    Raises:
        ProofRejected: no listed ledger signed it, a known line is bad, or the quorum is not met.
    """
    origin = split_note(note)[0].partition("\n")[0]
    checkpoint = _signed(note, [log.key for log in policy.logs if log.key.name == origin], check_of)
    by_key = {witness.key: name for name, witness in policy.witnesses.items()}
    found = open_cosignatures(note, [Cosigner(key, check_of(key)) for key in by_key], origin)
    cosignatures = {by_key[one.key]: one for one in found}
    if not policy.is_met_by(cosignatures):
        raise ProofRejected("not enough witnesses have cosigned the checkpoint")
    return Trusted(checkpoint, cosignatures)


def _signed(note: str | bytes, keys: Sequence[LogKey], check_of: CheckOf) -> Checkpoint:
    """Verify the lines of all listed keys of one origin; one good line is needed, and a bad one refuses."""
    text, lines = split_note(note)
    present = {(line.name, line.key_id) for line in lines}
    signing = [key for key in keys if (key.name, key.key_id) in present]
    if not signing:
        raise ProofRejected("no ledger of the policy has signed the checkpoint")
    origin = signing[0].name
    for key in signing:
        if isinstance(key, CosignerKey):
            open_cosignatures(note, (Cosigner(key, check_of(key)),), origin)
        else:
            open_checkpoint(note, Verifier(key, check_of(key)), origin)
    return parse_checkpoint(text, origin)


def _utf8(word: str) -> str:
    try:
        return word.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise ProofRejected("a key or address of the policy is not UTF-8") from None
