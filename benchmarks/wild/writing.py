"""Other writings of the same value: ``SEEN`` by whoever makes rules, ``HELD`` back for the end."""

# ruff: noqa: E501, SIM905 - tables of one writing a line read best uncut
from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from datetime import date
from random import Random
from urllib.parse import quote, quote_plus

from benchmarks.wild.places import Place, ordinal

Way = Callable[[str], str]
Ways = Mapping[str, Way]


def _line(home: Place, rng: Random) -> str:
    return rng.choice(home.lines)


def _unit(home: Place, rng: Random) -> str:
    return f" {rng.choice(home.unit)}" if home.unit else ""


HOMES: tuple[Mapping[str, Callable[[Place, Random], str]], ...] = (
    {
        "usual": lambda h, r: f"{_line(h, r)}{_unit(h, r)}, {h.city}, {h.state} {h.zip5}",
        "no commas": lambda h, r: f"{_line(h, r)}{_unit(h, r)} {h.city} {h.state} {h.zip5}",
        "postal capitals": lambda h, r: f"{_line(h, r)}{_unit(h, r)}\n{h.city} {h.state} {h.zip5}".upper(),
        "small": lambda h, r: f"{_line(h, r)}{_unit(h, r)}, {h.city}, {h.state}".lower(),
        "state name": lambda h, r: f"{_line(h, r)}{_unit(h, r)}, {h.city}, {h.state_name} {h.zip5}",
        "zip plus four": lambda h, r: (
            f"{_line(h, r)}{_unit(h, r)}, {h.city} {h.state} {h.zip5}-{r.randint(1001, 9890)}"
        ),
        "zip alone": lambda h, r: f"{_line(h, r)}{_unit(h, r)} {h.zip5}",
        "unit comma": lambda h, r: f"{_line(h, r)},{_unit(h, r)}, {h.city} {h.state}",
        "url": lambda h, r: quote_plus(f"{_line(h, r)} {h.city} {h.state} {h.zip5}"),
        "quoted mail": lambda h, r: f"{_line(h, r)}{_unit(h, r)}\n> {h.city}, {h.state} {h.zip5}",
        "double quoted mail": lambda h, r: f"{_line(h, r)}{_unit(h, r)}\n>> {h.city}, {h.state} {h.zip5}",
        "line breaks": lambda h, r: f"{_line(h, r)}<br/>{h.city}, {h.state} {h.zip5}",
        "backticks": lambda h, r: f"`{_line(h, r)}`, `{h.city}, {h.state}`",
        "no blanks": lambda h, r: f"{_line(h, r)}{_unit(h, r)},{h.city},{h.state},{h.zip5}",
    },
    {
        "county between": lambda h, r: f"{_line(h, r)}{_unit(h, r)}, {h.city}, {h.state}, {h.zip5}, USA",
        "city first": lambda h, r: f"{h.city}, {h.state}: {_line(h, r)}{_unit(h, r)}",
        "in": lambda h, r: f"{_line(h, r)} in {h.city}",
        "in state": lambda h, r: f"{_line(h, r)}{_unit(h, r)} in {h.city}, {h.state_name}",
        "slashes": lambda h, r: f"{_line(h, r)}{_unit(h, r)} / {h.city} / {h.state} / {h.zip5}",
        "pipes": lambda h, r: f"{_line(h, r)}{_unit(h, r)} | {h.city} | {h.state} | {h.zip5}",
        "bullets": lambda h, r: f"{_line(h, r)}{_unit(h, r)} • {h.city}, {h.state} {h.zip5}",
        "labels": lambda h, r: f"Street: {_line(h, r)}{_unit(h, r)}\nCity: {h.city}\nState: {h.state}\nZIP: {h.zip5}",
        "percent": lambda h, r: quote(f"{_line(h, r)}, {h.city}, {h.state} {h.zip5}"),
        "entities": lambda h, r: html.escape(f"{_line(h, r)}{_unit(h, r)}&nbsp;{h.city}, {h.state}").replace(
            " ", "&#32;"
        ),
        "bold": lambda h, r: f"**{_line(h, r)}**{_unit(h, r)}, *{h.city}*, {h.state} {h.zip5}",
        "paragraphs": lambda h, r: f"<p>{_line(h, r)}{_unit(h, r)}</p>\n<p>{h.city}, {h.state} {h.zip5}</p>",
        "wrapped": lambda h, r: f"{_line(h, r)}{_unit(h, r)}, {h.city},=\n {h.state} {h.zip5}",
        "quoted print": lambda h, r: f"{_line(h, r)}{_unit(h, r)},=20\n{h.city},=20{h.state} {h.zip5}",
        "points": lambda h, r: f"{_line(h, r)}{_unit(h, r)}. {h.city}, {'.'.join(h.state)}. {h.zip5}",
        "hashtags": lambda h, r: f"{_line(h, r)}{_unit(h, r)} #{h.city.replace(' ', '')} {h.state}",
        "tight unit": lambda h, r: f"{_line(h, r)}{_unit(h, r).replace(' #', '#')}, {h.city} {h.zip5}",
        "backslashes": lambda h, r: f"{_line(h, r)}{_unit(h, r)}\\n{h.city}, {h.state} {h.zip5}",
    },
)
PHONES: tuple[Ways, ...] = (
    {
        "dashes": lambda d: f"{d[:3]}-{d[3:6]}-{d[6:]}", "bracket": lambda d: f"({d[:3]}) {d[3:6]}-{d[6:]}",
        "dots": lambda d: f"{d[:3]}.{d[3:6]}.{d[6:]}", "bare": str, "plus": lambda d: f"+1{d}",
        "extension": lambda d: f"{d[:3]}-{d[3:6]}-{d[6:]} x{d[1]}04", "ext word": lambda d: f"{d[:3]}.{d[3:6]}.{d[6:]} ext. 218",
        "slash": lambda d: f"{d[:3]}/{d[3:6]}-{d[6:]}", "one dash": lambda d: f"1-{d[:3]}-{d[3:6]}-{d[6:]}",
        "tight bracket": lambda d: f"({d[:3]}){d[3:6]}-{d[6:]}", "double zero": lambda d: f"001 {d[:3]} {d[3:6]} {d[6:]}",
        "rfc3966": lambda d: f"tel:+1-{d[:3]}-{d[3:6]}-{d[6:]}", "last dash": lambda d: f"{d[:6]}-{d[6:]}",
        "underlined": lambda d: f"__{d[:3]}-{d[3:6]}-{d[6:]}__",
    },
    {
        "itu": lambda d: f"+1 ({d[:3]}) {d[3:6]} {d[6:]}", "pairs": lambda d: f"{d[:3]} {d[3:6]} {d[6:8]} {d[8:]}",
        "middle dots": lambda d: f"{d[:3]}·{d[3:6]}·{d[6:]}", "em": lambda d: f"{d[:3]}—{d[3:6]}—{d[6:]}",
        "zero eleven": lambda d: f"011-1-{d[:3]}-{d[3:6]}-{d[6:]}", "first dash": lambda d: f"{d[:3]}-{d[3:]}",
        "plus zero": lambda d: f"+01 {d[:3]} {d[3:6]} {d[6:]}", "whatsapp": lambda d: f"https://wa.me/1{d}",
        "sms": lambda d: f"sms:+1{d}?body=hi", "wide bracket": lambda d: f"( {d[:3]} ) {d[3:6]} - {d[6:]}",
        "ampersand": lambda d: f"&#43;1&nbsp;{d[:3]}&nbsp;{d[3:6]}&#8209;{d[6:]}", "ext long": lambda d: f"({d[:3]}) {d[3:6]}-{d[6:]}, extension 4471",
        "encoded": lambda d: f"%2B1%20{d[:3]}%20{d[3:6]}%20{d[6:]}", "halves": lambda d: f"{d[:5]} {d[5:]}",
        "soft": lambda d: f"{d[:3]}\u00ad-{d[3:6]}\u00ad-{d[6:]}", "parts": lambda d: f"area code {d[:3]}, {d[3:6]}-{d[6:]}",
        "quoted break": lambda d: f"{d[:3]}-{d[3:6]}-\n> {d[6:]}", "equals": lambda d: f"{d[:3]}-{d[3:6]}-=\n{d[6:]}",
        "commas": lambda d: f"{d[:3]},{d[3:6]},{d[6:]}",
    },
)  # fmt: skip
SSNS: tuple[Ways, ...] = (
    {
        "dashes": lambda d: f"{d[:3]}-{d[3:5]}-{d[5:]}", "bare": str, "blanks": lambda d: f"{d[:3]} {d[3:5]} {d[5:]}",
        "dots": lambda d: f"{d[:3]}.{d[3:5]}.{d[5:]}", "slashes": lambda d: f"{d[:3]}/{d[3:5]}/{d[5:]}",
        "threes": lambda d: f"{d[:3]} {d[3:6]} {d[6:]}", "hash": lambda d: f"#{d[:3]}-{d[3:5]}-{d[5:]}",
        "en": lambda d: f"{d[:3]}–{d[3:5]}–{d[5:]}",
    },
    {
        "bold": lambda d: f"**{d[:3]}**-**{d[3:5]}**-**{d[5:]}**", "two parts": lambda d: f"{d[:5]}-{d[5:]}",
        "middle dots": lambda d: f"{d[:3]}·{d[3:5]}·{d[5:]}", "wide": lambda d: f"{d[:3]} - {d[3:5]} - {d[5:]}",
        "boxes": "|".join, "quoted": lambda d: f'"{d[:3]}"-"{d[3:5]}"-"{d[5:]}"',
        "entities": lambda d: f"{d[:3]}&#45;{d[3:5]}&#45;{d[5:]}", "encoded": lambda d: f"{d[:3]}%2D{d[3:5]}%2D{d[5:]}",
        "no-break": lambda d: f"{d[:3]}\u2011{d[3:5]}\u2011{d[5:]}", "over lines": lambda d: f"{d[:3]}-{d[3:5]}-\n{d[5:]}",
        "threes dashed": lambda d: f"{d[:3]}-{d[3:6]}-{d[6:]}", "in brackets": lambda d: f"[{d[:3]}-{d[3:5]}-{d[5:]}]",
    },
)  # fmt: skip
CARDS: tuple[Ways, ...] = (
    {"blanks": lambda d: " ".join((d[:4], d[4:8], d[8:12], d[12:])), "bare": str,
     "dashes": lambda d: "-".join((d[:4], d[4:8], d[8:12], d[12:])), "dots": lambda d: ".".join((d[:4], d[4:8], d[8:12], d[12:])),
     "dump": lambda d: f"{d}|04|29|123"},
    {"halves": lambda d: f"{d[:8]} {d[8:]}", "slashes": lambda d: "/".join((d[:4], d[4:8], d[8:12], d[12:])),
     "colons": lambda d: f"{d}:0429:123", "lines": lambda d: f"{d[:4]} {d[4:8]}\n{d[8:12]} {d[12:]}",
     "en": lambda d: "–".join((d[:4], d[4:8], d[8:12], d[12:])), "track": lambda d: f";{d}=29041010000012300000?"},
)  # fmt: skip
_FOREIGN = (
    ("de", "{d}. {m} {y}", "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    (
        "es",
        "{d} de {m} de {y}",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    ),
    ("fr", "{d} {m} {y}", "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    (
        "pt",
        "{d} de {m} de {y}",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    ),
    (
        "it",
        "{d} {m} {y}",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    ),
    ("nl", "{d} {m} {y}", "januari februari maart april mei juni juli augustus september oktober november december"),
    (
        "pl",
        "{d} {m} {y}",
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    ),
)


def _in(language: int) -> Callable[[date], str]:
    _, form, months = _FOREIGN[language]
    return lambda d: form.format(d=d.day, m=months.split()[d.month - 1], y=d.year)


_ROMAN = "I II III IV V VI VII VIII IX X XI XII".split()
DATES: tuple[Mapping[str, Callable[[date], str]], ...] = (
    {
        "us": lambda d: f"{d:%m/%d/%Y}", "iso": date.isoformat, "words": lambda d: f"{d:%B} {d.day}, {d.year}",
        "short": lambda d: f"{d.month}/{d.day}/{d:%y}", "military": lambda d: f"{d:%d} {d:%b} {d:%Y}".upper(),
        "ordinal": lambda d: f"the {ordinal(d.day)} of {d:%B}, {d.year}", "compact": lambda d: f"{d:%Y%m%d}",
        "es": _in(1), "de": _in(0), "iso time": lambda d: f"{d.isoformat()}T00:00:00Z", "glued": lambda d: f"{d:%d%b%Y}",
    },
    {
        "fr": _in(2), "pt": _in(3), "it": _in(4), "nl": _in(5), "pl": _in(6), "dots": lambda d: f"{d.month}.{d.day}.{d.year}",
        "weekday": lambda d: f"{d:%A}, {d:%B} {d.day}, {d.year}", "jp": lambda d: f"{d.year}年{d.month}月{d.day}日",
        "roman": lambda d: f"{d.day}-{_ROMAN[d.month - 1]}-{d.year}", "no year comma": lambda d: f"{d:%B} {d.day} {d.year}",
        "slash iso": lambda d: f"{d:%Y/%m/%d}", "apostrophe": lambda d: f"{d:%b} {d.day} '{d:%y}",
        "spaced": lambda d: f"{d:%m} / {d:%d} / {d:%Y}", "encoded": lambda d: quote(f"{d:%m/%d/%Y}", safe=""),
        "labels": lambda d: f"day {d.day} month {d.month} year {d.year}", "year first": lambda d: f"{d.year} {d:%b} {d.day}",
    },
)  # fmt: skip
NAMES: tuple[Mapping[str, Callable[[str, str], str]], ...] = (
    {
        "plain": lambda g, f: f"{g} {f}", "turned": lambda g, f: f"{f}, {g}", "capitals": lambda g, f: f"{g} {f}".upper(),
        "middle": lambda g, f: f"{g} M. {f}", "title": lambda g, f: f"Ms. {g} {f}", "suffix": lambda g, f: f"{g} {f}, Jr.",
        "small": lambda g, f: f"{g} {f}".lower(), "badge": lambda g, f: f"Officer {g} {f} (#4471)",
    },
    {
        "turned caps": lambda g, f: f"{f.upper()}, {g}", "no comma": lambda g, f: f"{f} {g}", "middle name": lambda g, f: f"{g} Jean {f}",
        "nick in brackets": lambda g, f: f"{g} ({g[:3]}) {f}", "post": lambda g, f: f"{g} {f}, MPA", "tag": lambda g, f: f"@{g} {f}",
        "two lines": lambda g, f: f"{g}\n{f}", "underscore": lambda g, f: f"{g}_{f}".replace(" ", "_"), "né": lambda g, f: f"{g} {f} (née Ford)",
        "turned suffix": lambda g, f: f"{f}, {g}, III", "labels": lambda g, f: f"First name: {g} Last name: {f}",
        "quotes": lambda g, f: f"“{g} {f}”",
    },
)  # fmt: skip
EMAILS: tuple[Ways, ...] = (
    {"plain": str, "angle": lambda e: f"<{e}>", "link": lambda e: f"mailto:{e}", "capitals": str.upper,
     "markdown": lambda e: f"[{e}](mailto:{e})"},
    {"encoded": lambda e: e.replace("@", "%40"), "entity": lambda e: e.replace("@", "&#64;"),
     "query": lambda e: f"?email={e}&ok=1", "tab": lambda e: f"\t{e}\t", "bold": lambda e: f"<b>{e.split('@')[0]}</b>@{e.split('@')[1]}"},
)  # fmt: skip
PLATES: tuple[Ways, ...] = (
    {"blank": lambda p: f"{p[:3]} {p[3:]}", "dash": lambda p: f"{p[:3]}-{p[3:]}", "bare": str},
    {"dot": lambda p: f"{p[:3]}·{p[3:]}", "small": str.lower, "bold": lambda p: f"*{p[:3]} {p[3:]}*"},
)  # fmt: skip


def _short_level(school: str) -> str:
    for old, new in (("Elementary School", "Elem."), ("Middle School", "MS"), ("Junior High School", "Jr. High"),
                     ("High School", "HS"), ("Primary School", "Primary"), ("Magnet School", "Magnet")):  # fmt: skip
        if old in school:
            return school.replace(old, new)
    return school


SCHOOLS: tuple[Ways, ...] = (
    {"plain": str, "capitals": str.upper, "short": _short_level, "small": str.lower, "no school": lambda s: s.removesuffix(" School")},
    {"the": lambda s: f"the {s}", "quotes": lambda s: f"“{s}”", "city": lambda s: f"{s} (Bend)", "two lines": lambda s: s.replace(" ", "\n", 1),
     "possessive": lambda s: f"{s}'s gym", "tight short": lambda s: _short_level(s).replace(".", "")},
)  # fmt: skip
ILLS: tuple[Ways, ...] = (
    {"plain": str, "small": str.lower, "capitals": str.upper, "wrapped": lambda s: s.replace(" ", "\n", 1)},
    {"quotes": lambda s: f"“{s}”", "dash": lambda s: s.replace(", ", " - "), "bold": lambda s: f"**{s}**",
     "no commas": lambda s: s.replace(",", ""), "slash": lambda s: s.replace(", ", "/")},
)  # fmt: skip


def as_base64(text: str) -> str:
    """Return a text as a program would pass it on."""
    return base64.b64encode(text.encode()).decode()
