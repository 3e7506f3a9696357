"""The table ``[keys]`` of config.toml, as far as it says who keeps the keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from registry.domain.errors import MisconfiguredHome
from registry.keys.kms.settings import KmsSettings
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.pkcs11.settings import TokenSettings
from registry.keys.split.unsealed import SplitSettings

LOCAL, OPENBAO, SPLIT, AWS_KMS, PKCS11 = "local", "openbao", "split", "aws-kms", "pkcs11"
_UNSEAL_FOLDER = "unseal_folder"

RemoteSettings = KeyServiceSettings | KmsSettings | TokenSettings
# Who keeps the keys, when not the files of the home folder alone.
Custody = RemoteSettings | SplitSettings | None


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the settings of a key service are, and which of them are not texts."""

    made: type[KeyServiceSettings | KmsSettings | TokenSettings]
    files: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        return frozenset(one.name for one in fields(self.made))

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(one.name for one in fields(self.made) if one.default is MISSING)


_SERVICES: Mapping[str, _Kind] = {
    OPENBAO: _Kind(KeyServiceSettings, frozenset({"secret_id_file", "ca_file"}), frozenset({"timeout_seconds"})),
    AWS_KMS: _Kind(KmsSettings, frozenset({"ca_file"}), frozenset({"timeout_seconds", "attempts"})),
    PKCS11: _Kind(TokenSettings, frozenset({"library", "pin_file"})),
}
_OWN: Mapping[str, frozenset[str]] = {
    LOCAL: frozenset(),
    SPLIT: frozenset({_UNSEAL_FOLDER}),
    **{name: kind.known for name, kind in _SERVICES.items()},
}


def known_settings(keys: Mapping[str, Any]) -> frozenset[str]:
    """Return the settings that the provider named in the table has.

    Raises:
        MisconfiguredHome: there is no such provider.
    """
    provider = keys.get("provider", LOCAL)
    if not isinstance(provider, str) or provider not in _OWN:
        raise MisconfiguredHome(f"config.toml: the provider of keys is one of {', '.join(_OWN)}")
    return _OWN[provider]


def read_service(keys: Mapping[str, Any], home: Path) -> RemoteSettings | None:
    """Return the key service of the table; None when no service keeps the keys.

    Raises:
        MisconfiguredHome: naming the setting.
    """
    kind = _SERVICES.get(keys.get("provider", LOCAL))
    if kind is None:
        return None
    given = {name: value for name, value in keys.items() if name in kind.known}
    if missing := [name for name in kind.needed if name not in given]:
        raise MisconfiguredHome(f"config.toml: keys needs {', '.join(missing)}")
    if not all(isinstance(value, str) for name, value in given.items() if name not in kind.numbers):
        raise MisconfiguredHome("config.toml: a setting of keys has the wrong type")
    for name in kind.files & given.keys():
        given[name] = home / given[name]
    for name in kind.numbers & given.keys():
        if not isinstance(given[name], int | float) or isinstance(given[name], bool):
            raise MisconfiguredHome(f"config.toml: keys: {name} must be a number")
    return kind.made(**given)


def read_split(keys: Mapping[str, Any], home: Path) -> SplitSettings | None:
    """Return where unseal keys are; None but for a split keyring.

    Raises:
        MisconfiguredHome: it is not said.
    """
    if keys.get("provider", LOCAL) != SPLIT:
        return None
    folder = keys.get(_UNSEAL_FOLDER)
    if not isinstance(folder, str) or not folder:
        raise MisconfiguredHome(f"config.toml: keys needs {_UNSEAL_FOLDER}, a folder in memory such as /run/registry")
    return SplitSettings(home / folder)
