"""A token that opens one card with sealed records: whose session was stolen loses one card and not all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from registry.domain.errors import StatementRefused
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.services.disclose import Answer, Disclosed, Failed, Refused
from registry.services.kernel import Caller
from tests.functional.services.homes import Home
from tests.functional.services.test_approvals import approve, ask, enrolled, in_unit, wanted


def opened(home: Home, reader: Caller, tier: str, number: str = "T-0001") -> SubjectId:
    """Enroll somebody and have two people approve that the reader sees them."""
    subject = enrolled(home, tier, number)
    request = wanted(home.disclose(reader, ask(home, subject)))
    for name, unit in (("one", "Dispatch"), ("two", "Courts")):
        if approve(home, in_unit(home, name, unit, Role.APPROVER), request) == "approved":
            break
    return subject


def limited(reader: Caller, token_id: str, *, until: int) -> Caller:
    return replace(reader, claims=replace(reader.claims, token_id=token_id, one_sealed_until=until))


def told(answers: Sequence[Answer]) -> list[str]:
    return [answer.reason if isinstance(answer, Refused) else type(answer).__name__ for answer in answers]


def test_a_second_sealed_card_takes_another_token(home: Home) -> None:
    reader = in_unit(home, "reader", "Dispatch", Role.READER)
    first, second = (opened(home, reader, "sealed", number) for number in ("T-0001", "T-0002"))
    until = int(home.clock.now().timestamp()) + 600
    one, another = limited(reader, "one", until=until), limited(reader, "another", until=until)
    assert told([home.disclose(one, ask(home, first))]) == ["Disclosed"]
    assert told([home.disclose(one, ask(home, subject)) for subject in (first, second)]) == ["step_up_required"] * 2
    assert (home.entries()[-1].values or {})["rules"].endswith(" token.used")
    assert told([home.disclose(another, ask(home, second))]) == ["Disclosed"]
    assert told([home.disclose(reader, ask(home, one)) for one in (first, second)]) == ["Disclosed"] * 2  # unlimited


def test_in_one_batch_too_and_other_cards_are_not_counted(home: Home) -> None:
    reader = in_unit(home, "reader", "Dispatch", Role.READER)
    sealed, restricted = opened(home, reader, "sealed"), opened(home, reader, "restricted", "T-0002")
    one = limited(reader, "one", until=int(home.clock.now().timestamp()) + 600)
    assert told([home.disclose(one, ask(home, restricted)) for _ in range(2)]) == ["Disclosed"] * 2
    asked = [(one, ask(home, subject)) for subject in (sealed, restricted, sealed)]
    assert told(home.app.disclose.disclose_many(asked)) == ["Disclosed", "Disclosed", "step_up_required"]


def test_what_was_not_recorded_has_used_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = in_unit(home, "reader", "Dispatch", Role.READER)
    subject = opened(home, reader, "sealed")
    one = limited(reader, "one", until=int(home.clock.now().timestamp()) + 600)
    with monkeypatch.context() as broken:
        calls: list[int] = []
        append = home.app.kernel.log.append

        def fail_once(*given: object) -> object:
            calls.append(1)
            if len(calls) == 1:
                raise StatementRefused("made up")
            return append(*given)  # type: ignore[arg-type]  # as given

        broken.setattr(type(home.app.kernel.log), "append", lambda _self, *given: fail_once(*given))
        assert isinstance(home.disclose(one, ask(home, subject)), Failed)
    assert isinstance(home.disclose(one, ask(home, subject)), Disclosed)
