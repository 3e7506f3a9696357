"""An outsider's recomputation: the evidence bundle of a trace against the verifier that needs nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.domain.approvals import Action, Verdict
from registry.domain.errors import AccessDenied, ApprovalNeeded, Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import SubjectId, TraceId
from registry.domain.principals import Role
from registry.keys.mark_keys import MarkKeys
from registry.leaktrace.report_shapes import TierLabel
from registry.marks.draw import MarkKey
from registry.services.approvals import Word
from registry.services.kernel import Caller
from registry.services.mark_secrets import MarkSecrets
from registry.services.trace import StoredTrace, TraceAsk
from registry.transparency.note import format_vkey
from registry.transparency.offline.verify_bundle import read_zip, report, verify
from tests.functional.services.homes import Home, open_copy
from tests.functional.services.test_marked_copies import people, post, readers, served
from tests.unit.transparency.bundles import sealed_anew

REPORTS = {"report.txt": b"a report\n"}
REASON = "asked for by counsel, hearing of 4 May"


def bundle_of(home: Home, cards: int = 4, staff: int = 5) -> tuple[StoredTrace, bytes]:
    """Serve cards, leak one account's word for word, trace the text, cut the bundle."""
    subjects = people(home, cards)
    shown = {reader: [served(home, reader, subject) for subject in subjects] for reader in readers(home, staff)}
    leaker = list(shown)[2]
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    home.clock.step(60)
    published = home.clock.now() - timedelta(seconds=30)
    home.clock.step(60)
    traced = home.app.trace.trace(investigator, TraceAsk(post(shown[leaker]), published_at=published))
    bundle = home.app.trace.evidence(investigator, traced.trace, home.app.evidence, lambda _: REPORTS)
    return traced.stored, bundle


Cut = tuple[str, StoredTrace, bytes]


@pytest.fixture(scope="module")
def cut(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """One bundle for all that is done to bundles, with the ledger's key."""
    home = open_copy(template, tmp_path_factory.mktemp("cut") / "home")
    stored, bundle = bundle_of(home)
    home.close()
    return format_vkey(home.app.verifier_key), stored, bundle


def test_an_outsider_computes_the_figures_of_opened_copies_anew(home: Home) -> None:
    stored, bundle = bundle_of(home)
    verdict = verify(bundle, format_vkey(home.app.verifier_key))
    assert verdict.problems == []
    assert stored.report.marks is not None
    (accused,) = [one for one in stored.report.marks.copies if one.evidence.tier == TierLabel.ATTRIBUTED]
    (anew,) = verdict.marks
    assert (anew["label"], anew["opened"], anew["tier"]) == (accused.label, 4, "attributed copy")
    for name in ("e", "p", "bound", "weight"):
        assert anew[name] == pytest.approx(getattr(accused.evidence, name), rel=1e-9)
    assert (anew["slots"], anew["agreeing"]) == (accused.evidence.slots, accused.evidence.agreeing)
    told = report(verdict)
    assert f"{accused.label}: what was drawn for 4 copies is what the ledger committed" in told
    assert "computed anew" in told
    assert "e-values and p of 4 accounts whose copies were not opened" in told


def test_what_a_trace_judges_by_is_fixed_before_draws_are_compared(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    real = MarkKey.of_record

    def of_record(self: Any, *arguments: Any) -> Any:
        seen.append([entry.kind for entry in home.entries()[-2:]])
        return real(self, *arguments)

    subjects = people(home, 2)
    text = post([served(home, reader, subject) for reader in readers(home, 1) for subject in subjects])
    monkeypatch.setattr(MarkKey, "of_record", of_record)
    home.app.trace.trace(home.caller("investigator", Role.INVESTIGATOR), TraceAsk(text))
    assert seen
    assert all(kinds == [Kind.READING, Kind.WEIGHTS] for kinds in seen)


def test_copies_that_are_not_accused_stay_closed(cut: Cut) -> None:
    _, stored, bundle = cut
    members = read_zip(bundle)
    opened = {one["entry"] for one in json.loads(members["marks/openings.json"])["copies"]}
    assert stored.report.marks is not None
    (label,) = [one.label for one in stored.report.marks.copies if one.evidence.tier == TierLabel.ATTRIBUTED]
    (account,) = [one for one in stored.report.accounts if one.label == label]
    assert opened == {copy.entry for copy in account.copies}


Change = Callable[[dict[str, Any]], None]


def _reading(document: dict[str, Any]) -> None:
    slot = next(one for one in document["values"][0]["slots"] if one["read"])
    slot["read"] = 3 - slot["read"] if slot["read"] < 3 else 1


def _weight(document: dict[str, Any]) -> None:
    document["accounts"][0]["weight"] *= 0.5


def _table(document: dict[str, Any]) -> None:
    document["slots"]["phone"][0][2][0] = 0.5


def _vector(document: dict[str, Any]) -> None:
    one = document["copies"][0]["records"][0]
    first = int(one["vector"][:2], 16)
    one["vector"] = f"{3 - first if first < 3 else 1:02x}" + one["vector"][2:]


def _nonce(document: dict[str, Any]) -> None:
    document["copies"][0]["nonce"] = "00" * 32


def _epoch(document: dict[str, Any]) -> None:
    document["copies"][0]["records"][0]["epoch"] += 1


def _e(document: dict[str, Any]) -> None:
    accused(document)["e"] *= 1.001


def _p(document: dict[str, Any]) -> None:
    accused(document)["p"] /= 2


def _bound(document: dict[str, Any]) -> None:
    accused(document)["bound"] /= 2


def _seed(document: dict[str, Any]) -> None:
    document["seed"] += 1


def _tier(document: dict[str, Any]) -> None:
    next(one for one in document["accounts"] if one["tier"] == "none")["tier"] = "strong"


def _fewer_copies(document: dict[str, Any]) -> None:
    accused(document)["copies"].pop()


def _another_entry(document: dict[str, Any]) -> None:
    document["reading_entry"] -= 1


def accused(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in document["accounts"] if one["tier"] == "attributed copy")
    return found


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("reading", _reading, "marks/reading.json is not the reading that entry"),
        ("weights", _weight, "marks/weights.json is not what entry"),
        ("model", _table, "marks/model.json (slots, rates) is not what entry"),
        ("openings", _vector, "not what the ledger committed to when the copy was served"),
        ("openings", _nonce, "not what the ledger committed to when the copy was served"),
        ("openings", _epoch, "not what the ledger committed to when the copy was served"),
        ("claims", _e, "e stated for Account 3 is not what follows"),
        ("claims", _p, "p stated for Account 3 is not what follows"),
        ("claims", _bound, "bound stated for Account 3 is not what follows"),
        ("claims", _seed, "the seed is not that of the reading"),
        ("claims", _tier, "is called more than its bound carries"),
        ("claims", _fewer_copies, "Account 3 has other copies"),
        ("claims", _another_entry, "an entry that fixed them is not in the bundle"),
    ],
)
def test_a_change_is_found_though_the_manifest_was_made_anew(cut: Cut, name: str, change: Change, told: str) -> None:
    key, _, bundle = cut
    members = read_zip(bundle)
    document = json.loads(members[f"marks/{name}.json"])
    change(document)
    written = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    assert written != members[f"marks/{name}.json"]
    (problem,) = verify(sealed_anew({**members, f"marks/{name}.json": written}), key).problems
    assert told in problem


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"copies": 3}', '{"accounts": [NaN]}', "[" * 5_000, '{"a":1,"a":2}'])
@pytest.mark.parametrize("name", ["claims", "model", "openings", "reading", "weights"])
def test_nonsense_is_refused_and_nothing_else_happens(cut: Cut, name: str, text: str) -> None:
    key, _, bundle = cut
    changed = sealed_anew({**read_zip(bundle), f"marks/{name}.json": text.encode()})
    (problem,) = verify(changed, key).problems
    assert "marks" in problem or "a name stands twice" in problem


def test_a_commitment_that_no_draw_opens_speaks_against_the_ledger_and_not_for_a_copy(sqlite_home: Home) -> None:
    """An operator who exchanges the key of the draws afterwards, so that they point at somebody, is found out."""
    home = sqlite_home
    subjects = people(home, 3)
    shown = {reader: [served(home, reader, subject) for subject in subjects] for reader in readers(home, 3)}
    text = post(next(iter(shown.values())))
    keys = MarkKeys(home.app.keyring.provider("bodies"), home.app.kernel.registry)
    marks = MarkSecrets(b"x" * 32, keys, lambda _index: ())
    trace = home.app.trace
    object.__setattr__(trace._kernel, "marks", marks)
    home.clock.step(60)
    traced = trace.trace(home.caller("investigator", Role.INVESTIGATOR), TraceAsk(text, home.clock.now()))
    assert len([gap for gap in traced.stored.report.gaps if "committed to of the served copy" in gap]) == 9
    assert traced.stored.report.tier.label in (TierLabel.NONE, TierLabel.LEAD)
    marks_told = traced.stored.report.marks
    assert marks_told is None or {one.evidence.tier for one in marks_told.copies} <= {"none", "lead"}


def prepared(home: Home) -> tuple[Caller, TraceId, StoredTrace, str]:
    """Serve cards, leak one account's, trace the text."""
    subjects = people(home, 3)
    shown = {reader: [served(home, reader, subject) for subject in subjects] for reader in readers(home, 4)}
    text = post(shown[list(shown)[1]])
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    home.clock.step(60)
    traced = home.app.trace.trace(investigator, TraceAsk(text, home.clock.now()))
    return investigator, traced.trace, traced.stored, text


def cut_again(home: Home, who: Caller, trace: TraceId) -> bytes:
    return home.app.trace.evidence(who, trace, home.app.evidence, lambda _: REPORTS)


def test_a_defence_computes_the_figures_of_every_account(home: Home) -> None:
    who, trace, stored, _ = prepared(home)
    opened = home.app.trace.open_draws(who, trace, REASON)
    assert stored.judged is not None
    assert opened.versions == len({value["records"][0] for value in json.loads(stored.judged.reading)["values"]})
    bundle = cut_again(home, who, trace)
    verdict = verify(bundle, format_vkey(home.app.verifier_key))
    assert verdict.problems == []
    assert stored.report.marks is not None
    told = {one.label: one.evidence for one in stored.report.marks.copies}
    assert [one["label"] for one in verdict.marks] == list(told)
    for one in verdict.marks:
        assert one["e"] == pytest.approx(told[one["label"]].e, rel=1e-9)
    assert "e-values and p of 0 accounts whose copies were not opened" in report(verdict)
    members = read_zip(bundle)
    document = json.loads(members["marks/openings.json"])
    document["keys"][0]["key"] = "00" * 32
    changed = sealed_anew({**members, "marks/openings.json": json.dumps(document).encode()})
    (problem,) = verify(changed, format_vkey(home.app.verifier_key)).problems
    assert "not what the record version's key draws for this account" in problem


def test_an_opened_key_is_retired_and_what_it_drew_says_nothing_any_more(home: Home) -> None:
    """Whoever holds the key can write like every copy, and say that the text is from long ago."""
    who, trace, stored, text = prepared(home)
    published = stored.report.question.published_at
    home.app.trace.open_draws(who, trace, REASON)
    again = home.app.trace.trace(who, TraceAsk(text, published)).stored
    assert again.report.marks is None
    assert again.report.tier.label in (TierLabel.NONE, TierLabel.LEAD)
    # Copies of now are drawn anew, and speak again.
    assert stored.judged is not None
    subjects = sorted({SubjectId(one["subject"]) for one in json.loads(stored.judged.reading)["values"]})
    cards = {reader: [served(home, reader, subject) for subject in subjects] for reader in readers(home, 4)}
    leaked = post(cards[list(cards)[3]])
    home.clock.step(60)
    fresh = home.app.trace.trace(who, TraceAsk(leaked, home.clock.now()))
    assert fresh.stored.report.marks is not None
    best = min(fresh.stored.report.marks.copies, key=lambda one: one.evidence.bound)
    assert (best.label, best.evidence.agreeing) == ("Account 4", best.evidence.slots)
    verdict = verify(cut_again(home, who, fresh.trace), format_vkey(home.app.verifier_key))
    assert verdict.problems == []
    assert [one["label"] for one in verdict.marks] == ["Account 4"]


def test_the_outsider_leaves_out_what_was_opened_before(sqlite_home: Home) -> None:
    """An account's last copy of a card is from before a key was opened, those of the others are new."""
    home = sqlite_home
    who, trace, stored, _ = prepared(home)
    home.app.trace.open_draws(who, trace, REASON)
    assert stored.judged is not None
    subjects = sorted({SubjectId(one["subject"]) for one in json.loads(stored.judged.reading)["values"]})
    staff = readers(home, 4)
    cards = {reader: [served(home, reader, subject) for subject in subjects[1:]] for reader in staff}
    other = served(home, home.caller("somebody else", Role.READER), subjects[0])
    leaked = post([*cards[staff[3]], other])
    home.clock.step(60)
    fresh = home.app.trace.trace(who, TraceAsk(leaked, home.clock.now()))
    assert fresh.stored.report.marks is not None
    told = {one.label: one.evidence for one in fresh.stored.report.marks.copies}
    best = min(told, key=lambda label: told[label].bound)
    assert told[best].tier in (TierLabel.STRONG, TierLabel.ATTRIBUTED)
    bundle = cut_again(home, who, fresh.trace)
    verdict = verify(bundle, format_vkey(home.app.verifier_key))
    assert verdict.problems == []
    (anew,) = [one for one in verdict.marks if one["label"] == best]
    assert anew["opened"] == len(cards[staff[3]])
    assert anew["slots"] == told[best].slots
    assert anew["e"] == pytest.approx(told[best].e, rel=1e-9)


def test_copies_that_a_bundle_opened_say_nothing_any_more_and_others_do(home: Home) -> None:
    who, trace, stored, text = prepared(home)
    cut_again(home, who, trace)
    (entry,) = [one for one in home.entries() if one.kind == Kind.DRAWS]
    assert (entry.values or {})["result"].startswith("copies ")
    cut_again(home, who, trace)
    assert len([one for one in home.entries() if one.kind == Kind.DRAWS]) == 1
    again = home.app.trace.trace(who, TraceAsk(text, stored.report.question.published_at))
    assert again.stored.report.marks is not None
    assert sorted(one.label for one in again.stored.report.marks.copies) == ["Account 1", "Account 3", "Account 4"]
    assert {one.evidence.tier for one in again.stored.report.marks.copies} <= {"none", "lead"}
    assert verify(cut_again(home, who, again.trace), format_vkey(home.app.verifier_key)).problems == []


def test_opening_is_once_of_ones_own_trace_and_of_an_investigator(home: Home) -> None:
    who, trace, _, _ = prepared(home)
    with pytest.raises(NotFound):
        home.app.trace.open_draws(home.caller("another", Role.INVESTIGATOR), trace, REASON)
    with pytest.raises(AccessDenied):
        home.app.trace.open_draws(home.caller("reader 0", Role.READER), trace, REASON)
    assert not [one for one in home.entries() if one.kind == Kind.DRAWS]
    home.app.trace.open_draws(who, trace, REASON)
    with pytest.raises(Conflict, match="exists"):
        home.app.trace.open_draws(who, trace, REASON)
    results = [(one.values or {})["result"] for one in home.entries() if one.kind == Kind.DRAWS]
    assert results == ["keys", "refused exists"]
    nothing = home.app.trace.trace(who, TraceAsk("nothing of anybody"))
    with pytest.raises(Conflict, match="nothing_drawn"):
        home.app.trace.open_draws(who, nothing.trace, REASON)


def test_another_person_approves_before_a_key_is_opened(sqlite_home: Home) -> None:
    home = sqlite_home
    who, trace, _, _ = prepared(home)
    rules = replace(home.app.kernel.rules, dual_control=frozenset({Action.DRAWS}))
    kernel = replace(home.app.kernel, rules=rules)
    object.__setattr__(home.app.trace._draws, "_kernel", kernel)
    with pytest.raises(ApprovalNeeded) as waiting:
        home.app.trace.open_draws(who, trace, REASON)
    assert not [one for one in home.entries() if one.kind == Kind.DRAWS]
    home.app.approvals.decide(home.caller("approver", Role.APPROVER), Word(waiting.value.request, Verdict.APPROVE, ""))
    assert home.app.trace.open_draws(who, trace, REASON).versions


def test_a_row_that_says_otherwise_than_the_ledger_is_found(sqlite_home: Home) -> None:
    """With the epoch put back, copies would be drawn as before the key was given away."""
    home = sqlite_home
    who, trace, _, _ = prepared(home)
    home.app.trace.open_draws(who, trace, REASON)
    home.app.row_check.check()
    home.sql().execute("UPDATE record_versions SET mark_epoch = 0")
    with pytest.raises(LedgerCorrupt, match="copies are drawn is not as it was entered"):
        home.app.row_check.check()
