"""Sentences about documents of which not everything could be read as text."""

from __future__ import annotations

from registry.leaktrace.evidence_items import NotRead

_KINDS = {
    "image": ("image that was not read", "images that were not read"),
    "image_read_by_ocr": (
        "image that a program read, as well as it could",
        "images that a program read, as well as it could",
    ),
    "moving_image": ("moving image of which one frame was read", "moving images of which one frame was read"),
    "embedded_object": ("embedded file that could not be opened", "embedded files that could not be opened"),
    "encrypted_part": ("encrypted part", "encrypted parts"),
    "undecodable_text": ("text in a font or code that says nothing of its letters",) * 2,
}


def parts_not_read(parts: NotRead) -> str:
    """Return the parts in words: ``1 encrypted part, 2 images that were not read``."""
    return ", ".join(f"{count} {_noun(what, count)}" for what, count in parts)


def not_read(parts: NotRead) -> tuple[str, ...]:
    """Say that nothing follows for parts of what was sent; nothing where all of it was read."""
    if not parts:
        return ()
    told = (
        f"Not all of what was sent is text that was read for sure: {parts_not_read(parts)}. Protected values may stand "
        "there that this report does not know of; somebody has to look."
    )
    return (told,)


def _noun(what: str, count: int) -> str:
    one, more = _KINDS.get(what, (f"{what.replace('_', ' ')}, not read",) * 2)
    return one if count == 1 else more
