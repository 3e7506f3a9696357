"""Terms that one part of a long table asked for are not asked again, and the answers stay those of the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from registry.domain.ids import RecordId, SubjectId, new_id
from registry.services.terms_read import TermHits, TermsRead, versions_of
from registry.vault.blind_index import BlindIndex, IndexTerm, Posting
from registry.vault.generations import Generation
from tests.fakes.postings import MemoryPostings

KEY = b"\x05" * 32
CAP = 5
TERMS = tuple(IndexTerm("N2", f"name {number}") for number in range(9))


class Counted:
    """Postings that count what they are asked for."""

    def __init__(self, store: MemoryPostings) -> None:
        self._store = store
        self.asked = 0

    def standing(self) -> Sequence[Generation]:
        return self._store.standing()

    def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        self.asked += len(labels)
        return self._store.values(labels)


def filled() -> tuple[BlindIndex, MemoryPostings]:
    """Return an index in which the first term has no posting, the next one, and so on, more than are read."""
    index, store = BlindIndex(KEY), MemoryPostings()
    for count, term in enumerate(TERMS):
        index.add(store, [(term, Posting(new_id(), version + 1)) for version in range(count)])
    return index, store


INDEX, STORE = filled()


def nobody(_: object) -> dict[RecordId, SubjectId]:
    return {}


def as_read(terms: Sequence[IndexTerm]) -> dict[IndexTerm, TermHits]:
    found = INDEX.look_up(STORE, terms, cap=CAP)
    return {term: TermHits(frozenset(SubjectId(one.target) for one in group), {}) for term, group in found.items()}


@given(st.lists(st.lists(st.sampled_from(TERMS), unique=True), max_size=6), st.integers(0, 60))
def test_parts_are_answered_as_if_each_were_the_first(parts: list[list[IndexTerm]], most: int) -> None:
    read = TermsRead(INDEX, cap=CAP, most=most)
    for terms in parts:
        assert read.look_up(STORE, terms, nobody) == as_read(terms)


def test_a_term_is_asked_once_with_or_without_postings() -> None:
    read, store = TermsRead(INDEX, cap=CAP), Counted(STORE)
    read.look_up(store, TERMS, nobody)
    before = store.asked
    assert read.look_up(store, TERMS, nobody) == as_read(TERMS)
    assert store.asked == before


def test_what_is_kept_is_bounded() -> None:
    read, store = TermsRead(INDEX, cap=CAP, most=4), Counted(STORE)
    read.look_up(store, TERMS[:2], nobody)  # three: two terms, one posting
    read.look_up(store, TERMS[2:3], nobody)  # three more are too many: the first two are let go
    before = store.asked
    read.look_up(store, TERMS[:1], nobody)
    assert store.asked == before + 1


def test_a_word_of_every_part_is_read_once_though_the_rest_is_let_go() -> None:
    read, store = TermsRead(INDEX, cap=CAP, most=6), Counted(STORE)
    read.look_up(store, [TERMS[3], TERMS[0]], nobody)
    for other in (TERMS[1], TERMS[1], TERMS[0], TERMS[1]):
        before = store.asked
        assert read.look_up(store, [TERMS[3], other], nobody)[TERMS[3]]
        assert store.asked - before <= CAP  # those of the other; never those of the word as well


def test_a_word_that_many_share_stays_when_the_terms_of_single_rows_are_let_go() -> None:
    read, store = TermsRead(INDEX, cap=CAP, most=6), Counted(STORE)
    for term in (TERMS[3], TERMS[1], TERMS[0]):  # four, two, and one that is too many
        read.look_up(store, [term], nobody)
    before = store.asked
    assert read.look_up(store, [TERMS[3]], nobody) == as_read([TERMS[3]])
    assert store.asked == before
    read.look_up(store, [TERMS[1]], nobody)
    assert store.asked > before


def test_a_term_of_records_says_whose_they_are_and_which_versions() -> None:
    index, store, term = BlindIndex(KEY), MemoryPostings(), IndexTerm("P1", "8165550123")
    first, second, gone = (RecordId(new_id()) for _ in range(3))
    index.add(store, [(term, Posting(*one)) for one in ((first, 1), (first, 2), (second, 1), (gone, 1))])
    owners = {first: SubjectId("a"), second: SubjectId("b")}
    read = TermsRead(index, cap=CAP)
    hits = read.look_up(store, [term], lambda asked: {one: owners[one] for one in asked & owners.keys()})[term]
    assert hits.subjects == {"a", "b"}
    assert versions_of([hits], {SubjectId("a")}) == {"a": {(first, 1), (first, 2)}}
