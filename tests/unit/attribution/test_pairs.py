"""Two copies together: mean one over the draw of either given the other, power that single scores lack, limits."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence

import pytest

from registry.attribution.channel import RecordRead, SlotRead
from registry.attribution.decision import LEAD_BOUND, STRONG_BOUND, Tier, bound_of
from registry.attribution.evalue import verdict
from registry.attribution.pairs import (
    MOST_ACCOUNTS,
    PAIR_SHARE,
    PairBound,
    is_contradicted,
    judge_pairs,
    pair_e_value,
    pair_tier,
    pair_weight,
)

KEPT = (0.999, 0.85, 0.95, 0.6)
STAFF = [f"account {number:02}" for number in range(12)]
EVEN = dict.fromkeys(STAFF, 1 / len(STAFF))
BY_PLACE, BY_CARD = "by place", "by card"


def slot(read: int | None, forms: int = 2, *, has_public: bool = True) -> SlotRead:
    return SlotRead("slot", forms, KEPT, read, has_public)


@pytest.mark.parametrize("partner", [(1, 1, 1), (2, 3, 1), None])
@pytest.mark.parametrize("read", [(1, 1, 2), (0, 3, None), (2, 2, 1)])
def test_over_all_draws_of_a_copy_the_mean_is_one_whatever_its_partner_was_drawn(
    partner: tuple[int, ...] | None, read: tuple[int | None, ...]
) -> None:
    slots = tuple(slot(form, 3, has_public=form is not None) for form in read)
    beside = {} if partner is None else {"partner": partner}
    values = [
        pair_e_value([RecordRead(slots, {"copy": drawn} | beside)], "copy", "partner")
        for drawn in itertools.product((1, 2, 3), repeat=3)
    ]
    assert sum(values) / len(values) == pytest.approx(1.0)


def test_over_all_draws_of_several_cards_the_mean_is_one_too() -> None:
    """One card that both held, one that the copy alone held, one that the partner alone held."""
    card = (slot(1), slot(2, 3))
    values = [
        pair_e_value(
            [
                RecordRead(card, {"copy": drawn[:2], "partner": (1, 3)}),
                RecordRead(card, {"copy": drawn[2:]}),
                RecordRead(card, {"partner": (2, 2)}),
            ],
            "copy",
            "partner",
        )
        for drawn in itertools.product((1, 2), (1, 2, 3), (1, 2), (1, 2, 3))
    ]
    assert sum(values) / len(values) == pytest.approx(1.0)


def agency(chance: random.Random, cards: int, slots: int = 6) -> list[dict[str, tuple[int, ...]]]:
    """Draw what each account was served of each card."""
    return [{name: tuple(chance.randint(1, 2) for _ in range(slots)) for name in STAFF} for _ in range(cards)]


def as_read(cards: Sequence[Mapping[str, tuple[int, ...]]], texts: Sequence[Sequence[int]]) -> list[RecordRead]:
    return [RecordRead(tuple(map(slot, text)), drawn) for drawn, text in zip(cards, texts, strict=True)]


def mixture(seed: int, how: str = BY_PLACE, cards: int = 20) -> list[RecordRead]:
    """Play two accounts that choose by a coin, place by place or card by card."""
    chance = random.Random(seed)
    drawn = agency(chance, cards)
    texts = []
    for card in drawn:
        pair = card[STAFF[0]], card[STAFF[1]]
        texts.append(
            [chance.choice(one) for one in zip(*pair, strict=True)] if how == BY_PLACE else chance.choice(pair)
        )
    return as_read(drawn, texts)


def scores(records: Sequence[RecordRead]) -> dict[str, float]:
    return {name: verdict(records, name, seed=0, draws=0).e for name in STAFF}


def judged(records: Sequence[RecordRead]) -> tuple[PairBound, ...]:
    return judge_pairs(records, scores(records), EVEN)


@pytest.mark.parametrize("how", [BY_PLACE, BY_CARD])
@pytest.mark.parametrize("seed", range(5))
def test_a_mixture_speaks_for_both_and_for_nobody_else(seed: int, how: str) -> None:
    best, *others = judged(mixture(seed, how))
    assert (best.first, best.second) == tuple(STAFF[:2])
    assert best.bound < STRONG_BOUND / 10
    assert best.neither == 0
    assert best.both > 0 < min(best.first_alone, best.second_alone)
    assert all(one.bound > LEAD_BOUND for one in others)


def test_a_pair_is_found_where_single_scores_do_not_reach() -> None:
    records = mixture(4, cards=17)
    alone = [bound_of(verdict(records, name, seed=0, draws=0), EVEN[name]) for name in STAFF[:2]]
    assert min(alone) > STRONG_BOUND
    assert judged(records)[0].bound <= STRONG_BOUND


@pytest.mark.parametrize("cards", [4, 12])
def test_whoever_makes_a_text_look_like_two_does_not_reach_an_innocent(cards: int) -> None:
    """A framer puts other forms in half of the places of the own copy: nobody's draw can be aimed at.

    All pairs are wrong. At most a tenth of .05 of texts may have one that is called a lead: of 100, hardly one.
    """
    called = looked = 0
    for seed in range(100):
        chance = random.Random(1_000 + seed)
        drawn = agency(chance, cards)
        texts = [[form if chance.random() < 0.5 else 3 - form for form in card[STAFF[0]]] for card in drawn]
        found = judged(as_read(drawn, texts))
        looked += bool(found)
        called += any(one.bound <= LEAD_BOUND for one in found)
    assert looked > 80
    assert called <= 1


def test_a_single_leaker_and_a_text_from_outside_are_no_pair() -> None:
    """What a copy alone explains is not looked at; a bad copy of it, and other sources, are, and nobody is called."""
    chance = random.Random(7)
    drawn = agency(chance, 20)
    assert judged(as_read(drawn, [card[STAFF[4]] for card in drawn])) == ()
    worn = [[form if chance.random() < 0.8 else 0 for form in card[STAFF[4]]] for card in drawn]
    badly = [[form if chance.random() < 0.8 else 3 - form for form in card[STAFF[4]]] for card in drawn]
    outside = [[chance.randint(1, 2) for _ in card[STAFF[4]]] for card in drawn]
    assert judged(as_read(drawn, worn)) == ()
    for texts in (badly, outside):
        found = judged(as_read(drawn, texts))
        assert found
        assert all(one.bound > LEAD_BOUND for one in found)


def test_one_of_the_two_alone_does_not_carry_the_pair() -> None:
    """The smaller score counts: with the larger one, every colleague of a leaker would be called."""
    chance = random.Random(11)
    drawn = agency(chance, 30)
    leaker, innocent = STAFF[0], STAFF[5]
    records = as_read(drawn, [[form if chance.random() < 0.9 else 3 - form for form in card[leaker]] for card in drawn])
    assert pair_e_value(records, leaker, innocent) > 1e3
    assert pair_e_value(records, innocent, leaker) < 10
    (one,) = [one for one in judged(records) if {one.first, one.second} == {leaker, innocent}]
    assert one.e == pair_e_value(records, innocent, leaker)


def test_the_allowance_of_pairs_is_a_tenth_and_shared_over_all_of_them() -> None:
    weights = {"a": 0.5, "b": 0.25, "c": 0.15, "never served a marked copy": 0.1}
    whole = sum(pair_weight(pair, weights) for pair in itertools.combinations(weights, 2))
    assert whole == pytest.approx(PAIR_SHARE)
    assert pair_weight(("a", "b"), {"a": 1.0, "b": 0.0}) == 0.0


def test_alone_there_is_nobody_to_put_together() -> None:
    records = [RecordRead((slot(1), slot(1), slot(1)), {"a": (2, 2, 2)})]
    assert not is_contradicted(records, ["a"])
    assert judge_pairs(records, {"a": 0.1}, {"a": 1.0}) == ()


def test_public_forms_contradict_nobody_and_one_place_is_not_enough() -> None:
    drawn = {"a": (1, 1, 1), "b": (2, 2, 2)}
    for read, told in (((0, 0, 0), False), ((1, 1, 2), False), ((1, 2, 2), False), ((None, 1, 2), False)):
        assert is_contradicted([RecordRead(tuple(map(slot, read)), drawn)], ["a", "b"]) is told
    twice = [RecordRead(tuple(map(slot, read)), drawn) for read in ((1, 1, 2), (2, 2, 1))]
    assert is_contradicted(twice, ["a", "b"])


def test_a_pair_is_never_called_more_than_strong() -> None:
    told = [
        pair_tier(PairBound("a", "b", 0.1, 1.0, bound, 1, 1, 1, 1), uncapped=uncapped)
        for bound, uncapped in ((0.06, True), (0.05, True), (1e-3, True), (0.0, True), (0.0, False))
    ]
    assert told == [Tier.NONE, Tier.LEAD, Tier.STRONG, Tier.STRONG, Tier.LEAD]


def test_a_dump_compares_no_more_than_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    staff = [f"account {number:03}" for number in range(60)]

    def pairs_of(cards: int) -> int:
        drawn = [{name: (chance.randint(1, 2), chance.randint(1, 2)) for name in staff} for _ in range(cards)]
        records = as_read(drawn, [(chance.randint(1, 2), chance.randint(1, 2)) for _ in drawn])
        e = {name: verdict(records, name, seed=0, draws=0).e for name in staff}
        return len(judge_pairs(records, e, dict.fromkeys(staff, 1 / 60)))

    assert pairs_of(10) == MOST_ACCOUNTS * (MOST_ACCOUNTS - 1) // 2
    monkeypatch.setattr("registry.attribution.pairs.MOST_COMPARED", 2_000)
    assert pairs_of(60) == 4 * 3 // 2  # 12 scores of 120 places each
    assert pairs_of(300) == 1  # two copies are always compared
