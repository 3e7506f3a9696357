"""The blind index under another secret, on both engines: nobody is missed, nothing of the former one stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.bootstrap import Application, key_life, open_application, rekey_index
from registry.cli.auditing import verify_ledger
from registry.domain.approvals import Action, State
from registry.domain.errors import AuditUnavailable, EnvelopeRejected, KeyUnavailable, LedgerCorrupt
from registry.domain.ids import SubjectId, new_id
from registry.domain.principals import Role
from registry.services import index_change as service
from registry.services.index_change import COPYING, NOT_WHOLE, REMOVING, SEALING, Changed
from registry.services.key_changes import REKEY
from registry.services.key_life import SETTLING
from registry.services.ports_keys import Shelf
from registry.services.rekey_index import RekeyIndex
from registry.storage.roles import APPLICATION, ERASURE, RETENTION
from registry.vault.blind_index import IndexTerm, Posting
from tests.functional.services.homes import Home, person
from tests.functional.services.keepers import keeping
from tests.functional.services.test_erase import erase, inspector, update
from tests.functional.services.test_key_changes import agreed, state

KEEPER = "registry_index_keeper"
WHO = "local:somebody"
NEWCOMER = {"given_name": "Quillon", "family_name": "Marrowbeck", "family": [], "records": []}
PHONE = {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0177"}}
CARD = {"category": "payment_card", "value": {"number": "5555 5555 5555 4444"}}
TEXTS = (
    "call 816-555-0142",
    "card 5555 5555 5555 4444, call 816-555-0177",
    "Dana Brightwater, 816-555-0177",
)


@dataclass
class Kept:
    """A registry that serves, and another process that re-keys its index."""

    home: Home
    keeper: Application

    @property
    def index(self) -> RekeyIndex:
        return rekey_index(self.keeper)

    def run(self, **how: Any) -> Changed:
        return self.index.run(operator=WHO, **how)

    def told(self) -> list[str]:
        """Return what the entries about this say."""
        entries = [entry.values or {} for entry in self.home.entries() if entry.kind == Kind.KEYS]
        return [values["result"] for values in entries if values["request"] == REKEY]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PEOPLE_AT_ONCE", 1)
    monkeypatch.setattr(service, "AT_ONCE", 7)


@pytest.fixture
def kept(request: pytest.FixtureRequest, home: Home) -> Iterator[Kept]:
    with keeping(request, home, (KEEPER, f"{APPLICATION}, {ERASURE}, {RETENTION}"), both=True) as keeper:
        yield Kept(home, keeper)


def fill(home: Home, many: int = 4) -> list[SubjectId]:
    """Enroll people who share names, and one who has a telephone and a card alone; one value is of an earlier time."""
    made = [home.enroll(person(f"T-{number:04}")).subject for number in range(1, many)]
    lone = home.enroll(person(f"T-{many:04}", family=[], records=[PHONE, CARD]))
    update(home, lone, given_name="Wrenna")
    return [*made, lone.subject]


def found(home: Home) -> list[set[tuple[str, str]]]:
    """Return whom each text finds, by which of their records; nobody is found twice by the same."""
    answers = []
    for text in TEXTS:
        matched = home.app.matcher.match(inspector(home), text, detail="test")
        told = [(one.subject, one.record) for one in (*matched.matching.findings, *matched.matching.possible)]
        assert len(told) == len(set(told))
        answers.append({(str(subject), str(record)) for subject, record in told})
    return answers


def search(home: Home, given_name: str, family_name: str) -> list[SubjectId]:
    ask = home.app.search.by_name(given_name, family_name)
    return [hit.subject for hit in home.app.search.search(home.caller("reader", Role.READER), ask).hits]


def postings(home: Home) -> dict[bytes, bytes]:
    connection = home.sql()
    return {bytes(row[0]): bytes(row[1]) for row in connection.execute("SELECT label, value FROM postings").fetchall()}


def whole(home: Home) -> None:
    with home.app.database.read() as work:
        work.index_state.demand_whole()


def test_the_same_is_found_before_during_and_after_and_nothing_stays_of_before(kept: Kept) -> None:
    home = kept.home
    fill(home)
    before, rows = found(home), postings(home)
    assert all(before)
    steps: list[str] = []

    def during(step: str, done: int, of: int) -> None:
        assert 0 <= done <= of
        assert found(home) == before
        whole(home)
        steps.append(step)

    done = kept.run(told=during)
    assert {COPYING, SEALING, REMOVING} == set(steps)
    assert (done.generation, done.postings, done.unopened) == (2, len(rows), 0)
    assert found(home) == before
    after = postings(home)
    assert len(after) == len(rows)
    assert not after.keys() & rows.keys()
    assert not set(after.values()) & set(rows.values())
    assert kept.told() == [
        f"begins generation 2; postings {len(rows)}",
        f"generation 2 looked up in; postings {len(rows)}",
        "generation 1 removed, its secret destroyed",
    ]
    home.app.row_check.check()
    verify_ledger(home.app, 1)


def test_whoever_is_opened_for_it_finds_an_entry_of_it_in_their_accounting(kept: Kept) -> None:
    *_, lone = fill(kept.home)
    kept.run()
    said = [one.values for one in kept.home.entries() if one.kind == Kind.OPEN and one.values is not None]
    of_subject = [one for one in said if one["subject"] == lone and "another secret" in one["detail"]]
    assert len(of_subject) == 1
    assert of_subject[0]["principal"].endswith(WHO)


def test_the_files_hold_nothing_of_the_former_generation(sqlite_home: Home) -> None:
    home = sqlite_home
    fill(home, 40)
    rows = postings(home)
    done = rekey_index(home.app).run(operator=WHO)
    assert done.is_clean
    content = b"".join(path.read_bytes() for path in home.app.settings.home.glob("registry.db*"))
    assert not [label for label in rows if label in content]
    assert not [value for value in rows.values() if value in content]


def test_a_second_and_third_change_leave_nothing_of_those_before(kept: Kept) -> None:
    fill(kept.home)
    before, rows = found(kept.home), postings(kept.home)
    for number in (2, 3, 4):
        assert kept.run().generation == number
        assert found(kept.home) == before
        now = postings(kept.home)
        assert not now.keys() & rows.keys()
        rows = now
    connection = kept.home.sql()
    assert [row[0] for row in connection.execute("SELECT k FROM index_generations").fetchall()] == [4]


STEPS = [
    pytest.param(COPYING, 1, id="begun"),
    pytest.param(COPYING, 6, id="copying"),
    pytest.param(REMOVING, 1, id="removing"),
]


def at(step: str, number: int, act: Callable[[], object]) -> Callable[[str, int, int], None]:
    """Do something once, when a step is told of for the given time."""
    seen: list[str] = []

    def told(now: str, _done: int, _of: int) -> None:
        seen.append(now)
        if now == step and seen.count(step) == number:
            act()

    return told


@pytest.mark.parametrize(("step", "number"), STEPS)
def test_whoever_is_enrolled_changed_or_erased_meanwhile_is_found_as_they_should(
    kept: Kept, step: str, number: int
) -> None:
    home = kept.home
    subjects = fill(home)
    changed = home.enroll(person("T-0050", **NEWCOMER))
    done: list[str] = []

    def act() -> None:
        home.enroll(person("T-0060", given_name="Dana", family_name="Brightwater", family=[], records=[PHONE]))
        update(home, changed, family_name="Thistledown")
        erase(home, subjects[0])
        done.append("yes")
        look()

    def look() -> None:
        assert len(search(home, "Quillon", "Thistledown")) == 1
        assert subjects[0] not in search(home, "Dana", "Brightwater")
        assert all(subjects[0] not in {subject for subject, _ in group} for group in found(home))
        whole(home)

    kept.run(told=at(step, number, act))
    assert done == ["yes"]
    look()
    assert kept.index.standing().next_step == ""
    home.app.row_check.check()
    for subject in subjects[1:]:
        assert erase(home, subject).kept["unfound"] == 0
    kept.run()
    look_at = [len(group) for group in found(home)]
    assert sum(look_at) > 0
    verify_ledger(home.app, 1)


def test_whoever_is_enrolled_meanwhile_needs_no_second_round(kept: Kept) -> None:
    """Else a registry in which people are enrolled all the time would never come to the switch."""
    home = kept.home
    fill(home)
    made: list[SubjectId] = []

    def enroll(step: str, done: int, of: int) -> None:
        if step == COPYING and done == of and not made:
            made.append(home.enroll(person("T-0060", **NEWCOMER)).subject)

    kept.run(told=enroll)
    assert search(home, "Quillon", "Marrowbeck") == made
    said = [one.values for one in home.entries() if one.kind == Kind.OPEN and one.values is not None]
    opened = [one["subject"] for one in said if "another secret" in one["detail"]]
    assert len(opened) == len(set(opened))
    assert made[0] not in opened


def test_people_erased_after_it_leave_no_posting(kept: Kept) -> None:
    subjects = fill(kept.home)
    kept.run()
    for subject in subjects:
        assert erase(kept.home, subject).kept["unfound"] == 0
    assert postings(kept.home) == {}
    whole(kept.home)


def stop(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("step", "number"), STEPS)
def test_what_was_cut_off_goes_on(kept: Kept, step: str, number: int) -> None:
    fill(kept.home)
    before = found(kept.home)
    with pytest.raises(KeyboardInterrupt):
        kept.run(told=at(step, number, stop))
    assert "registry keys rekey-index" in kept.index.standing().next_step
    assert found(kept.home) == before
    assert kept.run().generation == 2
    assert found(kept.home) == before
    assert len(kept.told()) == 3


def test_postings_of_no_value_stop_it_before_the_switch_and_may_be_left_out(kept: Kept) -> None:
    home = kept.home
    fill(home)
    before = found(home)
    with home.app.database.write() as work:
        home.app.kernel.add_postings(work, [(IndexTerm("N1", "nobody at all"), Posting(new_id(), 1))])
        work.commit()
    with pytest.raises(KeyUnavailable, match="--without 1") as refused:
        kept.run()
    assert refused.value.code == NOT_WHOLE
    assert kept.index.standing().generation == 1
    with pytest.raises(KeyUnavailable):
        kept.run(without=2)
    assert kept.run(without=1).generation == 2
    assert kept.told()[1].endswith("left out 1")
    assert found(home) == before
    home.app.row_check.check()


def test_it_takes_two_persons_and_one_approval(kept: Kept) -> None:
    home = kept.home
    fill(home)
    approvals = {"dual_control": frozenset({Action.KEYS, Action.POLICY})}
    settings = home.app.settings
    home.app.close()
    home.app = open_application(replace(settings, approvals=approvals), home.clock)
    index = rekey_index(home.app)
    before = postings(home)
    with pytest.raises(KeyUnavailable) as refused:
        index.run(operator=WHO)
    assert refused.value.code == "approval_required"
    assert postings(home) == before
    asked = agreed(home, REKEY)
    with pytest.raises(KeyboardInterrupt):
        index.run(operator=WHO, told=at(COPYING, 2, stop))
    assert state(home, asked) == State.APPROVED
    with pytest.raises(KeyboardInterrupt):
        index.run(operator=WHO, told=at(REMOVING, 1, stop))
    assert state(home, asked) == State.USED
    assert index.run(operator=WHO).generation == 2
    with pytest.raises(KeyUnavailable):
        index.run(operator=WHO)


def test_its_secret_is_wrapped_anew_with_the_other_keys(kept: Kept) -> None:
    home = kept.home
    fill(home)
    kept.run()
    before = found(home)
    life = key_life(kept.keeper)
    former = next(one.facts.key_id for one in life.status() if one.facts.purpose == "bodies")
    life.rotate("bodies", operator=WHO)
    life.rewrap(operator=WHO)
    said = [one.values["request"] for one in home.entries() if one.kind == Kind.KEYS and one.values is not None]
    assert f"rewrap {Shelf.INDEX}" in said
    home.clock.step(SETTLING.total_seconds() + 1)
    life.discard(former, operator=WHO)
    assert found(home) == before
    settings = home.app.settings
    home.app.close()
    home.app = open_application(settings, home.clock)  # and in a process that has opened none
    assert found(home) == before


EDITS = [
    "DELETE FROM index_generations",
    "DELETE FROM index_state",
    "DELETE FROM index_state WHERE k = 2",
    "UPDATE index_generations SET state = 'serving'",
    "UPDATE index_generations SET cursor = '0'",
    "UPDATE index_generations SET k = 3",
    "UPDATE index_state SET k = 3 WHERE k = 2",
]


@pytest.mark.parametrize("edit", EDITS)
def test_a_state_that_was_changed_is_noticed_by_whoever_looks_up(kept: Kept, edit: str) -> None:
    fill(kept.home)
    with pytest.raises(KeyboardInterrupt):
        kept.run(told=at(COPYING, 2, stop))
    kept.home.sql().execute(edit)
    with pytest.raises(LedgerCorrupt):
        found(kept.home)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE postings SET generation = 1 WHERE generation = 2",
        "UPDATE postings SET generation = 2 WHERE generation = 1",
        "UPDATE postings SET generation = 3 WHERE generation = 2",
        "DELETE FROM postings WHERE generation = 2",
    ],
)
def test_postings_that_were_moved_between_generations_are_noticed(kept: Kept, edit: str) -> None:
    fill(kept.home)
    with pytest.raises(KeyboardInterrupt):
        kept.run(told=at(COPYING, 4, stop))
    whole(kept.home)
    kept.home.sql().execute(edit)
    with pytest.raises(LedgerCorrupt):
        whole(kept.home)


def test_new_postings_that_were_called_former_ones_are_not_removed_with_them(kept: Kept) -> None:
    fill(kept.home)
    with pytest.raises(KeyboardInterrupt):
        kept.run(told=at(REMOVING, 1, stop))
    kept.home.sql().execute("UPDATE postings SET generation = 1 WHERE generation = 2")
    with pytest.raises(LedgerCorrupt):
        kept.run()


def test_the_former_index_put_back_whole_is_older_than_the_switch(kept: Kept) -> None:
    fill(kept.home)
    rows, sql = postings(kept.home), kept.home.sql()
    former = sql.execute("SELECT k, n, count, total, guard FROM index_state").fetchone()
    kept.run()
    kept.home.app.row_check.check()
    for table in ("postings", "index_state", "index_generations"):
        sql.execute(f"DELETE FROM {table}")
    for label, value in rows.items():
        sql.execute("INSERT INTO postings (label, value, generation) VALUES (?, ?, 1)", (label, value))
    sql.execute("INSERT INTO index_state (k, n, count, total, guard) VALUES (?, ?, ?, ?, ?)", tuple(former))
    whole(kept.home)
    with pytest.raises(LedgerCorrupt, match="older"):
        kept.home.app.row_check.check()


def test_another_generation_s_secret_is_refused(kept: Kept) -> None:
    fill(kept.home)
    kept.run()
    (former,) = kept.home.sql().execute("SELECT wrapped_key FROM index_generations").fetchone()
    kept.run()
    kept.home.sql().execute("UPDATE index_generations SET wrapped_key = ?", (former,))
    settings = kept.home.app.settings
    kept.home.app.close()
    kept.home.app = open_application(settings, kept.home.clock)
    with pytest.raises(EnvelopeRejected):
        found(kept.home)


def test_the_account_that_serves_cannot_take_the_index_away(postgres_home: Home) -> None:
    fill(postgres_home)
    with pytest.raises(AuditUnavailable, match="not_granted"):
        rekey_index(postgres_home.app).run(operator=WHO)
    assert rekey_index(postgres_home.app).standing().following is None
