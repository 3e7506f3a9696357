from __future__ import annotations

import base64
import os
import pickle
import stat
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from registry.crypto.sign import verify_signature
from registry.crypto.wrap import unwrap_key
from registry.domain.errors import KeyUnavailable, ProofRejected
from registry.keys import key_files, local
from registry.keys.key_files import key_id_of, with_checksum
from registry.keys.local import LocalKeyring
from registry.keys.ports import PROVIDER_PURPOSES, PURPOSES, SECRET_PURPOSES

FILES = [*(f"{purpose}.key" for purpose in PURPOSES), "keyring"]


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def ring(folder: Path) -> LocalKeyring:
    return LocalKeyring.create(folder, clock=FixedClock())


def secrets_of(ring: LocalKeyring) -> dict[str, bytes]:
    return {purpose: material.secret for purpose, material in ring._content.current.items()}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def refused(folder: Path) -> str:
    with pytest.raises(KeyUnavailable) as caught:
        LocalKeyring.load(folder)
    return str(caught.value)


def test_a_loaded_ring_is_the_created_one(folder: Path, ring: LocalKeyring) -> None:
    again = LocalKeyring.load(folder)
    assert secrets_of(again) == secrets_of(ring)
    assert again.key_ids() == ring.key_ids()
    wrapped = ring.provider("data").wrap(b"context", bytes(32))
    assert again.provider("data").unwrap(b"context", wrapped) == bytes(32)
    verify_signature(
        again.signing_keys().current.first.public_bytes, b"m", ring.signing_keys().current.first.sign(b"m")
    )


def test_every_purpose_has_a_key_of_its_own(ring: LocalKeyring) -> None:
    secrets = secrets_of(ring)
    assert set(secrets) == {"data", "bodies", "cases", "index", "marks", "idempotency", "ledger"}
    assert len(set(secrets.values())) == len(secrets)
    assert len({ring.provider(purpose).current_key_id() for purpose in PROVIDER_PURPOSES}) == 3
    wrapped = ring.provider("data").wrap(b"context", bytes(32))
    for purpose in ("bodies", "cases"):
        with pytest.raises(KeyUnavailable):
            ring.provider(purpose).unwrap(b"context", wrapped)


def test_two_rings_share_nothing(tmp_path: Path) -> None:
    first, second = (LocalKeyring.create(tmp_path / name) for name in ("one", "two"))
    assert not set(secrets_of(first).values()) & set(secrets_of(second).values())
    with pytest.raises(ProofRejected):
        verify_signature(
            first.signing_keys().current.first.public_bytes, b"m", second.signing_keys().current.first.sign(b"m")
        )


def test_a_wrapping_key_is_not_given_out(ring: LocalKeyring) -> None:
    for purpose in SECRET_PURPOSES:
        assert len(ring.secret(purpose)) == 32
    for purpose in ("data", "bodies", "cases", "ledger", "other"):
        with pytest.raises(ValueError, match="purpose"):
            ring.secret(purpose)
    for purpose in ("index", "marks", "ledger", "other"):
        with pytest.raises(ValueError, match="purpose"):
            ring.provider(purpose)


def test_files_are_for_the_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        LocalKeyring.create(tmp_path / "keys")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert names_in(tmp_path / "keys") == set(FILES)
    for name in FILES:
        assert stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) == 0o600


def test_the_text_of_a_key_file(folder: Path, ring: LocalKeyring) -> None:
    lines = (folder / "index.key").read_text().splitlines()
    secret = ring.secret("index")
    assert lines[:5] == [
        "registry-key/v1",
        "purpose: index",
        f"key-id: {key_id_of('index', secret)}",
        "created: 2026-03-02T09:00:00.000Z",
        f"key: {base64.b64encode(secret).decode()}",
    ]
    assert lines[5].startswith("checksum: ")
    assert len(lines) == 6


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o700, 0o601])
def test_a_file_open_to_others_is_refused(folder: Path, ring: LocalKeyring, name: str, mode: int) -> None:
    (folder / name).chmod(mode)
    assert refused(folder) == f"{folder / name} is open to others; run: chmod 600 {folder / name}"
    (folder / name).chmod(0o400)
    assert LocalKeyring.load(folder).key_ids() == ring.key_ids()


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o770, 0o701, 0o1700])
def test_a_folder_open_to_others_is_refused(folder: Path, ring: LocalKeyring, mode: int) -> None:
    folder.chmod(mode)
    assert refused(folder) == f"{folder} is open to others; run: chmod 700 {folder}"


@pytest.mark.parametrize("name", ["", *FILES])
def test_another_owner_is_refused(folder: Path, ring: LocalKeyring, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A file of another user may be read by that user. Said of one path at a time, as only root could arrange it."""
    foreign = (folder / name).stat().st_ino
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        facts = real(descriptor)
        if facts.st_ino != foreign:
            return facts
        return os.stat_result((*facts[:4], facts.st_uid + 1, *facts[5:10]))

    monkeypatch.setattr(key_files.os, "fstat", fstat)
    assert "belongs to user id" in refused(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_linked_file_is_refused(folder: Path, ring: LocalKeyring, tmp_path: Path, name: str) -> None:
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert "symbolic links are refused" in refused(folder)


def test_a_linked_folder_is_refused(folder: Path, ring: LocalKeyring, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder, target_is_directory=True)
    assert "symbolic links are refused" in refused(link)
    with pytest.raises(KeyUnavailable, match="symbolic links"):
        LocalKeyring.create(link)


def test_a_pipe_or_folder_in_place_of_a_file_is_refused(folder: Path, ring: LocalKeyring) -> None:
    (folder / "data.key").unlink()
    os.mkfifo(folder / "data.key", 0o600)
    assert "not a regular file" in refused(folder)
    (folder / "data.key").unlink()
    (folder / "data.key").mkdir(0o600)
    assert "not a regular file" in refused(folder)


def test_a_file_that_is_too_long_is_refused(folder: Path, ring: LocalKeyring) -> None:
    (folder / "data.key").write_bytes(b"registry-key/v1\n" + bytes(5000))
    assert "too long" in refused(folder)


@pytest.mark.parametrize("name", FILES)
def test_damage_is_found_and_no_key_is_shown(folder: Path, ring: LocalKeyring, name: str) -> None:
    whole = (folder / name).read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1
        (folder / name).write_bytes(bytes(changed))
        message = refused(folder)
        assert str(folder / name) in message
        assert not any(base64.b64encode(secret).decode()[:8] in message for secret in secrets_of(ring).values())
    for length in (0, 1, 16, len(whole) // 2, len(whole) - 1):
        (folder / name).write_bytes(whole[:length])
        assert str(folder / name) in refused(folder)
    (folder / name).write_bytes(whole + b"\n")
    assert str(folder / name) in refused(folder)


def test_a_key_of_another_purpose_is_refused(folder: Path, ring: LocalKeyring) -> None:
    (folder / "data.key").write_bytes((folder / "cases.key").read_bytes())
    assert "does not hold the data key" in refused(folder)


def test_a_key_of_another_ring_is_refused(folder: Path, ring: LocalKeyring, tmp_path: Path) -> None:
    LocalKeyring.create(tmp_path / "other")
    (folder / "data.key").write_bytes((tmp_path / "other" / "data.key").read_bytes())
    assert "not the key that keyring lists" in refused(folder)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("registry-key/v1", "registry-key/v2"),
        ("key: ", "key: !"),
        ("purpose: data\n", ""),
        ("purpose: data", "purpose: cases"),
        ("created: ", "made: "),
        ("key-id: data-", "key-id: data-0"),
    ],
)
def test_a_file_of_another_form_is_refused_though_its_checksum_fits(
    folder: Path, ring: LocalKeyring, before: str, after: str
) -> None:
    text, _, _ = (folder / "data.key").read_text().replace(before, after).rpartition("checksum: ")
    (folder / "data.key").write_bytes(with_checksum(text))
    assert str(folder / "data.key") in refused(folder)


def test_an_exchanged_key_is_noticed_though_id_and_checksum_fit_the_file(folder: Path, ring: LocalKeyring) -> None:
    text, _, _ = (folder / "data.key").read_text().rpartition("checksum: ")
    old, new = (base64.b64encode(each).decode() for each in (secrets_of(ring)["data"], bytes(32)))
    (folder / "data.key").write_bytes(with_checksum(text.replace(old, new)))
    assert "does not hold the data key" in refused(folder)


def test_an_empty_file_with_a_checksum_is_refused(folder: Path, ring: LocalKeyring) -> None:
    (folder / "data.key").write_bytes(with_checksum("registry-key/v1\n"))
    assert "not a complete key file" in refused(folder)


def test_what_is_missing_is_said(folder: Path, tmp_path: Path) -> None:
    assert refused(folder) == f"{folder} does not exist; run: registry init"
    folder.mkdir(0o700)
    assert refused(folder) == f"{folder} holds no finished keyring; run: registry init"
    with pytest.raises(KeyUnavailable, match="cannot be written"):
        LocalKeyring.create(tmp_path / "no" / "such" / "folder")


def test_a_finished_ring_is_never_overwritten(folder: Path, ring: LocalKeyring) -> None:
    before = {name: (folder / name).read_bytes() for name in FILES}
    with pytest.raises(KeyUnavailable, match="already"):
        LocalKeyring.create(folder)
    assert {name: (folder / name).read_bytes() for name in FILES} == before


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_lost_key_is_reported_and_never_made_anew(folder: Path, ring: LocalKeyring, purpose: str) -> None:
    (folder / f"{purpose}.key").unlink()
    assert "missing; restore it from a backup" in refused(folder)
    with pytest.raises(KeyUnavailable, match="already"):
        LocalKeyring.create(folder)
    assert not (folder / f"{purpose}.key").exists()


class Stopped(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("call", ["open", "fsync", "link", "unlink"])
@pytest.mark.parametrize("count", range(9))
def test_an_interrupted_making_is_completed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, count: int
) -> None:
    """Stopped before any system call of the writing, it can be taken up; keys made before are kept."""
    real, seen = getattr(os, call), iter(range(1000))

    def interrupted(*args: object, **kwargs: object) -> object:
        writing = call != "open" or bool(int(str(args[1])) & os.O_CREAT)
        if writing and next(seen) == count * 2:
            raise Stopped
        return real(*args, **kwargs)

    with monkeypatch.context() as patch, suppress(Stopped):  # with a high count it goes through
        patch.setattr(key_files.os, call, interrupted)
        LocalKeyring.create(folder)
    kept = {path.name: path.read_bytes() for path in folder.glob("*.key")}
    if (folder / "keyring").exists():
        ring = LocalKeyring.load(folder)
    else:
        assert "no finished keyring" in refused(folder)
        ring = LocalKeyring.create(folder)
    assert {name: (folder / name).read_bytes() for name in kept} == kept
    assert len(set(secrets_of(ring).values())) == len(PURPOSES)
    assert names_in(folder) - {".keyring.unfinished"} == set(FILES)


def test_a_damaged_key_of_an_unfinished_ring_is_reported(folder: Path) -> None:
    folder.mkdir(0o700)
    (folder / "data.key").write_bytes(b"half a k")
    (folder / "data.key").chmod(0o600)
    with pytest.raises(KeyUnavailable, match=r"data\.key"):
        LocalKeyring.create(folder)
    assert (folder / "data.key").read_bytes() == b"half a k"


def test_files_and_folder_are_made_durable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file before its name appears, the folder after it, the folder's own name at the end."""
    synced: list[str] = []
    real_fsync, real_link = os.fsync, os.link

    def fsync(descriptor: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_fsync(descriptor)

    def link(source: str, target: str, **kwargs: int) -> None:
        synced.append(f"link {target}")
        real_link(source, target, **kwargs)

    monkeypatch.setattr(key_files.os, "fsync", fsync)
    monkeypatch.setattr(key_files.os, "link", link)
    LocalKeyring.create(folder)
    assert synced == [step for name in FILES for step in ("file", f"link {name}", "folder")] + ["folder"]


def test_of_many_makers_one_wins(folder: Path) -> None:
    outcomes: list[object] = []
    start = threading.Barrier(4)

    def make() -> None:
        start.wait()
        try:
            outcomes.append(secrets_of(LocalKeyring.create(folder)))
        except KeyUnavailable as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    assert made == [secrets_of(LocalKeyring.load(folder))]
    assert len(outcomes) == 4
    assert all("already" in outcome for outcome in outcomes if isinstance(outcome, str))


def test_nothing_is_shown_or_pickled(ring: LocalKeyring) -> None:
    shown = [
        repr(ring),
        str(ring),
        repr(ring.provider("data")),
        repr(ring._content.current["index"]),
        repr(ring.signing_keys().current.first),
    ]
    for secret in secrets_of(ring).values():
        forms = (secret.hex(), base64.b64encode(secret).decode(), repr(secret)[2:-1])
        assert not any(form in text for form in forms for text in shown)
    for each in (ring, ring.provider("data")):
        with pytest.raises(TypeError):
            pickle.dumps(each)


def test_no_descriptor_is_left_open(folder: Path, ring: LocalKeyring) -> None:
    before = len(names_in(Path("/dev/fd")))
    LocalKeyring.load(folder)
    (folder / "ledger.key").chmod(0o644)
    refused(folder)
    folder.chmod(0o755)
    refused(folder)
    assert len(names_in(Path("/dev/fd"))) == before


def test_a_provider_that_gives_back_another_key_is_not_healthy(
    ring: LocalKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ring.provider("data")
    provider.health()
    monkeypatch.setattr(local, "unwrap_key", lambda *_: bytes(32))
    with pytest.raises(KeyUnavailable, match="does not unwrap"):
        provider.health()
    monkeypatch.setattr(local, "wrap_key", lambda *_: b"\x02")
    monkeypatch.setattr(local, "unwrap_key", unwrap_key)
    with pytest.raises(KeyUnavailable, match="does not unwrap"):
        provider.health()


def test_a_failing_disk_is_said(folder: Path, ring: LocalKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(key_files.os, "read", failing)
    assert refused(folder) == f"{folder / 'keyring'} cannot be read: Input/output error"
