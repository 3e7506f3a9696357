"""Tags that tell a value or a document from another one, sealed under a generation of the blind index.

A tag is made of the index key, which is never exchanged: whoever has it could try values against a tag as long as the
registry lives. So it is stored sealed under the secret of the generation that was looked up in then; of the first one,
which has no secret, as it was made. Whoever exchanges the secret seals all anew, and only then is the former secret
destroyed. A tag is sealed by what this process knows, which is checked as the last thing before a commit: whoever went
by a former generation loses its transaction and is run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection, Update, bindparam, delete, insert, select, update

from registry.crypto.tag_seal import TAG_BYTES, TagSeal
from registry.domain.errors import Contended, EnvelopeRejected, KeyUnavailable
from registry.domain.ids import SubjectId
from registry.storage.guards import RowGuard
from registry.storage.index_state import SqlIndexState
from registry.storage.rows import MANY, chunks
from registry.storage.tables import index_tags, record_versions, records, subjects
from registry.vault.generations import FIRST, Generation

# What opens a generation's secret; nothing for the first.
Opener = Callable[[Generation], TagSeal | None]
# In place of a tag whose secret is gone: no value has it.
_NONE = bytes(TAG_BYTES)
_VALUES = (
    select(*(record_versions.c[name] for name in ("record", "version", "value_tag", "tag_generation")))
    .join_from(records, record_versions, records.c.id == record_versions.c.record)
    .where(records.c.subject.in_(MANY), record_versions.c.tag_generation < bindparam("before"))
)
_CONTENTS = select(*(subjects.c[name] for name in ("id", "content_tag", "content_generation"))).where(
    subjects.c.id.in_(MANY), subjects.c.content_generation < bindparam("before")
)
_PUT_VALUE = (
    update(record_versions)
    .where(record_versions.c.record == bindparam("at"), record_versions.c.version == bindparam("of"))
    .values(value_tag=bindparam("tag"), tag_generation=bindparam("under"))
)
_PUT_CONTENT = (
    update(subjects)
    .where(subjects.c.id == bindparam("at"))
    .values(content_tag=bindparam("tag"), content_generation=bindparam("under"))
)


def no_opener(generation: Generation) -> TagSeal | None:
    """Open no generation but the first."""
    if generation.number != FIRST:
        raise LookupError("a generation of the blind index that nothing here opens")
    return None


class TagSeals:
    """What one process knows: what opens secrets, and which generation was looked up in lately."""

    def __init__(self) -> None:
        self.opener: Opener = no_opener
        self.latest: Generation | None = None


class SqlKeptTags:
    """Kept tags in one transaction."""

    def __init__(self, connection: Connection, guard: RowGuard, state: SqlIndexState, process: TagSeals) -> None:
        self._connection = connection
        self._guard = guard
        self._state = state
        self._process = process
        self._under: Generation | None = None
        self._standing: dict[int, Generation] = {}

    @property
    def number(self) -> int:
        """The generation that this transaction seals under."""
        return self._now().number

    def sealed(self, tag: bytes, generation: int = FIRST) -> tuple[bytes, int]:
        """Return a tag as it is to be stored in this transaction, and under which generation that is.

        Args:
            tag: as it was made, or as it is stored.
            generation: under which it is stored; the first one also for a tag as it was made.

        Raises:
            Contended: it would be one that is no longer looked up in, and does not open.
            EnvelopeRejected, KeyUnavailable: as of ``BlindIndex.tag_seal``.
            LedgerCorrupt: the state of the index was changed.
        """
        under = self._now()
        if generation == under.number:
            return tag, generation
        opened, seal = self.opened(tag, generation), self._seal_of(under)
        return (opened if seal is None else seal.seal(opened)), under.number

    def opened(self, tag: bytes, generation: int) -> bytes:
        """Return a stored tag as it was made; one that nothing equals where its generation's secret is gone.

        Raises:
            EnvelopeRejected, KeyUnavailable, LedgerCorrupt: as ``sealed``.
        """
        if generation == FIRST:
            return tag
        if generation not in self._standing:
            self._standing = {one.number: one for one in self._state.standing()}
        found = self._standing.get(generation)
        seal = None if found is None else self._process.opener(found)
        return _NONE if seal is None else seal.open(tag)

    def seal_anew(self, ids: Iterable[SubjectId]) -> None:
        """Seal all tags of subjects that this transaction holds under the generation that is looked up in.

        Raises:
            EnvelopeRejected, KeyUnavailable, LedgerCorrupt: as ``sealed``.
        """
        before = {"before": self._now().number}
        for part in chunks(set(ids)):
            values = self._connection.execute(_VALUES, {"many": part, **before}).all()
            self._put(_PUT_VALUE, [{"at": row[0], "of": row[1], **self._anew(*row[2:])} for row in values])
            contents = self._connection.execute(_CONTENTS, {"many": part, **before}).all()
            self._put(_PUT_CONTENT, [{"at": row[0], **self._anew(*row[1:])} for row in contents])

    def oldest(self) -> int:
        """Return the generation that all tags stand under, or under a later one.

        Raises:
            LedgerCorrupt: what tells it was changed.
        """
        rows = self._connection.execute(select(index_tags)).all()
        return max((row.k for row in self._guard.demanded("index_tags", rows)), default=FIRST)

    def note_oldest(self, number: int) -> None:
        """Note that all tags stand under a generation; later ones do anyway."""
        self._connection.execute(delete(index_tags))
        self._connection.execute(insert(index_tags), self._guard.guarded("index_tags", {"k": number}))

    def settle(self) -> None:
        """Check that what was sealed is under the generation that is looked up in, as the last thing before a commit.

        Raises:
            Contended: another process has switched to another one.
        """
        if self._under is None:
            return
        current = self._state.settled or self._state.standing()[0].number
        if self._under.number != current:
            self._process.latest = self._state.standing()[0]
            raise Contended

    def _now(self) -> Generation:
        if self._under is None:
            latest = self._process.latest
            if latest is None:
                latest = self._process.latest = self._state.standing()[0]
            self._under = latest
        return self._under

    def _seal_of(self, under: Generation) -> TagSeal | None:
        try:
            return self._process.opener(under)
        except (EnvelopeRejected, KeyUnavailable):
            # Who has stored nothing for long may go by one whose secret is wrapped under a key that is gone by now.
            self._process.latest = latest = self._state.standing()[0]
            if latest.number != under.number:
                raise Contended from None
            raise

    def _anew(self, tag: bytes, generation: int) -> dict[str, object]:
        sealed, under = self.sealed(bytes(tag), generation)
        return {"tag": sealed, "under": under}

    def _put(self, statement: Update, rows: Sequence[dict[str, object]]) -> None:
        if rows:
            self._connection.execute(statement, rows)
