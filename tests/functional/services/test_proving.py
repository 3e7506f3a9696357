"""An outsider's recomputation: the evidence bundle of a trace against the verifier that needs nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.domain.principals import Role
from registry.leaktrace.report_shapes import TierLabel
from registry.services.trace import StoredTrace, TraceAsk
from registry.transparency.note import format_vkey
from registry.transparency.offline.verify_bundle import read_zip, report, verify
from tests.functional.services.homes import Home, open_copy
from tests.functional.services.test_marked_copies import people, post, readers, served
from tests.unit.transparency.bundles import sealed_anew

REPORTS = {"report.txt": b"a report\n"}


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
    real = type(home.app.kernel.marks).of_record

    def of_record(self: Any, *arguments: Any) -> Any:
        seen.append([entry.kind for entry in home.entries()[-2:]])
        return real(self, *arguments)

    subjects = people(home, 2)
    text = post([served(home, reader, subject) for reader in readers(home, 1) for subject in subjects])
    monkeypatch.setattr(type(home.app.kernel.marks), "of_record", of_record)
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
    assert "marks" in problem or "has a name twice" in problem


def test_a_commitment_that_no_draw_opens_speaks_against_the_ledger_and_not_for_a_copy(sqlite_home: Home) -> None:
    """An operator who exchanges the key of the draws afterwards, so that they point at somebody, is found out."""
    home = sqlite_home
    subjects = people(home, 3)
    shown = {reader: [served(home, reader, subject) for subject in subjects] for reader in readers(home, 3)}
    text = post(next(iter(shown.values())))
    marks = type(home.app.kernel.marks)(b"x" * 32, 1)
    trace = home.app.trace
    object.__setattr__(trace._kernel, "marks", marks)
    home.clock.step(60)
    traced = trace.trace(home.caller("investigator", Role.INVESTIGATOR), TraceAsk(text, home.clock.now()))
    assert len([gap for gap in traced.stored.report.gaps if "committed to of the served copy" in gap]) == 9
    assert traced.stored.report.tier.label in (TierLabel.NONE, TierLabel.LEAD)
    marks_told = traced.stored.report.marks
    assert marks_told is None or {one.evidence.tier for one in marks_told.copies} <= {"none", "lead"}
