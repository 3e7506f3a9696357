"""Rotation of the local keyring: what was wrapped opens, what comes next is under the new key, crashes included."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from registry.crypto.random import random_bytes
from registry.domain.clock import from_unix_ms
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys import key_files, ring_folder, ring_signing
from registry.keys.key_files import with_checksum
from registry.keys.local import LocalKeyring
from registry.keys.ports import PROVIDER_PURPOSES, SECRET_PURPOSES, ProviderPurpose, WrappedKey
from tests.fakes.clock import TestClock

CONTEXT = b"somebody"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def ring(folder: Path, clock: TestClock) -> LocalKeyring:
    return LocalKeyring.create(folder, clock=clock)


class Stopped(Exception):
    """The process ended here."""


@pytest.mark.parametrize("purpose", PROVIDER_PURPOSES)
def test_the_new_key_wraps_and_the_former_opens(
    folder: Path, ring: LocalKeyring, clock: TestClock, purpose: ProviderPurpose
) -> None:
    key, before = random_bytes(32), ring.provider(purpose)
    wrapped = before.wrap(CONTEXT, key)
    current = ring.rotate(purpose, clock)
    for one in (before, ring.provider(purpose), LocalKeyring.load(folder).provider(purpose)):
        assert one.unwrap(CONTEXT, wrapped) == key
        assert one.wrap(CONTEXT, key).key_id == one.current_key_id() == current != wrapped.key_id
        assert one.generation().covers(one.wrap(CONTEXT, key))
        assert not one.generation().covers(wrapped)
    untouched = set(PROVIDER_PURPOSES) - {purpose}
    assert all(facts.retired is None for facts in ring.key_facts() if facts.purpose in untouched)


def test_keys_say_when_they_were_made_retired_and_unused(ring: LocalKeyring, clock: TestClock) -> None:
    first = ring.key_ids()["data"]
    clock.step(3 * 86_400)
    second = ring.rotate("data", clock)
    retired = clock.now()
    clock.step(120)
    ring.note_unused(first, clock)
    unused = clock.now()
    clock.step(86_400)
    ring.note_unused(first, clock)
    (facts,) = [one for one in ring.key_facts() if one.retired is not None]
    assert (facts.key_id, facts.retired, facts.unused) == (first, retired, unused)
    assert ring.key_ids()["data"] == second
    with pytest.raises(KeyUnavailable, match="no earlier key"):
        ring.note_unused(second, clock)


def test_another_process_takes_the_change_up_by_itself(folder: Path, ring: LocalKeyring, clock: TestClock) -> None:
    other = LocalKeyring.load(folder).provider("data")
    early = other.wrap(CONTEXT, bytes(32))
    current = ring.rotate("data", clock)
    assert other.wrap(CONTEXT, bytes(32)).key_id == current
    newest = ring.rotate("data", clock)
    late = ring.provider("data").wrap(CONTEXT, bytes(32))
    assert late.key_id == newest
    assert other.unwrap(CONTEXT, late) == other.unwrap(CONTEXT, early) == bytes(32)
    ring.discard(early.key_id)
    with pytest.raises(KeyUnavailable, match="not the key that was used"):
        other.unwrap(CONTEXT, early)


def test_nothing_is_wrapped_while_the_folder_cannot_be_read(folder: Path, ring: LocalKeyring) -> None:
    provider = ring.provider("data")
    wrapped = provider.wrap(CONTEXT, bytes(32))
    (folder / "keyring").rename(folder / "elsewhere")
    with pytest.raises(KeyUnavailable, match="keyring is missing"):
        provider.wrap(CONTEXT, bytes(32))
    assert provider.unwrap(CONTEXT, wrapped) == bytes(32)


def test_a_destroyed_key_is_gone_from_the_folder(folder: Path, ring: LocalKeyring, clock: TestClock) -> None:
    ids, secrets = [ring.key_ids()["data"]], [ring.current_of("data").secret]
    for _ in range(2):
        ids.append(ring.rotate("data", clock))
        secrets.append(ring.current_of("data").secret)
    wrapped = WrappedKey(ids[1], ring.provider("data").wrap(CONTEXT, bytes(32)).blob)
    for key_id in ids[:2]:
        ring.discard(key_id)
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    assert [name.encode() in held for name in ids] == [False, False, True]
    assert [path.name for path in folder.glob("data*")] == [f"{ids[2]}.key"]
    assert LocalKeyring.load(folder).key_ids()["data"] == ids[2]
    with pytest.raises((KeyUnavailable, EnvelopeRejected)):
        ring.provider("data").unwrap(CONTEXT, wrapped)


@pytest.mark.parametrize("which", ["current", "unknown", "other"])
def test_only_earlier_keys_are_destroyed(ring: LocalKeyring, which: str) -> None:
    named = {"current": ring.key_ids()["data"], "unknown": "data-0000000000000000", "other": ring.key_ids()["index"]}
    with pytest.raises(KeyUnavailable, match="no earlier key"):
        ring.discard(named[which])


@pytest.mark.parametrize("purpose", [*SECRET_PURPOSES, "ledger", "nothing"])
def test_what_is_computed_with_does_not_rotate(ring: LocalKeyring, clock: TestClock, purpose: str) -> None:
    with pytest.raises(ValueError, match="a purpose here is one of"):
        ring.rotate(purpose, clock)  # type: ignore[arg-type]  # the type says the same


@pytest.mark.parametrize("act", ["rotate", "discard"])
@pytest.mark.parametrize(
    "at", [(call, count) for call in ("open", "fsync", "link", "unlink", "replace") for count in range(4)]
)
def test_an_interrupted_change_leaves_the_ring_before_or_after(
    ring: LocalKeyring, clock: TestClock, monkeypatch: pytest.MonkeyPatch, act: str, at: tuple[str, int]
) -> None:
    folder, (call, count) = ring._folder, at
    key = random_bytes(32)
    first = ring.provider("data").wrap(CONTEXT, key)
    ring.rotate("data", clock)
    second = ring.provider("data").wrap(CONTEXT, key)
    real, seen = getattr(os, call), iter(range(1000))

    def interrupted(*args: object, **kwargs: object) -> object:
        writing = call != "open" or bool(int(str(args[1])) & os.O_CREAT)
        if writing and next(seen) == count:
            raise Stopped
        return real(*args, **kwargs)

    with monkeypatch.context() as patch, suppress(Stopped):
        patch.setattr(key_files.os, call, interrupted)
        ring.rotate("data", clock) if act == "rotate" else ring.discard(first.key_id)
    again = LocalKeyring.load(folder)
    opened = again.provider("data").unwrap_many([(CONTEXT, first), (CONTEXT, second)])
    assert opened[1] == key
    assert opened[0] == key or (act == "discard" and isinstance(opened[0], KeyUnavailable))
    # The next change clears away what the interrupted one left: key files that nothing names.
    final = again.rotate("data", clock)
    listed = {facts.key_id for facts in again.key_facts() if facts.purpose == "data"}
    files = {path.stem for path in folder.glob("*data*")}
    assert final in listed
    assert files - {"data"} <= listed
    assert ("data" in files) == (first.key_id in listed)
    assert len(files) == len(listed)


def test_a_ring_of_before_is_read_and_rotates(folder: Path, ring: LocalKeyring, clock: TestClock) -> None:
    text = (folder / "keyring").read_text()
    assert text.startswith("registry-keyring/v1\n")
    ring.rotate("cases", clock)
    assert (folder / "keyring").read_text().startswith("registry-keyring/v2\n")
    assert LocalKeyring.load(folder).key_ids() == ring.key_ids()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("registry-keyring/v2", "registry-keyring/v4"),
        ("data retired", "data expired"),
        ("data retired", "marks-of retired"),
        (" retired ", " retired  "),
        ("index: ", "indices: "),
        ("data: data-", "data: cases-"),
    ],
)
def test_a_list_of_keys_that_says_something_else_is_refused(
    folder: Path, ring: LocalKeyring, clock: TestClock, old: str, new: str
) -> None:
    ring.rotate("data", clock)
    text, _, _ = (folder / "keyring").read_text().rpartition("checksum: ")
    assert old in text
    (folder / "keyring").write_bytes(with_checksum(text.replace(old, new)))
    with pytest.raises(KeyUnavailable):
        LocalKeyring.load(folder)


def test_a_swapped_file_of_an_earlier_key_is_told(folder: Path, ring: LocalKeyring, clock: TestClock) -> None:
    current = ring.rotate("data", clock)
    (folder / "data.key").write_bytes((folder / f"{current}.key").read_bytes())
    with pytest.raises(KeyUnavailable, match="is not the key that keyring lists"):
        LocalKeyring.load(folder)


def test_the_clock_is_what_the_files_say(folder: Path, ring: LocalKeyring) -> None:
    ring.rotate("data", TestClock(from_unix_ms(1_790_000_000_000)))
    assert "data retired 2026-09-21T14:13:20.000Z: " in (folder / "keyring").read_text()


def test_a_signing_key_is_announced_takes_over_and_leaves_its_term(
    folder: Path, ring: LocalKeyring, clock: TestClock
) -> None:
    first, beside = ring.signing_keys().current, LocalKeyring.load(folder)
    announced = ring.announce_signing(clock)
    assert ring.announce_signing(clock).key_id == announced.key_id != first.key_id
    following = beside.signing_keys().following
    assert following is not None
    assert following.first.public_bytes == announced.first.public_bytes
    assert beside.signing_keys() is beside.signing_keys()  # read once
    ring.exchange_signing(announced.key_id, "size: 7\n", clock)
    ring.exchange_signing(announced.key_id, "size: 8\n", clock)  # another process did it already
    for one in (ring, beside, LocalKeyring.load(folder)):
        keys = one.signing_keys()
        assert (keys.current.key_id, keys.following, keys.terms) == (announced.key_id, None, ("size: 7\n",))
    assert {path.name for path in folder.iterdir() if path.name.startswith("ledger")} == {
        f"{announced.key_id}.key",
        f"{first.key_id}.term",
    }
    assert ring.rotate("data", clock) == LocalKeyring.load(folder).key_ids()["data"]  # other changes keep all that


@pytest.mark.parametrize("step", ["replace_file", "clear_unlisted"])
def test_an_exchange_of_the_signing_key_that_is_cut_off_is_whole_or_not_at_all(
    folder: Path, ring: LocalKeyring, clock: TestClock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    first, announced = ring.signing_keys().current.key_id, ring.announce_signing(clock).key_id

    def stop(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patched, suppress(Stopped):
        patched.setattr(ring_folder if step == "replace_file" else ring_signing, step, stop)
        ring.exchange_signing(announced, "size: 7\n", clock)
    after = LocalKeyring.load(folder).signing_keys()
    assert (after.current.key_id, after.terms) == (
        (first, ()) if step == "replace_file" else (announced, ("size: 7\n",))
    )
    LocalKeyring.load(folder).exchange_signing(announced, "size: 7\n", clock)
    assert not [path for path in folder.iterdir() if path.name in ("ledger.key", f"{first}.key")]
    assert LocalKeyring.load(folder).signing_keys().current.key_id == announced


def test_nothing_takes_over_that_was_not_announced(ring: LocalKeyring, clock: TestClock) -> None:
    with pytest.raises(KeyUnavailable, match="no announced key"):
        ring.exchange_signing("ledger-0123456789abcdef", "size: 7\n", clock)


def test_a_term_that_is_damaged_or_gone_is_told(folder: Path, ring: LocalKeyring, clock: TestClock) -> None:
    ring.exchange_signing(ring.announce_signing(clock).key_id, "size: 7\n", clock)
    (path,) = folder.glob("*.term")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"7", b"8", 1))
    with pytest.raises(KeyUnavailable, match="checksum"):
        LocalKeyring.load(folder)
    path.unlink()
    with pytest.raises(KeyUnavailable, match="is missing"):
        LocalKeyring.load(folder)
