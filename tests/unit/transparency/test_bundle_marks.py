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
SLOT = {"slot": "separators", "forms": 3, "classes": [1, 2, 3], "read": 2}


def written(document: Document) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


@dataclass(frozen=True)
class Story:
    """One copy of one value, whose form is read as it was drawn; everything else is what may be said otherwise.

    Attributes:
        kind, form, version: of the entry that served the copy.
        also: further records that it served, as lines.
        table: of the slots that its form was drawn by.
        drawn: what its entry commits to, with ``NONCE``.
        nonce, vector: as they are opened.
        is_opened: the copy is opened.
        keys: keys of the record's versions that are opened.
        first, opened, last: what entries say of opened draws: before the copy, before the reading, after it.
        opening, of: kind and record of those entries.
        shares: weights of this account and of others.
        value, weights, model, claim, said: what reading, weights, model and claims say otherwise; ``claim`` of the
            account.
        kinds, fixed: kinds and results of the entries that fix reading and weights, where they are others.
        draws: how many are claimed.
        is_late: weights are fixed before the reading.
    """

    kind: str = "disclose"
    form: str = "marked"
    version: int = 1
    also: tuple[str, ...] = ()
    table: int = 1
    drawn: bytes = b"\2"
    nonce: bytes = NONCE
    vector: bytes | None = None
    is_opened: bool = True
    keys: tuple[bytes, ...] = ()
    first: str = ""
    opened: tuple[str, ...] = ()
    last: str = ""
    opening: str = "draws"
    of: str = "r1 phone 1 - -"
    shares: tuple[float, ...] = (0.5,)
    value: Document = field(default_factory=dict)
    weights: Document = field(default_factory=dict)
    model: Document = field(default_factory=dict)
    claim: Document = field(default_factory=dict)
    said: Document = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)
    draws: int = 0
    is_late: bool = False

    @property
    def copy(self) -> int:
        return 1 if self.first else 0

    def documents(self) -> dict[str, Document]:
        value = {"records": ["r1"], "category": "phone", "versions": [1], "slots": [SLOT], **self.value}
        model = {"slots": {"phone": SLOTS}, "elsewhere": [[0.0, 1.0]], "behaviours": [1.0], "public_habit": 0.5}
        reading = {"values": [value]}
        digest = sha256(written(reading)).hexdigest()
        accounts = [{"copies": [self.copy + 10 * n], "weight": share} for n, share in enumerate(self.shares)]
        first = self.copy + 1 + len(self.opened)
        entries = {"reading_entry": first + self.is_late, "weights_entry": first + (not self.is_late)}
        about = {"reading": digest, "entry": entries["reading_entry"], "published_ms": START_MS + 10**6}
        vector = self.drawn if self.vector is None else self.vector
        record = {"record": "r1", "vector": vector.hex(), "table": self.table, "epoch": 1}
        copy = {"entry": self.copy, "nonce": self.nonce.hex(), "account": "a1", "records": [record]}
        keys = [{"record": "r1", "version": 1, "epoch": 1, "key": key.hex()} for key in self.keys]
        seed = int(digest[:8], 16)
        return {
            "model": {**model, "table": 1, **self.model},
            "reading": reading,
            "weights": {"accounts": accounts, **about, **self.weights},
            "openings": {"keys": keys, "copies": [copy] if self.is_opened else []},
            "claims": {**entries, "seed": seed, "accounts": [self.claimed(seed)], **self.said},
        }

    def claimed(self, seed: int) -> Document:
        """Return the claim that follows when the copy counts."""
        model = offline.Model([1.0], [(0.0, 1.0)], 0.5, {}, 1)
        values = [[offline.Slot("separators", 3, (0.9,), has_public=False, read=2)]]
        e = offline.e_value(model, values, [[2]])
        p = offline.randomisation_p(model, values, e, seed, self.draws)
        share = self.shares[0]
        account = {"label": "Account 1", "copies": [self.copy], "weight": share, "tier": "none", "e": e, "p": p}
        account |= {"bound": min(1.0, p / share), "draws": self.draws, "slots": 1, "agreeing": 1}
        return {**account, **self.claim}


def bundle_of(story: Story) -> bytes:
    files = {name: written(document) for name, document in story.documents().items()}
    digests = {name: sha256(raw).hexdigest() for name, raw in files.items()}
    numbers = story.table.to_bytes(4, "big") + (1).to_bytes(4, "big")
    committed = sha256(b"alog/v1/variant\0" + numbers + NONCE + story.drawn).hexdigest()
    ledger = Ledger()

    def draws(said: str) -> None:
        ledger.add({"result": said, "record.0": story.of}, kind=story.opening, records=1)

    if story.first:
        draws(story.first)
    lines = (f"r1 phone {story.version} - {committed}", *story.also)
    records = {f"record.{number}": line for number, line in enumerate(lines)}
    ledger.add({"form": story.form, **records}, kind=story.kind, records=len(lines))
    for said in story.opened:
        draws(said)
    usual = {"reading": "{reading}", "weights": "weights {weights} model {model}"}
    for kind in ("weights", "reading") if story.is_late else ("reading", "weights"):
        ledger.add({"result": {**usual, **story.fixed}[kind].format(**digests)}, kind=story.kinds.get(kind, kind))
    if story.last:
        draws(story.last)
    opened = [[name for name, value in values.items() if value] for values in ledger.values]
    bundle = ledger.bundle(*(ledger.entry(index, *names) for index, names in enumerate(opened)))
    return write_bundle(replace(bundle, marks={f"marks/{name}.json": raw for name, raw in files.items()}))


def problems(story: Story) -> list[str]:
    return offline.verify(bundle_of(story), LEDGER.vkey).problems


def keys_that_draw(form: int) -> bytes:
    """Return a key of the record's version that draws this form for the account."""
    tried = (bytes([number]) * 32 for number in range(99))
    return next(key for key in tried if offline.drawn_by(key, "a1", "phone", (1, [("separators", 3)])) == bytes([form]))


KEY = keys_that_draw(2)


@pytest.mark.parametrize(
    "story",
    [
        Story(),
        Story(draws=20),
        Story(shares=(0.5, 0.5)),
        Story(value={"until_ms": None}),
        Story(value={"until_ms": START_MS}),
        Story(value={"slots": [SLOT, {**SLOT, "slot": "digits", "read": None}]}, drawn=b"\2\2"),
        Story(also=("r2 phone 1 - -",)),
        Story(keys=(KEY,)),
        # What was opened says nothing of this copy.
        Story(opened=("copies 7",)),
        Story(opened=("keys",), of="r1 phone 2 - -"),
        Story(opened=("keys",), of="r2 phone 1 - -"),
        Story(opened=("keys",), opening="outcome"),
        Story(first="keys"),
        Story(first="copies 7", last="keys"),
    ],
)
def test_what_follows_is_verified(story: Story) -> None:
    verdict = offline.verify(bundle_of(story), LEDGER.vkey)
    assert verdict.problems == []
    assert [(one["label"], one["opened"], one["slots"], one["agreeing"]) for one in verdict.marks] == [
        ("Account 1", 1, 1, 1)
    ]
    first = story.copy + 1 + len(story.opened)
    fixed, computed = (line for line in verdict.checked if line.startswith("marks: "))
    assert f"the reading is what entry {first} fixed" in fixed
    assert f"what entry {first + 1} fixed, before draws were compared" in fixed
    assert "Account 1: what was drawn for 1 copies is what the ledger committed to when they were served" in computed
    assert "1 of 1 places agree: computed anew" in computed


def test_a_place_that_was_not_drawn_yet_says_nothing() -> None:
    """A copy from before a place stood in the table: its draw is shorter, and nothing is compared there."""
    claim = {"e": 1.0, "p": 1.0, "bound": 1.0, "slots": 0, "agreeing": 0}
    assert problems(Story(value={"slots": [{**SLOT, "slot": "digits"}]}, claim=claim)) == []


def test_a_value_without_places_that_nobody_was_served_says_nothing() -> None:
    claim = {"e": 1.0, "p": 1.0, "bound": 1.0, "slots": 0, "agreeing": 0}
    assert problems(Story(value={"slots": [], "versions": [9]}, claim=claim)) == []


@pytest.mark.parametrize(
    ("slots", "agreeing"),
    [
        ([{**SLOT, "read": 1}], 0),
        # Draws as good as this one are rare enough for a small p, but it speaks against the copy.
        ([SLOT, {**SLOT, "slot": "digits", "read": 1}], 1),
    ],
)
def test_draws_say_nothing_where_nothing_speaks_for_the_copy(slots: list[Document], agreeing: int) -> None:
    claim = {"p": 1.0, "bound": 1.0, "slots": len(slots), "agreeing": agreeing}
    unread = Story(value={"slots": slots}, drawn=b"\2\2", draws=50, claim=claim)
    (problem,) = problems(unread)
    assert problem.startswith("marks/claims.json: e stated for Account 1 is not what follows: ")
    e = float(problem.rpartition(" ")[2])
    assert e < 1
    assert problems(replace(unread, claim={**claim, "e": e})) == []


def test_a_form_that_is_always_kept_and_was_not_drawn_leaves_nothing() -> None:
    model = {"slots": {"phone": [["separators", 3, [1.0], False]]}}
    claim = {"e": 0.0, "p": 1.0, "bound": 1.0, "agreeing": 0}
    assert problems(Story(model=model, value={"slots": [{**SLOT, "read": 1}]}, claim=claim)) == []


def many(weight: float) -> Story:
    """Return that the one form of a hundred was read, at a weight, with a bound of a lead's or up to twice that."""
    place = offline.Slot("separators", 100, (0.9,), has_public=False, read=2)
    e = offline.e_value(offline.Model([1.0], [(0.0, 1.0)], 0.5, {}, 1), [[place]], [[2]])
    claim = {"e": e, "p": 1 / e, "bound": 1 / e / weight, "weight": weight, "tier": "lead"}
    model = {"slots": {"phone": [["separators", 100, [0.9], False]]}}
    slot = {**SLOT, "forms": 100, "classes": list(range(1, 101))}
    return Story(model=model, value={"slots": [slot]}, claim=claim, shares=(weight,))


def test_a_tier_has_its_bound_and_not_twice_that() -> None:
    assert problems(many(0.3)) == []
    assert problems(many(0.15)) == ["marks/claims.json: Account 1 is called more than its bound carries"]


def test_a_little_evidence_is_some() -> None:
    model = {"slots": {"phone": [["separators", 3, [0.2], False]]}}
    e = (0.8 / 3 + 0.2) / (0.8 / 3 + 0.2 / 3)
    assert 1 < e < 2
    assert problems(Story(model=model, claim={"e": e, "p": 1 / e, "bound": 1.0})) == []


def test_what_is_stated_may_be_rounded_otherwise_and_no_more() -> None:
    p = Story().claimed(0)["p"]
    assert problems(Story(claim={"p": p * (1 + 1e-12)})) == []
    (problem,) = problems(Story(claim={"p": p * (1 + 1e-8)}))
    assert problem.startswith("marks/claims.json: p stated for Account 1 is not what follows: ")


def test_an_account_whose_copies_are_not_opened_is_told_as_not_checked() -> None:
    verdict = offline.verify(bundle_of(Story(is_opened=False)), LEDGER.vkey)
    assert (verdict.problems, verdict.marks) == ([], [])
    assert "marks: e-values and p of 1 accounts whose copies were not opened" in verdict.not_checked


WEIGHTS = "marks/weights.json: weights are shares of one, and these are not"
NOT_FIXED = "marks: an entry that fixed them is not in the bundle"
NOT_SO = "marks/claims.json: e stated for Account 1 is not what follows: 1.0"


@pytest.mark.parametrize(
    ("story", "problem"),
    [
        # Whoever may weigh an account at more than its share makes any bound small.
        (Story(shares=(0.9, 0.9)), WEIGHTS),
        (Story(shares=(1.5, -0.5)), WEIGHTS),
        (Story(shares=(1.5,)), WEIGHTS),
        (Story(shares=(-0.5,)), WEIGHTS),
        (Story(shares=(0.5, 0.0)), WEIGHTS),
        (Story(is_late=True), NOT_FIXED),
        (Story(said={"reading_entry": 9}), NOT_FIXED),
        (Story(said={"weights_entry": 9}), NOT_FIXED),
        (Story(kinds={"reading": "outcome"}), NOT_FIXED),
        (Story(kinds={"weights": "outcome"}), NOT_FIXED),
        (
            Story(fixed={"reading": "{weights}"}),
            "marks/reading.json is not the reading that entry 1 fixed before copies were compared",
        ),
        (Story(fixed={"weights": "weights {model} model {model}"}), "marks/weights.json is not what entry 2 fixed"),
        (Story(fixed={"weights": "{weights} {model}"}), "marks/weights.json is not what entry 2 fixed"),
        (
            Story(fixed={"weights": "weights {weights} model {weights}"}),
            "marks/model.json (slots, rates) is not what entry 2 fixed",
        ),
        (Story(weights={"reading": "00" * 32}), "marks/weights.json is about another reading"),
        (Story(weights={"entry": 2}), "marks/weights.json is about another reading"),
        (Story(table=2), "marks/openings.json: entry 0, record r1: of another slot table than the model's"),
        # The same bytes are hashed; where the nonce ends would decide what was drawn.
        (
            Story(nonce=NONCE[:-1], vector=NONCE[-1:] + b"\2"),
            "marks/openings.json: entry 0, record r1: a nonce has 32 bytes",
        ),
        (Story(nonce=NONCE + b"\2", vector=b""), "marks/openings.json: entry 0, record r1: a nonce has 32 bytes"),
        (
            Story(vector=b"\3"),
            "marks/openings.json: entry 0, record r1: not what the ledger committed to when the copy was served",
        ),
        (
            Story(keys=(keys_that_draw(3),)),
            "marks/openings.json: entry 0, record r1: not what the record version's key draws for this account",
        ),
        (Story(said={"seed": 1}), "marks/claims.json: the seed is not that of the reading"),
        (Story(claim={"copies": [0, 7]}), "marks/claims.json: Account 1 has other copies"),
        (Story(claim={"tier": "lead"}), "marks/claims.json: Account 1 is called more than its bound carries"),
        # What is no copy of that value, or says nothing any more, does not count.
        (Story(kind="deny"), NOT_SO),
        (Story(form="as_entered"), NOT_SO),
        (Story(version=2), NOT_SO),
        (Story(value={"until_ms": START_MS - 1}), NOT_SO),
        (Story(weights={"published_ms": START_MS - 1}), NOT_SO),
        (Story(value={"records": ["r1", "r2"]}), NOT_SO),
        (Story(opened=("keys",)), NOT_SO),
        (Story(opened=("copies 0",)), NOT_SO),
        (Story(opened=("copies 7", "copies 0")), NOT_SO),
        (Story(first="keys", opened=("keys",)), NOT_SO),
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


@pytest.mark.parametrize("name", ["claims", "model", "openings", "reading", "weights"])
@pytest.mark.parametrize("text", [b"{}", b"[]", b"3", b"{", b"\xff", b'{"seed": NaN}'])
def test_nonsense_about_marks_is_refused_in_good_order(name: str, text: bytes) -> None:
    members = offline.read_zip(bundle_of(Story()))
    (problem,) = offline.verify(sealed_anew({**members, f"marks/{name}.json": text}), LEDGER.vkey).problems
    assert "marks" in problem


def test_claims_have_one_reading() -> None:
    """Another program could take the first of two claims of one name, or no pairs for an object."""
    members = offline.read_zip(bundle_of(Story()))
    claims = members["marks/claims.json"]
    twice = b'{"accounts": [],' + claims.removeprefix(b"{")
    pairs = json.dumps(list(json.loads(claims).items())).encode()
    for text, told in ((twice, "a name stands twice"), (pairs, "a file about marks is malformed")):
        (problem,) = offline.verify(sealed_anew({**members, "marks/claims.json": text}), LEDGER.vkey).problems
        assert problem == told


@pytest.mark.parametrize(
    "slots",
    [
        [{**SLOT, "classes": [2, 2, 2]}],
        [{**SLOT, "classes": [1, 2, 2]}],
        [{**SLOT, "classes": [1, 2, 2], "forms": 2}],
        [SLOT, SLOT],
        [SLOT, {**SLOT, "read": None}],
    ],
)
def test_a_reading_in_which_chance_favours_whoever_agrees_is_refused(slots: list[Document]) -> None:
    """Places that every draw agrees with, or one that is counted twice, would make an e-value of anybody's copy."""
    told = problems(Story(value={"slots": slots}))
    assert told == ["marks/reading.json: a draw that is read twice, or unevenly"]
