"""What the staff will do in the week: lookups, batches, searches, and the mistakes that are refused.

The same plan each time; only its dates follow the calendar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from registry.cli.demo import staff
from registry.cli.demo.clock import WORKING_DAYS
from registry.cli.demo.people import Person
from registry.cli.demo.staff import Reader

_WEEK_SEED = "a working week in Wexley Falls"
# Eight to five in the made-up city, in seconds of the day in UTC.
_OPENS, _CLOSES = 14 * 3600, 23 * 3600
_UNKNOWN_NUMBER = "WF-0000"
_NOTES = ("callback", "shift change", "form returned", "at the counter", "year-end check", "")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that one member of staff does.

    Attributes:
        day: working day, 0 to 4.
        second: second of that day, UTC.
        reader: who.
        what: ``look up``, ``find and look up``, ``batch``, ``search`` or ``bad token``.
        numbers: employee numbers asked for.
        purpose, categories, case, note: as stated.
        expected: the status that must come back.
    """

    day: int
    second: int
    reader: Reader
    what: str
    numbers: tuple[str, ...] = field(repr=False)
    purpose: str = ""
    categories: tuple[str, ...] = ()
    case: str = ""
    note: str = ""
    expected: int = 200


def plan_week(people: Sequence[Person], readers: Sequence[Reader]) -> tuple[Act, ...]:
    """Plan everything, in the order of time."""
    planner = _Planner(people, Random(_WEEK_SEED))  # noqa: S311 - a made-up week, no secrets
    acts = [act for day in range(WORKING_DAYS) for reader in readers for act in planner.day_of(day, reader)]
    return tuple(sorted(acts, key=lambda act: (act.day, act.second, act.reader.account.sub)))


class _Planner:
    def __init__(self, people: Sequence[Person], chance: Random) -> None:
        self._people = people
        self._chance = chance
        # Some people are asked for much more often than others, so that a value has many viewers.
        self._weights = [1.0 / (4 + rank) for rank in range(len(people))]

    def day_of(self, day: int, reader: Reader) -> Iterator[Act]:
        chance = self._chance
        for _ in range(chance.choice((1, 2, 2, 2, 3))):
            yield self._lookup(day, reader)
        if chance.random() < 0.06:
            yield self._batch(day, reader)
        if chance.random() < 0.16:
            yield self._mistake(day, reader)

    def _lookup(self, day: int, reader: Reader) -> Act:
        purpose, categories = self._chance.choice(reader.unit.work)
        what = "find and look up" if self._chance.random() < 0.12 else "look up"
        case, note = self._case(purpose), self._chance.choice(_NOTES)
        return Act(day, self._second(), reader, what, self._others(reader, 1), purpose, categories, case, note)

    def _batch(self, day: int, reader: Reader) -> Act:
        purpose, categories = self._chance.choice(reader.unit.work)
        numbers = self._others(reader, self._chance.randint(6, 14))
        return Act(day, self._second(), reader, "batch", numbers, purpose, categories, self._case(purpose))

    def _mistake(self, day: int, reader: Reader) -> Act:
        purpose, categories = self._chance.choice(reader.unit.work)
        case, second, other = self._case(purpose), self._second(), self._others(reader, 1)
        own = (reader.account.employee_number or _UNKNOWN_NUMBER,)
        choice = self._chance.randrange(6)
        if choice == 0:  # one's own card
            return Act(day, second, reader, "look up", own, purpose, categories, case, expected=403)
        if choice == 1:  # a category that the purpose does not open
            return Act(day, second, reader, "look up", other, purpose, (*categories, "payment_card"), "", expected=403)
        if choice == 2:  # nobody has this number
            unknown = (_UNKNOWN_NUMBER,)
            return Act(day, second, reader, "look up", unknown, purpose, categories, case, expected=404)
        if choice == 3:  # a name that nobody has, or a whole department: a target list
            return Act(day, second, reader, "search", ())
        if choice == 4:
            return Act(day, second, reader, "department", (), expected=403)
        return Act(day, second, reader, "bad token", other, purpose, categories, case, expected=401)

    def _others(self, reader: Reader, count: int) -> tuple[str, ...]:
        """Choose people; never the reader, whose own card is refused."""
        chosen: dict[str, None] = {}
        while len(chosen) < count:
            (person,) = self._chance.choices(self._people, self._weights)
            if person.number != reader.account.employee_number:
                chosen[person.number] = None
        return tuple(chosen)

    def _second(self) -> int:
        return self._chance.randrange(_OPENS, _CLOSES)

    def _case(self, purpose: str) -> str:
        return f"WF-2{self._chance.randrange(1000, 9999)}" if purpose in staff.CASE_PURPOSES else ""
