"""Asking witnesses to cosign what is published, and what follows when one of them has seen something else.

A witness belongs to another organisation and remembers the last checkpoint that it cosigned. Whoever runs this machine
can rewrite the database, sign it again, and change the high-water mark and the tiles; not what the witness remembers.
So a witness that shows *our own signature* over a longer ledger, or over another root, ends service: no entry is taken
until it cosigns again. Its word alone ends nothing: a witness must not be able to stop a registry by lying.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from registry.audit.log import AuditLog
from registry.domain.clock import Clock, unix_ms
from registry.domain.errors import AuditUnavailable, ProofRejected
from registry.services.publish import Published, Publisher
from registry.transparency.checkpoint import Checkpoint, open_checkpoint, open_own
from registry.transparency.cosignature import Cosigner, open_cosignatures
from registry.transparency.note import LedgerKeys, Verifier, line_of, split_note
from registry.transparency.terms import KeyTerm
from registry.transparency.trust_policy import PolicyWitness, TrustPolicy
from registry.transparency.witness_wire import (
    AddCheckpoint,
    format_add_checkpoint,
    monitoring_path,
    parse_size_answer,
)
from registry.transparency.witnessing import CONFLICT, FORBIDDEN, INCONSISTENT, OK
from registry.witness.client import Answer, WitnessSilent
from registry.witness.keys import check_of

ROLLED_BACK, FORKED, UNWITNESSED = "rolled_back", "forked", "unwitnessed"
# A cosignature's time this far from ours is no use: freshness is what it is for.
CLOCKS_APART_SECONDS = 300
_TRIES = 3
# A round comes sooner than its time where the ledger has grown by so many entries.
EVERY_ENTRIES = 256
_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """``[witness]`` in config.toml.

    Attributes:
        policy: the tlog-policy file; None for no witnesses.
        every_seconds: time between two rounds.
        alarm_minutes, alarm_entries: how far the quorum may be behind before it is an alarm.
        stop_hours: how far before no entry is taken; 0 for never.
    """

    policy: Path | None = None
    every_seconds: int = 10
    alarm_minutes: int = 15
    alarm_entries: int = 10_000
    stop_hours: int = 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is kept between rounds.

    Attributes:
        since_ms: when the first round was.
        size, at_ms: of the newest checkpoint that met the quorum, and when; 0 for none.
        sizes: by witness, size of the checkpoint that it cosigned last.
        failures: by witness, why it did not cosign in the last round.
    """

    since_ms: int = 0
    size: int = 0
    at_ms: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why no entry is taken: the cause, the witness that showed it, and when."""

    cause: str
    witness: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the ledger stands with its witnesses.

    Attributes:
        lag_entries: entries that no quorum has seen.
        lag_ms: for how long the oldest of them has not been seen at most; 0 when there are none.
        alarm: why no entry is taken.
        failures: by witness, why it did not cosign in the last round.
    """

    lag_entries: int
    lag_ms: int
    alarm: Alarm | None
    failures: Mapping[str, str]


class Wire(Protocol):
    """Carries requests to witnesses; raises ``WitnessSilent``."""

    def submit(self, prefix: str, body: bytes) -> Answer:
        """Ask for a cosignature."""
        ...

    def look(self, prefix: str, path: str) -> Answer:
        """Ask for the checkpoint that was cosigned last."""
        ...


class Notebook(Protocol):
    """Keeps what is known of the witnesses between rounds, for all processes of a home."""

    def cosigned(self) -> str | None:
        """Return the newest cosigned checkpoint."""
        ...

    def remembered(self) -> Remembered:
        """Return what is kept between rounds."""
        ...

    def alarm(self) -> Alarm | None:
        """Return the alarm, if there is one."""
        ...

    def remember(self, state: Remembered, cosigned: str | None) -> None:
        """Keep it."""
        ...

    def keep(self, size: int, note: str) -> None:
        """Keep a checkpoint that a quorum cosigned, for good."""
        ...

    def seen(self) -> Iterable[tuple[int, str]]:
        """Give what was kept for good, as size and note, the longest first."""
        ...

    def raise_alarm(self, alarm: Alarm, evidence: str) -> None:
        """Keep evidence and alarm."""
        ...

    def end_alarm(self) -> None:
        """Take the alarm away; evidence stays."""
        ...

    def turn(self) -> AbstractContextManager[bool]:
        """Try to be the one process that asks."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one witness in a round: its cosignature line over a checkpoint, or why there is none."""

    witness: str
    line: str = ""
    checkpoint: Checkpoint | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """Whom to ask: the policy, each witness's address by its name, the limits, and the ledger's own key."""

    policy: TrustPolicy
    addresses: Mapping[str, str]
    settings: WitnessSettings
    verifier: LedgerKeys


class _Shown(Exception):
    """A witness showed our own signature over what we do not have."""

    def __init__(self, cause: str, evidence: str) -> None:
        self.cause = cause
        self.evidence = evidence


class Witnesses:
    """Asks the witnesses of one registry."""

    def __init__(self, log: AuditLog, publisher: Publisher, panel: Panel, wire: Wire, notebook: Notebook) -> None:
        self._log = log
        self._publisher = publisher
        self._panel = panel
        self._wire = wire
        self._notebook = notebook

    @property
    def every_seconds(self) -> int:
        """Time between two rounds."""
        return self._panel.settings.every_seconds

    @property
    def policy(self) -> TrustPolicy:
        """Who cosigns, and how many must."""
        return self._panel.policy

    def round(self, clock: Clock) -> tuple[Asked, ...]:
        """Ask every witness, unless another process does, and let the ledger take entries or not.

        Raises:
            AuditUnavailable: nothing may be published, or what came of it cannot be kept.
        """
        now = unix_ms(clock.now())
        asked: tuple[Asked, ...] = ()
        try:
            with self._notebook.turn() as is_ours:
                if is_ours:
                    asked = self._round(now)
        finally:
            self._log.stop(self._cause(now))
        return asked

    def published(self) -> Published:
        """Return the newest cosigned checkpoint; the newest one at all when none is cosigned.

        Raises:
            AuditUnavailable: nothing may be published, or what was cosigned is longer, or another history.
        """
        newest, note = self._publisher.publish(), self._notebook.cosigned()
        if note is None:
            return newest
        try:
            cosigned = open_checkpoint(note, self._panel.verifier, newest.checkpoint.origin)
        except ProofRejected:
            return newest  # the file was damaged: the next round writes it anew
        if cosigned.size > newest.checkpoint.size:
            raise AuditUnavailable(ROLLED_BACK)
        if self._publisher.root(cosigned.size) != cosigned.root:
            raise AuditUnavailable(FORKED)
        return Published(cosigned, note)

    def standing(self, clock: Clock) -> Standing:
        """Tell how the ledger stands with its witnesses, from what is kept.

        Raises:
            AuditUnavailable: nothing may be published.
        """
        known, now = self._notebook.remembered(), unix_ms(clock.now())
        lag = max(0, self._publisher.publish().checkpoint.size - known.size)
        since = known.at_ms or known.since_ms or now
        return Standing(lag, max(0, now - since) if lag else 0, self._notebook.alarm(), known.failures)

    def is_late(self, standing: Standing) -> bool:
        """Tell whether the quorum is so far behind that somebody should look."""
        limits = self._panel.settings
        return standing.lag_ms > limits.alarm_minutes * _MINUTE_MS or standing.lag_entries > limits.alarm_entries

    def contradictions(self) -> Mapping[str, str]:
        """Look at what every witness shows, without asking for anything: causes by witness, where it contradicts us.

        Raises:
            AuditUnavailable: nothing may be published.
        """
        found = {}
        for name in self._panel.policy.witnesses:
            try:
                self._confront(name)
            except _Shown as shown:
                found[name] = shown.cause
        return found

    def seen_before(self, moment: datetime) -> Published | None:
        """Return the newest checkpoint that is kept and that a quorum cosigned before a moment; None for none.

        Raises:
            AuditUnavailable: what is kept cannot be read.
        """
        newest = self._notebook.cosigned()
        cosigners = [Cosigner(one.key, check_of(one.key)) for one in self._panel.policy.witnesses.values()]
        names = {one.key: name for name, one in self._panel.policy.witnesses.items()}
        for note in (*([] if newest is None else [newest]), *(note for _, note in self._notebook.seen())):
            try:
                checkpoint = open_own(note, self._panel.verifier)
                found = open_cosignatures(note, cosigners, checkpoint.origin)
            except ProofRejected:
                continue  # damaged: another one may hold
            early = [names[one.key] for one in found if one.unix_s < moment.timestamp()]
            if early and self._panel.policy.is_met_by(early):
                return Published(checkpoint, note)
        return None

    def misused(self, term: KeyTerm) -> Mapping[str, Checkpoint]:
        """Look whether witnesses show what a former key signed and this ledger does not have; by witness.

        Args:
            term: of a key that was compromised: until a witness's operator takes it out, its thief is cosigned there.

        Raises:
            AuditUnavailable: nothing may be published.
        """
        found, key = {}, term.pair.key
        for name in self._panel.policy.witnesses:
            try:
                answer = self._wire.look(self._panel.addresses[name], monitoring_path(key.name))
                if answer.status != OK:
                    continue
                seen = open_checkpoint(answer.body, Verifier(key, check_of(key)), key.name)
            except (WitnessSilent, ProofRejected):
                continue
            if seen.size > term.last or self._publisher.root(seen.size) != seen.root:
                found[name] = seen
        return found

    def _round(self, now: int) -> tuple[Asked, ...]:
        known = self._notebook.remembered()
        before = self._notebook.alarm()
        published = self._publisher.publish()
        asked, alarm = [], None
        for witness in self._panel.policy.witnesses.values():
            try:
                one = self._ask(witness, published, known.sizes.get(witness.name, 0), now)
            except _Shown as shown:
                alarm = Alarm(shown.cause, witness.name, now)
                self._notebook.raise_alarm(alarm, shown.evidence)
                one = Asked(witness.name, failure=shown.cause)
            asked.append(one)
        agreed = {one.witness for one in asked if one.line}
        if alarm is None and before is not None and before.witness in agreed:
            self._notebook.end_alarm()
        self._remember(known, asked, published, now)
        return tuple(asked)

    def _remember(self, known: Remembered, asked: Sequence[Asked], published: Published, now: int) -> None:
        signed = [one for one in asked if one.checkpoint == published.checkpoint]
        note = published.note + "".join(one.line for one in signed) if signed else None
        sizes = {one.witness: one.checkpoint.size for one in asked if one.checkpoint is not None}
        failures = {one.witness: one.failure for one in asked if one.failure}
        state = replace(known, since_ms=known.since_ms or now, sizes={**known.sizes, **sizes}, failures=failures)
        if note is not None and self._panel.policy.is_met_by([one.witness for one in signed]):
            state = replace(state, size=published.checkpoint.size, at_ms=now)
            if known.at_ms // _HOUR_MS != now // _HOUR_MS:
                self._notebook.keep(published.checkpoint.size, note)
        self._notebook.remember(state, note)

    def _ask(self, witness: PolicyWitness, published: Published, old_size: int, now: int) -> Asked:
        """Ask one witness to cosign.

        Raises:
            _Shown: it has our signature over what we do not have.
        """
        size = published.checkpoint.size
        old = old_size if old_size <= size else 0
        for _ in range(_TRIES):
            proof = self._publisher.proof(old, published.checkpoint)
            body = format_add_checkpoint(AddCheckpoint(old, proof, published.note))
            try:
                answer = self._wire.submit(self._panel.addresses[witness.name], body)
                if answer.status != CONFLICT:
                    break
                old = parse_size_answer(answer.body)
            except WitnessSilent:
                return Asked(witness.name, failure="silent")
            except ProofRejected:
                return Asked(witness.name, failure="malformed")
            if old > size:
                self._confront(witness.name)
                return Asked(witness.name, failure="ahead")
        # 403 too: put back to before an exchange of the key, a ledger is signed by one that the witness takes no more.
        if answer.status in (INCONSISTENT, FORBIDDEN):
            self._confront(witness.name)
        if answer.status != OK:
            return Asked(witness.name, failure=f"refused {answer.status}")
        return self._cosigned(witness, published, answer.body, now)

    def _cosigned(self, witness: PolicyWitness, published: Published, body: bytes, now: int) -> Asked:
        """Take the one line that verifies under the witness's key; what else it sent is dropped."""
        try:
            note = published.note + body.decode()
            cosigner, origin = Cosigner(witness.key, check_of(witness.key)), published.checkpoint.origin
            found = open_cosignatures(note, (cosigner,), origin)
            place = (witness.key.name, witness.key.key_id)
            line = next(line_of(line) for line in split_note(note)[1] if (line.name, line.key_id) == place)
        except (ProofRejected, UnicodeDecodeError, StopIteration):
            return Asked(witness.name, failure="malformed")
        if abs(found[0].unix_s - now // 1000) > CLOCKS_APART_SECONDS:
            return Asked(witness.name, failure="clocks apart")
        return Asked(witness.name, line, published.checkpoint)

    def _confront(self, name: str) -> None:
        """Compare what a witness shows with what we have.

        Raises:
            _Shown: our own signature is over something else.
        """
        own = self._panel.verifier
        try:
            answer = self._wire.look(self._panel.addresses[name], monitoring_path(own.key.name))
            if answer.status != OK:
                return
            seen = open_checkpoint(answer.body, own, own.key.name)
        except (WitnessSilent, ProofRejected):
            return
        ours = self._publisher.publish()  # another process may have appended meanwhile
        evidence = f"{answer.body.decode()}\n--- what this registry has ---\n{ours.note}"
        if seen.size > ours.checkpoint.size:
            raise _Shown(ROLLED_BACK, evidence)
        if self._publisher.root(seen.size) != seen.root:
            raise _Shown(FORKED, evidence)

    def _cause(self, now: int) -> str | None:
        alarm = self._notebook.alarm()
        if alarm is not None:
            return alarm.cause
        known, hours = self._notebook.remembered(), self._panel.settings.stop_hours
        since = known.at_ms or known.since_ms or now
        return UNWITNESSED if hours and now - since > hours * _HOUR_MS else None
