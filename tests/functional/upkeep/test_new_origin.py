"""After a loss the ledger goes on under a new origin: what both names are true of, who follows, and who does not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import metamorphic_log
import pytest

from registry.audit.entries import EntryDraft
from registry.audit.high_water import Standing
from registry.audit.kinds import Kind
from registry.bootstrap import inspected, ledger_key, open_application
from registry.cli.auditing import verify_ledger
from registry.domain.errors import AuditUnavailable, KeyUnavailable, LedgerCorrupt, MisconfiguredHome, ProofRejected
from registry.keys.local import LocalKeyring
from registry.keys.ports import SigningPair
from registry.notify.settings import NotifySettings, WebhookSettings
from registry.services.evidence import Beside, Snapshot
from registry.services.ledger_key import Exchanged, LedgerKey
from registry.services.send_notices import SentCount
from registry.settings import Settings, load_settings
from registry.storage.anchor_files import AnchorFiles
from registry.storage.high_water import NAME, HighWaterFile
from registry.storage.unit_of_work import SqlDatabase
from registry.transparency.checkpoint import checkpoint_text, open_checkpoint, open_own
from registry.transparency.leaf import leaf_hash
from registry.transparency.note import VerifierKey, format_vkey, sign_note
from registry.transparency.offline import verify_bundle as offline
from registry.upkeep.backup import back_up, restore_over
from registry.upkeep.fsck import faults_of
from registry.upkeep.recover import Recovered, recover
from registry.witness.daemon import Witness
from registry.witness.folder import WitnessFolder
from tests.fakes.clock import TestClock
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home, make_template
from tests.functional.services.panels import Line, panel_for, witness_for
from tests.functional.services.receivers import SECRET, receiving
from tests.functional.services.test_other_verifiers import reader_of, write

SAVED, SEEN = 100, 400


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@contextmanager
def at(path: Path) -> Iterator[Home]:
    clock = TestClock()
    home = Home(open_application(settings_of(path), clock), clock)
    try:
        yield home
    finally:
        home.close()


def settings_of(path: Path) -> Settings:
    return load_settings(path, {"REGISTRY_DATABASE_URL": ""})


def gone_on(path: Path) -> Recovered:
    with inspected(settings_of(path), TestClock()) as application:
        return recover(application, "Disk lost; last night's copy")


@dataclass
class Lost:
    """A registry whose backup has 100 entries, that had 400 of which a witness cosigned all, and that was restored."""

    path: Path
    line: Line
    stolen: SigningPair
    key: VerifierKey
    words: str
    newest: str
    codes: list[str]


@pytest.fixture
def lost(template: Path, tmp_path: Path) -> Lost:
    path = tmp_path / "home"
    shutil.copytree(template, path)
    with at(path) as home:
        grow(home, SAVED)
    back_up(settings_of(path), tmp_path / "backup")
    with at(path) as home:
        grow(home, SEEN)
        line = Line(witness_for(home, tmp_path / "witness"))
        assert panel_for(home, line).round(home.clock)[0].failure == ""
        files = AnchorFiles(settings_of(path).ledger)
        for size in (60, SEEN):
            files.put(size, f"a note of {size}", "tsa", b"\x30")
        newest = home.app.tiles.publisher.publish().note
        stolen = home.app.keyring.signing_keys().current
        pair, codes = home.app.signing.pair, [home.app.kernel.log.code_of(entry) for entry in (20, SAVED + 20)]
    restored = restore_over(settings_of(path), tmp_path / "backup")
    assert restored.standing is Standing.BEHIND
    return Lost(path, line, stolen, pair.key, pair.words(), newest, codes)


def test_the_drill_from_end_to_end(lost: Lost) -> None:
    with pytest.raises(MisconfiguredHome, match=f"{SAVED} entries where {SEEN} were kept"):
        open_application(settings_of(lost.path))
    done = gone_on(lost.path)
    assert (done.standing, done.kept, done.found, done.entry) == (Standing.BEHIND, SEEN, SAVED, SAVED)
    assert done.keys is not None
    origin = done.keys.key.name
    assert re.fullmatch(re.escape(lost.key.name.removesuffix("/e1")) + "/e2-[0-9a-f]{8}", origin)
    with at(lost.path) as home:
        assert (home.app.kernel.log.origin, home.app.signing.pair) == (origin, done.keys)
        grow(home, 300)
        assert verify_ledger(home.app, 1).origin == origin
        assert home.app.tiles.publisher.publish().checkpoint.origin == origin
        assert [fault.part for fault in faults_of(home.app)] == ["anchors"]  # the stamp of 60 was no real one
        entry = home.entries()[SAVED]
        root = home.app.tiles.publisher.root(SAVED)
    values = entry.values or {}
    lost_root = offline.open_checkpoint(lost.newest.encode(), [offline.parse_key(format_vkey(lost.key))])[1]
    assert entry.kind == Kind.EPOCH
    assert (values["request"], values["detail"]) == (lost.words, done.keys.words())
    assert values["result"] == f"behind; found {SAVED} {root.hex()}; kept {SEEN} {lost_root.hex()}"
    assert values["note"] == "Disk lost; last night's copy"
    assert gone_on(lost.path).entry is None  # nothing is left to be gone on after


def test_one_person_begins_it_and_those_who_watch_are_told(lost: Lost) -> None:
    """Whoever is at the machine deletes the mark as well; the notices are in the transaction of the entry."""
    settings = settings_of(lost.path)
    HighWaterFile(settings.ledger).path.unlink()
    secret = lost.path / "webhook.secret"
    secret.write_text(SECRET + "\n", "ascii")
    secret.chmod(0o600)
    with receiving() as receiver:
        telling = replace(settings, notify=NotifySettings(webhook=WebhookSettings(receiver.url, secret)))
        with inspected(telling, TestClock()) as application:
            assert recover(application, "no more was there").standing is Standing.MISSING
            assert receiver.got == []
        home = Home(open_application(telling, TestClock()), TestClock())
        assert home.app.notices.send_due() == SentCount(2, 0)
        home.close()
    told = [json.loads(body) for _, body in receiver.got]
    assert {(one["type"], one["data"]["recipient"], one["data"]["entry"]) for one in told} == {
        ("registry.new_origin", f"role:{role}", SAVED) for role in ("security_admin", "auditor")
    }


def test_what_is_of_the_former_origin_stays_aside_as_evidence(lost: Lost) -> None:
    ledger = settings_of(lost.path).ledger
    mark = (ledger / NAME).read_bytes()
    cosigned = (ledger / "witness" / "cosigned").read_bytes()
    gone_on(lost.path)
    suffix = f"before-entry-{SAVED}"
    assert (ledger / f"{NAME}.{suffix}").read_bytes() == mark
    assert (ledger / f"witness.{suffix}" / "cosigned").read_bytes() == cosigned
    assert (ledger / "tiles.set-aside-1" / "0" / "000").exists()
    assert sorted(path.name for path in (ledger / f"anchors.{suffix}").iterdir()) == ["400.checkpoint", "400.tsa.tsr"]
    assert [one.size for one in AnchorFiles(ledger).kept()] == [60]
    keys = settings_of(lost.path).keys
    assert not (keys / "ledger.key").exists()  # it signs no other history any more


def test_what_the_former_key_signed_counts_as_far_as_it_is_shared(lost: Lost) -> None:
    gone_on(lost.path)

    def forged(size: int) -> str:
        text = checkpoint_text(lost.key.name, size, b"\x01" * 32)
        return sign_note(text, lost.key.name, lost.key.key_id, lost.stolen.first.sign)

    with at(lost.path) as home:
        grow(home, 300)
        signing = home.app.signing
        assert open_own(forged(SAVED), signing).size == SAVED
        for note in (forged(SAVED + 1), forged(1_000), lost.newest):
            with pytest.raises(ProofRejected, match=r"another ledger|no known key"):
                open_own(note, signing)
        own = home.app.tiles.publisher.publish().note
        with pytest.raises(ProofRejected, match="another ledger"):
            open_checkpoint(own, signing, lost.key.name)


def test_a_lost_entry_and_the_one_in_its_place_have_different_codes(lost: Lost) -> None:
    gone_on(lost.path)
    with at(lost.path) as home:
        log = home.app.kernel.log
        assert home.app.signing.origin_at(SAVED - 1) == lost.key.name
        assert home.app.signing.origin_at(SAVED) == log.origin
        assert log.code_of(20) == lost.codes[0]
        assert log.code_of(SAVED + 20) != lost.codes[1]


def test_gone_on_with_twice_it_has_two_names(lost: Lost, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(lost.path, other)
    one, two = gone_on(lost.path), gone_on(other)
    assert one.keys is not None
    assert two.keys is not None
    assert one.keys.key.name != two.keys.key.name


@pytest.fixture
def bundle(lost: Lost) -> tuple[bytes, str]:
    gone_on(lost.path)
    with at(lost.path) as home:
        grow(home, 300)
        return home.app.evidence.cut(Snapshot(300, ""), [3, SAVED, 250], Beside({})), home.app.signing.pair.words()


@pytest.mark.parametrize("trusted", ["former", "current", "both"])
@pytest.mark.parametrize("types", [slice(0, 1), slice(1, 2), slice(0, 2)])
def test_a_bundle_over_both_shows_both(lost: Lost, bundle: tuple[bytes, str], trusted: str, types: slice) -> None:
    raw, current = bundle
    words = {"former": [lost.words], "current": [current], "both": [lost.words, current]}[trusted]
    given = [offline.parse_key(key) for pair in words for key in pair.split()[types]]
    verdict = offline.verify(raw, offline.Trust(given))
    assert verdict.problems == []
    origin = current.partition("+")[0]
    assert verdict.origin == origin
    (told,) = [said for said in verdict.checked if "went on as" in said]
    assert told.startswith(f"after {SAVED} entries {lost.key.name} went on as {origin}")
    assert f"kept {SEEN} " in told


def test_a_reader_s_limit_on_the_former_key_stops_there(lost: Lost, bundle: tuple[bytes, str]) -> None:
    former = offline.parse_key(format_vkey(lost.key))
    for limit, problems in (
        (SAVED, []),
        (SAVED - 1, ["the key that you trust may not sign the change to the ledger's present key"]),
    ):
        trust = offline.Trust([former], until={former.key_id.hex(): limit})
        assert offline.verify(bundle[0], trust).problems == problems


def without(line: str) -> Callable[[dict[str, bytes]], None]:
    def act(members: dict[str, bytes]) -> None:
        name = f"origins/{SAVED + 1}.checkpoint"
        lines = members[name].decode().split("\n")
        kept = "\n".join(one for one in lines if not one.startswith(f"— {line} ")).encode()
        proof = f"origins/{SAVED + 1}.tlog-proof"
        members[proof] = members[proof].replace(members[name], kept)
        members[name] = kept

    return act


def renamed(members: dict[str, bytes]) -> None:
    """Show the change as one of the key alone."""
    for name in [name for name in members if name.startswith("origins/")]:
        members[name.replace("origins/", "keys/")] = members.pop(name)


def left_out(members: dict[str, bytes]) -> None:
    for name in [name for name in members if name.startswith("origins/")]:
        del members[name]


def relabelled(members: dict[str, bytes]) -> None:
    name = f"origins/{SAVED + 1}.open.json"
    members[name] = members[name].replace(f"found {SAVED} ".encode(), f"found {SAVED - 1} ".encode())


def repaired(raw: bytes, act: Callable[[dict[str, bytes]], None]) -> bytes:
    """Change a bundle, and make everything fit that is not signed."""
    members = offline.read_zip(raw)
    act(members)
    members[offline.SECTIONS] = offline.sections_of(members)
    del members["manifest.sha256"]
    lines = [f"{offline.hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members)]
    members["manifest.sha256"] = "".join(lines).encode()
    return offline.write_zip(members)


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda members: without(lost_name(members))(members), "is not signed"),
        (lambda members: without(members["checkpoint"].decode().split("\n")[0])(members), "is not signed"),
        (renamed, "its entry does not name the keys"),
        (left_out, "not signed"),
        (relabelled, "the opened value is not what the ledger committed to"),
    ],
)
def test_who_changes_how_the_origin_began_is_refused(
    lost: Lost, bundle: tuple[bytes, str], act: Callable[[dict[str, bytes]], None], what: str
) -> None:
    trust = offline.Trust([offline.parse_key(format_vkey(lost.key))])
    assert offline.verify(repaired(bundle[0], lambda _: None), trust).problems == []
    (problem,) = offline.verify(repaired(bundle[0], act), trust).problems
    assert what in problem


def lost_name(members: dict[str, bytes]) -> str:
    return members["checkpoint"].decode().partition("/e2")[0] + "/e1"


@pytest.mark.parametrize("size", [SAVED, SAVED - 1])
def test_a_ledger_that_lies_about_what_is_shared_is_refused(
    lost: Lost, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Rightly signed by both keys: the entry names another root, or another size, than the entries before it have."""

    def lying(self: LedgerKey, loss: object, values: dict[str, str]) -> tuple[str, int]:
        del loss
        with self._kernel.database.write() as work:
            said = values | {"result": f"behind; found {size} {'ab' * 32}; kept nothing readable"}
            pending = self._kernel.log.begin_origin(work.ledger, EntryDraft(Kind.EPOCH, said))
            note = work.ledger.lock_head().checkpoint
            work.commit()
        return note, pending.size

    monkeypatch.setattr(LedgerKey, "_begin_origin", lying)
    gone_on(lost.path)
    with at(lost.path) as home:
        raw = home.app.evidence.cut(Snapshot(SAVED + 1, ""), [3], Beside({}))
    verdict = offline.verify(raw, offline.Trust([offline.parse_key(format_vkey(lost.key))]))
    what = f"new origin of the ledger at {SAVED + 1} entries: its entry names other entries than those before it"
    assert verdict.problems == [what]


@pytest.mark.parametrize("name", ["registry.invalid/somebody/e2-00000000", "{}/e3-00000000", "{}/e1-00000000"])
def test_an_origin_that_does_not_follow_is_no_origin(lost: Lost, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    base = lost.key.name.removesuffix("/e1")
    monkeypatch.setattr("registry.bootstrap.signing.origin_after", lambda _origin, _key: name.format(base))
    with pytest.raises(KeyUnavailable, match="does not follow the one before"):
        gone_on(lost.path)


def test_programs_of_others_verify_it_under_its_name(lost: Lost, tmp_path: Path) -> None:
    gone_on(lost.path)
    folder = tmp_path / "tree"
    folder.mkdir()
    with at(lost.path) as home:
        grow(home, 300)
        published, rows = home.app.tiles.publisher.publish(), home.rows()
        vkey = format_vkey(home.app.verifier_key)
        write(home, folder, published)
        tree = home.app.tiles.publisher._tiles.tree()  # type: ignore[union-attr]  # it was published a moment ago
    assert reader_of(folder).calculate_root_hash() == published.checkpoint.root
    assert metamorphic_log.checkpoint_verify(published.note, [vkey]).size == 300
    with pytest.raises(metamorphic_log.VerifyError):
        metamorphic_log.checkpoint_verify(published.note, [format_vkey(lost.key)])
    for index in (20, SAVED, 299):
        hashes = list(tree.inclusion_proof(index))
        metamorphic_log.checkpoint_verify_inclusion(published.note, [vkey], index, leaf_hash(rows[index].leaf), hashes)


def test_a_witness_begins_with_the_new_one_and_goes_on_refusing_the_former(lost: Lost, tmp_path: Path) -> None:
    done = gone_on(lost.path)
    assert done.keys is not None
    with at(lost.path) as home:
        grow(home, 120)
        panel = panel_for(home, lost.line)
        assert panel.standing(home.clock).alarm is None
        assert panel.round(home.clock)[0].failure == "refused 404"  # until its operator knows the new key
        policy = tmp_path / "witness" / "policy"
        policy.write_text(policy.read_text().replace("quorum", f"log {format_vkey(done.keys.key)}\nquorum"))
        lost.line.witness = Witness(WitnessFolder(tmp_path / "witness"), home.clock)
        assert panel.round(home.clock)[0].failure == ""
        assert panel.published().checkpoint.size == 120
    # The former key, of which somebody kept a copy, signs another history under the former name.
    for old, size, status in ((SAVED, 120, 409), (SEEN, SEEN, 422), (SEEN, SEEN + 1, 422)):
        text = checkpoint_text(lost.key.name, size, b"\x02" * 32)
        note = sign_note(text, lost.key.name, lost.key.key_id, lost.stolen.first.sign)
        proof = "" if old == size else "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        reply = lost.line.witness.add_checkpoint(f"old {old}\n{proof}\n{note}".encode())
        assert reply.status == status, (old, size)


def test_cut_off_behind_its_entry_it_is_finished_by_whoever_opens_next(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(LocalKeyring, "exchange_signing", _cut_off)
        with pytest.raises(InterruptedError):
            gone_on(lost.path)
    with inspected(settings_of(lost.path), TestClock()) as application:
        assert verify_ledger(application, 1).size == SAVED + 1
        (term,) = application.signing.terms
        assert (term.size, term.last) == (SAVED + 1, SAVED)
    with pytest.raises(MisconfiguredHome):  # the mark is still the former one's
        open_application(settings_of(lost.path))
    again = gone_on(lost.path)
    assert again.keys is not None
    assert "/e3-" in again.keys.key.name
    with at(lost.path) as home:
        grow(home, 200)
        raw = home.app.evidence.cut(Snapshot(200, ""), [3, 150], Beside({}))
    verdict = offline.verify(raw, offline.Trust([offline.parse_key(format_vkey(lost.key))]))
    assert verdict.problems == []
    assert len([said for said in verdict.checked if "went on as" in said]) == 2


def _cut_off(*_given: object) -> None:
    raise InterruptedError


@pytest.mark.parametrize("failing", [SqlDatabase, HighWaterFile])
def test_what_fails_lets_nothing_serve(lost: Lost, monkeypatch: pytest.MonkeyPatch, failing: type) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(failing, "write" if failing is SqlDatabase else "replace", _no_disk)
        with pytest.raises((MisconfiguredHome, OSError)):
            gone_on(lost.path)
    with pytest.raises(MisconfiguredHome):
        open_application(settings_of(lost.path))
    assert gone_on(lost.path).entry is not None
    with at(lost.path) as home:
        assert verify_ledger(home.app, 1).size >= SAVED + 1


def _no_disk(*_given: object) -> None:
    raise OSError(28, "no space")


def test_an_exchange_of_the_key_after_it_is_followed_too(lost: Lost) -> None:
    gone_on(lost.path)
    with at(lost.path) as home:
        grow(home, 150)
        done: Exchanged = ledger_key(home.app).exchange(operator="local:somebody")
        assert done.former.key.name == done.current.key.name
        grow(home, 200)
        assert verify_ledger(home.app, 1).size == 200
        raw = home.app.evidence.cut(Snapshot(200, ""), [3, 120, 180], Beside({}))
    for words in (lost.words, done.former.words(), done.current.words()):
        given = [offline.parse_key(key) for key in words.split()]
        assert offline.verify(raw, offline.Trust(given)).problems == []


def test_an_entry_about_a_new_origin_that_was_not_begun_is_named(lost: Lost) -> None:
    gone_on(lost.path)
    with at(lost.path) as home:
        said = {"request": lost.words, "detail": home.app.signing.pair.words(), "result": "behind; found 1"}
        with home.app.database.write() as work:
            home.app.kernel.log.append(work.ledger, [EntryDraft(Kind.EPOCH, said)])
            work.commit()
        with pytest.raises(LedgerCorrupt, match="that it speaks of was not made"):
            verify_ledger(home.app, 1)


def test_a_head_whose_epoch_was_changed_takes_no_entry(lost: Lost) -> None:
    gone_on(lost.path)
    with at(lost.path) as home:
        home.sql().execute("UPDATE ledger_head SET epoch = 1")
    with at(lost.path) as home, pytest.raises(AuditUnavailable, match="head_mismatch"):
        grow(home, 200)
