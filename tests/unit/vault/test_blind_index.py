"""The blind index finds what was put in, and shows at rest nothing but how many postings there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.crypto.postings import TOMBSTONE, PostingKey
from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import new_id
from registry.vault.blind_index import BlindIndex, IndexTerm, Posting
from registry.vault.generations import Generation
from tests.fakes.postings import MemoryPostings

KEY = b"\x05" * 32
NAME = IndexTerm("N1", "brightwater|dana")


def filled(counts: dict[IndexTerm, int]) -> tuple[BlindIndex, MemoryPostings, dict[IndexTerm, list[Posting]]]:
    index, store = BlindIndex(KEY), MemoryPostings()
    put: dict[IndexTerm, list[Posting]] = {}
    for term, count in counts.items():
        put[term] = [Posting(new_id(), number + 1) for number in range(count)]
        for posting in put[term]:
            index.add(store, [(term, posting)])
    return index, store, put


@given(
    st.dictionaries(st.sampled_from([IndexTerm("N1", f"name {n}") for n in range(6)]), st.integers(1, 40), max_size=6)
)
def test_everything_put_in_is_found_and_nothing_else(counts: dict[IndexTerm, int]) -> None:
    index, store, put = filled(counts)
    found = index.look_up(store, [*counts, IndexTerm("N1", "nobody")], cap=512)
    assert {term: sorted(group, key=lambda p: p.version) for term, group in found.items()} == put


def test_one_call_may_add_many_postings_of_one_term() -> None:
    index, store = BlindIndex(KEY), MemoryPostings()
    postings = [Posting(new_id(), 1) for _ in range(50)]
    index.add(store, [(NAME, posting) for posting in postings])
    index.add(store, [(NAME, Posting(new_id(), 2))])
    assert len(index.look_up(store, [NAME], cap=512)[NAME]) == 51


def test_looking_up_stops_at_the_cap() -> None:
    index, store, _ = filled({NAME: 30})
    assert len(index.look_up(store, [NAME], cap=7)[NAME]) == 7


def test_a_long_list_is_appended_to_in_few_rounds() -> None:
    index, store, _ = filled({NAME: 300})
    store.rounds = 0
    index.add(store, [(NAME, Posting(new_id(), 1))])
    assert store.rounds < 20


def test_kinds_are_separate() -> None:
    index, store, _ = filled({NAME: 1})
    assert not index.look_up(store, [IndexTerm("N2", NAME.text)], cap=8)
    assert not index.look_up(store, [IndexTerm("N", f"1\0{NAME.text}")], cap=8)


def test_another_key_finds_nothing() -> None:
    _, store, _ = filled({NAME: 3})
    assert not BlindIndex(b"\x06" * 32).look_up(store, [NAME], cap=8)


def test_a_thousand_equal_terms_look_like_a_thousand_different_ones() -> None:
    record = new_id()
    index, store = BlindIndex(KEY), MemoryPostings()
    index.add(store, [(NAME, Posting(record, 1))] * 1000)
    assert len(store.rows) == 1000
    assert len(set(store.rows.values())) == 1000
    assert {len(label) for label in store.rows} == {16}
    assert bytes.fromhex(record) not in b"".join(store.rows.values())


def test_an_erased_posting_is_passed_over_and_a_changed_one_is_noticed() -> None:
    index, store, put = filled({NAME: 3})
    postings = PostingKey(KEY).list_of(NAME.encode())
    store.rows[postings.label(1)] = postings.seal(1, TOMBSTONE)
    assert list(index.look_up(store, [NAME], cap=8)[NAME]) == [put[NAME][0], put[NAME][2]]
    changed = bytearray(store.rows[postings.label(0)])
    changed[-1] ^= 1
    store.rows[postings.label(0)] = bytes(changed)
    with pytest.raises(LedgerCorrupt):
        index.look_up(store, [NAME], cap=8)


def test_where_a_common_list_ends_is_remembered() -> None:
    index, store, _ = filled({NAME: 300})
    store.rounds = 0
    index.add(store, [(NAME, Posting(new_id(), 1))])
    assert store.rounds == 1


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 60, 99])
def test_an_end_that_was_rolled_back_is_no_end(kept: int) -> None:
    """The transaction that the hint comes from left nothing: a list with a gap would hide what stands behind it."""
    index, store, put = filled({NAME: 100})
    postings = PostingKey(KEY).list_of(NAME.encode())
    for counter in range(kept, 100):
        del store.rows[postings.label(counter)]
    added = [Posting(new_id(), 1) for _ in range(3)]
    index.add(store, [(NAME, posting) for posting in added])
    assert list(index.look_up(store, [NAME], cap=512)[NAME]) == put[NAME][:kept] + added


def test_what_others_appended_since_is_not_overwritten() -> None:
    index, store, _ = filled({NAME: 20})
    BlindIndex(KEY).add(store, [(NAME, Posting(new_id(), 1)) for _ in range(45)])
    index.add(store, [(NAME, Posting(new_id(), 1)), (NAME, Posting(new_id(), 2))])
    assert len(index.look_up(store, [NAME], cap=512)[NAME]) == 67


def test_ready_postings_may_come_from_elsewhere_and_in_parts() -> None:
    elsewhere, index, store = BlindIndex(KEY), BlindIndex(KEY), MemoryPostings()
    put = [Posting(new_id(), 1) for _ in range(30)]
    parts = [elsewhere.ready([(NAME, posting), (IndexTerm("P1", posting.target), posting)]) for posting in put]
    index.add_ready(store, b"".join(parts[:20]))
    index.add_ready(store, b"".join(parts[20:]))
    found = index.look_up(store, [NAME, IndexTerm("P1", put[3].target)], cap=64)
    assert list(found[NAME]) == put
    assert found[IndexTerm("P1", put[3].target)] == (put[3],)


def test_hints_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.vault.blind_index._MOST_HINTS", 10)
    index, store = BlindIndex(KEY), MemoryPostings()
    for number in range(40):
        index.add(store, [(IndexTerm("N1", str(number)), Posting(new_id(), 1))] * 9)
    assert len(index._hints) <= 10


def test_a_term_shows_no_text() -> None:
    assert "brightwater" not in repr(NAME)


def test_a_term_without_postings_costs_one_label_and_a_common_one_few_rounds() -> None:
    index, store, _ = filled({NAME: 500})
    asked: list[int] = []

    class Counting:
        def standing(self) -> Sequence[Generation]:
            return store.standing()

        def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
            asked.append(len(labels))
            return store.values(labels)

    strangers = [IndexTerm("N1", f"nobody {number}") for number in range(1_000)]
    assert not index.look_up(Counting(), strangers, cap=512)
    assert asked == [1_000]
    asked.clear()
    assert len(index.look_up(Counting(), [NAME], cap=512)[NAME]) == 500
    assert len(asked) <= 4
