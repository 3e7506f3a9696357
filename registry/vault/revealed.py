"""Plaintext under a receipt: masked wherever it could be shown by accident."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn, final

from registry.domain.categories import Category
from registry.domain.ids import RecordId, SubjectId
from registry.vault.masks import masked_value


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

    def rewritten(self, write: Callable[[Category, Mapping[str, str]], Mapping[str, str]]) -> RevealedField:
        """Return the same in another writing of its value, as one copy shows it."""
        payload = {"member": self.member, "value": write(Category(self.category), self._value)}
        return RevealedField(self.record, self.subject, (self.category, self.version), payload)

    def masked(self) -> RevealedField:
        """Return the same with the masked form of its value; the value itself is not in it."""
        payload = {"member": self.member, "value": masked_value(Category(self.category), self._value)}
        return RevealedField(self.record, self.subject, (self.category, self.version), payload)

    def __repr__(self) -> str:
        return f"RevealedField({self.category}, record={self.record}, ***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a revealed field is never pickled")
