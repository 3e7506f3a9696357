"""``email``: ``{"address"}``."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from registry.text.rules.characters import character_problem
from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import frame_problem

KEYS = frozenset({"address"})

MAX_EMAIL = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets


def check_email(value: ObjectReader) -> None:
    value.required("address", email_problem)


def email_problem(text: str) -> str | None:
    """Check the syntax of one bare address. Nobody is asked whether the mailbox or domain exists.

    Returns:
        Codes of ``frame_problem`` and ``character_problem``, ``email_form``, or None.
    """
    code = frame_problem(text, MAX_EMAIL) or character_problem(text)
    if code is not None:
        return code
    try:
        # The reserved .test domain is let through: rehearsals enroll made-up people.
        validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        return "email_form"
    return None
