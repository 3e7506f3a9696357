"""Plaintext under a receipt: masked wherever it could be shown by accident."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Concatenate, NoReturn, ParamSpec, final

from registry.domain.categories import CATEGORIES, Category
from registry.domain.ids import RecordId, SubjectId
from registry.vault.masks import masked_value

P = ParamSpec("P")


@final
class RevealedField:
    """One opened value. ``expose()`` gives it; an architecture test lists the modules that may call it.

    Attributes:
        record, subject, category, version: which value this is.
        member: the household member's ref it belongs to, or None.
    """

    __slots__ = ("_value", "category", "member", "record", "subject", "version")

    def __init__(
        self, record: RecordId, subject: SubjectId, label: tuple[str, int], payload: Mapping[str, object]
    ) -> None:
        self.record = record
        self.subject = subject
        self.category, self.version = label
        member = payload.get("member")
        self.member = member if isinstance(member, str) else None
        self._value: Mapping[str, str] = payload["value"]  # type: ignore[assignment]  # shape written by Vault.seal

    def expose(self) -> Mapping[str, str]:
        """Return the value as enrolled."""
        return self._value

    def rewritten(
        self,
        write: Callable[Concatenate[Category, Mapping[str, str], P], Mapping[str, str]],
        *told: P.args,
        **named: P.kwargs,
    ) -> RevealedField:
        """Return the same in another writing of its value, as one copy shows it.

        Args:
            write: makes it of category and value, and of whatever else it is told.
            *told: handed on to it.
            **named: likewise.
        """
        return self._with(write(CATEGORIES[self.category], self._value, *told, **named))

    def masked(self) -> RevealedField:
        """Return the same with the masked form of its value; the value itself is not in it."""
        return self._with(masked_value(CATEGORIES[self.category], self._value))

    def _with(self, value: Mapping[str, str]) -> RevealedField:
        payload = {"member": self.member, "value": value}
        return RevealedField(self.record, self.subject, (self.category, self.version), payload)

    def __repr__(self) -> str:
        return f"RevealedField({self.category}, record={self.record}, ***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a revealed field is never pickled")
