"""The key that signs the ledger is exchanged while the registry is in use: what each key may sign, and who follows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.bootstrap import Application, inspected, ledger_key, open_application
from registry.bootstrap.ledger import outside_of
from registry.cli.auditing import verify_ledger
from registry.domain.errors import AuditUnavailable, KeyUnavailable, LedgerCorrupt, ProofRejected
from registry.keys.key_files import with_checksum
from registry.keys.local import LocalKeyring
from registry.keys.ports import SigningPair
from registry.services.evidence import Beside, Evidence, Snapshot
from registry.services.ledger_key import Exchanged
from registry.settings import load_settings
from registry.storage.high_water import HighWaterFile
from registry.transparency.checkpoint import checkpoint_text, open_checkpoint
from registry.transparency.note import format_vkey, sign_note
from registry.transparency.offline import verify_bundle as offline
from registry.transparency.terms import KeyTerm
from registry.upkeep.fsck import faults_of
from registry.upkeep.recover import recover
from registry.witness.daemon import Witness
from registry.witness.folder import WitnessFolder
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home
from tests.functional.services.panels import Line, panel_for, witness_for

WHO = "local:somebody"


@dataclass
class Kept:
    """A registry of 40 entries, its former key kept by somebody, exchanged, and grown to 80 entries."""

    home: Home
    stolen: SigningPair
    done: Exchanged


def exchange(home: Home) -> Exchanged:
    return ledger_key(home.app).exchange(operator=WHO)


@pytest.fixture
def kept(home: Home) -> Kept:
    grow(home, 40)
    stolen = home.app.keyring.signing_keys().current
    done = exchange(home)
    grow(home, 80)
    return Kept(home, stolen, done)


def forged(kept: Kept, size: int) -> str:
    """Return a checkpoint of some size that the former key signs, after it should have been destroyed."""
    origin = kept.home.app.kernel.log.origin
    sign = kept.stolen.first.sign
    return sign_note(checkpoint_text(origin, size, b"\x01" * 32), origin, kept.done.former.key.key_id, sign)


def test_the_next_key_goes_on_where_the_former_ended(kept: Kept) -> None:
    home, done = kept.home, kept.done
    assert (done.size, done.former == done.current) == (41, False)
    entry = home.entries()[40]
    assert entry.kind == Kind.KEY
    assert (entry.values or {})["request"] == done.former.words()
    assert (entry.values or {})["detail"] == done.current.words()
    assert home.app.verifier_key == done.current.key
    assert verify_ledger(home.app, 1).size == 80
    published = home.app.tiles.publisher.publish()
    assert open_checkpoint(published.note, home.app.signing, home.app.kernel.log.origin).size == 80
    assert list(faults_of(home.app)) == []
    keys = home.app.settings.keys
    assert not (keys / "ledger.key").exists()
    assert len(list(keys.glob("ledger-*.key"))) == len(list(keys.glob("ledger-*.term"))) == 1
    (term,) = home.app.signing.terms
    for pair in (done.former, done.current):
        verdict = offline.open_checkpoint(term.note.encode(), [offline.parse_key(key) for key in pair.words().split()])
        assert verdict[0] == 41


def test_each_key_signs_its_own_sizes_and_no_others(kept: Kept) -> None:
    signing, origin = kept.home.app.signing, kept.home.app.kernel.log.origin
    for size in (1, 40, 41):
        assert open_checkpoint(forged(kept, size), signing, origin).size == size  # why witnesses are needed
    for size in (42, 80, 10_000):
        with pytest.raises(ProofRejected, match="no known key"):
            open_checkpoint(forged(kept, size), signing, origin)
    pair = kept.home.app.keyring.signing_keys().current
    early = sign_note(checkpoint_text(origin, 12, b"\x01" * 32), origin, kept.done.current.key.key_id, pair.first.sign)
    with pytest.raises(ProofRejected, match="no known key"):
        open_checkpoint(early, signing, origin)


def test_a_process_that_runs_follows_and_one_that_starts_does(kept: Kept) -> None:
    home = kept.home
    beside = _beside(home)
    try:
        second = exchange(home)
        assert second.former == kept.done.current
        grow(Home(beside, home.clock), 90)  # it appends next, with the key that it learns of only now
        assert beside.verifier_key == second.current.key
        assert beside.tiles.publisher.publish().checkpoint.size == 90
        assert beside.compare_high_water().standing == "follows"
    finally:
        beside.close()
    assert verify_ledger(home.app, 1).size == 90
    verdict = offline.verify(
        home.app.evidence.cut(Snapshot(90, ""), [3, 40, 80, 85], Beside({})),
        offline.Trust([offline.parse_key(format_vkey(kept.done.former.key))]),
    )
    assert verdict.problems == []  # from the first key over the second to the third


def _beside(home: Home) -> Application:
    url = home.app.settings.database_url
    environment = {"REGISTRY_DATABASE_URL": url} if url.startswith("postgresql") else {}
    return open_application(load_settings(home.app.settings.home, environment), home.clock)


def test_who_appends_next_finishes_an_exchange_that_was_cut_off(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(home, 40)
    with monkeypatch.context() as patched:
        patched.setattr(LocalKeyring, "exchange_signing", _cut_off)
        with pytest.raises(InterruptedError):
            exchange(home)
    # Committed, and the folder as it was: the head is signed by both, and no process may go on with the former key.
    assert home.app.signing.terms == ()
    before = home.app.verifier_key
    with inspected(load_settings(home.app.settings.home, {"REGISTRY_DATABASE_URL": home.app.settings.database_url})):
        pass
    assert home.app.tiles.publisher.publish().checkpoint.size == 41
    assert verify_ledger(home.app, 1).size == 41
    grow(home, 42)
    (term,) = home.app.signing.terms
    assert (term.pair.key, term.size, home.app.verifier_key == before) == (before, 41, False)
    assert verify_ledger(home.app, 1).size == 42


def _cut_off(*_given: object) -> None:
    raise InterruptedError


def test_an_exchange_without_its_entry_changes_nothing(home: Home) -> None:
    grow(home, 40)
    before = home.app.verifier_key
    home.app.kernel.log.stop("disk_full")
    with pytest.raises(AuditUnavailable, match="disk_full"):
        exchange(home)
    home.app.kernel.log.stop(None)
    announced = home.app.signing.following
    assert (home.app.verifier_key, home.app.signing.terms) == (before, ())
    assert exchange(home).current == announced  # what was made before is what takes over


def test_what_is_announced_signs_nothing_and_is_the_one_that_takes_over(home: Home) -> None:
    announced = ledger_key(home.app).announce(operator=WHO)
    assert ledger_key(home.app).announce(operator=WHO) == announced
    grow(home, 40)
    assert home.app.verifier_key != announced.key
    assert exchange(home).current == announced


def test_a_head_that_only_one_of_both_signed_is_not_taken_over(home: Home) -> None:
    grow(home, 40)
    ledger_key(home.app).announce(operator=WHO)
    with home.app.database.reader() as reader:
        head = reader.head()
    home.app.signing.caught_up(head.checkpoint)
    assert home.app.signing.terms == ()


def test_a_process_that_runs_follows_to_a_new_origin(kept: Kept) -> None:
    home, former = kept.home, kept.home.app.kernel.log.origin
    beside = _beside(home)
    try:
        HighWaterFile(home.app.settings.ledger).path.unlink()
        done = recover(home.app, "the mark was left behind in a move")
        assert (done.standing, done.entry) == ("missing", 80)
        grow(Home(beside, home.clock), 90)
        origin = beside.kernel.log.origin
        assert (origin, beside.signing.epoch) == (home.app.kernel.log.origin, 2)
        assert beside.tiles.publisher.publish().checkpoint.origin == origin != former
        assert beside.compare_high_water().standing == "follows"
    finally:
        beside.close()
    assert verify_ledger(home.app, 1).size == 90
    bundle = home.app.evidence.cut(Snapshot(90, ""), [3, 60, 85], Beside({}))
    verdict = offline.verify(bundle, offline.Trust([offline.parse_key(format_vkey(kept.done.former.key))]))
    assert verdict.problems == []  # over the exchange, then over the new origin


@pytest.mark.parametrize("changed", ["size", "note", "key"])
def test_what_is_kept_of_a_former_key_cannot_be_changed(kept: Kept, changed: str) -> None:
    (term,) = kept.home.app.signing.terms
    other = {
        "size": KeyTerm(term.pair, 70, term.note),
        "note": KeyTerm(term.pair, term.size, term.note.replace("\n41\n", "\n70\n")),
        "key": KeyTerm(kept.done.current, term.size, term.note),
    }[changed]
    (path,) = kept.home.app.settings.keys.glob("ledger-*.term")
    header = path.read_bytes().partition(b"\n")[0].decode()
    path.write_bytes(with_checksum(f"{header}\n{other.render()}"))
    with pytest.raises(KeyUnavailable, match="former keys does not hold"):
        _beside(kept.home)


def test_an_entry_about_a_change_that_was_not_made_is_named(kept: Kept) -> None:
    home, done = kept.home, kept.done
    said = {"request": done.current.words(), "detail": done.former.words(), "result": "exchanged"}
    with home.app.database.write() as work:
        home.app.kernel.log.append(work.ledger, [EntryDraft(Kind.KEY, said)])
        work.commit()
    with pytest.raises(LedgerCorrupt, match="entry 80: the change of the ledger's key that it speaks of was not made"):
        verify_ledger(home.app, 1)


def test_a_former_key_that_no_entry_speaks_of_is_named(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody puts the folder of another exchange in place: signatures hold, and the ledger does not say so."""
    (term,) = kept.home.app.signing.terms
    other = KeyTerm(term.pair, 43, term.note)
    signing = kept.home.app.signing
    monkeypatch.setattr(signing, "_read", dataclasses.replace(signing._read, terms=(other,)))
    with pytest.raises(LedgerCorrupt, match="the keys that signed the ledger are not those that it says"):
        verify_ledger(kept.home.app, 1)


@pytest.fixture
def bundle(kept: Kept) -> bytes:
    return kept.home.app.evidence.cut(Snapshot(80, ""), [3, 40, 60], Beside({}))


def keys_of(kept: Kept) -> dict[str, str]:
    return {name: pair.words() for name, pair in (("former", kept.done.former), ("current", kept.done.current))}


@pytest.mark.parametrize("trusted", ["former", "current"])
@pytest.mark.parametrize("types", [slice(0, 1), slice(1, 2), slice(0, 2)])
def test_who_trusts_either_key_can_follow(kept: Kept, bundle: bytes, trusted: str, types: slice) -> None:
    given = [offline.parse_key(key) for key in keys_of(kept)[trusted].split()[types]]
    verdict = offline.verify(bundle, offline.Trust(given))
    assert verdict.problems == []
    assert "at 41 entries the ledger's key was exchanged, by a checkpoint that both signed" in verdict.checked


def test_a_key_that_the_bundle_does_not_lead_to_is_refused(kept: Kept, bundle: bytes) -> None:
    stranger = offline.parse_key(format_vkey(kept.done.former.key))
    other = offline.Key(stranger.name, b"\0\0\0\0", 1, stranger.public_key[::-1])
    verdict = offline.verify(bundle, offline.Trust([stranger, other]))
    assert verdict.problems == ["you gave a key that is none of those which the bundle shows the ledger to have had"]


def test_a_limit_of_the_reader_s_own_holds(kept: Kept, bundle: bytes) -> None:
    """A key is known to be compromised from some size on: it leads nowhere, whatever it signed later."""
    former, current = (offline.parse_key(keys_of(kept)[name].split()[0]) for name in ("former", "current"))
    second = offline.parse_key(keys_of(kept)["current"].split()[1])
    trust = offline.Trust([former], until={former.key_id.hex(): 30})
    assert offline.verify(bundle, trust).problems == [
        "the key that you trust may not sign the change to the ledger's present key"
    ]
    trust = offline.Trust([current], until={current.key_id.hex(): 79, second.key_id.hex(): 79})
    assert offline.verify(bundle, trust).problems == [
        "the checkpoint has more entries than any key that you trust may sign"
    ]
    assert offline.verify(bundle, offline.Trust([current], until={former.key_id.hex(): 41})).problems == []


def test_two_keys_of_a_kind_need_a_limit_where_the_bundle_shows_no_change(home: Home) -> None:
    grow(home, 40)
    before = home.app.evidence.cut(Snapshot(40, ""), [3], Beside({}))
    done = exchange(home)
    former, current = (offline.parse_key(format_vkey(pair.key)) for pair in (done.former, done.current))
    verdict = offline.verify(before, offline.Trust([former, current]))
    assert verdict.problems == ["you gave several keys of one kind: say with --until which sizes the former ones sign"]
    for limit, problems in ((41, []), (39, ["the checkpoint is not signed (once) by the key that was given"])):
        trust = offline.Trust([former, current], until={former.key_id.hex(): limit})
        assert offline.verify(before, trust).problems == problems


def test_older_cosigned_checkpoints_of_the_former_key_stand_in_a_bundle(home: Home, tmp_path: Path) -> None:
    grow(home, 40)
    line = Line(witness_for(home, tmp_path / "witness"))
    panel = panel_for(home, line)
    panel.round(home.clock)
    done = exchange(home)
    grow(home, 60)
    outside = outside_of(home.app.signing, home.app.tiles.publisher, panel, home.app.settings.ledger)
    evidence = Evidence(home.app.kernel, outside)
    bundle = evidence.cut(Snapshot(60, ""), [3, 50], Beside({}))  # the witness does not know the next key
    verdict = offline.verify(bundle, offline.Trust([offline.parse_key(format_vkey(done.current.key))]))
    assert verdict.problems == []
    assert any("continues that of 40 entries" in said for said in verdict.checked)


def test_a_witness_that_knows_both_keys_follows_and_refuses_the_former_from_then_on(home: Home, tmp_path: Path) -> None:
    grow(home, 40)
    place = tmp_path / "witness"
    line = Line(witness_for(home, place))
    panel = panel_for(home, line)
    assert panel.round(home.clock)[0].failure == ""
    stolen = home.app.keyring.signing_keys().current
    done = exchange(home)
    assert panel.round(home.clock)[0].failure == ""  # the checkpoint of the change: the former key signed it too
    grow(home, 60)
    assert panel.round(home.clock)[0].failure == "refused 403"
    policy = place / "policy"
    policy.write_text(policy.read_text().replace("quorum", f"log {format_vkey(done.current.key)}\nquorum"))
    line.witness = Witness(WitnessFolder(place), home.clock)
    assert panel.round(home.clock)[0].failure == ""
    assert panel.published().checkpoint.size == 60
    origin = home.app.kernel.log.origin
    proof = home.app.tiles.publisher.proof(60, home.app.tiles.publisher.publish().checkpoint)
    assert proof == ()
    checkpoint = home.app.tiles.publisher.publish().checkpoint
    text = checkpoint_text(origin, checkpoint.size, checkpoint.root)
    former_only = sign_note(text, origin, done.former.key.key_id, stolen.first.sign)
    assert line.witness.add_checkpoint(f"old 60\n\n{former_only}".encode()).status == 403
    current = sign_note(text, origin, done.current.key.key_id, home.app.keyring.signing_keys().current.first.sign)
    assert line.witness.add_checkpoint(f"old 60\n\n{current}".encode()).status == 200
