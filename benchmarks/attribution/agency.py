"""A made-up agency that is asked over HTTP: people enrolled, looked up for a year, and texts traced, as anybody would.

The application is the real one; requests go to it in this process, without sockets. Its clock is set by hand, so that
a year of lookups takes no year.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.attribution.citizens import DEPARTMENTS, Citizen, citizen
from benchmarks.load import UnsoundRun
from registry.api.app import create_app
from registry.api.logs import configure_logs
from registry.bootstrap import Application, initialise, open_application
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from registry.settings import DEVELOPMENT, load_settings
from tests.fakes.asgi import AsgiClient
from tests.fakes.clock import TestClock

ACCOUNTS, BUSIEST = 40, 4
_CARD = ["home_address", "phone", "email"]
_PURPOSE = "house_calls"
# Of an agency's own policies: the card that is looked up, with a case or without.
_POLICY = {
    "purposes.toml": f"[{_PURPOSE}]\n",
    "house_calls.cedar": f'@id("own.{_PURPOSE}")\n@reason("permitted")\n'
    'permit (principal, action == Action::"ask", resource)\n'
    f'when {{ context.purpose == Purpose::"{_PURPOSE}" }}\n'
    'when { [Category::"home_address", Category::"phone", Category::"email"].containsAll(resource.categories) };\n',
}
_TOKEN_SECONDS = 3_600
_ROUNDS, _DAYS = 10, 300
_EXPLAINED, _OWN_UNIT = 0.94, 0.8
_MISUSED_EXPLAINED, _GAP_DAYS = 0.3, 14.0
_MOST_ITEMS = 500


@dataclass(frozen=True, slots=True)
class Look:
    """One lookup to be made: who, whom, when (days from the start) and whether a case is named."""

    account: int
    person: Citizen
    day: float
    explained: bool


@dataclass
class Agency:
    """The agency as a client sees it.

    Attributes:
        shown: for each account and person, the lines that were on the screen last, and the index of the receipt.
        looked: for each person, the accounts that were shown their card.
    """

    _http: AsgiClient
    _application: Application
    _clock: TestClock
    chance: Random
    shown: dict[tuple[int, int], tuple[list[str], int]] = field(default_factory=dict)
    looked: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _day: float = 0.0
    _tokens: dict[str, tuple[float, str]] = field(default_factory=dict)

    def enroll(self, people: Sequence[Citizen]) -> None:
        """Enroll people, one request each."""
        for person in people:
            self._post("/v1/subjects", person.document(), "hr", Role.ENROLLER, 201)

    def look_up(self, looks: Sequence[Look]) -> None:
        """Make lookups in the order of their days."""
        batches: dict[tuple[float, int, bool], list[Citizen]] = defaultdict(list)
        for look in looks:
            batches[look.day, look.account, look.explained].append(look.person)
        for (day, account, explained), people in sorted(batches.items(), key=lambda one: one[0]):
            self._until(day)
            for first in range(0, len(people), _MOST_ITEMS):
                self._batch(account, people[first : first + _MOST_ITEMS], case="C-1" if explained else "")

    def trace(self, text: str, days_later: float) -> dict[str, Any]:
        """Trace a text that was published so many days after all before; returns the report."""
        return dict(self.answered(text, days_later)["report"])

    def answered(self, text: str, days_later: float) -> dict[str, Any]:
        """Trace such a text; returns the whole answer."""
        self._until(max(self._day, _DAYS) + days_later)
        body = {"text": text, "published_at": self._clock.now().isoformat(), "source": "a forum"}
        self._clock.step(60)
        return dict(self._post("/v1/traces", body, "investigator", Role.INVESTIGATOR, 201))

    def printed(self, trace: str) -> bytes:
        """Return the report of a trace as PDF."""
        path = f"/v1/traces/{trace}/report.pdf"
        headers = {"authorization": f"Bearer {self._token('investigator', Role.INVESTIGATOR)}"}
        answer = self._http.ask("GET", path, None, headers)
        if answer.status != 200 or not answer.body.startswith(b"%PDF"):
            raise UnsoundRun(f"GET {path}: {answer.status}")
        return answer.body

    def lines(self, account: int | None, person: Citizen) -> list[str]:
        """Return what stood on an account's screen when it last looked at a person."""
        return self.shown[-1 if account is None else account, person.number][0]

    def receipt(self, account: int, person: Citizen) -> int:
        """Return the index of the entry of that lookup."""
        return self.shown[account, person.number][1]

    def _batch(self, account: int, people: Sequence[Citizen], *, case: str) -> None:
        purpose = {"code": _PURPOSE, "note": "a lookup"} | ({"case": case} if case else {})
        items = [{"employee_number": person.document()["employee_number"], "categories": _CARD} for person in people]
        body = {"items": items, "purpose": purpose}
        answer = self._post("/v1/disclosures/batch", body, f"reader {account}", Role.READER, 200)
        for person, result in zip(people, answer["results"], strict=True):
            if result["status"] != 200:
                raise UnsoundRun(f"a lookup was answered {result['status']}")
            card = result["disclosure"] if "records" not in result else result
            values = [record["value"] for record in card["records"]]
            lines = [value.get("line") or value.get("number") or value["address"] for value in values]
            self.shown[account, person.number] = lines, card["receipt"]["index"]
            if account not in self.looked[person.number]:
                self.looked[person.number].append(account)

    def _post(self, path: str, body: Mapping[str, Any], who: str, role: Role, expected: int) -> Any:
        headers = {"authorization": f"Bearer {self._token(who, role)}"}
        answer = self._http.ask("POST", path, body, headers)
        if answer.status != expected:
            raise UnsoundRun(f"POST {path}: {answer.status} {answer.text[:300]}")
        return answer.json()

    def _token(self, who: str, role: Role) -> str:
        now = self._clock.now()
        until, token = self._tokens.get(who, (0.0, ""))
        if until < now.timestamp():
            if not token:
                grant = Grant(DEVELOPMENT_ISSUER, who, frozenset({role}), None)
                self._application.principals.ensure(grant, operator="local:bench")
            issuer = self._application.development_issuer()
            token = issuer.issue(who, [role], ttl_seconds=_TOKEN_SECONDS, now=now)
            self._tokens[who] = now.timestamp() + _TOKEN_SECONDS / 2, token
        return token

    def _until(self, day: float) -> None:
        if day > self._day:
            self._clock.time += timedelta(days=day - self._day)
            self._day = day


class Population:
    """Makes up people and who looked at them: few accounts look much, and mostly within their unit."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._activity = [chance.lognormvariate(0.0, 1.0) for _ in range(ACCOUNTS)]
        self._made = 0
        self.looks: list[Look] = []
        self.people: list[Citizen] = []
        # The busiest, who are no more likely to have had a part.
        self.busiest = sorted(range(ACCOUNTS), key=lambda one: -self._activity[one])[:BUSIEST]

    def person(self, unit: int | None = None, viewers: Sequence[int] = (), leaker: int | None = None) -> Citizen:
        """Make up a person of a unit, and lookups of them.

        Args:
            unit: of the person; any when not said.
            viewers: accounts that looked, beside those that are drawn.
            leaker: an account that looked lately, and mostly without a case.
        """
        chance = self._chance
        place = self.unit() if unit is None else unit
        made = citizen(self._made, chance, DEPARTMENTS[place])
        self._made += 1
        self.people.append(made)
        near = [
            weight * (_OWN_UNIT if one % len(DEPARTMENTS) == place else (1 - _OWN_UNIT) / 2)
            for one, weight in enumerate(self._activity)
        ]
        drawn = chance.choices(range(ACCOUNTS), near, k=1 + min(30, round(chance.expovariate(1 / 12))))
        for account in dict.fromkeys((*viewers, *drawn)):
            if account != leaker:
                day = chance.randrange(_ROUNDS) * _DAYS / _ROUNDS
                self.looks.append(Look(account, made, day, chance.random() < _EXPLAINED))
        if leaker is not None:
            gap = min(_DAYS, round(chance.expovariate(1 / _GAP_DAYS)))
            self.looks.append(Look(leaker, made, _DAYS - float(gap), chance.random() < _MISUSED_EXPLAINED))
        return made

    def unit(self) -> int:
        """Draw a unit."""
        return self._chance.randrange(len(DEPARTMENTS))

    def somebody(self) -> int:
        """Draw an account by how much it looks."""
        return self._chance.choices(range(ACCOUNTS), self._activity)[0]


@contextmanager
def agency(seed: str) -> Iterator[Agency]:
    """Open a new agency in a folder of its own, which goes with it."""
    with TemporaryDirectory(prefix="agency-") as folder:
        home, clock = Path(folder) / "home", TestClock()
        (home / "policies").mkdir(parents=True)
        for name, text in _POLICY.items():
            (home / "policies" / name).write_text(text)
        (home / "config.toml").write_text('[policy]\nfolder = "policies"\n')
        settings = load_settings(home, {})
        initialise(settings, DEVELOPMENT, clock)
        application = open_application(settings, clock)
        configure_logs(io.StringIO())
        try:
            with AsgiClient(create_app(application)) as http:
                yield Agency(http, application, clock, Random(seed))
        finally:
            application.close()
