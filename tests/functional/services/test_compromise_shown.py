"""That a key was compromised is told to those who watch, and no byte of what a bundle says of it can be changed."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from registry.bootstrap.ledger import outside_of
from registry.services.evidence import Beside, Evidence, Snapshot
from registry.services.send_notices import SentCount
from registry.transparency.cosignature import format_cosigner
from registry.transparency.offline import verify_bundle as offline
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home
from tests.functional.services.panels import Line, panel_for, witness_for
from tests.functional.services.receivers import hook, notifying, receiving
from tests.functional.services.test_compromise import HOUR, compromise
from tests.unit.transparency.variants import flipped, remember, verdict_of

Members = dict[str, bytes]


def test_those_who_watch_are_told(home: Home) -> None:
    with receiving() as receiver, notifying(home, hook(home, receiver.url)) as site:
        done = compromise(site.app)
        assert site.app.notices.send_due() == SentCount(2, 0)
    told = [json.loads(body)["data"] for _, body in receiver.got]
    assert {(one["recipient"], one["entry"]) for one in told} == {
        (f"role:{role}", done.entry) for role in ("security_admin", "auditor")
    }


@dataclass(frozen=True)
class Shown:
    """A small bundle over a theft, of whose key a witness had cosigned before, and what its reader trusts."""

    members: Members
    trust: offline.Trust


@pytest.fixture
def shown(sqlite_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    home = sqlite_home
    grow(home, 20)
    line = Line(witness_for(home, tmp_path / "witness"))
    panel = panel_for(home, line)
    assert panel.round(home.clock)[0].failure == ""
    since = home.clock.now() + timedelta(hours=1)
    home.clock.step(2 * HOUR)
    home.app = replace(home.app, witnesses=panel)
    done = compromise(home.app, since)
    app = home.app
    outside = outside_of(app.signing, app.tiles.publisher, panel, app.settings.ledger)
    members = offline.read_zip(Evidence(app.kernel, outside).cut(Snapshot(20, ""), [3], Beside({})))
    keys = "".join(f"log {key}\n" for key in done.keys.words().split())
    witness = format_cosigner(line.witness._folder.key.key)
    remember(monkeypatch)
    return Shown(members, offline.parse_policy(f"{keys}witness w {witness}\nquorum none\n"))


def verdict(shown: Shown, name: str, changed: bytes) -> offline.Verdict:
    """Verify what an attacker makes who changes a file, and repairs the manifest and an opening's digest."""
    after = {**shown.members, name: changed}
    if name.endswith(".leaf"):
        opening = name.replace(".leaf", ".open.json")
        document = {**json.loads(after[opening]), "leaf_sha256": hashlib.sha256(changed).hexdigest()}
        after[opening] = (json.dumps(document, indent=1) + "\n").encode()
    return verdict_of(after, shown.trust)


def who_cosigned(shown: Shown, name: str) -> range:
    """Return where a file says who its witness is: name and key id of that line.

    Whoever can change the file can leave the whole line out, as anybody may; one that says it is somebody else's is
    left out too. Of the rest of the line nothing may be changed.
    """
    key = shown.trust.witnesses["w"]
    note = shown.members[name]
    start = note.find(f"\u2014 {key.name} {base64.b64encode(key.key_id).decode()[:5]}".encode())
    # Four bytes are five characters of base64 and two bits of a sixth, whose others are of the time.
    return range(start, note.find(b"\n", start))[4 : 4 + len(key.name) + 1 + 6] if start >= 0 else range(0)


def must_fail(shown: Shown, name: str, position: int) -> None:
    found = verdict(shown, name, flipped(shown.members[name], position))
    said = "\n".join(found.problems)
    if not said and position in who_cosigned(shown, name):
        assert [one.standing.endswith(offline._BARE) for one in found.entries] == [True]
        return
    assert said, f"byte {position} of {name} can be changed"
    assert not any(word in said for word in ("manifest", "the zip", "lacks a file")), said


def of_the_theft(shown: Shown) -> list[str]:
    return sorted(name for name in shown.members if name.startswith("compromises/"))


def test_a_changed_byte_of_a_theft_fails_by_its_own_proof(shown: Shown, rng: random.Random) -> None:
    names = of_the_theft(shown)
    assert len(names) == 7
    unchanged = verdict(shown, names[0], shown.members[names[0]])
    assert unchanged.problems == []
    assert ["witness w cosigned" in one.standing for one in unchanged.entries] == [True]
    for name in names:
        for position in rng.sample(range(len(shown.members[name])), 12):
            must_fail(shown, name, position)


def test_a_witness_s_line_is_left_out_or_whole(shown: Shown) -> None:
    """Of the line that holds an entry up, who signed it alone can be spoilt, and then it holds nothing up."""
    (name,) = [one for one in of_the_theft(shown) if one.endswith("trusted.checkpoint")]
    named = who_cosigned(shown, name)
    end = shown.members[name].index(b"\n", named.stop)
    assert (len(named), end - named.stop) == (len("witness.example/w1") + 7, 98)
    for position in range(named.start - 4, end + 1):
        must_fail(shown, name, position)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_every_changed_byte_of_a_theft_fails_by_its_own_proof(shown: Shown) -> None:
    for name in of_the_theft(shown):
        for position in range(len(shown.members[name])):
            must_fail(shown, name, position)
