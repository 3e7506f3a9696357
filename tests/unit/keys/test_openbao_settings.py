"""Settings of the key service are refused when they are read, not at the first lookup."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.domain.errors import MisconfiguredHome
from registry.keys.openbao.rights import needed, policy, set_up_script
from registry.keys.openbao.settings import KeyServiceSettings

SECRET_ID = Path("/run/secrets/openbao-secret-id")
ADDRESS = "https://openbao.city.example:8200"


@pytest.mark.parametrize(
    "address",
    [ADDRESS, "https://10.2.3.4:8200/", "http://127.0.0.1:8200", "http://[::1]:8200", "http://localhost:8200"],
)
def test_addresses_over_which_no_key_is_seen(address: str) -> None:
    assert KeyServiceSettings(address, SECRET_ID).address == address


@pytest.mark.parametrize(
    "address",
    [
        "http://openbao.city.example:8200",
        "http://10.2.3.4:8200",
        "openbao.city.example:8200",
        "ftp://127.0.0.1",
        "https://",
        "https://user:x@openbao.city.example",
        "https://openbao.city.example/v1",
        "https://openbao.city.example?x=1",
        "https://openbao.city.example:port",
        "https://[::1",
    ],
)
def test_other_addresses_are_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(MisconfiguredHome, match="address must") as caught:
        KeyServiceSettings(address, SECRET_ID)
    assert "user" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mount", "a/../sys"),
        ("mount", ""),
        ("auth_mount", "x y"),
        ("key_prefix", "-f"),
        ("key_prefix", "x" * 64),
        ("key_prefix", 'x" { capabilities = ["sudo"] }'),
        ("role_id", "two words"),
        ("role_id", ""),
        ("timeout_seconds", 0),
        ("timeout_seconds", 31),
    ],
)
def test_names_that_could_say_something_else_are_refused(name: str, value: object) -> None:
    with pytest.raises(MisconfiguredHome, match=name):
        KeyServiceSettings(ADDRESS, SECRET_ID, **{name: value})  # type: ignore[arg-type] # one of each kind


def test_the_policy_names_each_path_and_no_wildcard() -> None:
    settings = KeyServiceSettings(ADDRESS, SECRET_ID, mount="wraps", key_prefix="city")
    text = policy(settings)
    assert all(f'path "{path}"' in text for path in needed(settings))
    assert "*" not in text
    assert "+" not in text
    assert text.count('["update"]') == len(needed(settings)) == 10
    assert set(settings.transit_keys) == {"city-data", "city-bodies", "city-cases", "city-secrets"}
    script = set_up_script(settings)
    assert text in script
    assert all(f"wraps/keys/{key} " in script for key in settings.transit_keys)
