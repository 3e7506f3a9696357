"""Checkpoints time-stamped over HTTP by real authorities, and in evidence; what a hostile one gets nowhere with."""

from __future__ import annotations

import re
import shlex
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry.audit.kinds import Kind
from registry.bootstrap.ledger import open_anchors
from registry.cli.main import main
from registry.domain.errors import MisconfiguredHome, ProofRejected
from registry.services.anchors import Anchors, check_stamps
from registry.services.compromises import Compromise
from registry.services.evidence import Beside, Snapshot
from registry.settings import load_settings
from registry.storage.anchor_files import AnchorFiles
from registry.transparency.bundle import read_bundle, write_bundle
from registry.transparency.checkpoint import checkpoint_text
from registry.transparency.note import format_vkey
from registry.transparency.offline import verify_bundle as offline
from registry.upkeep import checks_registry
from registry.upkeep.checks import Finding, Plan
from registry.upkeep.compromise import replace_key
from registry.upkeep.fsck import faults_of
from tests.fakes.authority import POLICY, Authority
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home

Answer = Callable[[bytes], tuple[int, str, bytes]]
REPLY = "application/timestamp-reply"


@contextmanager
def listening(answer: Answer) -> Iterator[str]:
    """Serve one authority on the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            status, kind, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/tsa"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    folder = tmp_path_factory.mktemp("authorities")
    return Authority(folder / "one"), Authority(folder / "two")


@pytest.fixture
def urls(authorities: tuple[Authority, Authority]) -> Iterator[list[str]]:
    with (
        listening(lambda request: (200, REPLY, authorities[0].answer(request))) as one,
        listening(lambda request: (200, REPLY, authorities[1].answer(request))) as two,
    ):
        yield [one, two]


@pytest.fixture
def anchors(sqlite_home: Home, authorities: tuple[Authority, Authority], urls: list[str]) -> Anchors:
    sqlite_home.clock.step(time.time() - sqlite_home.clock.now().timestamp())  # the authorities' clocks are real
    return anchors_of(sqlite_home, authorities, urls)


def anchors_of(home: Home, authorities: tuple[Authority, ...], urls: list[str]) -> Anchors:
    folder, config = home.app.settings.home, ["anchor_minutes = 5"]
    for number, (authority, url) in enumerate(zip(authorities, urls, strict=True), 1):
        (folder / f"tsa-{number}.pem").write_bytes(authority.roots)
        config += ["[[anchors]]", f'name = "tsa-{number}"', f'url = "{url}"', f'ca_file = "tsa-{number}.pem"']
        config += [f'policy = "{POLICY}"'] if number == 1 else []
    (folder / "config.toml").write_text("\n".join(config), "utf-8")
    made = open_anchors(load_settings(folder, {}), home.app.kernel, home.app.tiles.checkpoint)
    assert made is not None
    return made


def test_both_authorities_stamp_and_an_entry_says_so(sqlite_home: Home, anchors: Anchors) -> None:
    grow(sqlite_home, 40)
    asked = anchors.round()
    assert [(one.name, one.failure) for one in asked] == [("tsa-1", ""), ("tsa-2", "")]
    entry = sqlite_home.entries()[40]
    assert entry.kind == Kind.ANCHOR
    told = (entry.values or {})["detail"]
    assert re.fullmatch(r"checkpoint of 40 entries [0-9a-f]{64}(; tsa-[12] \S+ token [0-9a-f]{64}){2}", told)
    newest = anchors.newest()
    assert newest is not None
    assert (newest[0], newest[1]) == (40, asked[0].stamp.at if asked[0].stamp else None)
    # Nothing but the entry about it is new: else an idle registry would stamp its own stamps for ever.
    assert anchors.round() == ()
    grow(sqlite_home, 42)
    assert len(anchors.round()) == 2
    assert [one.size for one in AnchorFiles(sqlite_home.app.settings.ledger).kept()] == [40, 42]
    assert anchors.every_seconds == 300


def test_of_two_processes_one_asks(sqlite_home: Home, anchors: Anchors) -> None:
    grow(sqlite_home, 40)
    with AnchorFiles(sqlite_home.app.settings.ledger).turn() as is_ours:
        assert is_ours
        assert anchors.round() == ()
    assert len(anchors.round()) == 2


HOSTILE: dict[str, tuple[Answer, str]] = {
    "an error": (lambda _: (500, REPLY, b""), "silent"),
    "another kind": (lambda _: (200, "text/html", b"<p>"), "silent"),
    "a redirect": (lambda _: (302, REPLY, b""), "silent"),
    "too much": (lambda _: (200, REPLY, bytes(100_000)), "silent"),
    "nothing": (lambda _: (200, REPLY, b""), "the time-stamp is not in DER"),
    "noise": (lambda request: (200, REPLY, request), "the time-stamp"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_an_authority_answers_amiss_is_told_and_not_kept(
    sqlite_home: Home, authorities: tuple[Authority, Authority], what: str
) -> None:
    answer, words = HOSTILE[what]
    grow(sqlite_home, 40)
    with listening(answer) as url:
        (asked,) = anchors_of(sqlite_home, authorities[:1], [url]).round()
    assert words in asked.failure
    assert (AnchorFiles(sqlite_home.app.settings.ledger).kept(), len(sqlite_home.entries())) == ((), 40)


def test_a_replayed_answer_and_one_of_another_time_are_refused(
    sqlite_home: Home, authorities: tuple[Authority, Authority]
) -> None:
    grow(sqlite_home, 40)
    kept: list[bytes] = []

    def answer(request: bytes) -> tuple[int, str, bytes]:
        kept.append(authorities[0].answer(request))
        return 200, REPLY, kept[0]

    with listening(answer) as url:
        anchors = anchors_of(sqlite_home, authorities[:1], [url])
        assert anchors.round()[0].failure == "clocks apart"  # the test's clock is months behind
        sqlite_home.clock.step(time.time() - sqlite_home.clock.now().timestamp())
        assert anchors.round()[0].failure == "the time-stamp answers another request"
        grow(sqlite_home, 41)
        assert anchors.round()[0].failure == "the time-stamp is of something else"


def test_an_authority_that_fails_does_not_keep_the_other_from_it(
    sqlite_home: Home, authorities: tuple[Authority, Authority], urls: list[str]
) -> None:
    sqlite_home.clock.step(time.time() - sqlite_home.clock.now().timestamp())
    grow(sqlite_home, 40)
    anchors = anchors_of(sqlite_home, (authorities[1], authorities[1]), urls)
    assert [one.failure for one in anchors.round()] == ["the time-stamp is not of an authority that is trusted", ""]
    ((kept),) = AnchorFiles(sqlite_home.app.settings.ledger).kept()
    assert list(kept.tokens) == ["tsa-2"]


@pytest.fixture
def bundle(sqlite_home: Home, anchors: Anchors) -> bytes:
    """Evidence of entries 40 to 50, between stamps of 35 and of 60 entries; a later one is not needed."""
    for size in (35, 60, 70):
        grow(sqlite_home, size)
        anchors.round()
    grow(sqlite_home, 80)
    return sqlite_home.app.evidence.cut(Snapshot(80, ""), [40, 50], Beside({}))


def roots_of(authorities: tuple[Authority, ...]) -> bytes:
    return b"".join(one.roots for one in authorities)


def test_the_stamps_around_entries_go_into_their_evidence(
    sqlite_home: Home, bundle: bytes, authorities: tuple[Authority, Authority], tmp_path: Path
) -> None:
    vkey = format_vkey(sqlite_home.app.verifier_key)
    verdict = offline.verify(bundle, vkey)
    assert verdict.problems == []
    assert [one.checkpoint.size for one in read_bundle(bundle).stamps] == [35, 60]
    assert write_bundle(read_bundle(bundle)) == bundle
    checked = check_stamps(bundle, roots_of(authorities))
    assert [(one.size, one.name) for one in checked] == [(35, "tsa-1"), (35, "tsa-2"), (60, "tsa-1"), (60, "tsa-2")]
    # What the verifier that stands alone says to type is typed, and does it.
    (tmp_path / "bundle.zip").write_bytes(bundle)
    zipfile.ZipFile(tmp_path / "bundle.zip").extractall(tmp_path)
    said = [one.rpartition(": ")[2] for one in verdict.not_checked if one.startswith("the time-stamp stamps/")]
    assert len(said) == 4
    for number, authority in enumerate(authorities, 1):
        (tmp_path / "AUTHORITY.pem").write_bytes(authority.roots)
        for command in said:
            done = subprocess.run(shlex.split(command), cwd=tmp_path, capture_output=True, text=True, check=False)
            is_theirs = f"tsa-{number}.tsr" in command
            assert (done.returncode == 0, "Verification: OK" in done.stdout + done.stderr) == (is_theirs, is_theirs)


def test_a_stamp_in_evidence_that_was_changed_is_refused(
    sqlite_home: Home, bundle: bytes, authorities: tuple[Authority, Authority]
) -> None:
    opened = read_bundle(bundle)
    early, late = opened.stamps
    vkey = format_vkey(sqlite_home.app.verifier_key)
    swapped = write_bundle(replace(opened, stamps=(replace(early, tokens=late.tokens), late)))
    assert "is of something else" in offline.verify(swapped, vkey).problems[0]
    with pytest.raises(ProofRejected, match="time-stamp tsa-1 over 35 entries: the time-stamp is of something else"):
        check_stamps(swapped, roots_of(authorities))
    token = bytearray(late.tokens["tsa-1"])
    token[-1] ^= 1
    flipped = write_bundle(replace(opened, stamps=(early, replace(late, tokens={"tsa-1": bytes(token)}))))
    assert offline.verify(flipped, vkey).problems == []  # it says that it does not check signatures of authorities
    with pytest.raises(ProofRejected, match="signature does not verify"):
        check_stamps(flipped, roots_of(authorities))
    with pytest.raises(ProofRejected, match="not of an authority that is trusted"):
        check_stamps(bundle, authorities[0].roots)
    other = replace(early.checkpoint, note=early.checkpoint.note.replace("\n35\n", "\n34\n"))
    forged = write_bundle(replace(opened, stamps=(replace(early, checkpoint=other), late)))
    assert "signature does not verify" in offline.verify(forged, vkey).problems[0]


def test_entries_that_claim_a_later_time_than_their_stamp_are_refused(
    sqlite_home: Home, anchors: Anchors, authorities: tuple[Authority, Authority]
) -> None:
    sqlite_home.clock.step(250)
    grow(sqlite_home, 20)
    sqlite_home.clock.step(-4)
    assert anchors.round()[0].failure == ""
    bundle = sqlite_home.app.evidence.cut(Snapshot(20, ""), [10], Beside({}))
    assert len(check_stamps(bundle, roots_of(authorities))) == 2
    opened = read_bundle(bundle)
    lines = opened.entries[0].leaf.split(b"\n")
    later = b"\n".join([lines[0], str(int(lines[1]) + 250_000).encode(), *lines[2:]])
    moved = replace(opened, entries=(replace(opened.entries[0], leaf=later),))
    with pytest.raises(ProofRejected, match="entry 10 claims a later time"):
        check_stamps(write_bundle(moved), roots_of(authorities))


def test_the_command_stamps_and_the_verifier_is_told_whom_to_trust(
    sqlite_home: Home, anchors: Anchors, bundle: bytes, authorities: tuple[Authority, Authority], tmp_path: Path
) -> None:
    (tmp_path / "bundle.zip").write_bytes(bundle)
    (tmp_path / "both.pem").write_bytes(roots_of(authorities))
    (tmp_path / "one.pem").write_bytes(authorities[0].roots)
    key = ("--key", format_vkey(sqlite_home.app.verifier_key))
    verify = ["verify-bundle", str(tmp_path / "bundle.zip"), *key]
    plain, full, other = (
        CliRunner().invoke(main, [*verify, *more])
        for more in ([], ["--tsa-ca", str(tmp_path / "both.pem")], ["--tsa-ca", str(tmp_path / "one.pem")])
    )
    assert (plain.exit_code, full.exit_code, other.exit_code) == (0, 0, 1)
    assert "openssl ts -verify" in plain.output
    assert "CN=Example Stamps stamped the checkpoint of 60 entries at" in full.output
    assert "openssl ts -verify" not in full.output
    assert "not of an authority that is trusted" in other.output
    environment = {"REGISTRY_HOME": str(sqlite_home.app.settings.home), "REGISTRY_DATABASE_URL": ""}
    done = CliRunner().invoke(main, ["audit", "anchor"], env=environment)
    assert (done.exit_code, done.output.count("tsa-")) == (0, 2)
    assert "Nothing new to stamp." in CliRunner().invoke(main, ["audit", "anchor"], env=environment).output
    del anchors


@pytest.mark.parametrize(
    "config",
    [
        'anchors = "one"',
        '[[anchors]]\nname = "A"\nurl = "https://tsa.example"\nca_file = "a.pem"',
        '[[anchors]]\nname = "a"\nurl = "http://tsa.example"\nca_file = "a.pem"',
        '[[anchors]]\nname = "a"\nurl = "https://tsa.example"',
        '[[anchors]]\nname = "a"\nurl = "https://tsa.example"\nca_file = "a.pem"\nmore = 1',
        '[[anchors]]\nname = "a"\nurl = "https://tsa.example"\nca_file = "a.pem"\npolicy = "x"',
        'anchor_minutes = 0\n[[anchors]]\nname = "a"\nurl = "https://tsa.example"\nca_file = "a.pem"',
        2 * '[[anchors]]\nname = "a"\nurl = "https://tsa.example"\nca_file = "a.pem"\n',
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.toml").write_text(config, "utf-8")
    with pytest.raises(MisconfiguredHome):
        load_settings(tmp_path, {})


def test_certificates_that_are_gone_are_told(sqlite_home: Home, anchors: Anchors) -> None:
    grow(sqlite_home, 40)
    (sqlite_home.app.settings.home / "tsa-1.pem").unlink()
    with pytest.raises(MisconfiguredHome, match="holds no certificates"):
        anchors.round()


def test_a_stamp_over_more_than_there_is_or_another_tree_is_told_by_fsck(sqlite_home: Home, anchors: Anchors) -> None:
    grow(sqlite_home, 40)
    anchors.round()
    assert list(faults_of(sqlite_home.app)) == []
    shelf = AnchorFiles(sqlite_home.app.settings.ledger)
    (kept,) = shelf.kept()
    signed = sqlite_home.app.signing.signed
    origin = sqlite_home.app.kernel.log.origin
    for size, words in ((90, "an authority stamped 90 entries where there are 41"), (30, "another tree of 30 entries")):
        shelf.put(size, signed(checkpoint_text(origin, size, bytes(32)), size), "tsa-1", kept.tokens["tsa-1"])
        faults = [fault for fault in faults_of(sqlite_home.app) if fault.part == "anchors"]
        assert [words in fault.what for fault in faults] == [True]
        assert faults[0].mend is None
        for path in (sqlite_home.app.settings.ledger / "anchors").glob(f"{size}.*"):
            path.unlink()
    shelf.put(20, "x", "tsa-1", b"")
    assert any("is damaged" in fault.what for fault in faults_of(sqlite_home.app))


def test_the_doctor_tells_a_stamp_that_is_late_or_does_not_verify(
    sqlite_home: Home, anchors: Anchors, authorities: tuple[Authority, Authority]
) -> None:
    grow(sqlite_home, 40)
    application = replace(sqlite_home.app, settings=load_settings(sqlite_home.app.settings.home, {}))
    with pytest.raises(Finding, match="no checkpoint was ever time-stamped"):
        checks_registry.anchors(application, Plan())
    anchors.round()
    assert "40 entries were time-stamped at" in checks_registry.anchors(application, Plan())
    sqlite_home.clock.step(3_800)
    with pytest.raises(Finding, match=r"the newest time-stamp is 6\d minutes old"):
        checks_registry.anchors(application, Plan())
    (sqlite_home.app.settings.home / "tsa-1.pem").write_bytes(authorities[1].roots)
    with pytest.raises(Finding, match="not of an authority that is trusted"):
        checks_registry.anchors(application, Plan())
    assert "none" in checks_registry.anchors(sqlite_home.app, Plan())


def test_a_stamp_from_before_a_theft_holds_entries_up(
    sqlite_home: Home, anchors: Anchors, authorities: tuple[Authority, Authority]
) -> None:
    """The ledger's key was stolen after that: entries under the stamp have an authority's word, later ones have not."""
    home, begun = sqlite_home, sqlite_home.clock.now()
    grow(home, 40)
    assert [one.failure for one in anchors.round()] == ["", ""]
    since = begun + timedelta(hours=1)
    home.clock.step(7_200)
    grow(home, 60)
    stamped = anchors.stamped_before(since)
    assert stamped is not None
    assert (stamped.size, anchors.stamped_before(begun - timedelta(hours=1))) == (40, None)
    app = replace(home.app, settings=load_settings(home.app.settings.home, {}))
    done = replace_key(app, Compromise(home.app.verifier_key.key_id.hex(), since, None, "a copy was found"))
    assert done.trusted == 40
    raw = home.app.evidence.cut(Snapshot(61, ""), [3, 50], Beside({}))
    verdict = offline.verify(raw, format_vkey(done.keys.key))
    assert verdict.problems == []
    for name in ("tsa-1", "tsa-2"):
        assert f"time-stamp stamps/40.{name}.tsr states" in verdict.entries[0].standing
    assert verdict.entries[0].standing.endswith(", once you verified it, before that")
    assert "nothing here that is dated before that" in verdict.entries[1].standing
    checked = check_stamps(raw, authorities[0].roots + authorities[1].roots)
    assert sorted((one.size, one.name) for one in checked) == [(40, "tsa-1"), (40, "tsa-2")]
