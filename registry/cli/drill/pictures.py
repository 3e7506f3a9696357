"""Photographing a text and reading the picture again, with the text recogniser of this machine where there is one."""

from __future__ import annotations

import shutil
import subprocess

from registry.domain.errors import MisconfiguredHome
from registry.reports.as_picture import render_picture

RECOGNISER = "tesseract"
_SECONDS = 60


def is_recogniser_here() -> bool:
    """Tell whether pictures can be read on this machine."""
    return shutil.which(RECOGNISER) is not None


def photographed(text: str) -> str:
    """Return what the text recogniser reads on a picture of a text; the picture is never a file.

    Raises:
        MisconfiguredHome: it is not there, failed, or took longer than a minute.
    """
    found = shutil.which(RECOGNISER)
    if found is None:
        raise MisconfiguredHome(f"{RECOGNISER} is not installed")
    command = [found, "stdin", "stdout", "--psm", "6"]
    try:
        done = subprocess.run(command, input=render_picture(text), capture_output=True, check=True, timeout=_SECONDS)  # noqa: S603 - found on the operator's PATH, no shell
    except subprocess.SubprocessError as error:
        raise MisconfiguredHome(f"{RECOGNISER} failed") from error
    return done.stdout.decode("utf-8", "replace")
