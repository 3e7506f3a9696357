"""The columns of a people file, and how one row of them becomes the body of an enrollment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.domain.enrollment import FieldProblem
from registry.domain.errors import UnreadableDocument
from registry.text.strict_json import parse_json

_DIRECTORY = ("employee_number", "given_name", "family_name", "department", "title", "supervisor")
_PARTS = {"street": "street", "unit": "unit", "city": "city", "state": "state", "zip": "postal_code"}
_PHONES = {"home_phone": "home", "mobile_phone": "mobile"}
# Columns of employee numbers with a semicolon between, and the relation that each declares.
_RELATED = {"kin": "kin", "former_partners": "former_partner"}
_SPOUSE_NUMBER = "spouse_employee_number"
_CARDS = ("card_1", "card_2")
_MOST_CHILD_COLUMNS = 9

COLUMNS = frozenset(
    {*_DIRECTORY, "home_address", *_PARTS, *_PHONES, "ssn", "date_of_birth", *_CARDS, "spouse_name", "children"}
    | {"health_statement", _SPOUSE_NUMBER, *_RELATED}
    | {f"child_{n}_{what}" for n in range(1, _MOST_CHILD_COLUMNS + 1) for what in ("name", "school")}
)
REQUIRED_COLUMNS = ("employee_number", "department")

_CHILD_KEYS = frozenset({"name", "school"})


@dataclass(frozen=True, slots=True)
class _Child:
    """A child as its columns give it; equality is about the child, not about the columns."""

    name: str = field(repr=False)
    school: str = field(repr=False)
    name_column: str = field(compare=False)
    school_column: str = field(compare=False)


@dataclass(slots=True)
class RowDocument:
    """The body that is being put together from a row.

    Attributes:
        document: body of one enrollment.
        columns: pointer into the document -> ``/column``; a pointer speaks for everything below it.
        problems: what stands in the way of a document.
    """

    document: dict[str, object] = field(default_factory=dict, repr=False)
    columns: dict[str, str] = field(default_factory=dict)
    problems: list[FieldProblem] = field(default_factory=list)
    _family: list[object] = field(default_factory=list, repr=False)
    _records: list[object] = field(default_factory=list, repr=False)
    _relations: list[object] = field(default_factory=list, repr=False)

    def add_relation(self, kind: str, employee_number: str, column: str) -> None:
        """Add a relation to another employee that came from a column."""
        self.columns[f"/relations/{len(self._relations)}"] = f"/{column}"
        self._relations.append({"kind": kind, "employee_number": employee_number})

    def add_member(self, ref: str, relation: str, name: dict[str, str], column: str) -> None:
        """Add a household member that came from a column."""
        self.columns[f"/family/{len(self._family)}"] = f"/{column}"
        self._family.append({"ref": ref, "relation": relation, **name})

    def add_record(self, category: str, value: dict[str, str], column: str, member: str | None = None) -> str:
        """Add a record that came from a column; return the pointer of its value."""
        pointer = f"/records/{len(self._records)}"
        self.columns[pointer] = f"/{column}"
        record: dict[str, object] = {"category": category, "value": value}
        if member is not None:
            record["member"] = member
        self._records.append(record)
        return f"{pointer}/value"

    def close(self) -> None:
        """Put the lists into the document."""
        self.document["family"] = self._family
        self.document["records"] = self._records
        if self._relations:
            self.document["relations"] = self._relations


def document_of(cells: Mapping[str, str]) -> RowDocument:
    """Put together the body of one enrollment.

    Args:
        cells: column name -> text, for known columns; empty cells count as left out.

    Returns:
        The document with its origins, or with problems: ``columns_differ`` when ``children`` and the ``child_N``
        columns name different children, and the codes of ``parse_json`` and of wrong shapes at ``/children``.
    """
    row = RowDocument()
    for name in _DIRECTORY:
        if cells.get(name):
            row.document[name] = cells[name]
    _add_address(row, cells)
    for column, kind in _PHONES.items():
        if cells.get(column):
            row.add_record("phone", {"kind": kind, "number": cells[column]}, column)
    if cells.get("ssn"):
        row.add_record("ssn", {"number": cells["ssn"]}, "ssn")
    if cells.get("date_of_birth"):
        row.add_record("date_of_birth", {"date": cells["date_of_birth"]}, "date_of_birth")
    for column in _CARDS:
        if cells.get(column):
            row.add_record("payment_card", {"number": cells[column]}, column)
    _add_household(row, cells)
    if cells.get("health_statement"):
        row.add_record("health", {"statement": cells["health_statement"]}, "health_statement")
    _add_relations(row, cells)
    row.close()
    return row


def split_name(name: str, household_name: str) -> dict[str, str]:
    """Split a full name into given and family name.

    Args:
        name: as written in one cell. Joined by a blank, the two parts give it back exactly.
        household_name: family name of the employee. A name that ends with it is split there, unless a lower-case
            word stands before it ("de la"), which belongs to the family name too.

    Returns:
        ``given_name`` and ``family_name``; the first word is given otherwise, a single word is a given name alone.
    """
    if name != name.strip():
        return {"given_name": name}  # refused by the rule of names, with the reason
    if household_name and name.endswith(f" {household_name}"):
        given_name = name.removesuffix(f" {household_name}")
        if not given_name.rpartition(" ")[2][:1].islower():
            return {"given_name": given_name, "family_name": household_name}
    given_name, blank, family_name = name.partition(" ")
    return {"given_name": given_name, "family_name": family_name} if blank else {"given_name": given_name}


def _add_address(row: RowDocument, cells: Mapping[str, str]) -> None:
    if cells.get("home_address"):
        row.add_record("home_address", {"line": cells["home_address"]}, "home_address")
        return
    parts = {key: cells[column] for column, key in _PARTS.items() if cells.get(column)}
    if parts:
        pointer = row.add_record("home_address", parts, "street")
        for column, key in _PARTS.items():
            row.columns[f"{pointer}/{key}"] = f"/{column}"


def _add_household(row: RowDocument, cells: Mapping[str, str]) -> None:
    household_name = cells.get("family_name", "")
    if cells.get("spouse_name"):
        spouse = split_name(cells["spouse_name"], household_name)
        if cells.get(_SPOUSE_NUMBER):
            spouse["employee_number"] = cells[_SPOUSE_NUMBER]
            row.columns["/family/0/employee_number"] = f"/{_SPOUSE_NUMBER}"
        row.add_member("s1", "spouse", spouse, "spouse_name")
    elif cells.get(_SPOUSE_NUMBER):
        # A colleague whose name is in their own row: no household record here, the conflict rule all the same.
        row.add_relation("household", cells[_SPOUSE_NUMBER], _SPOUSE_NUMBER)
    for number, child in enumerate(_children(row, cells), start=1):
        name = split_name(child.name, household_name) if child.name else {}
        row.add_member(f"c{number}", "child", name, child.name_column)
        if child.school:
            row.add_record("school", {"name": child.school}, child.school_column, f"c{number}")


def _add_relations(row: RowDocument, cells: Mapping[str, str]) -> None:
    for column, kind in _RELATED.items():
        for number in filter(None, map(str.strip, cells.get(column, "").split(";"))):
            row.add_relation(kind, number, column)


def _children(row: RowDocument, cells: Mapping[str, str]) -> list[_Child]:
    named = _children_of_columns(cells)
    if not cells.get("children"):
        return named
    listed = _children_of_json(row, cells["children"])
    if not row.problems and listed[: len(named)] != named:
        row.problems.append(FieldProblem("/children", "columns_differ"))
    return listed


def _children_of_columns(cells: Mapping[str, str]) -> list[_Child]:
    children = []
    for number in range(1, _MOST_CHILD_COLUMNS + 1):
        name_column, school_column = f"child_{number}_name", f"child_{number}_school"
        name, school = cells.get(name_column, ""), cells.get(school_column, "")
        if name or school:
            children.append(_Child(name, school, name_column, school_column))
    return children


def _children_of_json(row: RowDocument, cell: str) -> list[_Child]:
    try:
        listed = parse_json(cell.encode())
    except UnreadableDocument as refusal:
        row.problems.append(FieldProblem("/children", refusal.code))
        return []
    children = []
    for item in listed if isinstance(listed, list) else [None]:
        child = _child_of(item)
        if isinstance(child, _Child):
            children.append(child)
        elif not row.problems:
            row.problems.append(FieldProblem("/children", child))
    return children


def _child_of(item: object) -> _Child | str:
    """Return the child, or the code of what is wrong."""
    if not isinstance(item, dict):
        return "wrong_type"
    if not item.keys() <= _CHILD_KEYS:
        return "unknown_key"
    name, school = item.get("name", ""), item.get("school", "")
    if not (isinstance(name, str) and isinstance(school, str)):
        return "wrong_type"
    return _Child(name, school, "children", "children")
