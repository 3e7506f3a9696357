"""Checking a submitted form: the rules of the API's bodies, and a sentence for each field that breaks one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from registry.console.forms import Form
from registry.console.pages import FieldError
from registry.console.words import problem_words
from registry.domain.ids import SubjectId, is_id
from registry.services.petitions import MOST_TEXT
from registry.text.rules.employee_number import employee_number_problem
from registry.text.rules.reading import TextRule
from registry.text.rules.texts import one_line, paragraphs, reason_problem

CASE_RULE = one_line(100)
NOTE_RULE = paragraphs(1_000)
DEPARTMENT_RULE = one_line(120)
SOURCE_RULE = one_line(300)
UNIT_RULE = one_line(120)
CASE_NOTE_RULE = paragraphs(4_000)
PETITION_RULE = paragraphs(MOST_TEXT)
REASON_RULE = reason_problem

# Offsets, not zones: at the end of summer time an hour comes twice, and only the offset says which one is meant.
OFFSETS: Mapping[str, str] = {
    "+00:00": "UTC",
    "-04:00": "UTC-4: Eastern daylight time",
    "-05:00": "UTC-5: Central daylight, Eastern standard time",
    "-06:00": "UTC-6: Central standard, Mountain daylight time",
    "-07:00": "UTC-7: Mountain standard, Pacific daylight time",
    "-08:00": "UTC-8: Pacific standard time",
}
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)
_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?", re.ASCII)

Choice = TypeVar("Choice", bound=StrEnum)
Code = TypeVar("Code", bound=str)


class Checks:
    """Reads the fields of one form and notes what is wrong with them.

    Attributes:
        errors: so far, in the order in which fields were read.
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        self.errors: list[FieldError] = []

    def refuse(self, field: str, sentence: str) -> None:
        """Note that something is wrong with a field."""
        self.errors.append(FieldError(field, sentence))

    def required(self, field: str, label: str, rule: TextRule) -> str:
        """Return a text that must be there and keep the rule; empty when it does not."""
        if not self._form.text(field):
            self.refuse(field, f"{label} is missing.")
            return ""
        return self.optional(field, label, rule)

    def optional(self, field: str, label: str, rule: TextRule) -> str:
        """Return a text that may be left out; empty when it is, or breaks the rule."""
        text = self._form.text(field)
        code = rule(text) if text else None
        if code is None:
            return text
        self.refuse(field, f"{label} {problem_words(code)}.")
        return ""

    def one(self, field: str, sentence: str, known: Iterable[Code]) -> Code | None:
        """Return the chosen one of several; None, and the sentence noted, when none of them was chosen."""
        chosen = self._form.text(field)
        for choice in known:
            if choice == chosen:
                return choice
        self.refuse(field, sentence)
        return None

    def several(self, field: str, sentence: str, kind: type[Choice]) -> frozenset[Choice]:
        """Return the chosen ones, at least one; otherwise the sentence is noted."""
        known = frozenset(kind)
        chosen = frozenset(kind(text) for text in self._form.texts(field) if text in known)
        if not chosen:
            self.refuse(field, sentence)
        return chosen

    def number(self, field: str, label: str, most: int) -> int:
        """Return a whole number from 1 to ``most``; 1, and a sentence noted, when it is none."""
        text = self._form.text(field)
        if _DIGITS.fullmatch(text) and 1 <= int(text) <= most:
            return int(text)
        self.refuse(field, f"{label} must be a whole number from 1 to {most}.")
        return 1

    def person(self, ask_tag: Callable[[str], bytes]) -> tuple[SubjectId | None, bytes | None]:
        """Return whom a form is about: a subject chosen on an earlier page, or the tag of an employee number.

        Args:
            ask_tag: makes the tag of a number.
        """
        subject = self._form.text("subject")
        if is_id(subject):
            return SubjectId(subject), None
        number = self.required("employee_number", "Employee number", employee_number_problem)
        return None, ask_tag(number) if number else None

    def moment(self, field: str, label: str) -> datetime | None:
        """Return a local time joined with the offset chosen beside it (``<field>_offset``); None when left out."""
        text, offset = self._form.text(field), self._form.text(f"{field}_offset")
        if not text:
            return None
        if _LOCAL_TIME.fullmatch(text) and offset in OFFSETS:
            try:
                return datetime.fromisoformat(f"{text}{offset}")
            except ValueError:
                pass
        self.refuse(field, f"{label} is not a date and time, such as 2026-03-02 14:30 with its offset.")
        return None
