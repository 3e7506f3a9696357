"""What a request is for: its target and its host (RFC 9112, section 3.2), in the few forms that have one meaning."""

from __future__ import annotations

import re
from functools import lru_cache

# A name or an address, and a port. RFC 3986 allows more in a name; nobody is called so, and a comma would be two hosts.
_AUTHORITY = rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?"
_HOST = re.compile(b"(?:" + _AUTHORITY + b")?")  # empty: whoever asks has no name for the server
_WHOLE = re.compile(rb"https?://(" + _AUTHORITY + rb")(/[^#]*|\?[^#]*|)", re.IGNORECASE)


class NoTarget(Exception):
    """It is none, or two readers could take it for different ones."""


@lru_cache(maxsize=64)  # nearly all requests name the same one
def is_host(value: bytes) -> bool:
    """Tell whether it is a host, as ``Host`` names it."""
    return _HOST.fullmatch(value) is not None


def read_target(method: bytes, target: bytes) -> tuple[bytes, bytes | None]:
    """Return path and query, or ``*``, and the host if the target names one.

    Raises:
        NoTarget: of this method.
    """
    if method == b"CONNECT" or b"#" in target:  # no tunnel begins here, and no fragment is ever sent
        raise NoTarget
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return target, None
    whole = _WHOLE.fullmatch(target)
    if whole is None:
        raise NoTarget
    host, rest = whole.groups()
    if not rest:
        return b"*" if method == b"OPTIONS" else b"/", host
    return rest if rest.startswith(b"/") else b"/" + rest, host
