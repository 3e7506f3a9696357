"""Home addresses in the shapes that the mail knows, each with its usual writings (USPS Publication 28 and beyond)."""

# ruff: noqa: E501, SIM905 - tables of one writing a line read best uncut
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

KINDS = {
    "Avenue": "Ave", "Street": "St", "Road": "Rd", "Drive": "Dr", "Lane": "Ln", "Court": "Ct", "Boulevard": "Blvd",
    "Circle": "Cir", "Terrace": "Ter", "Trail": "Trl", "Place": "Pl", "Parkway": "Pkwy", "Crossing": "Xing",
    "Square": "Sq", "Cove": "Cv", "Way": "Way", "Loop": "Loop", "Highlands": "Highlands", "Ridge": "Rdg",
    "Turnpike": "Tpke", "Crescent": "Cres", "Point": "Pt", "Run": "Run",
}  # fmt: skip
SIDES = {
    "N": "North", "S": "South", "E": "East", "W": "West", "NE": "Northeast", "NW": "Northwest", "SE": "Southeast",
    "SW": "Southwest",
}  # fmt: skip
_STATES = {
    "TX": "Texas", "UT": "Utah", "WI": "Wisconsin", "NY": "New York", "NM": "New Mexico", "GA": "Georgia",
    "OR": "Oregon", "WA": "Washington", "MN": "Minnesota", "LA": "Louisiana", "PR": "Puerto Rico", "AE": "AE", "AP": "AP",
    "NH": "New Hampshire", "CO": "Colorado", "TN": "Tennessee", "AZ": "Arizona", "WV": "West Virginia", "DC": "DC",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A home. ``lines`` are ways to write its first line, the enrolled one first; a reader must know them all."""

    shape: str
    lines: tuple[str, ...]
    short: str
    unit: tuple[str, ...]
    city: str
    state: str
    zip5: str
    near: str  # the same line of another home: another number
    askew: str  # the same number in another street of nearly that name; "" when there is none

    @property
    def enrolled(self) -> str:
        """Return the line as enrolled."""
        unit = f" {self.unit[0]}" if self.unit else ""
        return f"{self.lines[0]}{unit}, {self.city}, {self.state} {self.zip5}"

    @property
    def state_name(self) -> str:
        """Return the state written out."""
        return _STATES[self.state]


_TOWNS = {
    "plain": (("Marfa", "TX", "798"), ("Bend", "OR", "977"), ("Walla Walla", "WA", "993"), ("St. Cloud", "MN", "563"),
              ("New Iberia", "LA", "705"), ("Los Alamos", "NM", "875"), ("Peachtree City", "GA", "302"),
              ("Grand Junction", "CO", "815"), ("Mt. Juliet", "TN", "371"), ("Ft. Collins", "CO", "805"),
              ("Lake Charles", "LA", "706"), ("Apache Junction", "AZ", "851"), ("Portsmouth", "NH", "038"),
              ("Charles Town", "WV", "254"), ("Washington", "DC", "200"), ("Sandy Springs", "GA", "303")),
    "utah": (("Salt Lake City", "UT", "841"), ("Provo", "UT", "846"), ("St. George", "UT", "847"), ("Orem", "UT", "840")),
    "wisconsin": (("Menomonee Falls", "WI", "530"), ("Fond du Lac", "WI", "549"), ("Sun Prairie", "WI", "535")),
    "queens": (("Forest Hills", "NY", "113"), ("Jackson Heights", "NY", "113"), ("Far Rockaway", "NY", "116")),
    "military": (("APO", "AE", "091"), ("APO", "AP", "962"), ("FPO", "AP", "966")),
    "pr": (("San Juan", "PR", "009"), ("Bayamón", "PR", "009"), ("Caguas", "PR", "007")),
}  # fmt: skip
_NAMES = (
    "Alder Glen|Buckthorn|Cimarron|Deer Path|Evergreen|Foxglove|Gallatin|Heatherstone|Ivy Hollow|Juneberry|Kestrel|"
    "Limestone|Mockingbird|Nightingale|Oak Crest|Pinecone|Quarry Hill|Rosewood|Saddle Horn|Tanglewood|Upland|"
    "Valley Forge|Whippoorwill|Yarrow|Zinnia|Sequoia|Tecumseh|Ponderosa|Marigold|Falcon Crest|St. Andrews|"
    "McCormick|Stone Bridge|Harvest Moon|King George|Magnolia|Hickory Nut|Bluebonnet|Chimney Rock|Dogwood"
).split("|")
_SPANISH = ("Camino del Monte Sol", "Calle Lorca", "Paseo de Peralta", "Avenida Cristo Rey", "Via Encantada")
_FIRST = {"1": "st", "2": "nd", "3": "rd"}


def ordinal(number: int) -> str:
    """Return 21st for 21."""
    return f"{number}{'th' if number % 100 in (11, 12, 13) else _FIRST.get(str(number)[-1], 'th')}"


class Surveyor:
    """Draws homes; no house number is drawn twice."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self._taken: set[int] = set()

    def _number(self, low: int = 101, high: int = 9989) -> int:
        while True:
            number = self.rng.randint(low, high)
            if not self._taken & {number, number + 2}:
                self._taken |= {number, number + 2}
                return number

    def home(self) -> Place:
        """Draw one: half of them in plain streets, half in one of the rarer shapes."""
        rare = self.rng.random() < 0.5
        shape = self.rng.choice(list(_SHAPES)) if rare else "street"
        return _SHAPES[shape](self)

    def _town(self, kind: str = "plain") -> tuple[str, str, str]:
        city, state, prefix = self.rng.choice(_TOWNS[kind])
        return city, state, f"{prefix}{self.rng.randint(10, 98)}"

    def _unit(self) -> tuple[str, ...]:
        rng = self.rng
        if rng.random() < 0.6:
            return ()
        value = rng.choice((str(rng.randint(2, 48)), f"{rng.randint(1, 9)}{rng.choice('BCDF')}", rng.choice("BCDF")))
        return rng.choice((
            (f"Apt {value}", f"Apartment {value}", f"#{value}", f"apt. {value}", f"Apt #{value}", f"# {value}"),
            (f"Unit {value}", f"unit #{value}", f"#{value}", f"UNIT {value}"),
            (f"Ste {value}", f"Suite {value}", f"Ste. {value}"),
            (f"Lot {value}", f"lot #{value}", f"LOT {value}"),
        ))  # fmt: skip

    def street(self) -> Place:
        rng, number = self.rng, self._number()
        name, kind = rng.choice(_NAMES), rng.choice(list(KINDS))
        side = rng.choice(("", "", "", *SIDES))
        written = [f"{s} {name} {k}".strip() for s, k in ((side, KINDS[kind]), (side, kind))]
        if side:
            written += [f"{SIDES[side]} {name} {kind}", f"{'.'.join(side)}. {name} {KINDS[kind]}."]
        other = next(one for one in ("Street", "Court", "Lane") if one != kind)
        return self._place(number, written, name, askew=f"{number} {side} {name} {KINDS[other]}".replace("  ", " "))

    def numbered(self) -> Place:
        rng, number, which = self.rng, self._number(), self.rng.randint(1, 189)
        kind, side = rng.choice(("Street", "Avenue", "Place", "Terrace")), rng.choice(list(SIDES))
        written = [f"{side} {ordinal(which)} {KINDS[kind]}", f"{SIDES[side]} {ordinal(which)} {kind}",
                   f"{side}. {ordinal(which).upper()} {KINDS[kind].upper()}", f"{side} {which} {KINDS[kind]}"]  # fmt: skip
        askew = f"{number} {side} {ordinal(which + 1)} {KINDS[kind]}"
        return self._place(number, written, f"{ordinal(which)}", askew=askew)

    def highway(self) -> Place:
        number, road = self._number(), self.rng.randint(12, 289)
        city, state, zip5 = self._town()
        written = self.rng.choice((
            (f"US Highway {road}", f"US Hwy {road}", f"U.S. Highway {road}", f"US HWY {road}", f"U.S. Hwy. {road}"),
            (f"State Highway {road}", f"State Hwy {road}", f"STATE HWY {road}", f"SH {road}", f"State Hwy. {road}"),
            (f"State Route {road}", f"State Rte {road}", f"SR {road}", f"St Rt {road}", f"State Rd {road}"),
            (f"County Road {road}", f"CR {road}", f"Co Rd {road}", f"County Rd {road}", f"Co. Rd. {road}",
             f"Cnty Rd {road}"),
            (f"FM {road}", f"Farm to Market Road {road}", f"F.M. {road}", f"FM Road {road}", f"FM-{road}"),
        ))  # fmt: skip
        askew = f"{number} {written[0].rsplit(' ', 1)[0]} {road + 1}"
        return self._place(number, written, written[0], town=(city, state, zip5), askew=askew)

    def lettered(self) -> Place:
        number, letter = self._number(), self.rng.choice(("K", "J", "M", "Q", "R", "U"))
        return self._place(number, (f"Avenue {letter}", f"Ave {letter}", f"AVENUE {letter}", f"Ave. {letter}"),
                           f"Avenue {letter}", askew=f"{number} Avenue {chr(ord(letter) + 2)}")  # fmt: skip

    def spanish(self) -> Place:
        number, name = self._number(), self.rng.choice(_SPANISH)
        return self._place(number, (name, name.upper(), name.lower()), name)

    def half(self) -> Place:
        number, name = self._number(), self.rng.choice(_NAMES)
        lines = (
            f"{number} 1/2 {name} St",
            f"{number}½ {name} Street",
            f"{number}-1/2 {name} St.",
            f"{number} ½ {name} St",
        )
        return self._made("half", lines, lines[0], f"{number + 2} 1/2 {name} St")

    def utah(self) -> Place:
        rng, number, road = self.rng, self._number(), self.rng.randint(2, 98) * 100 + self.rng.choice((0, 0, 50))
        one, two = rng.choice((("E", "S"), ("W", "N"), ("E", "N"), ("W", "S")))
        lines = (f"{number} {one} {road} {two}", f"{number} {SIDES[one]} {road} {SIDES[two]}",
                 f"{number} {one}. {road} {two}.", f"{number} {SIDES[one]} {road} {two}")  # fmt: skip
        near = f"{number} {one} {road + 100} {two}"
        return self._made("utah", lines, lines[0], near, town=self._town("utah"), unit=self._unit())

    def wisconsin(self) -> Place:
        rng, number = self.rng, self._number(1001, 30000)
        block, name, kind = rng.randint(51, 240), rng.choice(_NAMES), rng.choice(("Road", "Drive", "Lane"))
        if rng.random() < 0.4:
            letter = rng.choice(("K", "PP", "VV", "J"))
            lines: tuple[str, ...] = (f"N{number} County Road {letter}", f"N{number} County Rd {letter}",
                                      f"N{number} Co Rd {letter}", f"n{number} county road {letter}")  # fmt: skip
            near = f"N{number + 2} County Road {letter}"
        else:
            lines = (f"W{block}N{number} {name} {KINDS[kind]}", f"W{block} N{number} {name} {kind}",
                     f"w{block}n{number} {name.lower()} {kind.lower()}")  # fmt: skip
            near = f"W{block}N{number + 2} {name} {KINDS[kind]}"
        return self._made("wisconsin", lines, lines[0], near, town=self._town("wisconsin"))

    def queens(self) -> Place:
        rng, whole = self.rng, self._number(2101, 9989)
        block, door, which = whole // 100, f"{whole % 100:02}", rng.randint(31, 179)
        kind = rng.choice(("Street", "Avenue", "Drive", "Road"))
        lines = (f"{block}-{door} {ordinal(which)} {KINDS[kind]}", f"{block}-{door} {ordinal(which)} {kind}",
                 f"{block}{door} {ordinal(which)} {KINDS[kind]}", f"{block}-{door} {ordinal(which).upper()} {kind.upper()}")  # fmt: skip
        near = f"{block}-{(whole + 2) % 100:02} {ordinal(which)} {KINDS[kind]}"
        return self._made("queens", lines, lines[0], near, town=self._town("queens"), unit=self._unit())

    def box(self) -> Place:
        number = self._number()
        lines = (f"PO Box {number}", f"P.O. Box {number}", f"P. O. Box {number}", f"Post Office Box {number}",
                 f"p.o. box {number}", f"POB {number}", f"PO BOX {number}")  # fmt: skip
        return self._made("box", lines, "", f"PO Box {number + 2}")

    def rural(self) -> Place:
        number, route = self._number(), self.rng.randint(1, 9)
        word = self.rng.choice(("RR", "HC"))
        long = {"RR": "Rural Route", "HC": "Highway Contract"}[word]
        lines = (f"{word} {route} Box {number}", f"{long} {route} Box {number}", f"{word} {route}, Box {number}",
                 f"{'.'.join(word)}. {route} Box {number}", f"{word} #{route} BOX {number}")  # fmt: skip
        return self._made("rural", lines, "", f"{word} {route} Box {number + 2}")

    def military(self) -> Place:
        box, unit = self._number(), self.rng.randint(1001, 9890)
        word = self.rng.choice(("PSC", "Unit", "CMR"))
        lines = (f"{word} {unit} Box {box}", f"{word.upper()} {unit}, BOX {box}", f"{word} {unit} box {box}")
        return self._made("military", lines, "", f"{word} {unit} Box {box + 2}", town=self._town("military"))

    def pr(self) -> Place:
        rng, number, letter = self.rng, self._number(), self.rng.choice("ABCDE")
        estate = rng.choice(("Las Gladiolas", "Villa Carolina", "Santa Rosa", "Los Maestros", "Monte Brisas"))
        lines = (f"Urb {estate}, {number} Calle {letter}", f"Urb {estate} {number} Calle {letter}",
                 f"{number} Calle {letter}, Urb. {estate}", f"URB {estate.upper()} {number} CALLE {letter}",
                 f"Urbanización {estate}, {number} Calle {letter}")  # fmt: skip
        return self._made("pr", lines, "", f"Urb {estate}, {number + 2} Calle {letter}", town=self._town("pr"))

    def _place(
        self, number: int, roads: tuple[str, ...] | list[str], name: str,
        *, town: tuple[str, str, str] | None = None, askew: str = "",
    ) -> Place:  # fmt: skip
        lines = tuple(f"{number} {road}" for road in roads)
        return self._made(name and "street", lines, lines[0], f"{number + 2} {roads[0]}", town=town, unit=self._unit(),
                          askew=askew)  # fmt: skip

    def _made(  # noqa: PLR0913 - one part of a home each
        self, shape: str, lines: tuple[str, ...], short: str, near: str,
        *, town: tuple[str, str, str] | None = None, unit: tuple[str, ...] = (), askew: str = "",
    ) -> Place:  # fmt: skip
        city, state, zip5 = town or self._town()
        return Place(shape, lines, short, unit, city, state, zip5, near, askew)


_SHAPES: Mapping[str, Callable[[Surveyor], Place]] = {
    name: getattr(Surveyor, name)
    for name in ("street", "numbered", "highway", "lettered", "spanish", "half", "utah", "wisconsin", "queens", "box",
                 "rural", "military", "pr")
}  # fmt: skip
TOWNS = _TOWNS["plain"]
