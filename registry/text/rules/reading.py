"""One submitted document being read: where one stands in it, what day it is, and what was wrong so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date

from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput

MAX_PROBLEMS = 50  # an answer stays readable, and a hostile body cannot make it long

TextRule = Callable[[str], "str | None"]
"""Looks at one text; returns the code of what is wrong with it, or None."""


class Reading:
    """What holds for a whole document: today's date and the problems found.

    Attributes:
        today: the day to judge dates by.
        problems: at most ``MAX_PROBLEMS``, in the order in which they were found.
    """

    __slots__ = ("problems", "today")

    def __init__(self, today: date) -> None:
        self.today = today
        self.problems: list[FieldProblem] = []

    def refuse(self, pointer: str, code: str) -> None:
        """Note a problem; beyond the limit further ones are dropped."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(FieldProblem(pointer, code))

    def finish(self) -> None:
        """Raise InvalidInput when anything was refused."""
        if self.problems:
            raise InvalidInput(self.problems)

    def open(self, value: object, keys: AbstractSet[str], pointer: str) -> ObjectReader | None:
        """Take a value as an object with these keys only; note what is wrong and return None if it is none."""
        if not isinstance(value, dict):
            self.refuse(pointer, "wrong_type")
            return None
        if not value.keys() <= keys:
            # The key itself may be somebody's number, so the pointer stops at the object that holds it.
            self.refuse(pointer, "unknown_key")
        return ObjectReader(self, value, pointer)


class ObjectReader:
    """One JSON object of the document: gives its members by name and notes their problems."""

    __slots__ = ("_members", "pointer", "reading")

    def __init__(self, reading: Reading, members: Mapping[str, object], pointer: str) -> None:
        self.reading = reading
        self.pointer = pointer
        self._members = members

    def has(self, key: str) -> bool:
        """Tell whether the key is there, whatever its value."""
        return key in self._members

    def member(self, key: str) -> object:
        """Return the raw value of a key, None when it is not there."""
        return self._members.get(key)

    def texts(self) -> dict[str, str]:
        """Return a copy of all members; call it only after a rule found each of them to be a text."""
        return {key: value for key, value in self._members.items() if isinstance(value, str)}

    def refuse(self, code: str, key: str | None = None) -> None:
        """Note a problem of the object itself, or of one of its known keys."""
        self.reading.refuse(self.pointer if key is None else f"{self.pointer}/{key}", code)

    def required(self, key: str, rule: TextRule) -> str:
        """Return a text that must be there and keep the rule; empty when refused."""
        if key not in self._members:
            self.refuse("missing", key)
            return ""
        return self.optional(key, rule)

    def optional(self, key: str, rule: TextRule) -> str:
        """Return a text that keeps the rule; empty when it is not there or refused. ``null`` is a wrong type."""
        if key not in self._members:
            return ""
        value = self._members[key]
        if not isinstance(value, str):
            self.refuse("wrong_type", key)
            return ""
        code = rule(value) if value else "empty"
        if code is not None:
            self.refuse(code, key)
            return ""
        return value

    def items(self, key: str, keys: AbstractSet[str], limit: int) -> Iterator[ObjectReader]:
        """Yield the objects of a list; an absent list is an empty one."""
        if key not in self._members:
            return
        value = self._members[key]
        if not isinstance(value, list):
            self.refuse("wrong_type", key)
            return
        if len(value) > limit:
            self.refuse("too_many", key)
            return
        for position, item in enumerate(value):
            entry = self.reading.open(item, keys, f"{self.pointer}/{key}/{position}")
            if entry is not None:
                yield entry
