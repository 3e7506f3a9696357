"""Comparing the rows with what the ledger says of them: an older row put back, a lost one, one that was never entered.

The ledger's own verification shows that the entries are whole; this shows that people's records are as the entries
left them. Only entries that enroll, change, mark, grant, hold, ask for approval and give it are opened.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from registry.audit.kinds import OF_ERASURES, TELLING, Kind, says_how_it_stands
from registry.audit.ports import EntryRow
from registry.audit.removals import parts_of
from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import RecordId, SubjectId
from registry.domain.marks import Tier
from registry.marks.draw import stored_epoch
from registry.services.check_petitions import Letters
from registry.services.check_standing import Standing
from registry.services.kernel import Kernel
from registry.services.key_changes import is_switch
from registry.services.ledger_key import Signing, demand_told
from registry.services.mark_secrets import generation_at
from registry.services.opened_draws import KEYS
from registry.services.ports import ACTIVE, ENDED, Work
from registry.services.ports_marks import MarkGeneration
from registry.services.rotate_marks import demand_exchanges_told
from registry.transparency.fields import RECORD_PREFIX, RecordLine
from registry.transparency.leaf import parse_leaf
from registry.vault.petitions import PetitionVault
from registry.vault.sealed import DIRECTORY, PROVISION, SealedField
from registry.vault.ties import digest_of

_TIER = re.compile(r"\b([0-9a-f]{32})=(\w+)")
_ENDED = re.compile(r"; ended ([0-9a-f ]+)")
_TIES = re.compile(r"; ties ([0-9a-f]{32})")
_PROVISION = re.compile(r"; provision ([0-9a-f]{32}) (\w+)")
_CHUNK = 500


@dataclass(slots=True)
class _Said:
    """What the entries say of one record or one subject's directory data, and which one said it last."""

    subject: SubjectId
    version: int
    digest: bytes
    entry: int
    tier: Tier = Tier.CONFIDENTIAL
    state: str = ACTIVE
    ties: str | None = None
    mark_epoch: int = 0


@dataclass(slots=True)
class _Ledger:
    """What the entries say, taken together."""

    records: dict[RecordId, _Said] = field(default_factory=dict)
    versions: dict[tuple[RecordId, int], tuple[bytes, int]] = field(default_factory=dict)
    indexed: int | None = None  # the last entry with which people's terms were stored, or the index was re-keyed
    standing: Standing = field(default_factory=Standing)
    exchanges: Sequence[MarkGeneration] = ()  # of the secret of marks, as stored

    def erase(self, values: Mapping[str, str]) -> None:
        """Take out what an erasure took out of a household."""
        told = parts_of(values)
        gone = set(map(RecordId, told.get("records", "").split()))
        self.records = {record: said for record, said in self.records.items() if record not in gone}
        self.versions = {pair: said for pair, said in self.versions.items() if pair[0] not in gone}
        if (said := self.records.get(RecordId(values["subject"]))) is not None and "ties" in told:
            said.ties = told["ties"]

    def take(self, index: int, kind: str, values: Mapping[str, str]) -> None:
        """Add one entry."""
        if kind == Kind.DRAWS and values["result"] == KEYS:
            self._open(values)
        if kind == Kind.KEYS and is_switch(values):
            self.indexed = index
        if values["result"] not in ("created", "updated", "replaced", "marked"):
            return
        if kind != Kind.MARK:
            self.indexed = index
        for line in _lines(values):
            self._line(index, SubjectId(values["subject"]), line)
        for record, tier in _TIER.findall(values["detail"]):
            said = self.records[RecordId(record)]
            said.tier, said.entry = Tier(tier), index
        ties = _TIES.search(values["detail"])
        if ties is not None:
            self.records[RecordId(values["subject"])].ties = ties[1]
        for provision, state in _PROVISION.findall(values["detail"]):
            said = self.records[RecordId(provision)]
            said.state, said.entry = state, index
        ended = _ENDED.search(values["detail"])
        for record in ended[1].split() if ended is not None else ():
            said = self.records[RecordId(record)]
            said.state, said.entry = ENDED, index

    def _open(self, values: Mapping[str, str]) -> None:
        for line in _lines(values):
            said = self.records.get(line.record)  # None where only later entries are read
            if said is not None:
                said.mark_epoch += line.version == said.version

    def _line(self, index: int, subject: SubjectId, line: RecordLine) -> None:
        record = RecordId(line.record)
        said = self.records.setdefault(record, _Said(subject, 0, b"", index))
        if line.version > said.version:
            said.version, said.digest, said.entry = line.version, line.ciphertext_digest, index
            said.mark_epoch = stored_epoch(generation_at(self.exchanges, index))
            if line.category not in (DIRECTORY, PROVISION):
                self.versions[record, line.version] = (line.ciphertext_digest, index)


T = TypeVar("T")


class CheckRows:
    """Checks the rows of one registry."""

    def __init__(self, kernel: Kernel, vault: PetitionVault, signing: Signing) -> None:
        self._kernel = kernel
        self._signing = signing
        self._letters = Letters(vault, kernel.contact_label)

    def check(self) -> int:
        """Check everything that entries speak of in one snapshot; returns how many records were compared.

        Raises:
            LedgerCorrupt: with the entry that says otherwise, where there is one.
        """
        with self._kernel.database.read() as work:
            ledger = self._said(work, work.entries.scan(0, work.entries.head().size))
            subjects = sorted({said.subject for said in ledger.records.values()})
            count = sum(self.check_people(work, self._entries_of(work, part)) for part in _chunks(subjects))
            self.check_index(work)
            self._check_standing(work, ledger.standing)
        return count

    def check_index(self, work: Work, telling: Sequence[int] | None = None) -> None:
        """Check that no posting of the blind index is missing, and that none of an earlier time was put back.

        Args:
            work: one snapshot.
            telling: indexes of all entries of a ``TELLING`` kind in it, in order; None: to be looked for.

        Raises:
            LedgerCorrupt: with the entry with which the missing postings were stored, where that is known.
        """
        size = work.index_state.demand_whole()
        if telling is None:
            rows: Iterable[EntryRow] = work.entries.scan(size, work.entries.head().size)
        else:
            rows = work.entries.entries(telling[bisect_left(telling, size) :])
        later = self._said(work, rows)
        if later.indexed is not None:
            raise LedgerCorrupt("the blind index is older than it", later.indexed)

    def check_people(self, work: Work, entries: Mapping[SubjectId, Collection[int]]) -> int:
        """Check some subjects with their records and versions; returns how many records were compared.

        Args:
            work: one snapshot.
            entries: the indexes of each one's entries up to that snapshot; those of no ``TELLING`` kind may be left
                out.

        Raises:
            LedgerCorrupt: with the entry that says otherwise, where there is one.
        """
        ledger = self._said(work, work.entries.entries(sorted(set().union(*entries.values()))))
        left = dict(ledger.records)
        _check_subjects(work, list(entries), left)
        if left:
            raise LedgerCorrupt("a row that it speaks of is missing", min(said.entry for said in left.values()))
        _check_versions(work, ledger)
        return len(ledger.records)

    def _entries_of(self, work: Work, subjects: Sequence[SubjectId]) -> Mapping[SubjectId, Collection[int]]:
        return self._kernel.log.chains.indexes_of(work.entries, dict.fromkeys(subjects, 1))

    def check_standing(self, work: Work, standing: Sequence[int]) -> None:
        """Check all principals, requests, petitions, contacts and holds, the policies in force and the ledger's keys.

        Args:
            work: one snapshot.
            standing: indexes of all entries that say how they stand, up to that moment at least.

        Raises:
            LedgerCorrupt: with the entry that says otherwise, where there is one.
        """
        self._check_standing(work, self._said(work, work.entries.entries(standing)).standing)

    def _check_standing(self, work: Work, standing: Standing) -> None:
        standing.check(work, self._letters)
        standing.revocations.check(self._kernel, work)
        demand_told(self._signing, work.entries.head().size, standing.keys)
        demand_exchanges_told(work.mark_generations.stored(), standing.exchanges)

    def _said(self, work: Work, rows: Iterable[EntryRow]) -> _Ledger:
        ledger = _Ledger(exchanges=work.mark_generations.stored())
        for row in rows:
            leaf = parse_leaf(row.leaf)
            opening = self._kernel.log.opening(row) if leaf.kind in TELLING else None
            if opening is not None and leaf.kind in OF_ERASURES and opening.values["subject"]:
                ledger.erase(opening.values)
            if opening is not None and says_how_it_stands(leaf.kind, opening.values["result"]):
                ledger.standing.take(row.index, leaf, opening.values)
            elif opening is not None:
                ledger.take(row.index, leaf.kind, opening.values)
        return ledger


def _check_subjects(work: Work, subjects: Sequence[SubjectId], left: dict[RecordId, _Said]) -> None:
    for row in work.subjects.by_ids(subjects).values():
        said = left.pop(RecordId(row.id), None)
        _compare(said, row.directory, Tier.CONFIDENTIAL, row.state)
        if said is not None and said.ties != (None if row.ties is None else digest_of(row.ties)):
            raise LedgerCorrupt("a subject's relations are not as they were entered", said.entry)
    records = work.records.of_subjects(subjects)
    marks = work.records.marks_of(record.id for record in records)
    for record in records:
        said = left.pop(record.id, None)
        _compare(said, record.field, record.tier, record.state)
        if said is not None and said.mark_epoch != record.mark_epoch:
            raise LedgerCorrupt("by which secret a record's copies are drawn is not as it was entered", said.entry)
        if record.id not in marks or marks[record.id].tier is not record.tier:
            raise LedgerCorrupt("a record's mark is missing or another one", None if said is None else said.entry)
    for provision in work.provisions.of_subjects(subjects):
        said = left.pop(RecordId(provision.id), None)
        _compare(said, provision.names, Tier.CONFIDENTIAL, provision.state)
    work.persons.of_subjects(subjects)  # each of them is checked where it is read


def _lines(values: Mapping[str, str]) -> list[RecordLine]:
    return [RecordLine.parse(text.encode()) for name, text in values.items() if name.startswith(RECORD_PREFIX)]


def _compare(said: _Said | None, found: SealedField, tier: Tier, state: str) -> None:
    if said is None:
        raise LedgerCorrupt("a record stands that no entry speaks of")
    if (said.subject, said.version, said.digest) != (found.subject, found.version, found.digest) or not found.is_whole:
        raise LedgerCorrupt("what is stored is not what it says was stored", said.entry)
    if (said.tier, said.state) != (tier, state):
        raise LedgerCorrupt("a record's mark or state is not as it says", said.entry)


def _check_versions(work: Work, ledger: _Ledger) -> None:
    # The current versions were compared with their records.
    older = (pair for pair in ledger.versions if pair[1] < ledger.records[pair[0]].version)
    for pairs in _chunks(sorted(older)):
        found = {(field.record, field.version): field for field in work.records.sealed_versions(pairs)}
        for pair in pairs:
            digest, entry = ledger.versions[pair]
            if pair not in found or found[pair].digest != digest or not found[pair].is_whole:
                raise LedgerCorrupt("a version that it speaks of is lost or changed", entry)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
