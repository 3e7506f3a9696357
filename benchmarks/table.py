"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; every column but the first is numbers, so it is set to the right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Write a number with as many digits as say something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def milliseconds(seconds: float) -> str:
    """Write a time in milliseconds."""
    return number(seconds * 1e3)


def ratio(value: float) -> str:
    """Write a ratio."""
    return f"{value:.2f}x" if value < 10 else f"{value:.1f}x"
