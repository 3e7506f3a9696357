"""Social security numbers: nine digits, however they are grouped."""

from __future__ import annotations

from registry.text.digits import Run
from registry.text.fold import fold_word

SSN_RUNS = frozenset({9})


def canonical_ssn(number: str) -> str | None:
    """Return the nine digits of an enrolled number, or None."""
    digits = "".join(char for char in fold_word(number) if char.isdigit())
    return digits if len(digits) == 9 else None


def ssns_in(run: Run) -> tuple[str, ...]:
    """Return the numbers that a run of nine digits may stand for."""
    return run.readings
