"""Playing a drill: made-up people are enrolled, accounts of its own look them up, and one of them leaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from registry.api.render import card_document
from registry.bootstrap import Application
from registry.bootstrap.application import operator
from registry.cli.drill.channels import OUTSIDE, PICTURE, Card, write
from registry.cli.drill.people import made_up
from registry.cli.drill.pictures import photographed
from registry.cli.drill.score import Round, score
from registry.domain.categories import Category
from registry.domain.clock import unix_ms
from registry.domain.duties import LOCAL_ISSUER
from registry.domain.errors import MisconfiguredHome
from registry.domain.ids import RecordId, SubjectId
from registry.domain.principals import Claims, Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.disclose import Disclosed, DisclosureAsk
from registry.services.enroll import Enrolled
from registry.services.kernel import Caller
from registry.services.principals import LEAVE, Grant
from registry.services.trace import TraceAsk
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes, read_enrollment

CATEGORIES = frozenset({Category.HOME_ADDRESS, Category.PHONE})
CLIENT = "registry-drill"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played.

    Attributes:
        drill: id of the drill; it stands in every entry.
        seed: picks who leaks and how they write.
        channels: how texts come to be, each tried ``rounds`` times.
        rounds: leaks of each channel.
        accounts: accounts that look the people up, at least 2.
        people: made-up people whose cards each leak has.
    """

    drill: str
    seed: int
    channels: tuple[str, ...]
    rounds: int
    accounts: int
    people: int


@dataclass(frozen=True, slots=True)
class _Served:
    cards: Mapping[int, Sequence[Card]] = field(repr=False)
    entries: Mapping[int, frozenset[int]]


class Drill:
    """Plays one drill on one registry."""

    def __init__(self, application: Application, plan: Plan) -> None:
        self._application = application
        self._plan = plan
        self._local = application.local_caller()
        self._note = f"drill {plan.drill}"

    def play(self, tell: Callable[[int], None]) -> Iterator[Round]:
        """Play all rounds; what was made for them is ended afterwards, whatever happens.

        Args:
            tell: is told how many rounds are done.
        """
        readers = [self._account(number) for number in range(self._plan.accounts)]
        try:
            rounds = [channel for _ in range(self._plan.rounds) for channel in self._plan.channels]
            for number, channel in enumerate(sorted(rounds, key=self._plan.channels.index)):
                yield self._round(number, channel, readers)
                tell(number + 1)
        finally:
            for reader in readers:
                self._dismiss(reader)

    def _round(self, number: int, channel: str, readers: Sequence[Caller]) -> Round:
        chance = Random(f"{self._plan.seed} {channel} {number}")  # noqa: S311 - a repeatable choice, no secret
        first = number * self._plan.people
        bodies = [made_up(self._plan.drill, first + one) for one in range(self._plan.people)]
        enrolled = [self._enroll(body) for body in bodies]
        subjects = [one.subject for one in enrolled]
        try:
            served = self._serve(readers, subjects, bodies)
            leaker = chance.randrange(len(readers))
            text = write(channel, served.cards[leaker], chance)
            if channel == PICTURE:
                text = photographed(text)
            # A moment later than the copies, so that no clock's grain takes them for later ones.
            published = self._application.kernel.clock.now() + timedelta(milliseconds=1)
            ask = TraceAsk(text, published, self._note)
            report = self._application.trace.trace(self._local, ask).stored.report
            truth = frozenset[int]() if channel == OUTSIDE else served.entries[leaker]
            return score(channel, report, truth, len(subjects) * len(CATEGORIES))
        finally:
            for one in enrolled:
                self._end(one.subject, [record.record for record in one.records])

    def _account(self, number: int) -> Caller:
        name = f"drill/{self._plan.drill}/{number}"
        grant = Grant(LOCAL_ISSUER, name, frozenset({Role.READER}))
        self._application.principals.ensure(grant, operator=f"{operator()} {self._note}")
        until = unix_ms(self._application.kernel.clock.now()) // 1000 + 86_400
        return Caller(Claims(LOCAL_ISSUER, name, None, "", CLIENT, 0, step_up_until=until))

    def _dismiss(self, reader: Caller) -> None:
        rows = self._application.principals.listing()
        row = next(one for one in rows if (one.issuer, one.sub) == (reader.claims.issuer, reader.claims.subject))
        self._application.principals.change(row.id, LEAVE, operator=f"{operator()} {self._note}")

    def _enroll(self, body: Mapping[str, Any]) -> Enrolled:
        return self._application.enroll.enroll(self._local, read_enrollment(body, today=self._today()), key=None)

    def _end(self, subject: SubjectId, records: Sequence[RecordId]) -> None:
        """End the protection of a made-up person; the entries stay, and say that it was a drill."""
        changes = read_changes({"ends": [{"record": record} for record in records]}, today=self._today())
        self._application.update.update(self._local, UpdateAsk(subject, changes, None, self._today()))

    def _serve(
        self, readers: Sequence[Caller], subjects: Sequence[SubjectId], bodies: Sequence[Mapping[str, Any]]
    ) -> _Served:
        """Let every account look every person up, as a reader does."""
        cards: dict[int, list[Card]] = {}
        entries: dict[int, set[int]] = {}
        purpose = Purpose(PurposeCode("emergency_contact"), self._note, self._note)
        for number, reader in enumerate(readers):
            asks = [(reader, DisclosureAsk(subject, None, CATEGORIES, frozenset(), purpose)) for subject in subjects]
            for answer, body in zip(self._application.disclose.disclose_many(asks), bodies, strict=True):
                if not isinstance(answer, Disclosed):
                    raise MisconfiguredHome("the policies in force let no reader see an address for emergency_contact")
                values = [record["value"] for record in card_document(answer)["records"]]
                lines = tuple(value.get("line") or value["number"] for value in values)
                cards.setdefault(number, []).append(Card(f"{body['given_name']} {body['family_name']}", lines))
                entries.setdefault(number, set()).add(answer.receipt.index)
        return _Served(cards, {number: frozenset(found) for number, found in entries.items()})

    def _today(self) -> date:
        return self._application.kernel.clock.now().date()
