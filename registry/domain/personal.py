"""A wrapper that keeps personal text out of reprs, logs and JSON by accident."""

from __future__ import annotations

from typing import NoReturn


class PersonalValue:
    """Personal text on its way in: masked wherever it could be shown by accident.

    ``expose()`` gives the text; the architecture tests list the modules that may call it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def expose(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "PersonalValue(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a personal value is never pickled")
