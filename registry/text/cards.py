"""Payment card numbers: 12 to 19 digits that pass the Luhn check (ISO/IEC 7812-1)."""

from __future__ import annotations

from registry.text.digits import Run
from registry.text.fold import fold_word

CARD_RUNS = frozenset(range(12, 20))
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """Tell whether a digit string passes the Luhn check."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        total += _DOUBLED[value] if place % 2 else value
    return total % 10 == 0


def canonical_card(number: str) -> str | None:
    """Return the digits of an enrolled number, or None if their count cannot be a card's."""
    digits = "".join(char for char in fold_word(number) if char.isdigit())
    return digits if len(digits) in CARD_RUNS else None


def cards_in(run: Run) -> list[str]:
    """Return the numbers that a run may stand for."""
    return [reading for reading in run.readings if luhn(reading)]
