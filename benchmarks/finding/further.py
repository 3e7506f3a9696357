"""The half that no rule was made for: other sentences, other ways of writing, other noise than the first two hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from random import Random

from benchmarks.finding import noise, writings
from benchmarks.finding.world import Home

POSTS = (
    "sup. addy = {home_address} . dont say i told u",
    "{name} - cell {mobile}, home {landline}",
    '{ "user": "{name}", "phone": "{mobile}", "birth_date": "{born}" }',
    "Incident 17-204: complainant {name}, DOB {born}, residing at {home_address}, contact {mobile}.",
    "2024-03-01T09:12:44Z INFO mail sent to {email} for {name}",
    "Subject: Re: Re: Fw: contact\n\n>> her home number?\n> {landline}\nthx",
    "Beneficiary: {spouse} (spouse of {name}). SSN {ssn}.",
    "voicemail transcript: hi this is {name} please call me at {mobile} thank you bye",
    "{name}\n{home_address}\n{mobile}\n{email}",
    "Carpool list\n- {child}, {school}\n- somebody else, private lessons",
    "Our daughter's friend {childname} ({school}) won. Parents are {name} and {spouse}.",
    "He wrote that {name} suffers from {ill}, which is nobody's business.",
    "Visa/MC/Amex: {card} and {ssn}, bought at the usual place",
    "BOLO: tag {plate}, registered owner {name}, last seen near {home_address}",
    "<tr><td>{name}</td><td>{home_address}</td><td>{born}</td></tr>",
    "Su nombre completo es {name} y nació el {born}. Correo: {email}",
    "q: where does she live\na: {home_address}\nq: number?\na: {mobile}",
    "Emergency card / name {name} / dob {born} / condition {ill} / call {landline}",
    "EMPLOYEE {name} ADDRESS {home_address} SSN {ssn} PHONE {mobile}",
    "insert coin. then mail {card} to {email}",
)
PARTS = (
    "Just verify with {name}, last 4 SSN is {ssn4}.",
    "{name} / last four: {ssn4}",
    "account of {name}, SSN *****{ssn4}",
    "phone: (xxx) xxx-{phone4} ({name})",
    "{name}, social security number ending in {ssn4}, appeared before me",
    "number for {name} ends w/ {phone4}",
    "They moved to {street} last spring, I think.",
    "Saw the cruiser parked at {street} again",
    "is it {street}? yes",
    "{child} and my son are both at {school}",
    "{school} called: {child} has a fever",
    "Go to {street}, ring twice",
    "xxx xx {ssn4} is what the form shows for {name}",
)
CLEAN = (
    "{o_name}, {o_home_address}, {o_mobile}",
    "Meter reading {ssn9}7 at unit {phone4}",
    "{name} will chair the meeting on {o_born}.",
    "We counted {long_phone} visits.",
    "My number is {near_phone}, my ssn is {near_ssn}.",
    "Lost dog near {road}. Call 311.",
    "Kids from {school} and {o_school} met on Friday.",
    "{name}'s last four are {wrong4}.",
    "I was born {born}, same as Elvis's cousin.",
    "{other_city} is for sale.",
    "Under {name}, the department spent {amount}.",
    "lat 39.0{ssn4} lon -94.5{phone4}",
    "{near_home}\n{o_name}\n{o_mobile}",
    "The statement says '{ill}' is covered.",
    "order {long_ssn} / sku {phone4}-{ssn4}",
    "{o_name} and {spouse} got married in June",
    "A child named {o_child} at {o_school}, and {name} was not there.",
    "v{phone4}.{ssn4}.0 released",
)


def _street(home: Home) -> str:
    return writings.HOMES["without zip"](home, Random(0)).removesuffix(f", {home.city}, {home.state}")


def _slug(home: Home) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", f"{_street(home)} {home.city} {home.state} {home.zip5}".lower())
    return f"https://homes.example.com/homedetails/{words}/"


HOMES: Mapping[str, Callable[[Home, Random], str]] = {
    "semicolons": lambda home, _: f"{_street(home)}; {home.city}; {home.state}; {home.zip5}",
    "city in brackets": lambda home, _: f"{_street(home)} ({home.city})",
    "json": lambda home, _: f'"street": "{_street(home)}", "city": "{home.city}", "state": "{home.state}"',
    "dashes": lambda home, _: f"{_street(home)} - {home.city} - {home.state}",
    "floor": lambda home, _: f"{_street(home)}, 2nd floor, {home.city} {home.state}",
    "tabs": lambda home, _: f"{_street(home)}\t{home.city}\t{home.state}\t{home.zip5}",
    "tight commas": lambda home, _: f"{_street(home)},{home.city},{home.state},{home.zip5}",
    "slug": lambda home, _: _slug(home),
    "full stops": lambda home, _: f"{_street(home)}. {home.city}, {home.state}.",
    "blank lines": lambda home, _: f"{_street(home)}\r\n{home.city} {home.state} {home.zip5}",
    "country": lambda home, _: f"{_street(home)}, {home.city}, {home.state} {home.zip5}, United States",
    "encoded": lambda home, _: f"addr={_street(home)}, {home.city} {home.state}".replace(" ", "%20"),
}
PHONES: Mapping[str, writings.Way] = {
    "bracket dash": lambda d: f"({d[:3]})-{d[3:6]}-{d[6:]}",
    "plus dots": lambda d: f"+1.{d[:3]}.{d[3:6]}.{d[6:]}",
    "blank dash": lambda d: f"{d[:3]} {d[3:6]}-{d[6:]}",
    "one bracket": lambda d: f"1 ({d[:3]}) {d[3:6]} {d[6:]}",
    "colons": lambda d: f"{d[:3]}:{d[3:6]}:{d[6:]}",
    "square dash": lambda d: f"[{d[:3]}]-{d[3:6]}-{d[6:]}",
    "double dashes": lambda d: f"{d[:3]}--{d[3:6]}--{d[6:]}",
    "all in brackets": lambda d: f"({d[:3]} {d[3:6]} {d[6:]})",
    "plus glued": lambda d: f"+1({d[:3]}){d[3:6]}-{d[6:]}",
    "tabs": lambda d: f"{d[:3]}\t{d[3:6]}\t{d[6:]}",
    "uri": lambda d: f"tel:{d};ext=12",
    "en spaces": lambda d: f"{d[:3]}\u2002{d[3:6]}\u2002{d[6:]}",
    "tildes": lambda d: f"{d[:3]}~{d[3:6]}~{d[6:]}",
    "plus one bare": lambda d: f"+1{d}",
    "slash at end": lambda d: f"{d[:3]}-{d[3:6]}/{d[6:]}",
    "line break": lambda d: f"({d[:3]})\n{d[3:6]}-{d[6:]}",
}
SSNS: Mapping[str, writings.Way] = {
    "spaced dashes": lambda d: f"{d[:3]} -{d[3:5]}- {d[5:]}",
    "bracket": lambda d: f"({d[:3]}) {d[3:5]}-{d[5:]}",
    "mixed": lambda d: f"{d[:3]}-{d[3:5]} {d[5:]}",
    "true hyphens": lambda d: f"{d[:3]}\u2010{d[3:5]}\u2010{d[5:]}",
    "double": lambda d: f"{d[:3]}--{d[3:5]}--{d[5:]}",
    "figure dashes": lambda d: f"{d[:3]}\u2012{d[3:5]}\u2012{d[5:]}",
    "colons": lambda d: f"{d[:3]}:{d[3:5]}:{d[5:]}",
    "minus": lambda d: f"{d[:3]}\u2212{d[3:5]}\u2212{d[5:]}",
}
CARDS: Mapping[str, writings.Way] = {
    "wide dashes": lambda d: " - ".join((d[:4], d[4:8], d[8:12], d[12:])),
    "underscores": lambda d: "_".join((d[:4], d[4:8], d[8:12], d[12:])),
    "no-break": lambda d: "\u00a0".join((d[:4], d[4:8], d[8:12], d[12:])),
    "first and rest": lambda d: f"{d[:4]} {d[4:]}",
    "hash": lambda d: f"#{d}",
    "lines": lambda d: f"{d[:4]} {d[4:8]} {d[8:12]}\n{d[12:]}",
}


def _month(day: date) -> str:
    return f"{day:%B}"


def _th(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


_ALL_MESES = """
ene feb mar abr may jun jul ago sep oct nov dic
"""
_MESES = _ALL_MESES.split()
DATES: Mapping[str, Callable[[date], str]] = {
    "loose iso": lambda d: f"{d.year}-{d.month}-{d.day}",
    "us dashes": lambda d: f"{d:%m-%d-%Y}",
    "day first": lambda d: f"{d:%d.%m.%Y}" if d.day > 12 else f"{d:%m/%d/%Y}",
    "ordinal after": lambda d: f"{_th(d.day)} {_month(d)} {d.year}",
    "short ordinal": lambda d: f"{d:%b}. {_th(d.day)}, {d.year}",
    "midnight": lambda d: f"{d.month}/{d.day}/{d.year} 12:00:00 AM",
    "dotted iso": lambda d: f"{d:%Y.%m.%d}",
    "tight comma": lambda d: f"{_month(d)} {d.day},{d.year}",
    "log": lambda d: f"{d:%d/%b/%Y}",
    "ctime": lambda d: f"{d:%a %b} {d.day} {d.year}",
    "short dots": lambda d: f"{d.month}.{d.day}.{d:%y}",
    "mes": lambda d: f"{d.day}-{_MESES[d.month - 1]}-{d.year}",
    "capitals": lambda d: f"{_month(d).upper()} {d.day} {d.year}",
    "month day apostrophe": lambda d: f"{_month(d)} {_th(d.day)} '{d:%y}",
    "underscores": lambda d: f"{d.year}_{d:%m_%d}",
}
EMAILS: Mapping[str, writings.Way] = {
    "full stop": lambda e: f"{e}.", "quoted": lambda e: f'"{e}"', "blank": lambda e: e.replace("@", " @"),
    "title": lambda e: e[0].upper() + e[1:],
}  # fmt: skip
HIDDEN_EMAILS: Mapping[str, writings.Way] = {
    "angles": lambda e: e.replace("@", "<at>").replace(".", "<dot>"),
    "at in brackets": lambda e: e.replace("@", " [@] ").replace(".", " [.] "),
    "at only": lambda e: e.replace("@", " at "),
    "a in brackets": lambda e: e.replace("@", "(a)"),
    "mixed": lambda e: e.replace("@", " AT ").replace(".", " (DOT) "),
    "spaced": " ".join,
    "stars": lambda e: e.replace("@", "*at*").replace(".", "*dot*"),
}
PLATES: Mapping[str, writings.Way] = {
    "state before": lambda p: f"MO-{p[:3]} {p[3:]}", "bullet": lambda p: f"{p[:3]}•{p[3:]}",
    "hash": lambda p: f"#{p}", "stars": lambda p: f"{p[:3]}*{p[3:]}",
}  # fmt: skip
SCHOOLS: Mapping[str, writings.Way] = {
    "elem school": lambda s: s.replace("Elementary", "Elem"),
    "points": lambda s: s.replace("High School", "H.S.").replace("Middle School", "M.S."),
    "quoted": lambda s: f'"{s}"',
    "city behind": lambda s: f"{s}, north campus",
    "the": lambda s: f"the {s}",
    "possessive": lambda s: f"{s}'s",
    "glued": lambda s: s.replace("P.S. ", "P.S."),
    "no": lambda s: s.replace("P.S. ", "Public School No. "),
    "st": lambda s: s.replace("Saint", "St").replace("Mount", "Mt").replace("Fort", "Ft"),
}
ILLS: Mapping[str, writings.Way] = {
    "brackets": lambda s: f"({s})", "wide": lambda s: s.replace(" ", "  "), "confirmed": lambda s: f"{s} (confirmed)",
    "underscores": lambda s: s.replace(" ", "_"),
}  # fmt: skip
NAMES: Mapping[str, Callable[[str, str], str]] = {
    "turned initial": lambda given, family: f"{family}, {given} R.",
    "bare initial": lambda given, family: f"{given} R {family}",
    "ranks": lambda given, family: f"Det. Sgt. {given} {family}",
    "no apostrophe": lambda given, family: f"{given} {family}".replace("'", ""),
    "nickname": lambda given, family: f'{given} "Tex" {family}',
    "dot": lambda given, family: f"{given}.{family}".replace(" ", "."),
    "two blanks": lambda given, family: f"{given}  {family}",
    "curly": lambda given, family: f"{given} {family}".replace("'", "’"),
    "capitals lost": lambda given, family: f"{given} {family}".lower(),
    "upper family": lambda given, family: f"{given} {family.upper()}",
    "bold": lambda given, family: f"**{given} {family}**",
    "third": lambda given, family: f"{given} {family} III",
}


def _at_place(change: Callable[[str, int], str]) -> noise.Noise:
    return lambda rng, text: noise.in_word(rng, text, lambda _, surface, place: change(surface, place))


TYPOS: Mapping[str, noise.Noise] = {
    "three times": _at_place(lambda text, at: text[:at] + text[at] * 3 + text[at + 1 :]),
    "hyphen": _at_place(lambda text, at: f"{text[:at]}-{text[at:]}"),
    "stray letter": _at_place(lambda text, at: f"{text[:at]}x{text[at:]}"),
    "stray sign": _at_place(lambda text, at: f"{text[:at]};{text[at:]}"),
    "small": lambda _, text: text.lower(),
    "next vowel": _at_place(lambda text, at: text[:at] + ("i" if text[at] != "i" else "y") + text[at + 1 :]),
    "end lost": lambda _, text: re.sub(r"^(.{0,14}\b[A-Z][a-z]{5,})[a-z]\b", r"\1", text, count=1),
}
OCR: Mapping[str, noise.Noise] = {
    "q for zero": noise.misread({"0": "Q"}, 0.5),
    "exclamation": noise.misread({"1": "!", "l": "!"}, 0.3),
    "digits for letters": noise.misread({"O": "0", "S": "5", "I": "1", "B": "8", "o": "0"}, 0.4),
    "nn": noise.misread({"m": "nn", "h": "li", "k": "lc"}, 0.15),
    "accents": noise.misread({"e": "é", "o": "ó", "i": "í"}, 0.3),
    "blank lost": lambda rng, text: noise.at_blank(rng, text, ""),
    "tabs": lambda rng, text: noise.at_blank(rng, text, "\t"),
    "specks": lambda rng, text: noise.at_blank(rng, text, ". "),
    "line end": lambda rng, text: noise.at_blank(rng, text, "\r\n   "),
    "curly": noise.misread({"'": "’", '"': "”", "-": "–"}, 1.0),
    "a for four": noise.misread({"4": "A", "7": "T"}, 0.3),
    "g and q": noise.misread({"g": "q", "a": "o", "c": "o"}, 0.1),
}
_ALL_NAMES = """
zero one two three four five six seven eight nine
"""
_NAMES = _ALL_NAMES.split()
_FRAKTUR = {
    **{ord("a") + n: chr(0x1D586 + n) for n in range(26)},
    **{ord("A") + n: chr(0x1D56C + n) for n in range(26)},
}
_DOUBLE_STRUCK = {ord("0") + n: chr(0x1D7D8 + n) for n in range(10)}
_MONO = {
    **{ord("0") + n: chr(0x1D7F6 + n) for n in range(10)},
    **{ord("a") + n: chr(0x1D68A + n) for n in range(26)},
    **{ord("A") + n: chr(0x1D670 + n) for n in range(26)},
}
_SQUARED = {
    **{ord("a") + n: chr(0x1F170 + n) for n in range(26)},
    **{ord("A") + n: chr(0x1F170 + n) for n in range(26)},
}
_GREEK = str.maketrans("aoviuxABEHIKMNOPTXYZ", "αονιυχΑΒΕΗΙΚΜΝΟΡΤΧΥΖ")


def _triples(digits: str) -> str:
    out, place = [], 0
    while place < len(digits):
        many = next(n for n in (3, 2, 1) if digits[place : place + n] == digits[place] * n)
        out.append({3: "triple ", 2: "double ", 1: ""}[many] + _NAMES[int(digits[place])])
        place += many
    return " ".join(out)


OBFUSCATED: Mapping[str, noise.Noise] = {
    "in round brackets": noise.each_digit(lambda char: f"({char})"),
    "dashes between": noise.each_digit(str, " - "),
    "names with dots": noise.each_digit(lambda char: _NAMES[int(char)], "."),
    "names in capitals": noise.each_digit(lambda char: _NAMES[int(char)].upper(), "-"),
    "names with commas": noise.each_digit(lambda char: _NAMES[int(char)], ", "),
    "names glued": noise.each_digit(lambda char: _NAMES[int(char)]),
    "camel": noise.each_digit(lambda char: _NAMES[int(char)].title()),
    "triples": noise.runs_in_words(_triples),
    "double struck": lambda _, text: text.translate(_DOUBLE_STRUCK),
    "monospace": lambda _, text: text.translate(_MONO),
    "fraktur": lambda _, text: text.translate(_FRAKTUR),
    "squared": lambda _, text: text.translate(_SQUARED),
    "joiners": lambda _, text: "\u200d".join(text),
    "variation": lambda _, text: "".join(f"{char}\ufe0e" for char in text),
    "overridden": lambda _, text: f"\u202d{text}\u202c",
    "dots above": lambda _, text: "".join(f"{char}\u0307\u0323" if char.isalnum() else char for char in text),
    "greek": lambda _, text: text.translate(_GREEK),
    "dashed letters": lambda _, text: re.sub(r"[A-Za-z]{4,}", lambda m: "-".join(m.group()), text),
    "slashes": noise.each_digit(str, "/"),
    "code marks": lambda _, text: re.sub(r"(\d{2})(?=\d)", r"`\1`", text),
    "spoilers": lambda _, text: f"||{text}||",
    "hex entities": lambda _, text: "".join(f"&#x{ord(char):x};" if char.isalnum() else char for char in text),
}
