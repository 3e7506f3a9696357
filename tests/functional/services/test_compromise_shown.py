"""That a key was compromised is told to those who watch, and no byte of what a bundle says of it can be changed."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
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

Members = dict[str, bytes]


def test_those_who_watch_are_told(home: Home) -> None:
    with receiving() as receiver, notifying(home, hook(home, receiver.url)) as site:
        done = compromise(site.app)
        assert site.app.notices.send_due() == SentCount(2, 0)
    told = [json.loads(body)["data"] for _, body in receiver.got]
    assert {(one["recipient"], one["entry"]) for one in told} == {
        (f"role:{role}", done.entry) for role in ("security_admin", "auditor")
    }


@pytest.fixture
def shown(home: Home, tmp_path: Path) -> tuple[Members, offline.Trust]:
    """A small bundle over a theft, of whose key a witness had cosigned before, and what its reader trusts."""
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
    return members, offline.parse_policy(f"{keys}witness w {witness}\nquorum none\n")


def said(members: Members, trust: offline.Trust, name: str, changed: bytes) -> list[str]:
    """Verify what an attacker makes who changes a file, and repairs the manifest and an opening's digest.

    A line of the witness may be spoilt as it may be left out: then the entry is not held up by it any more.
    """
    after = {**members, name: changed}
    if name.endswith(".leaf"):
        opening = name.replace(".leaf", ".open.json")
        document = {**json.loads(members[opening]), "leaf_sha256": hashlib.sha256(changed).hexdigest()}
        after[opening] = (json.dumps(document, indent=1) + "\n").encode()
    del after["manifest.sha256"]
    lines = [f"{hashlib.sha256(after[one]).hexdigest()}  {one}\n" for one in sorted(after)]
    verdict = offline.verify(offline.write_zip({**after, "manifest.sha256": "".join(lines).encode()}), trust)
    return verdict.problems or [one.standing for one in verdict.entries if "witness w cosigned" not in one.standing]


def must_fail(shown: tuple[Members, offline.Trust], name: str, position: int) -> None:
    members, trust = shown
    changed = bytearray(members[name])
    changed[position] ^= 1 << position % 8
    found = "\n".join(said(members, trust, name, bytes(changed)))
    assert found, f"byte {position} of {name} can be changed"
    assert not any(word in found for word in ("manifest", "the zip", "lacks a file")), found


def of_the_theft(members: Members) -> list[str]:
    return sorted(name for name in members if name.startswith("compromises/"))


def test_a_changed_byte_of_a_theft_fails_by_its_own_proof(
    shown: tuple[Members, offline.Trust], rng: random.Random
) -> None:
    members, trust = shown
    names = of_the_theft(members)
    assert len(names) == 7
    assert said(members, trust, names[0], members[names[0]]) == []
    for name in names:
        for position in rng.sample(range(len(members[name])), 4):
            must_fail(shown, name, position)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_every_changed_byte_of_a_theft_fails_by_its_own_proof(
    shown: tuple[Members, offline.Trust], monkeypatch: pytest.MonkeyPatch
) -> None:
    for check in ("ed25519_verifies", "ml_dsa_44_verifies"):
        monkeypatch.setattr(offline, check, lru_cache(4_096)(getattr(offline, check)))
    for name in of_the_theft(shown[0]):
        for position in range(len(shown[0][name])):
            must_fail(shown, name, position)
