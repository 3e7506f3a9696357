"""Letters of other scripts that look like Latin ones, after the idea of Unicode TS 39, written by hand.

Only pairs that a reader takes for the Latin letter are here. Latin letters with strokes, hooks or small capitals need
no entry: their base letter is read off their Unicode name (``latin_base``).
"""

from __future__ import annotations

import re
import unicodedata

# One line per Latin letter: the letter, then everything that passes for it (either case).
_ROWS = """
a аАαΑ⍺ⱭɑᎪᗅꓮаᴀ
b ВЬвβΒᏴᗷꓐЪƄᏏᑲ
c сСϲϹⅽⲤⲥᏟꓚᴄ
d ԁⅾᎠᗞꓓժԀᏧᗪ
e еЕεΕҽҾєЄϵᎬꓰⲉℯ℮ξΣ
f ϝϜғҒᖴꓝք
g ɡԍɢᏀꓖցԌᶃ
h һНнΗᎻᕼꓧհԊⲎћ
i іІιΙӏӀїЇɩƖᎥⲒⵏاו׀ⅼ∣ı
j јЈյϳͿᎫᒍꓙ
k кКκΚӄҚқᏦꓗⲔĸ
l ӀⅼاᏞᒪꓡⳐլ
m мМΜᎷᗰꓟⲘϻ
n пΝηոռꓠⲚ
o оОοΟσօՕ๐໐ⲟⲞഠဝסهဿᴏⵔ
p рРρΡᏢᑭꓑⲢⲣϱ
q ԛԚզգႭ
r гРяᎡᏒᖇꓣʀᴦⲅГ
s ѕЅꜱՏᏚꓢƽᏕ
t тТτΤᎢꓔⲦ
u υսΥմᴜꞟՍᑌꓴ
v νѵѴᏙᐯꓦטᴠ
w ԝԜѡᎳᏔωաɯꓪᴡшШ
x хХχΧ×ᕁᕽꓫⲬⅹ
y уУγΥҮүყᎩꓬⲨʏϒўɣ
z ΖᏃꓜᴢ
3 зЗӠʒƷꝪЭэҘҙ
4 Ꮞ
6 бᏮ
"""


def _read_rows() -> dict[str, str]:
    table: dict[str, str] = {}
    for row in _ROWS.split("\n"):
        if row:
            latin, _, others = row.partition(" ")
            for other in others:
                table.setdefault(other, latin)
    # A capital that looks like one letter while its small form looks like another.
    table.update({"Р": "p", "В": "b", "Н": "h", "Υ": "y", "Ν": "n", "Η": "h", "υ": "u", "ν": "v", "η": "n"})
    return table


LOOKALIKES = _read_rows()

_LATIN_NAME = re.compile(
    r"^(?:MODIFIER LETTER |COMBINING |NEGATIVE CIRCLED |NEGATIVE SQUARED |SQUARED |CIRCLED |REGIONAL INDICATOR SYMBOL |"
    r"PARENTHESIZED )?(?:LATIN )?(?:CAPITAL |SMALL )?(?:LETTER )?(?:SMALL )?(?:CAPITAL )?"
    r"(?:SCRIPT |INSULAR |DOTLESS |OPEN )?"
    r"(?:LETTER )?([A-Z])(?: WITH .*)?$"
)


def latin_base(char: str) -> str | None:
    """Return the plain small letter that a styled Latin letter stands for, or None.

    Reads the Unicode name: ``LATIN SMALL LETTER B WITH HOOK`` is a b, ``NEGATIVE SQUARED LATIN CAPITAL LETTER A`` an a.
    """
    match = _LATIN_NAME.match(unicodedata.name(char, ""))
    return match.group(1).lower() if match else None
