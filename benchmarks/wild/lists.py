"""Lists of many people, some enrolled, in the forms that spreadsheets, wikis and programs give them."""

# ruff: noqa: E501 - tables of one writing a line read best uncut
from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random

from benchmarks.finding.texts import Key, Leak, Truth
from benchmarks.wild import writing
from benchmarks.wild.population import Human

Row = dict[str, str]
_KINDS = {"Address": "home_address", "Cell": "phone:mobile", "Home Phone": "phone:home", "SSN": "ssn", "DOB": "date_of_birth",
          "Email": "email", "Condition": "health", "Spouse": "family_member:spouse"}  # fmt: skip
_COLUMNS = (
    ("Name", "Address", "Cell", "DOB"), ("DOB", "SSN", "Email", "Name"), ("Last", "First", "Home Phone", "Address", "SSN"),
    ("Name", "Condition", "Spouse", "Cell"), ("Address", "Cell", "Name", "Email", "DOB", "SSN"),
)  # fmt: skip


def _row(one: Human, columns: Sequence[str], date: Callable[..., str], phone: writing.Way) -> Row:
    values = {
        "Name": one.name, "Last": one.family, "First": one.given, "Address": one.home.enrolled, "Cell": phone(one.cell),
        "Home Phone": phone(one.landline), "SSN": writing.SSNS[0]["dashes"](one.ssn), "DOB": date(one.born), "Email": one.email,
        "Condition": one.ill, "Spouse": " ".join(one.spouse),
    }  # fmt: skip
    return {column: values[column] for column in columns}


def _joined(rows: Sequence[Row], mark: str, quote: str = "", *, head: bool = True) -> str:
    lines = [mark.join(f"{quote}{value}{quote}" for value in row.values()) for row in rows]
    return "\n".join([mark.join(rows[0]), *lines] if head else lines)


def _org(rows: Sequence[Row]) -> str:
    return "\n".join(["| " + " | ".join(rows[0]) + " |", "|-" + "-+-" * len(rows[0]) + "|",
                      *("| " + " | ".join(row.values()) + " |" for row in rows)])  # fmt: skip


def _blocks(rows: Sequence[Row]) -> str:
    return "\n\n".join("\n".join(f"{key}: {value}" for key, value in row.items()) for row in rows)


def _latex(rows: Sequence[Row]) -> str:
    lines = " \\\\\n".join(" & ".join(row.values()) for row in rows)
    return "\\begin{tabular}{lll}\n" + lines + " \\\\\n\\end{tabular}"


def _nested(rows: Sequence[Row]) -> str:
    people = [{"person": {"names": row.get("Name") or [row["First"], row["Last"]], "data": row}} for row in rows]
    return json.dumps({"people": people}, ensure_ascii=False, indent=1)


def _attributes(rows: Sequence[Row]) -> str:
    lines = (
        "  <p " + " ".join(f'{key.replace(" ", "")}="{value}"' for key, value in row.items()) + "/>" for row in rows
    )
    return "<people>\n" + "\n".join(lines) + "\n</people>"


def _rst(rows: Sequence[Row]) -> str:
    wide = {key: max(len(key), *(len(row[key]) for row in rows)) for key in rows[0]}
    rule = "+" + "+".join("-" * (size + 2) for size in wide.values()) + "+"
    body = ["|" + "|".join(f" {value.ljust(wide[key])} " for key, value in row.items()) + "|" for row in rows]
    return "\n".join([rule, *(f"{line}\n{rule}" for line in body)])


def _merged(rows: Sequence[Row]) -> str:
    """An HTML table whose first cell spans all rows of a group."""
    head = "".join(f"<th>{key}</th>" for key in rows[0])
    lines = []
    for place, row in enumerate(rows):
        group = '<td rowspan="5">Unit 4</td>' if place % 5 == 0 else ""
        lines.append("<tr>" + group + "".join(f"<td>{value}</td>" for value in row.values()) + "</tr>")
    return f"<table><tr><th>Group</th>{head}</tr>" + "\n".join(lines) + "</table>"


FORMATS: tuple[Mapping[str, Callable[[Sequence[Row]], str]], ...] = (
    {"quoted csv": lambda rows: _joined(rows, ",", '"'), "pasted cells": lambda rows: _joined(rows, "\t"), "org": _org,
     "blocks": _blocks, "json": lambda rows: json.dumps(rows, ensure_ascii=False), "attributes": _attributes},
    {"latex": _latex, "nested json": _nested, "rst": _rst, "merged cells": _merged, "double pipes": lambda rows: _joined(rows, "||"),
     "empty columns": lambda rows: "\n".join("\t\t".join(row.values()) for row in rows),
     "no head": lambda rows: _joined(rows, ";", '"', head=False),
     "quoted mail": lambda rows: "\n".join("> " + line for line in _joined(rows, "\t").split("\n")),
     "numbered": lambda rows: "\n".join(f"{n})\t" + "\t".join(row.values()) for n, row in enumerate(rows, 1))},
)  # fmt: skip


def list_leaks(seed: int, half: int, people: tuple[Sequence[Human], Sequence[Human]], each: int) -> list[Leak]:
    """Return ``each`` lists in every form: 12 to 40 rows, a third enrolled; in some, a stranger has an enrolled birth date."""
    rng, (enrolled, strangers) = Random(seed), people
    found = []
    for form, write in FORMATS[half].items():
        for number in range(each):
            columns = rng.choice(_COLUMNS)
            date = rng.choice(
                (
                    writing.DATES[0]["us"],
                    writing.DATES[0]["iso"],
                    writing.DATES[half][rng.choice(list(writing.DATES[half]))],
                )
            )
            phone = rng.choice((writing.PHONES[0]["dashes"], writing.PHONES[0]["bracket"], writing.PHONES[0]["bare"]))
            many = rng.randint(12, 40)
            inside = rng.sample(enrolled, many // 3)
            rows, truth = [], set[Key]()
            for one in rng.sample([*inside, *rng.sample(strangers, many - len(inside))], many):
                row = _row(one, columns, date, phone)
                if one in inside:
                    truth |= {(one.number, _KINDS[c], "s1" if c == "Spouse" else None) for c in columns if c in _KINDS}
                elif "DOB" in columns and rng.random() < 0.3:
                    row["DOB"] = date(rng.choice(inside).born)
                rows.append(row)
            how = f"{form}: {' '.join(columns)}"
            leaks = tuple(Truth(key, 0, 0, how) for key in sorted(truth, key=str))
            found.append(Leak(f"dump-{form}-{number}", "dump", write(rows), leaks))
    return found
