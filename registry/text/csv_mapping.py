"""Mappings for CSV files of other systems: which of their columns is which of ours, and how a cell is rewritten.

A mapping is a TOML document::

    ignore = ["Badge"]                                      # columns that are left out, by name
    [columns]
    "Emp No" = "employee_number"                            # their column -> ours
    "Employee" = { to = "name", order = "last, first" }     # given_name and family_name
    "Born" = { to = "date_of_birth", date = "%m/%d/%Y" }
    [constants]
    department = "Parks"                                    # our column -> the same text for every row

A column of the file that is neither mapped nor ignored is refused: it may be what somebody meant to protect.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.text.csv_people import COLUMNS, REQUIRED_COLUMNS

MAX_MAPPING_BYTES = 1 << 20
LAST_FIRST = "last, first"
_NAME = "name"
_NAME_PARTS = ("given_name", "family_name")
_DATES = frozenset({"date_of_birth"})
_FULL_NAMES = frozenset(name for name in COLUMNS if name.endswith("_name")) - set(_NAME_PARTS)
_RULE_KEYS = frozenset({"to", "date", "order"})
_KEYS = frozenset({"columns", "constants", "ignore"})
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
# Two digits of a year are refused: 25 may be a child's or a grandmother's.
_DIRECTIVES = {
    "Y": r"(?P<year>[0-9]{4})",
    "m": r"(?P<month>[0-9]{1,2})",
    "d": r"(?P<day>[0-9]{1,2})",
    "B": f"(?P<name>{'|'.join(_MONTHS)})",
    "b": f"(?P<name>{'|'.join(month[:3] for month in _MONTHS)})",
    "%": "%",
}


@dataclass(frozen=True, slots=True)
class _Rule:
    """What becomes of one of their columns.

    Attributes:
        rewrite: a cell -> our columns, or None when the cell has not the form that the mapping promises.
        refusal: code of that.
        targets: our columns.
    """

    targets: tuple[str, ...]
    rewrite: Callable[[str], dict[str, str] | None]
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """A readable mapping."""

    _rules: Mapping[str, _Rule]
    _constants: Mapping[str, str] = field(repr=False)
    _ignored: frozenset[str]

    def header_problems(self, names: list[str]) -> tuple[FieldProblem, ...]:
        """Compare a file's header with the mapping. A name that is not in the mapping is never repeated."""
        known = self._rules.keys() | self._ignored
        if not known >= set(names):
            return (FieldProblem("", "unknown_column"),)
        missing = [FieldProblem(pointer_to(name), "missing_column") for name in self._rules if name not in names]
        repeated = [FieldProblem(pointer_to(name), "repeated_column") for name in known if names.count(name) > 1]
        return (*missing, *sorted(repeated, key=lambda problem: problem.pointer))

    def rewritten(self, cells: Mapping[str, str]) -> tuple[dict[str, str], list[FieldProblem]]:
        """Turn a row's cells into cells of our columns."""
        ours = dict(self._constants)
        problems: list[FieldProblem] = []
        for name, rule in self._rules.items():
            if not cells[name]:
                continue
            made = rule.rewrite(cells[name])
            if made is None:
                problems.append(FieldProblem(pointer_to(name), rule.refusal))
            else:
                ours |= made
        return ours, problems

    def origins(self) -> dict[str, str]:
        """Return pointer of our column -> pointer of the column that it came from."""
        return {f"/{target}": pointer_to(name) for name, rule in self._rules.items() for target in rule.targets}


def read_mapping(raw: bytes) -> CsvMapping:
    """Read a mapping.

    Raises:
        InvalidInput: with pointer and code of each problem: ``not_toml``, ``unknown_key``, ``wrong_type``,
            ``unknown_target``, ``repeated_target``, ``missing_target``, ``date_pattern``, ``not_one_of``.
    """
    try:
        document = tomllib.loads(raw[:MAX_MAPPING_BYTES].decode("utf-8"))
    except (ValueError, RecursionError):
        document = None
    if document is None or len(raw) > MAX_MAPPING_BYTES:
        raise InvalidInput([FieldProblem("", "not_toml")])
    problems = [FieldProblem(pointer_to(key), "unknown_key") for key in document.keys() - _KEYS]
    columns, constants = _table(document, "columns", problems), _table(document, "constants", problems)
    ignored = document.get("ignore", [])
    if not isinstance(ignored, list) or not all(isinstance(name, str) for name in ignored):
        problems.append(FieldProblem("/ignore", "wrong_type"))
        ignored = []
    rules = {name: rule for name, value in columns.items() if (rule := _rule(name, value, problems)) is not None}
    texts = {name: str(text) for name, text in constants.items() if _is_constant(name, text, problems)}
    targets = [target for rule in rules.values() for target in rule.targets] + list(texts)
    problems += [FieldProblem(f"/{target}", "repeated_target") for target in COLUMNS if targets.count(target) > 1]
    problems += [FieldProblem(f"/{target}", "missing_target") for target in REQUIRED_COLUMNS if target not in targets]
    if problems:
        raise InvalidInput(sorted(set(problems), key=lambda problem: (problem.pointer, problem.code)))
    return CsvMapping(rules, texts, frozenset(ignored) - rules.keys())


def _table(document: Mapping[str, object], key: str, problems: list[FieldProblem]) -> Mapping[str, object]:
    table = document.get(key, {})
    if isinstance(table, dict):
        return table
    problems.append(FieldProblem(f"/{key}", "wrong_type"))
    return {}


def _is_constant(name: str, text: object, problems: list[FieldProblem]) -> bool:
    pointer = f"/constants{pointer_to(name)}"
    if name not in COLUMNS:
        problems.append(FieldProblem(pointer, "unknown_target"))
    elif not isinstance(text, str):
        problems.append(FieldProblem(pointer, "wrong_type"))
    return name in COLUMNS and isinstance(text, str)


def _rule(name: str, value: object, problems: list[FieldProblem]) -> _Rule | None:
    given = {"to": value} if isinstance(value, str) else value
    if isinstance(given, dict) and "to" in given and all(isinstance(text, str) for text in given.values()):
        code = _rule_problem(given)
        if code is None:
            return _rule_of(given)
    else:
        code = "wrong_type"
    problems.append(FieldProblem(f"/columns{pointer_to(name)}", code))
    return None


def _rule_of(given: Mapping[str, str]) -> _Rule:
    target = given["to"]
    if "date" in given and (form := _date_form(given["date"])) is not None:
        return _Rule((target,), lambda cell: _iso(form, target, cell), "date_form")
    if target == _NAME:
        return _Rule(_NAME_PARTS, _name_parts, "name_form")
    if "order" in given:
        return _Rule((target,), lambda cell: _turned(target, cell), "name_form")
    return _Rule((target,), lambda cell: {target: cell})


def _rule_problem(given: Mapping[str, str]) -> str | None:
    target, order = given["to"], given.get("order")
    if given.keys() - _RULE_KEYS:
        return "unknown_key"
    if target != _NAME and target not in COLUMNS:
        return "unknown_target"
    if order not in {None, LAST_FIRST} or (target == _NAME and order is None):
        return "not_one_of"
    if (order is not None and target not in {_NAME, *_FULL_NAMES}) or ("date" in given and target not in _DATES):
        return "unknown_key"
    return "date_pattern" if "date" in given and _date_form(given["date"]) is None else None


def _date_form(pattern: str) -> re.Pattern[str] | None:
    """Turn a pattern of strptime's kind into a regular expression; None unless it fixes year, month and day."""
    parts = re.split(r"%(.)", pattern, flags=re.DOTALL)
    directives = parts[1::2]
    names = sorted({"B": "m", "b": "m"}.get(name, name) for name in directives if name != "%")
    if names != ["Y", "d", "m"] or "%" in "".join(parts[0::2]) or not set(directives) <= _DIRECTIVES.keys():
        return None
    turned = [_DIRECTIVES[part] if place % 2 else re.escape(part) for place, part in enumerate(parts)]
    return re.compile("".join(turned), re.IGNORECASE)


def _iso(form: re.Pattern[str], target: str, cell: str) -> dict[str, str] | None:
    found = form.fullmatch(cell.strip())
    if found is None:
        return None
    parts = found.groupdict()
    short = [month[:3].lower() for month in _MONTHS]
    month = int(parts["month"]) if "month" in parts else short.index(parts["name"][:3].lower()) + 1
    try:
        return {target: date(int(parts["year"]), month, int(parts["day"])).isoformat()}
    except ValueError:
        return None


def _name_parts(cell: str) -> dict[str, str] | None:
    family, comma, given = (part.strip() for part in cell.partition(","))
    if not family or not given or not comma or "," in given:
        return None
    return {"given_name": given, "family_name": family}


def _turned(target: str, cell: str) -> dict[str, str] | None:
    parts = _name_parts(cell)
    return None if parts is None else {target: f"{parts['given_name']} {parts['family_name']}"}


def pointer_to(name: str) -> str:
    """Return the pointer (RFC 6901) of a column."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
