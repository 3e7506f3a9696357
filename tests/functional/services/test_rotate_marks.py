"""Another secret for marks and receipt codes, on both engines: copies of before are read, later ones are others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.bootstrap import Application, key_life, open_application, rotate_marks
from registry.cli.auditing import verify_ledger
from registry.domain.approvals import Action, State
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, EnvelopeRejected, KeyUnavailable, LedgerCorrupt
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.leaktrace.naming import may_be_named
from registry.leaktrace.report_shapes import TierLabel
from registry.marks.draw import EPOCHS_OF_GENERATION, FIRST_EPOCH
from registry.services import disclose
from registry.services.disclose import Disclosed, Failed
from registry.services.kernel import Caller
from registry.services.key_changes import MARKS, REDRAW
from registry.services.key_life import SETTLING
from registry.services.ports_keys import Shelf
from registry.services.ports_marks import MarkGeneration
from registry.services.trace import TraceAsk
from registry.settings import load_settings
from registry.storage.roles import APPLICATION, RETENTION
from registry.transparency.note import format_vkey
from registry.transparency.offline.verify_bundle import read_zip, verify
from tests.fakes.postgres import PostgresServer
from tests.functional.services.homes import Home, person
from tests.functional.services.test_erase import update
from tests.functional.services.test_key_changes import agreed, state
from tests.functional.services.test_marked_copies import people, post, readers, served, shown, traced

KEEPER = "registry_marks_keeper"
WHO = "local:somebody"


@dataclass
class Kept:
    """A registry that serves, and another process that exchanges the secret of its marks."""

    home: Home
    keeper: Application

    def rotate(self, *, redraws: bool = False) -> MarkGeneration:
        return rotate_marks(self.keeper).rotate(operator=WHO, redraws=redraws)


def keeper_of(request: pytest.FixtureRequest, home: Home, **changes: Any) -> Application:
    """Open the registry again, as who may exchange keys."""
    environment, url = {}, home.app.settings.database_url
    if url.startswith("postgresql"):
        server: PostgresServer = request.getfixturevalue("postgres")
        server.create_login(KEEPER, f"{APPLICATION}, {RETENTION}")
        environment["REGISTRY_DATABASE_URL"] = url.replace("registry_server", KEEPER)
    settings = load_settings(home.app.settings.home, environment)
    return open_application(replace(settings, **changes), home.clock)


@pytest.fixture
def kept(request: pytest.FixtureRequest, home: Home) -> Iterator[Kept]:
    keeper = keeper_of(request, home)
    yield Kept(home, keeper)
    keeper.close()


def cards_of(home: Home, who: Caller, subjects: list[SubjectId]) -> list[Disclosed]:
    return [served(home, who, subject) for subject in subjects]


def written(cards: list[Disclosed]) -> list[dict[str, Any]]:
    return [shown(card) for card in cards]


def vectors(home: Home, who: Caller, subjects: list[SubjectId]) -> list[tuple[int, bytes]]:
    """Return epoch and draw of each record of an account's next copies."""
    found = []
    real = disclose._drawn

    def drawn(*arguments: Any, **named: Any) -> Any:
        made = real(*arguments, **named)
        found.extend((one.epoch, one.vector) for _, one in sorted(made.items()))
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disclose, "_drawn", drawn)
        cards_of(home, who, subjects)
    return found


def scores(home: Home, text: str) -> dict[str, tuple[float, int, int]]:
    report = traced(home, text)
    assert report.marks is not None
    return {one.label: (one.evidence.e, one.evidence.slots, one.evidence.agreeing) for one in report.marks.copies}


def test_copies_of_before_stay_and_score_as_they_did(kept: Kept) -> None:
    home = kept.home
    subjects, staff = people(home, 4), readers(home, 5)
    cards = {reader: cards_of(home, reader, subjects) for reader in staff}
    before = scores(home, post(cards[staff[2]]))
    made = kept.rotate()
    assert (made.number, made.redraws) == (1, False)
    assert scores(home, post(cards[staff[2]])) == before
    assert max(before.values())[0] > 1_000
    assert written(cards_of(home, staff[2], subjects)) == written(cards[staff[2]])
    home.app.row_check.check()
    verify_ledger(home.app, 1)


def test_record_versions_of_after_are_drawn_by_the_new_secret_and_traced(kept: Kept) -> None:
    home = kept.home
    first, staff = people(home, 1), readers(home, 5)
    assert {epoch for epoch, _ in vectors(home, staff[0], first)} == {FIRST_EPOCH}
    kept.rotate()
    assert {epoch for epoch, _ in vectors(home, staff[0], first)} == {FIRST_EPOCH}
    later = [home.enroll(_another(number)).subject for number in range(4)]
    found = vectors(home, staff[0], later)
    assert {epoch for epoch, _ in found} == {EPOCHS_OF_GENERATION + FIRST_EPOCH}
    cards = {reader: cards_of(home, reader, later) for reader in staff}
    report = traced(home, post(cards[staff[3]]))
    assert report.marks is not None
    best = min(report.marks.copies, key=lambda one: one.evidence.bound)
    assert (best.label, best.evidence.tier) == ("Account 4", TierLabel.ATTRIBUTED)
    assert not report.gaps or all("committed" not in gap for gap in report.gaps)
    changed = home.enroll(person("T-0900"))
    kept.rotate()
    update(home, changed, given_name="Wrenna")
    home.app.row_check.check()
    verify_ledger(home.app, 1)


def _another(number: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "home_address": {"line": f"{1300 + number} N Larkspur Ave Apt {number + 1}, Saint Paul, MN 56{number:03}"},
        "phone": {"kind": "mobile", "number": f"651-555-{140 + number:04}"},
        "ssn": {"number": f"741-13-{3456 + number}"},
        "date_of_birth": {"date": f"1985-03-{1 + number:02}"},
    }
    records = [{"category": category, "value": value} for category, value in values.items()]
    return person(f"T-1{number:03}", given_name=f"Tamsin{number}", family=[], records=records)


def test_when_the_secret_was_seen_every_copy_is_drawn_anew_and_those_of_before_are_still_read(kept: Kept) -> None:
    home = kept.home
    subjects, staff = people(home, 4), readers(home, 5)
    cards = {reader: cards_of(home, reader, subjects) for reader in staff}
    drawn = vectors(home, staff[0], subjects)
    before = scores(home, post(cards[staff[2]]))
    kept.rotate(redraws=True)
    assert scores(home, post(cards[staff[2]])) == before
    anew = vectors(home, staff[0], subjects)
    assert {epoch for epoch, _ in anew} == {EPOCHS_OF_GENERATION + FIRST_EPOCH}
    assert [vector for _, vector in anew] != [vector for _, vector in drawn]
    forgeable = traced(home, post(cards[staff[2]]))
    assert (forgeable.tier.label, may_be_named(forgeable)) == (TierLabel.LEAD, frozenset())
    assert any("drawn by a secret that was seen" in reason for reason in forgeable.tier.reasons)
    again = {reader: cards_of(home, reader, subjects) for reader in staff}
    assert written(again[staff[2]]) != written(cards[staff[2]])
    report = traced(home, post(again[staff[2]]))
    assert report.tier.label == TierLabel.ATTRIBUTED
    home.app.row_check.check()
    verify_ledger(home.app, 1)


def test_a_code_of_before_leads_no_further_either_once_the_secret_was_seen(kept: Kept) -> None:
    """Codes are made by the same secret: whoever had it writes like a copy and puts its code below."""
    home = kept.home
    subjects, staff = people(home, 4), readers(home, 5)
    cards = {reader: cards_of(home, reader, subjects) for reader in staff}
    text = f"{post(cards[staff[2]])}\nCode {cards[staff[2]][0].receipt.code}"
    before = traced(home, text)
    assert before.tier.label in (TierLabel.STRONG, TierLabel.ATTRIBUTED)
    kept.rotate(redraws=True)
    after = traced(home, text)
    assert (after.tier.label, may_be_named(after)) == (TierLabel.LEAD, frozenset())


def test_an_exchange_by_the_calendar_takes_nothing_from_copies_of_before(kept: Kept) -> None:
    home = kept.home
    subjects, staff = people(home, 4), readers(home, 5)
    cards = {reader: cards_of(home, reader, subjects) for reader in staff}
    kept.rotate()
    report = traced(home, post(cards[staff[2]]))
    assert report.tier.label == TierLabel.ATTRIBUTED
    assert report.marks is not None
    assert not any(one.evidence.is_forgeable for one in report.marks.copies)


def test_whoever_had_the_former_secret_cannot_write_like_a_copy_of_after(kept: Kept) -> None:
    """Red where the generation is left out: every draw of after would be that of the former secret."""
    home = kept.home
    subjects, staff = people(home, 4), readers(home, 3)
    kept.rotate(redraws=True)
    served(home, staff[0], subjects[0])  # by now this process has heard of it
    real = home.app.kernel.marks._opened
    drawn = [vector for _, vector in vectors(home, staff[0], subjects)]
    object.__setattr__(home.app.kernel.marks, "_opened", {0: real[0], 1: real[0]})
    taken_for = [vector for _, vector in vectors(home, staff[0], subjects)]
    assert len(drawn) == len(taken_for) > 10
    assert drawn != taken_for


def test_receipt_codes_of_before_and_after_are_recognised(kept: Kept) -> None:
    home = kept.home
    (subject,), staff = people(home, 1), readers(home, 3)
    early = [served(home, reader, subject) for reader in staff]
    made = kept.rotate()
    late = served(home, staff[0], subject)
    assert early[0].receipt.index < made.entry < late.receipt.index
    for card in (*early, late):
        assert home.app.kernel.view(card.receipt.index, 1).code == card.receipt.code
        assert kept.keeper.kernel.view(card.receipt.index, 1).code == card.receipt.code
        report = traced(home, f"{post([card])}\nCode {card.receipt.code}")
        assert report.codes is not None
        assert [(code, entry) for code, entry, _ in report.codes.matches] == [(card.receipt.code, card.receipt.index)]
    by_former = home.app.kernel.marks._opened[0][1]
    home.app.kernel.log._keys = replace(home.app.kernel.log._keys, codes=lambda _index: by_former)
    assert home.app.kernel.log.code_of(late.receipt.index) != late.receipt.code
    assert home.app.kernel.log.code_of(made.entry) == kept.keeper.kernel.log.code_of(made.entry)


def test_a_process_that_has_not_heard_of_it_makes_nothing_by_the_former_secret(kept: Kept) -> None:
    """It learns it from the head that it holds for its next entry, and decides anew."""
    home = kept.home
    (subject,), (reader, *_) = people(home, 1), readers(home, 2)
    served(home, reader, subject)
    for number in (1, 2, 3):
        kept.rotate(redraws=True)
        ((epoch, _), *_) = vectors(home, reader, [subject])[-4:]
        assert epoch == number * EPOCHS_OF_GENERATION + FIRST_EPOCH
    made = kept.rotate()
    new = home.enroll(_another(1)).subject
    with home.app.database.read() as work:
        epochs = {row.mark_epoch for row in work.records.of_subjects([new])}
    assert epochs == {made.number * EPOCHS_OF_GENERATION}
    # Rows of it are met by the other process before any entry of its own.
    kept.rotate()
    other = home.enroll(_another(2)).subject
    kept.home.app, kept.keeper = kept.keeper, kept.home.app
    assert vectors(home, reader, [other])
    home.app.row_check.check()


def test_an_opening_for_a_defence_stays_within_the_generation_and_the_bundle_verifies(kept: Kept) -> None:
    home = kept.home
    kept.rotate()
    subjects, staff = people(home, 4), readers(home, 4)
    cards = {reader: cards_of(home, reader, subjects) for reader in staff}
    kept.rotate(redraws=True)
    cards |= {reader: cards_of(home, reader, subjects) for reader in staff[2:]}
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    home.clock.step(60)
    trace = home.app.trace.trace(investigator, TraceAsk(post(cards[staff[1]]), home.clock.now())).trace

    def cut() -> bytes:
        return home.app.trace.evidence(investigator, trace, home.app.evidence, lambda _: {"report.txt": b"x"})

    def fine(bundle: bytes) -> None:
        assert verify(bundle, format_vkey(home.app.verifier_key)).problems == []

    fine(cut())
    home.app.trace.open_draws(investigator, trace, "asked for by counsel")
    bundle = cut()
    fine(bundle)
    told = read_zip(bundle)["marks/openings.json"].decode()
    for generation in (1, 2):
        assert f'"epoch":{generation * EPOCHS_OF_GENERATION + FIRST_EPOCH},"key"' in told
    after = {epoch for epoch, _ in vectors(home, staff[0], subjects)}
    assert after == {2 * EPOCHS_OF_GENERATION + FIRST_EPOCH + 1}
    home.app.row_check.check()
    verify_ledger(home.app, 1)


def test_its_secrets_are_wrapped_anew_like_the_others_and_go_with_no_key_too_early(kept: Kept) -> None:
    home = kept.home
    kept.rotate()
    life = key_life(kept.keeper)
    former = next(one.facts.key_id for one in life.status() if one.facts.purpose == "bodies")
    life.rotate("bodies", operator=WHO)
    home.clock.step(int(SETTLING.total_seconds()) + 1)
    with pytest.raises(KeyUnavailable) as error:
        life.discard(former, operator=WHO)
    assert error.value.code == "key_in_use"
    life.rewrap(operator=WHO)
    said = [(one.values or {})["request"] for one in home.entries() if one.kind == Kind.KEYS]
    assert f"rewrap {Shelf.MARKS}" in said
    life.discard(former, operator=WHO)
    (subject,), (reader,) = people(home, 1), readers(home, 1)
    home.app.close()
    home.app = open_application(home.app.settings, home.clock)
    assert {epoch for epoch, _ in vectors(home, reader, [subject])} == {EPOCHS_OF_GENERATION + FIRST_EPOCH}


@pytest.mark.parametrize(("change", "other"), [(MARKS, REDRAW), (REDRAW, MARKS)])
def test_it_takes_two_persons(request: pytest.FixtureRequest, home: Home, change: str, other: str) -> None:
    home.app.close()
    home.app = keeper_of(request, home, approvals={"dual_control": frozenset({Action.KEYS, Action.POLICY})})
    redraws = change == REDRAW
    refused(home, redraws=redraws)
    agreed(home, other)
    refused(home, redraws=redraws)
    wanted = agreed(home, change)
    assert rotate_marks(home.app).rotate(operator=WHO, redraws=redraws).number == 1
    assert state(home, wanted) == State.USED
    refused(home, redraws=redraws)
    home.app.row_check.check()
    verify_ledger(home.app, 1)


def refused(home: Home, *, redraws: bool) -> None:
    with pytest.raises(KeyUnavailable) as error:
        rotate_marks(home.app).rotate(operator=WHO, redraws=redraws)
    assert error.value.code == "approval_required"


def test_who_only_serves_cannot_exchange_it(home: Home) -> None:
    if not home.app.settings.database_url.startswith("postgresql"):
        pytest.skip("accounts of the database are PostgreSQL's")
    with pytest.raises(AuditUnavailable) as error:
        rotate_marks(home.app).rotate(operator=WHO)
    assert error.value.cause == "not_granted"
    home.app.row_check.check()


TAMPERINGS = [
    pytest.param("DELETE FROM mark_generations WHERE k = 2", id="removed"),
    pytest.param("UPDATE mark_generations SET redraws = 0 WHERE k = 2", id="redraws no more"),
    pytest.param("UPDATE mark_generations SET entry = entry + 1000 WHERE k = 2", id="later"),
    pytest.param("UPDATE mark_generations SET entry = 0 WHERE k = 1", id="earlier"),
    pytest.param("UPDATE ledger_head SET mark_generation = 1", id="head put back"),
    pytest.param("UPDATE ledger_head SET mark_generation = 3", id="head put forward"),
    pytest.param(
        "DELETE FROM mark_generations WHERE k = 2; UPDATE ledger_head SET mark_generation = 1", id="the last one undone"
    ),
    pytest.param("DELETE FROM mark_generations; UPDATE ledger_head SET mark_generation = 0", id="all undone"),
]


@pytest.mark.parametrize("statements", TAMPERINGS)
@pytest.mark.parametrize("is_running", [True, False])
def test_an_exchange_that_is_put_back_is_found_out(kept: Kept, statements: str, *, is_running: bool) -> None:
    home = kept.home
    (subject,), (reader,) = people(home, 1), readers(home, 1)
    kept.rotate()
    kept.rotate(redraws=True)
    served(home, reader, subject)
    settings, connection = home.app.settings, home.sql()
    for statement in statements.split("; "):
        connection.execute(statement)
    if not is_running:
        home.app.close()
        try:
            home.app = open_application(settings, home.clock)
        except LedgerCorrupt:
            return
    with pytest.raises(LedgerCorrupt):
        home.app.row_check.check()
    if is_running and "ledger_head" in statements:
        with pytest.raises(LedgerCorrupt):  # nothing is drawn by the former secret meanwhile
            raise_failure(home, reader, subject)


def raise_failure(home: Home, reader: Caller, subject: SubjectId) -> None:
    answer = home.disclose(reader, home.ask(subject, Category.PHONE))
    assert isinstance(answer, Failed)
    raise answer.error


def test_a_record_version_that_is_put_back_to_the_former_secret_is_found_out(kept: Kept) -> None:
    home = kept.home
    kept.rotate()
    (subject,) = people(home, 1)
    home.app.row_check.check()
    home.sql().execute("UPDATE record_versions SET mark_epoch = 0")
    with pytest.raises(LedgerCorrupt, match="by which secret"):
        home.app.row_check.check()
    assert subject


def test_a_secret_in_place_of_another_does_not_open(kept: Kept) -> None:
    home = kept.home
    kept.rotate()
    kept.rotate()
    subjects, (reader,) = people(home, 1), readers(home, 1)
    connection = home.sql()
    told = connection.execute("SELECT key_id, wrapped_key FROM mark_generations WHERE k = 1").fetchone()
    connection.execute("UPDATE mark_generations SET key_id = ?, wrapped_key = ? WHERE k = 2", tuple(told))
    fresh = open_application(home.app.settings, home.clock)
    try:
        with pytest.raises(EnvelopeRejected):
            fresh.kernel.marks.at(2 * EPOCHS_OF_GENERATION + FIRST_EPOCH)
    finally:
        fresh.close()
    assert subjects
    assert reader
