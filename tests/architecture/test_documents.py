"""What exists is explained: rooms in their README, settings and commands in docs/, errors in the HTTP answers.

Each walk starts from the code, so a newcomer is missed by nobody.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import registry
from registry.cli.main import main as command_line
from registry.domain.errors import RegistryError
from registry.identity.issuers import IssuerSettings
from registry.keys.openbao.settings import KeyServiceSettings
from registry.settings import Settings
from tests.architecture.source import ROOT, Module, modules, parse, rooms, tracked_files

_OPTIONS_OF_ALL = {"--help", "--home", "--json"}  # described once
_IN_THE_WHEEL = "registry/_migrations"
# By --home, REGISTRY_HOME and REGISTRY_DATABASE_URL; by the keys of the table [keys].
_GIVEN_OTHERWISE = {
    *("home", "database_url", "key_service", "unsealing", "key_cache", "backups_kept", "keys_exchanged"),
    "openings_kept",
}
_GIVEN_IN_TABLES = {
    *("provider", "cache_keys", "cache_seconds", "backups_kept_days", "exchanged_days"),
    "openings_kept_days",
}
_SETTINGS = (Settings, IssuerSettings, KeyServiceSettings)


def documentation() -> str:
    return "\n".join(path.read_text("utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))


def unnamed(names: Iterable[str], text: str) -> list[str]:
    """Return the names that the text does not hold as whole words (in code style or not)."""
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]


# ---- rooms ----


def parts_of(room: Path) -> list[str]:
    """Return what a room's README must name: its modules and the folders in it."""
    named = [path.stem for path in room.glob("*.py") if path.stem != "__init__"]
    folders = [path.name for path in room.iterdir() if path.is_dir() and not path.name.startswith(("_", "."))]
    return sorted(named + folders)


def in_code_style(text: str) -> str:
    """Return only what a page sets in code style: a module called `fields` is not named by a sentence about fields."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


@pytest.mark.parametrize("room", rooms(), ids=lambda room: room.name)
def test_a_room_says_what_lives_in_it(room: Path) -> None:
    readme = room / "README.md"
    assert readme.is_file(), f"registry/{room.name} has no README.md"
    assert unnamed(parts_of(room), in_code_style(readme.read_text("utf-8"))) == []


def test_an_unnamed_module_is_found() -> None:
    text = in_code_style("`vault.py` seals fields.\n```\nopen/  opens\n```\n")
    assert unnamed(["vault", "open", "fields"], text) == ["fields"]


# ---- errors ----


def leaves(error: type[RegistryError]) -> Iterator[type[RegistryError]]:
    for child in error.__subclasses__():
        yield child
        yield from leaves(child)


def all_errors() -> set[str]:
    for module in pkgutil.walk_packages(registry.__path__, "registry."):
        if not module.name.endswith("__main__") and "_migrations" not in module.name:
            importlib.import_module(module.name)
    return {error.__name__ for error in leaves(RegistryError) if error.__module__.startswith("registry.")}


def unmapped(errors: Iterable[str], source: str) -> list[str]:
    used = {node.id for node in ast.walk(parse(source).tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(parse(source).tree) if isinstance(node, ast.Attribute)}
    return sorted(set(errors) - used)


def test_every_error_has_its_http_answer() -> None:
    assert unmapped(all_errors(), (ROOT / "registry/api/errors.py").read_text("utf-8")) == []


def test_an_unmapped_error_is_found() -> None:
    assert unmapped(["Busy", "Conflict"], "STATUS = {Busy: 503}\n") == ["Conflict"]


# ---- settings ----


def environment_names(code: Iterable[Module]) -> set[str]:
    """Return the environment variables that the code reads or names."""
    return {
        node.value
        for module in code
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and re.fullmatch(r"REGISTRY_[A-Z_]+", str(node.value))
    }


def test_every_environment_variable_is_documented() -> None:
    names = environment_names(modules("registry"))
    assert {"REGISTRY_HOME", "REGISTRY_DATABASE_URL"} <= names
    assert unnamed(names, in_code_style(documentation())) == []


def test_every_key_of_the_configuration_is_documented() -> None:
    keys = {field.name for kind in _SETTINGS for field in dataclasses.fields(kind)}
    assert {"issuers", "jwks_uri", "security_contact"} <= keys
    assert unnamed(keys - _GIVEN_OTHERWISE | _GIVEN_IN_TABLES, in_code_style(documentation())) == []


def test_an_undocumented_variable_is_found() -> None:
    names = environment_names([parse('where = environment.get("REGISTRY_ATTIC")\n')])
    assert unnamed(names, "`REGISTRY_HOME`") == ["REGISTRY_ATTIC"]


# ---- command line ----


def commands(command: Any, path: str, context: Any) -> Iterator[tuple[str, set[str]]]:
    """Yield each command's path and its long options."""
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    yield path, options - _OPTIONS_OF_ALL
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from commands(command.get_command(context, name), f"{path} {name}", context)


def undocumented_options(found: Iterable[tuple[str, set[str]]], text: str) -> list[str]:
    """Return commands that are not named, and options that no paragraph or table row about the command names."""
    missing = []
    blocks = [*re.split(r"\n\s*\n", text), *text.splitlines()]
    for path, options in found:
        about = "\n".join(block for block in blocks if not unnamed([path], block))
        missing += (
            [path] if not about else [f"{path} {option}" for option in sorted(options) if unnamed([option], about)]
        )
    return missing


def test_every_command_and_option_is_documented() -> None:
    found = list(commands(command_line, "registry", click.Context(command_line)))
    assert len(found) > 10
    assert undocumented_options(found, documentation()) == []


def test_an_undocumented_option_is_found() -> None:
    found = [("registry", {"--home"}), ("registry serve", {"--port"}), ("registry init", set())]
    text = "`registry` takes `--home`.\n\n| `registry serve` | `--port` |\n"
    assert undocumented_options(found, text) == ["registry init"]
    assert undocumented_options(found, text.replace("--port", "--ports")) == ["registry serve --port", "registry init"]


# ---- links ----


def pages() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".md"]


def dead_links(page: Path, text: str) -> list[str]:
    """Return relative links, and paths in code style, that lead nowhere."""
    linked = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    dead = [target for target in linked if target and not (page.parent / target).exists()]
    named = re.findall(r"`((?:tests|registry|docs|migrations|benchmarks)/[\w./-]*\w)`", text)
    return dead + [path for path in named if path != _IN_THE_WHEEL and not (ROOT / path).exists()]


def test_every_link_and_path_leads_somewhere() -> None:
    found = {page.relative_to(ROOT).as_posix(): dead_links(page, page.read_text("utf-8")) for page in pages()}
    assert {page: dead for page, dead in found.items() if dead} == {}


def test_a_dead_link_is_found() -> None:
    text = "[a](docs/README.md), [b](docs/none.md#x), `registry/vault/vault.py`, `tests/none`, [c](https://example.org)"
    assert dead_links(ROOT / "README.md", text) == ["docs/none.md", "tests/none"]
