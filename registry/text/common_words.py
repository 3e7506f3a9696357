"""Common English words, by what they can not be."""

from __future__ import annotations

_NO_NAME = """
a about after again all also am an and any are as at back be because been before being but by call can come could
did do does doing done down each even every few first for from get give go going got had has have he her here him
his how i if in into is it its just know let like look made make many me more most much must my need no not now of
off ok on one only or other our out over own please put same send she should since so some such take than thank
thanks that the their them then there these they thing think this those through time to too two under until up us
use very was we well were what when where which while who why with would yes yet you your address phone email number
ssn dob born lives located st road rd ave avenue drive dr name date birth mr mrs ms miss employee patient customer
contact school elementary middle says called account card credit social security monday tuesday wednesday thursday
friday saturday sunday january february march july september october november december http https www com org net
html re fw cc subject sent wrote usa
"""
_NO_STREET = """
a about after again ago all also am an and any are as at be because been before being but by can could did do does
during each every for from get got had has have he her here him his how i if into is it its just me more most much
my no not of off on or our out over people per percent please pm said same see she should since so some than that
their them then there these they this those through times to too us was we were what when which while who will with
would years year you your minutes hours days weeks months dollars million billion thousand hundred
"""
_NO_DIAGNOSIS = """
unspecified other specified disease disorder disorders syndrome right left without initial encounter subsequent
sequela elsewhere classified complication complications type stage chronic acute due
"""

_SMALL = "a an and at by for from in of on or the to with"
# Words that a phrase may lose or gain without saying anything else.
SMALL = frozenset(_SMALL.split())
# Words that neither begin nor end a name in a running text.
NO_NAME = frozenset(_NO_NAME.split())
# Words that, after a number, do not begin a street.
NO_STREET = frozenset(_NO_STREET.split())
# Words that stand in so many health statements that they tell nothing.
NO_DIAGNOSIS = frozenset(_NO_DIAGNOSIS.split())
