"""A text as a picture of a page, for what reads pictures: the drill's photographs, and benchmarks.

The text goes in as JSON in a virtual file and is never read as markup; no system font is used.
"""

from __future__ import annotations

import json

import typst

from registry.reports.as_pdf import printable

_PAGE = """
#let told = json("text.json")
#set page(width: 15cm, height: auto, margin: 8mm)
#set text(font: "Libertinus Serif", size: told.points * 1pt)
#set par(leading: 0.8em)
#for line in told.lines [#line \\ ]
"""


def render_picture(text: str, *, points: float = 11.0, dots_per_inch: int = 150) -> bytes:
    """Return a PNG of a text.

    Args:
        text: its lines; a character without a glyph becomes its number.
        points: size of the writing.
        dots_per_inch: of the picture.
    """
    told = {"lines": [printable(line) for line in text.split("\n")], "points": points}
    inputs = {"main": _PAGE.encode(), "text.json": json.dumps(told, ensure_ascii=True).encode()}
    png = typst.compile(inputs, format="png", ppi=dots_per_inch, ignore_system_fonts=True)  # type: ignore[call-overload]  # typst's stubs leave out the dict of virtual files
    return bytes(png)
