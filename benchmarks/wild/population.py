"""Made-up people with names of many origins. Numbers are of reserved or never issued ranges, cards of test prefixes."""

# ruff: noqa: E501, ISC004 - lists of names in two halves
from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from benchmarks.wild.places import Place, Surveyor
from registry.domain.categories import Category
from registry.leaktrace.dossier import Member
from tests.unit.leaktrace.people import Person

# Two halves: no given and no family name of the first stands in the second.
_GIVEN = (
    "Oluwaseun Thuy Anjali Gudrun Kaleo Beatriz Zbigniew Pa-Houa Nizhoni Seo-yeon Faisal Maëlle Dimitrios Yesenia "
    "Craig Darnell Tamika Wendell Rhiannon Giancarlo Aroha Marlene Curtis Jolene",
    "Chukwuemeka Linh Sunita Ragnhild Leilani Thiago Bożena Mai-See Atsa Min-jun Khadija Anaïs Stavros Guadalupe "
    "Todd Latoya Brandon Myrtle Niamh Alessandra Tane Gladys Vernon Sheila",
)
_FAMILY = (
    "Adeyemi|Pham|Krishnamurthy|Thorvaldsen|Kahananui|Figueiredo|Wiśniewski|Vang|Begay|Kwon|Al-Rashid|Lefèvre|"
    "Papadopoulos|Villarreal-Ponce|McElhaney|Dubois|Stubblefield|O'Callaghan|de Oliveira|van Houten|St. James|Prescott|"
    "Truong|Birdsong|Hollingsworth|Culpepper|Yoder|Kim-Larsen",
    "Onyekachi|Huynh|Balasubramanian|Halvorsen|Makoa|Cavalcanti|Kaczmarek|Xiong|Tsosie|Hwang|El Sayed|Beauchêne|"
    "Karagiannis|Zaragoza-Ruiz|McWhorter|Arceneaux|Blankenship|O'Dowd|da Silva|von Trapp|St. Germain|Lovelace|"
    "Dang|Whitehorse|Throckmorton|Satterfield|Hershberger|Lee-Novak",
)
_KIDS = ("Maddox Saoirse Finnian Ottilie Kenji Amara Lucia Bram Wrenley Idris Piper Soren Kaia Dexter",
         "Rowan Isolde Mateo Freya Haruki Zuri Elodie Crosby Marlowe Tariq Sloane Anika Jonah Petra")  # fmt: skip
_OTHER_KIDS = "Alaric Bettany Corwin Delphia Emeric Fenella Gideon Hespera"
_SCHOOLS = ("Juniper Hill|Cesar Chavez|Eagle Rock|Harriet Tubman|Lost Creek|Maplewood|Our Lady of Sorrows|Pine Bluff|"
            "Rachel Carson|Silver Lake|Thurgood Marshall|Vista Grande|Wolf Run|Benjamin Franklin|Cedar Fork|Kit Carson|"
            "Mission Bay|Northfield|Desert Willow|Susan B. Anthony",
            "Aspen Grove|Dolores Huerta|Bear Hollow|Sojourner Truth|Mill Pond|Oakmont|Holy Redeemer|Cypress Bend|"
            "John Muir|Crystal River|Frederick Douglass|Mesa Verde|Fox Chase|Alexander Hamilton|Birch Fork|Jim Bridger|"
            "Harbor View|Southgate|Prickly Pear|Clara Barton")  # fmt: skip
_LEVELS = ("Elementary School", "Middle School", "High School", "Primary School", "Junior High School", "Academy",
           "Magnet School", "K-8 School")  # fmt: skip
_ILLS = (
    "Systemic lupus erythematosus|Chronic hepatitis B|Sickle cell anemia|Parkinson's disease, early onset|"
    "Crohn's disease with fistula|Severe peanut allergy|Borderline personality disorder|Alcohol use disorder|"
    "Myasthenia gravis|Congestive heart failure|Non-Hodgkin lymphoma|Gestational diabetes|Narcolepsy with cataplexy|"
    "Stage 3 kidney disease",
    "Ankylosing spondylitis|HIV infection on therapy|Hemophilia A|Huntington's chorea|Celiac disease with anemia|"
    "Latex allergy, anaphylactic|Obsessive compulsive disorder|Cocaine dependence|Guillain-Barré syndrome|"
    "Atrial fibrillation with stroke|Hodgkin lymphoma in relapse|Preeclampsia|Restless legs syndrome|Chronic pancreatitis",
)
_AREAS = (206, 225, 253, 307, 319, 401, 435, 478, 503, 515, 605, 608, 718, 801, 907, 915, 970, 985)
_HOSTS = ("example.com", "example.net", "post.example.org", "mail.example.edu")


@dataclass(frozen=True, slots=True)
class Human:
    """One made-up person. Numbers are digits alone; ``kids`` are (ref, given name, school)."""

    number: str
    given: str
    family: str
    home: Place
    cell: str
    landline: str
    ssn: str
    born: date
    card: str
    email: str
    plate: str
    spouse: tuple[str, str]
    kids: tuple[tuple[str, str, str], ...]
    ill: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


class _Registrar:
    def __init__(self, seed: int, half: int) -> None:
        self._rng, self._half = Random(seed), half
        self._surveyor = Surveyor(seed + 1)
        self._taken: set[str] = set()
        self._kids = _KIDS[half].split()

    def strangers(self) -> None:
        """From here on, children have other names: a name and a school alone would be an enrolled child's."""
        self._kids = _OTHER_KIDS.split()

    def _fresh(self, one: str) -> bool:
        new = one not in self._taken
        self._taken.add(one)
        return new

    def _digits(self, first: str, more: int) -> str:
        while True:
            drawn = first + "".join(self._rng.choice("0123456789") for _ in range(more))
            if self._fresh(drawn) and self._fresh(drawn[-4:] + "tail" + str(len(drawn))):
                return drawn

    def _name(self) -> tuple[str, str]:
        while True:
            given = self._rng.choice(_GIVEN[self._half].split())
            family = self._rng.choice(_FAMILY[self._half].split("|"))
            if self._fresh(f"{given}/{family}"):
                return given, family

    def _school(self) -> str:
        return f"{self._rng.choice(_SCHOOLS[self._half].split('|'))} {self._rng.choice(_LEVELS)}"

    def _card(self) -> str:
        body = self._digits(self._rng.choice(("400000", "555555", "601100")), 9)
        total = sum((int(c) * 2 - 9 * (int(c) > 4)) if place % 2 == 0 else int(c) for place, c in enumerate(body))
        return body + str(-total % 10)

    def human(self, number: str) -> Human:
        """Draw one."""
        rng = self._rng
        given, family = self._name()
        born = date(1950, 1, 1) + timedelta(days=rng.randrange(19_000))
        while not self._fresh(born.isoformat()):
            born += timedelta(days=1)
        mate = self._name()
        kids = rng.sample(self._kids, rng.choice((0, 1, 2, 2)))
        plain = "".join(c for c in unicodedata.normalize("NFD", f"{given[0]}{family}".lower()) if "a" <= c <= "z")
        letters = "".join(rng.choice("BCDFGHJKLMNPRSTVWXYZ") for _ in range(3))
        return Human(
            number, given, family, self._surveyor.home(), self._digits(f"{rng.choice(_AREAS)}555", 4),
            self._digits(f"{rng.choice(_AREAS)}555", 4), self._digits(f"{rng.randint(734, 763)}", 6), born, self._card(),
            f"{plain}{self._digits('', 3)}@{rng.choice(_HOSTS)}", self._digits(letters, 4), mate,
            tuple((f"c{place}", kid, self._school()) for place, kid in enumerate(kids, 1)),
            rng.choice(_ILLS[self._half].split("|")),
        )  # fmt: skip


def people(seed: int, half: int, count: int) -> tuple[Sequence[Human], Sequence[Human]]:
    """Return ``count`` people to enroll, and as many that are not: every third with an enrolled family name."""
    registrar = _Registrar(seed, half)
    enrolled = [registrar.human(f"W{half}{number:04}") for number in range(count)]
    registrar.strangers()
    strangers = [registrar.human(f"Z{half}{number:04}") for number in range(count)]
    known = {(one.given, one.family) for one in enrolled}
    for place in range(0, count, 3):
        one = replace(strangers[place], family=enrolled[place].family)
        if (one.given, one.family) not in known:
            strangers[place] = one
    return enrolled, strangers


def enrolled_as(human: Human, rng: Random) -> Person:
    """Return a person as enrolled."""
    c, h = human.cell, human.landline
    members = [Member("s1", "spouse", *human.spouse)]
    members += [Member(ref, "child", kid, human.family) for ref, kid, _ in human.kids]
    cell = rng.choice((f"{c[:3]}-{c[3:6]}-{c[6:]}", f"({c[:3]}) {c[3:6]}-{c[6:]}", f"+1 {c[:3]} {c[3:6]} {c[6:]}"))
    records: list[tuple[Category, dict[str, str], str | None]] = [
        (Category.HOME_ADDRESS, {"line": human.home.enrolled}, None),
        (Category.PHONE, {"kind": "mobile", "number": cell}, None),
        (Category.PHONE, {"kind": "home", "number": h}, None),
        (Category.SSN, {"number": f"{human.ssn[:3]}-{human.ssn[3:5]}-{human.ssn[5:]}"}, None),
        (Category.DATE_OF_BIRTH, {"date": human.born.isoformat()}, None),
        (Category.PAYMENT_CARD, {"number": human.card}, None),
        (Category.EMAIL, {"address": human.email}, None),
        (Category.VEHICLE_PLATE, {"plate": human.plate, "state": human.home.state}, None),
        (Category.HEALTH, {"statement": human.ill}, None),
    ]
    records += [(Category.SCHOOL, {"name": school}, ref) for ref, _, school in human.kids]
    return Person(human.number, human.given, human.family, tuple(members), tuple(records))
