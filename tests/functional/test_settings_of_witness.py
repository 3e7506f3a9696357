"""``[witness]`` in config.toml, and the policy that it names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from registry.bootstrap import inspected
from registry.domain.errors import MisconfiguredHome
from registry.settings import load_settings
from registry.transparency.note import format_vkey
from tests.functional.cli.conftest import empty_home
from tests.unit.transparency.cosigners import ed25519
from tests.unit.transparency.support import LEDGER

__all__ = ["empty_home"]

W = ed25519("w.example/1", 1).vkey


def test_what_is_set_is_read(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}).witness.policy is None
    (tmp_path / "config.toml").write_text('[witness]\npolicy = "w.policy"\nevery_seconds = 5\nstop_hours = 24\n')
    found = load_settings(tmp_path, {}).witness
    assert (found.policy, found.every_seconds, found.alarm_minutes, found.stop_hours) == (
        tmp_path / "w.policy",
        5,
        15,
        24,
    )


@pytest.mark.parametrize(
    "text",
    [
        "witness = 1",
        "[witness]\nevery_seconds = 5",
        "[witness]\npolicy = 5",
        '[witness]\npolicy = "w"\nquorum = 2',
        '[witness]\npolicy = "w"\nevery_seconds = 0',
        '[witness]\npolicy = "w"\nstop_hours = 721',
        '[witness]\npolicy = "w"\nalarm_minutes = true',
    ],
)
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(MisconfiguredHome, match=r"config\.toml"):
        load_settings(tmp_path, {})


@pytest.mark.parametrize(
    "lines",
    [
        None,
        "nonsense",
        "log {own}\nquorum none",
        "log {other}\nwitness w {w} https://w.example\nquorum w",
        "log {own}\nwitness w {w}\nquorum w",
        "log {own}\nwitness w {w} http://w.example\nquorum w",
        "log {own}\nwitness w {w} https://u:p@w.example\nquorum w",
        "log {own}\nwitness w {w} https://w.example/?x\nquorum w",
        "log {own}\nwitness w {w} ftp://w.example\nquorum w",
        "log {own}\nwitness w {w} https://w.example:99999\nquorum w",
    ],
)
def test_a_policy_names_this_ledger_and_where_each_witness_is(
    empty_home: Path, tmp_path: Path, lines: str | None
) -> None:
    home = tmp_path / "home"
    shutil.copytree(empty_home, home)
    settings = load_settings(home, {})
    with inspected(settings) as application:
        own = format_vkey(application.verifier_key)
    (home / "config.toml").write_text('[witness]\npolicy = "w.policy"\n')

    def policy(text: str) -> None:
        (home / "w.policy").write_text(text.format(own=own, other=LEDGER.vkey, w=W))

    if lines is not None:
        policy(lines)
    with pytest.raises(MisconfiguredHome), inspected(load_settings(home, {})):
        pass
    policy("log {own}\nwitness w {w} https://w.example/\nquorum w")
    with inspected(load_settings(home, {})) as application:
        assert application.witnesses is not None
