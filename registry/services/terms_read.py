"""What the blind index said of a text's terms: what one part of a long table asked, the next does not ask again."""

from __future__ import annotations

from collections.abc import Iterable

from registry.vault.blind_index import BlindIndex, IndexTerm, Posting, PostingStore

# Terms and postings that are kept: some 40 MB, however long the table is. One part of 500 rows with common names takes
# half of it.
MOST_KEPT = 200_000


class TermsRead:
    """Looks up terms for one text, and keeps what it read: first names, cities and units return in every part.

    Lives as long as the matching of one text. Somebody enrolled meanwhile may be found in its later parts or in none.
    """

    def __init__(self, index: BlindIndex, *, cap: int, most: int = MOST_KEPT) -> None:
        self._index = index
        self._cap = cap
        self._most = most
        self._kept: dict[IndexTerm, tuple[Posting, ...]] = {}
        self._size = 0

    def look_up(self, store: PostingStore, terms: Iterable[IndexTerm]) -> dict[IndexTerm, tuple[Posting, ...]]:
        """Return the postings of each term as ``BlindIndex.look_up`` does.

        Raises:
            LedgerCorrupt: a posting was changed.
        """
        wanted = list(terms)
        unknown = [term for term in wanted if term not in self._kept]
        found = self._index.look_up(store, unknown, cap=self._cap)
        answer = {term: known for term in wanted if (known := self._kept.get(term) or found.get(term))}
        self._keep(wanted, {term: found.get(term, ()) for term in unknown})
        return answer

    def _keep(self, wanted: Iterable[IndexTerm], read: dict[IndexTerm, tuple[Posting, ...]]) -> None:
        """Add what was read; where that is too much, keep what this part asked, and of that what the index answered."""
        self._kept.update(read)
        self._size += _size(read)
        if self._size > self._most:
            self._hold({term: self._kept[term] for term in wanted})
        if self._size > self._most:
            self._hold({term: postings for term, postings in self._kept.items() if postings})
        if self._size > self._most:
            self._hold({})

    def _hold(self, kept: dict[IndexTerm, tuple[Posting, ...]]) -> None:
        self._kept, self._size = kept, _size(kept)


def _size(read: dict[IndexTerm, tuple[Posting, ...]]) -> int:
    return sum(1 + len(postings) for postings in read.values())
