"""While the index goes from one secret to another, each list of the next is the beginning of the current one's."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from registry.crypto.postings import PostingKey, PostingList
from registry.domain.ids import new_id
from registry.keys.ports import WrappedKey
from registry.vault.blind_index import BlindIndex, IndexTerm, Posting
from registry.vault.erased_postings import places_of, wipe
from registry.vault.generations import FIRST, Generation, Part
from registry.vault.images import copy_lists
from tests.fakes.postings import MemoryPostings

KEY = b"\x05" * 32
TERMS = tuple(IndexTerm("N1", f"name {number}") for number in range(3))
NAME = TERMS[0]
PEOPLE = tuple(f"{number:032x}" for number in range(1, 6))


class MemorySecrets:
    """Secrets of generations, each under a key that says its number; counts how often one is opened."""

    def __init__(self) -> None:
        self.opened = 0

    def open(self, number: int, key: WrappedKey) -> bytes:
        self.opened += 1
        assert key.blob == bytes([number])
        return bytes([number]) * 32


def generation(number: int, part: Part) -> Generation:
    return Generation(number, part, 0, WrappedKey("bodies", bytes([number])) if number > FIRST else None)


def standing(current: int, *others: tuple[int, Part]) -> list[Generation]:
    return [generation(current, Part.CURRENT), *(generation(*one) for one in others)]


def content(index: BlindIndex, store: MemoryPostings, number: int, term: IndexTerm) -> list[bytes]:
    """Return what a list says, number by number, until its end."""
    postings = index.lists_in(generation(number, Part.CURRENT)).of(index.keys_of(term))
    said: list[bytes] = []
    while (value := store.rows.get(postings.label(len(said)))) is not None:
        said.append(postings.open(len(said), value))
    return said


class Changing(RuleBasedStateMachine):
    """Adding, erasing, copying in pieces, switching and removing in any order, by two processes."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryPostings()
        self.processes = [BlindIndex(KEY, MemorySecrets()), BlindIndex(KEY, MemorySecrets())]
        self.put: dict[IndexTerm, list[Posting]] = {}
        self.current = FIRST
        self.version = 0

    @property
    def parts(self) -> set[Part]:
        return {one.part for one in self.store.generations}

    @initialize(terms=st.lists(st.sampled_from(TERMS), max_size=8))
    def filled(self, terms: Sequence[IndexTerm]) -> None:
        for number, term in enumerate(terms):
            self.add([term], PEOPLE[number % len(PEOPLE)], 0)

    @rule(
        terms=st.lists(st.sampled_from(TERMS), min_size=1, max_size=4),
        person=st.sampled_from(PEOPLE),
        process=st.integers(0, 1),
    )
    def add(self, terms: Sequence[IndexTerm], person: str, process: int) -> None:
        self.version += 1
        added = [(term, Posting(person, self.version + step)) for step, term in enumerate(terms)]
        self.version += len(terms)
        for term, posting in added:
            self.put.setdefault(term, []).append(posting)
        self.processes[process].add(self.store, added)

    @rule(person=st.sampled_from(PEOPLE), process=st.integers(0, 1))
    def erase(self, person: str, process: int) -> None:
        index = self.processes[process]
        wipe(index, self.store, places_of(index, self.store, TERMS, {person}))
        self.put = {term: [one for one in group if one.target != person] for term, group in self.put.items()}

    @rule(person=st.sampled_from(PEOPLE))
    def erase_what_was_read_before_the_switch(self, person: str) -> None:
        index = self.processes[0]
        places = places_of(index, self.store, TERMS, {person})
        if self.parts == {Part.CURRENT, Part.NEXT}:
            self.copy(TERMS, 100)
            self.switch()
        wipe(index, self.store, places)
        self.put = {term: [one for one in group if one.target != person] for term, group in self.put.items()}

    @precondition(lambda self: self.parts == {Part.CURRENT})
    @rule()
    def begin(self) -> None:
        self.store.generations = standing(self.current, (self.current + 1, Part.NEXT))

    @precondition(lambda self: Part.NEXT in self.parts)
    @rule(terms=st.lists(st.sampled_from(TERMS)), most=st.integers(1, 5))
    def copy(self, terms: Sequence[IndexTerm], most: int) -> None:
        index = self.processes[1]
        current, following = self.store.generations
        copy_lists(index, self.store, (current, following), map(index.keys_of, terms), most)

    @precondition(lambda self: Part.NEXT in self.parts)
    @rule()
    def switch(self) -> None:
        there = [self.store.generation_of[label] for label in self.store.rows]
        if there.count(self.current) == there.count(self.current + 1):
            self.store.generations = standing(self.current + 1, (self.current, Part.FORMER))
            self.current += 1

    @precondition(lambda self: Part.FORMER in self.parts)
    @rule()
    def remove(self) -> None:
        former = self.current - 1
        self.store.rows = {
            label: value for label, value in self.store.rows.items() if self.store.generation_of[label] != former
        }
        self.store.generations = standing(self.current)

    @invariant()
    def every_process_finds_everybody_once(self) -> None:
        wanted = {term: sorted(group, key=str) for term, group in self.put.items() if group}
        for index in self.processes:
            found = index.look_up(self.store, TERMS, cap=1_000)
            assert {term: sorted(group, key=str) for term, group in found.items()} == wanted

    @invariant()
    def another_list_is_the_beginning_of_the_current_one(self) -> None:
        for other in self.store.generations[1:]:
            for term in TERMS:
                whole = content(self.processes[0], self.store, self.current, term)
                part = content(self.processes[0], self.store, other.number, term)
                assert part == whole[: len(part)]


TestChanging = Changing.TestCase


@given(st.binary(min_size=32, max_size=32))
def test_a_later_list_needs_both_keys(other: bytes) -> None:
    first = PostingKey(KEY).list_of(NAME.encode()).keys
    lists = {
        PostingKey(bytes([2]) * 32, later=True).list_of(first).label(0),
        PostingKey(bytes([2]) * 32).list_of(first).label(0),
        PostingKey(other, later=True).list_of(first).label(0),
        PostingKey(bytes([2]) * 32, later=True).list_of(NAME.encode()).label(0),
        PostingList(first).label(0),
    }
    assert len(lists) == 5


def test_a_secret_is_opened_once() -> None:
    secrets, store = MemorySecrets(), MemoryPostings()
    index = BlindIndex(KEY, secrets)
    store.generations = standing(2, (3, Part.NEXT))
    for _ in range(3):
        index.add(store, [(NAME, Posting(new_id(), 1))])
        assert index.look_up(store, [NAME], cap=8)
    assert secrets.opened == 2


def test_what_is_ready_for_one_generation_is_added_to_another() -> None:
    index, store = BlindIndex(KEY, MemorySecrets()), MemoryPostings()
    postings = [Posting(new_id(), 1) for _ in range(3)]
    ready = index.ready([(NAME, one) for one in postings])
    store.generations = standing(2)
    index.add_ready(store, ready[: len(ready) // 3])
    ready_now = index.ready([(NAME, postings[1])])
    store.generations = standing(3)
    store.rows.clear()
    index.add_ready(store, ready + ready_now)
    assert list(index.look_up(store, [NAME], cap=8)[NAME]) == [*postings, postings[1]]
    assert {store.generation_of[label] for label in store.rows} == {3}


class Switching(MemoryPostings):
    """Postings that are switched and removed behind a reader's first statement."""

    def values(self, labels: Sequence[bytes]) -> dict[bytes, bytes]:
        if self.generations[0].number == FIRST:
            self.generations = standing(2)
            self.rows = {label: value for label, value in self.rows.items() if self.generation_of[label] != FIRST}
        return dict(super().values(labels))


def test_nobody_is_missed_when_the_postings_are_removed_while_they_are_read() -> None:
    index, store = BlindIndex(KEY, MemorySecrets()), Switching()
    posting = Posting(new_id(), 1)
    for number in (FIRST, 2):
        postings = index.lists_in(generation(number, Part.CURRENT)).of(index.keys_of(NAME))
        payload = bytes.fromhex(posting.target) + posting.version.to_bytes(4, "big")
        store.add([(postings.label(0), postings.seal(0, payload))], number)
    assert index.look_up(store, [NAME], cap=8) == {NAME: (posting,)}


def test_a_generation_that_nothing_here_opens_is_an_error() -> None:
    store = MemoryPostings()
    store.generations = standing(2)
    with pytest.raises(LookupError):
        BlindIndex(KEY).look_up(store, [NAME], cap=8)
