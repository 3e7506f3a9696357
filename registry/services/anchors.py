"""Having published checkpoints time-stamped (RFC 3161): in an authority's word they existed at some time.

What an authority answers is verified before it is kept. An entry ``anchor`` names each token by its hash, so that what
was entered later is known to be later than the authority's time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.crypto.random import random_bytes
from registry.crypto.timestamps import Demands, Stamp, read_roots, request_of, verify_response
from registry.domain.clock import iso
from registry.domain.errors import MisconfiguredHome, ProofRejected
from registry.services.kernel import Kernel
from registry.services.publish import Published
from registry.services.rerun import rerun_once
from registry.transparency.bundle import StampedCheckpoint, read_bundle
from registry.transparency.leaf import parse_leaf
from registry.witness.authority import AuthoritySilent

# An authority's time this far from ours tells that one of the two clocks is wrong.
CLOCKS_APART_SECONDS = 300
_NONCE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Authority:
    """One of ``[[anchors]]`` in config.toml.

    Attributes:
        name: in files and entries; lower case, digits and hyphens.
        url: where it is asked, https or this machine.
        ca_file: its certificates that are trusted, PEM.
        policy: the policy that is asked for, dotted; empty for its own.
    """

    name: str
    url: str
    ca_file: Path
    policy: str = ""

    def demands(self, note: str, nonce: int | None = None) -> Demands:
        """Return what a token of this authority over a checkpoint must be.

        Raises:
            MisconfiguredHome: its certificates cannot be read.
        """
        try:
            roots = read_roots(self.ca_file.read_bytes())
        except (OSError, ProofRejected):
            raise MisconfiguredHome(f"{self.ca_file} holds no certificates of a time-stamping authority") from None
        return Demands(sha256(note.encode()).digest(), roots, self.policy, nonce)


@dataclass(frozen=True, slots=True)
class AnchorSettings:
    """Who stamps checkpoints, and how often (``[[anchors]]`` and ``anchor_minutes`` in config.toml)."""

    authorities: tuple[Authority, ...] = ()
    every_minutes: int = 10


@dataclass(frozen=True, slots=True)
class Kept:
    """A stamped checkpoint as it is kept: its size, its note, and tokens by the authorities' names."""

    size: int
    note: str
    tokens: Mapping[str, bytes] = field(repr=False)


class Wire(Protocol):
    """Carries requests to authorities; raises ``AuthoritySilent``."""

    def ask(self, url: str, request: bytes) -> bytes:
        """Return the body of the answer."""
        ...


class Shelf(Protocol):
    """Keeps stamped checkpoints."""

    def put(self, size: int, note: str, name: str, token: bytes) -> None:
        """Keep a token with what it is over."""
        ...

    def kept(self) -> Sequence[Kept]:
        """Return all, by size."""
        ...

    def turn(self) -> AbstractContextManager[bool]:
        """Try to be the one process that asks."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one authority in a round: its stamp with the token, or why there is none."""

    name: str
    stamp: Stamp | None = None
    token: bytes = field(default=b"", repr=False)
    failure: str = ""


class Anchors:
    """Has the checkpoints of one ledger stamped."""

    def __init__(
        self, kernel: Kernel, settings: AnchorSettings, newest: Callable[[], Published], wire: Wire, shelf: Shelf
    ) -> None:
        self._kernel = kernel
        self._settings = settings
        self._newest = newest
        self._wire = wire
        self._shelf = shelf

    @property
    def every_seconds(self) -> int:
        """Time between two rounds."""
        return self._settings.every_minutes * 60

    def round(self) -> tuple[Asked, ...]:
        """Ask every authority to stamp the newest checkpoint, unless nothing is new or another process asks.

        Raises:
            AuditUnavailable: nothing may be published, or what came of it cannot be kept or entered.
            MisconfiguredHome: an authority's certificates cannot be read.
        """
        with self._shelf.turn() as is_ours:
            published = self._newest() if is_ours else None
            # The entry about the round before is not worth another one.
            stamped = max((one.size + 1 for one in self._shelf.kept()), default=0)
            if published is None or published.checkpoint.size <= stamped:
                return ()
            asked = tuple(self._ask(authority, published) for authority in self._settings.authorities)
            for one in asked:
                if one.stamp is not None:
                    self._shelf.put(published.checkpoint.size, published.note, one.name, one.token)
            if any(one.stamp is not None for one in asked):
                self._enter(published, asked)
        return asked

    def newest(self) -> tuple[int, datetime] | None:
        """Return size and time of the newest stamped checkpoint, verified again; None for none.

        Raises:
            ProofRejected: a token that is kept does not verify.
            MisconfiguredHome: as ``round``.
        """
        by_name = {authority.name: authority for authority in self._settings.authorities}
        for kept in reversed(self._shelf.kept()):
            for name, token in kept.tokens.items():
                if name in by_name:
                    return kept.size, verify_response(token, by_name[name].demands(kept.note)).at
        return None

    def stamped_before(self, moment: datetime) -> Kept | None:
        """Return the newest checkpoint that is kept and was stamped before a moment, verified again; None for none.

        Raises:
            MisconfiguredHome: as ``round``.
        """
        by_name = {authority.name: authority for authority in self._settings.authorities}
        for kept in reversed(self._shelf.kept()):
            for name, token in kept.tokens.items():
                try:
                    if name in by_name and verify_response(token, by_name[name].demands(kept.note)).at < moment:
                        return kept
                except ProofRejected:
                    continue  # damaged: another one may hold
        return None

    def _ask(self, authority: Authority, published: Published) -> Asked:
        nonce = int.from_bytes(random_bytes(_NONCE_BYTES), "big")
        demands = authority.demands(published.note, nonce)
        try:
            token = self._wire.ask(authority.url, request_of(demands.digest, nonce, authority.policy))
            stamp = verify_response(token, demands)
        except AuthoritySilent:
            return Asked(authority.name, failure="silent")
        except ProofRejected as error:
            return Asked(authority.name, failure=str(error))
        if abs((stamp.at - self._kernel.clock.now()).total_seconds()) > CLOCKS_APART_SECONDS:
            return Asked(authority.name, failure="clocks apart")
        return Asked(authority.name, stamp, token)

    @rerun_once
    def _enter(self, published: Published, asked: Sequence[Asked]) -> None:
        told = [
            f"{one.name} {iso(one.stamp.at)} token {sha256(one.token).hexdigest()}"
            for one in asked
            if one.stamp is not None
        ]
        note = sha256(published.note.encode()).hexdigest()
        values = {"detail": "; ".join([f"checkpoint of {published.checkpoint.size} entries {note}", *told])}
        with self._kernel.database.write() as work:
            self._kernel.log.append(work.ledger, [EntryDraft(Kind.ANCHOR, values)])
            work.commit()


@dataclass(frozen=True, slots=True)
class Checked:
    """A stamp of a bundle that verified: the checkpoint's size, the token's name, and what it says."""

    size: int
    name: str
    stamp: Stamp


def check_stamps(bundle: bytes, pem: bytes) -> tuple[Checked, ...]:
    """Verify every time-stamp of a bundle that was verified otherwise.

    Args:
        bundle: the zip's bytes.
        pem: certificates of authorities that the reader trusts.

    Raises:
        ProofRejected: a token does not verify, or an entry under it claims a later time.
    """
    roots, opened = read_roots(pem), read_bundle(bundle)
    found = []
    for stamped in opened.stamps:
        digest = sha256(stamped.checkpoint.note.encode()).digest()
        for name, token in stamped.tokens.items():
            try:
                stamp = verify_response(token, Demands(digest, roots))
                _demand_later(stamped, stamp, {one.index: one.leaf for one in opened.entries})
            except ProofRejected as error:
                raise ProofRejected(f"time-stamp {name} over {stamped.checkpoint.size} entries: {error}") from None
            found.append(Checked(stamped.checkpoint.size, name, stamp))
    return tuple(found)


def _demand_later(stamped: StampedCheckpoint, stamp: Stamp, leaves: Mapping[int, bytes]) -> None:
    latest = stamp.at.timestamp() + CLOCKS_APART_SECONDS
    for index, leaf in leaves.items():
        if index < stamped.checkpoint.size and parse_leaf(leaf).unix_ms / 1_000 > latest:
            raise ProofRejected(f"entry {index} claims a later time")
