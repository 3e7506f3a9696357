"""Having checkpoints cosigned, and what a registry believes of its witnesses."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from registry.api.app import _go_on_asking
from registry.bootstrap.ledger import outside_of
from registry.domain.clock import Clock
from registry.domain.errors import AuditUnavailable
from registry.services.evidence import Beside, Evidence, Snapshot
from registry.services.witnesses import Asked, Witnesses, WitnessSettings
from registry.storage.witness_files import WitnessFiles
from registry.transparency.bundle import read_bundle
from registry.transparency.checkpoint import Checkpoint, checkpoint_text
from registry.transparency.cosignature import cosign
from registry.transparency.note import format_vkey
from registry.transparency.offline import verify_bundle as offline
from registry.transparency.trust_policy import open_trusted
from registry.transparency.witness_wire import parse_add_checkpoint
from registry.witness.client import Answer, WitnessSilent
from registry.witness.keys import WitnessKey, check_of
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home
from tests.functional.services.panels import Line, panel_for, witness_for
from tests.unit.transparency.cosigners import ed25519
from tests.unit.transparency.support import Signer


@pytest.fixture
def line(home: Home, tmp_path: Path) -> Line:
    return Line(witness_for(home, tmp_path / "witness"))


@pytest.fixture
def panel(home: Home, line: Line) -> Witnesses:
    return panel_for(home, line)


def outcome(home: Home, panel: Witnesses) -> str:
    (asked,) = panel.round(home.clock)
    return asked.failure or "cosigned"


def test_a_round_has_the_newest_checkpoint_cosigned(home: Home, panel: Witnesses, line: Line) -> None:
    grow(home, 300)
    assert panel.standing(home.clock).lag_entries == 300
    assert outcome(home, panel) == "cosigned"
    published = panel.published()
    trusted = open_trusted(published.note, panel._panel.policy, check_of)
    assert (trusted.checkpoint, set(trusted.cosignatures)) == (published.checkpoint, {"w"})
    assert (published.checkpoint.size, panel.standing(home.clock).lag_entries) == (300, 0)
    grow(home, 700)
    # Readers get the newest that somebody else has seen.
    assert panel.published().checkpoint.size == 300
    assert outcome(home, panel) == "cosigned"
    assert panel.published().checkpoint.size == 700
    assert [parse_add_checkpoint(asked).old_size for asked in line.asked] == [0, 300]


def test_what_was_forgotten_is_asked_of_the_witness(home: Home, panel: Witnesses, line: Line) -> None:
    grow(home, 20)
    outcome(home, panel)
    shutil.rmtree(home.app.settings.ledger / "witness")
    grow(home, 30)
    assert outcome(home, panel) == "cosigned"
    assert [parse_add_checkpoint(asked).old_size for asked in line.asked] == [0, 0, 20]


def test_a_silent_witness_is_a_lag_and_then_an_alarm(home: Home, panel: Witnesses, line: Line) -> None:
    outcome(home, panel)

    def silent(_: bytes) -> Answer:
        raise WitnessSilent

    line.submitted = silent
    grow(home, 50)
    assert outcome(home, panel) == "silent"
    home.clock.step(16 * 60)
    standing = panel.standing(home.clock)
    assert (standing.lag_ms, dict(standing.failures), standing.alarm) == (16 * 60_000, {"w": "silent"}, None)
    assert panel.is_late(standing)
    home.clock.step(-2 * 60)
    assert not panel.is_late(panel.standing(home.clock))
    few = panel_for(home, line, WitnessSettings(alarm_entries=3))
    assert few.is_late(few.standing(home.clock))
    grow(home, 51)  # entries are taken all the same


def test_with_a_limit_no_entry_is_taken_that_nobody_saw_for_too_long(home: Home, line: Line) -> None:
    panel = panel_for(home, line, WitnessSettings(stop_hours=24))
    outcome(home, panel)
    line.submitted = lambda _: Answer(503, b"")
    home.clock.step(timedelta(hours=24).total_seconds())
    assert outcome(home, panel) == "refused 503"
    grow(home, 40)
    home.clock.step(1)
    outcome(home, panel)
    with pytest.raises(AuditUnavailable, match="unwitnessed"):
        grow(home, 41)
    line.submitted = None
    assert outcome(home, panel) == "cosigned"
    grow(home, 41)


def signed_by_somebody_else(home: Home) -> bytes:
    stranger = Signer.named(home.app.kernel.log.origin, bytes(32))
    return stranger.sign(checkpoint_text(stranger.key.name, 10**6, bytes(range(32)))).encode()


LIES: dict[str, tuple[Answer, Callable[[Home], bytes], str]] = {
    "a size from nowhere": (Answer(409, b"1000000\n"), lambda _: b"", "ahead"),
    "a size and a note of another key": (Answer(409, b"1000000\n"), signed_by_somebody_else, "ahead"),
    "another history from nowhere": (Answer(422, b""), lambda _: b"nonsense", "refused 422"),
    "another history, and our own old note": (
        Answer(422, b""),
        lambda home: home.app.tiles.publisher.publish().note.encode(),
        "refused 422",
    ),
    "a size that is none": (Answer(409, b"many\n"), lambda _: b"", "malformed"),
    "a size that is always another": (Answer(409, b"3\n"), lambda _: b"", "refused 409"),
    "nothing in 200": (Answer(200, b""), lambda _: b"", "malformed"),
    "no note line in 200": (Answer(200, b"\xff\xfe"), lambda _: b"", "malformed"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_witness_stops_nothing(home: Home, panel: Witnesses, line: Line, lie: str) -> None:
    grow(home, 20)
    answer, shown, expected = LIES[lie]
    line.submitted = lambda _: answer
    line.looked = lambda: Answer(200, shown(home))
    assert outcome(home, panel) == expected
    assert panel.standing(home.clock).alarm is None
    grow(home, 21)


def test_a_cosignature_is_only_taken_from_the_witness_s_key_and_time(home: Home, panel: Witnesses, line: Line) -> None:
    checkpoint = home.app.tiles.publisher.publish().checkpoint
    now = int(home.clock.now().timestamp())
    other = ed25519("witness.example/w1", 9)
    line.submitted = lambda _: Answer(200, other.line(checkpoint, now).encode())
    assert outcome(home, panel) == "malformed"
    own = line.witness._folder.key
    for seconds in (-301, 301):
        made = Answer(200, line_at(own, checkpoint, now + seconds))
        line.submitted = lambda _, made=made: made
        assert outcome(home, panel) == "clocks apart"
    good = line_at(own, checkpoint, now)
    line.submitted = lambda _: Answer(200, good + other.line(checkpoint, now).encode())
    assert outcome(home, panel) == "cosigned"
    assert other.line(checkpoint, now) not in panel.published().note
    line.submitted = lambda _: Answer(200, good + good)
    assert outcome(home, panel) == "malformed"


def line_at(key: WitnessKey, checkpoint: Checkpoint, unix_s: int) -> bytes:
    return cosign(key.key, checkpoint, unix_s, key.sign).encode()


def test_one_process_asks_and_all_of_them_heed_the_alarm(home: Home, panel: Witnesses, line: Line) -> None:
    files = WitnessFiles(home.app.settings.ledger)
    with files.turn() as is_ours:
        assert is_ours
        assert panel.round(home.clock) == ()
    assert line.asked == []


@pytest.mark.parametrize("change", ["longer", "other root", "damaged"])
def test_a_cosigned_checkpoint_that_is_not_ours_does_not_leave(home: Home, panel: Witnesses, change: str) -> None:
    grow(home, 30)
    outcome(home, panel)
    path = home.app.settings.ledger / "witness" / "cosigned"
    log = home.app.kernel.log
    size = 31 if change == "longer" else 29
    text = checkpoint_text(log.origin, size, bytes(range(32)))
    path.write_text("x" if change == "damaged" else home.app.signing.signed(text, size), "utf-8")
    if change == "damaged":
        assert panel.published().checkpoint.size == 30
        return
    with pytest.raises(AuditUnavailable, match="rolled_back" if change == "longer" else "forked"):
        panel.published()


# --- evidence


def test_evidence_is_cut_under_a_checkpoint_that_witnesses_have_cosigned(
    home: Home, panel: Witnesses, line: Line
) -> None:
    grow(home, 300)
    outcome(home, panel)
    grow(home, 520)
    outside = outside_of(home.app.signing, panel._publisher, panel, home.app.settings.ledger)
    evidence = Evidence(home.app.kernel, outside)
    # What nobody has seen yet is shown to the witnesses first; what they have seen is cut as they have cosigned it.
    for size, under in ((510, 520), (300, 520)):
        bundle = evidence.cut(Snapshot(size, ""), [1, 257, size - 1], Beside({}))
        verdict = offline.verify(bundle, offline.parse_policy(read_bundle(bundle).policy))
        assert (verdict.problems, verdict.size, list(verdict.cosigned)) == ([], under, ["w"])

    def silent(_: bytes) -> Answer:
        raise WitnessSilent

    line.submitted = silent
    grow(home, 600)
    bundle = evidence.cut(Snapshot(600, ""), [599], Beside({}))
    policy = offline.parse_policy(read_bundle(bundle).policy)
    assert offline.verify(bundle, policy).problems == [
        "not enough witnesses of your policy have cosigned the checkpoint"
    ]
    by_key = offline.verify(bundle, format_vkey(home.app.signing.key))
    assert (by_key.problems, by_key.size) == ([], 600)
    assert any("continues that of 520 entries" in said for said in by_key.checked)


@pytest.mark.parametrize(("grown", "rounds"), [(0, [9]), (255, [9]), (256, [3, 13])])
def test_a_server_asks_every_ten_seconds_and_sooner_after_many_entries(
    home: Home, panel: Witnesses, grown: int, rounds: list[int]
) -> None:
    looks, asked, mark = [0], [], SimpleNamespace(size=20)

    class Ended(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout == 1.0
            mark.size = 20 + grown * (looks[0] >= 3)
            looks[0] += 1
            return looks[0] > 15

    class Counted(Witnesses):
        def round(self, clock: Clock) -> tuple[Asked, ...]:
            del clock
            asked.append(looks[0] - 1)
            return ()

    counted = Counted(home.app.kernel.log, panel._publisher, panel._panel, panel._wire, panel._notebook)
    _go_on_asking(replace(home.app, witnesses=counted, high_water=mark), Ended())  # type: ignore[arg-type]  # its size
    assert asked == rounds
