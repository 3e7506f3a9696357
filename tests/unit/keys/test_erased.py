"""The list of who was erased: seen by every process at once, by nobody without the keys, and read strictly."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from registry.domain.errors import KeyUnavailable
from registry.keys.erased import NAME, ErasedList

SECRET = bytes(range(32))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "keys"
    made.mkdir(mode=0o700)
    return made


def test_without_a_file_nobody_is_on_it(folder: Path) -> None:
    assert not ErasedList(folder, SECRET).covers("a")


def test_another_process_sees_at_once_who_is_added(folder: Path) -> None:
    ours, theirs = ErasedList(folder, SECRET), ErasedList(folder, SECRET)
    assert ours.add(["a", "b"]) == 2
    assert theirs.covers("a")
    assert theirs.add(["b", "c"]) == 1
    assert ours.covers("c")
    with pytest.raises(KeyUnavailable, match="was erased") as caught:
        ours.demand_kept("c")
    assert caught.value.code == "key_erased"
    ours.demand_kept("d")


def test_with_another_key_nobody_is_found_on_it(folder: Path) -> None:
    ErasedList(folder, SECRET).add(["a"])
    assert not ErasedList(folder, bytes(32)).covers("a")
    assert b"a\n" not in (folder / NAME).read_bytes().splitlines(keepends=True)


def test_who_is_added_at_once_by_several_is_on_it_whole(folder: Path) -> None:
    lists = [ErasedList(folder, SECRET) for _ in range(8)]
    threads = [
        threading.Thread(target=one.add, args=([f"{number}-{n}" for n in range(5)],))
        for number, one in enumerate(lists)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fresh = ErasedList(folder, SECRET)
    assert all(fresh.covers(f"{number}-{n}") for number in range(8) for n in range(5))


@pytest.mark.parametrize("change", ["open to others", "a link", "a line more", "another form"])
def test_it_is_read_strictly(folder: Path, change: str) -> None:
    listed = ErasedList(folder, SECRET)
    listed.add(["a"])
    path = folder / NAME
    content = path.read_bytes()
    if change == "open to others":
        path.chmod(0o644)
    elif change == "a link":
        path.rename(folder / "elsewhere")
        path.symlink_to(folder / "elsewhere")
    else:
        path.write_bytes(content + b"0" * 32 + b"\n" if change == "a line more" else content.replace(b"/v1", b"/v9"))
    with pytest.raises(KeyUnavailable):
        ErasedList(folder, SECRET).covers("b")
