"""From lines of a file to people made ready: what an import does without a database, here or in another process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from registry.domain.enrollment import Enrollment
from registry.domain.errors import InvalidInput
from registry.domain.ids import SubjectId
from registry.domain.principals import Principal
from registry.services.seal_people import VIA_IMPORT, Batch, Ready, Sealer
from registry.text.csv_rows import UnreadRow, read_row


class SealOrder(NamedTuple):
    """What is to be done with some lines.

    Attributes:
        today: the day to judge dates by.
        now_ms: when they are entered.
        policy: the version of the policies in force.
        principal: who enters them, for people to be made ready; None for their tags alone.
    """

    today: date
    now_ms: int
    policy: str
    principal: Principal | None


class SealedLine(NamedTuple):
    """A valid line.

    Attributes:
        place: of its row among those that were given.
        number_tag, content_tag: of the employee number, and of the whole document.
        subject, ready: the person made ready, if that was asked for.
    """

    place: int
    number_tag: bytes
    content_tag: bytes
    subject: SubjectId | None
    ready: Ready | None


class SealedLines(NamedTuple):
    """What was made of some lines: people, and for each bad line pointer and code of its problems."""

    people: list[SealedLine]
    bad: list[tuple[int, list[tuple[str, str]]]]


# Who seals: takes batches as they are read, and gives each back with its order and what was made of it, in their order.
Hands = Callable[
    [Iterable[Sequence[UnreadRow]], Callable[[], SealOrder]],
    Iterator[tuple[Sequence[UnreadRow], SealOrder, SealedLines]],
]


class LineSealer:
    """Reads lines, and makes their people ready."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, rows: Sequence[UnreadRow], order: SealOrder) -> SealedLines:
        """Read some rows, and make their people ready if the order says so."""
        read: list[tuple[int, Enrollment]] = []
        bad: list[tuple[int, list[tuple[str, str]]]] = []
        for place, row in enumerate(rows):
            try:
                person = read_row(row.read(), today=order.today)
            except InvalidInput as refusal:
                bad.append((row.line, [(problem.pointer, problem.code) for problem in refusal.problems]))
            else:
                read.append((place, person))
        if order.principal is not None:
            self._sealer.stock(person for _, person in read)
        return SealedLines([self._line(place, person, order) for place, person in read], bad)

    def one_by_one(
        self, batches: Iterable[Sequence[UnreadRow]], order: Callable[[], SealOrder]
    ) -> Iterator[tuple[Sequence[UnreadRow], SealOrder, SealedLines]]:
        """Seal batch after batch, in this process and thread; see ``Hands``."""
        for rows in batches:
            now = order()
            yield rows, now, self.seal(rows, now)

    def _line(self, place: int, person: Enrollment, order: SealOrder) -> SealedLine:
        number_tag = self._sealer.number_tag(person.employee_number)
        content_tag = self._sealer.content_tag(person)
        if order.principal is None:
            return SealedLine(place, number_tag, content_tag, None, None)
        batch = Batch(order.principal, VIA_IMPORT, order.now_ms, order.policy)
        subject = self._sealer.gather(batch, person, (number_tag, content_tag))
        return SealedLine(place, number_tag, content_tag, subject.id, self._sealer.ready(batch))
