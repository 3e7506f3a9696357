"""Draw the rooms and their imports from the code: ``python -m tests.architecture.import_graph``.

Reads syntax trees, not import-linter's graph: a second opinion on the contracts of pyproject.toml. Only the order of
the floors is taken from there. Ends with status 1 when an arrow points upwards or sideways.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.architecture.source import ROOT, Module, modules

_APART = {"", "__init__", "__main__"}


@dataclass(frozen=True, slots=True)
class Room:
    """A room as it stands in the code.

    Attributes:
        modules, lines: how large it is.
        imports: rooms that it imports, with the number of importing statements.
    """

    modules: int
    lines: int
    imports: Mapping[str, int]


def floors() -> tuple[tuple[str, ...], ...]:
    """Return the rooms by floor, the lowest floor first, as pyproject.toml orders them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = next(contract["layers"] for contract in settings["contracts"] if contract["id"] == "floors")
    return tuple(tuple(re.findall(r"\w+", layer)) for layer in reversed(layers))


def read_rooms(code: Iterable[Module]) -> dict[str, Room]:
    """Return each room of the given modules with what it imports from other rooms."""
    sizes: dict[str, list[int]] = {}
    arrows: dict[str, Counter[str]] = {}
    for module in code:
        if module.room in _APART:
            continue
        sizes.setdefault(module.room, []).append(len(module.text.splitlines()))
        arrows.setdefault(module.room, Counter()).update(_imported_rooms(module))
    return {room: Room(len(lines), sum(lines), arrows[room]) for room, lines in sorted(sizes.items())}


def bad_arrows(rooms: Mapping[str, Room], order: tuple[tuple[str, ...], ...]) -> list[str]:
    """Name the imports that do not point to a lower floor, and the rooms that stand on no floor."""
    height = {room: floor for floor, names in enumerate(order) for room in names}
    bad = [f"{room} stands on no floor" for room in rooms if room not in height]
    for room, seen in rooms.items():
        bad += [
            f"{room} -> {target} does not point downwards"
            for target in seen.imports
            if height.get(target, len(order)) >= height.get(room, -1)
        ]
    return bad


def draw(rooms: Mapping[str, Room], order: tuple[tuple[str, ...], ...]) -> str:
    """Return the picture: one block per floor, the highest first; the figure at an arrow counts import statements."""
    lines = []
    for floor in range(len(order) - 1, -1, -1):
        for position, room in enumerate(name for name in order[floor] if name in rooms):
            seen = rooms[room]
            targets = sorted(seen.imports.items(), key=lambda item: (-item[1], item[0]))
            arrows = ", ".join(f"{target} {count}" for target, count in targets) or "nothing of ours"
            label = f"floor {floor}" if position == 0 else ""
            lines.append(f"{label:8} {room:13} {seen.modules:3} modules {seen.lines:5} lines  -> {arrows}")
        lines.append("")
    return "\n".join(lines)


def _imported_rooms(module: Module) -> list[str]:
    found = []
    for node in ast.walk(module.tree):
        for name in _imported_names(node, module):
            parts = name.split(".")
            if parts[0] == "registry" and len(parts) > 1 and parts[1] != module.room:
                found.append(parts[1])
    return found


def _imported_names(node: ast.AST, module: Module) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        package = module.path.removesuffix(".py").split("/")[: -node.level]
        base = ".".join([*package, *([node.module] if node.module else [])])
    return [f"{base}.{alias.name}" for alias in node.names] if base == "registry" else [base]


def main() -> int:
    """Draw the graph of this checkout; return 1 when an arrow points the wrong way."""
    order = floors()
    rooms = read_rooms(modules("registry"))
    bad = bad_arrows(rooms, order)
    sys.stdout.write(draw(rooms, order) + "".join(f"WRONG: {line}\n" for line in bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
