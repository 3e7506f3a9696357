"""What services need of a database: rows as frozen values, repositories, and a unit of work.

storage/ has it on SQL. A service never sees a session; ``commit()`` is called once, on the unit of work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from registry.audit.ports import EntryReader, EntryStore, HeadRow
from registry.domain.categories import Category
from registry.domain.ids import PersonId, PrincipalId, RecordId, RequestId, SubjectId
from registry.domain.marks import Tier
from registry.domain.principals import Role
from registry.keys.ports import WrappedKey
from registry.services.ports_break_glass import BreakGlasses
from registry.services.ports_cases import Traces
from registry.services.ports_erasure import Erasures
from registry.services.ports_index import IndexState, KeptTags, Postings
from registry.services.ports_keys import WrappedKeys
from registry.services.ports_marks import MarkGenerations
from registry.services.ports_notices import Holds, NoticeMarks, Outbox
from registry.services.ports_petitions import Petitions
from registry.services.ports_policy import Policies, SampleReviews
from registry.services.ports_provisions import Provisions
from registry.services.ports_revocations import Revocations
from registry.services.ports_units import Units
from registry.services.ports_used_names import UsedNames
from registry.vault.generations import FIRST
from registry.vault.sealed import SealedField

ACTIVE = "active"
ENDED = "ended"
# Read instead of a principal's state when somebody else than this program changed its row.
CHANGED = "changed"
# A principal that touched a decoy: it has no roles until somebody has looked into it.
LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A subject without any value. ``directory`` is sealed under the subject's own person.

    ``content_tag`` is sealed under a generation of the blind index, ``content_generation``; under the first one, and
    before it is stored, it is as it was made.
    """

    id: SubjectId
    number_tag: bytes
    content_tag: bytes
    directory: SealedField
    state: str
    version: int
    ties: bytes | None = None  # sealed: relatives, unit, supervisor, addresses; None: enrolled before there were any
    content_generation: int = FIRST


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person: the subject or a household member, with the wrapped data key."""

    id: PersonId
    subject: SubjectId
    ref_tag: bytes
    key: WrappedKey


class RecordRow(NamedTuple):
    """A record's facts, with its current version sealed.

    ``mark_epoch`` is of that version: the generation of the secret of marks that it began with, times
    ``EPOCHS_OF_GENERATION``, and how often what was drawn for it was opened. ``value_tag`` is that version's too,
    sealed under the generation ``tag_generation`` of the blind index; under the first one, and before it is stored, it
    is as it was made.
    """

    id: RecordId
    subject: SubjectId
    person: PersonId
    category: Category
    slot_tag: bytes
    value_tag: bytes
    tier: Tier
    mark_version: int
    state: str
    field: SealedField
    mark_epoch: int = 0
    tag_generation: int = FIRST


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version's history: who entered it, when and how. The subject's chain has the entry."""

    record: RecordId
    version: int
    entered_by: PrincipalId
    entered_via: str
    valid_from: int
    valid_to: int | None


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One mark, current or past; the basis is sealed."""

    record: RecordId
    mark_version: int
    tier: Tier
    basis: bytes | None
    starts_on: str | None
    ends_on: str | None
    review_on: str | None


@dataclass(frozen=True, slots=True)
class PrincipalRow:
    """One principal as the table says."""

    id: PrincipalId
    issuer: str
    sub: str
    roles: frozenset[Role]
    employee: bytes | None  # sealed link to the principal's own number
    unit: str
    state: str
    supervisor: bytes | None = None  # sealed link to the number of the principal's supervisor
    created_at: int = 0  # milliseconds
    person_tag: bytes | None = None  # the same for all accounts with one employee number; None without one


@dataclass(frozen=True, slots=True)
class RequestRow:
    """An ask that waits for other people's approval, or has it.

    What was asked, why and about whom is in its entry alone: the row tells nobody who asks about whom.

    Attributes:
        id, principal: the request, and who asks.
        ask_tag: keyed over who asks, about whom, for which records and which purpose.
        entry: index of its entry.
        needs: how many people must approve.
        needs_other_unit: whether one of them must belong to another unit than who asks.
        state: ``pending``, ``approved`` or ``refused``.
        created_at: milliseconds.
        until: milliseconds; pending: to be decided before; approved: to be used before.
    """

    id: RequestId
    principal: PrincipalId
    ask_tag: bytes
    entry: int
    needs: int
    needs_other_unit: bool
    state: str
    created_at: int
    until: int


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """What one approver said to one request."""

    request: RequestId
    approver: PrincipalId
    verdict: str
    is_other_unit: bool
    decided_at: int


@dataclass(frozen=True, slots=True)
class IdempotencyRow:
    """What a write with an Idempotency-Key did; ids and indexes only."""

    principal: PrincipalId
    key_tag: bytes
    body_tag: bytes
    outcome: str
    created_at: int


@dataclass(frozen=True, slots=True)
class TallyRow:
    """A small set of keyed tags under a keyed label. ``day`` counts from 1970 (UTC): of the last change."""

    label: bytes
    day: int
    tags: bytes


@dataclass(frozen=True, slots=True)
class UnlockRow:
    """A limit that was raised for one principal and purpose until a time in milliseconds, and by whom."""

    principal: PrincipalId
    purpose: str
    most: int
    until_ms: int
    granted_by: PrincipalId


@dataclass(frozen=True, slots=True)
class NewSubject:
    """Rows to insert for one enrollment."""

    subject: SubjectRow
    chain: bytes


@dataclass(frozen=True, slots=True)
class NewRows:
    """Everything that some new people are stored as, but their postings and entries."""

    now_ms: int
    subjects: Sequence[NewSubject] = ()
    persons: Sequence[PersonRow] = ()
    records: Sequence[RecordRow] = ()
    versions: Sequence[VersionRow] = ()
    marks: Sequence[MarkRow] = ()


class PackedRows(NamedTuple):
    """The same as the storage takes it; plain tuples, so that they travel between processes at little cost."""

    subjects: list[tuple[Any, ...]]
    persons: list[tuple[Any, ...]]
    records: list[tuple[Any, ...]]
    versions: list[tuple[Any, ...]]
    marks: list[tuple[Any, ...]]


class Packer(Protocol):
    """Makes rows ready for the storage without a database."""

    def pack(self, rows: NewRows) -> PackedRows: ...


class NewPeople(Protocol):
    def insert(self, packed: Sequence[PackedRows]) -> None: ...


class Subjects(Protocol):
    def by_ids(self, ids: Iterable[SubjectId]) -> Mapping[SubjectId, SubjectRow]: ...
    def by_number_tags(self, tags: Iterable[bytes]) -> Mapping[bytes, SubjectRow]: ...
    def ties_of(self, tags: Iterable[bytes]) -> Mapping[bytes, tuple[SubjectId, bytes | None]]:
        """Return id and sealed ties of the subjects with these employee numbers' tags."""
        ...

    def ids_after(self, after: str, limit: int) -> Sequence[SubjectId]:
        """Return ids in their order, from the one behind ``after``."""
        ...

    def lock(self, ids: Iterable[SubjectId]) -> Mapping[SubjectId, SubjectRow]:
        """Hold rows until the end of the transaction, in id order, and return them as they are now."""
        ...

    def lock_tagged(self, tags: Iterable[bytes]) -> Mapping[SubjectId, SubjectRow]:
        """Hold the rows of these employee numbers' tags; as ``lock``."""
        ...

    def insert(self, rows: Sequence[NewSubject], now_ms: int) -> None: ...
    def update(self, row: SubjectRow, now_ms: int) -> None: ...


class Persons(Protocol):
    def of_subjects(self, ids: Iterable[SubjectId]) -> Sequence[PersonRow]: ...
    def standing(self, after: str, limit: int) -> Sequence[tuple[PersonId, SubjectId]]:
        """Return whom there is, with whose household each is of, in the order of ids, from the one after ``after``."""
        ...

    def insert(self, rows: Sequence[PersonRow]) -> None: ...


class Records(Protocol):
    def of_subjects(self, ids: Iterable[SubjectId]) -> Sequence[RecordRow]: ...
    def by_ids(self, ids: Iterable[RecordId]) -> Mapping[RecordId, RecordRow]: ...
    def subjects_of(self, ids: Iterable[RecordId]) -> Mapping[RecordId, SubjectId]: ...
    def versions_of(self, ids: Iterable[RecordId]) -> Sequence[VersionRow]: ...
    def sealed_versions(self, pairs: Iterable[tuple[RecordId, int]]) -> Sequence[SealedField]: ...
    def marks_of(self, ids: Iterable[RecordId]) -> Mapping[RecordId, MarkRow]: ...
    def insert(self, rows: Sequence[RecordRow], versions: Sequence[VersionRow], now_ms: int) -> None: ...
    def insert_marks(self, rows: Sequence[MarkRow]) -> None: ...
    def replace(self, rows: Sequence[RecordRow], versions: Sequence[VersionRow]) -> None: ...
    def end(self, ids: Sequence[RecordId], now_ms: int) -> None: ...
    def draw_anew(self, pairs: Iterable[tuple[RecordId, int]]) -> None:
        """Count that what was drawn for these versions was opened: copies served from now on are drawn anew."""
        ...


class Principals(Protocol):
    def by_name(self, issuer: str, sub: str) -> PrincipalRow | None: ...
    def by_names(self, names: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], PrincipalRow]:
        """Return those that exist of accounts named by issuer and name, with one statement an issuer."""
        ...

    def lock(self, issuer: str, sub: str) -> PrincipalRow | None:
        """Hold a principal's row until the end of the transaction, and return it as it is now."""
        ...

    def lock_by_id(self, identifier: PrincipalId) -> PrincipalRow | None:
        """As ``lock``, by id."""
        ...

    def hold_person(self, person_tag: bytes) -> None:
        """Keep everybody else from making or changing an account of this person until the end of the transaction."""
        ...

    def by_ids(self, ids: Iterable[PrincipalId]) -> Mapping[PrincipalId, PrincipalRow]: ...
    def listing(self) -> Sequence[PrincipalRow]: ...
    def insert(self, row: PrincipalRow) -> None: ...
    def update(self, row: PrincipalRow) -> None: ...


class Idempotency(Protocol):
    def get(self, principal: PrincipalId, key_tag: bytes) -> IdempotencyRow | None: ...
    def put(self, row: IdempotencyRow) -> None: ...
    def forget(self, row: IdempotencyRow) -> None: ...
    def forget_before(self, created_at: int, most: int) -> None: ...


class Brakes(Protocol):
    def hold(self, labels: Iterable[bytes], day: int) -> Mapping[bytes, TallyRow]:
        """Hold tallies until the end of the transaction, in the order of their labels; those that are missing are made
        empty. Subjects are held before, the ledger's head after.
        """  # noqa: D205 - one thought
        ...

    def look(self, labels: Iterable[bytes]) -> Mapping[bytes, TallyRow]:
        """Return those tallies that there are, held by nobody."""
        ...

    def store(self, rows: Sequence[TallyRow]) -> None:
        """Store tallies that this transaction holds."""
        ...

    def forget_before(self, day: int) -> None: ...
    def unlocks_of(self, ids: Iterable[PrincipalId]) -> Sequence[UnlockRow]: ...
    def put_unlock(self, row: UnlockRow) -> None: ...
    def decoys_among(self, labels: Iterable[bytes]) -> frozenset[bytes]: ...
    def add_decoys(self, labels: Iterable[bytes]) -> None: ...
    def remove_decoys(self, labels: Iterable[bytes]) -> None: ...


class Requests(Protocol):
    def get(self, request: RequestId) -> RequestRow | None: ...
    def lock(self, request: RequestId) -> RequestRow | None:
        """Hold a request until the end of the transaction, and return it as it is now; subjects are held before."""
        ...

    def newest_of(self, ask_tags: Iterable[bytes]) -> Mapping[bytes, RequestRow]:
        """Return the newest request of each of these asks."""
        ...

    def newest(self, limit: int, principal: PrincipalId | None = None) -> Sequence[RequestRow]:
        """Return the newest requests, of everybody or of one principal, newest first."""
        ...

    def listing(self) -> Iterator[RequestRow]:
        """Yield every request."""
        ...

    def insert(self, rows: Sequence[RequestRow]) -> None: ...
    def settle(self, row: RequestRow) -> None:
        """Store the state and time of a request that is pending, or was approved and is used."""
        ...

    def decisions_of(self, requests: Iterable[RequestId]) -> Sequence[DecisionRow]: ...
    def decisions(self) -> Iterator[DecisionRow]:
        """Yield everybody's word on every request."""
        ...

    def insert_decision(self, row: DecisionRow) -> None: ...


class Meta(Protocol):
    def get(self, name: str) -> str | None: ...
    def put(self, name: str, value: str) -> None: ...
    def create_head(self, head: HeadRow) -> None: ...
    def body_keys(self) -> Mapping[int, WrappedKey]: ...
    def put_body_key(self, key_epoch: int, key: WrappedKey) -> None: ...


class Work(Protocol):
    """One transaction's repositories."""

    @property
    def subjects(self) -> Subjects: ...
    @property
    def new_people(self) -> NewPeople: ...
    @property
    def persons(self) -> Persons: ...
    @property
    def records(self) -> Records: ...
    @property
    def postings(self) -> Postings: ...
    @property
    def index_state(self) -> IndexState: ...
    @property
    def kept_tags(self) -> KeptTags: ...
    @property
    def mark_generations(self) -> MarkGenerations: ...
    @property
    def principals(self) -> Principals: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def brakes(self) -> Brakes: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def notice_marks(self) -> NoticeMarks: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def traces(self) -> Traces: ...
    @property
    def requests(self) -> Requests: ...
    @property
    def break_glass(self) -> BreakGlasses: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def petitions(self) -> Petitions: ...
    @property
    def provisions(self) -> Provisions: ...
    @property
    def units(self) -> Units: ...
    @property
    def revocations(self) -> Revocations: ...
    @property
    def used_names(self) -> UsedNames: ...
    @property
    def sample_reviews(self) -> SampleReviews: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def wrapped_keys(self) -> WrappedKeys: ...
    @property
    def meta(self) -> Meta: ...
    @property
    def ledger(self) -> EntryStore: ...
    @property
    def entries(self) -> EntryReader: ...
    def commit(self) -> None:
        """Make everything durable, once.

        Raises:
            AuditUnavailable: the storage did not take it, or did not say whether it did.
        """
        ...


class Database(Protocol):
    """Opens transactions. Leaving the block without ``commit()`` rolls back."""

    @property
    def trouble(self) -> str | None:
        """Why the last write transaction failed, by its cause; None once one was committed since."""
        ...

    def write(self) -> AbstractContextManager[Work]:
        """Open a write transaction; waits for its turn among writers."""
        ...

    def read(self) -> AbstractContextManager[Work]:
        """Open a read-only transaction: one consistent snapshot."""
        ...

    def reader(self) -> AbstractContextManager[EntryReader]:
        """Open the ledger's committed rows on a read-only connection of its own."""
        ...

    def write_anew(self) -> None:
        """Leave no parts of many deleted rows in the unused space of SQLite's file; writers wait meanwhile.

        Raises:
            AuditUnavailable: the storage failed, or it was not this process's turn.
        """
        ...

    def scrub(self) -> bool:
        """Leave nothing of what was deleted beside the tables; returns whether that could be done here and now."""
        ...
