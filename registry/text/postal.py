"""Words of US addresses: street types, directions, units, states, ordinals (USPS Publication 28 abbreviations)."""

from __future__ import annotations

# First word of a row: the abbreviation that stands for all of them.
_TYPE_ROWS = """
aly alley allee ally
anx annex annx
arc arcade
ave avenue av aven avenu avn avnue
bch beach
bnd bend
blf bluff bluf
blfs bluffs
btm bottom bottm bot
blvd boulevard boul boulv bvd boulevar
br branch brnch
brg bridge brdge
brk brook
byp bypass bypa byps
cp camp cmp
cyn canyon canyn cnyn
cpe cape
cswy causeway causwa
ctr center centre cent centr cnter cntr
cir circle circ circl crcl crcle
clf cliff
clfs cliffs
clb club
cmn common
cmns commons
cor corner
cors corners
crse course
ct court crt
cts courts
cv cove
crk creek
cres crescent crsent crsnt
xing crossing crssng xng
xrd crossroad
curv curve
dl dale
dr drive driv drv
drs drives
est estate
ests estates
expy expressway exp expr express expw
ext extension extn extnsn
fls falls
fld field
flds fields
flt flat
frd ford
frst forest
frk fork
fwy freeway freewy frway frwy
gdn garden gardn grden
gdns gardens
gtwy gateway gatewy gatway
gln glen
grn green
grv grove grov
hbr harbor harbr hrbor
hvn haven
hts heights ht
hwy highway highwy hiway hiwy hway
hl hill
hls hills
holw hollow hllw
is island islnd
isle isles
jct junction jction junctn
knl knoll knol
knls knolls
lk lake
lks lakes
lndg landing lndng
ln lane la
lgt light
lf loaf
loop loops
mall
mnr manor
mdw meadow
mdws meadows medows
ml mill
mls mills
mtwy motorway
mt mount mnt
mtn mountain mntain mntn mountin
orch orchard orchrd
oval ovl
park prk
pkwy parkway parkwy pkway pky parkways
pass
path paths
pike pikes
pne pine
pnes pines
pl place plc
pln plain
plns plains
plz plaza plza
pt point
pts points
prt port
prom promenade
radl radial
rnch ranch
rpd rapid
rst rest
rdg ridge rdge
rdgs ridges
riv river rvr
rd road
rds roads
rte route rt
row
run
shr shore
shrs shores
skwy skyway
spg spring
spgs springs
sq square sqr sqre squ
sta station statn stn
strm stream streme
st street strt str
smt summit sumit sumitt
ter terrace terr
trce trace traces
trl trail trails trls
trlr trailer
tunl tunnel tunel
tpke turnpike trnpk turnpk
un union
vly valley vally vlly
via viaduct vdct
vw view
vlg village vill villag
vis vista vist vst
walk walks
way wy
wls wells
"""
TYPES: dict[str, str] = {word: row.split()[0] for row in _TYPE_ROWS.strip().split("\n") for word in row.split()}
# Types that hardly ever belong to the name itself: seen after a number and a word, they close the street.
_CLOSING = (
    "aly ave blvd cir ct cts cv cres dr expy fwy hwy ln loop pkwy pl plz rd sq st ter trl tpke way xing cswy trce"
)
CLOSING = frozenset(_CLOSING.split())

# The written-out word of each type, for types inside a name (``Spring Grove Rd`` is Spring Grove, not spg grv).
SPELLED: dict[str, str] = {
    word: (row.split() + row.split())[1] if len(row.split()) > 1 else row.split()[0]
    for row in _TYPE_ROWS.strip().split("\n")
    for word in row.split()
}

# Words for a street that stand before its name (Publication 28, appendix G).
SPANISH_TYPES = frozenset(
    (
        "avenida",
        "calle",
        "caminito",
        "camino",
        "carretera",
        "cerrada",
        "circulo",
        "entrada",
        "paseo",
        "placita",
        "rancho",
        "vereda",
        "via",
    )
)

DIRECTIONS: dict[str, str] = {
    "n": "n", "north": "n", "no": "n", "s": "s", "south": "s", "so": "s", "e": "e", "east": "e", "w": "w", "west": "w",
    "ne": "ne", "northeast": "ne", "nw": "nw", "northwest": "nw", "se": "se", "southeast": "se", "sw": "sw",
    "southwest": "sw",
}  # fmt: skip

UNITS: dict[str, str] = {
    "apt": "apt", "apartment": "apt", "unit": "apt", "ste": "apt", "suite": "apt", "no": "apt", "num": "apt",
    "number": "apt",
    "rm": "apt", "room": "apt", "fl": "apt", "floor": "apt", "flr": "apt", "lot": "apt", "bldg": "apt",
    "blg": "apt", "building": "apt",
    "trlr": "apt", "spc": "apt", "space": "apt", "dept": "apt", "ph": "apt", "penthouse": "apt", "lowr": "apt",
    "uppr": "apt",
    "frnt": "apt", "rear": "apt", "bsmt": "apt", "slip": "apt", "hngr": "apt",
}  # fmt: skip

_ONES = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
sixteenth seventeenth eighteenth nineteenth
"""
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
TENS_WORDS = _TENS
ORDINALS: dict[str, int] = {
    **{word: number for number, word in enumerate(_ONES.split(), 1)},
    **{word[:-1] + "ieth": number for word, number in _TENS.items()},
    "hundredth": 100,
}

# Words written two ways inside a name.
SAME_WORDS = {
    "saint": "st", "sainte": "ste", "fort": "ft", "mount": "mt", "martin": "martin", "junior": "jr", "senior": "sr",
    "doctor": "dr", "us": "us", "state": "state", "county": "county", "cty": "county", "co": "county", "sr": "sr",
    "cr": "cr", "and": "", "the": "",
}  # fmt: skip

_STATE_ROWS = """
al alabama|ak alaska|az arizona|ar arkansas|ca california|co colorado|ct connecticut|de delaware|fl florida|ga georgia|
hi hawaii|id idaho|il illinois|in indiana|ia iowa|ks kansas|ky kentucky|la louisiana|me maine|md maryland|
ma massachusetts|mi michigan|mn minnesota|ms mississippi|mo missouri|mt montana|ne nebraska|nv nevada|nh new hampshire|
nj new jersey|nm new mexico|ny new york|nc north carolina|nd north dakota|oh ohio|ok oklahoma|or oregon|pa pennsylvania|
ri rhode island|sc south carolina|sd south dakota|tn tennessee|tx texas|ut utah|vt vermont|va virginia|wa washington|
wv west virginia|wi wisconsin|wy wyoming|dc district of columbia|pr puerto rico|vi virgin islands|gu guam
"""
STATES: dict[str, str] = {}
for _row in _STATE_ROWS.replace("\n", "").split("|"):
    _code, _, _name = _row.strip().partition(" ")
    STATES[_code] = _code
    STATES[_name.replace(" ", "")] = _code
STATE_CODES = frozenset(STATES.values())
# Abbreviations of before the postal letters, as newspapers still print them; not those that are words (Miss., Wash.).
_SHORT = (
    "ala:al ariz:az ark:ar calif:ca colo:co conn:ct fla:fl kan:ks mich:mi minn:mn mont:mt neb:ne nev:nv okla:ok "
    "tenn:tn wis:wi wyo:wy wva:wv"
)
STATES.update(pair.split(":") for pair in _SHORT.split())  # type: ignore[misc]  # pairs of two
