"""Anchors: where a subject's full name stands."""

from __future__ import annotations

from registry.leaktrace.dossier import Dossier, FullName
from registry.leaktrace.reading import Place
from registry.leaktrace.sightings import ReadText
from registry.text.nearness import key_distance
from registry.text.remembering import remembered

_LONG_NAME = 12  # letters from which two may be wrong


def named_scopes(text: ReadText, dossier: Dossier) -> dict[int, bool]:
    """Return the scopes that hold the subject's full name, each with whether it is written exactly.

    A name may carry the noise of text recognition: one letter wrong, two in a long one.
    """
    found: dict[int, bool] = {}
    for place, exact in _places(text, dossier):
        scope = text.words(place).scope
        found[scope] = exact or found.get(scope, False)
    return found


def name_places(text: ReadText, dossier: Dossier) -> list[Place]:
    """Return where a subject's full name stands, with the noise that ``named_scopes`` takes."""
    return [place for place, _ in _places(text, dossier)]


def _places(text: ReadText, dossier: Dossier) -> list[tuple[Place, bool]]:
    """Return where the full name stands, and whether exactly; worked out once for a text and a name."""
    name = dossier.name
    if name is None:
        return []
    found = text.named.get(name)
    if found is None:
        found = text.named[name] = _found(text, name)
    return found


def _found(text: ReadText, name: FullName) -> list[tuple[Place, bool]]:
    exact, turned = name.terms
    found = [(place, True) for place in text.places(exact)]
    found += [(place, False) for place in text.places(turned)]
    for term in name.weak:
        found += [(place, False) for place in text.places(term) if _is_near(name.keys, text.forms(place))]
    return found


@remembered(most=32768)  # a dump has the same names over and over
def _is_near(own: tuple[str, str], forms: frozenset[str]) -> bool:
    most = 1 if len(own[0]) < _LONG_NAME else 2
    return any(key_distance(key, form, most) is not None for key in own for form in forms)
