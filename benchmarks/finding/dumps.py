"""Dumps: many rows, some of enrolled people, in every layout that databases, offices and directories write."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable, Mapping, Sequence
from random import Random

from benchmarks.finding import writings
from benchmarks.finding.texts import Half, Key, Leak, Truth
from benchmarks.finding.world import Somebody, World

Row = dict[str, str]
_COLUMNS = (
    ("id", "name", "home_address", "mobile", "ssn", "born"),
    ("last_name", "first_name", "street", "city", "state", "zip", "mobile", "email"),
    ("employee", "born", "ssn", "home_address", "ill"),
    ("first_name", "last_name", "born", "mobile", "landline", "plate"),
    ("name", "house_no", "road", "city", "zip", "mobile"),
    ("name", "spouse", "school", "born"),
)
_KINDS = {
    "home_address": "home_address", "street": "home_address", "house_no": "home_address", "mobile": "phone:mobile",
    "landline": "phone:home", "ssn": "ssn", "born": "date_of_birth", "email": "email", "plate": "vehicle_plate",
    "ill": "health", "spouse": "family_member:spouse", "school": "school",
}  # fmt: skip


def _values(one: Somebody, dates: Callable[..., str], phones: writings.Way, rng: Random) -> Row:
    home = one.home
    street = home.special or writings.HOMES["without zip"](home, rng).split(",")[0]
    number, _, road = street.partition(" ")
    return {
        "id": str(rng.randint(1, 90_000)), "name": writings.whole_name(one), "employee": writings.whole_name(one),
        "first_name": one.given, "last_name": one.family, "home_address": writings.HOMES["short"](home, rng),
        "street": street, "house_no": number, "road": road, "city": home.city, "state": home.state, "zip": home.zip5,
        "mobile": phones(one.mobile), "landline": phones(one.landline), "ssn": writings.SSNS["dashes"](one.ssn),
        "born": dates(one.born), "email": one.email, "plate": f"{one.plate[:3]} {one.plate[3:]}", "ill": one.ill,
        "spouse": " ".join(one.spouse), "school": one.children[0].school if one.children else "",
    }  # fmt: skip


def _keys(one: Somebody, columns: Sequence[str]) -> set[Key]:
    found: set[Key] = set()
    for column in columns:
        kind = _KINDS.get(column)
        if kind is None or (column == "school" and not one.children):
            continue
        member = "s1" if column == "spouse" else one.children[0].ref if column == "school" else None
        found.add((one.number, kind, member))
    return found


def _separated(delimiter: str, *, heading: bool = True) -> Callable[[Sequence[Row]], str]:
    def write(rows: Sequence[Row]) -> str:
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        if heading:
            writer.writeheader()
        writer.writerows(rows)
        return stream.getvalue()

    return write


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sql(rows: Sequence[Row]) -> str:
    lines = (f"INSERT INTO staff ({', '.join(row)}) VALUES ({', '.join(map(_quoted, row.values()))});" for row in rows)
    return "\n".join(lines)


def _html(rows: Sequence[Row]) -> str:
    head = "".join(f"<th>{column}</th>" for column in rows[0])
    body = "\n".join("<tr>" + "".join(f"<td>{html.escape(v)}</td>" for v in row.values()) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


FORMATS: Mapping[str, Callable[[Sequence[Row]], str]] = {
    "csv": _separated(","), "csv without heading": _separated(",", heading=False), "tsv": _separated("\t"),
    "pipes": _separated("|"), "json lines": lambda rows: "\n".join(map(json.dumps, rows)), "sql": _sql, "html": _html,
}  # fmt: skip


def _many_rows_sql(rows: Sequence[Row]) -> str:
    tuples = ",\n".join(f"({', '.join(map(_quoted, row.values()))})" for row in rows)
    return f"INSERT INTO `staff` VALUES {tuples};"


def _copy(rows: Sequence[Row]) -> str:
    body = "\n".join("\t".join(value or "\\N" for value in row.values()) for row in rows)
    return f"COPY public.staff ({', '.join(rows[0])}) FROM stdin;\n{body}\n\\.\n"


def _yaml(rows: Sequence[Row]) -> str:
    lines = ("\n".join(f"{'- ' if not n else '  '}{k}: {v}" for n, (k, v) in enumerate(row.items())) for row in rows)
    return "staff:\n" + "\n".join(lines) + "\n"


def _vcards(rows: Sequence[Row]) -> str:
    names = {
        "mobile": "TEL;TYPE=CELL", "landline": "TEL;TYPE=HOME", "born": "BDAY", "email": "EMAIL", "home_address": "ADR",
    }  # fmt: skip
    cards = []
    for row in rows:
        name = row.get("name") or row.get("employee") or f"{row.get('first_name', '')} {row.get('last_name', '')}"
        lines = [f"{names.get(key, 'X-' + key.upper())}:{value}" for key, value in row.items()]
        cards.append("\n".join(["BEGIN:VCARD", "VERSION:3.0", f"FN:{name}", *lines, "END:VCARD"]))
    return "\n".join(cards)


def _ldif(rows: Sequence[Row]) -> str:
    return "\n\n".join(
        "\n".join([f"dn: uid={number},ou=people,dc=example,dc=org", *(f"{k}: {v}" for k, v in row.items())])
        for number, row in enumerate(rows)
    )


def _markdown(rows: Sequence[Row]) -> str:
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    return "\n".join([*lines, *("| " + " | ".join(row.values()) + " |" for row in rows)])


def _fixed(rows: Sequence[Row]) -> str:
    widths = {column: max(len(column), *(len(row[column]) for row in rows)) + 2 for column in rows[0]}
    head = "".join(column.ljust(widths[column]) for column in rows[0])
    return "\n".join([head, *("".join(v.ljust(widths[k]) for k, v in row.items()).rstrip() for row in rows)])


def _xml(rows: Sequence[Row]) -> str:
    body = "\n".join(
        "<row>" + "".join(f"<{k}>{html.escape(v)}</{k}>" for k, v in row.items()) + "</row>" for row in rows
    )
    return f"<rows>\n{body}\n</rows>"


def _sections(rows: Sequence[Row]) -> str:
    return "\n\n".join(
        "\n".join([f"[{number}]", *(f"{k}={v}" for k, v in row.items())]) for number, row in enumerate(rows, 1)
    )


def _blocks(rows: Sequence[Row]) -> str:
    return "\n\n".join("\n".join(value for value in row.values() if value) for row in rows)


def _psql(rows: Sequence[Row]) -> str:
    widths = {column: max(len(column), *(len(row[column]) for row in rows)) for column in rows[0]}
    head = " | ".join(column.center(widths[column]) for column in rows[0])
    rule = "-+-".join("-" * width for width in widths.values())
    body = [" | ".join(value.ljust(widths[key]) for key, value in row.items()) for row in rows]
    return "\n".join([f" {head}", f"-{rule}-", *(f" {line}" for line in body), f"({len(rows)} rows)"])


WIDER_FORMATS: Mapping[str, Callable[[Sequence[Row]], str]] = {
    "semicolons": _separated(";"), "sql of many rows": _many_rows_sql, "copy": _copy, "yaml": _yaml, "vcard": _vcards,
    "ldif": _ldif, "markdown": _markdown, "fixed": _fixed, "xml": _xml, "sections": _sections, "blocks": _blocks,
    "psql": _psql, "python": lambda rows: "[" + ",\n ".join(str(row) for row in rows) + "]",
    "json": lambda rows: json.dumps({"users": rows}, indent=2, ensure_ascii=False),
    "quoted csv": lambda rows: "\n".join(",".join(f'"{v}"' for v in row.values()) for row in rows),
}  # fmt: skip


def _log(rows: Sequence[Row]) -> str:
    return "\n".join(
        f"2024-05-01 10:{number % 60:02}:07 INFO user " + " ".join(f'{k}="{v}"' for k, v in row.items())
        for number, row in enumerate(rows)
    )


def _page(rows: Sequence[Row]) -> str:
    cards = ("".join(f"<p><b>{k}</b>: {html.escape(v)}</p>" for k, v in row.items()) for row in rows)
    return "<html><body>" + "\n".join(f'<div class="card">{card}</div>' for card in cards) + "</body></html>"


def _mail(rows: Sequence[Row]) -> str:
    head = "From: a@example.net\nTo: b@example.net\nSubject: list as asked\n\nHere you go, do not forward.\n\n"
    return head + _separated(",")(rows) + "\nRegards\nB.\n"


def _numbered(rows: Sequence[Row]) -> str:
    return "\n".join(
        f"{number}. " + "; ".join(f"{k}: {v}" for k, v in row.items()) for number, row in enumerate(rows, 1)
    )


def _single_quotes(rows: Sequence[Row]) -> str:
    lines = ("  { " + ", ".join(f"{k}: {json.dumps(v)}" for k, v in row.items()) + " }" for row in rows)
    return "const staff = [\n" + ",\n".join(lines) + "\n];"


UNSEEN_FORMATS: Mapping[str, Callable[[Sequence[Row]], str]] = {
    "log": _log, "page": _page, "mail": _mail, "numbered": _numbered, "javascript": _single_quotes,
    "tabs without heading": _separated("\t", heading=False), "carets": _separated("^"),
    "json array of arrays": lambda rows: json.dumps([list(row.values()) for row in rows]),
    "crlf": lambda rows: _separated(",")(rows).replace("\n", "\r\n"),
    "marked": lambda rows: "\ufeff" + _separated(";")(rows),
    "wide": lambda rows: "\n\n".join("\n".join(f"{k.title()}:\t{v}" for k, v in row.items()) for row in rows),
}  # fmt: skip


def dump_leaks(
    world: World, half: Half, formats: Mapping[str, Callable[[Sequence[Row]], str]], each: int
) -> list[Leak]:
    """Return ``each`` dumps in every format: 30 to 60 rows, a third of enrolled people.

    In some rows a stranger stands beside an enrolled person's birth date: it is not that person's row.
    """
    rng = Random(half.seed + 5)
    leaks = []
    for name, write in formats.items():
        for number in range(each):
            columns = rng.choice(_COLUMNS)
            dates = half.dates[rng.choice(list(half.dates))] if rng.random() < 0.5 else writings.DATES["iso"]
            phones = writings.PHONES[rng.choice(("dashes", "bracket", "bare", "dots"))]
            many = rng.randint(30, 60)
            inside = rng.sample(world.enrolled, many // 3)
            rows: list[Row] = []
            truth: set[Key] = set()
            for one in rng.sample([*inside, *rng.sample(world.strangers, many - len(inside))], many):
                row = _values(one, dates, phones, rng)
                if one in inside:
                    truth |= _keys(one, columns)
                elif "born" in columns and rng.random() < 0.3:
                    row["born"] = dates(rng.choice(inside).born)
                rows.append({column: row[column] for column in columns})
            text = write(rows)
            how = f"{name}: {' '.join(columns)}"
            leaks.append(
                Leak(
                    f"dump-{name}-{number}",
                    "dump",
                    text,
                    tuple(Truth(key, 0, 0, how) for key in sorted(truth, key=str)),
                )
            )
    return leaks
