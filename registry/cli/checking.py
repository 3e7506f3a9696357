"""Checking the free text of options by the rules that the API has for the same fields."""

from __future__ import annotations

from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.identity.claims import is_plain_text
from registry.text.rules.reading import TextRule
from registry.text.rules.texts import one_line, paragraphs

CASE = one_line(100)
NOTE = paragraphs(1_000)
SOURCE = one_line(300)
UNIT = one_line(120)


def plain(text: str) -> str | None:
    """Check a name of a principal or issuer."""
    return None if is_plain_text(text) else "not_plain_text"


def demand(*checks: tuple[str, str | None, TextRule]) -> None:
    """Check options.

    Args:
        checks: option name, its text or None where it was left out, the rule.

    Raises:
        InvalidInput: naming the options; never a text.
    """
    problems = [
        FieldProblem(option, code)
        for option, text, rule in checks
        if text is not None and (code := rule(text)) is not None
    ]
    if problems:
        raise InvalidInput(problems)
