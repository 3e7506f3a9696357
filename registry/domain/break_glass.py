"""Opening a card in an emergency: what reviews find of it."""

from __future__ import annotations

from enum import StrEnum


class Finding(StrEnum):
    """What a review says of an emergency."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"
