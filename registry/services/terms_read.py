"""What the blind index said of a text's terms: what one part of a long table asked, the next does not ask again."""

from __future__ import annotations

from collections.abc import Iterable

from registry.vault.blind_index import BlindIndex, IndexTerm, Posting, PostingStore

# Terms and postings that are kept: some 20 MB, however long the table is.
MOST_KEPT = 100_000


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
        answer = {term: postings for term in wanted if (postings := self._kept.get(term) or found.get(term))}
        self._keep({term: found.get(term, ()) for term in unknown})
        return answer

    def _keep(self, read: dict[IndexTerm, tuple[Posting, ...]]) -> None:
        size = sum(1 + len(postings) for postings in read.values())
        if self._size + size > self._most:
            self._kept, self._size = {}, 0
        if size <= self._most:
            self._kept.update(read)
            self._size += size
