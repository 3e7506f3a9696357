"""What a bundle says of marks, where a dishonest registry has fixed in its own ledger whatever suits it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest

from registry.transparency.bundle import write_bundle
from registry.transparency.offline import verify_bundle as offline
from tests.unit.transparency.bundles import sealed_anew
from tests.unit.transparency.support import LEDGER, START_MS, Ledger

Document = dict[str, Any]
NONCE = bytes(range(32))
SLOTS = [["separators", 3, [0.9], False], ["digits", 3, [0.9], False]]


def written(document: Document) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


@dataclass(frozen=True)
class Story:
    """One copy of one value, whose form is read as it was drawn; everything else is what may be said otherwise.

    Attributes:
        kind, form, version: of the entry that served the copy.
        table: of the slots that its form was drawn by.
        nonce, vector: as they are opened; the commitment is to ``NONCE`` and form 2.
        opened: what an entry before the reading says of opened draws; nothing where empty.
        shares: weights of this account and of others.
        value: what the reading says otherwise of the value.
        weights: what the weights say otherwise.
        claim: what is claimed otherwise of the account.
        draws: how many are claimed.
        is_late: weights are fixed before the reading.
    """

    kind: str = "disclose"
    form: str = "marked"
    version: int = 1
    table: int = 1
    nonce: bytes = NONCE
    vector: bytes = b"\2"
    opened: str = ""
    shares: tuple[float, ...] = (0.5,)
    value: Document = field(default_factory=dict)
    weights: Document = field(default_factory=dict)
    claim: Document = field(default_factory=dict)
    draws: int = 0
    is_late: bool = False

    def documents(self, reading_entry: int) -> dict[str, Document]:
        slot = {"slot": "separators", "forms": 3, "classes": [1, 2, 3], "read": 2}
        value = {"records": ["r1"], "category": "phone", "versions": [1], "slots": [slot], **self.value}
        model = {"slots": {"phone": SLOTS}, "elsewhere": [[0.0, 1.0]], "behaviours": [1.0], "public_habit": 0.5}
        reading = {"values": [value]}
        digest = sha256(written(reading)).hexdigest()
        accounts = [{"copies": [10 * n], "weight": share} for n, share in enumerate(self.shares)]
        weights = {"accounts": accounts, "reading": digest, "entry": reading_entry, "published_ms": START_MS + 10**6}
        record = {"record": "r1", "vector": self.vector.hex(), "table": self.table, "epoch": 1}
        copy = {"entry": 0, "nonce": self.nonce.hex(), "account": "a1", "records": [record]}
        return {
            "model": {**model, "table": 1},
            "reading": reading,
            "weights": {**weights, **self.weights},
            "openings": {"keys": [], "copies": [copy]},
            "claims": {
                "reading_entry": reading_entry,
                "seed": int(digest[:8], 16),
                **self.claimed(int(digest[:8], 16)),
            },
        }

    def claimed(self, seed: int) -> Document:
        """Return the claim that follows when the copy counts."""
        model = offline.Model([1.0], [(0.0, 1.0)], 0.5, {}, 1)
        values = [[offline.Slot("separators", 3, (0.9,), has_public=False, read=2)]]
        e = offline.e_value(model, values, [[2]])
        p = min(1 / e, offline.randomisation_p(model, values, e, seed, self.draws) if self.draws else 1.0)
        share = self.shares[0]
        account = {"label": "Account 1", "copies": [0], "weight": share, "tier": "none", "e": e, "p": p}
        account |= {"bound": min(1.0, p / share), "draws": self.draws, "slots": 1, "agreeing": 1}
        return {"weights_entry": 3 if not self.is_late else 2, "accounts": [{**account, **self.claim}]}


def bundle_of(story: Story) -> bytes:
    reading_entry = 3 if story.is_late else 2
    files = {name: written(document) for name, document in story.documents(reading_entry).items()}
    digests = {name: sha256(raw).hexdigest() for name, raw in files.items()}
    numbers = story.table.to_bytes(4, "big") + (1).to_bytes(4, "big")
    committed = sha256(b"alog/v1/variant\0" + numbers + NONCE + b"\2").hexdigest()
    ledger = Ledger()
    line = f"r1 phone {story.version} - {committed}"
    ledger.add({"form": story.form, "record.0": line}, kind=story.kind, records=1)
    said = {"result": story.opened, "record.0": "r1 phone 1 - -"}
    ledger.add(said, kind="draws" if story.opened else "outcome", records=1)
    fixed = [("reading", digests["reading"]), ("weights", f"weights {digests['weights']} model {digests['model']}")]
    for kind, result in reversed(fixed) if story.is_late else fixed:
        ledger.add({"result": result}, kind=kind)
    names = (("form", "record.0"), ("result", "record.0"), ("result",), ("result",))
    bundle = ledger.bundle(*(ledger.entry(index, *opened) for index, opened in enumerate(names)))
    return write_bundle(replace(bundle, marks={f"marks/{name}.json": raw for name, raw in files.items()}))


def problems(story: Story) -> list[str]:
    return offline.verify(bundle_of(story), LEDGER.vkey).problems


SLOT = {"slot": "separators", "forms": 3, "classes": [1, 2, 3], "read": 2}


@pytest.mark.parametrize(
    "story",
    [
        Story(),
        Story(draws=20),
        Story(shares=(0.5, 0.5)),
        Story(value={"until_ms": None}),
        Story(value={"until_ms": START_MS}),
        Story(opened="copies 7"),
    ],
)
def test_what_follows_is_verified(story: Story) -> None:
    verdict = offline.verify(bundle_of(story), LEDGER.vkey)
    assert verdict.problems == []
    assert [(one["label"], one["opened"], one["slots"], one["agreeing"]) for one in verdict.marks] == [
        ("Account 1", 1, 1, 1)
    ]


def test_a_place_that_was_not_drawn_yet_says_nothing() -> None:
    """A copy from before a place stood in the table: its draw is shorter, and nothing is compared there."""
    claim = {"e": 1.0, "p": 1.0, "bound": 1.0, "slots": 0, "agreeing": 0}
    assert problems(Story(value={"slots": [{**SLOT, "slot": "digits"}]}, claim=claim)) == []


def test_draws_say_nothing_where_nothing_speaks_for_the_copy() -> None:
    claim = {"p": 1.0, "bound": 1.0, "agreeing": 0}
    unread = Story(value={"slots": [{**SLOT, "read": 1}]}, draws=50, claim=claim)
    (problem,) = problems(unread)
    assert problem.startswith("marks/claims.json: e stated for Account 1 is not what follows: ")
    e = float(problem.rpartition(" ")[2])
    assert e < 1
    assert problems(replace(unread, claim={**claim, "e": e})) == []


WEIGHTS = "marks/weights.json: weights are shares of one, and these are not"
NOT_SO = "marks/claims.json: e stated for Account 1 is not what follows: 1.0"


@pytest.mark.parametrize(
    ("story", "problem"),
    [
        # Whoever may weigh an account at more than its share makes any bound small.
        (Story(shares=(0.9, 0.9)), WEIGHTS),
        (Story(shares=(1.5, -0.5)), WEIGHTS),
        (Story(shares=(1.5,)), WEIGHTS),
        (Story(shares=(-0.5,)), WEIGHTS),
        (Story(is_late=True), "marks: an entry that fixed them is not in the bundle"),
        (Story(weights={"reading": "00" * 32}), "marks/weights.json is about another reading"),
        (Story(weights={"entry": 1}), "marks/weights.json is about another reading"),
        (Story(table=2), "marks/openings.json: entry 0, record r1: of another slot table than the model's"),
        # The same bytes are hashed; where the nonce ends would decide what was drawn.
        (
            Story(nonce=NONCE[:-1], vector=NONCE[-1:] + b"\2"),
            "marks/openings.json: entry 0, record r1: a nonce has 32 bytes",
        ),
        (Story(nonce=NONCE + b"\2", vector=b""), "marks/openings.json: entry 0, record r1: a nonce has 32 bytes"),
        # What is no copy of that value, or says nothing any more, does not count.
        (Story(kind="deny"), NOT_SO),
        (Story(form="as_entered"), NOT_SO),
        (Story(version=2), NOT_SO),
        (Story(value={"until_ms": START_MS - 1}), NOT_SO),
        (Story(weights={"published_ms": START_MS - 1}), NOT_SO),
        (Story(opened="keys"), NOT_SO),
        (Story(opened="copies 0"), NOT_SO),
    ],
)
def test_what_does_not_follow_is_refused(story: Story, problem: str) -> None:
    assert problems(story) == [problem]


@pytest.mark.parametrize("draws", [-1, -2, 6])
def test_so_many_draws_are_made_and_no_others(monkeypatch: pytest.MonkeyPatch, draws: int) -> None:
    """Fewer than none would make the bound negative, which any tier carries."""
    monkeypatch.setattr(offline, "_MAX_DRAWS", 5)
    assert problems(Story(draws=5)) == []
    story = Story(claim={"draws": draws, "p": -1.0, "bound": -1.0, "tier": "attributed copy"})
    assert problems(story) == ["marks/claims.json: too many draws"]


def test_the_work_of_draws_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "_MAX_STEPS", 15)
    assert problems(Story(draws=5)) == []
    assert problems(Story(draws=6)) == ["marks/claims.json: too many draws"]


def test_marks_are_not_looked_at_where_an_entry_is_refused() -> None:
    members = offline.read_zip(bundle_of(Story()))
    changed = members["entries/0.open.json"].replace(b"marked", b"masked")
    (problem,) = offline.verify(sealed_anew({**members, "entries/0.open.json": changed}), LEDGER.vkey).problems
    assert problem == "entry 0: field form: the opened value is not what the ledger committed to"
