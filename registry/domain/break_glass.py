"""Opening a card in an emergency: how long it stays open, and how long the review of it may take."""

from __future__ import annotations

from enum import StrEnum

_HOUR_MS = 3_600_000
OPEN_MS = _HOUR_MS
# Over a weekend somebody looks at it; whoever opened it opens nothing else that way until somebody has.
REVIEW_MS = 72 * _HOUR_MS


class Finding(StrEnum):
    """What a review says of an emergency."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"
