"""Which token wraps, and where its PIN is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from registry.domain.errors import MisconfiguredHome

_LABEL = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,30}[\x21-\x7e])?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """One PKCS#11 token. Wrong settings are refused when they are built, not at the first lookup.

    Attributes:
        library: the maker's PKCS#11 library, a shared object; an absolute path.
        token_label: the token's label, at most 32 characters.
        pin_file: file that holds the user's PIN, and nothing else; read at every login.
        key_prefix: the registry's keys on the token are labelled ``<prefix>-<id of the ring's key>``.

    Raises:
        MisconfiguredHome: naming the setting.
    """

    library: Path
    token_label: str
    pin_file: Path
    key_prefix: str = "registry"

    def __post_init__(self) -> None:
        if not self.library.is_absolute():
            raise MisconfiguredHome("keys: library is an absolute path")
        if _LABEL.fullmatch(self.token_label) is None:
            raise MisconfiguredHome("keys: token_label is the label of a token, at most 32 printable characters")
        if _NAME.fullmatch(self.key_prefix) is None:
            raise MisconfiguredHome("keys: key_prefix is a name of letters, digits, - and _")
