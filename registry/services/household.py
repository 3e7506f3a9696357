"""A subject's household as stored: who belongs to it, and what changing it writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from registry.domain.categories import Category
from registry.domain.ids import PersonId, RecordId, SubjectId
from registry.domain.marks import Mark, Tier
from registry.services.kernel import Kernel
from registry.services.ports import ACTIVE, PersonRow, RecordRow, SubjectRow, VersionRow, Work
from registry.services.seal_people import Batch, Sealer
from registry.services.values import Owner, prepare
from registry.vault.blind_index import Posting
from registry.vault.generations import FIRST
from registry.vault.sealed import SealedField
from registry.vault.vault import NewPerson, Place


@dataclass(frozen=True, slots=True)
class Household:
    """One subject's rows, read inside the transaction that changes them."""

    subject: SubjectRow
    persons: Mapping[PersonId, PersonRow]
    records: Mapping[RecordId, RecordRow]

    def active(self) -> list[RecordRow]:
        """Return the records that are not ended."""
        return [row for row in self.records.values() if row.state == ACTIVE]

    def member_by_tag(self, ref_tag: bytes) -> PersonRow | None:
        """Return the household member with this ref."""
        return next((row for row in self.persons.values() if row.ref_tag == ref_tag), None)


@dataclass(slots=True)
class Changes:
    """Rows gathered for one subject's change, beside the new ones in the batch."""

    batch: Batch
    replaced: list[RecordRow] = field(default_factory=list)
    versions: list[VersionRow] = field(default_factory=list)
    ended: list[RecordId] = field(default_factory=list)
    marked: list[RecordRow] = field(default_factory=list)
    wanted: list[tuple[bytes, Tier]] = field(default_factory=list)  # places and tiers of a whole document

    def touched(self) -> list[SealedField]:
        """Return every sealed value that is new after this change."""
        fresh = {version.record for version in self.versions}
        return [row.field for row in self.batch.records] + [row.field for row in self.replaced if row.id in fresh]

    def said(self) -> str:
        """Say in an entry which records are ended, and the tier of every record whose mark is new."""
        tiers = " ".join(f"{row.id}={row.tier.value}" for row in (*self.batch.records, *self.marked))
        ended = " ".join(self.ended)
        return (f"; tiers {tiers}" if tiers else "") + (f"; ended {ended}" if ended else "")


class HouseholdStore:
    """Reads households and writes their changes."""

    def __init__(self, kernel: Kernel, sealer: Sealer) -> None:
        self._kernel = kernel
        self._sealer = sealer

    def read(self, work: Work, subjects: Iterable[SubjectRow]) -> dict[SubjectId, Household]:
        """Read whole households, one query a table; their kept tags are opened."""
        rows = [opened_content(work, row) for row in subjects]
        ids = [row.id for row in rows]
        persons: dict[SubjectId, dict[PersonId, PersonRow]] = {identifier: {} for identifier in ids}
        records: dict[SubjectId, dict[RecordId, RecordRow]] = {identifier: {} for identifier in ids}
        for person in work.persons.of_subjects(ids):
            persons[person.subject][person.id] = person
        for record in work.records.of_subjects(ids):
            tag = work.kept_tags.opened(record.value_tag, record.tag_generation)
            records[record.subject][record.id] = record._replace(value_tag=tag, tag_generation=FIRST)
        return {row.id: Household(row, persons[row.id], records[row.id]) for row in rows}

    def prepare(self, households: Iterable[Household]) -> None:
        """Have the keys of whole households opened at once."""
        self._kernel.vault.prepare_persons(
            (person.id, person.key) for household in households for person in household.persons.values()
        )

    def person(self, household: Household, person: PersonId) -> NewPerson:
        """Return a person's key for sealing something new."""
        return self._kernel.vault.known_person(person, household.persons[person].key)

    def new_version(
        self, changes: Changes, row: RecordRow, value: Mapping[str, str], owned: tuple[NewPerson, Owner]
    ) -> None:
        """Seal a new version of a record; nothing happens when the value is the same."""
        person, owner = owned
        prepared = prepare(self._kernel.index, row.subject, row.category, value, owner)
        if prepared.value_tag == row.value_tag:
            return
        version = row.field.version + 1
        place = Place(row.subject, row.person, row.id, row.category.value, version)
        sealed = self._kernel.vault.seal(person, place, prepared.stored, member=owner.member or None)
        after = row._replace(field=sealed, value_tag=prepared.value_tag, slot_tag=prepared.slot_tag)
        changes.replaced.append(after)
        changes.versions.append(self._sealer.history(changes.batch, after))
        self._sealer.note_address(changes.batch, after, prepared.stored)
        changes.batch.postings += [(term, Posting(row.id, version)) for term in prepared.terms]

    def new_mark(self, changes: Changes, household: Household, row: RecordRow, mark: Mark) -> None:
        """Put a new mark on a record."""
        version = row.mark_version + 1
        person = self.person(household, row.person)
        changes.batch.marks.append(self._sealer.mark(person, row.field, mark, version))
        pending = next((index for index, other in enumerate(changes.replaced) if other.id == row.id), None)
        base = row if pending is None else changes.replaced[pending]
        after = base._replace(tier=mark.tier, mark_version=version)
        if pending is None:
            changes.replaced.append(after)
        else:
            changes.replaced[pending] = after
        changes.marked.append(after)

    def write(self, work: Work, changes: Sequence[Changes], subjects: Sequence[SubjectRow], now_ms: int) -> None:
        """Write changes; the caller appends the entries and commits."""
        for change in changes:
            batch = change.batch
            work.persons.insert(batch.persons)
            work.records.insert(batch.records, batch.versions, now_ms)
            work.records.replace(change.replaced, change.versions)
            work.records.insert_marks(batch.marks)
            work.records.end(change.ended, now_ms)
        for subject in subjects:
            work.subjects.update(subject, now_ms)
        self._kernel.add_postings(work, [posting for change in changes for posting in change.batch.postings])


def opened_content(work: Work, row: SubjectRow) -> SubjectRow:
    """Return a subject's row with the tag of its last document as it was made.

    Raises:
        EnvelopeRejected, KeyUnavailable, LedgerCorrupt: as ``KeptTags.opened``.
    """
    if row.content_generation == FIRST:
        return row
    tag = work.kept_tags.opened(row.content_tag, row.content_generation)
    return replace(row, content_tag=tag, content_generation=FIRST)


def unmarked(household: Household, changes: Changes) -> tuple[str, ...]:
    """Say which marks a change takes off: a tier that becomes lower, a marked record whose protection ends."""
    order = list(Tier)
    lower = [
        f"{row.id} {before.tier.value} to {row.tier.value}"
        for row in changes.marked
        if order.index(row.tier) < order.index((before := household.records[row.id]).tier)
    ]
    ended = [f"{one} ended" for one in changes.ended if household.records[one].tier is not Tier.NONE]
    return tuple(sorted(lower + ended))


def may_unmark(household: Household, changes: Changes) -> bool:
    """Tell whether a whole document takes marks off, by places and tiers alone: what the values are has no influence.

    Else an answer that refuses it would tell whether a value in it is the stored one, and a refusal writes nothing.
    Every document that ``unmarked`` would name is among these.
    """
    order = list(Tier)
    stored: dict[bytes, list[int]] = {}
    for row in household.active():
        stored.setdefault(row.slot_tag, []).append(order.index(row.tier))
    given: dict[bytes, list[int]] = {}
    for slot, tier in changes.wanted:
        given.setdefault(slot, []).append(order.index(tier))
    nothing = order.index(Tier.NONE)
    return any(
        max(tiers) > nothing and (len(given.get(slot, ())) < len(tiers) or min(given[slot]) < max(tiers))
        for slot, tiers in stored.items()
    )


def categories_of(household: Household) -> dict[RecordId, Category]:
    """Return the category of every active record."""
    return {row.id: row.category for row in household.active()}
