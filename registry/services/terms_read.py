"""What the blind index said of a text's terms: what one part of a long table asked, the next does not ask again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import NamedTuple, TypeVar, cast

from registry.domain.ids import RecordId, SubjectId
from registry.leaktrace.terms import TermKind
from registry.vault.blind_index import BlindIndex, IndexTerm, Posting, PostingStore

# Terms and postings that are kept: some 60 MB, however long the table is.
MOST_KEPT = 400_000
# Postings of a term that costs so little to ask again that it goes first: a telephone number stands in one row, a first
# name in every part.
_FEW = 2

Version = tuple[RecordId, int]
Owners = Callable[[AbstractSet[RecordId]], Mapping[RecordId, SubjectId]]
_DIRECTORY_KINDS = frozenset({TermKind.NAME, TermKind.NAME_GIVEN, TermKind.NAME_FAMILY, TermKind.FAMILY_NAME})


class TermHits(NamedTuple):
    """Whose a term is. Not a dataclass: a dump makes a million of them.

    Attributes:
        subjects: whose.
        versions: of their records, those that the index points to; none for the term of a subject's name.
    """

    subjects: frozenset[SubjectId]
    versions: Mapping[SubjectId, tuple[Version, ...]]

    @property
    def size(self) -> int:
        """How many postings it is made of, at least."""
        return max(len(self.subjects), sum(map(len, self.versions.values())))


_NOBODYS = TermHits(frozenset(), {})
# A term of a text is no other tuple than one of the index: it is asked, kept and answered as it is.
_Asked = TypeVar("_Asked", bound=tuple[str, str])
_AS_INDEX_TERM: Callable[[tuple[str, str]], IndexTerm] = partial(tuple.__new__, IndexTerm)


class TermsRead:
    """Looks up terms for one text, and keeps what it read: first names, cities and units return in every part.

    Lives as long as the matching of one text. Somebody enrolled meanwhile may be found in its later parts or in none.
    """

    def __init__(self, index: BlindIndex, *, cap: int, most: int = MOST_KEPT) -> None:
        self._index = index
        self._cap = cap
        self._most = most
        self._kept: dict[tuple[str, str], TermHits] = {}
        self._size = 0
        self._ids = _Ids()

    def look_up(self, store: PostingStore, terms: Iterable[_Asked], owners: Owners) -> dict[_Asked, TermHits]:
        """Return whose the terms are, by the postings that ``BlindIndex.look_up`` returns; nobody's are left out.

        Args:
            store: the postings.
            terms: what is asked, kinds and texts.
            owners: says whose some records are; those that are gone are left out.

        Raises:
            LedgerCorrupt: a posting was changed.
        """
        wanted, kept = list(terms), self._kept
        unknown = [term for term in wanted if term not in kept]
        postings = self._index.look_up(store, map(_AS_INDEX_TERM, unknown), cap=self._cap)
        found: dict[tuple[str, str], TermHits] = dict.fromkeys(unknown, _NOBODYS)
        found |= _hits(postings, owners, self._ids)
        answer = {term: known for term in wanted if (known := kept.get(term) or found[term]).subjects}
        self._keep(wanted, found)
        return answer

    def _keep(self, wanted: Iterable[tuple[str, str]], read: dict[tuple[str, str], TermHits]) -> None:
        """Add what was read; where that is too much, keep what many people share, then what this part asked of that."""
        self._kept.update(read)
        self._size += _size(read)
        if self._size <= self._most:
            return
        self._hold({term: hits for term, hits in self._kept.items() if hits.size > _FEW})
        if self._size > self._most * 3 // 4:  # else every part would look through all of it again
            self._hold({term: self._kept[term] for term in wanted if term in self._kept})
        if self._size > self._most:
            self._hold({})

    def _hold(self, kept: dict[tuple[str, str], TermHits]) -> None:
        self._kept, self._size = kept, _size(kept)
        self._ids = _Ids()


def versions_of(hits: Iterable[TermHits], subjects: AbstractSet[SubjectId]) -> dict[SubjectId, set[Version]]:
    """Return the versions of some subjects' records that terms point to."""
    found: dict[SubjectId, set[Version]] = {}
    for one in hits:
        for subject in one.versions.keys() & subjects:
            found.setdefault(subject, set()).update(one.versions[subject])
    return found


class _Ids(dict[str, SubjectId]):
    """One text for one person, who has two dozen postings: sets of them are smaller, and compared by identity."""

    def __missing__(self, written: str) -> SubjectId:
        one = self[written] = SubjectId(written)
        return one


def _hits(
    postings: Mapping[IndexTerm, Sequence[Posting]], owners: Owners, ids: _Ids
) -> dict[tuple[str, str], TermHits]:
    records = {
        posting.target for term, group in postings.items() if term.kind not in _DIRECTORY_KINDS for posting in group
    }
    whose = owners(cast("AbstractSet[RecordId]", records))
    return {
        term: TermHits(frozenset([ids[posting.target] for posting in group]), {})
        if term.kind in _DIRECTORY_KINDS
        else _of_records(group, whose, ids)
        for term, group in postings.items()
    }


def _of_records(postings: Iterable[Posting], whose: Mapping[RecordId, SubjectId], ids: _Ids) -> TermHits:
    versions: dict[SubjectId, tuple[Version, ...]] = {}
    for posting in postings:
        record = RecordId(posting.target)
        owner = whose.get(record)
        if owner is not None:
            owner = ids[owner]
            versions[owner] = (*versions.get(owner, ()), (record, posting.version))
    return TermHits(frozenset(versions), versions)


def _size(read: Mapping[tuple[str, str], TermHits]) -> int:
    return len(read) + sum([hits.size for hits in read.values() if hits is not _NOBODYS])
