"""Photographs of a page, more or less bad, and what tesseract reads on them. Neither is ever a file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from random import Random

import typst

_PAGE = """
#let told = json("told.json")
#set page(width: 15cm, height: auto, margin: 9mm, fill: luma(told.paper))
#set text(font: told.font, size: told.points * 1pt, fill: luma(told.ink), hyphenate: false)
#set par(leading: 0.9em)
#for speck in told.specks [
  #place(dx: speck.at(0) * 1mm, dy: speck.at(1) * 1mm, circle(radius: 0.12mm, fill: luma(told.ink)))
]
#rotate(told.tilt * 1deg, origin: center, reflow: true)[
  #align(left)[#for line in told.lines [#line \\ ]]
]
"""
_FONTS = ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern")
_SECONDS = 120


def is_reader_here() -> bool:
    """Tell whether pictures can be read on this machine."""
    return shutil.which("tesseract") is not None


def photographed(text: str, chance: Random) -> str:
    """Return what is read on one photograph: of another font, size, tilt, contrast and dirt each time."""
    lines = text.split("\n")
    told = {
        "lines": lines,
        "font": chance.choice(_FONTS),
        "points": chance.uniform(9.5, 12.0),
        "paper": chance.randrange(205, 256),
        "ink": chance.randrange(0, 90),
        "tilt": chance.uniform(-0.8, 0.8),
        "specks": [(chance.uniform(0, 130), chance.uniform(0, 6.5 * len(lines))) for _ in range(3 * len(lines))],
    }
    inputs = {"main": _PAGE.encode(), "told.json": json.dumps(told).encode()}
    picture = typst.compile(inputs, format="png", ppi=chance.randrange(96, 160), ignore_system_fonts=True)  # type: ignore[call-overload]  # typst's stubs leave out the dict of virtual files
    command = ["tesseract", "stdin", "stdout", "--psm", "6"]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    done = subprocess.run(
        command, input=bytes(picture), capture_output=True, check=True, timeout=_SECONDS, env=environment
    )
    return done.stdout.decode("utf-8", "replace")
