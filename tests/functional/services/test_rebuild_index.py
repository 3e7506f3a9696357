"""The blind index made anew by the terms of a later version: all are found by them, and nothing stays of before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from registry.audit.kinds import Kind
from registry.bootstrap import Application, open_application, rebuild_index, rekey_index
from registry.cli.auditing import verify_ledger
from registry.domain.approvals import Action, State
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, KeyUnavailable, LedgerCorrupt
from registry.leaktrace import terms
from registry.leaktrace.terms import TERMS_VERSION, Term, TermKind
from registry.services import index_change as service
from registry.services.index_change import MAKING, NOT_WHOLE, REMOVING, SEALING, UNDER_WAY
from registry.services.key_changes import REBUILD
from registry.services.rebuild_index import RebuildIndex
from registry.storage.roles import APPLICATION, ERASURE
from tests.functional.services.homes import Home, person
from tests.functional.services.keepers import keeping
from tests.functional.services.test_erase import erase, inspector, update
from tests.functional.services.test_key_changes import agreed, state
from tests.functional.services.test_rekey_index import NEWCOMER, PHONE, at, fill, postings, search, stop, whole

KEEPER = "registry_index_builder"
WHO = "local:somebody"
TEXT = "Dana Brightwater, call 816-555-0142"
MANY = 6


@contextmanager
def earlier_version() -> Iterator[None]:
    """Make other terms of telephone numbers than this version does, as a version before it may have."""
    maker = terms._MAKERS[Category.PHONE]

    def former(value: Mapping[str, str], owner: terms.PersonNames) -> Iterable[Term]:
        return [Term(TermKind.PHONE, f"1{one.text}") for one in maker(value, owner)]

    terms._MAKERS[Category.PHONE] = former
    try:
        yield
    finally:
        terms._MAKERS[Category.PHONE] = maker


def upgraded(home: Home) -> None:
    """Leave what an earlier version leaves: an index of which nobody knows by which terms it was made."""
    home.sql().execute("DELETE FROM index_terms")


@dataclass
class Kept:
    """A registry that serves, and another process that makes its index anew."""

    home: Home
    keeper: Application

    @property
    def index(self) -> RebuildIndex:
        return rebuild_index(self.keeper)

    def run(self, *, without: int = 0, told: service.Told = lambda *_: None) -> service.Changed:
        return self.index.run(operator=WHO, without=without, told=told)

    def told(self) -> list[str]:
        """Return what the entries about this say."""
        entries = [entry.values or {} for entry in self.home.entries() if entry.kind == Kind.KEYS]
        return [values["result"] for values in entries if values["request"] == REBUILD]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PEOPLE_AT_ONCE", 1)
    monkeypatch.setattr(service, "AT_ONCE", 7)


@pytest.fixture
def kept(request: pytest.FixtureRequest, home: Home) -> Iterator[Kept]:
    with keeping(request, home, (KEEPER, f"{APPLICATION}, {ERASURE}"), both=True) as keeper:
        yield Kept(home, keeper)


def filled_before(home: Home) -> list[str]:
    with earlier_version():
        subjects = [str(one) for one in fill(home, MANY)]
    upgraded(home)
    return subjects


def phones(home: Home, text: str = TEXT) -> set[tuple[str, str]]:
    """Return whose telephone numbers a text finds; nobody twice."""
    matched = home.app.matcher.match(inspector(home), text, detail="test").matching
    told = [
        (str(one.subject), str(one.record))
        for one in (*matched.findings, *matched.possible)
        if one.category is Category.PHONE
    ]
    assert len(told) == len(set(told))
    return set(told)


def test_a_number_is_found_by_the_terms_of_this_version(kept: Kept) -> None:
    home = kept.home
    filled_before(home)
    before = postings(home)
    standing = kept.index.standing()
    assert (standing.terms, standing.is_older) == (1, True)
    assert "registry keys rebuild-index" in standing.next_step
    assert not phones(home)
    steps: list[str] = []

    def during(step: str, done: int, of: int) -> None:
        assert 0 <= done <= of
        assert bool(phones(home)) is (step != MAKING)
        whole(home)
        steps.append(step)

    done = kept.run(told=during)
    assert {MAKING, SEALING, REMOVING} == set(steps)
    assert len(phones(home)) == MANY - 1
    after = postings(home)
    assert done.postings == len(after)
    assert not after.keys() & before.keys()
    assert kept.told()[1].endswith(f"; terms {TERMS_VERSION}")
    standing = kept.index.standing()
    assert (standing.terms, standing.next_step) == (TERMS_VERSION, "")
    home.app.row_check.check()
    verify_ledger(home.app, 1)


def test_a_new_registry_needs_none(sqlite_home: Home) -> None:
    assert rebuild_index(sqlite_home.app).standing().next_step == ""


def test_whoever_is_opened_for_it_finds_an_entry_of_it_in_their_accounting(kept: Kept) -> None:
    subjects = fill(kept.home)
    kept.run()
    said = [one.values for one in kept.home.entries() if one.kind == Kind.OPEN and one.values is not None]
    opened = [one for one in said if "terms of this version" in one["detail"]]
    assert sorted(one["subject"] for one in opened) == sorted(subjects)
    assert all(one["principal"].endswith(WHO) for one in opened)


STEPS = [
    pytest.param(MAKING, 1, id="begun"),
    pytest.param(MAKING, MANY - 1, id="making"),
    pytest.param(MAKING, MANY, id="everybody"),
    pytest.param(REMOVING, 1, id="removing"),
]


@pytest.mark.parametrize(("step", "number"), STEPS)
def test_whoever_is_enrolled_changed_or_erased_meanwhile_is_found_as_they_should(
    kept: Kept, step: str, number: int
) -> None:
    home = kept.home
    subjects = filled_before(home)
    changed = home.enroll(person("T-0050", **NEWCOMER))
    made: list[str] = []

    def act() -> None:
        for serial in range(4):  # before and behind whom it has come to
            new = person(f"T-006{serial}", given_name="Dana", family_name="Brightwater", family=[], records=[PHONE])
            made.append(str(home.enroll(new).subject))
        update(home, changed, family_name="Thistledown")
        erase(home, subjects[0])

    kept.run(told=at(step, number, act))
    assert {subject for subject, _ in phones(home, "Dana Brightwater, 816-555-0177")} == {*made, subjects[-1]}
    assert {subject for subject, _ in phones(home)} == set(subjects[1:-1])
    assert len(search(home, "Quillon", "Thistledown")) == 1
    whole(home)
    home.app.row_check.check()
    for subject in [*subjects[1:], *made, changed.subject]:
        assert erase(home, subject).kept["unfound"] == 0
    assert postings(home) == {}
    whole(home)
    verify_ledger(home.app, 1)


def test_whoever_changes_between_being_opened_and_being_written_is_opened_again(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = kept.home
    made = home.enroll(person("T-0050", **NEWCOMER))
    found_by, done = RebuildIndex._found_by, list[str]()

    def slow(self: RebuildIndex, opened: service.Opened) -> Iterator[service.FoundBy]:
        yield from found_by(self, opened)
        if not done:
            done.append("yes")
            update(home, made, family_name="Thistledown")

    monkeypatch.setattr(RebuildIndex, "_found_by", slow)
    kept.run()
    assert len(search(home, "Quillon", "Thistledown")) == 1
    assert erase(home, made.subject).kept["unfound"] == 0
    assert postings(home) == {}


def test_people_whom_another_process_wrote_meanwhile_are_not_written_again(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = kept.home
    filled_before(home)
    found_by, done = RebuildIndex._found_by, list[str]()

    def slow(self: RebuildIndex, opened: service.Opened) -> Iterator[service.FoundBy]:
        yield from found_by(self, opened)
        if not done:
            done.append("yes")
            with pytest.raises(KeyboardInterrupt):
                kept.run(told=at(MAKING, 2, stop))

    monkeypatch.setattr(RebuildIndex, "_found_by", slow)
    kept.run()
    whole(home)
    many = kept.index.standing().postings
    kept.run()  # once more, without anybody else
    assert kept.index.standing().postings == many


def test_an_index_without_everybody_is_never_looked_up_in(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    home = kept.home
    filled_before(home)
    monkeypatch.setattr(RebuildIndex, "_fill", lambda *_: None)
    with pytest.raises(KeyUnavailable, match="enrolled in between"):
        kept.run()
    assert kept.index.standing().generation == 1


@pytest.mark.parametrize(("step", "number"), STEPS)
def test_what_was_cut_off_goes_on(kept: Kept, step: str, number: int) -> None:
    home = kept.home
    filled_before(home)
    with pytest.raises(KeyboardInterrupt):
        kept.run(told=at(step, number, stop))
    assert "registry keys rebuild-index" in kept.index.standing().next_step
    whole(home)
    assert kept.run().generation == 2
    assert len(phones(home)) == MANY - 1
    home.app.row_check.check()
    assert len(kept.told()) == 3


def test_one_change_does_not_go_on_with_the_other(kept: Kept) -> None:
    fill(kept.home)
    rekey = rekey_index(kept.keeper)
    with pytest.raises(KeyboardInterrupt):
        kept.run(told=at(MAKING, 1, stop))
    with pytest.raises(KeyUnavailable, match="rebuild-index") as refused:
        rekey.run(operator=WHO)
    assert refused.value.code == UNDER_WAY
    kept.run()
    with pytest.raises(KeyboardInterrupt):
        rekey.run(operator=WHO, told=at(service.COPYING, 1, stop))
    with pytest.raises(KeyUnavailable, match="rekey-index"):
        kept.run()
    assert rekey.run(operator=WHO).generation == 3
    assert rekey.standing().next_step == ""


def test_under_another_secret_the_terms_stay_of_an_earlier_version(kept: Kept) -> None:
    fill(kept.home)
    upgraded(kept.home)
    rekey_index(kept.keeper).run(operator=WHO)
    assert kept.index.standing().is_older
    assert kept.run().generation == 3
    assert not kept.index.standing().is_older


def test_what_a_later_version_began_is_left_to_it(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(kept.home)
    monkeypatch.setattr(service, "TERMS_VERSION", TERMS_VERSION + 1)
    with pytest.raises(KeyboardInterrupt):
        kept.run(told=at(MAKING, 1, stop))
    monkeypatch.setattr(service, "TERMS_VERSION", TERMS_VERSION)
    with pytest.raises(KeyUnavailable, match="later version"):
        kept.run()


def test_values_that_do_not_open_stop_it_and_may_be_left_out(kept: Kept) -> None:
    home = kept.home
    fill(home)
    (label,) = home.sql().execute("SELECT min(id) FROM records").fetchone()
    sealed = home.sql().execute("SELECT sealed FROM record_versions WHERE record = ?", (label,)).fetchone()[0]
    home.sql().execute("UPDATE record_versions SET sealed = ? WHERE record = ?", (bytes(sealed)[::-1], label))
    with pytest.raises(KeyUnavailable, match="--without 1") as refused:
        kept.run()
    assert refused.value.code == NOT_WHOLE
    assert kept.index.standing().generation == 1
    assert kept.run(without=1).unopened == 1
    assert any("without 1 that do not open" in said for said in kept.told())


def test_it_takes_two_persons_and_one_approval(kept: Kept) -> None:
    home = kept.home
    fill(home)
    settings = home.app.settings
    home.app.close()
    dual = {"dual_control": frozenset({Action.KEYS, Action.POLICY})}
    home.app = open_application(replace(settings, approvals=dual), home.clock)
    index = rebuild_index(home.app)
    with pytest.raises(KeyUnavailable) as refused:
        index.run(operator=WHO)
    assert refused.value.code == "approval_required"
    assert index.standing().following is None
    asked = agreed(home, REBUILD)
    with pytest.raises(KeyboardInterrupt):
        index.run(operator=WHO, told=at(MAKING, 1, stop))
    assert state(home, asked) == State.APPROVED
    index.run(operator=WHO)
    assert state(home, asked) == State.USED


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE index_generations SET state = 'filling'",
        "UPDATE index_generations SET state = 'made'",
        "UPDATE index_generations SET cursor = 'f'",
        "UPDATE index_terms SET terms = 9 WHERE k = 1",
    ],
)
def test_a_state_that_was_changed_is_noticed(kept: Kept, edit: str) -> None:
    fill(kept.home)
    with pytest.raises(KeyboardInterrupt):
        kept.run(told=at(MAKING, 2, stop))
    kept.home.sql().execute(edit)
    with pytest.raises(LedgerCorrupt):
        kept.index.standing()


def test_the_account_that_serves_cannot_take_the_index_away(postgres_home: Home) -> None:
    fill(postgres_home)
    with pytest.raises(AuditUnavailable, match="not_granted"):
        rebuild_index(postgres_home.app).run(operator=WHO)
    assert rebuild_index(postgres_home.app).standing().following is None
