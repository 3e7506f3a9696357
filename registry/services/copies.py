"""From a subject's chain in the ledger to served copies, source exposures and gaps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from registry.audit.kinds import RELEASES, Kind
from registry.audit.ports import EntryReader
from registry.domain.categories import Category
from registry.domain.clock import from_unix_ms
from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import EntryIndex, PrincipalId, RecordId, SubjectId, is_id
from registry.leaktrace.copies import ServedCopy, SourceExposure
from registry.services.entry_reading import Places, ReadEntry, SharedEntries, places_in
from registry.services.opened_draws import OpenedDraws, opened_by
from registry.services.read_audit import ReadAudit
from registry.services.seal_people import VIA_CORRECTION

_VIA = re.compile(r"\bvia (\w+)")
_NONCE = re.compile(r"\bvariant-nonce ([0-9a-f]{64})")
_FAMILY = "subject and household"


@dataclass(frozen=True, slots=True)
class SubjectHistory:
    """What the ledger tells of one subject; ``entries`` are the indexes of its whole chain, so that none is missing."""

    entries: tuple[int, ...]
    copies: tuple[ServedCopy, ...]
    exposures: tuple[SourceExposure, ...]
    gaps: tuple[str, ...]
    opened: tuple[OpenedDraws, ...] = ()


class Histories:
    """Reads subjects' histories."""

    def __init__(self, audit: ReadAudit) -> None:
        self._audit = audit

    def read(
        self,
        reader: EntryReader,
        found: Mapping[SubjectId, Mapping[RecordId, Sequence[int]]],
        *,
        below: int,
    ) -> list[SubjectHistory]:
        """Read subjects' histories.

        Args:
            reader: committed rows.
            found: whose, in this order, each with the found records and the versions that were compared.
            below: entries from this index on are the trace's own and left out.
        """
        shared = SharedEntries()
        return [self._of_one(reader, subject, (records, below), shared) for subject, records in found.items()]

    def _of_one(
        self,
        reader: EntryReader,
        subject: SubjectId,
        asked: tuple[Mapping[RecordId, Sequence[int]], int],
        shared: SharedEntries,
    ) -> SubjectHistory:
        records, below = asked
        entries: list[ReadEntry] = []
        gaps: list[str] = []
        try:
            entries = list(self._audit.of_subject(reader, subject, shared))
            gaps += chain_gaps(entries, subject, self._audit.counted(reader, subject), shared.places)
        except LedgerCorrupt as exc:
            gaps.append(f"the chain of a person with findings cannot be read: {exc}")
        earlier = [entry for entry in entries if entry.index < below]
        copies = tuple(copy for entry in earlier if (copy := _copy(entry, subject)) is not None)
        exposures = tuple(line for entry in earlier for line in _exposures(entry, subject, records))
        opened = tuple(one for entry in earlier if (one := opened_by(entry)) is not None)
        return SubjectHistory(tuple(entry.index for entry in entries), copies, exposures, tuple(gaps), opened)

    def opened(self, reader: EntryReader, subject: SubjectId) -> tuple[OpenedDraws, ...]:
        """Return which draws of a subject's copies were opened, until now."""
        return tuple(one for entry in self._audit.of_subject(reader, subject) if (one := opened_by(entry)) is not None)


def chain_gaps(
    entries: Sequence[ReadEntry],
    subject: SubjectId,
    counted: int,
    places: Callable[[ReadEntry], Places] = places_in,
) -> list[str]:
    """Say where a subject's counters are not 1, 2 ... n, each pointing to the one before.

    Args:
        entries: the entries found for the subject, oldest first.
        subject: whose.
        counted: how many entries the subject's sealed state counts.
        places: what an entry states of its subjects' counters.
    """
    gaps = []
    previous = "-"
    for expected, entry in enumerate(entries, start=1):
        if entry.values is None:
            gaps.append(f"what entry {entry.index} says was removed")
            previous = str(entry.index)
            continue
        if places(entry).get(subject) != (str(expected), previous):
            gaps.append(f"entry {entry.index} does not follow the {expected - 1}. entry of its subject")
        previous = str(entry.index)
    if len(entries) != counted:
        gaps.append(f"{counted} entries were counted for a subject, {len(entries)} are found")
    return gaps


def _copy(entry: ReadEntry, subject: SubjectId) -> ServedCopy | None:
    if entry.kind not in RELEASES or entry.values is None:
        return None
    account = account_of(entry)
    if account is None:
        return None
    via = _VIA.search(entry.values["detail"])
    nonce = nonce_of(entry.values)
    return ServedCopy(
        entry=EntryIndex(entry.index),
        served_at=from_unix_ms(entry.unix_ms),
        subject=subject,
        account=account,
        records=tuple((line.record, line.version, Category(line.category)) for line in entry.records),
        purpose=entry.values["purpose"],
        case_given=bool(entry.values["case"]),
        form=entry.values["form"],
        via=via.group(1) if via else "single",
        nonce=nonce,
        committed={line.record: line.variant_commitment for line in entry.records},
    )


def nonce_of(values: Mapping[str, str]) -> bytes:
    """Return the nonce of the commitments to what was drawn for a copy; empty where the entry has none."""
    found = _NONCE.search(values.get("detail", ""))
    return bytes.fromhex(found.group(1)) if found else b""


def _exposures(
    entry: ReadEntry, subject: SubjectId, records: Mapping[RecordId, Sequence[int]]
) -> Iterator[SourceExposure]:
    touched = [line for line in entry.records if line.version in records.get(line.record, ())]
    if touched and (entry.values or {})["detail"].startswith(f"via {VIA_CORRECTION}"):
        told = "the person proposed them as a correction; who accepted it was not shown them"
        yield SourceExposure(_FAMILY, None, from_unix_ms(entry.unix_ms), EntryIndex(entry.index), subject, told)
        return
    kind = _exposure_kind(entry)
    if kind is None or (entry.kind != Kind.TRACE and not touched):
        return
    at, index = from_unix_ms(entry.unix_ms), EntryIndex(entry.index)
    note = f"{len(touched)} of the found values" if touched else "a text in which this person's values stood was traced"
    yield SourceExposure(kind, account_of(entry), at, index, subject, note)
    if entry.kind == Kind.ENROLL:
        yield SourceExposure(_FAMILY, None, at, index, subject, "the person and the household know their own values")


def _exposure_kind(entry: ReadEntry) -> str | None:
    detail = (entry.values or {}).get("detail", "")
    if entry.kind in (Kind.ENROLL, Kind.UPDATE) and detail.startswith("via import"):
        return "import file"
    return {
        Kind.ENROLL.value: "enrolled by",
        Kind.UPDATE.value: "changed by",
        Kind.TRACE.value: "earlier trace",
        Kind.OPEN.value: "internal open",
    }.get(entry.kind)


def account_of(entry: ReadEntry) -> PrincipalId | None:
    """Return the principal that an entry names."""
    named = (entry.values or {}).get("principal", "").split(" ", 1)[0]
    return PrincipalId(named) if is_id(named) else None
