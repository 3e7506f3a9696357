"""Word lists of a city that does not exist. No name here was taken from a file of real people."""

from __future__ import annotations

CITY = "Wexley Falls"
STATE = "MO"
# No post office: 659 lies between the areas in use.
ZIP_CODES = ("65901", "65902", "65903", "65907", "65911")

GIVEN_NAMES = tuple(
    """
    Abel Adaeze Alma Amara Anders Anita Arlo Astrid Bao Beatrix Benno Bruna Caleb Carmen Cedric Chidi Clara Cyrus
    Dalia Davor Delia Dmitri Dora Edwin Eilidh Elias Elodie Emeka Esme Ezra Fatima Felix Fiona Florian Freya Gideon
    Giulia Grace Gustav Hana Harvey Hedda Hugo Ida Imani Ines Isak Ivy Jamal Jonas José Juno Kai Kamala Keiko Kenji
    Lars Leila Leona Lucia Mabel Magnus Malik Marisol Mateus Mei Mila Moses Nadia Naveen Nell Niamh Noor Odette Oleg
    Olive Omar Orla Otis Paloma Pavel Petra Priya Quentin Rafael Ravi Renée Rosa Rowan Rufus Sabine Salma Santiago
    Selma Simeon Sofia Søren Stella Tamsin Teodor Thandi Tobias Uma Ursula Vera Viktor Wanda Wendell Willa Xavier
    Yara Yusuf Zainab Zelda Zoë
    """.split()  # noqa: SIM905 - a list of words reads better than a list of quotes
)

FAMILY_NAMES = tuple(
    """
    Abernathy Achterberg Adeyemi Alcott Ambrosini Arkwright Ashdown Baptiste Barrowman Bellweather Bergqvist Birdsall
    Blackthorn Bohannon Brightwater Caddell Calloway Castellanos Chaudhry Clearwell Corrigan Cranbrook Dagenais
    Darrowby Delacroix Devereaux Dunmore Eastlake Echeverría Ekström Ellsworth Fairbairn Featherstone Ferreira
    Fitzwarren Fontaine Galbraith Garamendi Gilchrist Goldwater Greatorex Grünwald Hallorann Hargrove Hathersage
    Hawthorne Hollister Holmström Igwe Inglewood Ivanovic Jablonski Jamison Juarez Kallstrom Kariuki Kettleman
    Kingfisher Kowalczyk Lancaster Larkspur Laughlin Lindqvist Lockridge Macallister Marchetti Merriweather
    Mikkelsen Montoya Mukherjee Nakagawa Nightingale Norwood Nwosu Oakhurst O'Carroll Okafor Ostrander O'Shea
    Pemberton Penhaligon Pettigrew Pinkerton Quesada Quillfeather Rademacher Ravenscroft Redfern Rosenthal Rutherford
    Saltmarsh Sandoval Schönberg Shackleford Silverstein Skarsgard Stavros Stormont Sutcliffe Takahashi Tamblyn
    Thistlewood Thornbury Tremaine Trevino Underhill Upadhyay Vandermeer Vasquez Villanueva Wainwright Weatherby
    Whitlock Winterbourne Woolcott Yamaguchi Yarborough Zielinski
    """.split()  # noqa: SIM905 - a list of words reads better than a list of quotes
)

# Direction (may be empty), name, type.
STREETS = (
    ("NE", "Larkspur", "Ave"), ("", "Cooper Mill", "Rd"), ("N", "Juniper", "St"), ("", "Old Ferry", "Ln"),
    ("SW", "Hollyhock", "Dr"), ("", "Tannery", "St"), ("E", "14th", "St"), ("W", "22nd", "Ter"),
    ("", "Quarry Bend", "Ct"), ("S", "Meridian", "Blvd"), ("NW", "Birchwood", "Pl"), ("", "Lantern Hill", "Way"),
    ("", "Orchard Gate", "Cir"), ("SE", "Bluestem", "Ave"), ("N", "Foundry", "St"), ("", "Whistler Creek", "Rd"),
    ("E", "Goldenrod", "Dr"), ("", "Salt Kettle", "Ln"), ("W", "Mulberry", "St"), ("S", "Chandler", "Ave"),
    ("", "Heron Lake", "Dr"), ("NE", "63rd", "St"), ("", "Tall Oaks", "Trl"), ("", "Buttonwood", "Pkwy"),
    ("SW", "Prairie Fire", "Rd"), ("N", "Copperfield", "Ave"), ("", "Millrace", "Ter"), ("E", "Sycamore", "Blvd"),
    ("", "Bell Tower", "Sq"), ("NW", "Redbud", "Ln"), ("", "Harrow Creek", "Rd"), ("W", "Dovecote", "St"),
)  # fmt: skip

SCHOOLS = (
    "Quillback Elementary School", "Harrow Creek Elementary School", "Bluestem Elementary School",
    "Lantern Hill Elementary School", "Three Oaks Academy", "Old Ferry Middle School", "Copperfield Middle School",
    "Tannery Row Middle School", "Wexley Falls High School", "Meridian High School", "Saint Aldric School",
)  # fmt: skip

HEALTH_STATEMENTS = (
    "Type 2 diabetes, managed with metformin", "Severe peanut allergy, carries an epinephrine pen",
    "Epilepsy, last seizure two years ago", "Post-traumatic stress disorder after a shooting on duty",
    "Moderate persistent asthma", "Recovering from a torn rotator cuff, light duty", "Chronic migraine with aura",
    "Hearing loss in the left ear", "Crohn disease, infusion every eight weeks",
    "Major depressive disorder, in treatment",
    "High blood pressure, controlled", "Sleep apnea, uses a breathing machine at night",
)  # fmt: skip

DEPARTMENTS = (
    ("Police", ("Officer", "Sergeant", "Detective", "Dispatcher")),
    ("Fire", ("Firefighter", "Paramedic", "Captain")),
    ("Municipal Court", ("Judge", "Clerk", "Bailiff")),
    ("Water Services", ("Operator", "Engineer")),
    ("Public Works", ("Crew Lead", "Inspector")),
    ("Human Resources", ("Analyst", "Payroll Clerk", "Benefits Clerk")),
    ("City Attorney", ("Attorney", "Paralegal")),
    ("Neighborhood Services", ("Code Officer", "Case Worker")),
)

AREA_CODES = ("816", "913", "573", "417", "660", "785", "620", "316")

# Prefixes under which payment firms publish test numbers, and the length of a number there.
TEST_CARDS = (("424242", 16), ("400000", 16), ("555555", 16), ("222300", 16), ("378282", 15), ("601111", 16))
