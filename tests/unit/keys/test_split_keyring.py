"""A split keyring: opened by enough holders, by nobody else, and never half sealed for good."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from registry.crypto.stretch import Cost
from registry.domain.clock import SystemClock
from registry.domain.errors import KeyUnavailable
from registry.keys import ring_folder, ring_forms
from registry.keys.key_files import KeyMaterial, key_id_of, with_checksum
from registry.keys.local import LocalKeyring
from registry.keys.opening import load_keyring, make_keyring
from registry.keys.split import shares, unsealed
from registry.keys.split.keyring import SplitForm, SplitKeyring, in_the_clear, seal_ring
from registry.keys.split.shares import UnsealKey, join, open_share, write_shares
from registry.keys.split.unsealed import SplitSettings

CHEAP = Cost(8, 1, 1)
WORDS = ("correct horse battery", "staple under the bed", "seven grey herons fly", "no rain in november")
CLOCK = SystemClock()


@pytest.fixture
def key() -> UnsealKey:
    return UnsealKey.make()


@pytest.fixture
def files(key: UnsealKey) -> tuple[bytes, ...]:
    return write_shares(key, 3, WORDS, CLOCK, CHEAP)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SplitSettings:
    monkeypatch.setattr(unsealed, "file_system_of", lambda _folder: "tmpfs")
    return SplitSettings(tmp_path / "open")


def opened(files: tuple[bytes, ...], *places: int) -> list[Any]:
    return [open_share(files[place - 1], WORDS[place - 1], f"share {place}") for place in places]


def test_enough_shares_give_the_key(files: tuple[bytes, ...], key: UnsealKey) -> None:
    assert join(opened(files, 1, 2, 3)) == join(opened(files, 4, 2, 1)) == join(opened(files, 1, 2, 3, 4)) == key


@pytest.mark.parametrize("places", [(1,), (1, 2), (1, 2, 2)])
def test_fewer_do_not(files: tuple[bytes, ...], places: tuple[int, ...]) -> None:
    with pytest.raises(KeyUnavailable, match="more of the shares are needed"):
        join(opened(files, *places))


def test_shares_of_two_ceremonies_do_not_mix(files: tuple[bytes, ...]) -> None:
    others = write_shares(UnsealKey.make(), 3, WORDS, CLOCK, CHEAP)
    with pytest.raises(KeyUnavailable, match="not of one unseal key"):
        join([*opened(files, 1, 2), *opened(others, 3)])


def test_shares_of_one_key_that_was_split_twice_do_not_mix(files: tuple[bytes, ...]) -> None:
    key = join(opened(files, 1, 2, 3))
    others = write_shares(key, 2, WORDS, CLOCK, CHEAP)
    with pytest.raises(KeyUnavailable, match="not of one unseal key"):
        join([*opened(others, 1), *opened(files, 2)])


def test_no_share_is_handed_out_that_does_not_give_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    right = shares.split_secret

    def spoilt(secret: bytes, needed: int, count: int) -> dict[int, bytes]:
        return right(secret, needed, count) | {count: bytes(33)[: len(secret)]}

    monkeypatch.setattr(shares, "split_secret", spoilt)
    with pytest.raises(KeyUnavailable):
        write_shares(UnsealKey.make(), 3, WORDS, CLOCK, CHEAP)


def test_a_share_that_somebody_made_themselves_is_noticed(files: tuple[bytes, ...]) -> None:
    forged = open_share(files[2], WORDS[2], "share 3")
    with pytest.raises(KeyUnavailable, match="made by somebody else"):
        join([*opened(files, 1, 2), type(forged)(forged.key_id, forged.place, forged.needed, bytes(32))])


@pytest.mark.parametrize("words", ["", "correct horse batterx", "Correct horse battery", WORDS[1]])
def test_another_passphrase_opens_nothing(files: tuple[bytes, ...], words: str) -> None:
    with pytest.raises(KeyUnavailable, match="does not open with this passphrase"):
        open_share(files[0], words, "share 1")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("share: 1 of 4", "share: 2 of 4"),
        ("needed: 3", "needed: 2"),
        ("memory 8", "memory 16"),
        ("key: unseal-", "key: unseal-0"),
    ],
)
def test_a_file_that_says_something_else_does_not_open(files: tuple[bytes, ...], was: str, becomes: str) -> None:
    """Whoever changes a share file also mends its checksum."""
    body = files[0].decode().rpartition("checksum: ")[0]
    changed = with_checksum(body.replace(was, becomes, 1))
    assert changed != files[0]
    with pytest.raises(KeyUnavailable, match="does not open with this passphrase, or was changed"):
        open_share(changed, WORDS[0], "share 1")


def test_every_changed_byte_of_a_share_file_is_noticed(files: tuple[bytes, ...]) -> None:
    for place in range(len(files[0])):
        changed = files[0][:place] + bytes([files[0][place] ^ 1]) + files[0][place + 1 :]
        with pytest.raises(KeyUnavailable):
            open_share(changed, WORDS[0], "share 1")


def test_a_share_file_does_not_hold_its_share_in_the_clear(files: tuple[bytes, ...], key: UnsealKey) -> None:
    for file, share in zip(files, opened(files, 1, 2, 3, 4), strict=True):
        assert share.secret.hex().encode() not in file
        assert repr(share.secret) not in repr(share)
    assert repr(key.secret) not in repr(key)


@pytest.mark.parametrize("words", [("short", *WORDS[1:]), (WORDS[0], WORDS[0], WORDS[1]), ()])
def test_passphrases_are_long_and_each_holders_own(words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="passphrase of their own"):
        write_shares(UnsealKey.make(), 2, words, CLOCK, CHEAP)


def test_a_new_ring_is_sealed_from_the_first_byte(settings: SplitSettings, key: UnsealKey, tmp_path: Path) -> None:
    unsealed.unseal(settings.unseal_folder, key, CLOCK)
    ring = make_keyring(tmp_path / "keys", settings, CLOCK)
    for path in (tmp_path / "keys").iterdir():
        assert b"\nkey: " not in path.read_bytes()
    wrapped = ring.provider("data").wrap(b"somebody", bytes(32))
    again = load_keyring(tmp_path / "keys", settings)
    assert again.provider("data").unwrap(b"somebody", wrapped) == bytes(32)
    again.provider("data").health()
    again.health()


def test_locked_nothing_opens(settings: SplitSettings, key: UnsealKey, tmp_path: Path) -> None:
    unsealed.unseal(settings.unseal_folder, key, CLOCK)
    make_keyring(tmp_path / "keys", settings, CLOCK)
    assert unsealed.lock(settings.unseal_folder) == 1
    with pytest.raises(KeyUnavailable, match="the keyring is locked; run: registry keys unseal"):
        load_keyring(tmp_path / "keys", settings)
    unsealed.unseal(settings.unseal_folder, UnsealKey.make(), CLOCK)
    with pytest.raises(KeyUnavailable, match=f"is sealed under {key.key_id}"):
        load_keyring(tmp_path / "keys", settings)
    with pytest.raises(KeyUnavailable, match="is the keyring of provider split"):
        load_keyring(tmp_path / "keys", None)


def test_rotation_goes_on_sealed(settings: SplitSettings, key: UnsealKey, tmp_path: Path) -> None:
    unsealed.unseal(settings.unseal_folder, key, CLOCK)
    ring = make_keyring(tmp_path / "keys", settings, CLOCK)
    before = ring.provider("data").wrap(b"somebody", bytes(32))
    fresh = ring.rotate("data", CLOCK)
    ring.announce_signing(CLOCK)
    assert in_the_clear(tmp_path / "keys") == []
    again = load_keyring(tmp_path / "keys", settings)
    assert again.key_ids()["data"] == fresh
    assert again.provider("data").unwrap(b"somebody", before) == bytes(32)
    again.discard(before.key_id)
    with pytest.raises(KeyUnavailable):
        load_keyring(tmp_path / "keys", settings).provider("data").unwrap(b"somebody", before)


def test_a_local_ring_is_sealed_and_stays_the_same_ring(
    settings: SplitSettings, key: UnsealKey, tmp_path: Path
) -> None:
    local = LocalKeyring.create(tmp_path / "keys")
    local.rotate("data", CLOCK)
    local.announce_signing(CLOCK)
    facts, following = local.key_facts(), local.signing_keys().following
    unsealed.unseal(settings.unseal_folder, key, CLOCK)
    assert seal_ring(tmp_path / "keys", settings) == key.key_id
    assert in_the_clear(tmp_path / "keys") == []
    ring = load_keyring(tmp_path / "keys", settings)
    assert ring.key_ids() == local.key_ids()
    assert ring.secret("index") == local.secret("index")
    assert ring.key_facts() == facts
    assert following is not None
    assert ring.signing_keys().following is not None


@pytest.mark.parametrize("after", range(10))
def test_a_crash_in_between_leaves_a_ring_that_opens(
    settings: SplitSettings, key: UnsealKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    local = LocalKeyring.create(tmp_path / "keys")
    local.rotate("data", CLOCK)
    ids, index = local.key_ids(), local.secret("index")
    unsealed.unseal(settings.unseal_folder, key, CLOCK)
    real, done = ring_folder.replace_file, []

    def replace_file(*arguments: Any) -> None:
        if len(done) == after:
            raise OSError(5, "Input/output error")
        done.append(1)
        real(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(ring_folder, "replace_file", replace_file)
        broken.setattr(ring_forms, "replace_file", replace_file)
        with pytest.raises(KeyUnavailable, match="cannot be written"):
            seal_ring(tmp_path / "keys", settings)
    found = load_keyring(tmp_path / "keys", settings if after else None)
    assert (found.key_ids(), found.secret("index")) == (ids, index)
    assert len(in_the_clear(tmp_path / "keys")) == 8 - max(0, min(after, 9) - 1)
    seal_ring(tmp_path / "keys", settings)
    assert in_the_clear(tmp_path / "keys") == []
    assert load_keyring(tmp_path / "keys", settings).key_ids() == ids


def test_another_unseal_key_takes_over_and_the_former_holders_open_nothing(
    settings: SplitSettings, key: UnsealKey, tmp_path: Path
) -> None:
    unsealed.unseal(settings.unseal_folder, key, CLOCK)
    ids = make_keyring(tmp_path / "keys", settings, CLOCK).key_ids()
    following = UnsealKey.make()
    unsealed.unseal(settings.unseal_folder, following, CLOCK)
    assert load_keyring(tmp_path / "keys", settings).rotate("cases", CLOCK)  # sealed as the rest is: under the first
    with pytest.raises(KeyUnavailable, match="say which one seals"):
        seal_ring(tmp_path / "keys", settings)
    with pytest.raises(KeyUnavailable, match="is not open"):
        seal_ring(tmp_path / "keys", settings, "unseal-0000000000000000")
    assert seal_ring(tmp_path / "keys", settings, following.key_id) == following.key_id
    unsealed.lock(settings.unseal_folder)
    unsealed.unseal(settings.unseal_folder, key, CLOCK)
    with pytest.raises(KeyUnavailable, match=f"is sealed under {following.key_id}"):
        load_keyring(tmp_path / "keys", settings)
    unsealed.unseal(settings.unseal_folder, following, CLOCK)
    assert load_keyring(tmp_path / "keys", settings).key_ids() | {"cases": ""} == ids | {"cases": ""}


def test_an_unseal_key_never_lies_on_a_disk(key: UnsealKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsealed, "file_system_of", lambda _folder: "ext4")
    with pytest.raises(KeyUnavailable, match="is on ext4, not in memory"):
        unsealed.unseal(tmp_path / "open", key, CLOCK)
    assert list((tmp_path / "open").iterdir()) == []


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="no memory file system at /dev/shm")
def test_where_memory_is() -> None:
    assert unsealed.file_system_of(Path("/dev/shm")) in unsealed.MEMORY
    assert unsealed.file_system_of(Path("/proc")) == "proc"


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_an_open_key_is_this_users_alone(settings: SplitSettings, key: UnsealKey, tmp_path: Path, mode: int) -> None:
    unsealed.unseal(settings.unseal_folder, key, CLOCK)
    make_keyring(tmp_path / "keys", settings, CLOCK)
    (path,) = settings.unseal_folder.iterdir()
    assert (path.stat().st_mode & 0o777, settings.unseal_folder.stat().st_mode & 0o777) == (0o600, 0o700)
    path.chmod(mode)
    with pytest.raises(KeyUnavailable, match="open to others"):
        SplitKeyring.opened(tmp_path / "keys", settings)


def test_what_a_sealed_file_says_of_its_key_cannot_be_changed() -> None:
    key, secret = UnsealKey.make(), bytes(range(32))
    form = SplitForm({key.key_id: key})
    content = form.render(KeyMaterial("index", key_id_of("index", secret), "2026-01-01T00:00:00Z", secret))
    assert form.parse(content, "index", "index.key").secret == secret
    body = content.rpartition(b"checksum: ")[0].decode()
    with pytest.raises(KeyUnavailable, match="was changed"):
        form.parse(with_checksum(body.replace("2026-01-01", "2025-01-01")), "index", "index.key")
    with pytest.raises(KeyUnavailable, match="does not hold"):
        form.parse(
            with_checksum(body.replace(key_id_of("index", secret), "index-0123456789abcdef")), "index", "index.key"
        )
    with pytest.raises(KeyUnavailable, match="not a complete key file"):
        form.parse(content, "marks", "marks.key")
