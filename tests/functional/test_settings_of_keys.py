"""The table [keys] of config.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.domain.errors import MisconfiguredHome
from registry.settings import Settings, load_settings

OPENBAO = 'provider = "openbao"\naddress = "https://openbao.city.example:8200"\nsecret_id_file = "secret-id"\n'


def read(home: Path, keys: str) -> Settings:
    (home / "config.toml").write_text(f"[keys]\n{keys}")
    return load_settings(home, {})


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert settings.key_service is None
    assert (settings.key_cache.max_keys, settings.key_cache.max_seconds) == (20_000, 300)
    service = read(tmp_path, OPENBAO).key_service
    assert service is not None
    assert service.secret_id_file == tmp_path / "secret-id"
    assert (service.mount, service.auth_mount, service.key_prefix) == ("transit", "approle", "registry")
    assert (service.role_id, service.ca_file, service.timeout_seconds) == ("registry", None, 2)


def test_a_split_keyring_needs_a_place_for_its_open_key(tmp_path: Path) -> None:
    settings = read(tmp_path, 'provider = "split"\nunseal_folder = "/run/registry"\n')
    assert settings.unsealing is not None
    assert (settings.custody, settings.key_service) == (settings.unsealing, None)
    assert settings.unsealing.unseal_folder == Path("/run/registry")
    for wrong in ("", 'unseal_folder = ""\n', "unseal_folder = 3\n"):
        with pytest.raises(MisconfiguredHome, match="needs unseal_folder"):
            read(tmp_path, 'provider = "split"\n' + wrong)
    with pytest.raises(MisconfiguredHome, match="unknown settings: address"):
        read(tmp_path, 'provider = "split"\nunseal_folder = "/run/x"\naddress = "https://openbao"\n')
    with pytest.raises(MisconfiguredHome, match="unknown settings: unseal_folder"):
        read(tmp_path, 'unseal_folder = "/run/x"\n')


def test_what_is_given_is_taken(tmp_path: Path) -> None:
    settings = read(
        tmp_path, OPENBAO + 'ca_file = "/etc/ca.pem"\ntimeout_seconds = 5\ncache_seconds = 60\ncache_keys = 9\n'
    )
    assert settings.key_service is not None
    assert settings.key_service.ca_file == Path("/etc/ca.pem")
    assert settings.key_service.timeout_seconds == 5
    assert (settings.key_cache.max_keys, settings.key_cache.max_seconds) == (9, 60)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ('provider = "vault"', "one of local, split, openbao"),
        ("provider = 7", "one of local, split, openbao"),
        ('address = "https://openbao.city.example"', "unknown settings: address"),
        ('provider = "openbao"', "needs address, secret_id_file"),
        (OPENBAO + "token = 1", "unknown settings: token"),
        (OPENBAO + "mount = 1", "wrong type"),
        (OPENBAO + "timeout_seconds = true", "timeout_seconds"),
        (OPENBAO + 'timeout_seconds = "1"', "timeout_seconds"),
        ("cache_seconds = 0", "cache_seconds"),
        ("cache_seconds = 3601", "cache_seconds"),
        ("cache_seconds = true", "cache_seconds"),
        ("cache_keys = 0", "cache_keys"),
        ("cache_keys = 1.5", "cache_keys"),
        ('cache_keys = "many"', "cache_keys"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(tmp_path: Path, keys: str, says: str) -> None:
    with pytest.raises(MisconfiguredHome, match=says):
        read(tmp_path, keys)


def test_keys_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("keys = 1")
    with pytest.raises(MisconfiguredHome, match="table"):
        load_settings(tmp_path, {})
