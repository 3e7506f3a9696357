"""Changes of the ledger's key in a bundle: what a dishonest one, whose keys sign anything, cannot say with them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from registry.transparency.offline import verify_bundle as offline
from registry.transparency.proofs import Tree
from tests.unit.transparency.changes import (
    AT,
    LATER,
    NEXT_ORIGIN,
    OTHER_STRANGER,
    STRANGER,
    WITNESS,
    A,
    B,
    C,
    Change,
    Made,
    Pair,
    bundle_of,
    ledger_of,
    pair,
    root_of,
)
from tests.unit.transparency.support import ORIGIN


def problems(trust: offline.Trust, *changes: Change, made: Made | None = None) -> str:
    return "\n".join(offline.verify(bundle_of(*changes, made=made or Made()), trust).problems)


FIRST, SECOND = Change(AT, A, B), Change(LATER, B, C)


@pytest.mark.parametrize("trusted", [A, B, C])
def test_who_trusts_one_key_can_follow_to_the_others(trusted: Pair) -> None:
    verdict = offline.verify(bundle_of(FIRST, SECOND), trusted.trust)
    assert verdict.problems == []
    assert [line for line in verdict.checked if "exchanged" in line] == [
        f"at {size} entries the ledger's key was exchanged, by a checkpoint that both signed" for size in (AT, LATER)
    ]
    assert verdict.entries[0].standing == ""
    assert "compromised" not in offline.report(verdict)


@pytest.mark.parametrize("trusted", [A, B])
def test_a_former_key_does_not_sign_beyond_its_time(trusted: Pair) -> None:
    assert "not signed" in problems(trusted.trust, FIRST, made=Made(signer=A))


@pytest.mark.parametrize(
    ("size", "signer", "problem"),
    [
        (AT - 1, A, ""),
        (AT - 1, B, "not signed"),  # the next key makes up what was before it
        (AT, A, ""),
        (AT, B, ""),
        (AT + 1, B, ""),
        (AT + 1, A, "not signed"),
    ],
)
def test_each_key_signs_older_checkpoints_of_its_time(size: int, signer: Pair, problem: str) -> None:
    found = problems(B.trust, FIRST, made=Made(history=((size, signer),)))
    if problem:
        assert found.startswith(f"older checkpoint of {size} entries: ")
    assert (problem in found) is (problem != "" or found == "")


def test_a_change_follows_the_one_before() -> None:
    """Strangers hand over among themselves, after a change that the reader can follow: it does not lead to them."""
    strangers = Change(LATER, STRANGER, OTHER_STRANGER)
    found = problems(A.trust, FIRST, strangers)
    assert found == "change of the ledger's key at 6 entries: it does not follow the one before"


def test_a_limit_on_a_key_holds_for_all_that_follows_from_it() -> None:
    trust = replace(A.trust, until={A.first.key.key_id.hex(): AT - 1})
    assert (
        problems(trust, FIRST, SECOND) == "the key that you trust may not sign the change to the ledger's present key"
    )
    assert problems(replace(trust, until={A.first.key.key_id.hex(): AT}), FIRST, SECOND) == ""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (replace(FIRST, opened=("request",)), "its entry does not name the keys"),
        (replace(FIRST, opened=("detail",)), "its entry does not name the keys"),
        (replace(FIRST, following_words=B.first.vkey), "its entry names other keys"),
        (replace(FIRST, following_words=f"{B.second.vkey} {B.first.vkey}"), "its entry names other keys"),
        (replace(FIRST, following=pair(41, NEXT_ORIGIN)), "its entry names other keys"),
        (replace(FIRST, stated=5), "it is of another size"),
        (replace(FIRST, kind="epoch"), "its entry does not name the keys"),
        (replace(FIRST, kind="disclose"), "its entry does not name the keys"),
    ],
)
def test_a_change_names_both_keys_of_both_times(change: Change, problem: str) -> None:
    assert problems(A.trust, change) == f"change of the ledger's key at 4 entries: {problem}"


# Of a ledger whose first three entries are those of each bundle here.
ROOTS = {size: root_of(ledger_of(()), size).hex() for size in (1, 2, 3)}
FORKED = Tree([sha256(b"another").digest(), *ledger_of(()).tree_hashes(3)[1:]]).root().hex()
LOSS = f"behind; found 3 {ROOTS[3]}; kept 9 {'00' * 32}"
NEW = Change(AT, A, pair(41, NEXT_ORIGIN), "origins", LOSS)


def test_a_new_origin_is_told() -> None:
    verdict = offline.verify(bundle_of(NEW), A.trust)
    assert verdict.problems == []
    assert (
        f"after 3 entries {ORIGIN} went on as {NEXT_ORIGIN}, by a checkpoint that both signed. "
        f"What {ORIGIN} had beyond these entries was lost: {LOSS}"
    ) in verdict.checked


def test_a_ledger_s_first_origin_may_have_no_number() -> None:
    first = pair(40, ORIGIN.removesuffix("/e1"))
    assert problems(first.trust, replace(NEW, former=first)) == ""


def test_a_bundle_with_a_new_origin_is_not_under_the_former_one() -> None:
    found = problems(A.trust, NEW, made=Made(signer=A))
    assert found == "the checkpoint is of another ledger than its keys"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (replace(NEW, kind="key"), "its entry does not name the keys"),
        (replace(NEW, opened=("request", "detail")), "its entry names other entries than those before it"),
        (replace(NEW, result="behind"), "its entry names other entries than those before it"),
        (replace(NEW, result=LOSS.replace("found 3", "found 2")), "its entry names other entries than those before it"),
        (replace(NEW, result=LOSS.replace(ROOTS[3], ROOTS[2])), "its entry names other entries than those before it"),
        (replace(NEW, following=pair(41, "registry.example/audit/e3-00112233")), "does not follow the former one"),
        (replace(NEW, following=pair(41, "elsewhere.example/audit/e2-00112233")), "does not follow the former one"),
        (replace(NEW, following=pair(41)), "does not follow the former one"),
    ],
)
def test_a_new_origin_says_what_both_share(change: Change, problem: str) -> None:
    found = problems(A.trust, change)
    assert found.startswith("new origin of the ledger at 4 entries: ")
    assert problem in found


@pytest.mark.parametrize("change", [FIRST, NEW])
def test_both_types_of_both_keys_sign_a_change(change: Change) -> None:
    found = problems(A.trust, replace(change, is_half_signed=True))
    assert found.endswith("the checkpoint lacks the Ed25519 or the ML-DSA-44 signature")


def test_every_key_that_is_given_of_a_former_origin_is_one_of_its_keys() -> None:
    given = offline.Trust([A.trust.keys[0], STRANGER.trust.keys[1]])
    assert problems(given, NEW) == "you gave a key that is none of those which the bundle shows the ledger to have had"


THEFT = replace(
    NEW,
    part="compromises",
    result=f"compromised; found 3 {ROOTS[3]}; since 2023-11-14T22:13:20.000Z; trusted 2 {ROOTS[2]}",
    trusted=2,
)


def test_the_checkpoint_from_before_a_theft_is_the_one_that_the_entry_names() -> None:
    """The thief has the former key, and signs one that suits him."""
    present = THEFT.following.trust
    assert problems(present, THEFT) == ""
    assert problems(present, replace(THEFT, trusted=1)).endswith("it is not the one that the entry names")
    other_root = replace(THEFT, result=THEFT.result.replace(ROOTS[2], sha256(b"").hexdigest()))
    assert problems(present, other_root).endswith("it is not the one that the entry names")


def test_who_trusts_a_compromised_key_is_told_and_not_led_on() -> None:
    assert problems(A.trust, THEFT) == (
        "the key that you trust was compromised, the bundle says: take the present one from where you trust"
    )


def theft(at: int, former: Pair, following: Pair, *before: Change) -> Change:
    """Return that a key was found to be compromised, with nothing that was dated before."""
    root = root_of(ledger_of(before, at), at - 1).hex()
    result = f"compromised; found {at - 1} {root}; since 2023-11-14T22:13:20.000Z; trusted nothing"
    return Change(at, former, following, "compromises", result)


def test_a_key_that_may_not_sign_the_change_is_not_called_compromised() -> None:
    """It was exchanged before; the theft was of the next one, to which it does not lead."""
    trust = replace(A.trust, until={A.first.key.key_id.hex(): AT - 1})
    found = problems(trust, FIRST, theft(LATER, B, pair(42, NEXT_ORIGIN), FIRST))
    assert found == "the key that you trust may not sign the change to the ledger's present key"


def test_two_thefts_are_followed() -> None:
    third = pair(42, NEXT_ORIGIN.replace("e2", "e3"))
    bundle = bundle_of(THEFT, theft(LATER, THEFT.following, third, THEFT))
    assert offline.verify(bundle, third.trust).problems == []


STAMP = b"\x18\x0f20231101000000Z"
LATE = STAMP.replace(b"1101", b"1201")
BARE = f"the key that signed it was compromised later, suspected since 2023-11-14T22:13:20Z: {offline._BARE}"
HELD = BARE.replace(offline._BARE, "time-stamp stamps/2.tsa.tsr states 2023-11-01T00:00:00Z, once you verified it, ")
HELD += "before that"


@pytest.mark.parametrize(
    ("stamps", "standings"),
    [
        ((), [BARE, BARE, ""]),
        (((2, A, LATE),), [BARE, BARE, ""]),
        (((2, A, STAMP),), [HELD, BARE, ""]),
        (((2, A, STAMP), (3, A, STAMP)), [HELD, HELD.replace("/2.", "/3."), ""]),  # the first that has it
    ],
)
def test_entries_from_before_a_theft_say_what_holds_them_up(
    stamps: tuple[tuple[int, Pair, bytes], ...], standings: list[str]
) -> None:
    change = replace(THEFT, trusted=0)
    verdict = offline.verify(bundle_of(change, made=Made(opened=(1, 2, 5), stamps=stamps)), THEFT.following.trust)
    assert verdict.problems == []
    assert [entry.standing for entry in verdict.entries] == standings
    bare = [str(entry.index) for entry in verdict.entries if entry.standing == BARE]
    told = f"entries {', '.join(bare)} but by the present key: theirs was compromised later; see each"
    assert [line for line in verdict.not_checked if "by the present key" in line] == ([told] if bare else [])
    assert (
        f"after 3 entries {ORIGIN} went on as {NEXT_ORIGIN}, by a checkpoint that both signed. "
        f"The key of {ORIGIN} was compromised, suspected since 2023-11-14T22:13:20Z"
    ) in verdict.checked


@pytest.mark.parametrize(("count", "more"), [(20, ""), (21, " ...")])
def test_twenty_entries_that_nothing_holds_up_are_named(count: int, more: str) -> None:
    change = theft(26, A, pair(41, NEXT_ORIGIN))
    verdict = offline.verify(bundle_of(change, made=Made(size=30, opened=tuple(range(count)))), change.following.trust)
    assert verdict.problems == []
    named = ", ".join(map(str, range(20)))
    assert f"entries {named}{more} but by the present key: theirs was compromised later; see each" in (
        verdict.not_checked
    )


SEEN_AT = 1_699_000_000  # 2023-11-03, before the suspicion


@pytest.mark.parametrize("at", [SEEN_AT, SEEN_AT + 10**7])
@pytest.mark.parametrize(("trusted", "history", "stamps"), [(2, (), ()), (0, (2,), ()), (0, (), (2,))])
def test_what_a_witness_saw_holds_entries_up(
    trusted: int, history: tuple[int, ...], stamps: tuple[int, ...], at: int
) -> None:
    """Wherever in a bundle it stands; a witness that the reader does not know says nothing."""
    kept = Made(
        opened=(1, 2),
        history=tuple((size, A) for size in history),
        stamps=tuple((size, A, LATE) for size in stamps),
        seen_at=at,
    )
    bundle = bundle_of(replace(THEFT, trusted=trusted, seen_at=at), made=kept)
    trust = replace(THEFT.following.trust, witnesses={"union": offline.parse_key(WITNESS.vkey, (4,))})
    held = f"witness union cosigned 2 entries at {offline._moment(at)}, before that"
    verdict = offline.verify(bundle, trust)
    assert verdict.problems == []
    assert [entry.standing for entry in verdict.entries] == [
        BARE.replace(offline._BARE, held) if at == SEEN_AT else BARE,
        BARE,
    ]
    assert [one.standing for one in offline.verify(bundle, THEFT.following.trust).entries] == [BARE, BARE]


NOT_LED = "the consistency proof does not lead to the signed root"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (replace(FIRST, is_forked=True), f"change of the ledger's key at 4 entries: {NOT_LED}"),
        (
            replace(NEW, is_forked=True, result=LOSS.replace(ROOTS[3], FORKED)),
            f"new origin of the ledger at 4 entries: {NOT_LED}",
        ),
        (
            replace(THEFT, trusted_root=bytes(32), result=THEFT.result.replace(ROOTS[2], "00" * 32)),
            f"checkpoint from before replacement of the ledger's compromised key at 4 entries: {NOT_LED}",
        ),
    ],
)
def test_the_ledger_continues_what_both_keys_signed(change: Change, problem: str) -> None:
    """All keys sign another history for the change, and this one for the reader."""
    assert problems(change.following.trust, change) == problem


def test_changes_are_followed_by_their_sizes() -> None:
    """Not by the names of files, of which 10 comes before 4."""
    late = replace(SECOND, at=10)
    assert problems(A.trust, FIRST, late, made=Made(size=12)) == ""


def test_only_what_is_dated_before_the_suspicion_holds_an_entry_up() -> None:
    terms = [offline.Term(0, 9, []), offline.Term(10, 2**63, [], "compromises", "", suspected=1_000)]

    def is_held(index: int, size: int, at: int) -> bool:
        standing = offline.standing_of(index, terms, [(size, at, "somebody")])
        assert "the key that signed it was compromised later" in standing
        return not standing.endswith(offline._BARE)

    assert is_held(3, size=4, at=999)
    assert not is_held(3, size=4, at=1_000)
    assert not is_held(3, size=3, at=999)
    assert is_held(8, size=9, at=999)
    assert offline.standing_of(9, terms, []) == ""
