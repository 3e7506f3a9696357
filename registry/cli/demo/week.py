"""Playing the week through the API, and keeping what each answer served: what a leak could be made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import httpx2

from registry.cli.demo.clock import WeekClock, moment_in
from registry.cli.demo.desk import Desk, StepFailed, document_of
from registry.cli.demo.people import Person
from registry.cli.demo.plan import Act

_NOBODY = {"given_name": "Nemo", "family_name": "Nirgendwo"}


@dataclass(frozen=True, slots=True)
class Served:
    """One card as one answer served it.

    Attributes:
        sub: the account it was served to.
        number: employee number of whose card it is.
        index: entry of the ledger, from the receipt.
        day: working day, 0 to 4.
        at: when, aware.
        purpose: as stated.
        records: the answer's records: category, member and value.
    """

    sub: str
    number: str = field(repr=False)
    index: int
    day: int
    at: datetime
    purpose: str
    records: tuple[Mapping[str, Any], ...] = field(repr=False)


@dataclass(slots=True)
class Played:
    """What the week came to."""

    served: list[Served] = field(default_factory=list)
    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    searches: int = 0
    batches: int = 0

    def note(self, act: Act, moment: datetime, number: str, card: Mapping[str, Any]) -> None:
        """Keep one served card."""
        index = card["receipt"]["index"]
        records = tuple(card["records"])
        self.served.append(Served(act.reader.account.sub, number, index, act.day, moment, act.purpose, records))


class Week:
    """Plays acts one after another."""

    def __init__(self, desk: Desk, clock: WeekClock, people: Sequence[Person]) -> None:
        self._desk = desk
        self._clock = clock
        self._people = {person.number: person for person in people}
        self._ways: Mapping[str, Callable[[Act, Played], None]] = {
            "look up": self._look_up,
            "find and look up": self._find_and_look_up,
            "batch": self._batch,
            "search": self._search,
            "department": self._department,
            "bad token": self._bad_token,
        }

    def play(self, acts: Sequence[Act], days: Sequence[date]) -> Played:
        """Do everything, each at its time.

        Raises:
            StepFailed: an answer has another status than planned.
        """
        played = Played()
        for act in acts:
            self._clock.move_to(moment_in(days, act.day, act.second))
            self._ways[act.what](act, played)
        return played

    def _look_up(self, act: Act, played: Played) -> None:
        body = {"employee_number": act.numbers[0], "categories": list(act.categories), "purpose": _purpose(act)}
        self._card(act, played, body)

    def _find_and_look_up(self, act: Act, played: Played) -> None:
        person = self._people[act.numbers[0]]
        sought = {"given_name": person.given_name, "family_name": person.family_name}
        hits = self._ask(act, played, "/v1/subjects/search", sought, 200)["hits"]
        played.searches += 1
        if len(hits) != 1:
            raise StepFailed("a search by a name that one person has did not find one person")
        self._card(
            act,
            played,
            {"subject": hits[0]["subject"], "categories": list(act.categories), "purpose": _purpose(act)},
        )

    def _card(self, act: Act, played: Played, body: Mapping[str, object]) -> None:
        answer = self._ask(act, played, "/v1/disclosures", body, act.expected)
        if act.expected == httpx2.codes.OK:
            played.note(act, self._clock.now(), act.numbers[0], answer)

    def _batch(self, act: Act, played: Played) -> None:
        items = [{"employee_number": number, "categories": list(act.categories)} for number in act.numbers]
        answer = self._ask(act, played, "/v1/disclosures/batch", {"items": items, "purpose": _purpose(act)}, 200)
        played.batches += 1
        for number, card in zip(act.numbers, answer["results"], strict=True):
            if card["status"] != httpx2.codes.OK:
                raise StepFailed("an item of a batch was refused")
            played.note(act, self._clock.now(), number, card)

    def _search(self, act: Act, played: Played) -> None:
        played.searches += 1
        if self._ask(act, played, "/v1/subjects/search", _NOBODY, 200)["hits"]:
            raise StepFailed("a search for nobody found somebody")

    def _department(self, act: Act, played: Played) -> None:
        played.searches += 1
        self._ask(act, played, "/v1/subjects/search", {"department": "Police"}, act.expected)

    def _bad_token(self, act: Act, played: Played) -> None:
        token = self._desk.token(act.reader.account)
        head, _, signature = token.rpartition(".")
        body = {"employee_number": act.numbers[0], "categories": list(act.categories), "purpose": _purpose(act)}
        answer = self._desk.post_with(f"{head}.{signature[::-1]}", "/v1/disclosures", body)
        played.requests += 1
        played.statuses[answer.status_code] += 1
        document_of(answer, act.expected)

    def _ask(self, act: Act, played: Played, path: str, body: Mapping[str, object], due: int) -> Mapping[str, Any]:
        answer = self._desk.post(act.reader.account, path, body)
        played.requests += 1
        played.statuses[answer.status_code] += 1
        return document_of(answer, due)


def _purpose(act: Act) -> dict[str, str]:
    return {"code": act.purpose, "case": act.case, "note": act.note}
