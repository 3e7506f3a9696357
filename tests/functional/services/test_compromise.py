"""A compromised key of the ledger is replaced although nothing was lost: what holds, who follows, who gets nowhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.bootstrap import Application, ledger_key, open_application
from registry.bootstrap.ledger import outside_of
from registry.cli.auditing import verify_ledger
from registry.domain.clock import iso
from registry.domain.errors import (
    AuditUnavailable,
    InvalidInput,
    KeyUnavailable,
    LedgerCorrupt,
    MisconfiguredHome,
    ProofRejected,
)
from registry.keys.local import LocalKeyring
from registry.keys.ports import SigningPair
from registry.services.compromises import Compromise
from registry.services.evidence import Beside, Evidence, Snapshot
from registry.services.ledger_key import LedgerKey
from registry.services.witnesses import Witnesses
from registry.settings import load_settings
from registry.storage.unit_of_work import SqlDatabase
from registry.storage.witness_files import WitnessFiles
from registry.transparency.checkpoint import Checkpoint, checkpoint_text, open_own
from registry.transparency.cosignature import cosign, format_cosigner
from registry.transparency.note import format_vkey, sign_note, signature_line
from registry.transparency.offline import verify_bundle as offline
from registry.transparency.terms import KeyPair
from registry.upkeep import checks_registry
from registry.upkeep.checks import Finding, Plan
from registry.upkeep.compromise import Replaced, replace_key
from registry.upkeep.fsck import faults_of
from registry.witness.daemon import Witness
from registry.witness.folder import WitnessFolder
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home
from tests.functional.services.panels import Line, panel_for, witness_for

HOUR = 3_600
SEEN, LAST = 40, 60  # a witness cosigned 40 entries before the key was suspected, and 60 after that
REASON = "A copy of the key folder was found where it does not belong"


@dataclass
class Stolen:
    """A registry with a witness, whose key somebody copied; it was replaced, and the ledger grew to 80 entries."""

    home: Home
    line: Line
    place: Path
    panel: Witnesses
    since: datetime
    pair: SigningPair
    done: Replaced

    def forged(self, size: int, root: bytes = b"\x01" * 32) -> str:
        key = self.done.former.key
        return sign_note(checkpoint_text(key.name, size, root), key.name, key.key_id, self.pair.first.sign)

    def cut(self, *indexes: int) -> bytes:
        app = self.home.app
        outside = outside_of(app.signing, app.tiles.publisher, self.panel, app.settings.ledger)
        return Evidence(app.kernel, outside).cut(Snapshot(LAST, ""), list(indexes), Beside({}))

    def policy(self, quorum: str = "none") -> offline.Trust:
        """What a reader trusts who has the present key and the witness's."""
        witness = format_cosigner(self.line.witness._folder.key.key)
        return offline.parse_policy(f"log {format_vkey(self.done.keys.key)}\nwitness w {witness}\nquorum {quorum}\n")


def key_id(pair: KeyPair) -> str:
    return pair.key.key_id.hex()


def compromise(app: Application, since: datetime | None = None, key: str = "") -> Replaced:
    moment = since or app.kernel.clock.now()
    return replace_key(app, Compromise(key or key_id(app.signing.pair), moment, None, REASON))


@pytest.fixture
def stolen(home: Home, tmp_path: Path) -> Stolen:
    place = tmp_path / "witness"
    grow(home, SEEN)
    line = Line(witness_for(home, place))
    panel = panel_for(home, line)
    assert panel.round(home.clock)[0].failure == ""
    since = home.clock.now() + timedelta(hours=1)
    home.clock.step(2 * HOUR)
    grow(home, LAST)
    assert panel.round(home.clock)[0].failure == ""
    pair = home.app.keyring.signing_keys().current
    home.app = replace(home.app, witnesses=panel)
    done = compromise(home.app, since)
    grow(home, 80)
    return Stolen(home, line, place, panel, since, pair, done)


def test_the_ledger_goes_on_under_another_name_with_every_entry(stolen: Stolen) -> None:
    home, done = stolen.home, stolen.done
    entry, before = home.entries()[done.entry], home.app.tiles.publisher.root(LAST)
    values = entry.values or {}
    assert (done.entry, done.trusted, entry.kind) == (LAST, SEEN, Kind.EPOCH)
    assert (values["request"], values["detail"], values["note"]) == (done.former.words(), done.keys.words(), REASON)
    trusted = home.app.tiles.publisher.root(SEEN).hex()
    assert values["result"] == (
        f"compromised; found {LAST} {before.hex()}; since {iso(stolen.since)}; trusted {SEEN} {trusted}"
    )
    assert done.keys.key.name.startswith(done.former.key.name.removesuffix("/e1") + "/e2-")
    assert verify_ledger(home.app, 1).origin == done.keys.key.name
    assert list(faults_of(home.app)) == []
    published = home.app.tiles.publisher.publish()
    assert open_own(published.note, home.app.signing) == published.checkpoint
    assert home.app.compare_high_water().standing == "follows"
    keys = home.app.settings.keys
    assert not (keys / "ledger.key").exists()
    assert len(list(keys.glob("ledger-*.key"))) == 1
    (told,) = home.app.suspected
    assert (told.since, told.trusted, told.term.last) == (stolen.since, SEEN, LAST)


def test_it_is_done_once(stolen: Stolen) -> None:
    home, before = stolen.home, len(stolen.home.rows())
    again = compromise(home.app, stolen.since, key_id(stolen.done.former))
    assert (again.entry, again.trusted, again.keys) == (LAST, None, stolen.done.keys)
    assert len(home.rows()) == before


def test_a_key_that_is_none_and_a_moment_to_come_are_refused(home: Home) -> None:
    grow(home, 5)
    with pytest.raises(InvalidInput) as refused:
        compromise(home.app, home.clock.now() + timedelta(seconds=1), "00000000")
    told = [(one.pointer, one.code) for one in refused.value.problems]
    assert told == [("KEY_ID", "no_key_of_this_ledger"), ("--since", "in_the_future")]
    assert len(home.rows()) == 5


def test_without_anybody_who_saw_it_nothing_is_trusted(home: Home) -> None:
    grow(home, 20)
    done = compromise(home.app)
    assert done.trusted == 0
    assert (home.entries()[20].values or {})["result"].endswith("; trusted nothing")
    raw = home.app.evidence.cut(Snapshot(21, ""), [3], Beside({}))
    verdict = offline.verify(raw, format_vkey(done.keys.key))
    assert verdict.problems == []
    assert verdict.entries[0].standing.endswith(
        "nothing here that is dated before that holds it up, only the present key"
    )


def test_what_was_announced_is_destroyed_too(home: Home) -> None:
    grow(home, 20)
    announced = ledger_key(home.app).announce(operator="local:somebody")
    done = compromise(home.app)
    assert done.keys.key.public_key != announced.key.public_key
    assert not (home.app.settings.keys / f"{announced.key.key_id.hex()}.key").exists()
    assert len(list(home.app.settings.keys.glob("ledger-*.key"))) == 1
    assert home.app.signing.following is None


def test_a_rotation_that_began_before_does_not_let_another_key_take_over(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody exchanges the key at the same time: the announced one that they read of was destroyed meanwhile."""
    grow(home, 20)
    real = LedgerKey._take_over

    def slow(self: LedgerKey, *given: object) -> object:
        monkeypatch.undo()
        compromise(home.app)
        return real(self, *given)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(LedgerKey, "_take_over", slow)
    with pytest.raises(KeyUnavailable, match="replaced meanwhile"):
        ledger_key(home.app).exchange(operator="local:somebody")
    grow(home, 40)
    assert verify_ledger(home.app, 1).size == 40


def test_nothing_that_the_thief_signs_beyond_it_counts(stolen: Stolen) -> None:
    signing = stolen.home.app.signing
    for size in (LAST + 1, 1_000):
        with pytest.raises(ProofRejected, match="another ledger"):
            open_own(stolen.forged(size), signing)
    text = checkpoint_text(stolen.done.keys.key.name, 70, b"\x01" * 32)
    other = sign_note(text, stolen.done.keys.key.name, stolen.done.former.key.key_id, stolen.pair.first.sign)
    with pytest.raises(ProofRejected, match="no known key"):
        open_own(other, signing)


def test_a_head_that_the_thief_signed_takes_no_entry(stolen: Stolen) -> None:
    home = stolen.home
    grow(home, 81)
    with home.app.database.reader() as reader:
        head = reader.head()
    home.sql().execute("UPDATE ledger_head SET checkpoint = ?", (stolen.forged(head.size, head.root),))
    with pytest.raises(AuditUnavailable, match="head_mismatch"):
        grow(home, 90)
    with pytest.raises(MisconfiguredHome, match="another history"):
        _beside(home)


def test_no_process_signs_with_it_any_more(home: Home) -> None:
    grow(home, 20)
    beside = Home(_beside(home), home.clock)
    try:
        grow(beside, 30)  # it has the key in its memory, and signed with it
        done = compromise(home.app)
        grow(beside, 40)
        with home.app.database.reader() as reader:
            note = reader.head().checkpoint
        assert [line.split(" ")[1] for line in note.split("\n") if line.startswith("— ")] == [done.keys.key.name]
        assert beside.app.tiles.publisher.publish().checkpoint.origin == done.keys.key.name
        assert beside.app.compare_high_water().standing == "follows"
    finally:
        beside.app.close()
    assert verify_ledger(home.app, 1).size == 40


def _beside(home: Home) -> Application:
    url = home.app.settings.database_url
    environment = {"REGISTRY_DATABASE_URL": url if url.startswith("postgresql") else ""}
    return open_application(load_settings(home.app.settings.home, environment), home.clock)


def test_of_two_who_do_it_at_once_one_does_while_others_append(home: Home) -> None:
    grow(home, 20)
    key, told, stop = key_id(home.app.signing.pair), [], threading.Event()
    apps = [_beside(home) for _ in range(3)]

    def replacing(app: Application) -> None:
        try:
            told.append(compromise(app, key=key).trusted is not None)
        except KeyUnavailable as error:
            told.append("replaced it" in str(error) and None)

    def appending(app: Application) -> None:
        while not stop.is_set():
            with app.database.write() as work:
                app.kernel.log.append(work.ledger, [EntryDraft(Kind.OUTCOME)])
                work.commit()

    appender = threading.Thread(target=appending, args=(apps[2],))
    threads = [threading.Thread(target=replacing, args=(app,)) for app in apps[:2]]
    for thread in (appender, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    appender.join()
    for app in apps:
        app.close()
    assert sorted(told, key=str) in ([False, True], [None, True])
    assert len(home.app.signing.terms) == 1
    assert verify_ledger(home.app, 1).size > 21


@pytest.mark.parametrize("at", ["announce_signing", "exchange_signing", "commit"])
def test_cut_off_anywhere_it_is_the_one_or_the_other_and_run_again_it_is_done(
    home: Home, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    grow(home, 20)
    key = key_id(home.app.signing.pair)

    def cut_off(*_given: object, **_more: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patched:
        if at == "commit":
            patched.setattr(SqlDatabase, "write", cut_off)
        else:
            patched.setattr(LocalKeyring, at, cut_off)
        with pytest.raises(InterruptedError):
            compromise(home.app, key=key)
    home.app.close()
    home.app = _beside(home)
    is_done = at == "exchange_signing"
    assert (key_id(home.app.signing.pair) != key) is is_done
    assert (compromise(home.app, key=key).trusted is None) is is_done
    grow(home, 40)
    assert verify_ledger(home.app, 1).size == 40
    assert len(home.app.signing.terms) == 1


def test_what_others_dated_and_is_not_here_stops_it(home: Home, tmp_path: Path) -> None:
    """Entries were changed since a witness saw them: that is no mere theft of a key."""
    grow(home, 20)
    witness = witness_for(home, tmp_path / "witness")
    key, pair = home.app.verifier_key, home.app.keyring.signing_keys().current
    note = sign_note(checkpoint_text(key.name, 20, b"\x02" * 32), key.name, key.key_id, pair.first.sign)
    reply = witness.add_checkpoint(f"old 0\n\n{note}".encode())
    assert reply.status == 200
    WitnessFiles(home.app.settings.ledger).keep(20, note + reply.body)
    home.clock.step(HOUR)
    with pytest.raises(LedgerCorrupt, match="not those that others dated"):
        compromise(replace(home.app, witnesses=panel_for(home, Line(witness))))
    assert home.app.signing.terms == ()


# --- evidence


def test_a_bundle_says_of_each_entry_what_still_holds_it_up(stolen: Stolen) -> None:
    verdict = offline.verify(stolen.cut(3, 50, LAST, 70), stolen.policy())
    assert verdict.problems == []
    since = offline._moment(int(stolen.since.timestamp()))
    standing = {entry.index: entry.standing for entry in verdict.entries}
    why = f"the key that signed it was compromised later, suspected since {since}: "
    assert standing[3].startswith(f"{why}witness w cosigned {SEEN} entries at ")
    assert standing[3].endswith(", before that")
    assert standing[50] == f"{why}nothing here that is dated before that holds it up, only the present key"
    assert standing[LAST] == standing[70] == ""
    (told,) = [one for one in verdict.checked if "was compromised" in one]
    former, present = stolen.done.former.key.name, stolen.done.keys.key.name
    assert told.startswith(f"after {LAST} entries {former} went on as {present}, by a checkpoint that both signed")
    assert told.endswith(f"The key of {former} was compromised, suspected since {since}")
    assert any(one.startswith("entries 50 but by the present key") for one in verdict.not_checked)
    assert "  standing: the key that signed it was compromised later" in offline.report(verdict)


def test_who_does_not_know_the_witness_is_told_that_nothing_holds(stolen: Stolen) -> None:
    verdict = offline.verify(stolen.cut(3), format_vkey(stolen.done.keys.key))
    assert verdict.problems == []
    assert "nothing here that is dated before" in verdict.entries[0].standing


@pytest.mark.parametrize("types", [slice(0, 1), slice(1, 2), slice(0, 2)])
def test_the_compromised_key_leads_nowhere(stolen: Stolen, types: slice) -> None:
    former = [offline.parse_key(key) for key in stolen.done.former.words().split()[types]]
    present = [offline.parse_key(key) for key in stolen.done.keys.words().split()[types]]
    raw = stolen.cut(3, 70)
    verdict = offline.verify(raw, offline.Trust(former))
    assert verdict.problems == [
        "the key that you trust was compromised, the bundle says: take the present one from where you trust"
    ]
    assert offline.verify(raw, offline.Trust([*former, *present])).problems == []
    limits = {key.key_id.hex(): SEEN for key in former}
    assert offline.verify(raw, offline.Trust(present, until=limits)).problems == []


def test_a_limit_on_the_compromised_key_refuses_bundles_of_after_it(home: Home) -> None:
    """Cut before the theft was known, and under more entries than the reader believes of that key."""
    grow(home, 50)
    raw = home.app.evidence.cut(Snapshot(50, ""), [3], Beside({}))
    key = offline.parse_key(format_vkey(home.app.verifier_key))
    trust = offline.Trust([key], until={key.key_id.hex(): SEEN})
    (problem,) = offline.verify(raw, trust).problems
    assert problem == "the checkpoint has more entries than any key that you trust may sign"


Act = Callable[[dict[str, bytes], Stolen], None]


def _renamed(members: dict[str, bytes], _stolen: Stolen) -> None:
    for name in [name for name in members if name.startswith("compromises/") and ".trusted." not in name]:
        members[name.replace("compromises/", "origins/")] = members[name]
    for name in [name for name in members if name.startswith("compromises/")]:
        del members[name]


def _later(members: dict[str, bytes], stolen: Stolen) -> None:
    """Show a checkpoint of after the theft as the one that holds."""
    place = f"compromises/{LAST + 1}.trusted"
    publisher = stolen.home.app.tiles.publisher
    root, former = publisher.root(50), stolen.done.former
    second = cosign(former.second, Checkpoint(former.key.name, 50, root), 1_700_000_000, stolen.pair.second.sign)
    members[f"{place}.checkpoint"] = (stolen.forged(50, root) + second).encode()
    hashes = publisher.proof(50, publisher.publish().checkpoint)
    lines = ["consistency/v1", f"50 {publisher.publish().checkpoint.size}", *map(offline_base64, hashes)]
    members[f"{place}.proof"] = "".join(f"{line}\n" for line in lines).encode()


def offline_base64(raw: bytes) -> str:
    return offline.base64.b64encode(raw).decode()


def _moved(members: dict[str, bytes], stolen: Stolen) -> None:
    name, at = f"compromises/{LAST + 1}.open.json", iso(stolen.since)
    assert at.encode() in members[name]
    members[name] = members[name].replace(at.encode(), iso(stolen.since + timedelta(hours=3)).encode())


def _forked(members: dict[str, bytes], stolen: Stolen) -> None:
    """The thief signs the checkpoint of the bundle under the former name."""
    root = stolen.home.app.tiles.publisher.root(80)
    note = stolen.forged(80, root).encode()
    for name in [name for name in members if name.startswith("entries/") and name.endswith(".tlog-proof")]:
        members[name] = members[name].replace(members["checkpoint"], note)
    members["checkpoint"] = note


def _half(members: dict[str, bytes], _stolen: Stolen) -> None:
    del members[f"compromises/{LAST + 1}.trusted.proof"]


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (_renamed, "its entry names other entries than those before it"),
        (_later, "it is not the one that the entry names"),
        (_moved, "the opened value is not what the ledger committed to"),
        (_forked, "the checkpoint is of another ledger than its keys"),
        (_half, "a change of the ledger's key lacks a part"),
    ],
)
def test_who_changes_what_a_bundle_says_of_it_is_refused(stolen: Stolen, act: Act, what: str) -> None:
    raw = stolen.cut(3, 50)

    def repaired(change: Act) -> bytes:
        members = offline.read_zip(raw)
        change(members, stolen)
        members[offline.SECTIONS] = offline.sections_of(members)
        del members["manifest.sha256"]
        lines = [f"{offline.hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members)]
        members["manifest.sha256"] = "".join(lines).encode()
        return offline.write_zip(members)

    assert offline.verify(repaired(lambda _members, _stolen: None), stolen.policy()).problems == []
    (problem,) = offline.verify(repaired(act), stolen.policy()).problems
    assert what in problem


# --- witnesses


def test_a_witness_follows_when_its_operator_puts_the_new_key_in_place_of_the_old(stolen: Stolen) -> None:
    home, place = stolen.home, stolen.place
    assert stolen.panel.round(home.clock)[0].failure == "refused 404"
    policy = place / "policy"
    former, present = (format_vkey(pair.key) for pair in (stolen.done.former, stolen.done.keys))
    policy.write_text(policy.read_text().replace(former, present))
    stolen.line.witness = Witness(WitnessFolder(place), home.clock)
    assert stolen.panel.round(home.clock)[0].failure == ""
    assert stolen.panel.published().checkpoint.size == 80
    assert stolen.panel.standing(home.clock).lag_entries == 0
    assert offline.verify(stolen.cut(3, 70), stolen.policy("w")).problems == []
    for size in (LAST, LAST + 5):
        reply = stolen.line.witness.add_checkpoint(f"old {LAST}\n\n{stolen.forged(size)}".encode())
        assert reply.status == 404


def test_a_fork_that_the_thief_has_cosigned_meanwhile_is_found(stolen: Stolen) -> None:
    """The witness's operator has not been reached: it cosigns whatever continues what it saw under the former name."""
    home = stolen.home
    assert checks_registry.witnesses(home.app, Plan()) is not None
    # The thief's fork: the ledger's first 60 entries, and one of the thief's own.
    tree = home.app.tiles.publisher._tiles
    assert tree is not None
    own = offline.hashlib.sha256(b"\x00thief").digest()
    fork = [offline.hashlib.sha256(b"\x00" + row.leaf).digest() for row in home.rows()[:LAST]] + [own]
    root, proof = _tree_of(fork, LAST)
    body = f"old {LAST}\n" + "".join(f"{offline_base64(one)}\n" for one in proof) + f"\n{stolen.forged(LAST + 1, root)}"
    assert stolen.line.witness.add_checkpoint(body.encode()).status == 200
    with pytest.raises(Finding, match=f"compromised key {key_id(stolen.done.former)} signed {LAST + 1} entries"):
        checks_registry.witnesses(home.app, Plan())


def _tree_of(leaves: list[bytes], old: int) -> tuple[bytes, list[bytes]]:
    """Return root and consistency proof of a tree (RFC 6962, 2.1)."""

    def root(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        at = 1 << (len(part) - 1).bit_length() - 1
        return offline.hashlib.sha256(b"\x01" + root(part[:at]) + root(part[at:])).digest()

    def proof(m: int, part: list[bytes], *, is_whole: bool) -> list[bytes]:
        if m == len(part):
            return [] if is_whole else [root(part)]
        at = 1 << (len(part) - 1).bit_length() - 1
        if m <= at:
            return [*proof(m, part[:at], is_whole=is_whole), root(part[at:])]
        return [*proof(m - at, part[at:], is_whole=False), root(part[:at])]

    return root(leaves), proof(old, leaves, is_whole=True)


def test_a_checkpoint_is_kept_each_hour_that_others_cosigned(stolen: Stolen) -> None:
    folder = stolen.home.app.settings.ledger / "witness"
    assert sorted(path.name for path in folder.glob("*.seen")) == [f"{SEEN}.seen", f"{LAST}.seen"]


def test_a_note_with_another_key_s_line_is_not_dated_by_it(stolen: Stolen) -> None:
    """Damaged, or cosigned by nobody of the policy: such a file holds nothing up, and stops nothing."""
    folder = stolen.home.app.settings.ledger / "witness"
    for path in [folder / "cosigned", *folder.glob("*.seen")]:
        path.write_text(stolen.forged(10) + signature_line("somebody", b"abcd", bytes(64)), "utf-8")
    assert stolen.panel.seen_before(stolen.home.clock.now()) is None
