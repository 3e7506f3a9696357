"""What the brakes know of a batch of asks: quotas used up, new accounts, decoys. Read with few statements, counted in
the transaction that records the decisions, so that a count is lost or made twice only if the entry is.
"""  # noqa: D205 - one thought

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from registry.audit.entries import EntryDraft
from registry.domain.ids import PrincipalId, SubjectId
from registry.domain.principals import Principal
from registry.domain.purposes import PurposeCode
from registry.services.brakes import (
    DAY_MS,
    BrakeLimits,
    TagSet,
    day_of,
    label_of,
    store_sets,
    tag_of,
)
from registry.services.decoys import alarm_and_lock, decoys_of
from registry.services.kernel import Kernel
from registry.services.ports import Work

_Key = tuple[PrincipalId, PurposeCode]


class BrakeAsk(NamedTuple):
    """What the brakes need of one ask; no purpose for a subject's own view, no subject for an unknown one."""

    principal: Principal
    purpose: PurposeCode | None
    subject: SubjectId | None


@dataclass(frozen=True, slots=True)
class Braked:
    """What the brakes say of one ask, as ``policy.decide.Facts`` has it."""

    quota_exceeded: bool = False
    cooling_exceeded: bool = False
    decoy: bool = False


FREE = Braked()


@dataclass(frozen=True, slots=True)
class _Limits:
    """0 is no limit."""

    usual: int
    cooling: int


class BrakeFacts:
    """The brakes' facts of one batch. Later asks of a batch are judged by what earlier ones were permitted."""

    def __init__(self, kernel: Kernel, limits: BrakeLimits, work: Work, asks: Sequence[BrakeAsk]) -> None:
        """Read what the asks need and hold what may be counted.

        Args:
            kernel: gives keys and time.
            limits: the settings.
            work: the transaction, which holds the subjects' rows.
            asks: all of the batch.
        """
        self._kernel = kernel
        self._work = work
        self._now_ms = kernel.now_ms()
        self._day = day_of(self._now_ms)
        self._decoys = decoys_of(kernel, work, {ask.subject for ask in asks if ask.subject is not None})
        self._touched: list[tuple[Principal, SubjectId]] = []
        self._limits = self._limits_of(limits, asks) if limits.has_quotas else {}
        self._sets = self._held(self._limits)

    def of(self, ask: BrakeAsk) -> Braked:
        """Return what stands against an ask now."""
        decoy = ask.subject in self._decoys
        counted = self._counted(ask)
        if counted is None:
            return Braked(decoy=True) if decoy else FREE
        limits, seen, tag = counted
        if tag in seen:
            return Braked(decoy=decoy)
        return Braked(
            quota_exceeded=bool(limits.usual) and len(seen) >= limits.usual,
            cooling_exceeded=bool(limits.cooling) and len(seen) >= limits.cooling,
            decoy=decoy,
        )

    def permitted(self, ask: BrakeAsk) -> None:
        """Count a card that is about to be released."""
        counted = self._counted(ask)
        if counted is not None:
            _, seen, tag = counted
            if tag not in seen:
                seen.add(tag, self._day)

    def touched(self, ask: BrakeAsk) -> None:
        """Note that a reader asked for a card; it matters for a decoy's only."""
        if ask.subject is not None and ask.subject in self._decoys:
            self._touched.append((ask.principal, ask.subject))

    def settle(self) -> tuple[EntryDraft, ...]:
        """Store the counts, lock whoever touched a decoy; returns the alarms, to be appended before other entries."""
        store_sets(self._work, self._sets.values(), self._day)
        return alarm_and_lock(self._work, self._touched)

    def _counted(self, ask: BrakeAsk) -> tuple[_Limits, TagSet, bytes] | None:
        if ask.purpose is None or ask.subject is None:
            return None
        key = (ask.principal.id, ask.purpose)
        if key not in self._limits:
            return None
        seen = self._sets[key]
        return self._limits[key], seen, tag_of(self._kernel, seen.label, ask.subject)

    def _limits_of(self, limits: BrakeLimits, asks: Iterable[BrakeAsk]) -> dict[_Key, _Limits]:
        keys = {(ask.principal.id, ask.purpose) for ask in asks if ask.purpose is not None and ask.principal.roles}
        people = {principal for principal, _ in keys}
        new = self._new(limits, asks)
        raised = {
            (row.principal, row.purpose): row.most
            for row in self._work.brakes.unlocks_of(people)
            if row.until_ms > self._now_ms
        }
        found = {}
        for principal, purpose in keys:
            least = raised.get((principal, purpose), 0)
            usual = limits.of(purpose)
            cooling = limits.cooling_subjects_per_day if principal in new else 0
            if usual or cooling:
                found[principal, purpose] = _Limits(usual and max(usual, least), cooling and max(cooling, least))
        return found

    def _new(self, limits: BrakeLimits, asks: Iterable[BrakeAsk]) -> set[PrincipalId]:
        if not limits.cooling_days:
            return set()
        first_old = self._now_ms - limits.cooling_days * DAY_MS
        return {ask.principal.id for ask in asks if ask.principal.since_ms > first_old}

    def _held(self, keys: Iterable[_Key]) -> dict[_Key, TagSet]:
        labels = {key: label_of(self._kernel, "subjects", key[0], key[1], str(self._day)) for key in keys}
        rows = self._work.brakes.hold(labels.values(), self._day) if labels else {}
        return {key: TagSet(rows[label]) for key, label in labels.items()}
