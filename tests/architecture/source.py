"""The project's own files, read once: what the architecture tests look at."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_UNTRACKED_FOLDERS = {"build", "dist", "registry-demo", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file.

    Attributes:
        path: relative to the repository's top, with forward slashes.
        text: its source.
        tree: its syntax tree.
    """

    path: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The room it belongs to (``registry/vault/open.py`` → ``vault``), or the module's own name."""
        parts = self.path.removesuffix(".py").split("/")
        return parts[1] if parts[0] == "registry" and len(parts) > 1 else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that breaks a rule."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def parse(text: str, path: str = "registry/services/example.py") -> Module:
    """Return a module made from text; the path decides which rules look at it."""
    return Module(path, text, ast.parse(text))


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Return every Python module below the named folders of the repository, sorted by path."""
    paths = sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts
    )
    return tuple(parse(path.read_text("utf-8"), path.relative_to(ROOT).as_posix()) for path in paths)


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return the files that git keeps; outside a repository, every file that is not a build's or a tool's."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not _is_passed_over(path.relative_to(ROOT))]
    return tuple(sorted(path for path in found if path.is_file()))


def _is_passed_over(path: Path) -> bool:
    hidden = any(part.startswith(".") and part not in {".ci", ".gitignore", ".dockerignore"} for part in path.parts)
    return hidden or bool(_UNTRACKED_FOLDERS & set(path.parts))


def rooms() -> tuple[Path, ...]:
    """Return the folders of the rooms that exist: those that hold Python files."""
    return tuple(sorted(path for path in (ROOT / "registry").iterdir() if path.is_dir() and any(path.glob("*.py"))))
