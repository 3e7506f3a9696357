"""How people write a value: the ways that the development half knows, and those that only the unseen half has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from random import Random

from benchmarks.finding.world import Home, Somebody

Way = Callable[[str], str]
_STATES = {
    "MO": "Missouri", "KS": "Kansas", "NE": "Nebraska", "MI": "Michigan", "NC": "North Carolina", "ID": "Idaho",
    "NM": "New Mexico", "NY": "New York", "WI": "Wisconsin", "MD": "Maryland", "IA": "Iowa", "AR": "Arkansas",
}  # fmt: skip
_SHORT = {
    "Street": "St", "Avenue": "Ave", "Road": "Rd", "Drive": "Dr", "Lane": "Ln", "Court": "Ct", "Place": "Pl",
    "Boulevard": "Blvd", "Terrace": "Ter", "Circle": "Cir", "Trail": "Trl", "Way": "Way", "Parkway": "Pkwy",
}  # fmt: skip
_POINTS = {"North": "N", "South": "S", "East": "E", "West": "W", "Northeast": "NE", "Southwest": "SW"}
_ORDINALS = {
    "3rd": "Third", "5th": "Fifth", "12th": "Twelfth", "21st": "Twenty-First", "39th": "Thirty-Ninth",
    "42nd": "Forty-Second", "63rd": "Sixty-Third", "87th": "Eighty-Seventh",
}  # fmt: skip
_ENGLISH = "January February March April May June July August September October November December"
_SPANISH = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
_MONTHS = (_ENGLISH.split(), _SPANISH.split())


def _street(home: Home, *, short: bool = True, unit: str = "Apt {}") -> str:
    """Write the street part; ``unit`` is '' to leave the unit out."""
    if home.special:
        return home.special
    before = _POINTS.get(home.before, "") if short else home.before
    kind = _SHORT.get(home.kind, "") if short else home.kind
    end = unit.format(home.unit) if home.unit and unit else ""
    return " ".join(filter(None, (home.number, before, home.name, kind, home.after, end)))


def enrolled_line(home: Home, rng: Random) -> str:
    """Write an address as a clerk enters it."""
    street = _street(home, short=rng.random() < 0.6, unit=rng.choice(("Apt {}", "Unit {}", "#{}")))
    return f"{street}, {home.city}, {home.state} {home.zip5}"


def number_and_street(home: Home, rng: Random) -> str:
    """Write house number and street only."""
    return _street(home, short=rng.random() < 0.5, unit="")


def _spelled_ordinal(home: Home) -> str:
    street = _street(home, short=False, unit="")
    for figure, word in _ORDINALS.items():
        street = street.replace(f" {figure} ", f" {word} ")
    return f"{street}, {home.city}, {home.state}"


def _saints(home: Home) -> str:
    street = _street(home, unit="#{}").replace("Saint ", "St. ").replace("Fort ", "Ft. ").replace("Mount ", "Mt. ")
    city = home.city.replace("Saint ", "St. ").replace("Fort ", "Ft. ").replace("Mount ", "Mt ")
    return f"{street}, {city} {home.state} {home.zip5}"


HOMES: Mapping[str, Callable[[Home, Random], str]] = {
    "short": lambda home, _: f"{_street(home)}, {home.city}, {home.state} {home.zip5}",
    "long": lambda home, _: (
        f"{_street(home, short=False, unit='Apartment {}')}, {home.city}, {_STATES[home.state]} {home.zip5}"
    ),
    "capitals": lambda home, _: f"{_street(home)} {home.city} {home.state} {home.zip5}".upper().replace(".", ""),
    "two lines": lambda home, _: f"{_street(home)}\n{home.city}, {home.state} {home.zip5}",
    "without zip": lambda home, _: f"{_street(home, unit='')}, {home.city}, {home.state}",
    "small letters": lambda home, _: f"{_street(home)}, {home.city}, {home.state}".lower(),
    "zip plus four": lambda home, rng: (
        f"{_street(home, unit='#{}')}, {home.city}, {home.state} {home.zip5}-{rng.randint(1000, 9999)}"
    ),
    "saints": lambda home, _: _saints(home),
    "city first": lambda home, _: f"{home.city}, {home.state} {home.zip5}: {_street(home)}",
}
UNSEEN_HOMES: Mapping[str, Callable[[Home, Random], str]] = {
    "three lines": lambda home, _: (
        f"{_street(home, unit='')}\n{'Apt ' + home.unit if home.unit else home.city}"
        f"\n{home.city if home.unit else ''} {home.state} {home.zip5}"
    ),
    "ordinal in words": lambda home, _: _spelled_ordinal(home),
    "street in city": lambda home, _: f"{_street(home, short=False, unit='')} in {home.city}",
    "points with dots": lambda home, _: f"{_street(home, unit='No. {}')}., {home.city}, {_STATES[home.state]}, USA",
    "unit first": lambda home, _: (
        (f"Unit {home.unit}, " if home.unit else "") + f"{_street(home, unit='')}, {home.city}, {home.state}"
    ),
    "labelled": lambda home, _: (
        f"Street: {_street(home, unit='')} / City: {home.city} / State: {home.state} / ZIP: {home.zip5}"
    ),
    "map link": lambda home, _: (
        "https://maps.example.com/?q="
        + f"{_street(home, unit='')}, {home.city}, {home.state} {home.zip5}".replace(" ", "+").replace(",", "%2C")
    ),
    "zip only": lambda home, _: f"{_street(home, unit='')}, {home.zip5}",
    "slashes": lambda home, _: f"{_street(home)} / {home.city} / {home.state} / {home.zip5}",
    "direction behind": lambda home, _: (
        " ".join(
            filter(None, (home.special or home.number, home.name, _SHORT.get(home.kind, ""), home.before or home.after))
        )
        + f", {home.city} {home.state}"
    ),
}


def _grouped(sizes: Sequence[int], *separators: str) -> Way:
    """Return a way that cuts digits into groups; the last separator goes on for the rest."""

    def write(digits: str) -> str:
        text, place = "", 0
        for number, size in enumerate(sizes):
            if number:
                text += separators[min(number, len(separators)) - 1]
            text += digits[place : place + size]
            place += size
        return text

    return write


PHONES: Mapping[str, Way] = {
    "dashes": _grouped((3, 3, 4), "-"),
    "bracket": lambda d: f"({d[:3]}) {d[3:6]}-{d[6:]}",
    "dots": _grouped((3, 3, 4), "."),
    "bare": str,
    "plus one": lambda d: f"+1 {d[:3]} {d[3:6]} {d[6:]}",
    "one": lambda d: f"1-{d[:3]}-{d[3:6]}-{d[6:]}",
    "blanks": _grouped((3, 3, 4), " "),
    "extension": lambda d: f"{d[:3]}-{d[3:6]}-{d[6:]} ext. 204",
    "one glued": lambda d: f"1{d}",
}
UNSEEN_PHONES: Mapping[str, Way] = {
    "slash": _grouped((3, 3, 4), "/", "-"),
    "tel link": lambda d: f"tel:+1-{d[:3]}-{d[3:6]}-{d[6:]}",
    "no-break hyphens": lambda d: f"{d[:3]}\u2011{d[3:6]}\u2011{d[6:]}",
    "over two lines": lambda d: f"{d[:3]}-{d[3:6]}-\n{d[6:]}",
    "glued bracket": lambda d: f"({d[:3]}){d[3:]}",
    "from abroad": lambda d: f"001 {d[:3]} {d[3:6]} {d[6:]}",
    "underscores": _grouped((3, 3, 4), "_"),
    "wide slashes": lambda d: f"{d[:3]} / {d[3:6]} / {d[6:]}",
    "pairs": _grouped((3, 3, 2, 2), "-", "-", " "),
    "in twos": _grouped((2, 2, 2, 2, 2), " "),
    "x extension": lambda d: f"{d[:3]}.{d[3:6]}.{d[6:]}x12",
    "middle dots": lambda d: f"{d[:3]}·{d[3:6]}·{d[6:]}",
    "no-break blanks": lambda d: f"{d[:3]}\u00a0{d[3:6]}\u00a0{d[6:]}",
    "chat link": lambda d: f"wa.me/1{d}",
    "commas": _grouped((3, 3, 4), ", "),
    "five and five": lambda d: f"{d[:5]} {d[5:]}",
}
SSNS: Mapping[str, Way] = {
    "dashes": _grouped((3, 2, 4), "-"),
    "bare": str,
    "blanks": _grouped((3, 2, 4), " "),
    "dots": _grouped((3, 2, 4), "."),
}
UNSEEN_SSNS: Mapping[str, Way] = {
    "slashes": _grouped((3, 2, 4), "/"),
    "long dashes": _grouped((3, 2, 4), "–"),
    "threes": _grouped((3, 3, 3), " "),
    "four behind": _grouped((5, 4), "-"),
    "three before": _grouped((3, 6), "-"),
    "over two lines": lambda d: f"{d[:3]}-{d[3:5]}-\n{d[5:]}",
    "wide dashes": lambda d: f"{d[:3]} - {d[3:5]} - {d[5:]}",
    "hash": lambda d: f"#{d[:3]}-{d[3:5]}-{d[5:]}",
}


def _card(sizes4: tuple[int, ...], separator: str) -> Way:
    return lambda d: _grouped(sizes4 if len(d) == 16 else (4, 6, 5), separator)(d)


CARDS: Mapping[str, Way] = {
    "blanks": _card((4, 4, 4, 4), " "),
    "dashes": _card((4, 4, 4, 4), "-"),
    "bare": str,
}
UNSEEN_CARDS: Mapping[str, Way] = {
    "dots": _card((4, 4, 4, 4), "."),
    "slashes": _card((4, 4, 4, 4), "/"),
    "over two lines": lambda d: f"{d[:4]} {d[4:8]}\n{d[8:12]} {d[12:]}",
    "eights": _card((8, 8), " "),
    "expiry behind": lambda d: f"{_card((4, 4, 4, 4), ' ')(d)} exp 04/29 cvv 123",
    "twos": _card((2,) * 8, " "),
}

DATES: Mapping[str, Callable[[date], str]] = {
    "iso": lambda d: d.isoformat(),
    "us": lambda d: f"{d:%m/%d/%Y}",
    "us short": lambda d: f"{d.month}/{d.day}/{d:%y}",
    "words": lambda d: f"{_MONTHS[0][d.month - 1]} {d.day}, {d.year}",
    "day first words": lambda d: f"{d.day} {_MONTHS[0][d.month - 1]} {d.year}",
    "three letters": lambda d: f"{_MONTHS[0][d.month - 1][:3]} {d.day} {d.year}",
    "dashes": lambda d: f"{d.month}-{d.day}-{d:%y}",
    "dots": lambda d: f"{d:%m.%d.%Y}",
}


def _ordinal(day: int) -> str:
    ending = "th" if 10 < day % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


UNSEEN_DATES: Mapping[str, Callable[[date], str]] = {
    "military": lambda d: f"{d.day:02}{_MONTHS[0][d.month - 1][:3].upper()}{d.year}",
    "year first slashes": lambda d: f"{d.year}/{d.month}/{d.day}",
    "compact": lambda d: f"{d:%Y%m%d}",
    "compact us": lambda d: f"{d:%m%d%Y}",
    "ordinal": lambda d: f"{_MONTHS[0][d.month - 1]} {_ordinal(d.day)} of {d.year}",
    "the ordinal of": lambda d: f"the {_ordinal(d.day)} of {_MONTHS[0][d.month - 1]}, {d.year}",
    "legal": lambda d: f"{_ordinal(d.day)} day of {_MONTHS[0][d.month - 1]}, {d.year}",
    "apostrophe": lambda d: f"{_MONTHS[0][d.month - 1][:3]}. {d.day}, '{d:%y}",
    "weekday": lambda d: f"{d:%A}, {_MONTHS[0][d.month - 1]} {d.day}, {d.year}",
    "spanish": lambda d: f"{d.day} de {_MONTHS[1][d.month - 1]} de {d.year}",
    "timestamp": lambda d: f"{d.isoformat()}T00:00:00.000Z",
    "blanks": lambda d: f"{d.month} {d.day} {d.year}",
    "day dash": lambda d: f"{d.day}-{_MONTHS[0][d.month - 1][:3]}-{d:%y}",
    "wide slashes": lambda d: f"{d.month} / {d.day} / {d.year}",
    "year in front": lambda d: f"{d.year} {_MONTHS[0][d.month - 1]} {d.day}",
}

EMAILS: Mapping[str, Way] = {"plain": str, "capitals": str.upper, "angle": lambda e: f"<{e}>"}
UNSEEN_EMAILS: Mapping[str, Way] = {
    "mailto": lambda e: f"mailto:{e}?subject=hi", "blanks": lambda e: e.replace("@", " @ "),
}  # fmt: skip
HIDDEN_EMAILS: Mapping[str, Way] = {
    "at and dot": lambda e: e.replace("@", " at ").replace(".", " dot "),
    "brackets": lambda e: e.replace("@", "[at]").replace(".", "[dot]"),
    "round": lambda e: e.replace("@", " (at) "),
}
UNSEEN_HIDDEN_EMAILS: Mapping[str, Way] = {
    "defanged": lambda e: e.replace(".", "[.]"),
    "shouted": lambda e: e.replace("@", " AT ").replace(".", " DOT "),
    "curly": lambda e: e.replace("@", "{at}"),
    "underscored": lambda e: e.replace("@", "_at_").replace(".", "_dot_"),
    "full width": lambda e: e.replace("@", "＠").replace(".", "．"),
    "dashes": lambda e: e.replace("@", "-at-").replace(".com", "-dot-com"),
}
PLATES: Mapping[str, Way] = {"blank": lambda p: f"{p[:3]} {p[3:]}", "dash": lambda p: f"{p[:3]}-{p[3:]}", "bare": str}
UNSEEN_PLATES: Mapping[str, Way] = {
    "small": lambda p: p.lower(), "dot": lambda p: f"{p[:3]}·{p[3:]}", "spaced": " ".join,
}  # fmt: skip

SCHOOLS: Mapping[str, Way] = {
    "elem": lambda s: s.replace("Elementary School", "Elem.").replace("Middle School", "Middle"),
    "capitals": str.upper,
    "longer": lambda s: s if s.endswith("School") else f"{s} School",
    "saint": lambda s: s.replace("Saint", "St.").replace("Mount", "Mt.").replace("Fort", "Ft."),
}
UNSEEN_SCHOOLS: Mapping[str, Way] = {
    "initials": lambda s: (
        s.replace("Elementary School", "ES").replace("Middle School", "MS").replace("High School", "HS")
    ),
    "sch": lambda s: s.replace("School", "Sch."),
    "public school": lambda s: s.replace("P.S. ", "Public School "),
    "ps": lambda s: s.replace("P.S. ", "PS "),
    "number": lambda s: s.replace("P.S. ", "PS #"),
    "small": str.lower,
    "grade school": lambda s: s.replace("Elementary School", "Grade School"),
    "el": lambda s: s.replace("Elementary School", "El. School"),
}
ILLS: Mapping[str, Way] = {
    "small": str.lower, "capitals": str.upper, "as is": str,
}  # fmt: skip
UNSEEN_ILLS: Mapping[str, Way] = {
    "title": str.title, "dashes": lambda s: s.replace(" ", "-"), "over lines": lambda s: s.replace(" ", "\n", 1),
    "and": lambda s: s.replace(" with ", " w/ ").replace(" and ", " & "),
}  # fmt: skip

NAMES: Mapping[str, Callable[[str, str], str]] = {
    "usual": lambda given, family: f"{given} {family}",
    "turned": lambda given, family: f"{family}, {given}",
    "capitals": lambda given, family: f"{given} {family}".upper(),
    "titled": lambda given, family: f"Officer {given} {family}",
    "possessive": lambda given, family: f"{given} {family}'s",
}
UNSEEN_NAMES: Mapping[str, Callable[[str, str], str]] = {
    "small": lambda given, family: f"{given} {family}".lower(),
    "initial": lambda given, family: f"{given} R. {family}",
    "junior": lambda given, family: f"{given} {family} Jr.",
    "capitals turned": lambda given, family: f"{family.upper()}, {given}",
    "hashtag": lambda given, family: f"#{given}{family}".replace(" ", "").replace("-", "").replace(".", ""),
    "without comma": lambda given, family: f"{family} {given}",
    "middle name": lambda given, family: f"{given} Lee {family}",
    "handle": lambda given, family: f"@{given}_{family}".replace(" ", "_"),
    "accents lost": lambda given, family: _without_accents(f"{given} {family}"),
    "two lines": lambda given, family: f"{given}\n{family}",
}


def _without_accents(text: str) -> str:
    pairs = str.maketrans("éüöÅñøŁłźąáóí", "euoAnoLlzaaoi")
    return text.translate(pairs)


def whole_name(one: Somebody) -> str:
    """Return a person's name as it is."""
    return f"{one.given} {one.family}"
