"""Exchanging the keys that wrap: rotate, wrap stored keys anew while the registry serves, destroy an earlier key.

What people's data are sealed under, their data keys, stays as it is: only what those are kept under is exchanged. No
value is opened, and no receipt is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.clock import from_unix_ms
from registry.domain.errors import KeyUnavailable
from registry.domain.ids import PersonId
from registry.keys.data_keys import DataKeys
from registry.keys.index_keys import index_owner
from registry.keys.mark_keys import marks_owner
from registry.keys.ports import LEDGER_PURPOSE, KeyFacts, Keyring, ProviderPurpose, WrappedKey
from registry.services.kernel import Kernel
from registry.services.key_advice import Limits, age_of, of_beneath, of_service
from registry.services.key_changes import REWRAP, KeyChanges, destruction, rotation
from registry.services.ports_keys import NUMBERED, PURPOSE_OF, KeyCount, Shelf, StoredKey
from registry.services.principals import at_keyboard
from registry.services.rerun import rerun_once

# Keys of one call of the key service, and of one transaction: others wait for it a few milliseconds.
AT_ONCE = 200
# A process that read the ring just before it changed may still be storing what it wrapped.
SETTLING = timedelta(minutes=10)
IN_USE = "key_in_use"
# Whose the keys of the ledger's openings are: nobody's, but a data key belongs to a person.
LEDGER_OWNER = PersonId("ledger-bodies")


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """One key, and what is to be done about it.

    Attributes:
        facts: what may be shown of the key.
        stored: how many stored keys it wrapped; None for keys that wrap none.
        outdated: of a current key, how many stored keys of its purpose were wrapped otherwise.
        erasures: how many of those who were erased while this key was there; the erasures are complete once it is
            destroyed, because a backup from before may hold what it wrapped.
        destroy_from: of an earlier key, when backups that need it are past; None while stored keys need it.
        next_step: what to do next and why, in words; empty when nothing is.
        versions: of a key that a service keeps in versions, how many stored keys each of them wrapped.
        version: the one that wraps now; None where a key has no versions.
        rests_on: how a key service calls the key that this one rests on; None where there is none.
    """

    facts: KeyFacts
    stored: int | None
    outdated: int
    erasures: int
    destroy_from: datetime | None
    next_step: str
    versions: Mapping[int, int] = field(default_factory=dict)
    version: int | None = None
    rests_on: str | None = None


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What a round of rewrapping did: stored keys that were wrapped anew, and those that do not open."""

    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """How long a key is in use before it is exchanged, and how long a backup may be put back that needs it."""

    exchange_after: timedelta
    backups_kept: timedelta


class KeyLife:
    """The life of the keys that wrap others."""

    def __init__(
        self,
        kernel: Kernel,
        ring: Keyring,
        keys: Mapping[ProviderPurpose, DataKeys],
        kept: KeyTimes,
        changes: KeyChanges,
    ) -> None:
        """Take the parts.

        Args:
            kernel: of the registry.
            ring: whose keys are exchanged.
            keys: what wraps and unwraps stored keys, by purpose.
            kept: how long keys are in use, and how long a backup may be put back.
            changes: what two persons agreed to.
        """
        self._kernel = kernel
        self._ring = ring
        self._keys = keys
        self._kept = kept
        self._changes = changes

    def status(self) -> tuple[KeyStanding, ...]:
        """Return how every key stands; changes nothing."""
        counts = self._counts()
        with self._kernel.database.read() as work:
            erased = [from_unix_ms(row.erased_at) for row in work.erasures.listing()]
        return tuple(self._resting(self._standing(facts, counts, erased)) for facts in self._ring.key_facts())

    def rotate(self, purpose: ProviderPurpose, *, operator: str) -> str:
        """Make a new key of a purpose the current one, and return its id. Stored keys stay as they are.

        Raises:
            AuditUnavailable: the ledger takes no entry; nothing was changed.
            KeyUnavailable: the keys cannot be changed from here, or not now; the entry says so. ``approval_required``:
                keys are under dual control, and nobody has approved this.
        """
        change = rotation(purpose)
        self._changes.demand(change, operator=operator)
        before = next(one.key_id for one in self._ring.key_facts() if one.purpose == purpose and one.retired is None)
        named = (f"rotate {before}", change)
        return self._told(operator, named, lambda: self._ring.rotate(purpose, self._kernel.clock))

    def rewrap(self, *, operator: str, progress: Callable[[int], None] = lambda _: None) -> Rewrapped:
        """Wrap every stored key under the current key of its purpose that is not, and the key folder's own files.

        May be stopped at any time and run again: what is done is done. Each batch is a transaction with its entry.
        Under dual control an approval is used up by the round that comes to its end.

        Raises:
            AuditUnavailable: the ledger takes no entry; what went before is kept.
            KeyUnavailable: the key service cannot be used now; what went before is kept. ``approval_required``: keys
                are under dual control, and nobody has approved this.
        """
        self._changes.demand(REWRAP, operator=operator)
        self._ring.seal_anew()
        done = failed = 0
        for shelf in Shelf:
            keys, after = self._keys[PURPOSE_OF[shelf]], ""
            current = keys.generation()
            while True:
                with self._kernel.database.read() as work:
                    found = work.wrapped_keys.outdated(shelf, current, after, AT_ONCE)
                if not found:
                    break
                after = found[-1].owner
                pairs = self._wrapped_anew(keys, shelf, found)
                done += self._store(operator, shelf, pairs, len(found) - len(pairs))
                failed += len(found) - len(pairs)
                progress(done)
                if shelf in NUMBERED:  # few, and one batch
                    break
        self._note_unused()
        self._changes.finish(REWRAP, operator=operator)
        return Rewrapped(done, failed)

    def discard(self, key_id: str, *, operator: str) -> None:
        """Destroy an earlier key: what it wrapped opens no more, in any backup either.

        Raises:
            AuditUnavailable: the ledger takes no entry; nothing was changed.
            KeyUnavailable: stored keys need it or may in a moment (``IN_USE``), there is no such earlier key, or the
                keys cannot be changed from here. ``approval_required``: keys are under dual control, and nobody has
                approved this.
        """
        facts = next((one for one in self._ring.key_facts() if one.key_id == key_id), None)
        if facts is None or facts.retired is None:
            raise KeyUnavailable(f"{key_id} is no earlier key of this registry")
        change = destruction(key_id)
        self._changes.demand(change, operator=operator)
        # What is refused in any case uses nothing up.
        named = (f"destroy {key_id}", "" if self._why_needed(facts) else change)
        self._told(operator, named, lambda: self._discard(facts))

    def _discard(self, facts: KeyFacts) -> str:
        if why := self._why_needed(facts):
            raise KeyUnavailable(why, IN_USE)
        self._ring.discard(facts.key_id)
        return facts.key_id

    def _why_needed(self, facts: KeyFacts) -> str:
        """Say why an earlier key may not go yet; empty when it may."""
        stored = _stored(facts, self._counts())
        if stored:
            return f"{stored} stored keys need {facts.key_id}; run: registry keys rewrap"
        if facts.retired is not None and self._kernel.clock.now() < facts.retired + SETTLING:
            minutes = SETTLING // timedelta(minutes=1)
            return f"{facts.key_id} was exchanged less than {minutes} minutes ago; try again after that"
        return ""

    def _counts(self) -> list[KeyCount]:
        with self._kernel.database.read() as work:
            return [
                one
                for shelf in Shelf
                for one in work.wrapped_keys.counts(shelf, len(self._keys[PURPOSE_OF[shelf]].generation().head))
            ]

    def _standing(self, facts: KeyFacts, counts: Sequence[KeyCount], erased: Sequence[datetime]) -> KeyStanding:
        limits = Limits(self._kernel.clock.now(), self._kept.exchange_after, self._kept.backups_kept)
        service = self._ring.service_key(facts.purpose) if facts.retired is None else None
        keys = next((keys for purpose, keys in self._keys.items() if purpose == facts.purpose), None)
        if keys is None:
            ages = facts.purpose == LEDGER_PURPOSE  # the other secrets of the ring are not exchanged
            step = age_of(facts, limits) if ages else ""
            if service is not None:
                step = of_service(service, {}, _made(facts), limits)
            return KeyStanding(facts, None, 0, 0, None, step, version=None if service is None else service.newest)
        stored = _stored(facts, counts)
        made = _made(facts)
        waiting = sum(made is None or made <= one for one in erased)
        if facts.retired is not None:
            destroy_from, step = self._of_earlier(facts, stored)
            return KeyStanding(facts, stored, 0, waiting, destroy_from, _joined(_erasures(waiting), step))
        current = keys.generation()
        of_purpose = [one for one in counts if PURPOSE_OF[one.shelf] == facts.purpose]
        outdated = sum(one.count for one in of_purpose if one.head != current)
        standing = KeyStanding(facts, stored, outdated, waiting, None, "")
        if service is not None:
            versions = _versions(of_purpose)
            step = of_service(service, versions, made, limits)
            if waiting and not step:
                step = f"{_erasures(waiting)}; run at the key service: {service.rotate}; then: registry keys rewrap"
            return replace(standing, next_step=step, versions=versions, version=service.newest)
        if outdated:
            step = f"{outdated} stored keys are wrapped otherwise; run: registry keys rewrap"
        elif waiting:
            step = f"{_erasures(waiting)}; run: registry keys rotate {facts.purpose}"
        else:
            step = age_of(facts, limits)
        return replace(standing, next_step=step)

    def _resting(self, one: KeyStanding) -> KeyStanding:
        """Add what a key rests on at a service, and what is next because of that."""
        oldest = self._kernel.clock.now() - self._kept.backups_kept
        beneath = self._ring.key_beneath(one.facts, oldest)
        if beneath is None:
            return one
        step = one.next_step
        if one.facts.retired is None:
            step = step or of_beneath(beneath, one.facts.purpose, wraps=one.stored is not None)
        elif one.destroy_from is not None and one.destroy_from <= self._kernel.clock.now() and beneath.retire:
            step = f"{step}; then, as nothing else rests on it, run at the key service: {'; '.join(beneath.retire)}"
        return replace(one, next_step=step, rests_on=beneath.name)

    def _of_earlier(self, facts: KeyFacts, stored: int) -> tuple[datetime | None, str]:
        if stored or facts.unused is None:
            return None, f"{stored} stored keys need it; run: registry keys rewrap"
        destroy_from = facts.unused + self._kept.backups_kept
        if self._kernel.clock.now() < destroy_from:
            why = f"backups made before {facts.unused:%Y-%m-%d %H:%M} UTC need it"
            return destroy_from, f"{why}; keep it until {destroy_from:%Y-%m-%d}"
        return destroy_from, f"no backup that is kept needs it; run: registry keys shred {facts.key_id}"

    def _note_unused(self) -> None:
        counts = self._counts()
        for facts in self._ring.key_facts():
            if facts.retired is not None and facts.unused is None and not _stored(facts, counts):
                self._ring.note_unused(facts.key_id, self._kernel.clock)

    def _wrapped_anew(
        self, keys: DataKeys, shelf: Shelf, found: Sequence[StoredKey]
    ) -> list[tuple[StoredKey, WrappedKey]]:
        owners = [_owner(shelf, one) for one in found]
        wrapped = keys.wrapped_anew([(owner, one.key) for owner, one in zip(owners, found, strict=True)])
        return [(one, key) for one, key in zip(found, wrapped, strict=True) if isinstance(key, WrappedKey)]

    @rerun_once
    def _store(self, operator: str, shelf: Shelf, pairs: Sequence[tuple[StoredKey, WrappedKey]], failed: int) -> int:
        with self._kernel.database.write() as work:
            done = work.wrapped_keys.replace(shelf, pairs)
            result = rewrapped_said(done, failed, len(pairs) - done)
            values = said_by(at_keyboard(operator)) | {"request": f"rewrap {shelf}", "result": result}
            self._kernel.log.append(work.ledger, [EntryDraft(Kind.KEYS, values)])
            work.commit()
        return done

    def _told(self, operator: str, named: tuple[str, str], act: Callable[[], str]) -> str:
        """Do something to the ring between two entries: that it begins, and what came of it."""
        what, _ = named
        self._tell(operator, named, "begins")
        try:
            result = act()
        except KeyUnavailable as error:
            self._tell(operator, (what, ""), f"failed {error.code}")
            raise
        self._tell(operator, (what, ""), f"done {result}")
        return result

    @rerun_once
    def _tell(self, operator: str, named: tuple[str, str], result: str) -> None:
        """Write what is done and what came of it; with a change that two persons agreed to, that is used up."""
        what, change = named
        with self._kernel.database.write() as work:
            if change:
                self._changes.use(work, change, operator=operator)
            values = said_by(at_keyboard(operator)) | {"request": what, "result": result}
            self._kernel.log.append(work.ledger, [EntryDraft(Kind.KEYS, values)])
            work.commit()


_REWRAPPED = re.compile(r"wrapped anew (\d+), not opened (\d+)(?:, changed meanwhile (\d+))?")


def rewrapped_said(done: int, failed: int, changed: int) -> str:
    """Return what an entry says of a batch: every key that was asked for is one of these."""
    said = f"wrapped anew {done}, not opened {failed}"
    return f"{said}, changed meanwhile {changed}" if changed else said


def rewrapped_asked(said: str) -> int:
    """Return how many keys a batch had unwrapped, by what its entry says; 0 for an entry of something else."""
    found = _REWRAPPED.fullmatch(said)
    return 0 if found is None else sum(int(number or 0) for number in found.groups())


def _owner(shelf: Shelf, one: StoredKey) -> PersonId:
    """Return what a stored key is bound to."""
    if shelf is Shelf.INDEX:
        return index_owner(int(one.owner))
    if shelf is Shelf.MARKS:
        return marks_owner(int(one.owner))
    return LEDGER_OWNER if shelf is Shelf.LEDGER else one.owner


def _made(facts: KeyFacts) -> datetime | None:
    """Return when a key was made; None when that is not known."""
    try:
        return datetime.fromisoformat(facts.created)
    except ValueError:
        return None


def _versions(counts: Sequence[KeyCount]) -> dict[int, int]:
    found: dict[int, int] = {}
    for one in counts:
        found[one.head.version] = found.get(one.head.version, 0) + one.count
    return dict(sorted(found.items()))


def _joined(*said: str) -> str:
    return "; ".join(one for one in said if one)


def _erasures(waiting: int) -> str:
    if not waiting:
        return ""
    return f"{waiting} erasure{' is' if waiting == 1 else 's are'} complete only when it is destroyed"


def _stored(facts: KeyFacts, counts: Sequence[KeyCount]) -> int:
    return sum(one.count for one in counts if one.head.key_id == facts.key_id)
