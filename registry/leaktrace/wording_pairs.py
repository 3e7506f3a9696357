"""What a report says of two copies together; beside `wording.py`, and by the same rules."""

from __future__ import annotations

from collections.abc import Sequence

from registry.leaktrace.marked_copies import LabelledPair
from registry.leaktrace.wording import many

PAIRS_NOTE = (
    "The writing speaks in some places against every single copy, so copies were looked at two by two as well. Each of "
    "two is scored with the draw of the other taken as given, and the smaller score counts: the bound of a pair holds "
    "as soon as one of the two had no part, whatever the other did. Pairs have an allowance of their own, a tenth of "
    "that of single copies, shared out over all pairs before any draw was compared."
)

PAIR_NAMES_NOBODY = (
    "This is said of the two copies together. It says of neither of them that it would explain the text alone, and "
    "nobody may be named for it."
)


def pairs_compared(compared: int, found: int) -> str:
    """Say that copies were looked at two by two, and what came of it."""
    head = f"No single copy explains every place, so {many(compared, 'pair')} of copies were compared as well:"
    if not found:
        return f"{head} none of them explains the writing beyond chance."
    return f"{head} {many(found, 'pair')} {'explains' if found == 1 else 'explain'} it beyond chance, together."


def pair_tier(labels: tuple[str, str]) -> str:
    """Word the tier of a pair: about two copies together, never about one of them."""
    return (
        "The writing of the text gives strong support that it was put together from copies served to "
        f"{labels[0]} and to {labels[1]}, these two together."
    )


def pair_reason(labels: tuple[str, str], bound: float) -> str:
    """Say what the bound of a pair is."""
    return (
        f"{labels[0]} with {labels[1]}: at most {bound:.2g} of investigations would flag any two copies like these of "
        "which at least one had no part."
    )


def pair_places(pair: LabelledPair) -> str:
    """Say how the places read are divided between two copies."""
    told, (first, second) = pair.evidence, pair.labels
    read = told.both + sum(told.alone) + told.neither
    return (
        f"{first} with {second}: of {many(read, 'place')} read, {told.both} are written as the copies of both, "
        f"{told.alone[0]} as those of {first} alone, {told.alone[1]} as those of {second} alone, {told.neither} as "
        "neither."
    )


def other_pairs_too(pairs: Sequence[tuple[str, str]]) -> str:
    """Say that other pairs reach the same tier."""
    return f"The same holds for {'; '.join(' with '.join(one) for one in pairs)}: more than two may have had a part."
