from __future__ import annotations

import json

import pytest

from registry.text.tables import find_rows

PEOPLE = [
    (f"Person {chr(65 + number)}", f"{number + 1} Maple St, Troy", f"736-45-67{number:02}") for number in range(12)
]


def cells(text: str) -> list[list[str]]:
    return [[text[start:end] for start, end in row.cells] for row in find_rows(text)]


def expected() -> list[list[str]]:
    return [list(person) for person in PEOPLE]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimited_lines_with_a_heading(delimiter: str) -> None:
    lines = [delimiter.join(("name", "addr", "ssn"))]
    lines += [delimiter.join(f'"{cell}"' for cell in person) for person in PEOPLE]
    text = "see below\n\n" + "\n".join(lines) + "\n\nbye, Tom"
    assert cells(text) == expected()
    assert find_rows(text)[0].labels == ("name", "addr", "ssn")


def test_markdown() -> None:
    text = "| name | addr | ssn |\n|---|---|---|\n" + "\n".join("| " + " | ".join(person) + " |" for person in PEOPLE)
    assert cells(text)[-12:] == expected()


def test_sql_one_statement_a_row_and_many_rows_a_statement() -> None:
    tuples = ["(" + ", ".join("'" + cell + "'" for cell in person) + ")" for person in PEOPLE]
    one = "\n".join(f"INSERT INTO t (name, addr, ssn) VALUES {row};" for row in tuples)
    many = "INSERT INTO `t` VALUES " + ",".join(tuples) + ";"
    lines = "insert into t (name, addr, ssn)\nvalues\n" + ",\n".join(tuples) + ";"
    for text in (one, many, lines):
        assert cells(text) == expected()


def test_sql_strings_hold_quotes_and_brackets() -> None:
    text = "INSERT INTO t VALUES ('O''Neil (Dana)', 1),('Poe, Sam', NULL);"
    assert cells(text) == [["O''Neil (Dana)", "1"], ["Poe, Sam", "NULL"]]


@pytest.mark.parametrize("indent", [None, 2])
def test_json_lines_and_arrays(indent: int | None) -> None:
    records = [dict(zip(("name", "addr", "ssn"), person, strict=True)) for person in PEOPLE]
    array = json.dumps(records, indent=indent)
    assert cells(array) == expected()
    assert cells("\n".join(json.dumps(record) for record in records)) == expected()
    assert cells(json.dumps({"rows": records})) == expected()


def test_records_as_database_shells_print_them() -> None:
    records = [dict(zip(("name", "addr", "ssn"), person, strict=True)) for person in PEOPLE]
    psql = "\n".join(
        f"-[ RECORD {number} ]+------\n" + "\n".join(f"{label:<5}| {value}" for label, value in record.items())
        for number, record in enumerate(records, 1)
    )
    mysql = "\n".join(
        f"{'*' * 27} {number}. row {'*' * 27}\n" + "\n".join(f"{label:>5}: {value}" for label, value in record.items())
        for number, record in enumerate(records, 1)
    )
    for text in (psql, mysql):
        assert cells(text) == expected()
        assert find_rows(text)[0].labels == ("name", "addr", "ssn")
    assert find_rows("-[ RECORD 1 ]\nname | Ada") == []  # one record is no table


def test_documents_as_shells_and_scripts_print_them() -> None:
    records = [dict(zip(("name", "addr", "ssn"), person, strict=True)) for person in PEOPLE]
    mongo = "\n".join(
        "{ _id: ObjectId('65'), " + ", ".join(f"{label}: '{value}'" for label, value in record.items()) + " }"
        for record in records
    )
    php = "\n".join(
        "array(" + ", ".join(f"'{label}' => '{value}'" for label, value in record.items()) + ")," for record in records
    )
    for text in (mongo, mongo.replace("Person A", "Person O\\'A"), php, "\n".join(map(str, records))):
        assert len(cells(text)) == len(PEOPLE)
        assert find_rows(text)[0].labels == ("name", "addr", "ssn")


def test_html() -> None:
    text = "<table>" + "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in person) + "</tr>" for person in PEOPLE)
    assert cells(text + "</table>") == expected()


def test_blocks_of_labelled_lines() -> None:
    text = "\n\n".join(
        "\n".join(f"{label}: {cell}" for label, cell in zip("abc", person, strict=True)) for person in PEOPLE
    )
    assert cells(text) == expected()
    assert find_rows(text)[0].labels == ("a", "b", "c")


def test_columns_of_fixed_width_even_with_empty_cells() -> None:
    rows = [(name, addr if number % 3 else "", ssn) for number, (name, addr, ssn) in enumerate(PEOPLE)]
    text = "\n".join(f"{name:<14}{addr:<30}{ssn}" for name, addr, ssn in rows)
    assert [row[0] for row in cells(text)] == [person[0] for person in PEOPLE]
    assert [row[-1] for row in cells(text)] == [person[2] for person in PEOPLE]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one line",
        "First, we met.\nThen, we left.\nLater, it rained.\nSo, we went home.\nWell, that is it.\nYes, all of it.",
        "Name: Dana\nPhone: none\n\nThat is all, folks.",
        "Savings: $1,000\nChecking: $2,000\nCar: $30,000\nHouse: $400,000\nDebt: $5,000",
    ],
)
def test_prose_is_no_table(text: str) -> None:
    assert find_rows(text) == []


KEYS = ("name", "addr", "ssn")


def test_xml_elements() -> None:
    rows = [
        "<p>" + "".join(f"<{key}>{cell}</{key}>" for key, cell in zip(KEYS, person, strict=True)) + "</p>"
        for person in PEOPLE
    ]
    text = "<people>\n" + "\n".join(rows) + "\n</people>"
    assert cells(text) == expected()
    assert find_rows(text)[0].labels == KEYS


def test_lines_of_attributes() -> None:
    text = "\n".join(
        f"user[{number}] " + " ".join(f'{key}="{cell}"' for key, cell in zip(KEYS, person, strict=True))
        for number, person in enumerate(PEOPLE)
    )
    assert cells(text) == expected()
    assert find_rows(text)[0].labels == KEYS


def test_yaml_list_without_blank_lines() -> None:
    text = "\n".join(f"- name: {name}\n  addr: {addr}\n  ssn: {ssn}" for name, addr, ssn in PEOPLE)
    assert cells(text) == expected()


def test_blocks_that_leave_labels_out_and_contact_cards() -> None:
    blocks = [
        f"Name: {name}\n" + (f"Addr: {addr}\n" if number % 2 else "") + f"SSN: {ssn}\n"
        for number, (name, addr, ssn) in enumerate(PEOPLE)
    ]
    assert len(find_rows("\n".join(blocks))) == len(PEOPLE)
    cards = "\n".join(
        f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nADR;TYPE=HOME:{addr}\nEND:VCARD" for name, addr, _ in PEOPLE
    )
    rows = find_rows(cards)
    assert len(rows) == len(PEOPLE)
    assert all(PEOPLE[number][0] in cards[row.start : row.end] for number, row in enumerate(rows))


def test_a_talk_is_no_table() -> None:
    talk = "\n".join(f"User: do you know {name}?\nAgent: yes, {ssn} is the number" for name, _, ssn in PEOPLE)
    assert find_rows(talk) == []


@pytest.mark.parametrize("delimiter", [" : ", " - ", " / "])
def test_numbered_lines_with_spaced_delimiters(delimiter: str) -> None:
    text = "\n".join(f"{number}. " + delimiter.join(person) for number, person in enumerate(PEOPLE, 1))
    assert cells(text) == expected()


def test_records_ruled_off() -> None:
    text = "\n-- \n".join("\n".join(person) for person in PEOPLE)
    assert cells(text) == expected()


def test_prose_broken_at_a_width_is_no_table() -> None:
    lines = [
        "oven to 350 and bake for half an hour, or until golden. In",
        "please remit $1,284.50 by next Friday. Upstream fixed this in",
        "and the kernel went away, at least in the version that we had",
    ] * 5
    captions = "\n\n".join(f"{place}\n00:00:0{place},000 --> 00:00:0{place},900\nwe all met" for place in range(1, 8))
    numbered = "\n".join(f"{number:>3}    {line}" for number, line in enumerate(lines, 1))
    amounts = [
        "please remit $1,284.50 by next Friday to the desk that is in",
        "and of the 4,120 that were sent to us only a few have come to",
        "the office, as he said. It is a shame that nobody was told of",
    ] * 5
    for text in ("\n".join(lines), "\n".join(amounts), captions, numbered):
        assert find_rows(text) == []
    table = "\n".join(f"Person {letter},stayed at home for the flu" for letter in "ABCDEFGHIJ")
    assert len(find_rows(table)) == 10
