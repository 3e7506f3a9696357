"""Made-up people to be found: names, homes, schools and numbers put together by a seed. Nobody's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

_ALL_GIVEN = """
Marisol Theodora Quentin Bettina Rasheed Yolanda Percival Annika Desmond Ludmila Fergus Imani Octavio Perpetua Søren
Zoë José Chloé Björn Nguyễn Siobhán Łukasz Anne-Marie Jean-Paul Keisha Hiroshi Priya Tobias Clementine Augustin
Winifred Rosalind Bartholomew Delphine Ignacio Katarzyna Malachi Noemi Osvaldo Philippa Ulysses Venetia
"""
_GIVEN = _ALL_GIVEN.split()
_ALL_FAMILY = (
    "Abernathy|Brzezinski|Castellanos|Dellarosa|Ekwueme|Featherstone|Goldfarb|Haverkamp|Iturbide|Jankowski|"
    "Kowalczyk|Lindqvist|MacAllister|McGillicuddy|Nakagawa|O'Shaughnessy|D'Agostino|Pemberton|Quartermaine|"
    "Rasmussen|Szymanski|Thistlewood|Underhill|Vandermeer|Wojciechowski|Yellowhorse|Zimmermann|de la Cruz|"
    "van der Berg|St. Clair|Muñoz|Gutiérrez-Ochoa|Smith-Barlow|Fürstenberg|Ångström|Le Blanc|Del Toro|Hernández|"
    "Okonkwo|Pruitt|Tran|Lowe"
)
_FAMILY = _ALL_FAMILY.split("|")
_ALL_CHILDREN = """
Otis Juniper Ezra Paloma Silas Beatrix Anders Cleo Rufus Odette Jasper Linnea Bodhi Esme Thaddeus
"""
_CHILDREN = _ALL_CHILDREN.split()
_ALL_STREETS = (
    "Thornbury|Wildflower|Chestnut Ridge|Old Mill|Saint Bernard|Fort Osage|Mount Pleasant|Lexington|"
    "Martin Luther King|Hackberry|Prairie View|Quail Hollow|Van Buren|McGee|O'Donnell|Ravenscroft|Sycamore|"
    "Bellefontaine|Cherokee|Wornall|Blue Parkway|Independence|Winchester|Persimmon|Gladstone|Meadowlark|"
    "Kensington|Pawnee|Nebraska|Summit View"
)
_STREETS = _ALL_STREETS.split("|")
_ORDINALS = (3, 5, 12, 21, 39, 42, 63, 87, 103, 114, 152)
_ALL_TYPES = """
Street Avenue Road Drive Lane Court Place Boulevard Terrace Circle Trail Way Parkway
"""
_TYPES = _ALL_TYPES.split()
_DIRECTIONS = ("North", "South", "East", "West", "Northeast", "Southwest")
_CITIES = (
    "Kansas City|MO|641,Saint Joseph|MO|645,Lee's Summit|MO|640,Independence|MO|640,Overland Park|KS|662,"
    "Fort Scott|KS|667,Mount Vernon|MO|657,O'Fallon|MO|633,Grand Island|NE|688,Sault Ste. Marie|MI|497,"
    "Winston-Salem|NC|271,Coeur d'Alene|ID|838,Truth or Consequences|NM|879,Jamaica|NY|114,Waukesha|WI|531,"
    "Santa Fe|NM|875,North Platte|NE|691,Bel Air|MD|210,Iowa City|IA|522,El Dorado|AR|717"
)
CITIES = [tuple(row.split("|")) for row in _CITIES.split(",")]
_ALL_SCHOOLS = (
    "Cottonwood|Hastings|Saint Agnes|Mount Zion|Fort Larned|Pioneer|Granville|Three Rivers|Thackeray|Sunnyslope|"
    "Prairie|Valley|McIntyre|Palmas|Whitcomb|Attwood|Heron|Canyon|Montoya|Stonegate|Cross|Hawthorne|Sagebrush"
)
_SCHOOLS = _ALL_SCHOOLS.split("|")
_ALL_FIRST_OF_SCHOOL = "Eleanor|Upper|Booker T.|Amelia|Blue|Crispus|Copper|Gabriela|Daniel|Hidden|Ronald|Twin"
_FIRST_OF_SCHOOL = _ALL_FIRST_OF_SCHOOL.split("|")
_LEVELS = ("Elementary School", "Middle School", "High School", "Elementary", "Academy", "Charter School")
_ALL_ILLS = (
    "Recurrent major depressive episode|Type 2 diabetes mellitus with retinopathy|"
    "Rheumatoid arthritis of both wrists|Chronic obstructive pulmonary disease|"
    "Generalized anxiety with panic attacks|Lumbar disc herniation at L4-L5|Relapsing multiple sclerosis|"
    "Opioid dependence in remission|Hepatitis C carrier|Ulcerative colitis flare|"
    "Post-traumatic stress after shooting|Epilepsy with focal seizures|Stage II ductal carcinoma of left breast|"
    "Severe obstructive sleep apnea|Chronic kidney failure on dialysis|Bipolar affective disorder, mixed"
)
_ILLS = _ALL_ILLS.split("|")
_AREAS = (201, 212, 303, 314, 402, 417, 505, 573, 602, 620, 660, 702, 785, 816, 913)
_DOMAINS = ("example.com", "example.org", "mail.example.net")


@dataclass(frozen=True, slots=True)
class Home:
    """A home address by its parts, written out in full; ``special`` stands for the whole street part (a box)."""

    number: str
    before: str
    name: str
    kind: str
    after: str
    unit: str
    city: str
    state: str
    zip5: str
    special: str = ""


@dataclass(frozen=True, slots=True)
class Child:
    ref: str
    given: str
    school: str


@dataclass(frozen=True, slots=True)
class Somebody:
    """One made-up person. Phones are ten digits, cards sixteen or fifteen, the SSN nine."""

    number: str
    given: str
    family: str
    home: Home
    mobile: str
    landline: str
    ssn: str
    born: date
    card: str
    email: str
    plate: str
    state: str
    spouse: tuple[str, str]
    children: tuple[Child, ...]
    ill: str


@dataclass(frozen=True, slots=True)
class World:
    """Who is enrolled, and who is not: strangers, and near misses of each enrolled person."""

    enrolled: tuple[Somebody, ...]
    strangers: tuple[Somebody, ...]


class _Maker:
    """Draws people; nothing that identifies is drawn twice."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._taken: set[str] = set()

    def _fresh(self, draw: str) -> bool:
        if draw in self._taken:
            return False
        self._taken.add(draw)
        return True

    def _digits(self, first: str, count: int) -> str:
        while True:
            text = first + "".join(str(self._rng.randrange(10)) for _ in range(count))
            if self._fresh(text):
                return text

    def home(self) -> Home:
        """Draw a home: mostly streets, some of every special form of USPS Publication 28."""
        rng = self._rng
        city, state, prefix = rng.choice(CITIES)
        zip5 = f"{prefix}{rng.randrange(1, 99):02}"
        draw = rng.random()
        if draw < 0.03:
            box = self._digits(str(rng.randint(1, 9)), 3)
            return Home("", "", "", "", "", "", city, state, zip5, f"PO Box {box}")
        if draw < 0.05:
            box = self._digits(str(rng.randint(1, 9)), 2)
            return Home("", "", "", "", "", "", city, state, zip5, f"RR {rng.randint(1, 9)} Box {box}")
        number = self._digits(str(rng.randint(1, 9)), rng.choice((2, 3, 3, 4)))
        unit = str(rng.choice(("", "", "", "4", "12B", "301", "C")))
        before = rng.choice(_DIRECTIONS) if rng.random() < 0.4 else ""
        if draw < 0.08:
            road = f"{rng.choice(('State Highway', 'County Road', 'US Highway'))} {rng.randint(10, 99)}"
            return Home(number, "", road, "", "", "", city, state, zip5)
        if draw < 0.11:
            number = f"{number[:2]}-{number[-2:]}" if city == "Jamaica" else f"{number} 1/2"
        after = rng.choice(("N", "S", "SW")) if not before and rng.random() < 0.08 else ""
        name = f"{_ordinal(rng.choice(_ORDINALS))}" if rng.random() < 0.2 else rng.choice(_STREETS)
        return Home(number, before, name, rng.choice(_TYPES), after, unit, city, state, zip5)

    def person(self, number: str) -> Somebody:
        """Draw a person."""
        rng = self._rng
        while True:
            given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
            if self._fresh(f"{given} {family}"):
                break
        born = date(1948, 1, 1) + timedelta(days=rng.randrange(20_000))
        while not self._fresh(born.isoformat()):
            born += timedelta(days=1)
        home = self.home()
        children = tuple(
            Child(f"c{place + 1}", name, self._school())
            for place, name in enumerate(rng.sample(_CHILDREN, rng.choice((0, 1, 1, 2))))
        )
        letters = "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(3))
        local = "".join(char for char in f"{given}.{family}".lower().replace(" ", "") if char.isascii())
        return Somebody(
            number=number,
            given=given,
            family=family,
            home=home,
            mobile=self._digits(f"{rng.choice(_AREAS)}55501", 2) if rng.random() < 0.2 else self._line(),
            landline=self._line(),
            ssn=self._digits(f"{rng.randint(734, 763)}", 6),
            born=born,
            card=self._card(),
            email=f"{local}{rng.randint(10, 99)}@{rng.choice(_DOMAINS)}",
            plate=self._digits(letters, 3),
            state=home.state,
            spouse=self._spouse(family),
            children=children,
            ill=rng.choice(_ILLS),
        )

    def _spouse(self, family: str) -> tuple[str, str]:
        """Draw a spouse whose name is nobody else's: beside an enrolled name, other values would count."""
        while True:
            name = self._rng.choice(_GIVEN), family if self._rng.random() < 0.6 else self._rng.choice(_FAMILY)
            if self._fresh(" ".join(name)):
                return name

    def _line(self) -> str:
        return self._digits(f"{self._rng.choice(_AREAS)}555", 4)

    def _card(self) -> str:
        """Draw a number under a prefix of published test cards, with its Luhn digit."""
        first, count = self._rng.choice((("4000000", 8), ("555555", 9), ("378282", 8)))
        body = self._digits(first, count)
        total = 0
        for place, char in enumerate(reversed(body)):
            value = int(char) * (2 if place % 2 == 0 else 1)
            total += value - 9 if value > 9 else value
        return body + str(-total % 10)

    def _school(self) -> str:
        """Draw a school whose own name no other school has, whatever its level."""
        rng = self._rng
        while True:
            if rng.random() < 0.08:
                own = name = f"P.S. {rng.randint(11, 399)}"
            else:
                own = f"{rng.choice(_FIRST_OF_SCHOOL)} {rng.choice(_SCHOOLS)}"
                own = own.split(" ", 1)[1] if own.split(" ", 1)[1].startswith(("Saint", "Mount", "Fort")) else own
                name = f"{own} {rng.choice(_LEVELS)}"
            if self._fresh(own):
                return name


def make_world(seed: int, people: int) -> World:
    """Draw a world.

    Args:
        seed: decides everything.
        people: enrolled people; as many strangers, every second of them a neighbour
            (another house number in the street of an enrolled person) or a namesake.
    """
    maker, rng = _Maker(seed), Random(seed + 1)
    enrolled = tuple(maker.person(f"F-{number:04}") for number in range(people))
    strangers = []
    for number in range(people):
        one = maker.person(f"X-{number:04}")
        near = enrolled[number]
        if number % 4 == 1 and near.home.number.isdigit():
            other = str(int(near.home.number) + rng.choice((2, 4, 6)))
            one = replace(one, home=replace(near.home, number=other, unit=""))
        elif number % 4 == 3:
            # A namesake in another state of health: the same statement beside the same name would be that person's.
            other_ill = _ILLS[(_ILLS.index(near.ill) + 1) % len(_ILLS)]
            one = replace(one, given=near.given, family=near.family, ill=other_ill)
        strangers.append(one)
    return World(enrolled, tuple(strangers))


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
