"""The must-fail file is held by mypy: an error that no longer occurs is itself an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT


def mypy(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--no-error-summary", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_bypass_is_a_type_error() -> None:
    outcome = mypy("tests/typing/no_bypass.py")
    assert outcome.returncode == 0, outcome.stdout


def planted(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    path = folder / "planted.py"
    path.write_text(line + "\n", "utf-8")
    return mypy(str(path))


def test_a_vanished_error_is_reported(tmp_path: Path) -> None:
    outcome = planted(tmp_path, "text: str = 'x'  # type: " + "ignore[assignment]  # was an error once")
    assert outcome.returncode == 1
    assert "unused-ignore" in outcome.stdout


def test_an_ignore_without_its_code_is_reported(tmp_path: Path) -> None:
    outcome = planted(tmp_path, "text: str = 1  # type: " + "ignore")
    assert outcome.returncode == 1
    assert "ignore-without-code" in outcome.stdout
