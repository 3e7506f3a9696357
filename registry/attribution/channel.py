"""How the forms of a copy come through to a text: copied, normalised, recognised, typed again, or brought to one form.

A model that steers how much evidence a slot gives. Whether it is right does not touch the bound on false accusations:
every factor below has mean one over the forms that could have been drawn, whatever the rates and habits are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Weights of: verbatim, normalised by a program, recognised from a picture, typed again, brought to the public form.
BEHAVIOURS = (0.3, 0.1, 0.25, 0.3, 0.05)
# How much of a text may come from elsewhere, and the weights of these shares.
ELSEWHERE = ((0.0, 0.6), (0.3, 0.2), (0.6, 0.2))
# Whoever does not keep a form writes the public one mostly, until more is known of their habit.
PUBLIC_HABIT = 0.7
PUBLIC = 0


@dataclass(frozen=True, slots=True)
class SlotRead:
    """One slot of one record as it was read from the text, without knowing what was drawn for anybody.

    Attributes:
        name: of the slot; a writer's habit carries over to the same slot of other records.
        forms: how many forms may have been drawn, at least 2, numbered from 1.
        kept: how often a form survives, for the first four behaviours; the fifth keeps none.
        read: the form that was read, 0 for the public one, None when nothing is to be recognised.
        has_public: whether there is a public form at all.
    """

    name: str
    forms: int
    kept: tuple[float, float, float, float]
    read: int | None
    has_public: bool = True

    def keeps(self, behaviour: int) -> float:
        """Return how often a form survives a behaviour."""
        return self.kept[behaviour] if behaviour < len(self.kept) else 0.0


@dataclass(slots=True)
class Habit:
    """What a writer puts where a form was not kept, learnt slot by slot as records are read.

    Attributes:
        counts: soft counts of readings that were not kept, by slot and form.
    """

    counts: dict[str, dict[int, float]] = field(default_factory=dict)

    def chance(self, slot: SlotRead, form: int) -> float:
        """Return the chance that the writer puts this form."""
        return habit_after(self.counts.get(slot.name, {}), slot, form)

    def learn(self, slot: SlotRead, form: int, weight: float) -> None:
        """Count a reading by the chance that it is the writer's own."""
        seen = self.counts.setdefault(slot.name, {})
        seen[form] = seen.get(form, 0.0) + weight


def habit_after(seen: Mapping[int, float], slot: SlotRead, form: int) -> float:
    """Return the chance that the writer puts a form, after soft counts of what they put there in other records."""
    return (first_habit(slot, form) + seen.get(form, 0.0)) / (1.0 + sum(seen.values()))


def first_habit(slot: SlotRead, form: int) -> float:
    """Return the chance of a form before anything is known of the writer."""
    if not slot.has_public:
        return 0.0 if form == PUBLIC else 1.0 / slot.forms
    return PUBLIC_HABIT if form == PUBLIC else (1.0 - PUBLIC_HABIT) / slot.forms


def factor(slot: SlotRead, drawn: int, behaviour: int, habit: Habit) -> float:
    """Return how much likelier the reading is under this drawn form than under a random one; teaches the habit.

    One for an erasure. Over all forms that could have been drawn, the mean is one.
    """
    if slot.read is None:
        return 1.0
    free, kept, mean = chances(slot, behaviour, habit.chance(slot, slot.read))
    likelihood = kept if slot.read == drawn else free
    if likelihood > 0.0:
        habit.learn(slot, slot.read, free / likelihood)
    return likelihood / mean if mean > 0.0 else 1.0


def chances(slot: SlotRead, behaviour: int, by_habit: float) -> tuple[float, float, float]:
    """Return the chance of the reading where another form was drawn, where this one was, and over all forms.

    Args:
        slot: as read.
        behaviour: number of it.
        by_habit: the chance that the writer puts what was read where they keep nothing.
    """
    keep = slot.keeps(behaviour)
    free = (1.0 - keep) * by_habit
    return free, free + keep, free + (keep / slot.forms if slot.read != PUBLIC else 0.0)


@dataclass(frozen=True, slots=True)
class RecordRead:
    """One found record: its slots as read, and what was drawn for each copy that held it.

    Attributes:
        slots: the readings.
        drawn: for each copy that held this record, by whatever names copies, the drawn form of each slot.
    """

    slots: tuple[SlotRead, ...]
    drawn: Mapping[str, tuple[int, ...]] = field(repr=False)
