"""Where something went wrong, for logs and terminals: a line of code, because an exception's text may quote a value."""

from __future__ import annotations

from traceback import walk_tb

_PACKAGE = "registry."


def place_of(error: BaseException) -> str:
    """Name the innermost line of this program that an error passed, or of whatever else raised it: ``module:line``."""
    frames = [(frame.f_globals.get("__name__", ""), line) for frame, line in walk_tb(error.__traceback__)]
    own = [frame for frame in frames if frame[0].startswith(_PACKAGE)]
    module, line = (own or frames or [("nowhere", 0)])[-1]
    return f"{module}:{line}"
