"""The table [canaries] of config.toml: numbers that are kept for fiction, or that the agency says are its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.domain.errors import MisconfiguredHome
from registry.settings import Settings, load_settings


def read(home: Path, canaries: str) -> Settings:
    (home / "config.toml").write_text(f"[canaries]\n{canaries}")
    return load_settings(home, {})


def test_there_are_none_unless_they_are_set(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}).canaries.ranges == ()
    assert read(tmp_path, "").canaries.ranges == ()


def test_ranges_are_read_however_they_are_written(tmp_path: Path) -> None:
    given = 'reserved_phones = ["816-555-01", "(573) 555-01"]\nowned_phones = ["200 240 7", "400.300"]\n'
    assert read(tmp_path, given).canaries.ranges == ("2002407", "400300", "57355501", "81655501")


@pytest.mark.parametrize(
    "canaries",
    [
        'reserved_phones = ["816-555-02"]',  # not kept for fiction
        'reserved_phones = ["816-555"]',
        'reserved_phones = ["400-240-01"]',
        'reserved_phones = ["116-555-01"]',
        'reserved_phones = ["816-555-0142"]',
        'reserved_phones = ["816-555-01 x"]',
        'reserved_phones = "816-555-01"',
        "reserved_phones = [81655501]",
        'owned_phones = ["816"]',  # an area code belongs to nobody
        'owned_phones = ["400-24"]',
        'owned_phones = ["816-555-01"]',  # kept for fiction: nobody's own
        'owned_phones = ["400-240-123"]',  # ten numbers say nothing
        'owned_phones = ["400-140"]',
        'owned_phones = ["400-240", "400-240-7"]',
        'reserved_phones = ["816-555-01", "816-555-01"]',
        'phones = ["816-555-01"]',
    ],
)
def test_what_is_neither_kept_for_fiction_nor_to_be_owned_is_refused(tmp_path: Path, canaries: str) -> None:
    with pytest.raises(MisconfiguredHome, match="canaries") as refused:
        read(tmp_path, canaries)
    assert not {"816", "400"} & set(str(refused.value).replace("-", " ").split())
